/**
 * Reads the records of one segment, a page at a time, so that a walk through a large log neither fills memory nor
 * keeps the event loop for long. Memory follows what the file holds, never what a length field claims.
 */
import type { Callback } from '../storage/store.js';
import type { LogFile } from './files.js';
import { SEGMENT_HEADER_BYTES, type SegmentHeader, checkRecord, decodeSegmentHeader } from './segment-format.js';

const PAGE_BYTES = 256 * 1024;

/** `at` and `end` are offsets into `bytes`, which is overwritten after the call; `offset` is the record's place in the file. False: stop. */
export type EachRecord = (bytes: Buffer, at: number, end: number, offset: number) => boolean;

export interface SegmentScan {
  /** Null: it is damaged. */
  readonly header: SegmentHeader | null;
  /** Everything before this offset is well. Less than what was asked for: there is damage here. */
  readonly end: number;
}

/** Reads records up to offset `to` of the file, or until `each` has enough. */
export function scanSegment(
  file: LogFile,
  name: string,
  number: number,
  to: number,
  each: EachRecord,
  done: Callback<SegmentScan>,
): void {
  let bytes = Buffer.allocUnsafe(Math.min(to, PAGE_BYTES));
  let filled = 0;
  /** Of the file: where `bytes` begins. */
  let base = 0;
  let header: SegmentHeader | null = null;
  let at = 0;

  const readMore = (needed: number): void => {
    // Keep what is not parsed, at the beginning of a buffer that is large enough.
    if (at > 0 || needed > bytes.length) {
      const target = needed > bytes.length ? Buffer.allocUnsafe(needed) : bytes;
      bytes.copy(target, 0, at, filled);
      bytes = target;
      filled -= at;
      base += at;
      at = 0;
    }
    const room = Math.min(bytes.length, to - base);
    file.read(bytes.subarray(filled, room), base + filled, (error, count = 0) => {
      // A part of the disk that cannot be read any more is damage as any other.
      if (error !== null) return isUnreadable(error) ? done(null, { header, end: base + at }) : done(error);
      // The file is shorter than it should be: what is missing is damage.
      if (count === 0) return done(null, { header, end: base + at });
      filled += count;
      parse();
    });
  };

  const parse = (): void => {
    if (header === null) {
      if (filled < SEGMENT_HEADER_BYTES) {
        if (to < SEGMENT_HEADER_BYTES) return done(null, { header, end: 0 });
        return readMore(SEGMENT_HEADER_BYTES);
      }
      try {
        const decoded = decodeSegmentHeader(bytes.subarray(0, filled), name);
        if (decoded === null || decoded.number !== number) return done(null, { header, end: 0 });
        header = decoded;
      } catch (error) {
        return done(error as Error);
      }
      at = SEGMENT_HEADER_BYTES;
    }
    const page = bytes.subarray(0, filled);
    for (;;) {
      if (base + at === to) return done(null, { header, end: to });
      const parsed = checkRecord(page, at, header.salt);
      if (parsed.state === 'damaged') return done(null, { header, end: base + at });
      if (parsed.state === 'more') {
        if (base + at + parsed.bytes > to) return done(null, { header, end: base + at });
        return readMore(parsed.bytes);
      }
      const offset = base + at;
      const start = at;
      at = parsed.end;
      if (!each(page, start, parsed.end, offset)) return done(null, { header, end: to });
    }
  };

  if (to === 0) return done(null, { header, end: 0 });
  readMore(Math.min(to, SEGMENT_HEADER_BYTES));
}

/** A bad sector, as opposed to a process without descriptors or the like. */
export function isUnreadable(error: Error): boolean {
  return 'code' in error && error.code === 'EIO';
}
