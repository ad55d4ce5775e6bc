/** Streams on their way between DUMP, RESTORE and the server: the parts of a DumpedStream as tuples. */
import { int64 } from '../integers.js';
import type { DumpedStream } from '../rdb/streams.js';
import type { Integer } from './codes.js';

type WireNode = readonly [
  firstId: Buffer,
  fields: readonly Buffer[],
  entries: readonly (readonly [id: Buffer, pairs: readonly Buffer[]])[],
  removed: number,
  lastId: Buffer,
];
type WireGroup = readonly [
  name: Buffer,
  lastId: Buffer,
  entriesRead: Integer | null,
  pending: readonly (readonly [id: Buffer, consumer: Buffer, deliveredAtMs: number, deliveries: Integer])[],
  consumers: readonly (readonly [name: Buffer, seenAtMs: number])[],
];
export type WireStream = readonly [
  nodes: readonly WireNode[],
  lastId: Buffer,
  firstId: Buffer,
  maxDeletedId: Buffer,
  entriesAdded: Integer,
  groups: readonly WireGroup[],
];

/** int64; `entriesAdded` may be beyond it, and comes back as it was. */
const signed = (value: bigint): Integer => int64(BigInt.asIntN(64, value)) ?? 0;

export const streamToWire = (stream: DumpedStream): WireStream => [
  stream.nodes.map(({ firstId, fields, entries, removed, lastId }): WireNode => {
    return [firstId, fields, entries.map(({ id, pairs }) => [id, pairs] as const), removed, lastId];
  }),
  stream.lastId,
  stream.firstId,
  stream.maxDeletedId,
  signed(stream.entriesAdded),
  stream.groups.map(({ name, lastId, entriesRead, pending, consumers }): WireGroup => {
    const messages = pending.map(
      (each) => [each.id, each.consumer, each.deliveredAtMs, signed(each.deliveries)] as const,
    );
    const read = entriesRead === null ? null : signed(entriesRead);
    return [name, lastId, read, messages, consumers.map((each) => [each.name, each.seenAtMs] as const)];
  }),
];

export const streamFromWire = ([nodes, lastId, firstId, maxDeletedId, added, groups]: WireStream): DumpedStream => ({
  nodes: nodes.map(([first, fields, entries, removed, last]) => {
    return { firstId: first, fields, entries: entries.map(([id, pairs]) => ({ id, pairs })), removed, lastId: last };
  }),
  lastId,
  firstId,
  maxDeletedId,
  entriesAdded: BigInt.asUintN(64, BigInt(added)),
  groups: groups.map(([name, last, read, pending, consumers]) => ({
    name,
    lastId: last,
    entriesRead: read === null ? null : BigInt(read),
    pending: pending.map(([id, consumer, deliveredAtMs, deliveries]) => {
      return { id, consumer, deliveredAtMs, deliveries: BigInt(deliveries) };
    }),
    consumers: consumers.map(([consumer, seenAtMs]) => ({ name: consumer, seenAtMs })),
  })),
});
