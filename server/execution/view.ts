/**
 * What an operation sees: the head state of its partition at one instant, with its own writes on top.
 *
 * An operation is a synchronous function of a View. When it needs something that is not in memory,
 * the View throws (a private signal that operations must let through); the attempt is dropped with
 * all its writes, the missing thing is fetched off the event loop, and the operation runs again from
 * the start with the same time and randomness. So: no side effects but through the View, no clock,
 * no Math.random, and no catching of what one did not throw.
 *
 * A ClientError thrown by an operation drops its writes and becomes the client's error.
 */
import type { ClientError } from '../../shared/errors.js';
import type { KeyedHash } from '../../shared/keyed-hash.js';
import type { KeyEvent } from '../../shared/key-events.js';
import type { OperationArgument, OperationResult } from '../../shared/operations/operation.js';
import type { ScriptEngine } from '../scripting/engine.js';
import type { RowType } from '../storage/row.js';
import type { MemoryLimits } from './memory-limits.js';
import type { Broker } from './broker.js';

/** A live row's header. Treat as immutable; `put` a changed copy. */
export interface Row {
  readonly type: RowType;
  /** A number of Encoding: what OBJECT ENCODING says. */
  readonly encoding: number;
  /** 8 latin1 characters, (decree, index), never reused; given by the View to a new row. Prefix of its elements. */
  readonly version: string;
  /** Milliseconds since 1970; 0: never. */
  readonly expireAtMs: number;
  readonly modifiedAtMs: number;
  /** 8 latin1 characters like `version`: another one after every change of the row or of an element. What WATCH compares. */
  readonly modified: string;
  /** Cluster of origin; 0: here. */
  readonly origin: number;
  /** Seconds since 1970, coarse; updated in memory by reads. */
  readonly accessedAtS: number;
  /** Redis's logarithmic counter, 0 to 255. */
  readonly frequency: number;
  /** Elements of a collection; 0 for a string. */
  readonly size: number;
  /** Logical bytes of all elements, or of the string. */
  readonly bytes: number;
  /** True: elements live in element space, `value` is type-specific data; false: everything is in `value`. */
  readonly large: boolean;
  /** A string's bytes, or a packed small collection. */
  readonly value: Buffer;
}

/** What `put` needs; the View fills in the rest (version of a new row, what marks the change, times, origin, access data). */
export interface RowChange {
  readonly type: RowType;
  readonly encoding: number;
  readonly expireAtMs: number;
  readonly size: number;
  readonly bytes: number;
  readonly large: boolean;
  readonly value: Buffer;
  /** For a row that comes with access data of its own; otherwise it is accessed now. */
  readonly accessedAtS?: number;
  readonly frequency?: number;
}

export interface Element {
  readonly sortKey: Buffer;
  readonly value: Buffer;
}

/** Sort keys: bytewise order; null bounds are open. */
export interface ElementRange {
  readonly gte: Buffer | null;
  readonly lt: Buffer | null;
  readonly reverse: boolean;
  readonly limit: number;
}

/** What operations may know of their partition. */
export interface PartitionFacts {
  readonly id: number;
  readonly slots: { readonly from: number; readonly to: number };
  readonly multiKey: 'any' | 'slot';
  /** A write is synced to this server's disk before it is acknowledged. */
  readonly syncsWrites: boolean;
  readonly hash: KeyedHash;
}

export interface MemoryFacts {
  /** Logical bytes of all rows. */
  readonly bytes: number;
  readonly evicted: number;
  readonly limits: MemoryLimits;
}

/** Rows that a primary has removed of itself, since it began or was told to count anew. */
export interface Tallies {
  evicted: number;
  expired: number;
}

