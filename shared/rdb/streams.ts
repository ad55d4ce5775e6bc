/**
 * Streams in a dump, as Redis 7.0 writes them (type 19) and as those before did (type 15, without what is marked *):
 *
 *   nodes, (first id, listpack) ... | entries | last id | first id * | highest removed id * | entries added *
 *   | groups, (name | last id | entries read * | pending, (id | delivered at ms | deliveries) ...
 *              | consumers, (name | seen at ms | pending, (id) ...) ...) ...
 *
 * Ids are two lengths, but for those of nodes (strings) and of what is pending (16 bytes); times are int64 LE. A node's
 * listpack holds its entries as differences to its first id, and their fields where they are not those of its first one:
 *
 *   entries, removed ones, fields, (field) ..., 0
 *   flags, milliseconds, sequence, [fields,] ([field,] value) ..., parts of this entry              for each entry
 *
 * Redis keeps removed entries, marked, until their node goes. Here they are dropped, and only counted.
 */
import { parseInteger } from '../integers.js';
import { limits } from '../limits.js';
import { ID_BYTES, ID_MIN, millisecondsOf, sequenceOf, streamId } from '../stream-ids.js';
import { packListpack, unpackListpack } from './listpack.js';
import { DamagedDump, type DumpReader, type DumpWriter } from './strings.js';

export interface DumpedEntry {
  readonly id: Buffer;
  /** Field, value, field, value ... */
  readonly pairs: readonly Buffer[];
}

export interface DumpedNode {
  readonly firstId: Buffer;
  /** Of its first entry, which may be gone. */
  readonly fields: readonly Buffer[];
  /** In order. */
  readonly entries: readonly DumpedEntry[];
  readonly removed: number;
  /** Of the entry added last, which may be gone, too. */
  readonly lastId: Buffer;
}

export interface DumpedPending {
  readonly id: Buffer;
  readonly consumer: Buffer;
  readonly deliveredAtMs: number;
  readonly deliveries: bigint;
}

export interface DumpedConsumer {
  readonly name: Buffer;
  readonly seenAtMs: number;
}

export interface DumpedGroup {
  readonly name: Buffer;
  readonly lastId: Buffer;
  /** -1: unknown. Null: to be found out, where the dump is of a version that does not count. */
  readonly entriesRead: bigint | null;
  /** In order of ids. */
  readonly pending: readonly DumpedPending[];
  /** In order of names. */
  readonly consumers: readonly DumpedConsumer[];
}

export interface DumpedStream {
  /** In order. */
  readonly nodes: readonly DumpedNode[];
  readonly lastId: Buffer;
  readonly firstId: Buffer;
  readonly maxDeletedId: Buffer;
  readonly entriesAdded: bigint;
  /** In order of names. */
  readonly groups: readonly DumpedGroup[];
}

const REMOVED = 1;
const SAME_FIELDS = 2;
const U64_BYTES = 8;

export function writeStream(writer: DumpWriter, stream: DumpedStream): void {
  const nodes = stream.nodes.filter(({ entries }) => entries.length > 0);
  writer.length(nodes.length);
  for (const node of nodes) {
    writer.string(node.firstId);
    writer.string(packListpack(partsOf(node)));
  }
  writer.length(nodes.reduce((sum, { entries }) => sum + entries.length, 0));
  for (const id of [stream.lastId, stream.firstId, stream.maxDeletedId]) writeId(writer, id);
  writer.length(stream.entriesAdded);
  writer.length(stream.groups.length);
  for (const group of stream.groups) writeGroup(writer, group);
}

function partsOf({ firstId, fields, entries }: DumpedNode): Buffer[] {
  const parts = [number(entries.length), number(0), number(fields.length), ...fields, number(0)];
  for (const { id, pairs } of entries) {
    const own = pairs.filter((_, i) => i % 2 === 0);
    const values = pairs.filter((_, i) => i % 2 === 1);
    const same = own.length === fields.length && own.every((field, i) => field.equals(fields[i]!));
    parts.push(
      number(same ? SAME_FIELDS : 0),
      number(BigInt.asIntN(64, millisecondsOf(id) - millisecondsOf(firstId))),
      number(BigInt.asIntN(64, sequenceOf(id) - sequenceOf(firstId))),
    );
    if (!same) parts.push(number(own.length));
    for (const part of same ? values : pairs) parts.push(part);
    parts.push(number(3 + values.length + (same ? 0 : own.length + 1)));
  }
  return parts;
}

