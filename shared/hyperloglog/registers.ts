/**
 * A HyperLogLog's 16,384 registers as one byte each, and how many different elements they stand for. The estimate
 * is Otmar Ertl's ("New cardinality estimation algorithms for HyperLogLog sketches", arXiv:1702.01284), computed in
 * the same order as Redis does, so that rounding is the same.
 */
import { INT64_MIN, int64 } from '../integers.js';
import type { Integer } from '../operations/codes.js';

export const REGISTERS = 16_384;
/** Bits of the hash that are searched; a register may be one more. */
const SEARCHED_BITS = 50;
const REGISTER_VALUES = 64;
/** 1 / (2 ln 2) */
const ALPHA = 0.7213475204444817;

export type Registers = Uint8Array;

export function emptyRegisters(): Registers {
  return new Uint8Array(REGISTERS);
}

/** Each register of `into` becomes the greater one. */
export function mergeRegisters(into: Registers, other: Registers): void {
  for (let i = 0; i < REGISTERS; i++) if (other[i]! > into[i]!) into[i] = other[i]!;
}

export function estimate(registers: Registers): Integer {
  const histogram = new Array<number>(REGISTER_VALUES).fill(0);
  for (let i = 0; i < REGISTERS; i++) histogram[registers[i]!]!++;
  let sum = REGISTERS * tau((REGISTERS - histogram[SEARCHED_BITS + 1]!) / REGISTERS);
  for (let value = SEARCHED_BITS; value >= 1; value--) sum = (sum + histogram[value]!) * 0.5;
  sum += REGISTERS * sigma(histogram[0]! / REGISTERS);
  const rounded = Math.round((ALPHA * REGISTERS * REGISTERS) / sum);
  // Registers that no element can lead to: C's rounding of infinity.
  return Number.isFinite(rounded) ? (int64(BigInt(rounded)) ?? INT64_MIN) : INT64_MIN;
}

function sigma(share: number): number {
  if (share === 1) return Infinity;
  let power = share;
  let weight = 1;
  let sum = share;
  for (;;) {
    power *= power;
    const before = sum;
    sum += power * weight;
    weight += weight;
    if (sum === before) return sum;
  }
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let root = share;
  let weight = 1;
  let sum = 1 - share;
  for (;;) {
    root = Math.sqrt(root);
    const before = sum;
    weight *= 0.5;
    sum -= (1 - root) * (1 - root) * weight;
    if (sum === before) return sum / 3;
  }
}
