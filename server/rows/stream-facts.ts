/**
 * What a stream's header says, and where its elements lie. Numbers are big endian; ids have 16 bytes.
 *
 *   header value: last id | last entry's id | first entry's id | highest removed id | entries added u64
 *                 | nodes u48 | their bytes u48 | next node u48 | groups u32 | next group u48 | pending u48
 *                 | tail node u48 (0: none) | its counts | leftovers from id | leftovers (1 or 0) | dead groups u32
 *   counts of a node: entries u32 | removed ones u32 | bytes u48 | last id
 *
 *   1, id                            -> node u48 | (length varint, field or value) ...            an entry
 *   2, node u48                      -> counts | first id | (length varint, field) ...            a node
 *   3, group's name                  -> a consumer group (stream-group.ts)
 *   4, group u48, ...                -> what belongs to it
 *   5, group u48                     -> empty: a group that is gone, whose elements are still there
 *
 * A *node* is what Redis would keep as one listpack of its radix tree: `~` trims whole ones, and XINFO counts them. The
 * counts of the last one, the tail, are those in the header, so that adding an entry writes no other element than the
 * entry.
 *
 * Entries before the first one's id are not there any more: trimming moves that id, and what lies before it (the
 * leftovers) is deleted by this and later changes of the stream, so many at a time. So are elements of dead groups.
 */
import { OperatingError } from '../../shared/errors.js';
import { ID_BYTES, ID_MIN } from '../../shared/stream-ids.js';

export interface NodeCounts {
  /** From 1 on, never reused. */
  readonly number: number;
  entries: number;
  removed: number;
  /** Of its listpack, but for the two counts above, whose size varies. */
  bytes: number;
  /** Of the entry that was added last, whether it is still there or not. */
  lastId: Buffer;
}

export interface StreamFacts {
  lastId: Buffer;
  /** Of entries that are there; zero when there are none. */
  lastEntryId: Buffer;
  firstId: Buffer;
  maxDeletedId: Buffer;
  entriesAdded: bigint;
  nodes: number;
  nodeBytes: number;
  nextNode: number;
  groups: number;
  nextGroup: number;
  /** Of all groups together. */
  pending: number;
  tail: NodeCounts | null;
  /** Entries from this id on, up to the first one, may still be stored; null: none are. */
  leftFrom: Buffer | null;
  deadGroups: number;
}

const U48 = 6;
const U32 = 4;
const U64 = 8;
const COUNTS_BYTES = 2 * U32 + U48 + ID_BYTES;

export const FACT_BYTES: number =
  4 * ID_BYTES + U64 + 3 * U48 + U32 + 2 * U48 + U48 + COUNTS_BYTES + ID_BYTES + 1 + U32;

export function newFacts(): StreamFacts {
  return {
    lastId: ID_MIN,
    lastEntryId: ID_MIN,
    firstId: ID_MIN,
    maxDeletedId: ID_MIN,
    entriesAdded: 0n,
    nodes: 0,
    nodeBytes: 0,
    nextNode: 1,
    groups: 0,
    nextGroup: 1,
    pending: 0,
    tail: null,
    leftFrom: null,
    deadGroups: 0,
  };
}

class Writer {
  readonly bytes: Buffer;
  #at = 0;

  constructor(length: number) {
    this.bytes = Buffer.alloc(length);
  }

