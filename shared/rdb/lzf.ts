/**
 * LZF, with which Redis compresses strings in dumps. A compressed string is made of
 *
 *   000nnnnn, n + 1 bytes            these bytes
 *   nnnooooo oooooooo                n + 2 bytes (n: 1 to 6) that were there o + 1 bytes ago
 *   111ooooo nnnnnnnn oooooooo       n + 9 bytes that were there o + 1 bytes ago
 */
const LITERALS_MAX = 32;
const DISTANCE_MAX = 8_192;
const MATCH_MIN = 3;
const MATCH_MAX = 264;
/** Matches of more bytes than that have their length in a byte of its own. */
const SHORT_MATCH_MAX = 8;
const HASH_BITS = 14;
/** Redis takes a compressed string only when it saves as much. */
const SAVED_MIN = 4;

export class Compressor {
  /** Where three bytes of a hash were seen last; of an earlier string, too, which looking tells. */
  readonly #seen = new Int32Array(1 << HASH_BITS);

  /** Null when it does not get shorter by at least four bytes. */
  compress(input: Buffer): Buffer | null {
    const room = input.length - SAVED_MIN;
    if (room <= 0) return null;
    // A match is three bytes at most, literals are written with the byte before them.
    const output = Buffer.allocUnsafe(room + LITERALS_MAX + 4);
    let written = 0;
    let literals = 0;
    const flush = (end: number): void => {
      for (let from = literals; from < end && written <= room; from += LITERALS_MAX) {
        const part = input.subarray(from, Math.min(end, from + LITERALS_MAX));
        output[written] = part.length - 1;
        output.set(part, written + 1);
        written += 1 + part.length;
      }
    };
    for (let at = 0; at + MATCH_MIN <= input.length && written <= room; ) {
      const length = this.#match(input, at);
      if (length === 0) {
        at++;
        continue;
      }
      const distance = at - this.#found - 1;
      flush(at);
      if (written > room) return null;
      const short = length <= SHORT_MATCH_MAX;
      output[written++] = ((short ? length - 2 : 7) << 5) | (distance >> 8);
      if (!short) output[written++] = length - 9;
      output[written++] = distance & 0xff;
      at += length;
      literals = at;
    }
    flush(input.length);
    return written > room ? null : output.subarray(0, written);
  }

  /** Where the match begins that `#match` found. */
  #found = 0;

  /** How many bytes from `at` on were there before; 0: too few. */
  #match(input: Buffer, at: number): number {
    const three = (input[at]! << 16) | (input[at + 1]! << 8) | input[at + 2]!;
    const hash = Math.imul(three, 0x9e3779b1) >>> (32 - HASH_BITS);
    const before = this.#seen[hash]!;
    this.#seen[hash] = at;
    if (before >= at || at - before > DISTANCE_MAX) return 0;
    const most = Math.min(MATCH_MAX, input.length - at);
    let length = 0;
    while (length < most && input[before + length] === input[at + length]) length++;
    this.#found = before;
    return length < MATCH_MIN ? 0 : length;
  }
}

/** Null when it is damaged. `length`: of what comes out. */
export function decompress(input: Buffer, length: number): Buffer | null {
  const output = Buffer.allocUnsafe(length);
  let written = 0;
  let at = 0;
  while (at < input.length) {
    const control = input[at++]!;
    if (control < LITERALS_MAX) {
      const count = control + 1;
      if (at + count > input.length || written + count > length) return null;
      output.set(input.subarray(at, at + count), written);
      at += count;
      written += count;
      continue;
    }
    let count = (control >> 5) + 2;
    if (count === 9) count += input[at++] ?? length;
    const distance = ((control & 0x1f) << 8) + (input[at++] ?? length) + 1;
    if (at > input.length || distance > written || written + count > length) return null;
    // One by one: what is copied may reach into what is being written.
    for (let i = 0; i < count; i++, written++) output[written] = output[written - distance]!;
  }
  return written === length ? output : null;
}
