/** Operations on lists. Positions count from 0; negative ones from the end. */
import { Code, type Integer } from './codes.js';
import type { Operation } from './operation.js';

/** One after the other at that end. The new length; 0 when nothing was done, as `ifPresent` found no list. */
export const listPush = (key: Buffer, atHead: boolean, ifPresent: boolean, values: readonly Buffer[]): Operation => [
  Code.listPush,
  key,
  atHead,
  ifPresent,
  ...values,
];

/** With `count` null the value, else an array of up to so many; null when there is no list. */
export const listPop = (key: Buffer, fromHead: boolean, count: Integer | null): Operation => [
  Code.listPop,
  key,
  fromHead,
  count,
];

/** `[key, values]` of the first key that holds a list, up to `count` values of it; null when none does. */
export const listPopFirst = (keys: readonly Buffer[], fromHead: boolean, count: Integer): Operation => [
  Code.listPopFirst,
  fromHead,
  count,
  ...keys,
];

/** The value that went from an end of one list to an end of another, or of the same; null when there is none. */
export const listMove = (from: Buffer, to: Buffer, fromHead: boolean, toHead: boolean): Operation => [
  Code.listMove,
  from,
  to,
  fromHead,
  toHead,
];

/** 0 when absent. */
export const listLength = (key: Buffer): Operation => [Code.listLength, key];

/** The values from `start` to `end` inclusive. */
export const listRange = (key: Buffer, start: Integer, end: Integer): Operation => [Code.listRange, key, start, end];

/** The value, or null. `index` null: not an integer, which Redis says only when the key exists. */
export const listGet = (key: Buffer, index: Integer | null): Operation => [Code.listGet, key, index];

/** True. Error when the key or position does not exist; `index` as in `listGet`. */
export const listSet = (key: Buffer, index: Integer | null, value: Buffer): Operation => [
  Code.listSet,
  key,
  index,
  value,
];

/** The new length; -1 when there is no `pivot`, 0 when there is no list. */
export const listInsert = (key: Buffer, before: boolean, pivot: Buffer, value: Buffer): Operation => [
  Code.listInsert,
  key,
  before,
  pivot,
  value,
];

/** How many were removed: the first `count` equal ones, the last ones where it is negative, all where it is 0. */
export const listRemove = (key: Buffer, count: Integer, value: Buffer): Operation => [
  Code.listRemove,
  key,
  count,
  value,
];

/** True. What lies outside of `start` to `end` (inclusive) is removed. */
export const listTrim = (key: Buffer, start: Integer, end: Integer): Operation => [Code.listTrim, key, start, end];

/**
 * Positions of equal values, from the `rank`-th match on (negative: from the end of the list, going back), at
 * most `count` of them (0: all), comparing at most `comparisons` values (0: all).
 */
export const listFind = (
  key: Buffer,
  value: Buffer,
  rank: Integer,
  count: Integer,
  comparisons: Integer,
): Operation => [Code.listFind, key, value, rank, count, comparisons];
