/**
 * CRC-64 as Redis ends its dumps with it: polynomial 0xad93d23594c935a9 (Jones), bits from the lowest, begun with 0.
 * Eight bytes at a time through eight tables, in halves of 32 bits, as a dump may have many megabytes.
 */
const POLYNOMIAL_HIGH = 0x95ac9329;
const POLYNOMIAL_LOW = 0xac4bc9b5 | 0;
const TABLES = 8;
const ENTRIES = 256;

/** Entry `table * 256 + byte`: what a byte does that is followed by `table` others. */
const high = new Int32Array(TABLES * ENTRIES);
const low = new Int32Array(TABLES * ENTRIES);

for (let byte = 0; byte < ENTRIES; byte++) {
  let h = 0;
  let l = byte;
  for (let bit = 0; bit < 8; bit++) {
    const odd = (l & 1) === 1;
    l = (l >>> 1) | (h << 31);
    h >>>= 1;
    if (odd) {
      l ^= POLYNOMIAL_LOW;
      h ^= POLYNOMIAL_HIGH;
    }
  }
  high[byte] = h;
  low[byte] = l;
}
for (let i = ENTRIES; i < TABLES * ENTRIES; i++) {
  const h = high[i - ENTRIES]!;
  const l = low[i - ENTRIES]!;
  high[i] = (h >>> 8) ^ high[l & 0xff]!;
  low[i] = (l >>> 8) ^ (h << 24) ^ low[l & 0xff]!;
}

/** Eight bytes, the lowest first. */
export function crc64(bytes: Uint8Array): Buffer {
  let h = 0;
  let l = 0;
  const whole = bytes.length - (bytes.length % TABLES);
  for (let at = 0; at < whole; at += TABLES) {
    l ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    h ^= bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
    const a = 7 * ENTRIES + (l & 0xff);
    const b = 6 * ENTRIES + ((l >>> 8) & 0xff);
    const c = 5 * ENTRIES + ((l >>> 16) & 0xff);
    const d = 4 * ENTRIES + (l >>> 24);
    const e = 3 * ENTRIES + (h & 0xff);
    const f = 2 * ENTRIES + ((h >>> 8) & 0xff);
    const g = ENTRIES + ((h >>> 16) & 0xff);
    const i = h >>> 24;
    l = low[a]! ^ low[b]! ^ low[c]! ^ low[d]! ^ low[e]! ^ low[f]! ^ low[g]! ^ low[i]!;
    h = high[a]! ^ high[b]! ^ high[c]! ^ high[d]! ^ high[e]! ^ high[f]! ^ high[g]! ^ high[i]!;
  }
  for (let at = whole; at < bytes.length; at++) {
    const entry = (l ^ bytes[at]!) & 0xff;
    l = (l >>> 8) ^ (h << 24) ^ low[entry]!;
    h = (h >>> 8) ^ high[entry]!;
  }
  const result = Buffer.allocUnsafe(8);
  result.writeInt32LE(l, 0);
  result.writeInt32LE(h, 4);
  return result;
}