function number(value: number | bigint): Buffer {
  return Buffer.from(String(value), 'latin1');
}

function writeId(writer: DumpWriter, id: Buffer): void {
  writer.length(millisecondsOf(id));
  writer.length(sequenceOf(id));
}

function writeGroup(writer: DumpWriter, group: DumpedGroup): void {
  writer.string(group.name);
  writeId(writer, group.lastId);
  writer.length(BigInt.asUintN(64, group.entriesRead ?? -1n));
  writer.length(group.pending.length);
  const owned = new Map<string, Buffer[]>(group.consumers.map(({ name }) => [nameOf(name), []]));
  for (const { id, consumer, deliveredAtMs, deliveries } of group.pending) {
    writer.raw(id);
    writer.raw(time(deliveredAtMs));
    writer.length(BigInt.asUintN(64, deliveries));
    owned.get(nameOf(consumer))?.push(id);
  }
  writer.length(group.consumers.length);
  for (const { name, seenAtMs } of group.consumers) {
    const ids = owned.get(nameOf(name)) ?? [];
    writer.string(name);
    writer.raw(time(seenAtMs));
    writer.length(ids.length);
    for (const id of ids) writer.raw(id);
  }
}

const nameOf = (name: Buffer): string => name.latin1Slice(0, name.length);

function time(ms: number): Buffer {
  const bytes = Buffer.allocUnsafe(U64_BYTES);
  bytes.writeBigInt64LE(BigInt(ms));
  return bytes;
}

/**
 * `counted`: of type 19 or 21. `times`: how many each consumer has; Redis 7.2 (type 21) tells when it was given something
 * last, too, which is not kept here. Throws DamagedDump.
 */
export function readStream(reader: DumpReader, counted: boolean, times: number): DumpedStream {
  const nodes: DumpedNode[] = [];
  let parts = 0;
  for (let left = reader.count(); left > 0; left--) {
    const firstId = reader.string();
    const packed = unpackListpack(reader.string());
    if (firstId.length !== ID_BYTES || packed === null) throw new DamagedDump('a node that is none');
    parts += packed.length;
    if (parts > 2 * limits.dumpParts) throw new DamagedDump('has too many parts');
    nodes.push(nodeOf(firstId, packed));
  }
  const entries = nodes.flatMap((node) => node.entries);
  const length = reader.length();
  const lastId = readId(reader);
  inOrder(nodes.flatMap(({ firstId, lastId: last }) => (firstId.equals(last) ? [last] : [firstId, last])));
  inOrder(entries.map(({ id }) => id));
  const lastEntry = nodes.at(-1)?.lastId;
  if (length !== entries.length || (lastEntry !== undefined && lastEntry.compare(lastId) > 0)) {
    throw new DamagedDump('entries that do not fit');
  }
  let firstId = entries[0]?.id ?? ID_MIN;
  let maxDeletedId = ID_MIN;
  let entriesAdded = BigInt(length);
  if (counted) {
    firstId = readId(reader);
    maxDeletedId = readId(reader);
    entriesAdded = reader.length64();
  }
  const names = new Set<string>();
  const groups: DumpedGroup[] = [];
  for (let left = reader.count(); left > 0; left--) {
    const group = readGroup(reader, counted, times);
    groups.push(group);
    names.add(nameOf(group.name));
  }
  if (names.size !== groups.length) throw new DamagedDump('a group twice');
  return { nodes, lastId, firstId, maxDeletedId, entriesAdded, groups };
}

function readId(reader: DumpReader): Buffer {
  return streamId(reader.length64(), reader.length64());
}

function inOrder(ids: readonly Buffer[]): void {
  for (let i = 1; i < ids.length; i++) {
    if (ids[i - 1]!.compare(ids[i]!) >= 0) throw new DamagedDump('ids out of order');
  }
}

