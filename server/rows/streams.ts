/** Operations on the entries of streams; what a stream is made of is in stream.ts, its groups are in the files beside it. */
import { ClientError } from '../../shared/errors.js';
import { IdMode, type NodeLimits, References, RemovalOutcome, TrimBy } from '../../shared/operations/streams.js';
import type { OperationArgument, OperationResult } from '../../shared/operations/operation.js';
import {
  ID_MAX,
  ID_MIN,
  idText,
  millisecondsOf,
  nextId,
  sequenceOf,
  streamId,
  U64_MAX,
} from '../../shared/stream-ids.js';
import type { Execute, View } from '../execution/view.js';
import {
  booleanAt,
  bytesAt,
  bytesFrom,
  bytesOrNullAt,
  compactLimitsAt,
  integerAt,
  integerOrNullAt,
  listAt,
  numberAt,
  stringOrNullAt,
} from './arguments.js';
import { type Cut, type Entry, Stream, streamRow } from './stream.js';
import { NODE_LIMITS } from './stream-nodes.js';

/** As clients are told of it. */
export function told({ id, fields }: Entry): OperationResult {
  return [idText(id), fields];
}

/** How many a client may want at most. */
export function most(count: number | bigint): number {
  return Math.min(Number(count), Number.MAX_SAFE_INTEGER);
}

export const streamAdd: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const mode = numberAt(args, 1);
  const given = bytesAt(args, 2);
  const stream = booleanAt(args, 3) ? Stream.findOrCreate(view, key) : Stream.find(view, key);
  if (stream === null) return null;
  const { lastId } = stream.facts;
  if (lastId.equals(ID_MAX)) {
    throw new ClientError('ERR The stream has exhausted the last possible ID, unable to add more items');
  }
  const id = mode === IdMode.whole ? given : mode === IdMode.clock ? clockId(view, lastId) : sequenced(given, lastId);
  if (id.compare(lastId) <= 0) {
    throw new ClientError('ERR The ID specified in XADD is equal or smaller than the target stream top item');
  }
  const nodes: NodeLimits | null = compactLimitsAt(args, 5);
  stream.append(id, bytesFrom(args, 6), nodes ?? NODE_LIMITS);
  const trimmed = args[4] !== null && trim(stream, listAt(args, 4)) > 0;
  stream.finish();
  view.notify('xadd', key);
  if (trimmed) view.notify('xtrim', key);
  return idText(id);
};

function clockId(view: View, lastId: Buffer): Buffer {
  const now = streamId(BigInt(Math.floor(view.nowMs)), 0n);
  return millisecondsOf(now) > millisecondsOf(lastId) ? now : (nextId(lastId) ?? ID_MIN);
}

/** The first sequence number behind the last id that its milliseconds leave. */
function sequenced(given: Buffer, lastId: Buffer): Buffer {
  const ms = millisecondsOf(given);
  if (ms !== millisecondsOf(lastId)) return given;
  const sequence = sequenceOf(lastId);
  // Redis's text for it, by accident.
  if (sequence === U64_MAX) throw new ClientError('ERR Elements are too large to be stored');
  return streamId(ms, sequence + 1n);
}

export const streamTrim: Execute = (view, args) => {
  const stream = Stream.find(view, bytesAt(args, 0));
  if (stream === null) return 0;
  const cut = trim(stream, listAt(args, 1));
  stream.finish();
  if (cut > 0) view.notify('xtrim', bytesAt(args, 0));
  return cut;
};

function trim(stream: Stream, trimming: readonly OperationArgument[]): number {
  const by = numberAt(trimming, 0);
  const cut = by === TrimBy.length ? toLength(most(integerAt(trimming, 3))) : toId(stream, bytesAt(trimming, 3));
  return stream.trim(cut, booleanAt(trimming, 1), most(integerAt(trimming, 2)));
}

const toLength = (length: number): Cut => ({
  whole: (node, left) => left > length && left - node.entries >= length,
  within: (_, left) => left - length,
});

