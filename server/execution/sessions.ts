/**
 * Recognises repeated requests (docs/internals/exactly-once.md). A proxy repeats a request, under the same
 * numbers, until it is answered; so a write leaves its result here, by (session, connection, sequence), until
 * the client has it. The table is part of the head state: what changes it rides in mutations, so that every
 * replica, a learner and the next primary know it. Reads are remembered in memory only, and ride along when a
 * later write of the same connection commits: a repeated `GET x`, `SET x` pair gets its first answers.
 *
 * A session is opened by a mutation and named by its decree, and it ends by a mutation: what comes under an
 * unknown name is refused, so forgetting is always safe. Of a connection only what may still be repeated is
 * kept; when that is nothing, the connection is not in the table either. What an earlier connection to the
 * proxy may still bring is kept out by the session's fence, one number for everything that it sent.
 */
import { Packr } from 'msgpackr';
import { limits } from '../../shared/limits.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import type { SessionsSize } from '../../shared/wire/messages.js';
import type { KeptResult, SessionChange } from '../replication/mutation.js';
import { metaKey, prefixRange, toBuffer } from '../storage/keys.js';
import type { Entry } from '../storage/store.js';

export interface Kept {
  readonly status: number;
  readonly value: OperationResult;
  /** The mutation that carries it; 0: none yet (a read). */
  readonly decree: number;
  readonly bytes: number;
}

/** How much there is, in all sessions of a partition. */
type Size = { -readonly [name in keyof SessionsSize]: number };

/** Instead of a result that is too large to keep. */
export const RESULT_NOT_KEPT = -1;
const PREFIX = metaKey('session/');
const packr = new Packr({ useRecords: false });

export class ConnectionState {
  readonly session: SessionState;
  readonly connection: number;
  /** Everything up to here was answered, or given up: it is never executed (again). */
  floor = 0;
  readonly results = new Map<number, Kept>();
  /** Reads answered since the last write: their results ride in the next write's mutation. */
  unlogged: number[] = [];
  /** Requests that arrived behind one that waits for a fetch. */
  blocked: unknown[] | null = null;
  /** The first sequence that was refused: what is behind it is refused too, until it comes again. 0: none. */
  refused = 0;
  /** Some mutation carries results of it: the replicas have it. */
  logged = false;
  /** It is in the table no more. */
  dropped = false;
  /** What the answer before depends on. */
  private dependency = 0;
  private readonly size: Size;

  constructor(session: SessionState, connection: number, size: Size) {
    this.session = session;
    this.connection = connection;
    this.size = size;
  }

  raiseFloor(floor: number): void {
    if (floor <= this.floor) return;
    this.floor = floor;
    if (floor >= this.refused) this.refused = 0;
    // inserted in order of sequence: a connection's requests are executed in order
    for (const [sequence, kept] of this.results) {
      if (sequence > floor) break;
      this.forget(sequence, kept);
    }
    // a connection that only reads, and never waits for all its answers, must not gather them for ever
    if (this.unlogged.length > 2 * this.results.size) this.unlogged = this.unlogged.filter((read) => read > floor);
  }

  /**
   * Answers leave in the order of the requests: of a read and a later one that has its answer already, the first alone would
   * be made again when their connection breaks, and see what the later one did not.
   */
  inOrder(dependency: number): number {
    if (dependency > this.dependency) this.dependency = dependency;
    return this.dependency;
  }

  /** Refused and not executed: what is behind it must not overtake it. */
  refuse(sequence: number): void {
    if (sequence > this.floor && (this.refused === 0 || sequence < this.refused)) this.refused = sequence;
  }

  keep(sequence: number, kept: Kept): void {
    const before = this.results.get(sequence);
    this.results.set(sequence, kept);
    if (before === undefined) this.size.results++;
    this.size.bytes += kept.bytes - (before === undefined ? 0 : before.bytes);
  }

  clear(): void {
    for (const [sequence, kept] of this.results) this.forget(sequence, kept);
  }

  private forget(sequence: number, kept: Kept): void {
    this.results.delete(sequence);
    this.size.results--;
    this.size.bytes -= kept.bytes;
  }
}

