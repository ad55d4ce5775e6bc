/**
 * Applies committed mutations to the store, off the reply path, in large batches (design: section 5, step 6).
 * A batch carries the applied decree, the key counts and the sessions that it changed, so that the store is
 * at one decree at any instant. A synced batch now and then is the checkpoint below which the log may go.
 */
import { Packr } from 'msgpackr';
import type { Environment, Timer } from '../../shared/environment.js';
import { OperatingError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { Counts } from '../execution/counts.js';
import { decodeKeyspaces, KEYSPACES_KEY } from '../execution/head.js';
import { type Settings, settingsAfter } from '../execution/settings.js';
import type { Sessions } from '../execution/sessions.js';
import { decodeMutation, PARTITION_WIDE, type Annotation, type Group, type Mutation } from '../replication/mutation.js';
import type { Prepared } from '../replication/prepare-list.js';
import { encodeCount, metaKey, toBuffer } from '../storage/keys.js';
import type { Store, Write } from '../storage/store.js';

export const APPLIED_KEY = metaKey('applied');
const packr = new Packr({ useRecords: false });

/** The row that says where a store stands. */
export interface AppliedState {
  readonly decree: number;
  readonly stay: string;
  /** The highest ballot seen. */
  readonly ballot: number;
  /** The highest ballot under which something of its contents was logged: what recovery compares. */
  readonly contentBallot: number;
  readonly timeMs: number;
  readonly table: number;
}

/** Of this row, and with it of everything in the store; a reader of this version refuses higher ones. */
const STORE_FORMAT = 1;

export function encodeApplied(state: AppliedState): Buffer {
  return Buffer.from(
    packr.pack([STORE_FORMAT, state.decree, state.stay, state.ballot, state.timeMs, state.table, state.contentBallot]),
  );
}

/** Throws E_CORRUPT, or E_CONFIG where a newer version wrote the store. */
export function decodeApplied(bytes: Buffer): AppliedState {
  let row: unknown;
  try {
    row = packr.unpack(bytes);
  } catch (error) {
    throw new OperatingError('E_CORRUPT', 'the row that says where the store stands is damaged', { cause: error });
  }
  const [format, decree, stay, ballot, timeMs, table, contentBallot = ballot] = (
    Array.isArray(row) ? row : []
  ) as unknown[];
  if (typeof format === 'number' && format > STORE_FORMAT) {
    throw new OperatingError(
      'E_CONFIG',
      `a newer version wrote the store (format ${format}, this version knows ${STORE_FORMAT}); run that version or a newer one`,
    );
  }
  if (
    format !== STORE_FORMAT ||
    typeof decree !== 'number' ||
    typeof stay !== 'string' ||
    typeof ballot !== 'number' ||
    typeof timeMs !== 'number' ||
    typeof table !== 'number' ||
    typeof contentBallot !== 'number'
  )
    throw new OperatingError('E_CORRUPT', 'the row that says where the store stands is damaged');
  return { decree, stay, ballot, contentBallot, timeMs, table };
}

export interface ApplierHost {
  onApplied(decree: number): void;
  /** The store holds everything up to `decree` on stable storage. */
  onCheckpoint(decree: number): void;
  onAnnotation(annotation: Annotation, decree: number): void;
  fail(error: Error): void;
}

interface Batch {
  readonly bytes: number;
  readonly writes: Write[];
  readonly annotations: readonly Annotation[];
}

const CHECKPOINT_BYTES = 8 * 1024 * 1024;
const CHECKPOINT_MS = 5_000;
/** One batch at most, so that a backlog does not become one huge allocation. */
const BATCH_BYTES_MAX = 2 * 1024 * 1024;
/** ... and that handing it to LevelDB is a short stretch (2 to 3 µs a write). */
const BATCH_WRITES_MAX = 2_048;

export class Applier {
  readonly counts: Counts;
  readonly sessions: Sessions;
  /** Committed and not applied. */
  pendingBytes = 0;
  /** As of the newest batch handed to the store. */
  state: AppliedState;
  private readonly environment: Environment;
  private readonly store: Store;
  private readonly host: ApplierHost;
  private keyspaces: string[];
  settings: Settings;
  private queue: Prepared[] = [];
  private timer: Timer | null = null;
  private writing = false;
  private closed = false;
  private paused = false;
  private unsyncedBytes = 0;
  private checkpointMs: number;
  private checkpointed: number;
  private waiting: { decree: number; done: () => void }[] = [];
  private checkpoints: { stay: string | null; ballot: number; done: () => void }[] = [];
  /** In the store. */
  applied: number;

  constructor(
    environment: Environment,
    store: Store,
    host: ApplierHost,
    loaded: { state: AppliedState; counts: Counts; sessions: Sessions; keyspaces: string[]; settings: Settings },
  ) {
    this.environment = environment;
    this.store = store;
    this.host = host;
    this.state = loaded.state;
    this.counts = loaded.counts;
    this.sessions = loaded.sessions;
    this.keyspaces = loaded.keyspaces;
    this.settings = loaded.settings;
    this.checkpointMs = environment.monotonicMs();
    this.checkpointed = loaded.state.decree;
    this.applied = loaded.state.decree;
  }

  get currentKeyspaces(): readonly string[] {
    return this.keyspaces;
  }

  push(entry: Prepared): void {
    this.queue.push(entry);
    this.pendingBytes += entry.body.length;
    if (this.pendingBytes >= limits.applyBytes) this.applyNow();
    else this.applySoon();
  }

  private applySoon(): void {
    if (this.timer !== null || this.queue.length === 0 || this.closed) return;
    this.timer = this.environment.after(limits.applyDelayMs, () => {
      this.timer = null;
      this.applyNow();
    });
  }

  /** Calls back once everything pushed until now is applied. */
  whenApplied(done: () => void): void {
    const decree = this.queue[this.queue.length - 1]?.decree ?? this.state.decree;
    if (decree <= this.applied) done();
    else {
      this.waiting.push({ decree, done });
      this.applyNow();
    }
  }

  /** What is applied now (or later) is on stable storage, under a new stay if given, when it calls back. */
  checkpoint(stay: string | null, ballot: number, done: () => void): void {
    this.checkpoints.push({ stay, ballot, done });
    this.applyNow();
  }

  private writeCheckpoint(): void {
    const asked = this.checkpoints.splice(0);
    for (const { stay, ballot } of asked) {
      this.state = { ...this.state, ballot: Math.max(ballot, this.state.ballot), stay: stay ?? this.state.stay };
    }
    this.writing = true;
    this.store.write([{ key: toBuffer(APPLIED_KEY), value: encodeApplied(this.state) }], true, (error) => {
      this.writing = false;
      if (this.closed) return;
      if (error !== null) return this.host.fail(error);
      this.synced(this.applied);
      for (const { done } of asked) done();
      this.applyNow();
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
    if (this.writing || this.closed || this.paused) return;
    if (this.checkpoints.length > 0) return this.writeCheckpoint();
    if (this.queue.length === 0) return;
    this.timer?.cancel();
    this.timer = null;
    let batch: Batch;
    try {
      batch = this.gather();
    } catch (error) {
      this.host.fail(error as Error);
      return;
    }
    const { bytes, writes, annotations } = batch;
    this.unsyncedBytes += bytes;
    const sync =
      this.unsyncedBytes >= CHECKPOINT_BYTES ||
      (this.state.decree > this.checkpointed && this.environment.monotonicMs() - this.checkpointMs > CHECKPOINT_MS);
    const { decree } = this.state;
    this.writing = true;
    this.store.write(writes, sync, (error) => {
      this.writing = false;
      if (this.closed) return;
      if (error !== null) return this.host.fail(error);
      this.pendingBytes -= bytes;
      this.applied = decree;
      this.host.onApplied(decree);
      for (const annotation of annotations) this.host.onAnnotation(annotation, decree);
      if (sync) this.synced(decree);
      while (this.waiting.length > 0 && this.waiting[0]!.decree <= decree) this.waiting.shift()!.done();
      if (this.checkpoints.length > 0 || this.waiting.length > 0 || this.pendingBytes >= limits.applyBytes)
        this.applyNow();
      else this.applySoon();
    });
  }

  /**
   * Takes mutations off the queue and makes one batch of them: the newest write of each key, counts, sessions,
   * the applied decree. It ends after a mutation with an annotation, which wants to see the store exactly then.
   */
  private gather(): Batch {
    const newest = new Map<string, Buffer | null>();
    const counted = new Map<string, Set<number>>();
    let { decree, ballot, contentBallot, timeMs } = this.state;
    let bytes = 0;
    let taken = 0;
    let annotations: readonly Annotation[] = [];
    while (
      taken < this.queue.length &&
      bytes < BATCH_BYTES_MAX &&
      newest.size < BATCH_WRITES_MAX &&
      annotations.length === 0
    ) {
      const entry = this.queue[taken++]!;
      const mutation = (entry.decoded as Mutation | null) ?? decodeMutation(entry.body);
      entry.decoded = null;
      bytes += entry.body.length;
      decree = entry.decree;
      ballot = Math.max(ballot, entry.ballot);
      contentBallot = Math.max(contentBallot, entry.ballot);
      timeMs = Math.max(timeMs, mutation.timeMs);
      for (const group of mutation.groups) this.gatherGroup(group, newest, counted);
      for (const result of mutation.results) this.sessions.record(result, decree);
      for (const change of mutation.sessions) this.sessions.change(change, decree);
      ({ annotations } = mutation);
    }
    this.queue.splice(0, taken);
    this.state = { ...this.state, decree, ballot, contentBallot, timeMs };
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
    return { bytes, writes, annotations };
  }

  private gatherGroup(group: Group, newest: Map<string, Buffer | null>, counted: Map<string, Set<number>>): void {
    const { slot, keyspace, keysDelta, expiresDelta, bytesDelta } = group;
    for (const { key, value } of group.writes) {
      newest.set(key, value);
      if (slot === PARTITION_WIDE && key === KEYSPACES_KEY && value !== null) {
        this.keyspaces = decodeKeyspaces(value);
        this.counts.keepOnly(this.keyspaces);
      }
      if (slot === PARTITION_WIDE) this.settings = settingsAfter(this.settings, key, value);
    }
    if (slot === PARTITION_WIDE || (keysDelta === 0 && expiresDelta === 0 && bytesDelta === 0)) return;
    this.counts.of(keyspace).add(slot, keysDelta, expiresDelta, bytesDelta);
    let slots = counted.get(keyspace);
    if (slots === undefined) {
      slots = new Set();
      counted.set(keyspace, slots);
    }
    slots.add(slot);
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.timer = null;
    this.queue = [];
    this.waiting = [];
    this.checkpoints = [];
  }
}

function countKey(keyspace: string, slot: number): string {
  return `\x01${keyspace}C${String.fromCharCode(slot >>> 8, slot & 0xff)}`;
}
