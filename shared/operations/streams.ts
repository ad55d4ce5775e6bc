/**
 * Operations on streams and their consumer groups. Ids are 16 bytes (../stream-ids.ts) in arguments and text in
 * results. An entry is `[id, [field, value, field, value ...]]`; where an id is given that may have no entry any more,
 * the second part is null then.
 *
 * `refusal`: what is wrong with the arguments where Redis says so only once it has found the key, or the group.
 */
import { Code, type Integer } from './codes.js';
import type { Operation } from './operation.js';

/** How XADD's id comes about: by the clock, with the milliseconds given, or given. */
export const IdMode = { clock: 0, milliseconds: 1, whole: 2 } as const;
export type IdMode = (typeof IdMode)[keyof typeof IdMode];

export const TrimBy = { length: 1, id: 2 } as const;
export type TrimBy = (typeof TrimBy)[keyof typeof TrimBy];

/**
 * What to cut off a stream's beginning: what exceeds `length`, or what is before `id`. Approximately: whole nodes
 * only, and at most `limit` entries (0: any number).
 */
export type Trimming =
  | readonly [by: typeof TrimBy.length, approximately: boolean, limit: Integer, length: Integer]
  | readonly [by: typeof TrimBy.id, approximately: boolean, limit: Integer, id: Buffer];

/** Of how many entries and bytes Redis would make one node: what `~` cuts off follows from it. Null: Redis's defaults. */
export type NodeLimits = readonly [entries: number, bytes: number];

/** How a message that is claimed counts as delivered: now, so many ms ago, or at a time in ms since 1970. */
export const DeliveredMode = { now: 0, ago: 1, at: 2 } as const;
export type DeliveredMode = (typeof DeliveredMode)[keyof typeof DeliveredMode];

/** What XDELEX and XACKDEL do about references to an entry in groups. */
export const References = { keep: 1, remove: 2, acknowledged: 3 } as const;
export type References = (typeof References)[keyof typeof References];

/** Of one id. `kept`: groups still refer to its entry. */
export const RemovalOutcome = { absent: -1, removed: 1, kept: 2 } as const;

export interface Addition {
  readonly mode: IdMode;
  /** As far as the mode says. */
  readonly id: Buffer;
  /** False: nothing is done when there is no stream. */
  readonly create: boolean;
  readonly trimming: Trimming | null;
  readonly nodes: NodeLimits | null;
}

/** The id of the new entry; null when nothing was done. `pairs`: field, value, field, value ... */
export const streamAdd = (key: Buffer, a: Addition, pairs: readonly Buffer[]): Operation => [
  Code.streamAdd,
  key,
  a.mode,
  a.id,
  a.create,
  a.trimming,
  a.nodes,
  ...pairs,
];

/** How many entries were cut off. */
export const streamTrim = (key: Buffer, trimming: Trimming): Operation => [Code.streamTrim, key, trimming];

/** 0 when absent. */
export const streamLength = (key: Buffer): Operation => [Code.streamLength, key];

/** Entries from `from` to `to`, both inclusive, at most `count` (negative: all). Null when `count` is 0 and there is a stream. */
export const streamRange = (key: Buffer, from: Buffer, to: Buffer, reverse: boolean, count: Integer): Operation => [
  Code.streamRange,
  key,
  from,
  to,
  reverse,
  count,
];

/** How many entries there were. */
export const streamRemove = (key: Buffer, refusal: string | null, ids: readonly Buffer[]): Operation => [
  Code.streamRemove,
  key,
  refusal,
  ...ids,
];

/** Of each id a RemovalOutcome. */
export const streamRemoveReferenced = (key: Buffer, references: References, ids: readonly Buffer[]): Operation => [
  Code.streamRemoveReferenced,
  key,
  references,
  ...ids,
];

/** True. `entriesAdded` and `maxDeletedId` null: stay as they are. */
export const streamSetId = (
  key: Buffer,
  id: Buffer,
  entriesAdded: Integer | null,
  maxDeletedId: Buffer | null,
): Operation => [Code.streamSetId, key, id, entriesAdded, maxDeletedId];

/** What a stream is read behind: an id; `last`: its last id as of now; `new`: what no consumer of the group was given. */
export type ReadFrom = Buffer | 'last' | 'new';

export interface StreamPosition {
  readonly key: Buffer;
  readonly from: ReadFrom;
  readonly refusal: string | null;
}

const positions = (streams: readonly StreamPosition[]): (readonly [Buffer, ReadFrom, string | null])[] =>
  streams.map(({ key, from, refusal }) => [key, from, refusal] as const);

/** `[key, entries]` of each stream that has some, at most `count` (0: all) of each; null when none has. */
export const streamRead = (streams: readonly StreamPosition[], count: Integer): Operation => [
  Code.streamRead,
  count,
  positions(streams),
];

export interface GroupReading {
  readonly group: Buffer;
  readonly consumer: Buffer;
  /** What is read counts as acknowledged at once. */
  readonly noAck: boolean;
  readonly count: Integer;
}

