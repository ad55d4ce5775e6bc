/**
 * How far a consumer group is behind its stream. Groups count what they have read; where entries were removed ahead of
 * a group that count says nothing, and where it cannot be worked out from the ends of the stream it is unknown, as in
 * Redis.
 */
import type { Integer } from '../../shared/operations/codes.js';
import { int64 } from '../../shared/integers.js';
import { ID_MIN } from '../../shared/stream-ids.js';
import type { Stream } from './stream.js';
import { type StreamGroup, UNKNOWN } from './stream-group.js';

/** Whether an entry from `from` on may have been removed from the middle of the stream. */
export function hasGapBehind({ facts, length }: Stream, from: Buffer): boolean {
  const { maxDeletedId, firstId } = facts;
  if (length === 0 || maxDeletedId.equals(ID_MIN)) return false;
  return firstId.compare(maxDeletedId) <= 0 && from.compare(maxDeletedId) <= 0;
}

/** How many entries were ever added up to `id`, itself included; UNKNOWN where the stream does not tell. */
export function readUpTo({ facts, length }: Pick<Stream, 'facts' | 'length'>, id: Buffer): bigint {
  const { entriesAdded, lastId, firstId, maxDeletedId } = facts;
  if (entriesAdded === 0n) return 0n;
  const behindLast = id.compare(lastId);
  if (length === 0 && behindLast <= 0) return entriesAdded;
  if (behindLast === 0) return entriesAdded;
  if (behindLast > 0) return UNKNOWN;
  const behindFirst = id.compare(firstId);
  if (maxDeletedId.equals(ID_MIN) || maxDeletedId.compare(firstId) < 0) {
    if (behindFirst < 0) return entriesAdded - BigInt(length);
    if (behindFirst === 0) return entriesAdded - BigInt(length) + 1n;
  }
  return UNKNOWN;
}

/** How many entries the group has not been given yet; null when unknown. */
export function lagOf(stream: Stream, group: StreamGroup): Integer | null {
  const { entriesAdded } = stream.facts;
  if (entriesAdded === 0n) return 0;
  const counted = group.entriesRead !== UNKNOWN && !hasGapBehind(stream, group.lastId);
  const read = counted ? group.entriesRead : readUpTo(stream, group.lastId);
  return counted || read !== UNKNOWN ? int64(BigInt.asIntN(64, entriesAdded - read)) : null;
}

/** What a group has read, for clients. */
export function entriesReadOf({ entriesRead }: StreamGroup): Integer | null {
  return entriesRead === UNKNOWN ? null : int64(entriesRead);
}
