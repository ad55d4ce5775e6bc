/**
 * The table of operations, one enumeration for Redis commands and the native client. Numbers are on
 * the wire and, with results, in the mutation log: explicit, never reused. Each code has its constructor, which
 * documents its arguments and its result, here or in a file beside this one, by type; server/rows executes it.
 *
 * Times: `ms` relative to partition time when the mode is `Expiry.relative` (the server decides what
 * "now" is, once, for all replicas), milliseconds since 1970 when it is `Expiry.absolute`.
 */
import type { Operation } from './operation.js';

export const Code = {
  // strings
  get: 1,
  set: 2,
  getAndExpire: 3,
  getAndDelete: 4,
  append: 5,
  setRange: 6,
  getRange: 7,
  length: 8,
  increment: 9,
  incrementFloat: 10,
  longestCommon: 11,
  multiGet: 12,
  multiSet: 13,
  multiSetIfNone: 14,
  // their bits (bits.ts)
  setBit: 15,
  getBit: 16,
  bitCount: 17,
  bitPosition: 18,
  bitCombine: 19,
  bitField: 20,
  bitFieldRead: 21,
  // HyperLogLogs (hyperloglogs.ts)
  sketchAdd: 22,
  sketchCount: 23,
  sketchUnionCount: 24,
  sketchMerge: 25,
  sketchInspect: 26,
  // strings on conditions (strings.ts)
  multiSetExpiring: 29,
  removeIf: 30,
  // keys of any type
  remove: 40,
  exists: 41,
  touch: 42,
  type: 43,
  expire: 44,
  timeToLive: 45,
  expireTime: 46,
  persist: 47,
  rename: 48,
  copy: 49,
  move: 50,
  facts: 51,
  digestValues: 52,
  // (dumps.ts)
  dump: 53,
  restore: 54,
  // (sorting.ts)
  sort: 55,
  sortStore: 56,
  // whole databases
  scan: 70,
  randomKey: 72,
  counts: 73,
  flush: 74,
  flushAll: 75,
  swapDatabases: 76,
  digest: 77,
  activeExpiry: 78,
  memory: 79,
  setMemoryLimits: 80,
  writesSynced: 81,
  statistics: 82,
  resetStatistics: 83,
  walk: 84,
  // fields of a row by sort key
  fieldGet: 100,
  fieldMultiGet: 101,
  fieldSet: 102,
  fieldRemove: 103,
  fieldIncrement: 104,
  fieldCheckAndSet: 105,
  fieldCount: 106,
  fieldTimeToLive: 107,
  fieldScan: 108,
  fullScan: 109,
  // lists (lists.ts)
  listPush: 120,
  listPop: 121,
  listPopFirst: 122,
  listMove: 123,
  listLength: 124,
  listRange: 125,
  listGet: 126,
  listSet: 127,
  listInsert: 128,
  listRemove: 129,
  listTrim: 130,
  listFind: 131,
  // sets (sets.ts)
  setAdd: 140,
  setRemove: 141,
  setSize: 142,
  setHas: 143,
  setMembers: 144,
  setPop: 145,
  setRandom: 146,
  setMove: 147,
  setCombine: 148,
  setCombineStore: 149,
  setCommonCount: 150,
  setScan: 151,
  // hashes (hashes.ts)
  hashSet: 160,
  hashSetIf: 161,
  hashLength: 162,
  hashAll: 163,
  hashIncrementFloat: 164,
  hashRandom: 165,
  hashScan: 166,
  hashExpire: 167,
  hashPersist: 168,
  hashTimesToLive: 169,
  hashExpireTimes: 170,
  hashGetAndExpire: 171,
  hashGetAndRemove: 172,
  // sorted sets (zsets.ts)
  zsetAdd: 210,
  zsetIncrement: 211,
  zsetRemove: 212,
  zsetSize: 213,
  zsetScores: 214,
  zsetRank: 215,
  zsetRange: 216,
  zsetRangeStore: 217,
  zsetCount: 218,
  zsetRemoveRange: 219,
  zsetPop: 220,
  zsetPopFirst: 221,
  zsetRandom: 222,
  zsetScan: 223,
  zsetCombine: 224,
  zsetCombineStore: 225,
  zsetCommonCount: 226,
  // streams (streams.ts)
  streamAdd: 240,
  streamTrim: 241,
  streamLength: 242,
  streamRange: 243,
  streamRemove: 244,
  streamRemoveReferenced: 245,
  streamSetId: 246,
  streamRead: 247,
  streamInfo: 248,
  streamFullInfo: 249,
  groupRead: 250,
  groupAcknowledge: 251,
  groupAcknowledgeRemove: 252,
  groupPending: 253,
  groupPendingRange: 254,
  groupClaim: 255,
  groupAutoClaim: 256,
  groupCreate: 257,
  groupSetId: 258,
  groupDestroy: 259,
  consumerCreate: 260,
  consumerRemove: 261,
  groupsInfo: 262,
  consumersInfo: 263,
  // positions in sorted sets (geo.ts)
  geoSearch: 190,
  geoSearchStore: 191,
  // several at once (transactions.ts)
  transaction: 200,
  growingTransaction: 201,
  readTransaction: 202,
  marks: 203,
  // messages, and who wants them (pubsub.ts)
  listen: 280,
  publish: 281,
  topics: 282,
  listeners: 283,
  setNotifications: 284,
  notifications: 285,
  // scripts (scripts.ts)
  script: 270,
  readScript: 271,
  loadScript: 272,
  scriptsExist: 273,
  flushScripts: 274,
  endScript: 275,
  scriptStatus: 276,
  callFunction: 277,
  readFunction: 278,
  changeLibraries: 279,
  libraries: 290,
} as const;
export type Code = (typeof Code)[keyof typeof Code];

