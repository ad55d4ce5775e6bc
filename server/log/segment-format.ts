/**
 * The bytes of a log segment. Numbers are big endian.
 *
 *   segment   'TULPARLG'  format(4)  minimumReader(4)  number(6)  salt(4)  previousBytes(6)  crc(4)   then records
 *   record    length(4)  crc(4)  synced segment(6)  synced offset(4)  partition(4)  ballot(6)  decree(6)
 *             committed(6)  stay length(1)  stay  body
 *
 * `length` counts what follows the checksum, and the checksum covers that, begun with the salt. The salt is drawn by
 * each run of the process: bytes that look like a record (a user may store a log as a value, a disk may hand out
 * old blocks) do not pass for one. `previousBytes` is how long the segment before it became: a tail that is missing
 * exactly from a record's end on is noticed too. `synced` is how far the log was certainly on stable storage when the record was
 * written: damage before that is corruption, damage after it a tail that was lost with the power.
 */
import { crc32 } from 'node:zlib';
import { OperatingError, invariant } from '../../shared/errors.js';
import type { LogRecord, Position } from './log.js';

const MAGIC = 'TULPARLG';
const FORMAT = 1;
/** The least format number a reader must know to read what we write. */
const MINIMUM_READER = 1;

export const SEGMENT_HEADER_BYTES = 36;
/** A record without its stay and body. */
const FIXED_BYTES = 41;
/** What comes before that which `length` counts. */
const PREFIX_BYTES = 8;
const MINIMUM_LENGTH = FIXED_BYTES - PREFIX_BYTES;
/** What a record's `length` can be at most: no header makes a reader ask for more. */
const MAXIMUM_LENGTH = 0x7fff_0000;

export interface SegmentHeader {
  readonly number: number;
  readonly salt: number;
  /** Of the segment numbered one less; 0 when there was none. */
  readonly previousBytes: number;
}

export function segmentName(number: number): string {
  return `${String(number).padStart(16, '0')}.log`;
}

/** The number of a segment file, null for other files. */
export function segmentNumber(name: string): number | null {
  return /^\d{16}\.log$/.test(name) ? Number(name.slice(0, 16)) : null;
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.latin1Write(MAGIC, 0, 8);
  bytes.writeUInt32BE(FORMAT, 8);
  bytes.writeUInt32BE(MINIMUM_READER, 12);
  bytes.writeUIntBE(header.number, 16, 6);
  bytes.writeUInt32BE(header.salt, 22);
  bytes.writeUIntBE(header.previousBytes, 26, 6);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 32)), 32);
  return bytes;
}

/** Null: not a segment's header, or damaged. Throws when a newer version wrote it. */
export function decodeSegmentHeader(bytes: Buffer, name: string): SegmentHeader | null {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.latin1Slice(0, 8) !== MAGIC) return null;
  if (bytes.readUInt32BE(32) !== crc32(bytes.subarray(0, 32))) return null;
  if (bytes.readUInt32BE(12) > FORMAT) {
    throw new OperatingError(
      'E_CONFIG',
      `log segment ${name} was written by a newer version (format ${bytes.readUInt32BE(8)}); run that version or a newer one`,
    );
  }
  return { number: bytes.readUIntBE(16, 6), salt: bytes.readUInt32BE(22), previousBytes: bytes.readUIntBE(26, 6) };
}

export function recordBytes(record: LogRecord): number {
  return FIXED_BYTES + record.stay.length + record.body.length;
}

/** Writes `record` into `bytes` at `at`; there must be room for recordBytes(record). */
export function encodeRecord(bytes: Buffer, at: number, record: LogRecord, synced: Position, salt: number): void {
  const { stay, body } = record;
  invariant(stay.length <= 255, 'the name of a stay has at most 255 characters');
  const length = MINIMUM_LENGTH + stay.length + body.length;
  invariant(length <= MAXIMUM_LENGTH, 'a log record is below 2 GiB');
  bytes.writeUInt32BE(length, at);
  writeU48(bytes, synced.segment, at + 8);
  bytes.writeUInt32BE(synced.offset, at + 14);
  bytes.writeUInt32BE(record.partition, at + 18);
  writeU48(bytes, record.ballot, at + 22);
  writeU48(bytes, record.decree, at + 28);
  writeU48(bytes, record.committed, at + 34);
  bytes[at + 40] = stay.length;
  bytes.latin1Write(stay, at + FIXED_BYTES, stay.length);
  bytes.set(body, at + FIXED_BYTES + stay.length);
  bytes.writeUInt32BE(crc32(bytes.subarray(at + PREFIX_BYTES, at + PREFIX_BYTES + length), salt), at + 4);
}

/** `more`: that many bytes from `at` on are needed to tell. `damaged`: no record can begin here. */
export type Parsed =
  | { readonly state: 'record'; readonly end: number }
  | { readonly state: 'more'; readonly bytes: number }
  | { readonly state: 'damaged' };

const DAMAGED: Parsed = { state: 'damaged' };

/** Checks the record at `at`; read its fields with the functions below. */
export function checkRecord(bytes: Buffer, at: number, salt: number): Parsed {
  if (bytes.length - at < PREFIX_BYTES) return { state: 'more', bytes: PREFIX_BYTES };
  const length = bytes.readUInt32BE(at);
  if (length < MINIMUM_LENGTH || length > MAXIMUM_LENGTH) return DAMAGED;
  const end = at + PREFIX_BYTES + length;
  if (end > bytes.length) return { state: 'more', bytes: end - at };
  if (bytes.readUInt32BE(at + 4) !== crc32(bytes.subarray(at + PREFIX_BYTES, end), salt)) return DAMAGED;
  if (MINIMUM_LENGTH + bytes[at + 40]! > length) return DAMAGED;
  return { state: 'record', end };
}

/** The fields of a checked record; `body` aliases `bytes`. */
export function decodeRecord(bytes: Buffer, at: number, end: number): LogRecord {
  const bodyAt = at + FIXED_BYTES + bytes[at + 40]!;
  return {
    partition: bytes.readUInt32BE(at + 18),
    stay: bytes.latin1Slice(at + FIXED_BYTES, bodyAt),
    ballot: bytes.readUIntBE(at + 22, 6),
    decree: bytes.readUIntBE(at + 28, 6),
    committed: bytes.readUIntBE(at + 34, 6),
    body: bytes.subarray(bodyAt, end),
  };
}

export function decodeSynced(bytes: Buffer, at: number): Position {
  return { segment: bytes.readUIntBE(at + 8, 6), offset: bytes.readUInt32BE(at + 14) };
}

/** True when `a` is further than `b`. */
export function isBeyond(a: Position, b: Position): boolean {
  return a.segment > b.segment || (a.segment === b.segment && a.offset > b.offset);
}

function writeU48(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt16BE(Math.floor(value / 0x1_0000_0000), at);
  bytes.writeUInt32BE(value % 0x1_0000_0000, at + 2);
}
