/** Operations on sorted sets. `compact` null: Redis's default limits. */
import { Code, type CompactLimits, type Integer } from './codes.js';
import type { Operation, OperationArgument, OperationResult } from './operation.js';

/** A score on the wire: a number, but for -0, which msgpack would take for the integer 0. */
export type WireScore = number | '-0';

export const toWire = (score: number): WireScore => (Object.is(score, -0) ? '-0' : score);
export const fromWire = (score: OperationArgument | OperationResult): number => Number(score);

/** Bits of `zsetAdd`. */
export const AddFlag = { ifNew: 1, ifPresent: 2, ifGreater: 4, ifLess: 8 } as const;

export interface ScoredMember {
  readonly score: number;
  readonly member: Buffer;
}

/** `[added, updated]`: how many members are new, and how many have another score than before. */
export const zsetAdd = (
  key: Buffer,
  compact: CompactLimits | null,
  flags: number,
  members: readonly ScoredMember[],
): Operation => [Code.zsetAdd, key, compact, flags, ...members.flatMap(({ score, member }) => [toWire(score), member])];

/** The new score, null when a condition failed. A member that is new begins at 0. */
export const zsetIncrement = (
  key: Buffer,
  compact: CompactLimits | null,
  flags: number,
  member: Buffer,
  delta: number,
): Operation => [Code.zsetIncrement, key, compact, flags, member, toWire(delta)];

/** How many there were. */
export const zsetRemove = (key: Buffer, members: readonly Buffer[]): Operation => [Code.zsetRemove, key, ...members];

/** 0 when absent. */
export const zsetSize = (key: Buffer): Operation => [Code.zsetSize, key];

/** Scores in the order of `members`, null where there is none. */
export const zsetScores = (key: Buffer, members: readonly Buffer[]): Operation => [Code.zsetScores, key, ...members];

/** `[rank, score]`, counting from 0 at the lowest (in reverse: the highest) score; null when there is no such member. */
export const zsetRank = (key: Buffer, member: Buffer, reverse: boolean): Operation => [
  Code.zsetRank,
  key,
  member,
  reverse,
];

/** How a range of a sorted set is given. */
export const RangeBy = { rank: 1, score: 2, text: 3 } as const;

/** With `reverse` from the last to the first; `offset` are left out, at most `limit` are taken (below 0: all). */
export interface RangeWalk {
  readonly reverse: boolean;
  readonly offset: Integer;
  readonly limit: Integer;
}

export interface ScoreBound {
  readonly score: number;
  readonly exclusive: boolean;
}

/** What the constructors below make; part of several operations. */
export type ZsetRange = readonly OperationArgument[];

const FORWARDS: RangeWalk = { reverse: false, offset: 0, limit: -1 };

/** Ranks from `start` to `end` inclusive; negative ones count from the end. */
export const byRank = (start: Integer, end: Integer, reverse = false): ZsetRange => [
  RangeBy.rank,
  start,
  end,
  reverse,
  0,
  -1,
];

export const byScore = (min: ScoreBound, max: ScoreBound, walk: RangeWalk = FORWARDS): ZsetRange => [
  RangeBy.score,
  [toWire(min.score), min.exclusive],
  [toWire(max.score), max.exclusive],
  walk.reverse,
  walk.offset,
  walk.limit,
];

/** Of members that all have one score. Bounds as in ZRANGEBYLEX: `-`, `+`, `[text` or `(text`. */
export const byText = (min: Buffer, max: Buffer, walk: RangeWalk = FORWARDS): ZsetRange => [
  RangeBy.text,
  min,
  max,
  walk.reverse,
  walk.offset,
  walk.limit,
];

/** Members, with scores: member, score, member, score ... */
export const zsetRange = (key: Buffer, range: ZsetRange, withScores: boolean): Operation => [
  Code.zsetRange,
  key,
  range,
  withScores,
];

/** How many members were stored; they take the place of what is at `to`, whatever its type. */
export const zsetRangeStore = (
  to: Buffer,
  from: Buffer,
  range: ZsetRange,
  compact: CompactLimits | null,
): Operation => [Code.zsetRangeStore, to, from, range, compact];

export const zsetCount = (key: Buffer, range: ZsetRange): Operation => [Code.zsetCount, key, range];

/** How many there were. */
export const zsetRemoveRange = (key: Buffer, range: ZsetRange): Operation => [Code.zsetRemoveRange, key, range];

/** Up to `count` members with the lowest (or highest) scores, which are removed: member, score, member, score ... */
export const zsetPop = (key: Buffer, highest: boolean, count: Integer): Operation => [
  Code.zsetPop,
  key,
  highest,
  count,
];

/** `[key, popped]` of the first key that holds a sorted set; null when none does. */
export const zsetPopFirst = (keys: readonly Buffer[], highest: boolean, count: Integer): Operation => [
  Code.zsetPopFirst,
  highest,
  count,
  ...keys,
];

/**
 * Members chosen at random. With `count` null one, or null; else an array: up to `count` different ones, or, where it
 * is negative, exactly so many of which some may be the same. With scores: member, score, member, score ...
 */
export const zsetRandom = (key: Buffer, count: Integer | null, withScores: boolean): Operation => [
  Code.zsetRandom,
  key,
  count,
  withScores,
];

/**
 * `[cursor, [member, score ...]]`: from `cursor` (0: the beginning) on, of about `count` visited members those that
 * match. The cursor returned is where to go on, 0 at the end. `refusal`: what is wrong with the options; Redis says so
 * only when the key exists.
 */
export const zsetScan = (
  key: Buffer,
  cursor: number,
  count: number,
  pattern: Buffer | null,
  refusal: string | null,
): Operation => [Code.zsetScan, key, cursor, count, pattern, refusal];

/** How the scores of a member in several sets become one. */
export const Aggregate = { sum: 1, min: 2, max: 3 } as const;
export type Aggregate = (typeof Aggregate)[keyof typeof Aggregate];

/** What sorted sets, and sets (of scores 1), are combined to. `combination`: of sets.ts; `weights`: one for each key. */
export interface ZsetCombination {
  readonly combination: number;
  readonly keys: readonly Buffer[];
  readonly weights: readonly number[] | null;
  readonly aggregate: Aggregate;
  /** What is wrong with the options: Redis says so only once it has found the keys. */
  readonly refusal: string | null;
}

const combined = ({ combination, keys, weights, aggregate, refusal }: ZsetCombination): OperationArgument[] => [
  combination,
  aggregate,
  weights === null ? null : weights.map(toWire),
  refusal,
  ...keys,
];

/** In the order of scores: member, score, member, score ... */
export const zsetCombine = (of: ZsetCombination): Operation => [Code.zsetCombine, ...combined(of)];

/** How many members the combination has; it takes the place of what is at `to`, whatever its type. */
export const zsetCombineStore = (to: Buffer, compact: CompactLimits | null, of: ZsetCombination): Operation => [
  Code.zsetCombineStore,
  to,
  compact,
  ...combined(of),
];

/** How many members all have in common, counted up to `limit` (0: all). */
export const zsetCommonCount = (limit: Integer, refusal: string | null, keys: readonly Buffer[]): Operation => [
  Code.zsetCommonCount,
  limit,
  refusal,
  ...keys,
];