export class SessionState {
  /** The decree of the mutation that opened it. */
  readonly id: number;
  /** Of the proxy, or native client. */
  readonly boot: string;
  /** Nothing sent under an id up to this is executed any more. */
  fence = 0;
  readonly connections = new Map<number, ConnectionState>();
  ended = false;
  // What only the primary keeps, and nobody inherits:
  /** Its process has said where its requests begin again, over the connection that it has now. */
  settled = false;
  /** When its process was last seen, by the primary's monotonic clock. */
  seenMs = 0;
  private readonly size: Size;

  constructor(id: number, boot: string, size: Size) {
    this.id = id;
    this.boot = boot;
    this.size = size;
  }

  connection(number: number): ConnectionState {
    let state = this.connections.get(number);
    if (state === undefined) {
      state = new ConnectionState(this, number, this.size);
      this.connections.set(number, state);
      this.size.connections++;
    }
    return state;
  }

  drop(state: ConnectionState): void {
    state.clear();
    state.dropped = true;
    if (this.connections.delete(state.connection)) this.size.connections--;
  }
}

export class Sessions {
  readonly size: Size = { sessions: 0, connections: 0, results: 0, bytes: 0 };
  private readonly sessions = new Map<number, SessionState>();
  private readonly byBoot = new Map<string, SessionState>();
  private last: SessionState | undefined;
  /** What changed since it was last persisted; null when nobody asks. */
  private readonly dirty: { connections: Set<ConnectionState>; sessions: Set<SessionState>; gone: Set<string> } | null;

  constructor(options: { persistent: boolean }) {
    this.dirty = options.persistent ? { connections: new Set(), sessions: new Set(), gone: new Set() } : null;
  }

  get(id: number): SessionState | undefined {
    const { last } = this;
    if (last !== undefined && last.id === id) return last;
    const found = this.sessions.get(id);
    if (found !== undefined) this.last = found;
    return found;
  }

  ofBoot(boot: string): SessionState | undefined {
    return this.byBoot.get(boot);
  }

  all(): Iterable<SessionState> {
    return this.sessions.values();
  }

  /** Nothing more is executed until something has been acknowledged: the table never evicts. */
  get full(): boolean {
    const { size } = this;
    return (
      size.results >= limits.keptResults ||
      size.bytes >= limits.keptResultsBytes ||
      size.connections >= limits.sessionConnections
    );
  }

  // ---- from mutations --------------------------------------------------------------------------------

  record(kept: KeptResult, decree: number): void {
    const [id, connection, sequence, acknowledged, status, value] = kept;
    const session = this.get(id);
    // ended before this mutation: nothing of it will be repeated
    if (session === undefined) return;
    const state = session.connection(connection);
    state.logged = true;
    state.raiseFloor(acknowledged);
    const result = value as OperationResult;
    if (sequence > state.floor) state.keep(sequence, { status, value: result, decree, bytes: weight(result) });
    this.dirty?.connections.add(state);
  }

  change(change: SessionChange, decree: number): void {
    if (change[0] === 'open') this.open(decree, change[1]);
    else if (change[0] === 'end') this.end(change[1]);
    else this.settle(change[1], change[2], change[3]);
  }

  private open(id: number, boot: string): SessionState {
    const session = new SessionState(id, boot, this.size);
    this.sessions.set(id, session);
    this.byBoot.set(boot, session);
    this.size.sessions = this.sessions.size;
    this.dirty?.sessions.add(session);
    return session;
  }

  /** Returns those of `answered` (connection, sequence pairs) that replicas know of. */
  private settle(id: number, fence: number, answered: readonly number[]): number[] {
    const logged: number[] = [];
    const session = this.get(id);
    if (session === undefined) return logged;
    if (fence > session.fence) {
      session.fence = fence;
      this.dirty?.sessions.add(session);
    }
    for (let i = 0; i + 1 < answered.length; i += 2) {
      const state = session.connections.get(answered[i]!);
      if (state === undefined) continue;
      if (state.logged) logged.push(state.connection, answered[i + 1]!);
      state.raiseFloor(answered[i + 1]!);
      if (state.results.size === 0 && state.blocked === null) this.drop(state);
      else this.dirty?.connections.add(state);
    }
    return logged;
  }

