/**
 * Removes what nobody can see or nobody should see any more, a little at a time (design: section 4).
 *
 * Garbage (the elements of a replaced row, a flushed keyspace) is invisible: each replica deletes it by
 * itself, unlogged, its record last. Expired rows are visible: the primary finds them through the expiry
 * index and looks each one up, which logs its deletion.
 */
import type { Timer } from '../../shared/environment.js';
import type { Executor } from '../execution/executor.js';
import type { Head } from '../execution/head.js';
import { garbageRecords, keyAfter, parseExpiryKey, prefixRange, toBuffer } from '../storage/keys.js';
import type { Store } from '../storage/store.js';
import type { Partition } from './partition.js';

const EXPIRY_PAUSE_MS = 100;
const EXPIRED_PER_TURN = 400;
const GARBAGE_PAUSE_MS = 100;
const GARBAGE_PER_TURN = 1_000;
const GARBAGE_BYTES_PER_TURN = 4 * 1024 * 1024;

/**
 * How far the deletion of what a record names has come. What was deleted lies in LevelDB as marks until a compaction, and
 * to read past a million of them for the next page takes a second.
 */
interface Progress {
  readonly store: Store;
  readonly record: Buffer;
  readonly from: Buffer;
}

export class Sweeper {
  private readonly partition: Partition;
  private executor: Executor | null = null;
  private head: Head | null = null;
  private timer: Timer | null = null;
  private sweeping = false;
  private nextGarbageMs = 0;
  private progress: Progress | null = null;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  start(executor: Executor, head: Head): void {
    this.executor = executor;
    this.head = head;
    this.again(EXPIRY_PAUSE_MS);
  }

  stop(): void {
    this.executor = null;
    this.head = null;
    this.timer?.cancel();
    this.timer = null;
  }

  private again(pauseMs: number): void {
    this.timer?.cancel();
    this.timer = this.partition.host.environment.after(pauseMs, () => this.expire(0, 0));
  }

  /** One database after another; a pause at the end of a round unless much was found. */
  private expire(db: number, found: number): void {
    const { executor, head, partition } = this;
    if (executor === null || head === null) return;
    if (!head.activeExpiry) return this.again(EXPIRY_PAUSE_MS);
    const keys = head.keyspaces[db];
    if (keys === undefined) return this.again(found >= EXPIRED_PER_TURN ? 1 : EXPIRY_PAUSE_MS);
    const { replica, host } = partition;
    const refused = !replica.writable || host.worstDisk(replica.configuration) === 'hard';
    if (refused || head.counts.of(keys.id).expires <= 0) return this.expire(db + 1, found);
    const range = keys.expiredAt(Math.floor(partition.host.environment.wallMs()));
    partition.store.range(
      { gte: toBuffer(range.gte), lt: toBuffer(range.lt), limit: EXPIRED_PER_TURN, limitBytes: 1 << 20 },
      (error, entries) => {
        if (executor !== this.executor) return;
        if (error !== null || entries === undefined) return partition.fail(error ?? new Error('no entries'));
        let left = entries.length;
        if (left === 0) return this.expire(db + 1, found);
        for (const entry of entries) {
          const { key } = parseExpiryKey(entry.key);
          executor.internal(
            db,
            (view) => void view.peek(key),
            () => {
              left--;
              // what was found is still in the store until the deletions are applied: look again after a pause
              if (left === 0 && executor === this.executor)
                partition.applier.whenApplied(() => this.expire(db + 1, found + entries.length));
            },
          );
        }
      },
    );
  }

  tick(): void {
    const now = this.partition.host.environment.monotonicMs();
    if (this.sweeping || now < this.nextGarbageMs) return;
    this.nextGarbageMs = now + GARBAGE_PAUSE_MS;
    this.sweeping = true;
    const { store } = this.partition;
    const range = { gte: toBuffer(garbageRecords.gte), lt: toBuffer(garbageRecords.lt) };
    const done = (): void => {
      this.sweeping = false;
    };
    store.range({ ...range, limit: 1, limitBytes: 1 << 16, background: true }, (error, records) => {
      const record = records?.[0];
      if (error !== null || record === undefined) {
        this.nextGarbageMs = now + 10 * GARBAGE_PAUSE_MS;
        return done();
      }
      const under = prefixRange(record.value.latin1Slice(0, record.value.length));
      const { progress } = this;
      const goesOn = progress?.store === store && progress.record.equals(record.key);
      const page = {
        gte: goesOn ? progress.from : toBuffer(under.gte),
        lt: toBuffer(under.lt),
        limit: GARBAGE_PER_TURN,
        limitBytes: GARBAGE_BYTES_PER_TURN,
        background: true,
      };
      store.range(page, (failed, entries) => {
        if (failed !== null || entries === undefined || store !== this.partition.store) return done();
        const last = entries.at(-1);
        // nothing comes to lie there any more, so one walk from the beginning to the end finds all of it
        this.progress = last === undefined ? null : { store, record: record.key, from: keyAfter(last.key) };
        const writes =
          entries.length > 0 ? entries.map(({ key }) => ({ key, value: null })) : [{ key: record.key, value: null }];
        this.nextGarbageMs = now;
        store.write(writes, false, done);
      });
    });
  }
}
