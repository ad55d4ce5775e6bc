/**
 * A primary's executor, head state and in-memory store without replication: the test plays it. A turn of the event
 * loop, a commit, an apply and the return of a fetch happen when the test says so.
 *
 *   const primary = new Primary();
 *   primary.send(set(key, value));     // held: nothing has been executed
 *   primary.turn();                    // executed and prepared; the reply waits
 *   primary.commit();                  // the reply is there
 */
import type { Environment, Timer } from '../../../shared/environment.js';
import { ClientError, invariant } from '../../../shared/errors.js';
import { KeyedHash } from '../../../shared/keyed-hash.js';
import type { Operation, OperationResult } from '../../../shared/operations/operation.js';
import { Kind, Manner, type Message, type RetryReason } from '../../../shared/wire/messages.js';
import type { Origin } from '../../../shared/wire/network.js';
import { Attempt } from '../../../server/execution/attempt.js';
import { Counts } from '../../../server/execution/counts.js';
import { Broker } from '../../../server/execution/broker.js';
import { Executor } from '../../../server/execution/executor.js';
import { Interests } from '../../../server/execution/interests.js';
import { Head, initialKeyspaces } from '../../../server/execution/head.js';
import type { PointReads } from '../../../server/execution/point-reads.js';
import { Sessions } from '../../../server/execution/sessions.js';
import type { View, PartitionFacts } from '../../../server/execution/view.js';
import type { Annotation, Group, KeptResult, SessionChange } from '../../../server/replication/mutation.js';
import { ScriptEngine } from '../../../server/scripting/engine.js';
import { everything, fromBuffer, toBuffer } from '../../../server/storage/keys.js';
import { MemoryStoreFactory } from '../../../server/storage/memory.js';
import type { Store, Write } from '../../../server/storage/store.js';

export const START_MS = 1_700_000_000_000;

/** Work waits here until the test runs it. */
export class ManualEnvironment implements Environment {
  nowMs = START_MS;
  /** How much later it is whenever the clock is read. */
  tickMs = 0;
  deferred: (() => void)[] = [];
  timers: { run: () => void; cancelled: boolean }[] = [];
  private state = 1;

  monotonicMs(): number {
    this.nowMs += this.tickMs;
    return this.nowMs - START_MS;
  }

  wallMs(): number {
    return this.nowMs;
  }

  after(_delayMs: number, run: () => void): Timer {
    const timer = { run, cancelled: false };
    this.timers.push(timer);
    return {
      cancel: () => {
        timer.cancelled = true;
      },
    };
  }

  defer(run: () => void): void {
    this.deferred.push(run);
  }

  random(): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.state / 2 ** 32;
  }

  /** What was deferred, until nothing is. */
  settle(): void {
    for (let run = this.deferred.shift(); run !== undefined; run = this.deferred.shift()) run();
  }

  /** The `index`th timer that waits is due. */
  fire(index = 0): void {
    this.timers = this.timers.filter(({ cancelled }) => !cancelled);
    const [timer] = this.timers.splice(index, 1);
    invariant(timer !== undefined, 'a timer waits');
    timer.run();
  }
}

/** Whose requests are sent, and its session: no mutation of a test is that far. */
export const PROXY: Origin = { node: 'proxy-1', boot: '1-proxy', role: 'proxy' };
export const SESSION = 1_000_000;

export interface Mutation {
  readonly decree: number;
  readonly timeMs: number;
  readonly groups: readonly Group[];
  readonly results: readonly KeptResult[];
  readonly annotations: readonly Annotation[];
  readonly sessions: readonly SessionChange[];
}

export interface Reply {
  readonly id: number;
  readonly status: number;
  readonly value: OperationResult;
}

export class Primary {
  readonly environment = new ManualEnvironment();
  readonly facts: PartitionFacts = {
    id: 1,
    slots: { from: 0, to: 16_383 },
    multiKey: 'any',
    syncsWrites: true,
    hash: new KeyedHash('00112233445566ff'),
  };
  readonly store: Store;
  readonly head: Head;
  readonly counts = new Counts();
  readonly sessions = new Sessions({ persistent: false });
  readonly executor: Executor;
  readonly mutations: Mutation[] = [];
  readonly replies: Reply[] = [];
  /** What proxies were sent beside replies. */
  readonly told: Message[] = [];
  /** Boots. */
  readonly connected = new Set<string>([PROXY.boot]);
  readonly failures: Error[] = [];
  committed = 0;
  applied = 0;
  leased = true;
  room = true;
  writesRefused: RetryReason | null = null;
  growthRefused: string | null = null;
  diskFull: string | null = null;
  private readonly sequences = new Map<string, number>();
  private lastId = 0;
  private lastSettle = 0;

