/** Operations on what is pending in a consumer group: acknowledging, telling, claiming. */
import { ClientError } from '../../shared/errors.js';
import { int64 } from '../../shared/integers.js';
import { limits } from '../../shared/limits.js';
import { DeliveredMode, RemovalOutcome } from '../../shared/operations/streams.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { idText, nextId } from '../../shared/stream-ids.js';
import type { Execute, View } from '../execution/view.js';
import {
  booleanAt,
  bytesAt,
  bytesFrom,
  bytesOrNullAt,
  integerAt,
  integerOrNullAt,
  numberAt,
  stringOrNullAt,
} from './arguments.js';
import { Stream } from './stream.js';
import type { Consumer, Pending, StreamGroup } from './stream-group.js';
import { noGroup, seenConsumer } from './stream-reading.js';
import { most, removeAs, told } from './streams.js';

/** How many pending messages XAUTOCLAIM looks at for one that it may claim. */
const AUTOCLAIM_TRIES = 10;
const FIRST_PAGE = 16;

interface Found {
  readonly stream: Stream;
  readonly group: StreamGroup;
}

function find(view: View, key: Buffer, name: Buffer): Found | null {
  const stream = Stream.find(view, key);
  const group = stream?.group(name) ?? null;
  return stream === null || group === null ? null : { stream, group };
}

function findOrRefuse(view: View, key: Buffer, name: Buffer): Found {
  const found = find(view, key, name);
  if (found === null) throw noGroup(key, name);
  return found;
}

export const groupAcknowledge: Execute = (view, args) => {
  const found = find(view, bytesAt(args, 0), bytesAt(args, 1));
  if (found === null) return 0;
  const refusal = stringOrNullAt(args, 2);
  if (refusal !== null) throw new ClientError(refusal);
  const ids = bytesFrom(args, 3);
  found.group.expect(ids);
  let acknowledged = 0;
  for (const id of ids) if (acknowledge(found.group, id)) acknowledged++;
  found.stream.finish();
  return acknowledged;
};

function acknowledge(group: StreamGroup, id: Buffer): boolean {
  const pending = group.pendingOf(id);
  if (pending === null) return false;
  group.removePending(pending);
  return true;
}

export const groupAcknowledgeRemove: Execute = (view, args) => {
  const ids = bytesFrom(args, 3);
  const found = find(view, bytesAt(args, 0), bytesAt(args, 1));
  if (found === null) return ids.map(() => RemovalOutcome.absent);
  const { stream, group } = found;
  const outcomes = ids.map((id) => {
    if (!acknowledge(group, id)) return RemovalOutcome.absent;
    return stream.has(id) ? removeAs(stream, id, numberAt(args, 2)) : RemovalOutcome.removed;
  });
  stream.finish();
  return outcomes;
};

export const groupPending: Execute = (view, args) => {
  const { group } = findOrRefuse(view, bytesAt(args, 0), bytesAt(args, 1));
  const [first] = group.pendingRange(null, null, false, 1);
  const [last] = group.pendingRange(null, null, true, 1);
  if (first === undefined || last === undefined) return [0, null, null, null];
  const consumers = group.allConsumers().filter(({ pending }) => pending > 0);
  return [
    group.pending,
    idText(first.id),
    idText(last.id),
    consumers.map(({ name, pending }) => [name, String(pending)]),
  ];
};

export const groupPendingRange: Execute = (view, args) => {
  const { group } = findOrRefuse(view, bytesAt(args, 0), bytesAt(args, 1));
  const from = bytesAt(args, 2);
  const to = bytesAt(args, 3);
  const count = most(integerAt(args, 4));
  const idleMs = Number(integerAt(args, 5));
  const name = bytesOrNullAt(args, 6);
  const consumer = name === null ? null : group.consumer(name);
  if (count === 0 || from.compare(to) > 0 || (name !== null && consumer === null)) return [];
  const found: OperationResult[] = [];
  for (const pending of walk({ group, consumer, from, to, meets: () => undefined })) {
    if (idleMs !== 0 && view.nowMs - pending.deliveredAtMs < idleMs) continue;
    const idle = Math.max(0, view.nowMs - pending.deliveredAtMs);
    found.push([idText(pending.id), pending.consumer, idle, int64(pending.deliveries)]);
    if (found.length === count) break;
  }
  return found;
};

interface Walk {
  readonly group: StreamGroup;
  /** Null: all of them. */
  readonly consumer: Consumer | null;
  readonly from: Buffer;
  readonly to: Buffer | null;
  /** Told of each page before what is in it. */
  readonly meets: (page: readonly Pending[]) => void;
}

