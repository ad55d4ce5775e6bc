/**
 * What a log directory holds after a crash. All segments are read and checked first; only then is it decided what
 * damage means, since how far the log was synced is known from later records:
 *
 *   damage beyond what was synced   a tail lost with the power: cut there, and all later segments go
 *   damage before it                corruption: the segment is set aside under a name that says so, never deleted,
 *                                   and every stay that had begun by then is in doubt, as the damage may have
 *                                   held its last record. Later runs read that from the name, until the
 *                                   damage has been acknowledged. A missing segment and one that cannot be
 *                                   read count as damaged.
 *
 * Nothing beyond what was synced is relied on as it is found: a sync may have failed before the process ended, and then
 * the cache still shows bytes that are not on the disk and that no later sync would write. They are written again.
 *
 * Nobody else may use the directory: the caller holds a lock.
 */
import { OperatingError } from '../../shared/errors.js';
import type { Callback } from '../storage/store.js';
import { type LogFile, type LogFiles, writeAll } from './files.js';
import type { Position, RecoveredStay } from './log.js';
import { Pins, type Stay } from './pins.js';
import {
  checkRecord,
  decodeRecord,
  decodeSynced,
  isBeyond,
  SEGMENT_HEADER_BYTES,
  segmentName,
  segmentNumber,
} from './segment-format.js';
import { parseRange, type Range } from './segment-range.js';
import { isUnreadable, scanSegment } from './segment-reader.js';

export interface Recovery {
  readonly pins: Pins;
  readonly recovered: RecoveredStay[];
  readonly setAside: string[];
  /** The segment to go on with. */
  readonly nextNumber: number;
  /** As found; null: an older version wrote the log, or it is new. */
  readonly range: Range | null;
}

interface StaySummary {
  ballot: number;
  lastDecree: number;
  committed: number;
}

interface Found {
  readonly number: number;
  /** Null: the file is missing. */
  readonly bytes: number | null;
  /** How long it should be, from its size and from what later records say. */
  expected: number;
  /** Up to here all is well. */
  end: number;
  readonly stays: Map<Stay, StaySummary>;
}

/** Files of segments that were set aside end so; these are not reported any more. */
const ACKNOWLEDGED = /^(\d{16})\.damaged$/;
/** A set-aside segment: everything begun before segment `before` is in doubt. */
const ASIDE = /^(\d{16})\.damaged-before-(\d{16})$/;
/** What is written again at a time. */
const PAGE_BYTES = 256 * 1024;

/** `expected`: there are replicas whose log this is, so that an empty directory is a loss. */
export function recoverLog(files: LogFiles, expected: boolean, done: Callback<Recovery>): void {
  files.list((error, listed = []) => {
    if (error !== null) return done(error);
    new LogRecovery(files, listed, expected, done).run();
  });
}

/** Damage of these names is not reported again. */
export function acknowledgeDamage(files: LogFiles, setAside: readonly string[], done: Callback): void {
  const [name, ...rest] = setAside;
  if (name === undefined) return files.syncDirectory(done);
  files.rename(name, name.replace(ASIDE, '$1.damaged'), (error) => {
    if (error === null) acknowledgeDamage(files, rest, done);
    else done(error);
  });
}

class LogRecovery {
  readonly #files: LogFiles;
  readonly #done: Callback<Recovery>;
  readonly #pins = new Pins();
  readonly #found: Found[] = [];
  readonly #setAside: string[] = [];
  readonly #asideNumbers = new Set<number>();
  #inDoubtBefore = 0;
  #synced: Position = { segment: 0, offset: 0 };
  /** As found in the directory. */
  #range: Range | null = null;
  /** Which segments there should be; from the files that are there when nothing else says it. */
  #shouldBe: Range = { oldest: 1, newest: 0 };
  /** Older than what the range names: a crash came before they were removed. */
  readonly #unneeded: number[] = [];

