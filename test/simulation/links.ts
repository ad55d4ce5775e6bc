/**
 * The connections between simulated nodes, as TCP gives them: each direction in order, nothing twice. What goes wrong:
 *
 *   break       what is under way is lost, and the two ends notice at different times, the second one late;
 *   block       packets of one direction vanish: what is sent waits, and comes late if the block ends in time; else the end
 *               that hears nothing gives the connection up;
 *   delay       slow links, and single packets that had to be sent again;
 *   hostility   (where the seed asks for it) single messages are dropped, doubled or overtaken within a connection, which no
 *               real connection does: for those kinds of message that are meant to survive it.
 */
import { limits } from '../../shared/limits.js';
import { FrameReader, FrameWriter, FramePool, unpackFrame } from '../../shared/wire/framing.js';
import { Kind, type Message } from '../../shared/wire/messages.js';
import type { PeerLink } from '../../shared/wire/peer.js';
import type { SimulatedNetwork } from './network.js';
import type { World } from './world.js';

export interface NetworkProfile {
  /** How long a message takes. */
  readonly delayMs: readonly [number, number];
  /** Of a packet that is lost and sent again, by chance. */
  readonly resend: { readonly chance: number; readonly delayMs: readonly [number, number] };
  readonly hostile: { readonly drop: number; readonly double: number; readonly overtake: number } | null;
  /** Messages are packed and unpacked by the real codec rather than copied. */
  readonly packed: boolean;
}

/**
 * What hostility may do to a kind of message. Not to others, by design: requests, replies and give-ups rest on the order of
 * their connection (a request that is lost while its connection lives is missed by nobody before its deadline, and the order
 * of a client's commands is that of its connection); a view that is lost while its connection lives is sent again to servers
 * (heartbeats show what they lack), but not to proxies; a registration decides what the messages after it mean; a proposal that
 * comes again after it was refused could be accepted then, when the proposer has long stopped to reckon with it.
 */
const SURVIVES: ReadonlyMap<number, { readonly drop: boolean; readonly double: boolean; readonly overtake: boolean }> =
  new Map([
    [Kind.prepare, { drop: true, double: true, overtake: true }],
    [Kind.prepareAck, { drop: true, double: true, overtake: true }],
    [Kind.prepareReject, { drop: true, double: true, overtake: true }],
    [Kind.beacon, { drop: true, double: true, overtake: true }],
    [Kind.beaconAck, { drop: true, double: true, overtake: true }],
    [Kind.learnBegin, { drop: true, double: true, overtake: true }],
    [Kind.learnState, { drop: true, double: true, overtake: true }],
    [Kind.learnPlan, { drop: true, double: true, overtake: true }],
    [Kind.learnPage, { drop: true, double: true, overtake: true }],
    [Kind.learnPageAck, { drop: true, double: true, overtake: true }],
    [Kind.learnReady, { drop: true, double: true, overtake: true }],
    [Kind.learnFailed, { drop: true, double: true, overtake: true }],
    [Kind.heartbeat, { drop: true, double: true, overtake: true }],
    [Kind.heartbeatAck, { drop: true, double: true, overtake: true }],
    [Kind.propose, { drop: true, double: false, overtake: false }],
    [Kind.proposeResult, { drop: true, double: true, overtake: true }],
    [Kind.addLearner, { drop: true, double: true, overtake: true }],
  ]);

interface Direction {
  /** Earliest delivery of the next message. */
  nextMs: number;
  /** What was sent in the present event, to be delivered together. */
  batch: Message[];
  batchEvent: number;
  /** Sent while packets vanish. */
  stalled: Message[][];
}

/** One end of a connection. */
export class LinkEnd implements PeerLink {
  readonly link: Link;
  readonly side: 0 | 1;
  readonly owner: SimulatedNetwork;
  open = true;

  constructor(link: Link, side: 0 | 1, owner: SimulatedNetwork) {
    this.link = link;
    this.side = side;
    this.owner = owner;
  }

  get other(): LinkEnd {
    return this.link.ends[1 - this.side]!;
  }

  /** About what does not get out. */
  get queuedBytes(): number {
    return this.link.directions[this.side]!.stalled.length * 256;
  }

  /** Messages come whole. */
  get receiving(): boolean {
    return false;
  }

  send(message: Message): void {
    this.link.transmit(this, message);
  }
}

export class Link {
  readonly ends: readonly [LinkEnd, LinkEnd];
  readonly directions: readonly [Direction, Direction];
  private readonly conditions: Conditions;

  constructor(conditions: Conditions, dialer: SimulatedNetwork, listener: SimulatedNetwork) {
    this.conditions = conditions;
    this.ends = [new LinkEnd(this, 0, dialer), new LinkEnd(this, 1, listener)];
    this.directions = [direction(), direction()];
  }

  transmit(from: LinkEnd, message: Message): void {
    const { conditions } = this;
    const { world } = conditions;
    const way = this.directions[from.side]!;
    const { hostile } = conditions.profile;
    if (hostile !== null && !conditions.calm && this.molest(from, message, hostile)) return;
    if (way.batchEvent === world.events) {
      way.batch.push(message);
      return;
    }
    const batch = [message];
    way.batch = batch;
    way.batchEvent = world.events;
    if (conditions.isBlocked(from.owner.self.node, from.other.owner.self.node)) way.stalled.push(batch);
    else this.forward(from, batch, conditions.delayMs(from.owner.self.node, from.other.owner.self.node));
  }