  id(id: Buffer): void {
    this.bytes.set(id, this.#at);
    this.#at += ID_BYTES;
  }

  number(value: number, length: number): void {
    this.bytes.writeUIntBE(value, this.#at, length);
    this.#at += length;
  }

  u64(value: bigint): void {
    this.bytes.writeBigUInt64BE(BigInt.asUintN(64, value), this.#at);
    this.#at += U64;
  }

  counts({ entries, removed, bytes, lastId }: NodeCounts): void {
    this.number(entries, U32);
    this.number(removed, U32);
    this.number(bytes, U48);
    this.id(lastId);
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  id(): Buffer {
    this.#at += ID_BYTES;
    return this.#bytes.subarray(this.#at - ID_BYTES, this.#at);
  }

  number(length: number): number {
    this.#at += length;
    return this.#bytes.readUIntBE(this.#at - length, length);
  }

  u64(): bigint {
    this.#at += U64;
    return this.#bytes.readBigInt64BE(this.#at - U64);
  }

  counts(number: number): NodeCounts {
    return {
      number,
      entries: this.number(U32),
      removed: this.number(U32),
      bytes: this.number(U48),
      lastId: this.id(),
    };
  }
}

const NO_COUNTS: NodeCounts = { number: 0, entries: 0, removed: 0, bytes: 0, lastId: ID_MIN };

export function encodeFacts(facts: StreamFacts): Buffer {
  const writer = new Writer(FACT_BYTES);
  for (const id of [facts.lastId, facts.lastEntryId, facts.firstId, facts.maxDeletedId]) writer.id(id);
  writer.u64(facts.entriesAdded);
  for (const value of [facts.nodes, facts.nodeBytes, facts.nextNode]) writer.number(value, U48);
  writer.number(facts.groups, U32);
  for (const value of [facts.nextGroup, facts.pending]) writer.number(value, U48);
  const tail = facts.tail ?? NO_COUNTS;
  writer.number(tail.number, U48);
  writer.counts(tail);
  writer.id(facts.leftFrom ?? ID_MIN);
  writer.number(facts.leftFrom === null ? 0 : 1, 1);
  writer.number(facts.deadGroups, U32);
  return writer.bytes;
}

/** Of a header's value. What is returned may be changed; ids alias `value`. */
export function decodeFacts(value: Buffer): StreamFacts {
  if (value.length < FACT_BYTES) throw new OperatingError('E_CORRUPT', 'the header of a stream is too short');
  const reader = new Reader(value);
  const facts: StreamFacts = {
    lastId: reader.id(),
    lastEntryId: reader.id(),
    firstId: reader.id(),
    maxDeletedId: reader.id(),
    entriesAdded: reader.u64(),
    nodes: reader.number(U48),
    nodeBytes: reader.number(U48),
    nextNode: reader.number(U48),
    groups: reader.number(U32),
    nextGroup: reader.number(U48),
    pending: reader.number(U48),
    tail: null,
    leftFrom: null,
    deadGroups: 0,
  };
  const tail = reader.counts(reader.number(U48));
  if (tail.number !== 0) facts.tail = tail;
  const leftFrom = reader.id();
  if (reader.number(1) !== 0) facts.leftFrom = leftFrom;
  facts.deadGroups = reader.number(U32);
  return facts;
}

/** A node's element: its counts as of when it stopped being the tail, and what its first entry was like. */
export interface StoredNode {
  readonly counts: NodeCounts;
  readonly firstId: Buffer;
  /** Of the first entry, packed. */
  readonly fields: Buffer;
}

export function encodeNode({ counts, firstId, fields }: StoredNode): Buffer {
  const writer = new Writer(COUNTS_BYTES + ID_BYTES);
  writer.counts(counts);
  writer.id(firstId);
  return Buffer.concat([writer.bytes, fields]);
}

export function decodeNode(number: number, value: Buffer): StoredNode {
  const reader = new Reader(value);
  const counts = reader.counts(number);
  return { counts, firstId: reader.id(), fields: value.subarray(COUNTS_BYTES + ID_BYTES) };
}

const Kind = { entry: 1, node: 2, group: 3, member: 4, deadGroup: 5 } as const;

export const ENTRIES_END: Buffer = Buffer.of(Kind.node);
export const NODES_BEGIN: Buffer = Buffer.of(Kind.node);
export const NODES_END: Buffer = Buffer.of(Kind.group);
export const GROUPS_BEGIN: Buffer = Buffer.of(Kind.group);
export const GROUPS_END: Buffer = Buffer.of(Kind.member);
export const DEAD_GROUPS_BEGIN: Buffer = Buffer.of(Kind.deadGroup);
export const DEAD_GROUPS_END: Buffer = Buffer.of(Kind.deadGroup + 1);

export function entryKey(id: Buffer): Buffer {
  return named(Kind.entry, id);
}

export function idOfEntry(sortKey: Buffer): Buffer {
  return sortKey.subarray(1);
}

export function groupKey(name: Buffer): Buffer {
  return named(Kind.group, name);
}

export function nameOfGroup(sortKey: Buffer): Buffer {
  return sortKey.subarray(1);
}

function named(kind: number, rest: Buffer): Buffer {
  const sortKey = Buffer.allocUnsafe(1 + rest.length);
  sortKey[0] = kind;
  sortKey.set(rest, 1);
  return sortKey;
}

export function nodeKey(number: number): Buffer {
  return numbered(Kind.node, number);
}

export function numberOfNode(sortKey: Buffer): number {
  return sortKey.readUIntBE(1, U48);
}

/** Before everything that belongs to a group. */
export function memberKey(group: number): Buffer {
  return numbered(Kind.member, group);
}

export function deadGroupKey(group: number): Buffer {
  return numbered(Kind.deadGroup, group);
}

export function numberOfDeadGroup(sortKey: Buffer): number {
  return sortKey.readUIntBE(1, U48);
}

function numbered(kind: number, number: number): Buffer {
  const sortKey = Buffer.allocUnsafe(1 + U48);
  sortKey[0] = kind;
  sortKey.writeUIntBE(number, 1, U48);
  return sortKey;
}

/** An entry's element. */
export function storedEntry(node: number, fields: Buffer): Buffer {
  const value = Buffer.allocUnsafe(U48 + fields.length);
  value.writeUIntBE(node, 0, U48);
  value.set(fields, U48);
  return value;
}

export function nodeOfEntry(value: Buffer): number {
  return value.readUIntBE(0, U48);
}

/** Packed, aliasing `value`. */
export function fieldsOfEntry(value: Buffer): Buffer {
  return value.subarray(U48);
}