  constructor(
    files: LogFiles,
    listed: readonly { name: string; bytes: number }[],
    expected: boolean,
    done: Callback<Recovery>,
  ) {
    this.#files = files;
    this.#done = done;
    const bytes = new Map<number, number>();
    for (const file of listed) {
      const aside = ASIDE.exec(file.name);
      if (aside !== null) {
        this.#setAside.push(file.name);
        this.#asideNumbers.add(Number(aside[1]));
        this.#inDoubtBefore = Math.max(this.#inDoubtBefore, Number(aside[2]));
      }
      const acknowledged = ACKNOWLEDGED.exec(file.name);
      if (acknowledged !== null) this.#asideNumbers.add(Number(acknowledged[1]));
      const number = segmentNumber(file.name);
      if (number !== null) bytes.set(number, file.bytes);
      this.#range = parseRange(file.name) ?? this.#range;
    }
    const numbers = [...bytes.keys()].sort((a, b) => a - b);
    const lost = expected && listed.length === 0;
    this.#shouldBe = this.#range ?? (lost ? { oldest: 1, newest: 1 } : { oldest: numbers[0] ?? 1, newest: 0 });
    const { oldest, newest } = this.#shouldBe;
    this.#unneeded.push(...numbers.filter((number) => number < oldest));
    if (newest >= oldest) this.#noteSynced({ segment: newest, offset: SEGMENT_HEADER_BYTES });
    for (let number = oldest; number <= Math.max(newest, numbers.at(-1) ?? -1); number++) {
      if (!bytes.has(number) && this.#asideNumbers.has(number)) continue;
      this.#found.push({
        number,
        bytes: bytes.get(number) ?? null,
        expected: bytes.get(number) ?? 0,
        end: 0,
        stays: new Map(),
      });
    }
  }

  run(): void {
    this.#inTurn(
      this.#found,
      (segment, next) => this.#scan(segment, next),
      () => this.#repair(),
    );
  }

  #scan(segment: Found, next: () => void): void {
    const { bytes } = segment;
    if (bytes === null) return next();
    const name = segmentName(segment.number);
    this.#withFile(name, next, (file, close) => {
      scanSegment(
        file,
        name,
        segment.number,
        bytes,
        (page, at, end) => {
          this.#note(segment, page, at, end);
          return true;
        },
        (error, scan) => {
          if (error !== null || scan === undefined) return this.#done(error ?? new Error('no scan'));
          const { header, end } = scan;
          segment.end = end;
          const previous = this.#found.find(({ number }) => number === segment.number - 1);
          if (header !== null && previous !== undefined)
            previous.expected = Math.max(previous.expected, header.previousBytes);
          if (end === bytes || header === null) return close();
          this.#lookBeyond(file, end, bytes, header.salt, close);
        },
      );
    });
  }

  #note(segment: Found, page: Buffer, at: number, end: number): void {
    const record = decodeRecord(page, at, end);
    const stay = this.#pins.stay(record.partition, record.stay);
    this.#noteSynced(decodeSynced(page, at));
    addTo(segment.stays, stay, { ballot: record.ballot, lastDecree: record.decree, committed: record.committed });
  }

  #noteSynced(synced: Position): void {
    if (isBeyond(synced, this.#synced)) this.#synced = synced;
  }

  /** Records behind the damage say how far the log was synced; nothing else of them is used. */
  #lookBeyond(file: LogFile, from: number, to: number, salt: number, done: () => void): void {
    const bytes = Buffer.allocUnsafe(to - from);
    file.read(bytes, from, (error, count = 0) => {
      if (error !== null) return isUnreadable(error) ? done() : this.#done(error);
      const rest = bytes.subarray(0, count);
      for (let at = 1; at < rest.length; at++) {
        if (checkRecord(rest, at, salt).state === 'record') this.#noteSynced(decodeSynced(rest, at));
      }
      done();
    });
  }

  /** Decides what the damage means and acts on it: see the top of this file. */
  #repair(): void {
    const last = this.#found.find(({ number }) => number === this.#synced.segment);
    if (last !== undefined) last.expected = Math.max(last.expected, this.#synced.offset);
    const cutAt = this.#found.findIndex((segment) => isDamaged(segment) && !this.#isCorrupt(segment));
    const kept = cutAt === -1 ? this.#found : this.#found.slice(0, cutAt + 1);
    const dropped = cutAt === -1 ? [] : this.#found.slice(cutAt + 1).reverse();
    const tail = cutAt === -1 ? undefined : this.#found[cutAt];
    // A segment of which nothing is left goes as a whole, so that its number is used again and leaves no gap.
    if (tail !== undefined && (tail.end === 0 || tail.bytes === null)) dropped.push(kept.pop()!);
    const { oldest, newest } = this.#shouldBe;
    const nextNumber = Math.max(kept.at(-1)?.number ?? 0, oldest - 1, newest, ...this.#asideNumbers) + 1;
    const corrupt = kept.filter((segment) => this.#isCorrupt(segment));

    // Later segments go before the cut is made: a crash in between must leave the damage to be seen again.
    this.#inTurn(
      [...this.#unneeded.map((number) => ({ number, bytes: 0 })), ...dropped],
      (segment, next) => this.#drop(segment, next),
      () => {
        this.#inTurn(
          corrupt,
          (segment, next) => this.#putAside(segment, nextNumber, next),
          () => {
            this.#files.syncDirectory((error) => {
              if (error !== null) return this.#done(error);
              const whole = kept.filter((segment) => !corrupt.includes(segment));
              this.#inTurn(
                whole,
                (segment, next) => this.#cutAndSync(segment, next),
                () => this.#finish(kept, corrupt, nextNumber),
              );
            });
          },
        );
      },
    );
  }

  #isCorrupt(segment: Found): boolean {
    return isDamaged(segment) && isBeyond(this.#synced, { segment: segment.number, offset: segment.end });
  }

  #drop(segment: Pick<Found, 'number' | 'bytes'>, next: () => void): void {
    if (segment.bytes === null) return next();
    this.#files.remove(segmentName(segment.number), this.#go(next));
  }

  #putAside(segment: Found, nextNumber: number, next: () => void): void {
    const name = `${segmentName(segment.number).slice(0, 16)}.damaged-before-${segmentName(nextNumber).slice(0, 16)}`;
    this.#setAside.push(name);
    this.#inDoubtBefore = nextNumber;
    if (segment.bytes !== null) return this.#files.rename(segmentName(segment.number), name, this.#go(next));
    this.#files.create(name, (error, file) => {
      if (error !== null || file === undefined) return this.#done(error ?? new Error('no file'));
      file.close(this.#go(next));
    });
  }

  /** What the crashed process had not synced is relied on from now on, so it is written again and synced before. */
  #cutAndSync(segment: Found, next: () => void): void {
    const unsynced = isBeyond({ segment: segment.number, offset: segment.end }, this.#synced);
    if (!unsynced && !isDamaged(segment)) return next();
    const from = segment.number === this.#synced.segment ? this.#synced.offset : 0;
    this.#withFile(segmentName(segment.number), next, (file, close) => {
      const sync = (): void => file.sync(this.#go(close));
      const rewrite = (): void => this.#rewrite(file, unsynced ? from : segment.end, segment.end, sync);
      if (isDamaged(segment)) file.truncate(segment.end, this.#go(rewrite));
      else rewrite();
    });
  }

  #rewrite(file: LogFile, from: number, to: number, done: () => void): void {
    if (from >= to) return done();
    const bytes = Buffer.allocUnsafe(Math.min(to - from, PAGE_BYTES));
    file.read(bytes, from, (error, count = 0) => {
      if (error !== null || count === 0) return this.#done(error ?? new Error('the log became shorter'));
      writeAll(
        file,
        bytes,
        0,
        count,
        from,
        this.#go(() => this.#rewrite(file, from + count, to, done)),
      );
    });
  }

  #finish(kept: readonly Found[], corrupt: readonly Found[], nextNumber: number): void {
    const all = new Map<Stay, StaySummary>();
    const inDoubt = new Set<Stay>();
    for (const segment of kept) {
      const decrees = new Map<Stay, number>();
      for (const [stay, summary] of segment.stays) {
        addTo(all, stay, summary);
        decrees.set(stay, summary.lastDecree);
        if (segment.number < this.#inDoubtBefore) inDoubt.add(stay);
      }
      if (!corrupt.includes(segment)) this.#pins.segments.push({ number: segment.number, bytes: segment.end, decrees });
    }
    const recovered = [...all].map(([stay, summary]) => ({
      partition: stay.partition,
      stay: stay.stay,
      ...summary,
      damaged: inDoubt.has(stay),
    }));
    this.#done(null, { pins: this.#pins, recovered, setAside: this.#setAside, nextNumber, range: this.#range });
  }

  #withFile(name: string, next: () => void, use: (file: LogFile, close: () => void) => void): void {
    this.#files.open(name, (error, file) => {
      if (error !== null || file === undefined) {
        return this.#done(
          new OperatingError('E_DISK', `log segment ${name} cannot be opened: ${error?.message}`, { cause: error }),
        );
      }
      use(file, () => file.close(this.#go(next)));
    });
  }

  #go(next: () => void): Callback {
    return (error) => {
      if (error !== null) return this.#done(error);
      next();
    };
  }

  #inTurn<T>(segments: readonly T[], act: (segment: T, next: () => void) => void, then: () => void, at = 0): void {
    if (at === segments.length) return then();
    act(segments[at]!, () => this.#inTurn(segments, act, then, at + 1));
  }
}

function addTo(stays: Map<Stay, StaySummary>, stay: Stay, seen: StaySummary): void {
  const summary = stays.get(stay);
  if (summary === undefined) {
    stays.set(stay, { ...seen });
    return;
  }
  summary.ballot = Math.max(summary.ballot, seen.ballot);
  summary.lastDecree = Math.max(summary.lastDecree, seen.lastDecree);
  summary.committed = Math.max(summary.committed, seen.committed);
}

function isDamaged(segment: Found): boolean {
  return segment.bytes === null || segment.end === 0 || segment.end < segment.expected;
}
