/**
 * 64-bit signed integers as Redis reads and writes them. JavaScript's numbers are exact to 2^53 only, so
 * an Integer is a number where that is exact and a bigint elsewhere: counters stay cheap, limits exact.
 */
import type { Integer } from './operations/codes.js';

export const INT64_MAX = 2n ** 63n - 1n;
export const INT64_MIN = -(2n ** 63n);

/** Sign and 19 digits. */
const MAX_LENGTH = 20;
/** So many digits are exact in a number whatever they are. */
const SAFE_DIGITS = 15;

const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * The int64 that `bytes` spells canonically, else null: no plus sign, no leading zeros, no spaces, no `-0`.
 * What passes is what Redis stores with the encoding `int`.
 */
export function parseInteger(bytes: Uint8Array): Integer | null {
  const length = bytes.length;
  if (length === 0 || length > MAX_LENGTH) return null;
  const negative = bytes[0] === MINUS;
  const from = negative ? 1 : 0;
  const first = bytes[from];
  if (first === undefined || first < ZERO || first > NINE) return null;
  if (first === ZERO) return length === 1 ? 0 : null;
  let value = 0;
  for (let i = from; i < length; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  if (length - from <= SAFE_DIGITS) return negative ? -value : value;
  return int64(BigInt(String.fromCharCode(...bytes)));
}

/** Narrowed to a number where that is exact; null when it does not fit 64 bits. */
export function int64(value: bigint): Integer | null {
  if (value > INT64_MAX || value < INT64_MIN) return null;
  return compact(value);
}

/** The sum, or null when it overflows 64 bits. */
export function add(a: Integer, b: Integer): Integer | null {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return int64(BigInt(a) + BigInt(b));
}

/** -value, or null when that overflows. */
export function negate(value: Integer): Integer | null {
  return typeof value === 'number' ? 0 - value : int64(-value);
}

/** As a number: exact when safe, else rounded; fit for positions in strings, which are far smaller anyway. */
export function approximate(value: Integer): number {
  return Number(value);
}

function compact(value: bigint): Integer {
  const narrow = Number(value);
  return Number.isSafeInteger(narrow) ? narrow : value;
}
