/** Redis's sets of integers: width in bytes u32 LE | count u32 LE | the integers LE, in ascending order. */
import { int64, parseInteger } from '../integers.js';
import { limits } from '../limits.js';

const HEADER_BYTES = 8;
const WIDTHS = [2, 4, 8] as const;

export function packIntset(members: readonly Buffer[]): Buffer {
  const values = members.map((member) => BigInt(parseInteger(member) ?? 0));
  values.sort((a, b) => (a < b ? -1 : 1));
  const width = WIDTHS.find((bytes) => values.every((value) => BigInt.asIntN(8 * bytes, value) === value)) ?? 8;
  // The last one is written in 8 bytes, whatever it needs.
  const packed = Buffer.alloc(HEADER_BYTES + width * values.length + 8);
  packed.writeUInt32LE(width, 0);
  packed.writeUInt32LE(values.length, 4);
  for (const [i, value] of values.entries()) packed.writeBigInt64LE(value, HEADER_BYTES + width * i);
  return packed.subarray(0, packed.length - 8);
}

/** The members; null when it is damaged, or has more than a dump may. */
export function unpackIntset(packed: Buffer): Buffer[] | null {
  if (packed.length < HEADER_BYTES) return null;
  const width = packed.readUInt32LE(0);
  const count = packed.readUInt32LE(4);
  if (!WIDTHS.some((bytes) => bytes === width) || count === 0 || count > limits.dumpParts) return null;
  if (packed.length !== HEADER_BYTES + width * count) return null;
  const members: Buffer[] = [];
  let previous: bigint | null = null;
  for (let at = HEADER_BYTES; at < packed.length; at += width) {
    const value =
      width === 8 ? packed.readBigInt64LE(at) : BigInt(width === 4 ? packed.readInt32LE(at) : packed.readInt16LE(at));
    if (previous !== null && value <= previous) return null;
    previous = value;
    members.push(Buffer.from(String(int64(value)), 'latin1'));
  }
  return members;
}
