/** What XINFO tells. */
import { ClientError } from '../../shared/errors.js';
import { int64 } from '../../shared/integers.js';
import { limits } from '../../shared/limits.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { ID_MAX, ID_MIN, idText } from '../../shared/stream-ids.js';
import type { Execute, View } from '../execution/view.js';
import { bytesAt, integerAt, stringOrNullAt } from './arguments.js';
import { Stream } from './stream.js';
import type { StreamGroup } from './stream-group.js';
import { noGroupForKey } from './stream-groups.js';
import { entriesReadOf, lagOf } from './stream-lag.js';
import { treeNodes } from './stream-nodes.js';
import { most, told } from './streams.js';

function existing(view: View, key: Buffer): Stream {
  const stream = Stream.find(view, key);
  if (stream === null) throw new ClientError('ERR no such key');
  return stream;
}

function common(stream: Stream): OperationResult[] {
  const { nodes, lastId, maxDeletedId, entriesAdded, firstId } = stream.facts;
  return [
    stream.length,
    nodes,
    // Of a large tree roughly: most of its nodes are leaves.
    nodes <= limits.streamTreeNodes ? treeNodes(stream.nodeIds(limits.streamTreeNodes)) : 2 * nodes,
    idText(lastId),
    idText(maxDeletedId),
    int64(entriesAdded),
    idText(firstId),
  ];
}

export const streamInfo: Execute = (view, args) => {
  const stream = existing(view, bytesAt(args, 0));
  const refusal = stringOrNullAt(args, 1);
  if (refusal !== null) throw new ClientError(refusal);
  const [first] = stream.range(ID_MIN, ID_MAX, false, 1);
  const [last] = stream.range(ID_MIN, ID_MAX, true, 1);
  const edges = [first, last].map((entry) => (entry === undefined ? null : told(entry)));
  return [...common(stream), stream.facts.groups, ...edges];
};

export const streamFullInfo: Execute = (view, args) => {
  const stream = existing(view, bytesAt(args, 0));
  const count = most(integerAt(args, 1));
  const wanted = (all: number): number => (count === 0 ? all : count);
  const entries = stream.range(ID_MIN, ID_MAX, false, wanted(stream.length)).map(told);
  return [...common(stream), entries, stream.allGroups().map((group) => fullGroup(stream, group, wanted))];
};

function fullGroup(stream: Stream, group: StreamGroup, wanted: (all: number) => number): OperationResult {
  const pending = group
    .pendingRange(null, null, false, wanted(group.pending))
    .map(({ id, consumer, deliveredAtMs, deliveries }) => [idText(id), consumer, deliveredAtMs, int64(deliveries)]);
  const consumers = group.allConsumers().map((consumer): OperationResult => {
    const owned = group.ownedIds(consumer, null, null, wanted(consumer.pending)).map((id): OperationResult => {
      const found = group.pendingOf(id);
      return found === null ? null : [idText(id), found.deliveredAtMs, int64(found.deliveries)];
    });
    return [consumer.name, consumer.seenAtMs, consumer.pending, owned];
  });
  const { name, lastId } = group;
  return [name, idText(lastId), entriesReadOf(group), lagOf(stream, group), group.pending, pending, consumers];
}

export const groupsInfo: Execute = (view, args) => {
  const stream = existing(view, bytesAt(args, 0));
  return stream
    .allGroups()
    .map((group) => [
      group.name,
      group.consumerCount,
      group.pending,
      idText(group.lastId),
      entriesReadOf(group),
      lagOf(stream, group),
    ]);
};

export const consumersInfo: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const name = bytesAt(args, 1);
  const group = existing(view, key).group(name);
  if (group === null) throw noGroupForKey(key, name);
  return group
    .allConsumers()
    .map((consumer) => [consumer.name, consumer.pending, Math.max(0, view.nowMs - consumer.seenAtMs)]);
};
