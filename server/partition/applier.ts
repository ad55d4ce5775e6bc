/**
 * Applies committed mutations to the store, off the reply path, in large batches (design: section 5, step 6).
 * A batch carries the applied decree, the key counts and the sessions that it changed, so that the store is
 * at one decree at any instant. A synced batch now and then is the checkpoint below which the log may go.
 */
import { Packr } from 'msgpackr';
import type { Environment, Timer } from '../../shared/environment.js';
import { limits } from '../../shared/limits.js';
import { Counts } from '../execution/counts.js';
import { decodeKeyspaces, KEYSPACES_KEY } from '../execution/head.js';
import { Sessions } from '../execution/sessions.js';
import { decodeMutation, PARTITION_WIDE, type Annotation, type Mutation } from '../replication/mutation.js';
import type { Prepared } from '../replication/prepare-list.js';
import { encodeCount, metaKey, toBuffer } from '../storage/keys.js';
import type { Store, Write } from '../storage/store.js';

export const APPLIED_KEY = metaKey('applied');
const packr = new Packr({ useRecords: false });

/** The row that says where a store stands. */
export interface AppliedState {
  readonly decree: number;
  readonly stay: string;
  readonly ballot: number;
  readonly timeMs: number;
  readonly table: number;
}

export function encodeApplied(state: AppliedState): Buffer {
  return Buffer.from(packr.pack([1, state.decree, state.stay, state.ballot, state.timeMs, state.table]));
}

export function decodeApplied(bytes: Buffer): AppliedState {
  const [, decree, stay, ballot, timeMs, table] = packr.unpack(bytes) as [number, number, string, number, number, number];
  return { decree, stay, ballot, timeMs, table };
}

export interface ApplierHost {
  onApplied(decree: number): void;
  /** The store holds everything up to `decree` on stable storage. */
  onCheckpoint(decree: number): void;
  onAnnotation(annotation: Annotation, decree: number): void;
  fail(error: Error): void;
}

const CHECKPOINT_BYTES = 8 * 1024 * 1024;
const CHECKPOINT_MS = 5_000;
/** One batch at most, so that a backlog does not become one huge allocation. */
const BATCH_BYTES_MAX = 2 * 1024 * 1024;

export class Applier {
  readonly counts: Counts;
  readonly sessions: Sessions;
  /** Committed and not applied. */
  pendingBytes = 0;
  state: AppliedState;
  private readonly environment: Environment;
  private readonly store: Store;
  private readonly host: ApplierHost;
  private keyspaces: string[];
  private queue: Prepared[] = [];
  private timer: Timer | null = null;
  private writing = false;
  private closed = false;
  private paused = false;
  private unsyncedBytes = 0;
  private checkpointMs: number;
  private checkpointed: number;
  private idle: (() => void)[] = [];

  constructor(
    environment: Environment, store: Store, host: ApplierHost,
    loaded: { state: AppliedState; counts: Counts; sessions: Sessions; keyspaces: string[] },
  ) {
    this.environment = environment;
    this.store = store;
    this.host = host;
    this.state = loaded.state;
    this.counts = loaded.counts;
    this.sessions = loaded.sessions;
    this.keyspaces = loaded.keyspaces;
    this.checkpointMs = environment.monotonicMs();
    this.checkpointed = loaded.state.decree;
  }

  get applied(): number {
    return this.state.decree;
  }

  get currentKeyspaces(): readonly string[] {
    return this.keyspaces;
  }

  push(entry: Prepared): void {
    this.queue.push(entry);
    this.pendingBytes += entry.body.length;
    if (this.pendingBytes >= limits.applyBytes) this.applyNow();
    else if (this.timer === null) {
      this.timer = this.environment.after(limits.applyDelayMs, () => {
        this.timer = null;
        this.applyNow();
      });
    }
  }

  /** Calls back once everything pushed until now is applied. */
  whenIdle(done: () => void): void {
    if (this.queue.length === 0 && !this.writing) done();
    else {
      this.idle.push(done);
      this.applyNow();
    }
  }

  /** Everything applied, and the store synced, under a new stay if given. */
  checkpoint(stay: string | null, ballot: number, done: () => void): void {
    this.whenIdle(() => {
      if (this.closed) return;
      this.state = { ...this.state, ballot: Math.max(ballot, this.state.ballot), stay: stay ?? this.state.stay };
      this.writing = true;
      this.store.write([{ key: toBuffer(APPLIED_KEY), value: encodeApplied(this.state) }], true, (error) => {
        this.writing = false;
        if (this.closed) return;
        if (error !== null) return this.host.fail(error);
        this.synced(this.state.decree);
        done();
        if (this.queue.length > 0) this.applyNow();
      });
    });
  }

