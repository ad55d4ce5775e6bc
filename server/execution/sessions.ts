/**
 * Recognises repeated requests. A proxy repeats a request, under the same numbers, until it is answered;
 * so a write leaves its result here, by (session, connection, sequence), until the connection says that
 * the client has it. The results ride in the mutation that the write made, so that every replica, a
 * learner and the next primary know them. Reads are remembered in memory only, and ride along when a later
 * write of the same connection commits: a repeated `GET x`, `SET x` pair gets its first answers.
 */
import { Packr } from 'msgpackr';
import type { OperationResult } from '../../shared/operations/operation.js';
import type { KeptResult } from '../replication/mutation.js';
import { metaKey, prefixRange, toBuffer } from '../storage/keys.js';
import type { Entry } from '../storage/store.js';

export interface Kept {
  readonly status: number;
  readonly value: OperationResult;
  /** The mutation that carries it; 0: none yet (a read). */
  readonly decree: number;
}

/** Instead of a result that is too large to keep. */
export const RESULT_NOT_KEPT = -1;
const KEPT_BYTES_MAX = 16 * 1024;
const PREFIX = metaKey('session/');
const packr = new Packr({ useRecords: false });

export class ConnectionState {
  readonly session: string;
  readonly connection: number;
  /** Everything up to here was answered, or given up: it is never executed (again). */
  floor = 0;
  readonly results = new Map<number, Kept>();
  /** Reads answered since the last write: their results ride in the next write's mutation. */
  unlogged: number[] = [];
  /** Requests that arrived behind one that waits for a fetch. */
  blocked: unknown[] | null = null;

  constructor(session: string, connection: number) {
    this.session = session;
    this.connection = connection;
  }

  raiseFloor(floor: number): void {
    if (floor <= this.floor) return;
    this.floor = floor;
    // inserted in order of sequence, but for the few that waited for a fetch
    for (const sequence of this.results.keys()) {
      if (sequence > floor) break;
      this.results.delete(sequence);
    }
    // a connection that only reads, and never waits for all its answers, must not gather them for ever
    if (this.unlogged.length > 2 * this.results.size) this.unlogged = this.unlogged.filter((read) => read > floor);
  }
}

export class Sessions {
  private readonly sessions = new Map<string, Map<number, ConnectionState>>();
  private lastSession = '';
  private lastConnections: Map<number, ConnectionState> | null = null;
  /** Connections changed since they were last persisted; null when nobody asks. */
  private dirty: Set<ConnectionState> | null;

  constructor(options: { persistent: boolean }) {
    this.dirty = options.persistent ? new Set() : null;
  }

  connection(session: string, connection: number): ConnectionState {
    let connections = this.lastConnections;
    if (connections === null || session !== this.lastSession) {
      connections = this.sessions.get(session) ?? null;
      if (connections === null) {
        connections = new Map();
        this.sessions.set(session, connections);
      }
      this.lastSession = session;
      this.lastConnections = connections;
    }
    let state = connections.get(connection);
    if (state === undefined) {
      state = new ConnectionState(session, connection);
      connections.set(connection, state);
    }
    return state;
  }

  /** From a mutation. */
  record(kept: KeptResult, decree: number): void {
    const [session, connection, sequence, acknowledged, status, value] = kept;
    const state = this.connection(session, connection);
    state.raiseFloor(acknowledged);
    if (sequence > state.floor) state.results.set(sequence, { status, value: value as OperationResult, decree });
    this.dirty?.add(state);
  }

  /** The store's rows of what changed since the last call: key, value pairs. */
  takeDirty(): { key: string; value: Buffer }[] {
    if (this.dirty === null || this.dirty.size === 0) return [];
    const rows: { key: string; value: Buffer }[] = [];
    for (const state of this.dirty) {
      const results = [...state.results].map(([sequence, kept]) => [sequence, kept.status, kept.value]);
      // what pack returns shares a pool
      const value = Buffer.from(packr.pack([state.floor, results]));
      rows.push({ key: `${PREFIX}${state.session}/${state.connection}`, value });
    }
    this.dirty.clear();
    return rows;
  }

  /** A row of the store, as takeDirty made it. */
  load(entry: Entry): void {
    const name = entry.key.latin1Slice(PREFIX.length);
    const slash = name.lastIndexOf('/');
    const state = this.connection(name.slice(0, slash), Number(name.slice(slash + 1)));
    const [floor, results] = packr.unpack(entry.value) as [number, [number, number, OperationResult][]];
    state.floor = floor;
    // applied, so committed: which mutation it was no longer matters
    for (const [sequence, status, value] of results) state.results.set(sequence, { status, value, decree: 1 });
  }

  copy(): Sessions {
    const copy = new Sessions({ persistent: false });
    for (const connections of this.sessions.values()) {
      for (const state of connections.values()) {
        const twin = copy.connection(state.session, state.connection);
        twin.floor = state.floor;
        for (const [sequence, kept] of state.results) twin.results.set(sequence, kept);
      }
    }
    return copy;
  }

  /** Sessions whose process is gone for good are forgotten; returns the keys of their rows. */
  forget(isGone: (session: string) => boolean): string[] {
    const keys: string[] = [];
    for (const [session, connections] of this.sessions) {
      if (!isGone(session)) continue;
      for (const state of connections.values()) {
        keys.push(`${PREFIX}${session}/${state.connection}`);
        this.dirty?.delete(state);
      }
      this.sessions.delete(session);
      this.lastConnections = null;
    }
    return keys;
  }
}

export const sessionRows = { gte: toBuffer(prefixRange(PREFIX).gte), lt: toBuffer(prefixRange(PREFIX).lt) };

/** The result as it is kept: large ones are not. */
export function keep(value: OperationResult): OperationResult | undefined {
  if (Buffer.isBuffer(value) || typeof value === 'string') return value.length <= KEPT_BYTES_MAX ? value : undefined;
  if (Array.isArray(value)) {
    let bytes = 0;
    for (const item of value as readonly OperationResult[]) {
      if (Array.isArray(item)) return undefined;
      bytes += Buffer.isBuffer(item) || typeof item === 'string' ? item.length + 8 : 8;
      if (bytes > KEPT_BYTES_MAX) return undefined;
    }
  }
  return value;
}
