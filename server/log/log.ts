/**
 * The mutation log of one server process: all its replicas append to one sequence of segments
 * (design: section 7). `segments.ts` keeps it in files. The simulator runs the same code on
 * `virtual-files.ts`, which can lose what was not synced and tear the tail.
 */
import type { Callback } from '../storage/store.js';

export type FsyncMode = 'always' | 'everysec' | 'no';

export interface LogRecord {
  readonly partition: number;
  /** A stay of a partition on this server: unique, so that an earlier stay's records are never replayed into a later one. */
  readonly stay: string;
  readonly ballot: number;
  readonly decree: number;
  /** What the writer knew to be committed when it logged this. */
  readonly committed: number;
  /** The mutation, encoded once: see server/replication/mutation.ts. */
  readonly body: Buffer;
}

export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export interface MutationLog {
  /**
   * Appends in order. `done` is called, in order, once the record is logged as the fsync mode asks
   * (`always`: after fdatasync; otherwise when the operating system has it). After one error every
   * later append fails too: nothing is retried on the same file.
   */
  append(record: LogRecord, done: (error: Error | null) => void): void;
  /** True where `done` is called after fdatasync. */
  readonly syncsWrites: boolean;
  /** Bytes appended and not yet called back: what back-pressure looks at. */
  readonly pendingBytes: number;
  /**
   * Records of this stay with decree >= `from`, in the order they were appended (a decree may come
   * again with a higher ballot), read back page by page from disk, including what was appended
   * before the call. `each` returns false to stop early. Bodies are copies.
   */
  read(partition: number, stay: string, from: number, each: (record: LogRecord) => boolean, done: Callback): void;
  /** The replica of this stay needs nothing at or below `decree` any more: it is in a synced store. */
  release(partition: number, stay: string, decree: number): void;
  /** This stay is over: its records pin nothing. */
  forget(partition: number, stay: string): void;
  /** Segments held, and the stays whose unreleased records pin the oldest ones (oldest first): who should flush. */
  segments(): { count: number; bytes: number; pinned: { partition: number; stay: string; segment: number }[] };
  sync(done: Callback): void;
  close(done: Callback): void;
}

/** What opening found: where each stay stands. Damage is reported, not thrown. */
export interface RecoveredStay {
  readonly partition: number;
  readonly stay: string;
  /** Highest ballot logged. */
  readonly ballot: number;
  /** Highest decree logged, under any ballot. */
  readonly lastDecree: number;
  readonly committed: number;
  /** True when a segment that held records of it before the synced offset is damaged or lost: it must learn again. */
  readonly damaged: boolean;
}

export interface OpenedLog {
  readonly log: MutationLog;
  /** Every stay with records in the log. Each pins its segments until it is released or forgotten. */
  readonly recovered: RecoveredStay[];
  /**
   * Segments found damaged or missing, by the names under which they were set aside. When there are any, a stay
   * that is not in `recovered` may have lost all its records: it must learn again too.
   */
  readonly setAside: string[];
  /**
   * To be called when every replica in doubt has been set aside, and before any learns again: until then each
   * run reports the same damage, afterwards none does. The damaged files stay.
   */
  acknowledgeDamage(done: Callback): void;
}
