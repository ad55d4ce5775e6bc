/** Operations on sets. */
import { Code, type Integer } from './codes.js';
import type { Operation } from './operation.js';

/** How sets are combined. A difference is the first set without the members of the others. */
export const Combination = { intersection: 1, union: 2, difference: 3 } as const;
export type Combination = (typeof Combination)[keyof typeof Combination];

/** How many of them are new. */
export const setAdd = (key: Buffer, members: readonly Buffer[]): Operation => [Code.setAdd, key, ...members];

/** How many there were. */
export const setRemove = (key: Buffer, members: readonly Buffer[]): Operation => [Code.setRemove, key, ...members];

/** 0 when absent. */
export const setSize = (key: Buffer): Operation => [Code.setSize, key];

/** Of each member whether it is there. */
export const setHas = (key: Buffer, members: readonly Buffer[]): Operation => [Code.setHas, key, ...members];

/** All, in no particular order. */
export const setMembers = (key: Buffer): Operation => [Code.setMembers, key];

/** Removes members chosen at random. With `count` null the member, or null; else an array of up to so many. */
export const setPop = (key: Buffer, count: Integer | null): Operation => [Code.setPop, key, count];

/**
 * Members chosen at random. With `count` null one, or null; else an array: up to `count` different ones, or,
 * where it is negative, exactly so many of which some may be the same.
 */
export const setRandom = (key: Buffer, count: Integer | null): Operation => [Code.setRandom, key, count];

/** True when `from` had the member. */
export const setMove = (from: Buffer, to: Buffer, member: Buffer): Operation => [Code.setMove, from, to, member];

/** The members of the combination. */
export const setCombine = (combination: Combination, keys: readonly Buffer[]): Operation => [
  Code.setCombine,
  combination,
  ...keys,
];

/** How many members the combination has; it takes the place of what is at `to`, whatever its type. */
export const setCombineStore = (combination: Combination, to: Buffer, keys: readonly Buffer[]): Operation => [
  Code.setCombineStore,
  combination,
  to,
  ...keys,
];

/** How many members all of the sets have in common, counted up to `limit` (0: all). */
export const setCommonCount = (limit: Integer, keys: readonly Buffer[]): Operation => [
  Code.setCommonCount,
  limit,
  ...keys,
];

/**
 * `[cursor, members]`: from `cursor` (0: the beginning) on, of about `count` visited members those that match.
 * The cursor returned is where to go on, 0 at the end. `refusal`: what is wrong with the options; Redis says so
 * only when the key exists.
 */
export const setScan = (
  key: Buffer,
  cursor: number,
  count: number,
  pattern: Buffer | null,
  refusal: string | null,
): Operation => [Code.setScan, key, cursor, count, pattern, refusal];
