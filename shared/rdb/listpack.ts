/**
 * Listpacks, Redis's compact sequences of strings:
 *
 *   total bytes u32 LE | entries u16 LE (65535: not known) | entries | 0xff
 *
 * An entry is its content and, so that one can walk backwards, the content's length in groups of 7 bits, the highest
 * first. Canonical integers are kept as such:
 *
 *   0nnnnnnn                  0 to 127              10nnnnnn, bytes               a string of up to 63 bytes
 *   110nnnnn nnnnnnnn         13 bits               1110nnnn nnnnnnnn, bytes      of up to 4,095
 *   f1, f2, f3, f4            2, 3, 4, 8 bytes LE   f0, length u32 LE, bytes      longer
 */
import { parseInteger } from '../integers.js';
import { limits } from '../limits.js';

const HEADER_BYTES = 6;
const END = 0xff;
const UNKNOWN_COUNT = 0xffff;
const STRING_32 = 0xf0;
/** What stands before an integer of so many bytes. */
const INTEGERS: readonly (readonly [tag: number, bytes: number])[] = [
  [0xf1, 2],
  [0xf2, 3],
  [0xf3, 4],
  [0xf4, 8],
];

export function packListpack(parts: readonly Buffer[]): Buffer {
  const pieces: Buffer[] = [Buffer.alloc(HEADER_BYTES)];
  for (const part of parts) {
    const content = contentOf(part);
    pieces.push(content, backLength(content.length));
  }
  pieces.push(Buffer.of(END));
  const packed = Buffer.concat(pieces);
  packed.writeUInt32LE(packed.length, 0);
  packed.writeUInt16LE(Math.min(parts.length, UNKNOWN_COUNT), 4);
  return packed;
}

/** How much longer a listpack gets by this entry, at most. */
export function entryBytesMax(part: Buffer): number {
  return part.length + 10;
}

function contentOf(part: Buffer): Buffer {
  const integer = parseInteger(part);
  if (integer !== null) return integerContent(BigInt(integer));
  const { length } = part;
  if (length < 64) return Buffer.concat([Buffer.of(0x80 | length), part]);
  if (length < 4_096) return Buffer.concat([Buffer.of(0xe0 | (length >> 8), length & 0xff), part]);
  const head = Buffer.alloc(5, STRING_32);
  head.writeUInt32LE(length, 1);
  return Buffer.concat([head, part]);
}

function integerContent(value: bigint): Buffer {
  if (value >= 0n && value < 128n) return Buffer.of(Number(value));
  if (value >= -4_096n && value < 4_096n) {
    const bits = Number(value) & 0x1fff;
    return Buffer.of(0xc0 | (bits >> 8), bits & 0xff);
  }
  const [tag, bytes] = INTEGERS.find(([, width]) => BigInt.asIntN(8 * width, value) === value)!;
  const content = Buffer.alloc(9, tag);
  content.writeBigInt64LE(value, 1);
  return content.subarray(0, 1 + bytes);
}

/** The parts, which alias `packed`; null when it is damaged, or has more than a dump may. */
export function unpackListpack(packed: Buffer): Buffer[] | null {
  if (packed.length <= HEADER_BYTES || packed.readUInt32LE(0) !== packed.length) return null;
  const end = packed.length - 1;
  if (packed[end] !== END) return null;
  const parts: Buffer[] = [];
  let at = HEADER_BYTES;
  while (at < end && parts.length <= 2 * limits.dumpParts) {
    const span = spanOf(packed, at);
    if (span === null) return null;
    const next = at + span.head + span.bytes;
    const back = backLength(span.head + span.bytes);
    if (next + back.length > end || !packed.subarray(next, next + back.length).equals(back)) return null;
    parts.push(span.integer ? integerText(packed, at, span.bytes) : packed.subarray(at + span.head, next));
    at = next + back.length;
  }
  const count = packed.readUInt16LE(4);
  return at === end && (count === UNKNOWN_COUNT || count === parts.length) ? parts : null;
}

interface Span {
  readonly head: number;
  readonly bytes: number;
  readonly integer: boolean;
}

/** Null where no entry can begin. */
function spanOf(packed: Buffer, at: number): Span | null {
  const first = packed[at]!;
  if (first < 0x80) return { head: 1, bytes: 0, integer: true };
  if (first < 0xc0) return { head: 1, bytes: first & 0x3f, integer: false };
  if (first < 0xe0) return { head: 1, bytes: 1, integer: true };
  if (first < STRING_32) return { head: 2, bytes: ((first & 0x0f) << 8) | (packed[at + 1] ?? 0), integer: false };
  if (first === STRING_32) {
    return at + 5 > packed.length ? null : { head: 5, bytes: packed.readUInt32LE(at + 1), integer: false };
  }
  const integer = INTEGERS.find(([tag]) => tag === first);
  return integer === undefined ? null : { head: 1, bytes: integer[1], integer: true };
}

function integerText(packed: Buffer, at: number, bytes: number): Buffer {
  const first = packed[at]!;
  if (first < 0x80) return text(BigInt(first));
  if (bytes === 1) return text(BigInt.asIntN(13, BigInt(((first & 0x1f) << 8) | packed[at + 1]!)));
  let value = 0n;
  for (let i = bytes; i >= 1; i--) value = (value << 8n) | BigInt(packed[at + i]!);
  return text(BigInt.asIntN(8 * bytes, value));
}

function text(value: bigint): Buffer {
  return Buffer.from(value.toString(), 'latin1');
}

/** A content's length, as it stands behind it: the highest bit says that there is more in front. */
function backLength(length: number): Buffer {
  const groups = [length & 0x7f];
  for (let rest = Math.floor(length / 128); rest > 0; rest = Math.floor(rest / 128)) groups.unshift(rest & 0x7f);
  return Buffer.from(groups.map((group, i) => (i === 0 ? group : group | 0x80)));
}