/** Of the group or of one consumer, from `from` on. The operation begins anew for each page, so they grow. */
function* walk({ group, consumer, from, to, meets }: Walk): Generator<Pending> {
  let next: Buffer | null = from;
  for (let limit = FIRST_PAGE; next !== null; limit = Math.min(8 * limit, limits.walkPage)) {
    const page: Pending[] =
      consumer === null ? group.pendingRange(next, to, false, limit) : owned(group, consumer, next, to, limit);
    meets(page);
    yield* page;
    const last = page.at(-1);
    next = last === undefined || page.length < limit ? null : nextId(last.id);
  }
}

function owned(group: StreamGroup, consumer: Consumer, from: Buffer, to: Buffer | null, limit: number): Pending[] {
  const ids = group.ownedIds(consumer, from, to, limit);
  group.expect(ids);
  return ids.flatMap((id) => group.pendingOf(id) ?? []);
}

/** When what is claimed counts as delivered: never later than now. */
function deliveredAt(view: View, mode: number, ms: number): number {
  if (mode === DeliveredMode.now) return view.nowMs;
  const at = mode === DeliveredMode.ago ? view.nowMs - ms : ms;
  return at < 0 || at > view.nowMs ? view.nowMs : at;
}

export const groupClaim: Execute = (view, args) => {
  const { stream, group } = findOrRefuse(view, bytesAt(args, 0), bytesAt(args, 1));
  const refusal = stringOrNullAt(args, 2);
  if (refusal !== null) throw new ClientError(refusal);
  const name = bytesAt(args, 3);
  const idleMs = Number(integerAt(args, 4));
  const deliveredAtMs = deliveredAt(view, numberAt(args, 5), Number(integerAt(args, 6)));
  const deliveries = integerOrNullAt(args, 7);
  const force = booleanAt(args, 8);
  const idsOnly = booleanAt(args, 9);
  const lastId = bytesOrNullAt(args, 10);
  if (lastId !== null && lastId.compare(group.lastId) > 0) group.moveTo(lastId, group.entriesRead);
  let consumer: Consumer | null = null;
  const claimed: OperationResult[] = [];
  const ids = bytesFrom(args, 11);
  group.expect(ids);
  stream.expect(ids);
  for (const id of ids) {
    const pending = group.pendingOf(id);
    const entry = stream.entry(id);
    if (entry === null) {
      if (pending !== null) group.removePending(pending);
      continue;
    }
    if (pending === null ? !force : isTooFresh(view, pending, idleMs)) continue;
    consumer ??= seenConsumer(view, bytesAt(args, 0), group, name);
    const before = pending?.deliveries ?? 1n;
    const count = deliveries !== null && deliveries >= 0 ? BigInt(deliveries) : before + (idsOnly ? 0n : 1n);
    group.setPending(id, consumer, deliveredAtMs, count, pending);
    claimed.push(idsOnly ? idText(id) : told(entry));
  }
  stream.finish();
  return claimed;
};

function isTooFresh(view: View, pending: Pending, idleMs: number): boolean {
  return idleMs > 0 && view.nowMs - pending.deliveredAtMs < idleMs;
}

export const groupAutoClaim: Execute = (view, args) => {
  const { stream, group } = findOrRefuse(view, bytesAt(args, 0), bytesAt(args, 1));
  const name = bytesAt(args, 2);
  const idleMs = Number(integerAt(args, 3));
  let left = Math.min(most(integerAt(args, 5)), limits.streamDelivered);
  const idsOnly = booleanAt(args, 6);
  let tries = left * AUTOCLAIM_TRIES;
  let consumer: Consumer | null = null;
  let next: Buffer | null = null;
  const claimed: OperationResult[] = [];
  const gone: OperationResult[] = [];
  const meets = (page: readonly Pending[]): void => stream.expect(page.map(({ id }) => id));
  for (const pending of walk({ group, consumer: null, from: bytesAt(args, 4), to: null, meets })) {
    if (tries === 0 || left === 0) {
      next = pending.id;
      break;
    }
    tries--;
    const entry = stream.entry(pending.id);
    if (entry === null) {
      group.removePending(pending);
      gone.push(idText(pending.id));
      left--;
      continue;
    }
    if (isTooFresh(view, pending, idleMs)) continue;
    consumer ??= seenConsumer(view, bytesAt(args, 0), group, name);
    group.setPending(pending.id, consumer, view.nowMs, pending.deliveries + (idsOnly ? 0n : 1n), pending);
    claimed.push(idsOnly ? idText(pending.id) : told(entry));
    left--;
  }
  stream.finish();
  return [next === null ? '0-0' : idText(next), claimed, gone];
};