  /** With `slowFetches`, pages come when the test calls `fetched`. A successor begins with what was committed. */
  constructor(
    options: {
      slowFetches?: boolean;
      cacheBytes?: number;
      committed?: readonly Mutation[];
      /** Where it reads single entries; given: those that are fetched come when the test calls `fetched`, too. */
      reads?: PointReads;
      /** Its proxy has said where its requests begin. */
      settled?: boolean;
    } = {},
  ) {
    const delayMs = (operation: string): number =>
      (options.slowFetches === true && operation === 'range') ||
      (options.reads !== undefined && operation === 'getMany')
        ? 1
        : 0;
    const factory = new MemoryStoreFactory(this.environment, undefined, { delayMs });
    let opened: Store | undefined;
    factory.open('partition-1', (_error, store) => {
      opened = store;
    });
    this.environment.settle();
    invariant(opened !== undefined, 'the store opens');
    this.store = opened;
    this.sessions.change(['open', PROXY.boot], SESSION);
    for (const mutation of options.committed ?? []) this.inherit(mutation);
    this.head = new Head(
      this.store,
      options.cacheBytes ?? 1 << 24,
      initialKeyspaces(),
      this.counts,
      this.applied,
      options.reads,
    );
    this.executor = new Executor(
      this.environment,
      {
        canExecute: () => this.leased,
        refusesWrites: () => this.writesRefused,
        refusesForSpace: (grows) => this.diskFull ?? (grows ? this.growthRefused : null),
        hasRoom: () => this.room,
        inFlight: () => this.mutations.length - this.committed,
        committed: () => this.committed,
        nextDecree: () => this.mutations.length + 1,
        prepare: (parts) => {
          const decree = this.mutations.length + 1;
          this.mutations.push({ decree, ...parts });
          return decree;
        },
        tell: (_to, message) => void this.told.push(message),
        isConnected: (boot) => this.connected.has(boot),
        reply: (_to, id, status, value) => void this.replies.push({ id, status, value: copyOf(value) }),
        store: this.store,
        fail: (error) => void this.failures.push(error),
      },
      this.head,
      this.sessions,
      this.facts,
      { nowMs: this.mutations.at(-1)?.timeMs ?? 0, loggedMs: this.mutations.at(-1)?.timeMs ?? 0 },
    );
    for (const session of this.sessions.all()) session.settled = options.settled ?? true;
  }

  private inherit(mutation: Mutation): void {
    this.mutations.push(mutation);
    this.committed++;
    for (const { keyspace, slot, keysDelta, expiresDelta, bytesDelta } of mutation.groups)
      this.counts.of(keyspace).add(slot, keysDelta, expiresDelta, bytesDelta);
    for (const result of mutation.results) this.sessions.record(result, mutation.decree);
    for (const change of mutation.sessions) this.sessions.change(change, mutation.decree);
    this.write(mutation);
  }

  private write({ groups }: Mutation): void {
    const writes: Write[] = [];
    for (const group of groups) for (const { key, value } of group.writes) writes.push({ key: toBuffer(key), value });
    this.applied++;
    this.store.write(writes, false, () => undefined);
    this.turn();
  }

  /** A request of a connection, its next one unless `sequence` repeats an earlier; returns the id that its reply has. */
  send(
    operation: Operation,
    options: {
      connection?: number;
      sequence?: number;
      acknowledged?: number;
      db?: number;
      session?: number;
      from?: Origin;
      waits?: boolean;
      tracks?: boolean;
      leavesNoTrace?: boolean;
    } = {},
  ): number {
    const { connection = 1, acknowledged = 0, db = 0, session = SESSION, from = PROXY } = options;
    const name = `${from.boot}/${connection}`;
    const sequence = options.sequence ?? (this.sequences.get(name) ?? 0) + 1;
    this.sequences.set(name, Math.max(sequence, this.sequences.get(name) ?? 0));
    const id = ++this.lastId;
    const manner =
      (options.waits === true ? Manner.waits : 0) |
      (options.tracks === true ? Manner.tracks : 0) |
      (options.leavesNoTrace === true ? Manner.leavesNoTrace : 0);
    this.executor.submit(from, [
      Kind.request,
      id,
      1,
      1,
      session,
      connection,
      sequence,
      acknowledged,
      db,
      operation,
      manner,
    ]);
    return id;
  }

  /** The proxy settles; returns the number of the message. */
  settle(
    options: { fence?: number; fresh?: boolean; answered?: number[]; session?: number; from?: Origin } = {},
  ): number {
    const { fence = 0, fresh = false, answered = [], session = SESSION, from = PROXY } = options;
    const number = ++this.lastSettle;
    this.executor.settle(from, [Kind.settle, 1, session, number, fence, fresh, answered]);
    return number;
  }

  /** What this turn's input made due happens. */
  turn(): this {
    this.environment.settle();
    return this;
  }