  private forward(from: LinkEnd, batch: Message[], delayMs: number): void {
    const { world } = this.conditions;
    const way = this.directions[from.side]!;
    const atMs = Math.max(way.nextMs, world.nowMs + delayMs);
    way.nextMs = atMs;
    this.arrive(from.other, batch, atMs - world.nowMs);
  }

  private arrive(at: LinkEnd, batch: Message[], delayMs: number): void {
    const { world, profile } = this.conditions;
    world.schedule(
      delayMs,
      at.owner.environment,
      () => {
        if (!at.open) return;
        at.owner.onMessages(at, profile.packed ? repack(batch) : (batch.map(copy) as Message[]));
      },
      true,
    );
  }

  /** True when nothing is left to send in order. */
  private molest(from: LinkEnd, message: Message, hostile: NonNullable<NetworkProfile['hostile']>): boolean {
    const survives = SURVIVES.get(message[0]);
    const { world } = this.conditions;
    if (survives === undefined) return false;
    const dice = world.random();
    if (dice < hostile.drop) return survives.drop;
    const late = (): void => this.arrive(from.other, [message], world.between(0, 200));
    if (dice < hostile.drop + hostile.double) {
      if (survives.double) late();
      return false;
    }
    if (dice < hostile.drop + hostile.double + hostile.overtake && survives.overtake) {
      late();
      return true;
    }
    return false;
  }

  /** Packets of this direction pass again: what waited is sent again, some time later. */
  release(side: 0 | 1): void {
    const way = this.directions[side]!;
    const { stalled } = way;
    if (stalled.length === 0) return;
    way.stalled = [];
    way.batchEvent = -1;
    const delayMs = this.conditions.world.between(0, 800);
    for (const batch of stalled) this.forward(this.ends[side]!, batch, delayMs);
  }

  /** The end that is told closes, `delayMs` from now. */
  closeLater(end: LinkEnd, delayMs: number): void {
    this.conditions.world.schedule(delayMs, end.owner.environment, () => this.close(end), true);
  }

  close(end: LinkEnd): void {
    if (!end.open) return;
    end.open = false;
    end.owner.onLinkClosed(end);
  }

  /** The connection breaks: one end notices at once, the other one some time later; what is under way may still arrive until then. */
  break(): void {
    const { world } = this.conditions;
    const first = world.chance(0.5) ? 0 : 1;
    this.closeLater(this.ends[first], 0);
    const second = this.ends[1 - first]!;
    if (world.chance(0.3)) this.directions[first]!.stalled = [];
    this.closeLater(second, world.chance(0.8) ? world.between(0, 5) : world.between(0, 1_500));
  }
}

/** What the network is like at present, by direction. */
export class Conditions {
  readonly world: World;
  readonly profile: NetworkProfile;
  /** Hostility and lost packets are over. */
  calm = false;
  /** By direction: how many faults block it. */
  private readonly blocked = new Map<string, number>();
  private readonly slowed = new Map<string, number>();

  constructor(world: World, profile: NetworkProfile) {
    this.world = world;
    this.profile = profile;
  }

  isBlocked(from: string, to: string): boolean {
    return this.blocked.size > 0 && this.blocked.has(way(from, to));
  }

  block(from: string, to: string): void {
    const key = way(from, to);
    this.blocked.set(key, (this.blocked.get(key) ?? 0) + 1);
  }

  /** True when nothing blocks it any more. */
  unblock(from: string, to: string): boolean {
    const key = way(from, to);
    const left = (this.blocked.get(key) ?? 0) - 1;
    if (left > 0) this.blocked.set(key, left);
    else this.blocked.delete(key);
    return left <= 0;
  }

  slow(from: string, to: string, delayMs: number): void {
    if (delayMs > 0) this.slowed.set(way(from, to), delayMs);
    else this.slowed.delete(way(from, to));
  }

  delayMs(from: string, to: string): number {
    const { world, profile } = this;
    let delayMs = world.between(...profile.delayMs);
    if (profile.resend.chance > 0 && !this.calm && world.chance(profile.resend.chance))
      delayMs += world.between(...profile.resend.delayMs);
    if (this.slowed.size > 0) delayMs += (this.slowed.get(way(from, to)) ?? 0) * world.random();
    return delayMs;
  }
}

function way(from: string, to: string): string {
  return `${from}>${to}`;
}

function direction(): Direction {
  return { nextMs: 0, batch: [], batchEvent: -1, stalled: [] };
}

/** As the codec would hand it over: nothing shared but Buffers, which nobody changes once they are sent. */
function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) {
    const items = new Array<unknown>(value.length);
    for (let i = 0; i < value.length; i++) items[i] = copy(value[i]);
    return items;
  }
  const fields: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) fields[name] = copy(field);
  return fields;
}

const pool = new FramePool();

function repack(batch: readonly Message[]): Message[] {
  const writer = new FrameWriter(pool);
  for (const message of batch) writer.add(message);
  const messages: Message[] = [];
  const reader = new FrameReader(limits.frameBytes);
  reader.push(Buffer.concat(writer.take().chunks), (payload) => {
    messages.push(...unpackFrame(payload));
    return true;
  });
  return messages;
}
