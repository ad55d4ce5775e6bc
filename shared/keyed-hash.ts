/**
 * HalfSipHash-1-3 (Aumasson and Bernstein's SipHash on 32-bit words): the 32-bit hash that orders rows
 * within a slot and that SCAN cursors carry. It is keyed, because rows of equal hash are returned by one
 * SCAN call: without the key nobody can choose a million Redis keys that collide. 32-bit words, because
 * JavaScript has 32-bit integer arithmetic and no fast 64-bit one.
 */
import { invariant } from './errors.js';

export class KeyedHash {
  readonly #k0: number;
  readonly #k1: number;

  /** `hashKey`: 16 hex digits, as in Table.hashKey. */
  constructor(hashKey: string) {
    invariant(/^[0-9a-f]{16}$/i.test(hashKey), 'a hash key is 16 hex digits');
    const bytes = Buffer.from(hashKey, 'hex');
    this.#k0 = bytes.readInt32LE(0);
    this.#k1 = bytes.readInt32LE(4);
  }

  /** An unsigned 32-bit number. */
  of(bytes: Uint8Array): number {
    const k0 = this.#k0;
    const k1 = this.#k1;
    let v0 = k0;
    let v1 = k1;
    let v2 = 0x6c796765 ^ k0;
    let v3 = 0x74656462 ^ k1;
    const length = bytes.length;
    const whole = length & ~3;
    // One turn more than there are whole words: the last takes the odd bytes and the length. Then three
    // turns without input finish. The round is written out once, as a call per round costs a third more.
    for (let at = 0, finishing = 0; finishing < 4; at += 4) {
      let word = 0;
      if (at < whole) {
        word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      } else if (finishing === 0) {
        word = length << 24;
        if (at < length) word |= bytes[at]!;
        if (at + 1 < length) word |= bytes[at + 1]! << 8;
        if (at + 2 < length) word |= bytes[at + 2]! << 16;
        finishing = 1;
      } else {
        if (finishing === 1) v2 ^= 0xff;
        finishing++;
      }
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    return (v1 ^ v3) >>> 0;
  }
}
