/**
 * Which of the 16384 slots a key belongs to, exactly as Redis Cluster says, so that cluster-aware
 * clients can compute it themselves: CRC16 (XMODEM: polynomial 0x1021, initially 0, not reflected) of
 * the key's hash tag.
 */
export const SLOTS = 16_384;

const OPEN = 0x7b; // {
const CLOSE = 0x7d; // }
const POLYNOMIAL = 0x1021;

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ POLYNOMIAL;
  return crc & 0xffff;
});

/** CRC16 of `bytes[from, to)`. */
export function crc16(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = 0;
  for (let i = from; i < to; i++) crc = ((crc << 8) & 0xffff) ^ table[(crc >> 8) ^ bytes[i]!]!;
  return crc;
}

/**
 * The slot of a key. Only what stands between the first `{` and the next `}` is hashed, if both are there
 * and something is between them.
 */
export function slotOf(key: Uint8Array): number {
  const open = key.indexOf(OPEN);
  if (open >= 0) {
    const close = key.indexOf(CLOSE, open + 1);
    if (close > open + 1) return crc16(key, open + 1, close) & (SLOTS - 1);
  }
  return crc16(key) & (SLOTS - 1);
}
