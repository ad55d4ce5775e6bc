/**
 * Ziplists, what Redis had before listpacks (until 6.2); only read here.
 *
 *   total bytes u32 LE | offset of the last entry u32 LE | entries u16 LE (65535: not known) | entries | 0xff
 *
 * An entry begins with the length of the one before it: a byte, or fe and u32 LE. Then:
 *
 *   00nnnnnn, bytes           a string of up to 63 bytes     c0, d0, e0, f0, fe   an integer of 2, 4, 8, 3, 1 bytes LE
 *   01nnnnnn nnnnnnnn, bytes  of up to 16,383                f1 to fd             0 to 12
 *   80, length u32 BE, bytes  longer
 */
import { limits } from '../limits.js';

const HEADER_BYTES = 10;
const END = 0xff;
const UNKNOWN_COUNT = 0xffff;
const LONG_PREVIOUS = 0xfe;
const INTEGER_BYTES: ReadonlyMap<number, number> = new Map([
  [0xc0, 2],
  [0xd0, 4],
  [0xe0, 8],
  [0xf0, 3],
  [0xfe, 1],
]);

/** The parts, which alias `packed`; null when it is damaged, or has more than a dump may. */
export function unpackZiplist(packed: Buffer): Buffer[] | null {
  const end = packed.length - 1;
  if (end < HEADER_BYTES || packed.readUInt32LE(0) !== packed.length || packed[end] !== END) return null;
  const parts: Buffer[] = [];
  let previous = 0;
  let last = HEADER_BYTES;
  for (let at = HEADER_BYTES; at < end; ) {
    if (parts.length === 2 * limits.dumpParts) return null;
    const long = packed[at] === LONG_PREVIOUS;
    const head = at + (long ? 5 : 1);
    if (head >= end || (long ? packed.readUInt32LE(at + 1) : packed[at]) !== previous) return null;
    const entry = entryAt(packed, head);
    if (entry === null || entry.next > end) return null;
    parts.push(entry.part);
    previous = entry.next - at;
    last = at;
    at = entry.next;
  }
  const count = packed.readUInt16LE(8);
  if (packed.readUInt32LE(4) !== last) return null;
  return count === UNKNOWN_COUNT || count === parts.length ? parts : null;
}

/** Null where no content can begin. */
function entryAt(packed: Buffer, at: number): { readonly part: Buffer; readonly next: number } | null {
  const first = packed[at]!;
  const string = (from: number, length: number): { part: Buffer; next: number } => {
    return { part: packed.subarray(from, from + length), next: from + length };
  };
  if (first < 0x40) return string(at + 1, first);
  if (first < 0x80) return string(at + 2, ((first & 0x3f) << 8) | packed[at + 1]!);
  if (first === 0x80) return at + 5 > packed.length ? null : string(at + 5, packed.readUInt32BE(at + 1));
  if (first > 0xf0 && first < 0xfe) return { part: decimal(BigInt(first - 0xf1)), next: at + 1 };
  const bytes = INTEGER_BYTES.get(first);
  if (bytes === undefined || at + bytes >= packed.length) return null;
  let value = 0n;
  for (let i = bytes; i >= 1; i--) value = (value << 8n) | BigInt(packed[at + i]!);
  return { part: decimal(BigInt.asIntN(8 * bytes, value)), next: at + 1 + bytes };
}

function decimal(value: bigint): Buffer {
  return Buffer.from(value.toString(), 'latin1');
}
