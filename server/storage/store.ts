/**
 * The ordered store under one replica. `level.ts` keeps it in LevelDB, `memory.ts` is its in-memory
 * twin for tests and the simulator; one conformance suite runs on both. Keys and values are bytes;
 * order is bytewise. Everything asynchronous calls back exactly once; an error is never followed by
 * further use of the store (a replica whose store failed leaves and learns again).
 */
export type Callback<T = void> = (error: Error | null, value?: T) => void;

/** A put, or a delete where `value` is null. Key and value must not be changed afterwards. */
export interface Write {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

export interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Bounds are bytewise; `lt` exclusive, `gte` inclusive. */
export interface Range {
  readonly gte: Buffer;
  readonly lt: Buffer;
  readonly reverse?: boolean;
  /** At most this many entries ... */
  readonly limit: number;
  /** ... and stop after the entry that brings key and value bytes to this. */
  readonly limitBytes: number;
  /** A long walk that nobody waits for (learning, sweeping): behind other jobs, and past the block cache. */
  readonly background?: boolean;
}

export interface Store {
  /** Whether `getSync` is as cheap as it says; where not, `getMany` is better (see tables.ts). */
  readonly cheapReads: boolean;
  /** A point read on the calling thread; undefined when absent. Microseconds when cached. Throws on a broken store. */
  getSync(key: Buffer): Buffer | undefined;
  /** Off the event loop. Results in the order of `keys`. */
  getMany(keys: readonly Buffer[], done: Callback<(Buffer | undefined)[]>): void;
  /** Off the event loop: one page of a range as of the moment of the call. Shorter than both limits: there is no more. */
  range(range: Range, done: Callback<Entry[]>): void;
  /** Atomic; writes take effect in the order of the calls, and are readable when they have called back. `sync`: on stable storage (everything written before it too) when it calls back. */
  write(writes: readonly Write[], sync: boolean, done: Callback): void;
  /** The state as of now, readable while writes go on. Must be closed. */
  snapshot(): Snapshot;
  /** Waits for what is under way, then closes. */
  close(done: Callback): void;
}

export interface Snapshot {
  range(range: Range, done: Callback<Entry[]>): void;
  get(key: Buffer, done: Callback<Buffer | undefined>): void;
  close(): void;
}

/** The stores of one server, by folder name (`partition-12`, `partition-12.learning`). */
export interface StoreFactory {
  /** Creates it when absent. Error E_LOCKED: another process has it; E_CORRUPT: it cannot be opened. */
  open(name: string, done: Callback<Store>): void;
  /** Names of the stores that exist. */
  list(done: Callback<string[]>): void;
  /** Removes a closed store; fine when absent. */
  destroy(name: string, done: Callback): void;
  /** Atomic and durable: `to` (destroyed if present) is replaced by `from`; both closed. A crash leaves the old or the new. */
  replace(from: string, to: string, done: Callback): void;
  /** Sets a damaged store aside under a name that says so; never deletes it. */
  setAside(name: string, reason: string, done: Callback): void;
}