export interface View {
  /** Partition time: the same for every attempt, never before an earlier mutation's. */
  readonly nowMs: number;
  /** Whether that time has come. Who is told so is told so for good: the reply depends on a logged time. */
  isPast(timeMs: number): boolean;
  /** Uniform in [0, 1): the same sequence on every attempt. */
  random(): number;
  /** The database (0 to 15) that key functions below refer to. */
  readonly db: number;
  /** The same view on another database. */
  inDatabase(db: number): View;
  /**
   * Runs one operation of several (a transaction's, a script's). Its ClientError is returned, and what it had written is
   * undone; what the operations before it wrote stays.
   */
  part(run: () => OperationResult): OperationResult | ClientError;
  /** It is one operation of several: it must come to its end at once. */
  readonly isPart: boolean;

  /** The live row; null when absent or expired (an expired one is logged as deleted on the way). Touches access data, and tells of a miss, unless `peek`. */
  row(key: Buffer): Row | null;
  peek(key: Buffer): Row | null;
  /**
   * Writes the row's header. A row of that key keeps its version (and elements) when `previous` is the
   * row as looked up; with `previous` null what was there is replaced: its elements become garbage, in O(1).
   */
  put(key: Buffer, previous: Row | null, change: RowChange): Row;
  /** Removes the row and all its elements, in O(1). False when there was none. */
  remove(key: Buffer): boolean;

  /** Element space of a large row. */
  element(key: Buffer, row: Row, sortKey: Buffer): Buffer | null;
  /**
   * Several elements are about to be looked up: where reads are fetched, they come all at once, and the operation is
   * begun again once rather than for each of them.
   */
  expect(key: Buffer, row: Row, sortKeys: readonly Buffer[]): void;
  /** The same of rows that are not among the operation's keys. */
  expectRows(keys: readonly Buffer[]): void;
  putElement(key: Buffer, row: Row, sortKey: Buffer, value: Buffer): void;
  removeElement(key: Buffer, row: Row, sortKey: Buffer): void;
  elements(key: Buffer, row: Row, range: ElementRange): Element[];

  /**
   * Live keys in cursor order from position (slot, hash) on, at most about `count`: all keys of one
   * (slot, hash) are returned together. `next` is null at the end of the partition.
   */
  scan(from: ScanPosition, count: number): { keys: ScannedKey[]; next: ScanPosition | null };
  /** Live or not yet swept rows of the database, in O(1), and how many of them have an expiry. */
  count(): { keys: number; expires: number };
  /** A key chosen by `random`, null when the database is empty. */
  randomKey(): Buffer | null;
  /** O(1): a new keyspace id. */
  flush(): void;
  swapDatabases(a: number, b: number): void;
  /** Whether expired rows are looked for: of this primary, at once, not part of the mutation. */
  setActiveExpiry(on: boolean): void;
  readonly memory: MemoryFacts;
  readonly tallies: Tallies;
  setMemoryLimits(limits: MemoryLimits): void;
  /** An event about a key, told to those who listen once it is committed: shared/key-events.ts. */
  notify(event: KeyEvent, key: Buffer): void;
  /** A key that was looked up for reading is not there; `row` says so itself. */
  notifyMiss(key: Buffer): void;
  /** Which events are published, in the letters of notify-keyspace-events. Set, it is logged. */
  notifications: string;
  /** Who listens to this primary, and what this operation tells them. */
  readonly broker: Broker;
  /** Slots this partition owns. */
  readonly slots: { readonly from: number; readonly to: number };
  /** The table's multiKey. */
  readonly multiKey: 'any' | 'slot';
  /** A write is synced to this server's disk before it is acknowledged. */
  readonly syncsWrites: boolean;
  /** What belongs to the partition and to no database (scripts): replicated and persistent, by a name in lower case. */
  record(name: string): Buffer | null;
  /** Null removes it. */
  putRecord(name: string, value: Buffer | null): void;
  /** What scripts run in: of this primary, no part of the state. */
  readonly engine: ScriptEngine;
}

export interface ScanPosition {
  readonly slot: number;
  readonly hash: number;
}

export interface ScannedKey {
  readonly key: Buffer;
  readonly row: Row;
}

/** How an operation is executed. Throws ClientError; returns what the reply is made of. */
export type Execute = (view: View, args: readonly OperationArgument[]) => OperationResult;