/** Operations that change nothing, whatever their arguments: repeating them is harmless. */
const readOnly: ReadonlySet<number> = new Set<Code>([
  Code.get,
  Code.getBit,
  Code.bitCount,
  Code.bitPosition,
  Code.bitFieldRead,
  Code.sketchUnionCount,
  Code.getRange,
  Code.length,
  Code.longestCommon,
  Code.multiGet,
  Code.exists,
  Code.touch,
  Code.type,
  Code.timeToLive,
  Code.expireTime,
  Code.facts,
  Code.digestValues,
  Code.dump,
  Code.sort,
  Code.scan,
  Code.walk,
  Code.randomKey,
  Code.counts,
  Code.digest,
  Code.activeExpiry,
  Code.memory,
  Code.statistics,
  Code.resetStatistics,
  Code.fieldGet,
  Code.fieldMultiGet,
  Code.fieldCount,
  Code.fieldTimeToLive,
  Code.fieldScan,
  Code.fullScan,
  Code.listLength,
  Code.listRange,
  Code.listGet,
  Code.listFind,
  Code.setSize,
  Code.setHas,
  Code.setMembers,
  Code.setRandom,
  Code.setCombine,
  Code.setCommonCount,
  Code.setScan,
  Code.hashLength,
  Code.hashAll,
  Code.hashRandom,
  Code.hashScan,
  Code.hashTimesToLive,
  Code.hashExpireTimes,
  Code.zsetSize,
  Code.zsetScores,
  Code.zsetRank,
  Code.zsetRange,
  Code.zsetCount,
  Code.zsetRandom,
  Code.zsetScan,
  Code.zsetCombine,
  Code.zsetCommonCount,
  Code.streamLength,
  Code.streamRange,
  Code.streamRead,
  Code.streamInfo,
  Code.streamFullInfo,
  Code.groupPending,
  Code.groupPendingRange,
  Code.groupsInfo,
  Code.consumersInfo,
  Code.geoSearch,
  Code.readTransaction,
  Code.marks,
  Code.listen,
  Code.publish,
  Code.topics,
  Code.listeners,
  Code.readScript,
  Code.scriptsExist,
  Code.endScript,
  Code.scriptStatus,
  Code.readFunction,
  Code.libraries,
  Code.notifications,
  Code.writesSynced,
]);

export function isReadOnly(code: number): boolean {
  return readOnly.has(code);
}

