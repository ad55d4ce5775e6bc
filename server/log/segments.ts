/**
 * The mutation log in segment files, with group commit: while one write is under way, appends gather, and the next
 * write takes them all. In mode `always` a write and its fdatasync are one step; otherwise syncs go on beside the
 * writes, one at a time. After the first error nothing more is written: what the operating system made of the pages of a failed
 * write or sync nobody knows, so trying again could acknowledge what is not there.
 */
import type { Environment, Timer } from '../../shared/environment.js';
import { OperatingError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { Callback } from '../storage/store.js';
import { type LogFile, type LogFiles, writeAll } from './files.js';
import type { FsyncMode, LogRecord, MutationLog, OpenedLog, Position } from './log.js';
import { type Pins, type Segment, noteDecree } from './pins.js';
import { readStay } from './read-stay.js';
import { RecordBatch } from './record-batch.js';
import { acknowledgeDamage, recoverLog } from './recovery.js';
import { SegmentRange } from './segment-range.js';
import { SEGMENT_HEADER_BYTES, type SegmentHeader, encodeSegmentHeader, segmentName } from './segment-format.js';

const SYNC_EVERY_MS = 1_000;

export interface LogOptions {
  /** A DirectoryFiles or a VirtualFiles. Nobody else may use them meanwhile: hold a lock (an open store does) before. */
  readonly files: LogFiles;
  readonly environment: Environment;
  readonly fsync: FsyncMode;
  /** A segment is closed when the next write would make it larger; absent: limits.segmentBytes. */
  readonly segmentBytes?: number;
  /** There are replicas whose log this is: an empty directory means that all of it was lost. */
  readonly expected?: boolean;
}

/** Recovers what is there and begins a new segment. Error E_DISK, or E_CONFIG when a newer version wrote it. */
export function openSegmentLog(options: LogOptions, done: Callback<OpenedLog>): void {
  recoverLog(options.files, options.expected === true, (error, recovery) => {
    if (error !== null || recovery === undefined) return done(asOperatingError('the log cannot be opened', error));
    const { pins, recovered, setAside, nextNumber, range } = recovery;
    const salt = Math.floor(options.environment.random() * 0x1_0000_0000);
    const previous = pins.segments.at(-1);
    const previousBytes = previous?.number === nextNumber - 1 ? previous.bytes : 0;
    beginSegment(options.files, { number: nextNumber, salt, previousBytes }, (failed, file) => {
      if (failed !== null || file === undefined)
        return done(asOperatingError('the log cannot begin a segment', failed));
      pins.segments.push({ number: nextNumber, bytes: SEGMENT_HEADER_BYTES, decrees: new Map() });
      const log = new SegmentLog(options, pins, salt, file, new SegmentRange(options.files, range));
      log.sync((unsynced) => {
        if (unsynced !== null) return done(unsynced);
        done(null, {
          log,
          recovered,
          setAside,
          acknowledgeDamage: (acknowledged) =>
            acknowledgeDamage(options.files, setAside, (unnamed) =>
              acknowledged(unnamed === null ? null : asOperatingError('damage cannot be acknowledged', unnamed)),
            ),
        });
      });
    });
  });
}

class SegmentLog implements MutationLog {
  readonly #files: LogFiles;
  readonly #environment: Environment;
  readonly #mode: FsyncMode;
  readonly #segmentBytes: number;
  readonly #pins: Pins;
  readonly #salt: number;
  readonly #range: SegmentRange;
  #failure: OperatingError | null = null;

  #gathering = new RecordBatch();
  #spare = new RecordBatch();
  /** The batch that is being written, or synced in mode `always`. */
  #inFlight: RecordBatch | null = null;
  #flushScheduled = false;
  #pendingBytes = 0;
  #appendedTotal = 0;
  #writtenTotal = 0;
  #onWritten: { readonly total: number; readonly run: () => void }[] = [];

  #file: LogFile;
  /** Files of earlier segments, to be synced and closed. */
  #earlierFiles: LogFile[] = [];
  #directoryDirty = true;
  #synced: Position = { segment: 0, offset: 0 };
  #syncing = false;
  #onSynced: { readonly total: number; readonly done: Callback }[] = [];
  #syncTimer: Timer | null = null;

  /** Oldest segment of each reading under way: from there on nothing is removed. */
  readonly #readings = new Set<number[]>();
  #removing = 0;
  #onRemoved: (() => void) | null = null;

  constructor(options: LogOptions, pins: Pins, salt: number, file: LogFile, range: SegmentRange) {
    this.#files = options.files;
    this.#environment = options.environment;
    this.#mode = options.fsync;
    this.#segmentBytes = options.segmentBytes ?? limits.segmentBytes;
    this.#pins = pins;
    this.#salt = salt;
    this.#file = file;
    this.#range = range;
  }

  get syncsWrites(): boolean {
    return this.#mode === 'always';
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  append(record: LogRecord, done: (error: Error | null) => void): void {
    if (this.#failure !== null) {
      const failure = this.#failure;
      return this.#environment.defer(() => done(failure));
    }
    const stay = this.#pins.stay(record.partition, record.stay);
    const bytes = this.#gathering.add(record, stay, this.#synced, this.#salt, done);
    this.#pendingBytes += bytes;
    this.#appendedTotal += bytes;
    if (this.#inFlight === null && !this.#flushScheduled) {
      this.#flushScheduled = true;
      this.#environment.defer(() => {
        this.#flushScheduled = false;
        this.#flush(true);
      });
    }
  }

  read(partition: number, name: string, from: number, each: (record: LogRecord) => boolean, done: Callback): void {
    this.#afterWritten(() => {
      if (this.#failure !== null) return done(this.#failure);
      const stay = this.#pins.find(partition, name);
      if (stay === undefined) return done(null);
      const segments = this.#pins.holding(stay, from).map(({ number, bytes }) => ({ number, bytes }));
      if (segments.length === 0) return done(null);
      const reading = [segments[0]!.number];
      this.#readings.add(reading);
      readStay(this.#files, segments, { partition, stay: name, from }, each, (error) => {
        this.#readings.delete(reading);
        this.#removeUnneeded();
        done(error === null ? null : asOperatingError('reading the log failed', error));
      });
    });
  }

  release(partition: number, stay: string, decree: number): void {
    this.#pins.release(partition, stay, decree);
    this.#removeUnneeded();
  }

  forget(partition: number, stay: string): void {
    this.#pins.forget(partition, stay);
    this.#removeUnneeded();
  }

  segments(): { count: number; bytes: number; pinned: { partition: number; stay: string; segment: number }[] } {
    const { segments } = this.#pins;
    return {
      count: segments.length,
      bytes: segments.reduce((sum, segment) => sum + segment.bytes, 0),
      pinned: this.#pins.pinned(),
    };
  }

  sync(done: Callback): void {
    this.#afterWritten(() => this.#syncWritten(done));
  }

  close(done: Callback): void {
    this.sync(() => {
      // Whether all of it was synced, the callers of append and sync know; closing ends the log either way.
      this.#fail(new OperatingError('E_CLOSED', 'the log is closed'));
      const files = [...this.#earlierFiles, this.#file];
      const next = (error: Error | null): void => {
        const file = files.shift();
        if (error !== null) return done(asOperatingError('the log cannot be closed', error));
        if (file !== undefined) return file.close(next);
        if (this.#removing === 0) done(null);
        else this.#onRemoved = () => done(null);
      };
      next(null);
    });
  }

  // --- writing ---

  #flush(atOnce = false): void {
    if (this.#failure !== null || this.#inFlight !== null || this.#gathering.length === 0) return;
    const batch = this.#gathering;
    this.#gathering = this.#spare;
    this.#inFlight = batch;
    const { bytes } = this.#pins.current();
    if (bytes > SEGMENT_HEADER_BYTES && bytes + batch.length > this.#segmentBytes)
      this.#rotate(() => this.#write(batch, 0));
    else this.#write(batch, atOnce ? this.#writeNow(batch) : 0);
  }

  /**
   * A small batch goes to the operating system on this thread: a trip through the thread pool costs several times as
   * much. Returns how far that went; whatever is left, or failed, takes the other way.
   */
  #writeNow(batch: RecordBatch): number {
    const file = this.#file;
    if (
      this.#mode === 'always' ||
      this.#syncing ||
      batch.length > limits.logWriteNowBytes ||
      file.writeNow === undefined
    )
      return 0;
    try {
      return file.writeNow(batch.bytes, 0, batch.length, this.#pins.current().bytes);
    } catch (error) {
      this.#fail(asOperatingError('writing the log failed', error instanceof Error ? error : null));
      return 0;
    }
  }

  #write(batch: RecordBatch, from: number): void {
    const segment = this.#pins.current();
    if (this.#failure !== null) return;
    writeAll(this.#file, batch.bytes, from, batch.length, segment.bytes, (error) => {
      if (this.#failure !== null) return;
      if (error !== null) return this.#fail(asOperatingError('writing the log failed', error));
      segment.bytes += batch.length;
      for (const [stay, decree] of batch.decrees) noteDecree(segment.decrees, stay, decree);
      this.#writtenTotal += batch.length;
      if (this.#mode === 'always') {
        this.#syncWritten((unsynced) => {
          if (unsynced === null) this.#acknowledge(batch);
        });
      } else {
        if (this.#mode === 'everysec') this.#syncLater();
        this.#acknowledge(batch);
      }
      this.#callWritten();
    });
  }

  #acknowledge(batch: RecordBatch): void {
    const { done, length } = batch;
    batch.clear();
    this.#spare = batch;
    this.#inFlight = null;
    this.#pendingBytes -= length;
    // The disk goes on while the callbacks run.
    this.#flush();
    for (const call of done) call(null);
  }

  #rotate(then: () => void): void {
    const previous = this.#pins.current();
    const number = previous.number + 1;
    beginSegment(this.#files, { number, salt: this.#salt, previousBytes: previous.bytes }, (error, file) => {
      if (this.#failure !== null) return;
      if (error !== null || file === undefined)
        return this.#fail(asOperatingError('the log cannot begin a segment', error));
      this.#earlierFiles.push(this.#file);
      this.#file = file;
      this.#directoryDirty = true;
      this.#pins.segments.push({ number, bytes: SEGMENT_HEADER_BYTES, decrees: new Map() });
      this.#removeUnneeded();
      then();
      // In every mode, so that only the newest segments can have a tail to lose.
      this.#syncWritten(() => undefined);
    });
  }

  /** When everything appended so far has been handed to the operating system, or the log failed. */
  #afterWritten(run: () => void): void {
    if (this.#failure !== null || this.#writtenTotal === this.#appendedTotal) return this.#environment.defer(run);
    this.#onWritten.push({ total: this.#appendedTotal, run });
  }

  #callWritten(): void {
    while (this.#onWritten.length > 0 && this.#onWritten[0]!.total <= this.#writtenTotal)
      this.#onWritten.shift()!.run();
  }

  // --- syncing ---

  #syncLater(): void {
    this.#syncTimer ??= this.#environment.after(SYNC_EVERY_MS, () => {
      this.#syncTimer = null;
      this.#syncWritten(() => undefined);
    });
  }

  /** Calls back when everything written so far is on stable storage; a failure has failed the log by then. */
  #syncWritten(done: Callback): void {
    if (this.#failure !== null) return done(this.#failure);
    this.#onSynced.push({ total: this.#writtenTotal, done });
    if (!this.#syncing) this.#startSync();
  }

  #startSync(): void {
    this.#syncing = true;
    const total = this.#writtenTotal;
    const { number, bytes } = this.#pins.current();
    const earlier = this.#earlierFiles;
    const current = this.#file;
    const directoryDirty = this.#directoryDirty;
    this.#earlierFiles = [];
    this.#directoryDirty = false;
    const steps: ((next: Callback) => void)[] = [];
    for (const file of earlier)
      steps.push(
        (next) => file.sync(next),
        (next) => file.close(next),
      );
    if (directoryDirty) steps.push((next) => this.#files.syncDirectory(next));
    steps.push((next) => current.sync(next));
    if (directoryDirty)
      steps.push((next) => this.#range.set({ oldest: this.#pins.segments[0]!.number, newest: number }, next));
    const next = (error: Error | null, at: number): void => {
      if (this.#failure !== null) return;
      if (error !== null) return this.#fail(asOperatingError('syncing the log failed', error));
      if (at < steps.length) return steps[at]!((failed) => next(failed, at + 1));
      this.#synced = { segment: number, offset: bytes };
      this.#syncing = false;
      const satisfied = this.#onSynced.filter((waiter) => waiter.total <= total);
      this.#onSynced = this.#onSynced.filter((waiter) => waiter.total > total);
      if (this.#onSynced.length > 0) this.#startSync();
      for (const { done } of satisfied) done(null);
    };
    next(null, 0);
  }

  // --- ending ---

  #removeUnneeded(): void {
    let keepFrom = Infinity;
    for (const [oldest] of this.#readings) keepFrom = Math.min(keepFrom, oldest!);
    const unneeded = this.#pins.takeUnneeded(keepFrom);
    if (unneeded.length > 0) this.#remove(unneeded);
  }

  /** That they are needed no more is on stable storage before they go: missing ones are a loss (see segment-range.ts). */
  #remove(segments: Segment[]): void {
    this.#removing++;
    const end: Callback = (error) => {
      this.#removing--;
      if (error !== null) this.#fail(asOperatingError('log segments cannot be removed', error));
      if (this.#removing === 0) this.#onRemoved?.();
    };
    const next = (error: Error | null): void => {
      const segment = segments.shift();
      if (error !== null || segment === undefined) return end(error);
      this.#files.remove(segmentName(segment.number), next);
    };
    this.#range.set({ oldest: this.#pins.segments[0]!.number, newest: this.#synced.segment }, (error) => {
      if (error === null) this.#files.syncDirectory(next);
      else end(error);
    });
  }

  #fail(failure: OperatingError): void {
    if (this.#failure !== null) return;
    this.#failure = failure;
    this.#syncTimer?.cancel();
    this.#pendingBytes = 0;
    const done = [...(this.#inFlight?.done ?? []), ...this.#gathering.done];
    const written = this.#onWritten.splice(0);
    const synced = this.#onSynced.splice(0);
    for (const call of done) call(failure);
    for (const { run } of written) run();
    for (const waiter of synced) waiter.done(failure);
  }
}

function beginSegment(files: LogFiles, begin: SegmentHeader, done: Callback<LogFile>): void {
  files.create(segmentName(begin.number), (error, file) => {
    if (error !== null || file === undefined) return done(error ?? new Error('no file'));
    const header = encodeSegmentHeader(begin);
    writeAll(file, header, 0, header.length, 0, (failed) => {
      if (failed !== null) done(failed);
      else done(null, file);
    });
  });
}

function asOperatingError(what: string, error: Error | null): OperatingError {
  if (error instanceof OperatingError) return error;
  return new OperatingError('E_DISK', `${what}: ${error?.message ?? 'no result'}`, { cause: error });
}