  private synced(decree: number): void {
    this.unsyncedBytes = 0;
    this.checkpointMs = this.environment.monotonicMs();
    this.checkpointed = decree;
    this.host.onCheckpoint(decree);
  }

  /** While paused nothing is applied (a learner's store is being replaced). */
  pause(yes: boolean): void {
    this.paused = yes;
    if (!yes) this.applyNow();
  }

  applyNow(): void {
    if (this.writing || this.closed || this.paused || this.queue.length === 0) return;
    this.timer?.cancel();
    this.timer = null;
    let bytes = 0;
    let taken = 0;
    while (taken < this.queue.length && bytes < BATCH_BYTES_MAX) bytes += this.queue[taken++]!.body.length;
    const batch = this.queue.splice(0, taken);
    let writes: Write[];
    const annotations: Annotation[] = [];
    try {
      writes = this.gather(batch, annotations);
    } catch (error) {
      this.host.fail(error as Error);
      return;
    }
    this.unsyncedBytes += bytes;
    const sync = this.unsyncedBytes >= CHECKPOINT_BYTES
      || (this.state.decree > this.checkpointed && this.environment.monotonicMs() - this.checkpointMs > CHECKPOINT_MS);
    const { decree } = this.state;
    this.writing = true;
    this.store.write(writes, sync, (error) => {
      this.writing = false;
      if (this.closed) return;
      if (error !== null) return this.host.fail(error);
      this.pendingBytes -= bytes;
      this.host.onApplied(decree);
      for (const annotation of annotations) this.host.onAnnotation(annotation, decree);
      if (sync) this.synced(decree);
      if (this.queue.length === 0) {
        const { idle } = this;
        this.idle = [];
        for (const done of idle) done();
      }
      if (this.queue.length > 0 && (this.pendingBytes >= limits.applyBytes || this.timer === null)) this.applyNow();
    });
  }

  /** The batch of store writes: the newest write of each key, counts, sessions, the applied decree. */
  private gather(batch: Prepared[], annotations: Annotation[]): Write[] {
    const newest = new Map<string, Buffer | null>();
    const counted = new Map<string, Set<number>>();
    let { timeMs } = this.state;
    let last: Prepared | null = null;
    for (const entry of batch) {
      const mutation = (entry.decoded as Mutation | null) ?? decodeMutation(entry.body);
      timeMs = Math.max(timeMs, mutation.timeMs);
      for (const group of mutation.groups) {
        if (group.slot === PARTITION_WIDE) {
          for (const { key, value } of group.writes) {
            if (key === KEYSPACES_KEY && value !== null) {
              this.keyspaces = decodeKeyspaces(value);
              this.counts.keepOnly(this.keyspaces);
            }
          }
        } else if (group.keysDelta !== 0 || group.expiresDelta !== 0) {
          this.counts.of(group.keyspace).add(group.slot, group.keysDelta, group.expiresDelta);
          let slots = counted.get(group.keyspace);
          if (slots === undefined) counted.set(group.keyspace, (slots = new Set()));
          slots.add(group.slot);
        }
        for (const { key, value } of group.writes) newest.set(key, value);
      }
      for (const result of mutation.results) this.sessions.record(result, 0);
      for (const annotation of mutation.annotations) annotations.push(annotation);
      last = entry;
      // a batch ends where something has to be looked at exactly as of that mutation
      if (mutation.annotations.length > 0) {
        this.queue.unshift(...batch.slice(batch.indexOf(entry) + 1));
        break;
      }
    }
    this.state = { ...this.state, decree: last?.decree ?? this.state.decree, ballot: Math.max(this.state.ballot, last?.ballot ?? 0), timeMs };
    const writes: Write[] = [];
    for (const [key, value] of newest) writes.push({ key: toBuffer(key), value });
    for (const [keyspace, slots] of counted) {
      const counts = this.counts.of(keyspace);
      for (const slot of slots) {
        writes.push({ key: toBuffer(countKey(keyspace, slot)), value: encodeCount(counts.ofSlot(slot)) });
      }
    }
    for (const { key, value } of this.sessions.takeDirty()) writes.push({ key: toBuffer(key), value });
    writes.push({ key: toBuffer(APPLIED_KEY), value: encodeApplied(this.state) });
    return writes;
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.timer = null;
    this.queue = [];
  }
}

function countKey(keyspace: string, slot: number): string {
  return `\x01${keyspace}C${String.fromCharCode(slot >>> 8, slot & 0xff)}`;
}