/** Not logged, so that a repetition would not be recognised, and yet it must not happen twice. */
export function isOnce(code: number): boolean {
  return code === Code.publish;
}

/** How a time is given. `none`: no expiry; `keep`: the one there is stays. */
export const Expiry = { none: 0, relative: 1, absolute: 2, keep: 3 } as const;
export type Expiry = (typeof Expiry)[keyof typeof Expiry];

/** Bits of `set`. */
export const SetFlag = { ifAbsent: 1, ifPresent: 2, returnOld: 4, ifEqual: 8, ifNotEqual: 16 } as const;

/** Bits of `expire`. */
export const ExpireFlag = { ifNone: 1, ifSome: 2, ifGreater: 4, ifLess: 8 } as const;

/** What `longestCommon` returns. */
export const LcsMode = { text: 0, length: 1, matches: 2 } as const;
export type LcsMode = (typeof LcsMode)[keyof typeof LcsMode];

/**
 * Up to how many elements, and how many bytes each, Redis would keep a collection as a listpack: what OBJECT ENCODING
 * says follows from the limits that the proxy of the client is configured with. Operations take null for the defaults.
 */
export type CompactLimits = readonly [entries: number, valueBytes: number];

/** An int64: a number where it is exact, else a bigint. */
export type Integer = number | bigint;

/** The value, or null. */
export const get = (key: Buffer): Operation => [Code.get, key];

/**
 * True when set, null when a condition failed; with `returnOld` the old value or null in either case.
 * A plain SET is three elements long, as this is the hottest operation there is. `compared`: what the old value must be
 * equal to (`ifEqual`), or not.
 */
export const set = (
  key: Buffer,
  value: Buffer,
  flags: number = 0,
  expiry: Expiry = Expiry.none,
  ms: number = 0,
  compared: Buffer | null = null,
): Operation =>
  flags === 0 && expiry === Expiry.none ? [Code.set, key, value] : [Code.set, key, value, flags, expiry, ms, compared];

/**
 * The value, or null. `Expiry.none` persists, `Expiry.keep` changes nothing. `refusal`: what is wrong with
 * the time; Redis says so only when the key exists, so the server must.
 */
export const getAndExpire = (key: Buffer, expiry: Expiry, ms: number, refusal: string | null): Operation => [
  Code.getAndExpire,
  key,
  expiry,
  ms,
  refusal,
];

/** The value that was removed, or null. */
export const getAndDelete = (key: Buffer): Operation => [Code.getAndDelete, key];

/** The new length. */
export const append = (key: Buffer, bytes: Buffer): Operation => [Code.append, key, bytes];

/** The new length. `offset` is not negative. */
export const setRange = (key: Buffer, offset: Integer, bytes: Buffer): Operation => [Code.setRange, key, offset, bytes];

/** The bytes from `start` to `end` inclusive; negative positions count from the end. */
export const getRange = (key: Buffer, start: Integer, end: Integer): Operation => [Code.getRange, key, start, end];

/** The string's length in bytes, 0 when absent. */
export const length = (key: Buffer): Operation => [Code.length, key];

/** The new value, an Integer. */
export const increment = (key: Buffer, delta: Integer): Operation => [Code.increment, key, delta];

/** The new value as bytes. `delta` is text that Redis reads as a float. */
export const incrementFloat = (key: Buffer, delta: Buffer): Operation => [Code.incrementFloat, key, delta];

/**
 * By mode: the longest common subsequence; its length; or `[length, matches]`, last match first, each
 * `[fromA, toA, fromB, toB, length]`, those of at least `minMatchLength` bytes. `refusal`: what is wrong with the
 * options, which Redis says only once it has found two strings.
 */
export const longestCommon = (
  a: Buffer,
  b: Buffer,
  mode: LcsMode,
  minMatchLength: Integer,
  refusal: string | null,
): Operation => [Code.longestCommon, a, b, mode, minMatchLength, refusal];

/** Values in the order of `keys`, null where there is none or it is no string. */
export const multiGet = (keys: readonly Buffer[]): Operation => [Code.multiGet, ...keys];