  private end(id: number): void {
    const session = this.get(id);
    if (session === undefined) return;
    for (const state of session.connections.values()) this.drop(state);
    session.ended = true;
    this.sessions.delete(id);
    if (this.byBoot.get(session.boot) === session) this.byBoot.delete(session.boot);
    this.last = undefined;
    this.size.sessions = this.sessions.size;
    this.dirty?.sessions.delete(session);
    this.dirty?.gone.add(rowOf(session));
  }

  private drop(state: ConnectionState): void {
    state.session.drop(state);
    this.dirty?.connections.delete(state);
    this.dirty?.gone.add(rowOfConnection(state));
  }

  // ---- at the primary, before the mutation -----------------------------------------------------------

  /** Makes a change in the head state; what of it replicas must do too goes into the mutation. Null: nothing. */
  changeFirst(change: SessionChange, decree: number): SessionChange | null {
    if (change[0] !== 'settle') {
      this.change(change, decree);
      return change;
    }
    const [what, id, fence, answered] = change;
    const before = this.get(id)?.fence ?? 0;
    const logged = this.settle(id, fence, answered);
    return fence > before || logged.length > 0 ? [what, id, fence, logged] : null;
  }

  // ---- in the store ----------------------------------------------------------------------------------

  /** The store's rows of what changed since the last call, deletions first. */
  takeDirty(): { key: string; value: Buffer | null }[] {
    const { dirty } = this;
    if (dirty === null) return [];
    const rows: { key: string; value: Buffer | null }[] = [];
    for (const key of dirty.gone) rows.push({ key, value: null });
    // what pack returns shares a pool
    for (const session of dirty.sessions)
      rows.push({ key: rowOf(session), value: Buffer.from(packr.pack([session.boot, session.fence])) });
    for (const state of dirty.connections) {
      const results = [...state.results].map(([sequence, kept]) => [sequence, kept.status, kept.value]);
      rows.push({ key: rowOfConnection(state), value: Buffer.from(packr.pack([state.floor, results])) });
    }
    dirty.gone.clear();
    dirty.sessions.clear();
    dirty.connections.clear();
    return rows;
  }

  /** A row of the store, as takeDirty made it; a session's own row comes before those of its connections. */
  load(entry: Entry): void {
    const [id, connection] = entry.key.latin1Slice(PREFIX.length).split('/').map(Number) as [number, number?];
    if (connection === undefined) {
      const [boot, fence] = packr.unpack(entry.value) as [string, number];
      this.open(id, boot).fence = fence;
      this.dirty?.sessions.clear();
      return;
    }
    const state = this.get(id)?.connection(connection);
    if (state === undefined) return;
    const [floor, results] = packr.unpack(entry.value) as [number, [number, number, OperationResult][]];
    state.floor = floor;
    state.logged = true;
    // applied, so committed: which mutation it was no longer matters
    for (const [sequence, status, value] of results)
      state.keep(sequence, { status, value, decree: 1, bytes: weight(value) });
  }

  copy(): Sessions {
    const copy = new Sessions({ persistent: false });
    for (const session of this.sessions.values()) {
      const twin = copy.open(session.id, session.boot);
      twin.fence = session.fence;
      for (const state of session.connections.values()) {
        const connection = twin.connection(state.connection);
        connection.floor = state.floor;
        connection.logged = true;
        for (const [sequence, kept] of state.results) connection.keep(sequence, kept);
      }
    }
    return copy;
  }
}

export const sessionRows = { gte: toBuffer(prefixRange(PREFIX).gte), lt: toBuffer(prefixRange(PREFIX).lt) };

function rowOf(session: SessionState): string {
  return `${PREFIX}${session.id}`;
}

function rowOfConnection({ session, connection }: ConnectionState): string {
  return `${PREFIX}${session.id}/${connection}`;
}

/** About what a result takes, beside its place in the table; not counted further once that is too much to keep. */
export function weight(value: OperationResult): number {
  if (Buffer.isBuffer(value) || typeof value === 'string') return value.length;
  if (!Array.isArray(value)) return 0;
  let bytes = 0;
  for (const item of value as readonly OperationResult[]) {
    bytes += 8 + weight(item);
    if (bytes > limits.keptResultBytes) break;
  }
  return bytes;
}
