/**
 * A simulated network: connections between nodes, each ordered in either direction, with delays; a
 * connection that breaks loses what is under way. Messages are really packed and unpacked.
 */
import { Packr } from 'msgpackr';
import type { Message } from '../../shared/wire/messages.js';
import type { Network, Origin } from '../../shared/wire/network.js';
import type { ProcessEnvironment, World } from './world.js';

const packr = new Packr({ useRecords: false });
const RECONNECT_MS = [1, 200] as const;
const DELAY_MS = [0.05, 3] as const;

interface Connection {
  readonly ends: readonly [SimulatedNetwork, SimulatedNetwork];
  /** Earliest delivery of the next message, by direction. */
  readonly nextMs: [number, number];
  open: boolean;
}

export class Wires {
  readonly world: World;
  readonly nodes = new Map<string, SimulatedNetwork>();
  private readonly connections = new Map<string, Connection>();
  private readonly cut = new Set<string>();
  private readonly dialing = new Set<string>();
  delivered = 0;

  constructor(world: World) {
    this.world = world;
  }

  join(self: Origin, environment: ProcessEnvironment): SimulatedNetwork {
    const network = new SimulatedNetwork(this, self, environment);
    this.nodes.set(self.node, network);
    return network;
  }

  /** The process has died: its connections break. */
  leave(network: SimulatedNetwork): void {
    for (const connection of this.connections.values()) if (connection.ends.includes(network)) this.break(connection);
    if (this.nodes.get(network.self.node) === network) this.nodes.delete(network.self.node);
  }

  /** No connection between the two until `heal`. */
  partition(a: string, b: string): void {
    this.cut.add(pair(a, b));
    this.breakBetween(a, b);
  }

  heal(): void {
    this.cut.clear();
  }

  breakBetween(a: string, b: string): void {
    const connection = this.connections.get(pair(a, b));
    if (connection !== undefined) this.break(connection);
  }

  send(from: SimulatedNetwork, to: string, message: Message): boolean {
    const connection = this.connections.get(pair(from.self.node, to));
    if (connection === undefined) {
      this.dial(from, to);
      return false;
    }
    const side = connection.ends[0] === from ? 0 : 1;
    const target = connection.ends[1 - side]!;
    const bytes = Buffer.from(packr.pack(message));
    const atMs = Math.max(connection.nextMs[side]!, this.world.nowMs + this.world.between(...DELAY_MS));
    connection.nextMs[side] = atMs;
    this.world.at(atMs - this.world.nowMs, () => {
      if (!connection.open) return;
      this.delivered++;
      this.world.note(`${from.self.node}>${target.self.node}:${message[0]}`);
      target.onMessage(from.self, packr.unpack(bytes) as Message);
    });
    return true;
  }

  private dial(from: SimulatedNetwork, to: string): void {
    const name = pair(from.self.node, to);
    if (this.dialing.has(name)) return;
    this.dialing.add(name);
    this.world.at(this.world.between(...RECONNECT_MS), () => {
      this.dialing.delete(name);
      const target = this.nodes.get(to);
      if (from.environment.dead || this.connections.has(name) || this.nodes.get(from.self.node) !== from) return;
      if (target === undefined || this.cut.has(name)) return this.dial(from, to);
      this.connections.set(name, { ends: [from, target], nextMs: [0, 0], open: true });
      from.onConnected(target.self);
      target.onConnected(from.self);
    });
  }

  private break(connection: Connection): void {
    connection.open = false;
    const [a, b] = connection.ends;
    this.connections.delete(pair(a.self.node, b.self.node));
    if (!a.environment.dead) a.onDisconnected(b.self);
    if (!b.environment.dead) b.onDisconnected(a.self);
  }
}

function pair(a: string, b: string): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}

export class SimulatedNetwork implements Network {
  readonly self: Origin;
  readonly environment: ProcessEnvironment;
  onMessage: (from: Origin, message: Message) => void = () => undefined;
  onConnected: (peer: Origin) => void = () => undefined;
  onDisconnected: (peer: Origin) => void = () => undefined;
  private readonly wires: Wires;

  constructor(wires: Wires, self: Origin, environment: ProcessEnvironment) {
    this.wires = wires;
    this.self = self;
    this.environment = environment;
  }

  setAddress(): void {
    // nodes are found by name
  }

  send(node: string, message: Message): boolean {
    return this.wires.send(this, node, message);
  }

  queuedBytes(): number {
    return 0;
  }

  receiving(): boolean {
    return false;
  }

  close(): Promise<void> {
    this.wires.leave(this);
    return Promise.resolve();
  }
}