/** True. `pairs`: key, value, key, value ... */
export const multiSet = (pairs: readonly Buffer[]): Operation => [Code.multiSet, ...pairs];

/** True when all were set, false when one of the keys existed and none was. */
export const multiSetIfNone = (pairs: readonly Buffer[]): Operation => [Code.multiSetIfNone, ...pairs];

/** How many there were. */
export const remove = (keys: readonly Buffer[]): Operation => [Code.remove, ...keys];

/** How many exist; a key given twice counts twice. Does not count as an access. */
export const exists = (keys: readonly Buffer[]): Operation => [Code.exists, ...keys];

/** How many exist; all of them count as accessed now. */
export const touch = (keys: readonly Buffer[]): Operation => [Code.touch, ...keys];

/** The type's Redis name, null when absent. */
export const type = (key: Buffer): Operation => [Code.type, key];

/** True when the expiry was set or the key, being past it, was removed. `flags`: bits of ExpireFlag. */
export const expire = (key: Buffer, expiry: Expiry, ms: number, flags: number): Operation => [
  Code.expire,
  key,
  expiry,
  ms,
  flags,
];

/** Milliseconds left, -1 without expiry, -2 when absent. */
export const timeToLive = (key: Buffer): Operation => [Code.timeToLive, key];

/** When it expires in ms since 1970, -1 without expiry, -2 when absent. */
export const expireTime = (key: Buffer): Operation => [Code.expireTime, key];

/** True when there was an expiry to remove. */
export const persist = (key: Buffer): Operation => [Code.persist, key];

/** True; with `ifAbsent` false when `to` exists. Error when `from` does not exist. */
export const rename = (from: Buffer, to: Buffer, ifAbsent: boolean): Operation => [Code.rename, from, to, ifAbsent];

/** True when copied; false when `from` does not exist or `to` does and `replace` is false. */
export const copy = (from: Buffer, to: Buffer, toDatabase: number, replace: boolean): Operation => [
  Code.copy,
  from,
  to,
  toDatabase,
  replace,
];

/** True when moved; false when it does not exist here or does exist there. */
export const move = (key: Buffer, toDatabase: number): Operation => [Code.move, key, toDatabase];

/**
 * Facts about a row for OBJECT, MEMORY USAGE and DEBUG OBJECT, without touching it; null when absent:
 * `[encoding, references, idleSeconds, frequency, memoryBytes, serializedBytes, accessedAtSeconds]`,
 * `encoding` being its Redis name. `factOf` reads it.
 */
export const facts = (key: Buffer): Operation => [Code.facts, key];

/** Of each key a SHA-1 of its value, its expiry left out; 20 zero bytes for an absent key. */
export const digestValues = (keys: readonly Buffer[]): Operation => [Code.digestValues, ...keys];

/**
 * `[cursor, keys, visited]`: keys from `cursor` (slot * 2^32 + hash) on, of about `count` visited ones those
 * that match. The cursor returned is where to go on; when this partition is at its end, it is the first
 * of the following slot, or 0 after the last slot there is. `typeName` null: of every type.
 */
export const scan = (cursor: number, count: number, pattern: Buffer | null, typeName: string | null): Operation => [
  Code.scan,
  cursor,
  count,
  pattern,
  typeName,
];

/** `[key or null, keys in this partition, a random number in [0, 1)]`. */
export const randomKey = (): Operation => [Code.randomKey];

/** Of every database that is not empty `[database, keys, keys with an expiry]`. */
export const counts = (): Operation => [Code.counts];

/** True. Empties the request's database. */
export const flush = (): Operation => [Code.flush];

/** True. Empties all databases. */
export const flushAll = (): Operation => [Code.flushAll];

/** True. */
export const swapDatabases = (a: number, b: number): Operation => [Code.swapDatabases, a, b];

/** 20 bytes, independent of order: those of partitions are combined by xor. All zero when all databases are empty. */
export const digest = (): Operation => [Code.digest];

/**
 * True. Whether the primary looks for expired rows by itself; not replicated, so a successor does. For
 * DEBUG SET-ACTIVE-EXPIRE.
 */
export const activeExpiry = (on: boolean): Operation => [Code.activeExpiry, on];
