/**
 * The simulated counterpart of shared/wire/tcp.ts: dialing, two links where both ends dial at once, which of them counts (the real
 * Peer decides), and what the roles are told. The links themselves are in links.ts.
 */
import { limits } from '../../shared/limits.js';
import type { Message } from '../../shared/wire/messages.js';
import type { Network, Origin } from '../../shared/wire/network.js';
import { Peer } from '../../shared/wire/peer.js';
import { Conditions, Link, type LinkEnd, type NetworkProfile } from './links.js';
import type { ProcessEnvironment } from './process.js';
import type { World } from './world.js';

/** An end that hears nothing looks at it this often. */
const SILENCE_CHECK_MS = limits.keepaliveMs;

export class Wires {
  readonly world: World;
  readonly conditions: Conditions;
  readonly nodes = new Map<string, SimulatedNetwork>();
  /** Sees every message when it is sent, and every one when it arrives. */
  onSend: (from: SimulatedNetwork, to: string, message: Message) => void = () => undefined;
  private readonly links = new Set<Link>();
  delivered = 0;

  constructor(world: World, profile: NetworkProfile) {
    this.world = world;
    this.conditions = new Conditions(world, profile);
  }

  join(self: Origin, environment: ProcessEnvironment): SimulatedNetwork {
    const network = new SimulatedNetwork(this, self, environment);
    this.nodes.set(self.node, network);
    return network;
  }

  /** The process has died. Its system tells the others, unless the machine lost its power: then they notice by the silence. */
  leave(network: SimulatedNetwork, silently = false): void {
    for (const link of this.linksOf(network.self.node)) {
      const end = link.ends[0].owner === network ? link.ends[0] : link.ends[1];
      if (end.owner !== network) continue;
      end.open = false;
      link.closeLater(end.other, silently ? this.silenceMs() : this.world.between(0, 3));
      this.drop(link);
    }
    if (this.nodes.get(network.self.node) === network) this.nodes.delete(network.self.node);
  }

  connect(dialer: SimulatedNetwork, listener: SimulatedNetwork): Link {
    const link = new Link(this.conditions, dialer, listener);
    this.links.add(link);
    return link;
  }

  /** Both ends are closed. */
  drop(link: Link): void {
    if (link.ends.every((end) => !end.open)) this.links.delete(link);
  }

  breakBetween(a: string, b: string): boolean {
    const links = this.between(a, b);
    for (const link of links) link.break();
    return links.length > 0;
  }

  /** Packets from `from` to `to` vanish, until `unblock`. */
  block(from: string, to: string): void {
    this.conditions.block(from, to);
    for (const link of this.between(from, to)) {
      const listener = link.ends[0].owner.self.node === to ? link.ends[0] : link.ends[1];
      this.world.at(this.silenceMs(), () => {
        if (!listener.open || !this.conditions.isBlocked(from, to)) return;
        link.closeLater(listener, 0);
        // the other end learns of it if it can, else by its own silence
        if (!this.conditions.isBlocked(to, from)) link.closeLater(listener.other, this.world.between(0, 5));
        else link.closeLater(listener.other, this.world.between(0, SILENCE_CHECK_MS));
      });
    }
  }

  unblock(from: string, to: string): void {
    if (!this.conditions.unblock(from, to)) return;
    for (const link of this.between(from, to)) link.release(link.ends[0].owner.self.node === from ? 0 : 1);
  }

  /** Nothing is heard of a node that is stopped for long: the others give their connections up. */
  silent(network: SimulatedNetwork): void {
    for (const link of this.linksOf(network.self.node)) {
      const end = link.ends[0].owner === network ? link.ends[0] : link.ends[1];
      this.world.at(this.silenceMs(), () => {
        if (!network.environment.paused || !end.other.open) return;
        link.closeLater(end.other, 0);
        link.closeLater(end, 1);
      });
    }
  }

  private silenceMs(): number {
    return limits.linkSilenceMs + this.world.between(0, SILENCE_CHECK_MS);
  }

  private between(a: string, b: string): Link[] {
    return this.linksOf(a).filter((link) => link.ends.some((end) => end.owner.self.node === b));
  }

  private linksOf(node: string): Link[] {
    return [...this.links].filter((link) => link.ends.some((end) => end.owner.self.node === node));
  }
}

interface Dialing {
  failedAttempts: number;
  /** An attempt is under way, or waits for its time. */
  busy: boolean;
}

export class SimulatedNetwork implements Network {
  readonly self: Origin;
  readonly environment: ProcessEnvironment;
  onMessage: (from: Origin, message: Message) => void = () => undefined;
  onConnected: (peer: Origin) => void = () => undefined;
  onDisconnected: (peer: Origin) => void = () => undefined;
  /** The role closed it: the process is about to end. */
  onClosed: () => void = () => undefined;
  private readonly wires: Wires;
  private readonly peers = new Map<string, Peer<LinkEnd>>();
  private readonly dialing = new Map<string, Dialing>();
  private closed = false;

  constructor(wires: Wires, self: Origin, environment: ProcessEnvironment) {
    this.wires = wires;
    this.self = self;
    this.environment = environment;
  }

