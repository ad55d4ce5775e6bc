/**
 * What a HyperLogLog notes of an element: MurmurHash64A of it, with Redis's seed, chooses one of 16,384 registers
 * by its low 14 bits, and the place of the lowest 1 among the other 50 is what the register may grow to. As 64-bit
 * arithmetic is slow in JavaScript, the hash is kept in two halves of 32 bits.
 *
 * Whoever adds elements sends observations, three bytes each, so that a long element is hashed before it gets in
 * the way of others.
 */
const SEED = 0xadc83b19;
/** Murmur's multiplier, 0xc6a4a7935bd1e995. */
const FACTOR_HIGH = 0xc6a4a793;
const FACTOR_LOW = 0x5bd1e995;

const INDEX_BITS = 14;
const INDEX_MASK = 2 ** INDEX_BITS - 1;
const COUNT_BITS = 6;
const COUNT_MASK = 2 ** COUNT_BITS - 1;
/** Of the 50 bits that are searched, 32 are in the low half. */
const END_OF_SEARCH = 2 ** (64 - INDEX_BITS - 32);

/** A register's index, 0 to 16,383, and the value it has at least: 1 to 51. */
export type Observation = number;

export const OBSERVATION_BYTES = 3;

export const indexOf = (observation: Observation): number => observation >>> COUNT_BITS;
export const countOf = (observation: Observation): number => observation & COUNT_MASK;

export function observe(element: Uint8Array): Observation {
  const length = element.length;
  const whole = length - (length % 8);
  let high = (highOfProduct(length) + Math.imul(length, FACTOR_HIGH)) | 0;
  let low = Math.imul(length, FACTOR_LOW) ^ SEED;
  for (let at = 0; at < whole; at += 8) {
    let wordLow = element[at]! | (element[at + 1]! << 8) | (element[at + 2]! << 16) | (element[at + 3]! << 24);
    let wordHigh = element[at + 4]! | (element[at + 5]! << 8) | (element[at + 6]! << 16) | (element[at + 7]! << 24);
    wordHigh = timesFactor(wordHigh, wordLow);
    wordLow = Math.imul(wordLow, FACTOR_LOW) ^ (wordHigh >>> 15);
    wordHigh = timesFactor(wordHigh, wordLow);
    wordLow = Math.imul(wordLow, FACTOR_LOW);
    high ^= wordHigh;
    low ^= wordLow;
    high = timesFactor(high, low);
    low = Math.imul(low, FACTOR_LOW);
  }
  if (whole < length) {
    for (let i = 0; whole + i < length; i++) {
      if (i < 4) low ^= element[whole + i]! << (8 * i);
      else high ^= element[whole + i]! << (8 * i - 32);
    }
    high = timesFactor(high, low);
    low = Math.imul(low, FACTOR_LOW);
  }
  low ^= high >>> 15;
  high = timesFactor(high, low);
  low = Math.imul(low, FACTOR_LOW);
  low ^= high >>> 15;
  return ((low & INDEX_MASK) << COUNT_BITS) | place(high, low);
}

/** Of 14 bits less than the hash: where the lowest 1 is, counted from 1; behind the last bit if there is none. */
function place(high: number, low: number): number {
  const searchedLow = (low >>> INDEX_BITS) | (high << (32 - INDEX_BITS));
  if (searchedLow !== 0) return trailingZeros(searchedLow) + 1;
  return trailingZeros((high >>> INDEX_BITS) | END_OF_SEARCH) + 33;
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** The high half of (high, low) multiplied by the factor; the low half is the product of the low halves. */
function timesFactor(high: number, low: number): number {
  return (highOfProduct(low) + Math.imul(high, FACTOR_LOW) + Math.imul(low, FACTOR_HIGH)) | 0;
}

/** Bits 32 to 63 of `word` (taken as unsigned) multiplied by the factor's low half. */
function highOfProduct(word: number): number {
  const wordHigh = word >>> 16;
  const wordLow = word & 0xffff;
  const factorHigh = FACTOR_LOW >>> 16;
  const factorLow = FACTOR_LOW & 0xffff;
  const middle = wordHigh * factorLow + ((wordLow * factorLow) >>> 16);
  const otherMiddle = wordLow * factorHigh + (middle & 0xffff);
  return wordHigh * factorHigh + (middle >>> 16) + (otherMiddle >>> 16);
}

export function packObservations(elements: readonly Uint8Array[]): Buffer {
  const packed = Buffer.allocUnsafe(OBSERVATION_BYTES * elements.length);
  for (const [i, element] of elements.entries()) {
    packed.writeUIntBE(observe(element), OBSERVATION_BYTES * i, OBSERVATION_BYTES);
  }
  return packed;
}

export function unpackObservations(packed: Buffer): Observation[] {
  const count = Math.floor(packed.length / OBSERVATION_BYTES);
  return Array.from({ length: count }, (_, i) => packed.readUIntBE(OBSERVATION_BYTES * i, OBSERVATION_BYTES));
}
