/** SORT: a list, set or sorted set in another order, with what lies under keys that its members name. */
import { Code, type Integer } from './codes.js';
import type { Operation, OperationArgument } from './operation.js';

/** Patterns: the first `*` stands for the member; behind `->` is a field of the hash at the key, else it is a string. */
export interface Sorting {
  readonly key: Buffer;
  /** By whose values; null: by the members themselves. */
  readonly by: Buffer | null;
  /** Not sorted at all: lists and sorted sets stay in their order. */
  readonly asIs: boolean;
  /** A set that is not sorted comes by its bytes: what is stored, or seen by a script, must not be in an order of chance. */
  readonly settles: boolean;
  /** What is returned for each member, `#` being the member itself; none: the members. */
  readonly gets: readonly Buffer[];
  readonly descending: boolean;
  /** By bytes rather than by number. */
  readonly alphabetic: boolean;
  readonly start: Integer;
  /** Below 0: all. */
  readonly count: Integer;
  /** Which of the patterns came first: where keys must share a slot, it is refused. */
  readonly firstPattern: 'BY' | 'GET' | null;
}

/** An array; null for a value that is not there. */
export const sort = (sorting: Sorting): Operation => [Code.sort, ...wireSorting(sorting)];

/** How many were stored as a list at `to`, in place of what is there; values that are not there are empty. */
export const sortStore = (sorting: Sorting, to: Buffer): Operation => [Code.sortStore, to, ...wireSorting(sorting)];

function wireSorting(sorting: Sorting): readonly OperationArgument[] {
  const { key, by, asIs, gets, descending, alphabetic, start, count, firstPattern, settles } = sorting;
  return [key, by, asIs, gets, descending, alphabetic, start, count, firstPattern, settles];
}