  setAddress(node: string, host: string, port: number): void {
    if (node === this.self.node) return;
    this.peer(node).address ??= { host, port };
  }

  send(node: string, message: Message): boolean {
    if (this.closed) return false;
    const peer = this.peer(node);
    const link = peer.link();
    if (link === null) {
      peer.wanted = true;
      this.dial(peer);
      return false;
    }
    this.wires.onSend(this, node, message);
    link.send(message);
    return true;
  }

  queuedBytes(node: string): number {
    return this.peers.get(node)?.queuedBytes() ?? 0;
  }

  receiving(): boolean {
    return false;
  }

  close(): Promise<void> {
    if (!this.closed) {
      this.closed = true;
      this.onClosed();
    }
    return Promise.resolve();
  }

  // --- what links say

  onMessages(end: LinkEnd, messages: readonly Message[]): void {
    const { self } = end.other.owner;
    const peer = this.peer(self.node);
    for (const message of messages) {
      if (this.closed || !peer.links.has(end)) return;
      if (!peer.accepts(end, message)) continue;
      this.wires.delivered++;
      this.wires.world.note(message[0]);
      this.onMessage(self, message);
    }
  }

  onLinkClosed(end: LinkEnd): void {
    this.wires.drop(end.link);
    const { self } = end.other.owner;
    const peer = this.peer(self.node);
    if (!peer.links.has(end)) return;
    const used = peer.drop(end);
    if (this.closed || (!used && peer.links.size > 0)) return;
    if (used && peer.links.size === 0) {
      peer.wanted = true;
      this.dialLater(peer);
    }
    this.onDisconnected(self);
    if (peer.links.size > 0) this.onConnected(self);
  }

  private onReady(end: LinkEnd): void {
    const { self } = end.other.owner;
    const peer = this.peer(self.node);
    const dialing = this.dialing.get(self.node);
    if (dialing !== undefined) dialing.failedAttempts = 0;
    peer.wanted = false;
    const replaced = peer.origin !== null && peer.origin.boot !== self.boot && peer.links.size > 0 ? peer.origin : null;
    const stale = replaced === null ? [] : [...peer.links];
    for (const each of stale) peer.drop(each);
    peer.become(self);
    peer.links.add(end);
    for (const each of stale) each.link.close(each);
    if (replaced !== null) this.onDisconnected(replaced);
    if (peer.links.size > 1) return;
    this.onConnected(self);
  }

  // --- connecting

  private peer(node: string): Peer<LinkEnd> {
    let peer = this.peers.get(node);
    if (peer === undefined) this.peers.set(node, (peer = new Peer(node)));
    return peer;
  }

  private dial(peer: Peer<LinkEnd>): void {
    if (this.closed || peer.address === null || peer.links.size > 0) return;
    let dialing = this.dialing.get(peer.node);
    if (dialing === undefined) this.dialing.set(peer.node, (dialing = { failedAttempts: 0, busy: false }));
    if (dialing.busy) return;
    dialing.busy = true;
    peer.wanted = false;
    const { world, conditions } = this.wires;
    const there = conditions.delayMs(this.self.node, peer.node) + conditions.delayMs(peer.node, this.self.node);
    world.schedule(there, this.environment, () => this.reach(peer), true);
  }

  /** The attempt succeeds if the other is there, and each packet of the handshake passes. */
  private reach(peer: Peer<LinkEnd>): void {
    const { conditions } = this.wires;
    const { node } = this.self;
    const dialing = this.dialing.get(peer.node)!;
    dialing.busy = false;
    const target = this.wires.nodes.get(peer.node);
    const passes =
      target !== undefined &&
      !target.closed &&
      !target.environment.paused &&
      !conditions.isBlocked(node, peer.node) &&
      !conditions.isBlocked(peer.node, node);
    if (!passes || peer.isOver(target.self.boot) || target.peer(node).isOver(this.self.boot)) {
      dialing.failedAttempts++;
      this.dialLater(peer);
      return;
    }
    const link = this.wires.connect(this, target);
    // The listener is ready when it has the dialer's last step, and then reads what the dialer sent after that.
    const { world } = this.wires;
    const listenerMs = conditions.delayMs(node, peer.node);
    link.directions[0].nextMs = world.nowMs + listenerMs;
    world.schedule(listenerMs, target.environment, () => ready(link.ends[1]), true);
    ready(link.ends[0]);
    function ready(end: LinkEnd): void {
      if (end.open) end.owner.onReady(end);
    }
  }

  private dialLater(peer: Peer<LinkEnd>): void {
    let dialing = this.dialing.get(peer.node);
    if (dialing === undefined) this.dialing.set(peer.node, (dialing = { failedAttempts: 0, busy: false }));
    if (this.closed || dialing.busy || peer.address === null) return;
    dialing.busy = true;
    const delayMs = Math.min(limits.redialMsLast, limits.redialMsFirst * 2 ** dialing.failedAttempts);
    this.environment.after(delayMs * (1 - this.environment.random() / 2), () => {
      dialing.busy = false;
      if (peer.wanted) this.dial(peer);
    });
  }
}