/** As `streamRead`, for a consumer of a group: new entries, or what it was given before and has not acknowledged. */
export const groupRead = (streams: readonly StreamPosition[], r: GroupReading): Operation => [
  Code.groupRead,
  r.group,
  r.consumer,
  r.noAck,
  r.count,
  positions(streams),
];

/** How many were pending. */
export const groupAcknowledge = (
  key: Buffer,
  group: Buffer,
  refusal: string | null,
  ids: readonly Buffer[],
): Operation => [Code.groupAcknowledge, key, group, refusal, ...ids];

/** Of each id a RemovalOutcome: absent when it was not pending. */
export const groupAcknowledgeRemove = (
  key: Buffer,
  group: Buffer,
  references: References,
  ids: readonly Buffer[],
): Operation => [Code.groupAcknowledgeRemove, key, group, references, ...ids];

/** `[pending, first id, last id, [[consumer, pending] ...]]`; the last three are null when nothing is pending. */
export const groupPending = (key: Buffer, group: Buffer): Operation => [Code.groupPending, key, group];

export interface PendingRange {
  readonly from: Buffer;
  readonly to: Buffer;
  readonly count: Integer;
  readonly idleMs: Integer;
  /** Null: of all of them. */
  readonly consumer: Buffer | null;
}

/** `[id, consumer, idle ms, deliveries]` of what is pending. */
export const groupPendingRange = (key: Buffer, group: Buffer, r: PendingRange): Operation => [
  Code.groupPendingRange,
  key,
  group,
  r.from,
  r.to,
  r.count,
  r.idleMs,
  r.consumer,
];

export interface Claim {
  readonly consumer: Buffer;
  readonly idleMs: Integer;
  readonly delivered: DeliveredMode;
  /** What the mode says. */
  readonly ms: Integer;
  /** Null: one more, but for `idsOnly`. */
  readonly deliveries: Integer | null;
  /** What is not pending becomes it. */
  readonly force: boolean;
  readonly idsOnly: boolean;
  /** The group's last id becomes this one, if it is higher. */
  readonly lastId: Buffer | null;
}

/** The entries claimed, or their ids. */
export const groupClaim = (
  key: Buffer,
  group: Buffer,
  refusal: string | null,
  c: Claim,
  ids: readonly Buffer[],
): Operation => [
  Code.groupClaim,
  key,
  group,
  refusal,
  c.consumer,
  c.idleMs,
  c.delivered,
  c.ms,
  c.deliveries,
  c.force,
  c.idsOnly,
  c.lastId,
  ...ids,
];

export interface AutoClaim {
  readonly consumer: Buffer;
  readonly idleMs: Integer;
  readonly from: Buffer;
  readonly count: Integer;
  readonly idsOnly: boolean;
}

/** `[id to go on with (0-0 at the end), entries or ids, ids of entries that are gone]`. */
export const groupAutoClaim = (key: Buffer, group: Buffer, c: AutoClaim): Operation => [
  Code.groupAutoClaim,
  key,
  group,
  c.consumer,
  c.idleMs,
  c.from,
  c.count,
  c.idsOnly,
];

/** True. `id` null: the stream's last one. `entriesRead` -1: unknown. */
export const groupCreate = (
  key: Buffer,
  group: Buffer,
  id: Buffer | null,
  entriesRead: Integer,
  create: boolean,
  refusal: string | null,
): Operation => [Code.groupCreate, key, group, id, entriesRead, create, refusal];

/** True. */
export const groupSetId = (
  key: Buffer,
  group: Buffer,
  id: Buffer | null,
  entriesRead: Integer,
  refusal: string | null,
): Operation => [Code.groupSetId, key, group, id, entriesRead, refusal];

/** True when there was one. */
export const groupDestroy = (key: Buffer, group: Buffer): Operation => [Code.groupDestroy, key, group];

/** True when there was none of that name. */
export const consumerCreate = (key: Buffer, group: Buffer, consumer: Buffer): Operation => [
  Code.consumerCreate,
  key,
  group,
  consumer,
];

/** How much was pending of it. */
export const consumerRemove = (key: Buffer, group: Buffer, consumer: Buffer): Operation => [
  Code.consumerRemove,
  key,
  group,
  consumer,
];

/**
 * `[length, nodes, tree nodes, last id, highest removed id, entries added, first id, groups, first entry, last entry]`;
 * the entries are null when there are none.
 */
export const streamInfo = (key: Buffer, refusal: string | null): Operation => [Code.streamInfo, key, refusal];

/**
 * As `streamInfo` up to the first id, then entries and groups, at most `count` (0: all) of each list:
 * `[name, last id, entries read or null, lag or null, pending, [[id, consumer, delivered at ms, deliveries] ...],
 * [[consumer, seen at ms, pending, [[id, delivered at ms, deliveries] ...]] ...]]`.
 */
export const streamFullInfo = (key: Buffer, count: Integer): Operation => [Code.streamFullInfo, key, count];

/** `[name, consumers, pending, last id, entries read or null, lag or null]` of each group. */
export const groupsInfo = (key: Buffer): Operation => [Code.groupsInfo, key];

/** `[name, pending, idle ms]` of each consumer. */
export const consumersInfo = (key: Buffer, group: Buffer): Operation => [Code.consumersInfo, key, group];
