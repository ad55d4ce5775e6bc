/**
 * Operations on Redis's hashes. What the native client's rows have, too (get, remove, increment, count), is in
 * codes.ts. `compact` null: Redis's default limits.
 */
import { Code, type CompactLimits, type Expiry, type Integer } from './codes.js';
import type { Operation } from './operation.js';

/** Bits of `hashSetIf`. */
export const HashSetFlag = { ifNone: 1, ifAll: 2 } as const;

/** What of each field is wanted. */
export const HashPart = { fields: 1, values: 2, both: 3 } as const;
export type HashPart = (typeof HashPart)[keyof typeof HashPart];

/** What became of each field, as HEXPIRE and its kin answer. */
export const FieldOutcome = { noField: -2, noExpiry: -1, conditionFailed: 0, done: 1, removed: 2 } as const;

/** How many fields are new. `pairs`: field, value, field, value ... An expiry that a field has is dropped. */
export const hashSet = (key: Buffer, compact: CompactLimits | null, pairs: readonly Buffer[]): Operation => [
  Code.hashSet,
  key,
  compact,
  ...pairs,
];

/** True when all were set; false when one of the fields existed (`ifNone`), or did not (`ifAll`), and none was. */
export const hashSetIf = (
  key: Buffer,
  compact: CompactLimits | null,
  flags: number,
  expiry: Expiry,
  ms: number,
  pairs: readonly Buffer[],
): Operation => [Code.hashSetIf, key, compact, flags, expiry, ms, ...pairs];

/** The length of the field's value in bytes, null when there is no such field. */
export const hashLength = (key: Buffer, field: Buffer): Operation => [Code.hashLength, key, field];

/** Of all fields the parts wanted, in bytewise order of fields. */
export const hashAll = (key: Buffer, wanted: HashPart): Operation => [Code.hashAll, key, wanted];

/** The new value as bytes. `delta` is text that Redis reads as a float. */
export const hashIncrementFloat = (
  key: Buffer,
  field: Buffer,
  delta: Buffer,
  compact: CompactLimits | null,
): Operation => [Code.hashIncrementFloat, key, field, delta, compact];

/**
 * Fields chosen at random. With `count` null one, or null; else an array: up to `count` different ones, or, where
 * it is negative, exactly so many of which some may be the same. With values: field, value, field, value ...
 */
export const hashRandom = (key: Buffer, count: Integer | null, withValues: boolean): Operation => [
  Code.hashRandom,
  key,
  count,
  withValues,
];

/**
 * `[cursor, parts]`: from `cursor` (0: the beginning) on, of about `count` visited fields those that match. The
 * cursor returned is where to go on, 0 at the end. `refusal`: what is wrong with the options; Redis says so only
 * when the key exists.
 */
export const hashScan = (
  key: Buffer,
  cursor: number,
  count: number,
  pattern: Buffer | null,
  refusal: string | null,
  fieldsOnly: boolean,
): Operation => [Code.hashScan, key, cursor, count, pattern, refusal, fieldsOnly];

/** Of each field a FieldOutcome. `flags`: bits of ExpireFlag. */
export const hashExpire = (
  key: Buffer,
  expiry: Expiry,
  ms: number,
  flags: number,
  fields: readonly Buffer[],
): Operation => [Code.hashExpire, key, expiry, ms, flags, ...fields];

/** Of each field a FieldOutcome. */
export const hashPersist = (key: Buffer, fields: readonly Buffer[]): Operation => [Code.hashPersist, key, ...fields];

/** Of each field the milliseconds left, -1 without expiry, -2 when absent. */
export const hashTimesToLive = (key: Buffer, fields: readonly Buffer[]): Operation => [
  Code.hashTimesToLive,
  key,
  ...fields,
];

/** Of each field when it expires in ms since 1970, -1 without expiry, -2 when absent. */
export const hashExpireTimes = (key: Buffer, fields: readonly Buffer[]): Operation => [
  Code.hashExpireTimes,
  key,
  ...fields,
];

/** Values in the order of `fields`, null where there is none. `Expiry.none` persists, `Expiry.keep` changes nothing. */
export const hashGetAndExpire = (key: Buffer, expiry: Expiry, ms: number, fields: readonly Buffer[]): Operation => [
  Code.hashGetAndExpire,
  key,
  expiry,
  ms,
  ...fields,
];

/** The values that were removed, in the order of `fields`, null where there was none. */
export const hashGetAndRemove = (key: Buffer, fields: readonly Buffer[]): Operation => [
  Code.hashGetAndRemove,
  key,
  ...fields,
];
