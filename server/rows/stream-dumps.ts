/** Streams as whole values, for DUMP and RESTORE: what stream-facts.ts says of how they are kept, read and written at once. */
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { DumpedEntry, DumpedGroup, DumpedNode, DumpedStream } from '../../shared/rdb/streams.js';
import { ID_MIN } from '../../shared/stream-ids.js';
import type { Row, View } from '../execution/view.js';
import { Encoding, RowType } from '../storage/row.js';
import { packParts, unpackParts } from './packed.js';
import { RowElements } from './row-elements.js';
import { Stream, streamBytes } from './stream.js';
import {
  decodeNode,
  encodeFacts,
  encodeNode,
  ENTRIES_END,
  entryKey,
  FACT_BYTES,
  fieldsOfEntry,
  groupKey,
  idOfEntry,
  newFacts,
  nodeKey,
  type NodeCounts,
  nodeOfEntry,
  NODES_BEGIN,
  NODES_END,
  numberOfNode,
  storedEntry,
  type StreamFacts,
} from './stream-facts.js';
import { StreamGroup, UNKNOWN } from './stream-group.js';
import { readUpTo } from './stream-lag.js';
import { emptyNodeBytes, entryBytes, NODE_BYTES_MAX } from './stream-nodes.js';

export function dumpedStream(view: View, key: Buffer, row: Row): DumpedStream {
  const stream = Stream.findOrCreate(view, key);
  const { facts } = stream;
  if (facts.pending > limits.dumpParts) throw new ClientError(`ERR more than ${limits.dumpParts} pending messages`);
  const elements = new RowElements(view, key, row, FACT_BYTES);
  const entries = new Map<number, DumpedEntry[]>();
  const range = { gte: entryKey(facts.firstId), lt: ENTRIES_END, reverse: false, limit: row.size };
  for (const { sortKey, value } of row.size === 0 ? [] : elements.range(range)) {
    const node = nodeOfEntry(value);
    const entry = { id: idOfEntry(sortKey), pairs: unpackParts(fieldsOfEntry(value)) };
    const known = entries.get(node);
    if (known === undefined) entries.set(node, [entry]);
    else known.push(entry);
  }
  const stored = elements.range({ gte: NODES_BEGIN, lt: NODES_END, reverse: false, limit: facts.nodes });
  return {
    nodes: stored.map(({ sortKey, value }): DumpedNode => {
      const number = numberOfNode(sortKey);
      const { firstId, fields, counts } = decodeNode(number, value);
      const { removed, lastId } = facts.tail?.number === number ? facts.tail : counts;
      return { firstId, fields: unpackParts(fields), entries: entries.get(number) ?? [], removed, lastId };
    }),
    lastId: facts.lastId,
    firstId: facts.firstId,
    maxDeletedId: facts.maxDeletedId,
    entriesAdded: facts.entriesAdded,
    groups: stream.allGroups().map((group): DumpedGroup => {
      return {
        name: group.name,
        lastId: group.lastId,
        entriesRead: group.entriesRead,
        pending: group.pendingRange(null, null, false, group.pending),
        consumers: group.allConsumers(),
      };
    }),
  };
}

/** There is nothing at the key. */
export function restoreStream(view: View, key: Buffer, dumped: DumpedStream): void {
  const elements = new RowElements(view, key, null, FACT_BYTES);
  const facts = newFacts();
  facts.lastId = dumped.lastId;
  facts.maxDeletedId = dumped.maxDeletedId;
  facts.entriesAdded = dumped.entriesAdded;
  let length = 0;
  // in the order of their sort keys, so that each is put behind the others
  for (const node of dumped.nodes) {
    const number = facts.nextNode++;
    for (const { id, pairs } of node.entries) elements.put(entryKey(id), storedEntry(number, packParts(pairs)));
    length += node.entries.length;
  }
  dumped.nodes.forEach((node, i) => {
    const counts = countsOf(i + 1, node);
    if (counts.bytes > NODE_BYTES_MAX) throw new ClientError('ERR Bad data format');
    elements.put(nodeKey(counts.number), encodeNode({ counts, firstId: node.firstId, fields: packParts(node.fields) }));
    facts.nodes++;
    facts.nodeBytes += counts.bytes;
    facts.tail = counts;
  });
  facts.firstId = dumped.nodes.find(({ entries }) => entries.length > 0)?.entries[0]?.id ?? ID_MIN;
  facts.lastEntryId = dumped.nodes.findLast(({ entries }) => entries.length > 0)?.entries.at(-1)?.id ?? ID_MIN;
  for (const group of dumped.groups) restoreGroup(view, elements, facts, length, group);
  const change = { type: RowType.stream, encoding: Encoding.stream, expireAtMs: 0, size: length };
  elements.finish({ ...change, bytes: streamBytes(facts) }, encodeFacts(facts));
}

/** As they would be had the entries been added one by one; removed ones take no bytes here. */
function countsOf(number: number, { firstId, fields, entries, removed, lastId }: DumpedNode): NodeCounts {
  let bytes = emptyNodeBytes(fields);
  for (const { id, pairs } of entries) {
    const own = pairs.filter((_, i) => i % 2 === 0);
    const same = own.length === fields.length && own.every((field, i) => field.equals(fields[i]!));
    bytes += entryBytes(
      id,
      firstId,
      same,
      own,
      pairs.filter((_, i) => i % 2 === 1),
    );
  }
  return { number, entries: entries.length, removed, bytes, lastId };
}

function restoreGroup(
  view: View,
  elements: RowElements,
  facts: StreamFacts,
  length: number,
  dumped: DumpedGroup,
): void {
  const read = dumped.entriesRead ?? readUpTo({ facts, length }, dumped.lastId);
  const value = StreamGroup.encode(facts.nextGroup++, dumped.lastId, read < 0n ? UNKNOWN : read);
  elements.put(groupKey(dumped.name), value);
  facts.groups++;
  const group = new StreamGroup(elements, facts, dumped.name, value);
  for (const { name, seenAtMs } of dumped.consumers) group.createConsumer(name, seenAtMs);
  for (const { id, consumer, deliveredAtMs, deliveries } of dumped.pending) {
    const owner = group.consumer(consumer) ?? group.createConsumer(consumer, view.nowMs);
    group.setPending(id, owner, deliveredAtMs, deliveries, null);
  }
  group.save();
}
