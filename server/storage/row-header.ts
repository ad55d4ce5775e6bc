/**
 * The value under a header key: the fixed part of a row, then its value (a string's bytes, or a packed
 * small collection). The format number comes first; a newer one is refused rather than guessed at.
 *
 *   0 format  1 type  2 encoding  3 flags  4 version(8)  12 expireAtMs(6)  18 modifiedAtMs(6)
 *   24 origin(2)  26 accessedAtS(4)  30 frequency  31 reserved  32 size(6)  38 bytes(6)  44 modified(8)  52 value ...
 */
import { OperatingError } from '../../shared/errors.js';
import type { Row } from '../execution/view.js';
import { RowType } from './row.js';

const FORMAT = 2;
/** Where the value begins. */
export const FIXED_BYTES = 52;
const LARGE = 1;
const rowTypes: ReadonlySet<number> = new Set(Object.values(RowType));

export function encodeHeader(row: Row): Buffer {
  const value = row.value;
  const bytes = Buffer.allocUnsafe(FIXED_BYTES + value.length);
  bytes[0] = FORMAT;
  bytes[1] = row.type;
  bytes[2] = row.encoding;
  bytes[3] = row.large ? LARGE : 0;
  bytes.latin1Write(row.version, 4, 8);
  writeU48(bytes, row.expireAtMs, 12);
  writeU48(bytes, row.modifiedAtMs, 18);
  bytes.writeUInt16BE(row.origin, 24);
  bytes.writeUInt32BE(row.accessedAtS, 26);
  bytes[30] = row.frequency;
  bytes[31] = 0;
  writeU48(bytes, row.size, 32);
  writeU48(bytes, row.bytes, 38);
  bytes.latin1Write(row.modified, 44, 8);
  // A short copy in JavaScript is cheaper than the call into native code.
  if (value.length <= 32) for (let i = 0; i < value.length; i++) bytes[FIXED_BYTES + i] = value[i]!;
  else bytes.set(value, FIXED_BYTES);
  return bytes;
}

/** `value` of the row aliases `bytes`. Throws E_CORRUPT for what this version cannot have written. */
export function decodeHeader(bytes: Buffer): Row {
  if (bytes.length < FIXED_BYTES || bytes[0] !== FORMAT || !isRowType(bytes[1]!)) refuse(bytes);
  return {
    type: bytes[1],
    encoding: bytes[2]!,
    version: bytes.latin1Slice(4, 12),
    expireAtMs: readU48(bytes, 12),
    modifiedAtMs: readU48(bytes, 18),
    origin: bytes.readUInt16BE(24),
    accessedAtS: bytes.readUInt32BE(26),
    frequency: bytes[30]!,
    size: readU48(bytes, 32),
    bytes: readU48(bytes, 38),
    modified: bytes.latin1Slice(44, 52),
    large: (bytes[3]! & LARGE) !== 0,
    value: bytes.subarray(FIXED_BYTES),
  };
}

function isRowType(type: number): type is RowType {
  return rowTypes.has(type);
}

function refuse(bytes: Buffer): never {
  const reason =
    bytes.length < FIXED_BYTES
      ? `only ${bytes.length} bytes long`
      : bytes[0] !== FORMAT
        ? `of format ${bytes[0]}, and this version knows only format ${FORMAT}`
        : `of the unknown type ${bytes[1]}`;
  throw new OperatingError('E_CORRUPT', `a row's header is ${reason}`);
}

function writeU48(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt16BE(Math.floor(value / 0x1_0000_0000), at);
  bytes.writeUInt32BE(value % 0x1_0000_0000, at + 2);
}

function readU48(bytes: Buffer, at: number): number {
  return bytes.readUInt16BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 2);
}