const toId = (stream: Stream, id: Buffer): Cut => ({
  whole: (node) => node.lastId.compare(id) < 0,
  within: (node) => stream.countBefore(id, node.entries),
});

export const streamLength: Execute = (view, args) => streamRow(view, bytesAt(args, 0))?.size ?? 0;

export const streamRange: Execute = (view, args) => {
  const stream = Stream.find(view, bytesAt(args, 0));
  if (stream === null) return [];
  const count = integerAt(args, 4);
  if (count === 0) return null;
  const wanted = count < 0 ? stream.length : most(count);
  return stream.range(bytesAt(args, 1), bytesAt(args, 2), booleanAt(args, 3), wanted).map(told);
};

/** True when the entry was there; the stream remembers the highest id of those. */
export function removeEntry(stream: Stream, id: Buffer): boolean {
  if (!stream.remove(id)) return false;
  if (id.compare(stream.facts.maxDeletedId) > 0) stream.facts.maxDeletedId = id;
  return true;
}

export const streamRemove: Execute = (view, args) => {
  const stream = Stream.find(view, bytesAt(args, 0));
  if (stream === null) return 0;
  const refusal = stringOrNullAt(args, 1);
  if (refusal !== null) throw new ClientError(refusal);
  const ids = bytesFrom(args, 2);
  stream.expect(ids);
  let removed = 0;
  for (const id of ids) if (removeEntry(stream, id)) removed++;
  stream.finish();
  if (removed > 0) view.notify('xdel', bytesAt(args, 0));
  return removed;
};

export const streamRemoveReferenced: Execute = (view, args) => {
  const ids = bytesFrom(args, 2);
  const stream = Stream.find(view, bytesAt(args, 0));
  if (stream === null) return ids.map(() => RemovalOutcome.absent);
  const references = numberAt(args, 1);
  const outcomes = ids.map((id) => (stream.has(id) ? removeAs(stream, id, references) : RemovalOutcome.absent));
  stream.finish();
  if (outcomes.includes(RemovalOutcome.removed)) view.notify('xdel', bytesAt(args, 0));
  return outcomes;
};

/** A RemovalOutcome; the entry is there. */
export function removeAs(stream: Stream, id: Buffer, references: number): number {
  const groups = references === References.keep ? [] : stream.allGroups().map(({ name }) => stream.group(name)!);
  if (references === References.acknowledged) {
    const isWanted = groups.some((group) => group.lastId.compare(id) < 0 || group.pendingOf(id) !== null);
    if (isWanted) return RemovalOutcome.kept;
  }
  for (const group of groups) {
    const pending = group.pendingOf(id);
    if (pending !== null) group.removePending(pending);
  }
  removeEntry(stream, id);
  return RemovalOutcome.removed;
}

export const streamSetId: Execute = (view, args) => {
  const stream = Stream.find(view, bytesAt(args, 0));
  if (stream === null) throw new ClientError('ERR no such key');
  const id = bytesAt(args, 1);
  const entriesAdded = integerOrNullAt(args, 2);
  const { facts } = stream;
  if (stream.length > 0) {
    if (id.compare(facts.lastEntryId) < 0) {
      throw new ClientError('ERR The ID specified in XSETID is smaller than the target stream top item');
    }
    if (entriesAdded !== null && stream.length > entriesAdded) {
      throw new ClientError('ERR The entries_added specified in XSETID is smaller than the target stream length');
    }
  }
  if (id.compare(facts.lastId) < 0) stream.sweepAll();
  facts.lastId = id;
  if (entriesAdded !== null) facts.entriesAdded = BigInt(entriesAdded);
  const maxDeletedId = bytesOrNullAt(args, 3);
  if (maxDeletedId !== null && !maxDeletedId.equals(ID_MIN)) facts.maxDeletedId = maxDeletedId;
  stream.setChanged();
  stream.finish();
  view.notify('xsetid', bytesAt(args, 0));
  return true;
};