/** Takes the parts of a listpack one by one. */
class Parts {
  readonly #parts: readonly Buffer[];
  #at = 0;

  constructor(parts: readonly Buffer[]) {
    this.#parts = parts;
  }

  get left(): number {
    return this.#parts.length - this.#at;
  }

  next(): Buffer {
    const part = this.#parts[this.#at++];
    if (part === undefined) throw new DamagedDump('a node that ends early');
    return part;
  }

  integer(): bigint {
    const value = parseInteger(this.next());
    if (value === null) throw new DamagedDump('a node with a word for a number');
    return BigInt(value);
  }

  /** So many parts follow. */
  count(): number {
    const count = this.integer();
    if (count < 0n || count > BigInt(this.left)) throw new DamagedDump('a node that ends early');
    return Number(count);
  }

  several(count: number): Buffer[] {
    return Array.from({ length: count }, () => this.next());
  }
}

function nodeOf(firstId: Buffer, packed: readonly Buffer[]): DumpedNode {
  const parts = new Parts(packed);
  const count = parts.count();
  const removed = parts.count();
  const fields = parts.several(parts.count());
  if (parts.integer() !== 0n) throw new DamagedDump('a node without an end of its fields');
  const entries: DumpedEntry[] = [];
  let lastId = firstId;
  for (let left = count + removed; left > 0; left--) {
    const flags = Number(parts.integer());
    const ms = BigInt.asUintN(64, millisecondsOf(firstId) + parts.integer());
    lastId = streamId(ms, BigInt.asUintN(64, sequenceOf(firstId) + parts.integer()));
    const same = (flags & SAME_FIELDS) !== 0;
    const pairs = same ? fields.flatMap((field) => [field, parts.next()]) : parts.several(2 * parts.count());
    if (parts.integer() !== BigInt(same ? 3 + fields.length : 4 + pairs.length)) {
      throw new DamagedDump('an entry of another length');
    }
    if ((flags & REMOVED) === 0) entries.push({ id: lastId, pairs });
  }
  if (parts.left > 0 || entries.length !== count) throw new DamagedDump('a node that counts wrongly');
  return { firstId, fields, entries, removed, lastId };
}

function readGroup(reader: DumpReader, counted: boolean, times: number): DumpedGroup {
  const name = reader.string();
  const lastId = readId(reader);
  const entriesRead = counted ? BigInt.asIntN(64, reader.length64()) : null;
  const unowned = new Map<string, { id: Buffer; deliveredAtMs: number; deliveries: bigint }>();
  const order: string[] = [];
  for (let left = reader.count(); left > 0; left--) {
    const id = reader.raw(ID_BYTES);
    const deliveredAtMs = readTime(reader);
    unowned.set(nameOf(id), { id, deliveredAtMs, deliveries: BigInt.asIntN(64, reader.length64()) });
    order.push(nameOf(id));
  }
  if (unowned.size !== order.length) throw new DamagedDump('a message pending twice');
  const consumers: DumpedConsumer[] = [];
  const owned = new Map<string, DumpedPending>();
  const names = new Set<string>();
  for (let left = reader.count(); left > 0; left--) {
    const consumer = reader.string();
    consumers.push({ name: consumer, seenAtMs: readTime(reader) });
    reader.raw((times - 1) * U64_BYTES);
    names.add(nameOf(consumer));
    for (let ids = reader.count(); ids > 0; ids--) {
      const id = nameOf(reader.raw(ID_BYTES));
      const pending = unowned.get(id);
      if (pending === undefined || owned.has(id)) throw new DamagedDump('a message of nobody, or of two');
      owned.set(id, { ...pending, consumer });
    }
  }
  if (names.size !== consumers.length) throw new DamagedDump('a consumer twice');
  const pending = order.map((id) => owned.get(id)).filter((each) => each !== undefined);
  if (pending.length !== order.length) throw new DamagedDump('a message of nobody');
  return { name, lastId, entriesRead, pending, consumers };
}

/** What no clock here can tell is the beginning of time. */
function readTime(reader: DumpReader): number {
  const ms = reader.raw(U64_BYTES).readBigInt64LE(0);
  return ms < 0n || ms >= 2n ** 48n ? 0 : Number(ms);
}
