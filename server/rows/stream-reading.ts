/**
 * XREAD and XREADGROUP: several streams in one operation. One that finds nothing returns null and has changed nothing;
 * where it waits, it goes on with other arguments: an id that was asked for as `last` is the one that was there when
 * the wait began, a stream counts once, and `waits` is set. Who waits passes over what is no stream any more; in a
 * group that ends the wait, with errors of its own.
 */
import { ClientError } from '../../shared/errors.js';
import type { OperationArgument, OperationResult } from '../../shared/operations/operation.js';
import { limits } from '../../shared/limits.js';
import { ID_MAX, ID_MIN, idText, nextId } from '../../shared/stream-ids.js';
import type { Awaiting } from '../execution/awaiting.js';
import type { Execute, View } from '../execution/view.js';
import { RowType } from '../storage/row.js';
import { type Arguments, booleanAt, bytesAt, integerAt, listAt, stringOrNullAt } from './arguments.js';
import { type Entry, Stream } from './stream.js';
import { type Consumer, type StreamGroup, UNKNOWN } from './stream-group.js';
import { hasGapBehind, readUpTo } from './stream-lag.js';
import { most, told } from './streams.js';

const STREAM_GONE = 'UNBLOCKED the stream key no longer exists';
const GROUP_GONE = 'NOGROUP the consumer group this client was blocked on no longer exists';
const COUNT_AFTER_WAITING = 1000;

/** One stream of several, and what is wanted of it. */
interface Position {
  readonly key: Buffer;
  /** Null when there is none. */
  readonly stream: Stream | null;
  /** Entries behind this id; null: what the group was not given yet. */
  readonly after: Buffer | null;
}

/** A stream that is named twice is the same one, so that its second reading sees what the first one did. */
class Streams {
  readonly #view: View;
  /** Rows of other types are passed over. */
  readonly #lenient: boolean;
  readonly #byKey = new Map<string, Stream | null>();

  constructor(view: View, lenient: boolean) {
    this.#view = view;
    this.#lenient = lenient;
  }

