/**
 * Clients of the simulated proxies: they send commands of every kind, alone or several at once on one connection, read
 * replies, sometimes hang up without waiting, and connect again when their proxy dies. Everything they saw is one
 * history, which must be linearizable. When all is quiet every key is read once more, and DBSIZE and SCAN must tell of
 * exactly the keys that exist.
 */
import { commands } from '../../shared/commands/index.js';
import { checkHistory } from '../checking/check.js';
import { Exchange } from '../checking/exchange.js';
import { History, isError, type Reply } from '../checking/history.js';
import { Traffic } from '../checking/traffic.js';
import type { ClientSocket, SimulatedProxy } from './proxy.js';
import { encodeRequest, ReplyReader } from './reply-reader.js';
import type { World } from './world.js';

/** What the workload needs of the cluster. */
export interface Target {
  readonly world: World;
  /** One that died is replaced by another object. */
  readonly proxies: readonly SimulatedProxy[];
}

export interface WorkloadOptions {
  readonly clients: number;
  /** Between an answer and the next request, at most. */
  readonly pauseMs: number;
  /** Commands sent at once, at most. */
  readonly pipeline: number;
  /** How many of a thousand times a client hangs up instead of waiting. */
  readonly hangUpsPerThousand: number;
  readonly flushesPerThousand: number;
  /** How far the servers' clocks may be from each other and from the world's: expiry is as uncertain. */
  readonly clockSkewMs: number;
  /** True where the table has several partitions. */
  readonly severalPartitions: boolean;
}

/** Draws a workload from the world's seed. */
export function drawWorkload(
  world: World,
  given: Pick<WorkloadOptions, 'clockSkewMs' | 'severalPartitions'> & Partial<WorkloadOptions>,
): WorkloadOptions {
  return {
    clients: 4 + Math.floor(world.random() * 5),
    pauseMs: world.pick([150, 400, 800]),
    pipeline: world.pick([1, 2, 5]),
    hangUpsPerThousand: world.pick([0, 2, 10]),
    flushesPerThousand: world.pick([0, 0, 0, 2]),
    ...given,
  };
}

const FAMILIES = 5;
const COMMANDS_PER_FAMILY = [20, 100] as const;
const RECONNECT_MS = [1, 300] as const;
const FINAL_BATCH = 64;
/** Steps of the search for one object: an object of this size needs hundreds, one in thousands (many unknown outcomes) a million. */
const BUDGET = 1_000_000;

export class Workload {
  readonly history = new History();
  private readonly target: Target;
  private readonly options: WorkloadOptions;
  private readonly traffic: Traffic;
  private readonly clients: Client[] = [];
  private stopped = false;
  private running = 0;

  constructor(target: Target, options: WorkloadOptions) {
    this.target = target;
    this.options = options;
    this.traffic = new Traffic({
      random: () => target.world.random(),
      families: FAMILIES,
      commandsPerFamily: COMMANDS_PER_FAMILY,
      supported: (name) => commands.get(name)?.support === 'yes',
      flushesPerThousand: options.flushesPerThousand,
    });
    for (let index = 0; index < options.clients; index++) {
      const client = new Client(target, this.history, index);
      this.clients.push(client);
      this.running++;
      this.later(client);
    }
  }

  /** Nothing new is sent from now on. */
  stop(): void {
    this.stopped = true;
  }

  /** True once all that was sent has an outcome. */
  get idle(): boolean {
    return this.running === 0 && this.history.outstanding === 0;
  }

  private later(client: Client): void {
    const { world } = this.target;
    world.at(world.random() * this.options.pauseMs, () => this.turn(client));
  }

  private turn(client: Client): void {
    if (this.stopped) {
      this.running--;
      return;
    }
    const { world } = this.target;
    if (!client.connect()) {
      world.at(world.between(...RECONNECT_MS), () => this.turn(client));
      return;
    }
    const { pipeline, hangUpsPerThousand } = this.options;
    const count = world.random() < 0.5 ? 1 : 1 + Math.floor(world.random() * pipeline);
    const batch = Array.from({ length: count }, () => this.traffic.next(client.name));
    client.send(batch, () => this.later(client));
    if (world.random() * 1000 < hangUpsPerThousand) world.at(world.random() * 20, () => client.hangUp());
  }

  /** Reads every key; call when the cluster is healthy and the workload idle. `done` when all has been answered. */
  finish(done: () => void): void {
    const client = new Client(this.target, this.history, this.clients.length);
    const existing = new Set<string>();
    const reads = this.traffic.finalReads();
    const next = (): void => {
      const batch = reads.splice(0, FINAL_BATCH);
      if (batch.length === 0) return this.count(client, existing, done);
      this.ask(
        client,
        batch,
        (words, reply) => {
          const absent = reply === null || reply === 0 || (Array.isArray(reply) && reply.length === 0);
          if (words[0] !== 'PERSIST' && !absent) existing.add(words[1]!);
        },
        next,
      );
    };
    next();
  }