  /** Mutations up to `decree` are committed. */
  commit(decree = this.mutations.length): this {
    while (this.committed < decree) {
      this.committed++;
      this.executor.onCommitted(this.committed);
    }
    return this.turn();
  }

  /** Mutations up to `decree` are written to the store. */
  apply(decree = this.committed): this {
    while (this.applied < decree) {
      this.write(this.mutations[this.applied]!);
      this.head.onApplied(this.applied);
      this.executor.kick();
    }
    return this.turn();
  }

  /** One page has been read. */
  fetched(index = 0): this {
    this.environment.fire(index);
    return this.turn();
  }

  get fetching(): number {
    return this.environment.timers.length;
  }

  /** Sends, executes, commits (and gathers no more); the result or the client's error. */
  now(operation: Operation, options: { connection?: number; db?: number } = {}): OperationResult {
    const id = this.send(operation, { connection: 99, ...options });
    this.turn();
    while (this.fetching > 0) this.fetched();
    while (this.committed < this.mutations.length) this.commit();
    const reply = this.replies.find((each) => each.id === id);
    invariant(reply !== undefined, 'an answer');
    return reply.value;
  }

  /** What the client of this request got; undefined: nothing yet. */
  answer(id: number): Reply | undefined {
    return this.replies.find((reply) => reply.id === id);
  }

  value(id: number): OperationResult | undefined {
    return this.answer(id)?.value;
  }

  /** Keys in the store, of one space. */
  stored(space = ''): string[] {
    const keys: string[] = [];
    const snapshot = this.store.snapshot();
    const range = { gte: toBuffer(everything.gte), lt: toBuffer(everything.lt), limit: 1e6, limitBytes: 1e9 };
    snapshot.range(range, (_error, entries) => {
      for (const { key } of entries ?? []) keys.push(fromBuffer(key));
    });
    this.turn();
    while (this.fetching > 0) this.fetched();
    snapshot.close();
    return keys.filter((key) => space === '' || key.charAt(9) === space);
  }
}

/** Replies alias rows. */
function copyOf(value: OperationResult): OperationResult {
  return Buffer.isBuffer(value) ? Buffer.from(value) : value;
}

export function nobodyListens(): Broker {
  return new Broker(new Interests(1, { tell: () => undefined, isConnected: () => false }));
}

/** Attempts at operations on a head state, one after the other, each a mutation of its own. */
export class Attempts {
  readonly primary = new Primary();
  readonly attempt = new Attempt(this.primary.head, this.primary.facts, nobodyListens(), new ScriptEngine(() => 0));
  readonly mutations: { readonly decree: number; readonly groups: readonly Group[] }[] = [];
  nowMs = START_MS;

  /** Runs `operation`; its writes become the next mutation. Pages that it misses are read in between. */
  run<T>(operation: (view: View) => T, db = 0): T {
    const gathering = { decree: this.mutations.length + 1, nextIndex: 0 };
    const pages = new Map();
    const hold = this.primary.head.beginFetch();
    try {
      for (;;) {
        const view = this.attempt.begin(db, this.nowMs, 7, gathering, pages);
        try {
          const value = operation(view);
          this.keep(gathering.decree);
          return value;
        } catch (thrown) {
          if (thrown instanceof ClientError) {
            this.attempt.keepExpiriesOnly();
            this.keep(gathering.decree);
          }
          if (!isMissing(thrown)) throw thrown;
          const { id, gte, lt, reverse, limit } = thrown.page;
          this.primary.store.range(
            { gte: toBuffer(gte), lt: toBuffer(lt), reverse, limit, limitBytes: 1e9 },
            (_error, entries) => {
              pages.set(id, { entries: entries ?? [], exhausted: (entries ?? []).length < limit });
            },
          );
          this.primary.turn();
        }
      }
    } finally {
      this.primary.head.endFetch(hold);
    }
  }

  private keep(decree: number): void {
    const groups: Group[] = [];
    if (this.attempt.commit(groups)) this.mutations.push({ decree, groups });
  }

  /** Everything so far is written to the store. */
  apply(): this {
    for (const { decree, groups } of this.mutations) {
      const writes = groups.flatMap((group) => group.writes.map(({ key, value }) => ({ key: toBuffer(key), value })));
      this.primary.store.write(writes, false, () => undefined);
      this.primary.turn();
      this.primary.head.onApplied(decree);
    }
    return this;
  }

  get last(): readonly Group[] {
    return this.mutations[this.mutations.length - 1]?.groups ?? [];
  }
}

function isMissing(
  thrown: unknown,
): thrown is { page: { id: string; gte: string; lt: string; reverse: boolean; limit: number } } {
  return typeof thrown === 'object' && thrown !== null && 'page' in thrown;
}

export const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