  find(key: Buffer): Stream | null {
    const id = key.latin1Slice(0, key.length);
    let stream = this.#byKey.get(id);
    if (stream === undefined) {
      const passedOver = this.#lenient && this.#view.peek(key)?.type !== RowType.stream;
      stream = passedOver ? null : Stream.find(this.#view, key);
      this.#byKey.set(id, stream);
    }
    return stream;
  }

  finish(): void {
    for (const stream of this.#byKey.values()) stream?.finish();
  }
}

/** Where each stream is read from; refused as a whole when one of them cannot be. `check`: what must be true of each. */
function positionsOf(
  streams: Streams,
  wanted: readonly OperationArgument[],
  check: (key: Buffer, stream: Stream | null) => void,
): Position[] {
  return wanted.map((each): Position => {
    const parts: Arguments = listAt([each], 0);
    const key = bytesAt(parts, 0);
    const stream = streams.find(key);
    check(key, stream);
    const refusal = stringOrNullAt(parts, 2);
    if (refusal !== null) throw new ClientError(refusal);
    const from = parts[1];
    if (from === 'new') return { key, stream, after: null };
    return { key, stream, after: from === 'last' ? (stream?.facts.lastId ?? ID_MIN) : bytesAt(parts, 1) };
  });
}

/** Entries behind `after`, which need not be there. */
function behind(stream: Stream, after: Buffer, count: number): Entry[] {
  return stream.range(nextId(after) ?? ID_MIN, ID_MAX, false, count === 0 ? stream.length : count);
}

function hasBehind(stream: Stream, after: Buffer): boolean {
  return stream.length > 0 && stream.facts.lastEntryId.compare(after) > 0;
}

export const streamRead: Execute = (view, args) => {
  const count = most(integerAt(args, 0));
  const found: OperationResult[] = [];
  const streams = new Streams(view, args[2] === true);
  for (const { key, stream, after } of positionsOf(streams, listAt(args, 1), () => undefined)) {
    if (stream === null || after === null || !hasBehind(stream, after)) continue;
    found.push([key, behind(stream, after, count).map(told)]);
  }
  return found.length === 0 ? null : found;
};

export const streamReadWait: Awaiting = {
  type: RowType.stream,
  takes: false,
  mindsRemoval: false,
  resume: (view, [count, wanted]) => [resumedCount(count), resumedPositions(view, wanted), true],
};

/** The consumer, which is created when there is none; seen now. */
export function seenConsumer(view: View, key: Buffer, group: StreamGroup, name: Buffer): Consumer {
  if (group.consumer(name) === null) view.notify('xgroup-createconsumer', key);
  return group.seenConsumer(name, view.nowMs);
}

export const groupRead: Execute = (view, args) => {
  const name = bytesAt(args, 0);
  const consumerName = bytesAt(args, 1);
  const noAck = booleanAt(args, 2);
  const wanted = most(integerAt(args, 3));
  const count = wanted === 0 ? limits.streamDelivered : Math.min(wanted, limits.streamDelivered);
  const waits = args[5] === true;
  const streams = new Streams(view, waits);
  const positions = positionsOf(streams, listAt(args, 4), (key, stream) => {
    if (stream === null && waits) throw new ClientError(STREAM_GONE);
    if (stream !== null && stream.group(name) !== null) return;
    throw waits ? new ClientError(GROUP_GONE) : noGroup(key, name, ' in XREADGROUP with GROUP option');
  });
  const found: OperationResult[] = [];
  for (const { key, stream, after } of positions) {
    const group = stream?.group(name);
    if (stream === null || group === null || group === undefined) continue;
    // Redis knows `>` by the highest id, so that this one means the same.
    const isNew = after === null || after.equals(ID_MAX);
    if (isNew && !hasBehind(stream, group.lastId)) continue;
    const consumer = seenConsumer(view, key, group, consumerName);
    const entries = isNew
      ? newEntries(view, stream, group, consumer, noAck, count)
      : givenBefore(view, stream, group, consumer, after, count);
    found.push([key, entries]);
  }
  streams.finish();
  return found.length === 0 ? null : found;
};

export const groupReadWait: Awaiting = {
  type: RowType.stream,
  takes: false,
  mindsRemoval: true,
  resume: (view, [group = null, consumer = null, noAck = null, count, wanted]) => [
    group,
    consumer,
    noAck,
    resumedCount(count),
    resumedPositions(view, wanted),
    true,
  ],
};

/** Who waits without a limit has one from then on, as in Redis: the ids that it goes on from may be far behind. */
function resumedCount(count: OperationArgument | undefined): OperationArgument {
  return count === 0 || count === undefined ? COUNT_AFTER_WAITING : count;
}

function resumedPositions(view: View, wanted: OperationArgument | undefined): OperationArgument {
  const byKey = new Map<string, OperationArgument>();
  for (const each of listAt([wanted ?? null], 0)) {
    const parts = listAt([each], 0);
    const key = bytesAt(parts, 0);
    const name = key.latin1Slice(0, key.length);
    if (byKey.has(name)) continue;
    const from = parts[1] === 'last' ? (Stream.find(view, key)?.facts.lastId ?? ID_MIN) : (parts[1] ?? null);
    byKey.set(name, [key, from, null]);
  }
  return [...byKey.values()];
}

/** What an error says about a name, which ends where a C string would and is on one line. */
export function shown(name: Buffer): string {
  const end = name.indexOf(0);
  return name.toString('utf8', 0, end < 0 ? name.length : end).replace(/[\r\n]/g, ' ');
}

export function noGroup(key: Buffer, group: Buffer, where = ''): ClientError {
  return new ClientError(`NOGROUP No such key '${shown(key)}' or consumer group '${shown(group)}'${where}`);
}

function newEntries(
  view: View,
  stream: Stream,
  group: StreamGroup,
  consumer: Consumer,
  noAck: boolean,
  count: number,
): OperationResult {
  const entries = behind(stream, group.lastId, count);
  if (!noAck) group.expect(entries.map(({ id }) => id));
  for (const { id } of entries) {
    group.moveTo(id, readAfter(stream, group, id));
    if (!noAck) group.setPending(id, consumer, view.nowMs, 1n, group.pendingOf(id));
  }
  return entries.map(told);
}

/** What the group has read once it was given the entry `id`. */
function readAfter(stream: Stream, group: StreamGroup, id: Buffer): bigint {
  if (group.entriesRead !== UNKNOWN && !hasGapBehind(stream, id)) return group.entriesRead + 1n;
  return stream.facts.entriesAdded === 0n ? group.entriesRead : readUpTo(stream, id);
}

/** What is pending of the consumer: delivered once more; entries that are gone only by their id. */
function givenBefore(
  view: View,
  stream: Stream,
  group: StreamGroup,
  consumer: Consumer,
  after: Buffer,
  count: number,
): OperationResult {
  const from = nextId(after) ?? ID_MIN;
  const ids = group.ownedIds(consumer, from, null, count === 0 ? consumer.pending : count);
  stream.expect(ids);
  group.expect(ids);
  return ids.map((id): OperationResult => {
    const entry = stream.entry(id);
    if (entry === null) return [idText(id), null];
    const pending = group.pendingOf(id);
    if (pending !== null) group.setPending(id, consumer, view.nowMs, pending.deliveries + 1n, pending);
    return told(entry);
  });
}
