/** Operations on the bits of strings: bit 0 is the highest of the first byte. Absent keys are empty strings. */
import { Code, type Integer } from './codes.js';
import type { Operation } from './operation.js';

/** How many bits a position of a range stands for. */
export const BitUnit = { bit: 1, byte: 8 } as const;
export type BitUnit = (typeof BitUnit)[keyof typeof BitUnit];

/** Inclusive positions; negative ones count from the end. `end` null: to the last, and what is behind counts as zeros. */
export interface BitRange {
  readonly start: Integer;
  readonly end: Integer | null;
  readonly unit: BitUnit;
}

export const BitOperator = { and: 1, or: 2, xor: 3, not: 4 } as const;
export type BitOperator = (typeof BitOperator)[keyof typeof BitOperator];

export const BitFieldAction = { get: 1, set: 2, increment: 3 } as const;
export type BitFieldAction = (typeof BitFieldAction)[keyof typeof BitFieldAction];

/** What happens to a number that its field cannot hold; `fail`: the field stays as it is, and null is returned. */
export const Overflow = { wrap: 1, saturate: 2, fail: 3 } as const;
export type Overflow = (typeof Overflow)[keyof typeof Overflow];

/** One access to an integer of `width` bits (1 to 64, of unsigned ones to 63) at the bit `offset`. */
export interface BitFieldStep {
  readonly action: BitFieldAction;
  readonly signed: boolean;
  readonly width: number;
  readonly offset: number;
  /** What to set, or by how much to increment; 0 for `get`. */
  readonly value: Integer;
  readonly overflow: Overflow;
}

/** The bit there was, 0 or 1. `offset` is not negative; `bit` is 0 or 1. */
export const setBit = (key: Buffer, offset: number, bit: number): Operation => [Code.setBit, key, offset, bit];

/** The bit, 0 past the end. */
export const getBit = (key: Buffer, offset: number): Operation => [Code.getBit, key, offset];

/**
 * How many bits within the range are 1. `refusal`: what is wrong with the arguments; Redis says so only when the
 * key exists, so the server must.
 */
export const bitCount = (key: Buffer, { start, end, unit }: BitRange, refusal: string | null): Operation => [
  Code.bitCount,
  key,
  start,
  end,
  unit,
  refusal,
];

/** Where the first such bit of the range is, -1 when there is none. `refusal` as for `bitCount`. */
export const bitPosition = (
  key: Buffer,
  bit: number,
  { start, end, unit }: BitRange,
  refusal: string | null,
): Operation => [Code.bitPosition, key, bit, start, end, unit, refusal];

/** The length of the result, which takes the place of what is at `to`; an empty one only removes that. */
export const bitCombine = (operator: BitOperator, to: Buffer, keys: readonly Buffer[]): Operation => [
  Code.bitCombine,
  operator,
  to,
  ...keys,
];

/** Of each step an Integer: the value (`get`), the one before (`set`), the new one (`increment`); null where it failed. */
export const bitField = (key: Buffer, steps: readonly BitFieldStep[]): Operation => [
  steps.every(({ action }) => action === BitFieldAction.get) ? Code.bitFieldRead : Code.bitField,
  key,
  ...steps.map(({ action, signed, width, offset, value, overflow }) => [
    action,
    signed,
    width,
    offset,
    value,
    overflow,
  ]),
];
