/** Operations on the fields of a row by sort key: what the native client has, and some of Redis's hashes. */
import { Code, type CompactLimits, type Integer } from './codes.js';
import type { Operation } from './operation.js';

/** What `fieldCheckAndSet` demands of the checked field; comparisons are bytewise and fail on an absent field. */
export const Check = {
  absent: 1,
  present: 2,
  equal: 3,
  notEqual: 4,
  less: 5,
  lessOrEqual: 6,
  greater: 7,
  greaterOrEqual: 8,
} as const;
export type Check = (typeof Check)[keyof typeof Check];

/** The field's value, or null. */
export const fieldGet = (key: Buffer, sortKey: Buffer): Operation => [Code.fieldGet, key, sortKey];

/** Values in the order of `sortKeys`, null where there is none. */
export const fieldMultiGet = (key: Buffer, sortKeys: readonly Buffer[]): Operation => [
  Code.fieldMultiGet,
  key,
  ...sortKeys,
];

/** `ttlMs` 0: the field does not expire. */
export interface Field {
  readonly sortKey: Buffer;
  readonly value: Buffer;
  readonly ttlMs: number;
}

/** How many of them are new. */
export const fieldSet = (key: Buffer, fields: readonly Field[]): Operation => [
  Code.fieldSet,
  key,
  ...fields.flatMap((field) => [field.sortKey, field.value, field.ttlMs]),
];

/** How many there were. */
export const fieldRemove = (key: Buffer, sortKeys: readonly Buffer[]): Operation => [
  Code.fieldRemove,
  key,
  ...sortKeys,
];

/** The new value, an Integer. `ttlMs` 0: an expiry stays as it is. */
export const fieldIncrement = (
  key: Buffer,
  sortKey: Buffer,
  delta: Integer,
  ttlMs: number,
  compact: CompactLimits | null = null,
): Operation => [Code.fieldIncrement, key, sortKey, delta, ttlMs, compact];

export interface CheckAndSet {
  readonly check: Check;
  readonly checkSortKey: Buffer;
  /** What a comparison compares with; empty for `absent` and `present`. */
  readonly operand: Buffer;
  readonly setSortKey: Buffer;
  /** Null: removes the field. */
  readonly value: Buffer | null;
  readonly ttlMs: number;
}

/** `[done, the checked field's value before or null]`. */
export const fieldCheckAndSet = (key: Buffer, c: CheckAndSet): Operation => [
  Code.fieldCheckAndSet,
  key,
  c.checkSortKey,
  c.check,
  c.operand,
  c.setSortKey,
  c.value,
  c.ttlMs,
];

/** How many live fields the row has; 0 when absent. */
export const fieldCount = (key: Buffer): Operation => [Code.fieldCount, key];

/** Milliseconds left, -1 without expiry, -2 when absent. */
export const fieldTimeToLive = (key: Buffer, sortKey: Buffer): Operation => [Code.fieldTimeToLive, key, sortKey];

export interface FieldRange {
  /** Inclusive; null: from the first. */
  readonly from: Buffer | null;
  /** Exclusive; null: to the last. */
  readonly to: Buffer | null;
  readonly limit: number;
  readonly reverse: boolean;
}

/**
 * `[next, [sortKey, value, sortKey, value ...]]` in bytewise order of sort keys. Unless `next` is null there is
 * more: from it on (`from`), or before it when in reverse (`to`). `limit` bounds what is visited; a page may
 * have fewer fields, or none, where expired ones were.
 */
export const fieldScan = (key: Buffer, range: FieldRange): Operation => [
  Code.fieldScan,
  key,
  range.from,
  range.to,
  range.limit,
  range.reverse,
];

/**
 * `[cursor, rows]` as `scan`, of rows with fields only: each row `[key, next, [sortKey, value ...]]` with at
 * most `fieldsPerRow` of its fields; `fieldScan` from `next` on gives the others.
 */
export const fullScan = (cursor: number, count: number, fieldsPerRow: number): Operation => [
  Code.fullScan,
  cursor,
  count,
  fieldsPerRow,
];
