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
const HASH_BITS = 16;
/** So many bytes of a match are compared before its greatest length counts. */
const COMPARED_MIN = 16;
/** Redis takes a compressed string only when it saves as much. */
const SAVED_MIN = 4;

/**
 * Finds the same matches as Redis's copy of liblzf, so that dumps are the same byte for byte: which positions are
 * remembered, and that a match leaves out the last two bytes, has no other reason. (Redis does not clear its table
 * between strings either, so that once in a while its own dumps differ from one another.)
 */
export class Compressor {
  /** Where three bytes of a hash were seen last, from 1 on; of an earlier string, too, which looking tells. */
  readonly #seen = new Uint32Array(1 << HASH_BITS);
  #input: Buffer = Buffer.alloc(0);
  #output: Buffer = Buffer.alloc(0);
  #written = 0;

  /** Null when it does not get shorter by at least four bytes. */
  compress(input: Buffer): Buffer | null {
    const room = input.length - SAVED_MIN;
    if (room <= 0) return null;
    this.#input = input;
    this.#output = Buffer.allocUnsafe(room + LITERALS_MAX + SAVED_MIN);
    this.#written = 0;
    const end = input.length;
    let literals = 0;
    let at = 0;
    while (at < end - 2) {
      const before = this.#remember(at);
      if (!this.#isMatch(before, at)) {
        // the length of a run of literals has a byte before them, which is there already
        if (this.#written + 1 + at - literals >= room) return null;
        at++;
        if (at - literals < LITERALS_MAX) continue;
        this.#literals(literals, at);
        literals = at;
        continue;
      }
      const length = this.#matchLength(before, at);
      const run = at - literals;
      if (this.#written + (run === 0 ? 0 : 1 + run) + 4 >= room) return null;
      this.#literals(literals, at);
      this.#reference(length, at - before - 1);
      at += length;
      literals = at;
      if (at >= end - 2) break;
      this.#remember(at - 2);
      this.#remember(at - 1);
    }
    if (this.#written + 1 + at - literals + 3 > room) return null;
    for (let from = literals; from < end; from += LITERALS_MAX)
      this.#literals(from, Math.min(end, from + LITERALS_MAX));
    return this.#output.subarray(0, this.#written);
  }

  /** Returns where the three bytes at `at` were seen before. */
  #remember(at: number): number {
    const input = this.#input;
    const three = (input[at]! << 16) | (input[at + 1]! << 8) | input[at + 2]!;
    const hash = ((three >>> (24 - HASH_BITS)) - three * 5) & ((1 << HASH_BITS) - 1);
    const before = this.#seen[hash]!;
    this.#seen[hash] = at;
    return before;
  }

  #isMatch(before: number, at: number): boolean {
    if (before === 0 || before >= at || at - before > DISTANCE_MAX) return false;
    const input = this.#input;
    return input[before] === input[at] && input[before + 1] === input[at + 1] && input[before + 2] === input[at + 2];
  }

  #matchLength(before: number, at: number): number {
    const input = this.#input;
    const most = Math.min(MATCH_MAX, input.length - at - 2);
    const unbounded = most > COMPARED_MIN ? 2 + COMPARED_MIN : 2;
    let length = MATCH_MIN;
    while ((length < most || length <= unbounded) && input[before + length] === input[at + length]) length++;
    return length;
  }

  #literals(from: number, to: number): void {
    if (from === to) return;
    this.#output[this.#written] = to - from - 1;
    this.#output.set(this.#input.subarray(from, to), this.#written + 1);
    this.#written += 1 + to - from;
  }

  #reference(length: number, distance: number): void {
    const short = length <= SHORT_MATCH_MAX;
    this.#output[this.#written++] = ((short ? length - 2 : 7) << 5) | (distance >> 8);
    if (!short) this.#output[this.#written++] = length - 9;
    this.#output[this.#written++] = distance & 0xff;
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
