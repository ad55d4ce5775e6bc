/**
 * x86's 80-bit `long double` (64-bit mantissa, round to nearest even), in exact BigInt arithmetic.
 * Redis computes INCRBYFLOAT in it and clients see its rounding: 5.0e3 + 2.0e2 and 1.1 + 2.2 must give
 * the digits Redis gives, which doubles do not.
 */
import { invariant } from './errors.js';

const MANTISSA_BITS = 64;
/** Exponent of the lowest bit of the smallest subnormal, and the first power of two that overflows. */
const LOWEST_EXPONENT = -16_445;
const OVERFLOW_EXPONENT = 16_384;
/** Redis reads floats from a buffer of this size, and prints them into one. */
const MAX_TEXT = 5 * 1024;
/** Powers of ten beyond this overflow or vanish however many digits (at most MAX_TEXT) come with them. */
const MAX_POWER_OF_TEN = 11_000;
const FRACTION_DIGITS = 17;

/** A finite number is `mantissa * 2^exponent`; the mantissa carries the sign. */
export type LongDouble =
  | { readonly kind: 'finite'; readonly mantissa: bigint; readonly exponent: number }
  | { readonly kind: 'infinite'; readonly negative: boolean }
  | { readonly kind: 'nan' };

const decimal = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;
const hexadecimal = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;
const infinity = /^([+-]?)inf(?:inity)?$/i;

/**
 * What strtold reads from the whole of `bytes`, null where Redis says "not a valid float": other text,
 * spaces, NaN, what overflows or underflows to zero.
 */
export function parseLongDouble(bytes: Buffer): LongDouble | null {
  if (bytes.length === 0 || bytes.length >= MAX_TEXT) return null;
  const text = bytes.latin1Slice(0, bytes.length);
  const infinite = infinity.exec(text);
  if (infinite !== null) return { kind: 'infinite', negative: infinite[1] === '-' };
  const hex = hexadecimal.exec(text);
  const parts = hex ?? decimal.exec(text);
  if (parts === null) return null;
  const whole = parts[2] ?? '';
  const fraction = parts[3] ?? '';
  if (whole.length + fraction.length === 0) return null;
  const digits = BigInt((hex === null ? '0' : '0x0') + whole + fraction);
  if (digits === 0n) return { kind: 'finite', mantissa: 0n, exponent: 0 };
  const power = Number(parts[4] ?? 0);
  const value =
    hex === null
      ? scaleByTen(digits, power - fraction.length)
      : round(digits, 1n, clamp(power, 2 * OVERFLOW_EXPONENT + 4 * MAX_TEXT) - 4 * fraction.length);
  if (value.kind !== 'finite' || value.mantissa === 0n) return null;
  return parts[1] === '-' ? { ...value, mantissa: -value.mantissa } : value;
}

/** Exactly the same number, which is finite. */
export function longDoubleOf(value: number): LongDouble {
  let mantissa = value;
  let exponent = 0;
  for (; !Number.isInteger(mantissa); exponent--) mantissa *= 2;
  return { kind: 'finite', mantissa: BigInt(mantissa), exponent };
}

export function addLongDouble(a: LongDouble, b: LongDouble): LongDouble {
  if (a.kind === 'nan' || b.kind === 'nan') return { kind: 'nan' };
  if (a.kind === 'infinite') return b.kind === 'infinite' && b.negative !== a.negative ? { kind: 'nan' } : a;
  if (b.kind === 'infinite') return b;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent));
  if (sum === 0n) return { kind: 'finite', mantissa: 0n, exponent: 0 };
  return sum > 0n ? round(sum, 1n, exponent) : negated(round(-sum, 1n, exponent));
}

/** As Redis prints it for people: 17 digits after the point, trailing zeros and a bare point removed. */
export function formatLongDouble(value: LongDouble): string {
  invariant(value.kind === 'finite', 'only finite numbers are stored');
  const magnitude = value.mantissa < 0n ? -value.mantissa : value.mantissa;
  const scaled = magnitude * 10n ** BigInt(FRACTION_DIGITS);
  const fixed =
    value.exponent >= 0 ? scaled << BigInt(value.exponent) : divideToEven(scaled, 1n << BigInt(-value.exponent));
  if (fixed === 0n) return '0';
  const digits = fixed.toString().padStart(FRACTION_DIGITS + 1, '0');
  const fraction = digits.slice(-FRACTION_DIGITS).replace(/0+$/, '');
  const sign = value.mantissa < 0n ? '-' : '';
  return sign + digits.slice(0, -FRACTION_DIGITS) + (fraction === '' ? '' : `.${fraction}`);
}

/** `digits * 10^power`, rounded. */
function scaleByTen(digits: bigint, power: number): LongDouble {
  const bounded = clamp(power, MAX_POWER_OF_TEN);
  return bounded >= 0 ? round(digits * 10n ** BigInt(bounded), 1n, 0) : round(digits, 10n ** BigInt(-bounded), 0);
}

/** The long double nearest to `numerator / denominator * 2^exponent`, which is positive. */
function round(numerator: bigint, denominator: bigint, exponent: number): LongDouble {
  // The quotient, shifted so that it has one bit more than the mantissa or exactly as many.
  const excess = bits(numerator) - bits(denominator) - MANTISSA_BITS;
  let shift = Math.max(excess, LOWEST_EXPONENT - exponent);
  let mantissa = quotient(numerator, denominator, shift);
  if (bits(mantissa) > MANTISSA_BITS) {
    // Too long by one bit: round again from the exact value, never from the rounded one.
    shift++;
    mantissa = quotient(numerator, denominator, shift);
  }
  const result = exponent + shift;
  if (bits(mantissa) + result > OVERFLOW_EXPONENT) return { kind: 'infinite', negative: false };
  return { kind: 'finite', mantissa, exponent: result };
}

/** `numerator / (denominator * 2^shift)` to the nearest integer. */
function quotient(numerator: bigint, denominator: bigint, shift: number): bigint {
  return shift >= 0
    ? divideToEven(numerator, denominator << BigInt(shift))
    : divideToEven(numerator << BigInt(-shift), denominator);
}

function divideToEven(numerator: bigint, denominator: bigint): bigint {
  const floor = numerator / denominator;
  const twice = 2n * (numerator - floor * denominator);
  const up = twice > denominator || (twice === denominator && (floor & 1n) === 1n);
  return up ? floor + 1n : floor;
}

function bits(value: bigint): number {
  if (value === 0n) return 0;
  const hex = value.toString(16);
  return 4 * hex.length - (Math.clz32(Number.parseInt(hex[0]!, 16)) - 28);
}

function negated(value: LongDouble): LongDouble {
  if (value.kind === 'finite') return { ...value, mantissa: -value.mantissa };
  return value.kind === 'infinite' ? { kind: 'infinite', negative: !value.negative } : value;
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}