  /** DBSIZE and SCAN, which the models do not know, against the keys that the reads have found. */
  private count(client: Client, existing: ReadonlySet<string>, done: () => void): void {
    const scanned = new Set<string>();
    const scan = (cursor: string): void =>
      this.ask(client, [['SCAN', cursor, 'COUNT', '50']], (_, reply) => {
        const [next, keys] = reply as [string, string[]];
        for (const key of keys) scanned.add(key);
        if (next !== '0') return scan(next);
        const wrong = [...existing].filter((key) => !scanned.has(key));
        for (const key of scanned) if (!existing.has(key)) wrong.push(key);
        if (wrong.length > 0) throw new Error(`SCAN and reads disagree on ${wrong.join(', ')}`);
        done();
      });
    this.ask(client, [['DBSIZE']], (_, reply) => {
      if (reply !== existing.size) throw new Error(`DBSIZE is ${String(reply)} with ${existing.size} keys`);
      scan('0');
    });
  }

  private ask(
    client: Client,
    batch: string[][],
    each: (words: readonly string[], reply: Reply) => void,
    then: () => void = () => undefined,
  ): void {
    if (!client.connect()) throw new Error('no proxy answers the final reads');
    client.send(batch, then, (words, reply) => {
      if (isError(reply) && !reply.error.startsWith('WRONGTYPE'))
        throw new Error(`the final ${words.join(' ')} failed: ${reply.error}`);
      each(words, reply);
    });
  }

  /**
   * Throws when no order of exactly-once operations explains what the clients saw. Returns how many objects took the search
   * more steps than it may: with many unknown outcomes on one object there are too many orders.
   */
  check(): number {
    const { clockSkewMs, severalPartitions } = this.options;
    const known = this.history.all().filter(({ command }) => command[0] !== 'DBSIZE' && command[0] !== 'SCAN');
    const { failures } = checkHistory(known, { budget: BUDGET, clockSkewMs, splitUnions: severalPartitions });
    const violations = failures.filter(({ kind }) => kind === 'violation');
    const [first] = violations;
    if (first !== undefined) throw new Error(`${violations.length} objects fail; ${first.explanation}`);
    return failures.length;
  }
}

interface Sent {
  readonly exchange: Exchange;
  readonly onReply: (words: readonly string[], reply: Reply) => void;
}

/** One client: a connection at a time, requests answered in their order. */
class Client {
  private readonly target: Target;
  private readonly history: History;
  private readonly index: number;
  private connections = 0;
  private socket: ClientSocket | null = null;
  private sent: Sent[] = [];
  private onDone: () => void = () => undefined;

  constructor(target: Target, history: History, index: number) {
    this.target = target;
    this.history = history;
    this.index = index;
  }

  /** Of the present connection. */
  get name(): string {
    return `c${this.index}.${this.connections}`;
  }

  /** False: its proxy does not live at present. */
  connect(): boolean {
    if (this.socket !== null) return true;
    const { proxies } = this.target;
    const proxy = proxies[this.index % proxies.length]!;
    if (proxy.dead) return false;
    this.connections += 1;
    const reader = new ReplyReader();
    this.socket = proxy.connect(
      (text) => this.onText(reader, text),
      () => this.onClose(),
    );
    return true;
  }

  /** Sends all at once; `done` when each has an outcome. */
  send(batch: readonly string[][], done: () => void, onReply: Sent['onReply'] = () => undefined): void {
    const nowMs = this.target.world.nowMs;
    this.onDone = done;
    let text = '';
    for (const words of batch) {
      const exchange = new Exchange(this.history, this.name, words, nowMs);
      this.sent.push({ exchange, onReply });
      text += exchange.requests.map(encodeRequest).join('');
    }
    this.socket!.send(text);
  }

  hangUp(): void {
    if (this.sent.length > 0) this.socket?.hangUp();
  }

  private onText(reader: ReplyReader, text: string): void {
    reader.push(text);
    for (let reply = reader.next(); reply !== undefined; reply = reader.next()) {
      const [sent] = this.sent;
      if (sent === undefined) throw new Error(`${this.name} got a reply too many: ${JSON.stringify(reply)}`);
      if (!sent.exchange.onReply(reply, this.target.world.nowMs)) continue;
      this.sent.shift();
      const last = this.sent.length === 0;
      sent.onReply(sent.exchange.words, reply);
      if (last) this.onDone();
    }
  }

  private onClose(): void {
    this.socket = null;
    const { sent } = this;
    this.sent = [];
    for (const { exchange } of sent) exchange.lost('the connection was closed');
    if (sent.length > 0) this.onDone();
  }
}
