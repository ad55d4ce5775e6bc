/**
 * One stream, with the same calls whether it is packed in its row's header, large or not there yet. How it is kept is
 * in stream-facts.ts; its consumer groups are in stream-group.ts.
 */
import { ClientError, invariant } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { NodeLimits } from '../../shared/operations/streams.js';
import { ID_MIN, nextId } from '../../shared/stream-ids.js';
import type { Row, View } from '../execution/view.js';
import { Encoding, RowType } from '../storage/row.js';
import { successor } from './keys.js';
import { packParts, unpackParts } from './packed.js';
import { RowElements } from './row-elements.js';
import {
  deadGroupKey,
  decodeFacts,
  decodeNode,
  encodeFacts,
  encodeNode,
  ENTRIES_END,
  entryKey,
  FACT_BYTES,
  fieldsOfEntry,
  groupKey,
  GROUPS_BEGIN,
  GROUPS_END,
  idOfEntry,
  nameOfGroup,
  newFacts,
  type NodeCounts,
  nodeKey,
  nodeOfEntry,
  NODES_BEGIN,
  NODES_END,
  numberOfNode,
  storedEntry,
  type StoredNode,
  type StreamFacts,
} from './stream-facts.js';
import { StreamGroup } from './stream-group.js';
import { sweepEntries, sweepGroups } from './stream-leftovers.js';
import { emptyNodeBytes, entryBytes, isFull, NODE_BYTES_MAX } from './stream-nodes.js';
import { WRONG_TYPE } from './strings.js';

/** What trimming takes off a node, given what is left of the stream. */
export interface Cut {
  /** All of the node may go. */
  readonly whole: (node: NodeCounts, length: number) => boolean;
  /** How many of its entries, the first ones, when not all may. */
  readonly within: (node: NodeCounts, length: number) => number;
}

/** What a pending message and a group take of logical bytes, roughly, over Redis's structures. */
const PENDING_BYTES = 64;
const GROUP_BYTES = 64;

/** How many nodes a walk reads at first: most trims take off one. */
const FIRST_NODES = 2;

export interface Entry {
  readonly id: Buffer;
  /** Field, value, field, value ... */
  readonly fields: readonly Buffer[];
}

/** The row, if it is a stream or absent. */
export function streamRow(view: View, key: Buffer): Row | null {
  const row = view.row(key);
  if (row !== null && row.type !== RowType.stream) throw new ClientError(WRONG_TYPE);
  return row;
}

/** Its logical bytes. */
export function streamBytes({ nodeBytes, pending, groups }: StreamFacts): number {
  return nodeBytes + PENDING_BYTES * pending + GROUP_BYTES * groups;
}

export class Stream {
  readonly facts: StreamFacts;
  readonly #row: Row | null;
  readonly #elements: RowElements;
  /** As looked up or created, by name; null: there is none. */
  readonly #groups = new Map<string, StreamGroup | null>();
  #length: number;
  #changed: boolean;
  #firstRemoved = false;
  #lastRemoved = false;

  /** Null when there is none. */
  static find(view: View, key: Buffer): Stream | null {
    const row = streamRow(view, key);
    return row === null ? null : new Stream(view, key, row);
  }

  static findOrCreate(view: View, key: Buffer): Stream {
    return new Stream(view, key, streamRow(view, key));
  }

  private constructor(view: View, key: Buffer, row: Row | null) {
    this.#row = row;
    this.facts = row === null ? newFacts() : decodeFacts(row.value);
    this.#length = row?.size ?? 0;
    this.#elements = new RowElements(view, key, row, FACT_BYTES);
    // Even a stream without entries is one.
    this.#changed = row === null;
  }

  get length(): number {
    return this.#length;
  }

  /** Up to `limit` entries from `from` to `to`, both inclusive. */
  range(from: Buffer, to: Buffer, reverse: boolean, limit: number): Entry[] {
    if (this.#length === 0 || limit <= 0) return [];
    const { firstId } = this.facts;
    const gte = entryKey(from.compare(firstId) < 0 ? firstId : from);
    const lt = successor(entryKey(to));
    if (gte.compare(lt) >= 0) return [];
    return this.#elements
      .range({ gte, lt, reverse, limit: Math.min(limit, this.#length) })
      .map(({ sortKey, value }) => ({ id: idOfEntry(sortKey), fields: unpackParts(fieldsOfEntry(value)) }));
  }

  /** Entries that are looked up next. */
  expect(ids: readonly Buffer[]): void {
    if (this.#length > 0) this.#elements.expect(ids.map(entryKey));
  }

  entry(id: Buffer): Entry | null {
    const stored = this.#stored(id);
    return stored === null ? null : { id, fields: unpackParts(fieldsOfEntry(stored)) };
  }

  has(id: Buffer): boolean {
    return this.#stored(id) !== null;
  }

  #stored(id: Buffer): Buffer | null {
    const there = this.#length > 0 && id.compare(this.facts.firstId) >= 0;
    return there ? this.#elements.get(entryKey(id)) : null;
  }

  /** `id` is higher than the last one. */
  append(id: Buffer, pairs: readonly Buffer[], nodeLimits: NodeLimits): void {
    const fields = pairs.filter((_, i) => i % 2 === 0);
    const values = pairs.filter((_, i) => i % 2 === 1);
    const added = pairs.reduce((sum, part) => sum + part.length, 0);
    if (added > NODE_BYTES_MAX) throw new ClientError('ERR Elements are too large to be stored');
    const { facts } = this;
    const packedFields = packParts(fields);
    let node = facts.tail;
    if (node !== null && isFull(node, added, nodeLimits)) {
      this.#closeTail(node);
      node = null;
    }
    const stored = node === null ? null : this.#storedNode(node.number);
    if (node === null) {
      node = { number: facts.nextNode++, entries: 0, removed: 0, bytes: emptyNodeBytes(fields), lastId: id };
      this.#elements.put(nodeKey(node.number), encodeNode({ counts: node, firstId: id, fields: packedFields }));
      facts.nodes++;
      facts.nodeBytes += node.bytes;
      facts.tail = node;
    }
    const bytes = entryBytes(id, stored?.firstId ?? id, stored?.fields.equals(packedFields) ?? true, fields, values);
    node.entries++;
    node.bytes += bytes;
    node.lastId = id;
    facts.nodeBytes += bytes;
    this.#elements.put(entryKey(id), storedEntry(node.number, packParts(pairs)));
    facts.entriesAdded++;
    facts.lastId = id;
    facts.lastEntryId = id;
    if (this.#length === 0) facts.firstId = id;
    this.#length++;
    this.#changed = true;
  }

  #storedNode(number: number): StoredNode {
    const value = this.#elements.get(nodeKey(number));
    invariant(value !== null, 'an entry has a node');
    return decodeNode(number, value);
  }

  /** The tail's counts go to its element. */
  #closeTail(tail: NodeCounts): void {
    const { firstId, fields } = this.#storedNode(tail.number);
    this.#elements.put(nodeKey(tail.number), encodeNode({ counts: tail, firstId, fields }));
    this.facts.tail = null;
  }

  /** False when there is no such entry. */
  remove(id: Buffer): boolean {
    const stored = this.#stored(id);
    if (stored === null) return false;
    const { facts } = this;
    this.#elements.remove(entryKey(id));
    this.#removedFrom(nodeOfEntry(stored), 1, false);
    this.#length--;
    if (id.equals(facts.firstId)) this.#firstRemoved = true;
    if (id.equals(facts.lastEntryId)) this.#lastRemoved = true;
    this.#changed = true;
    return true;
  }

  #removedFrom(number: number, entries: number, keep: boolean): void {
    const tail = this.facts.tail?.number === number ? this.facts.tail : null;
    const stored = tail === null ? this.#storedNode(number) : null;
    const counts = tail ?? stored!.counts;
    counts.entries -= entries;
    counts.removed += entries;
    if (counts.entries === 0 && !keep) this.#removeNode(counts);
    else if (stored !== null) this.#elements.put(nodeKey(number), encodeNode(stored));
  }

  /** The node before the tail is the tail then, and may take entries again. */
  #removeNode(counts: NodeCounts): void {
    const { facts } = this;
    this.#elements.remove(nodeKey(counts.number));
    facts.nodes--;
    facts.nodeBytes -= counts.bytes;
    if (facts.tail?.number !== counts.number) return;
    const range = { gte: NODES_BEGIN, lt: nodeKey(counts.number), reverse: true, limit: 1 };
    const before = facts.nodes === 0 ? undefined : this.#elements.range(range)[0];
    facts.tail = before === undefined ? null : decodeNode(numberOfNode(before.sortKey), before.value).counts;
  }

  /** Nodes with what the tail's counts are now, from the first on, in pages. */
  *#walkNodes(): Generator<NodeCounts> {
    for (let gte = NODES_BEGIN, limit = FIRST_NODES; ; limit = Math.min(8 * limit, limits.walkPage)) {
      const page = this.#elements.range({ gte, lt: NODES_END, reverse: false, limit });
      for (const { sortKey, value } of page) {
        const number = numberOfNode(sortKey);
        const { tail } = this.facts;
        yield tail?.number === number ? tail : decodeNode(number, value).counts;
      }
      const last = page.at(-1);
      if (last === undefined || page.length < limit) return;
      gte = successor(last.sortKey);
    }
  }

  /** Cuts entries off the beginning and returns how many. `most` (0: any number) holds for whole nodes. */
  trim({ whole, within }: Cut, approximately: boolean, most: number): number {
    const before = this.#length;
    for (const node of this.#walkNodes()) {
      if (most > 0 && before - this.#length + node.entries > most) break;
      const all = whole(node, this.#length);
      if (all) {
        this.#cutNode(node);
        continue;
      }
      const count = approximately ? 0 : within(node, this.#length);
      if (count > 0) this.#cutWithin(node, count);
      break;
    }
    return before - this.#length;
  }

  /** Its entries are left over: the first id moves behind them. */
  #cutNode(node: NodeCounts): void {
    const { facts } = this;
    facts.leftFrom ??= facts.firstId;
    facts.firstId = nextId(node.lastId) ?? node.lastId;
    this.#firstRemoved = true;
    this.#length -= node.entries;
    this.#removeNode(node);
    this.#changed = true;
  }

  /** A node's first entries. The node stays even if it has none any more, as in Redis. */
  #cutWithin(node: NodeCounts, count: number): void {
    const { firstId } = this.facts;
    const range = { gte: entryKey(firstId), lt: ENTRIES_END, reverse: false, limit: count };
    const cut = this.#elements.range(range);
    for (const { sortKey } of cut) this.#elements.remove(sortKey);
    this.#removedFrom(node.number, cut.length, true);
    this.#length -= cut.length;
    this.#firstRemoved = true;
    this.#changed = true;
  }

  /** Of the entries from the first on, how many come before `id`, as far as they are among the first `most`. */
  countBefore(id: Buffer, most: number): number {
    const gte = entryKey(this.facts.firstId);
    const lt = entryKey(id);
    if (this.#length === 0 || gte.compare(lt) >= 0) return 0;
    return this.#elements.range({ gte, lt, reverse: false, limit: most }).length;
  }

  /** Ids of the first entries that the nodes have had, up to `limit` nodes. */
  nodeIds(limit: number): Buffer[] {
    const range = { gte: NODES_BEGIN, lt: NODES_END, reverse: false, limit };
    return this.#elements.range(range).map(({ sortKey, value }) => decodeNode(numberOfNode(sortKey), value).firstId);
  }

  group(name: Buffer): StreamGroup | null {
    const id = name.latin1Slice(0, name.length);
    let group = this.#groups.get(id);
    if (group === undefined) {
      const value = this.facts.groups === 0 ? null : this.#elements.get(groupKey(name));
      group = value === null ? null : new StreamGroup(this.#elements, this.facts, name, value);
      this.#groups.set(id, group);
    }
    return group;
  }

  /** There is none of that name. */
  createGroup(name: Buffer, lastId: Buffer, entriesRead: bigint): void {
    const { facts } = this;
    const value = StreamGroup.encode(facts.nextGroup++, lastId, entriesRead);
    this.#elements.put(groupKey(name), value);
    this.#groups.delete(name.latin1Slice(0, name.length));
    facts.groups++;
    this.#changed = true;
  }

  /** What belongs to it is swept later. */
  removeGroup(group: StreamGroup): void {
    const { facts } = this;
    this.#elements.remove(groupKey(group.name));
    this.#groups.set(group.name.latin1Slice(0, group.name.length), null);
    facts.groups--;
    facts.pending -= group.pending;
    if (group.consumerCount > 0) {
      this.#elements.put(deadGroupKey(group.number), Buffer.alloc(0));
      facts.deadGroups++;
    }
    this.#changed = true;
  }

  /** In bytewise order of names. */
  allGroups(): StreamGroup[] {
    const { facts } = this;
    if (facts.groups === 0) return [];
    const range = { gte: GROUPS_BEGIN, lt: GROUPS_END, reverse: false, limit: facts.groups };
    return this.#elements
      .range(range)
      .map(({ sortKey, value }) => new StreamGroup(this.#elements, facts, nameOfGroup(sortKey), value));
  }

  /** The facts were changed from outside. */
  setChanged(): void {
    this.#changed = true;
  }

  /** Nothing that was cut off is left any more: ids may go back behind it. */
  sweepAll(): void {
    while (this.facts.leftFrom !== null) sweepEntries(this.#elements, this.facts, this.#length, limits.scanVisited);
  }

  /** Finds the first and the last entry again where these were removed. */
  settle(): void {
    const { facts } = this;
    if (this.#length === 0) {
      facts.firstId = ID_MIN;
      facts.lastEntryId = ID_MIN;
    } else {
      if (this.#firstRemoved) facts.firstId = this.#edge(false);
      if (this.#lastRemoved) facts.lastEntryId = this.#edge(true);
    }
    this.#firstRemoved = false;
    this.#lastRemoved = false;
  }

  #edge(reverse: boolean): Buffer {
    const range = { gte: entryKey(this.facts.firstId), lt: ENTRIES_END, reverse, limit: 1 };
    const [entry] = this.#elements.range(range);
    invariant(entry !== undefined, 'a stream with a length has entries');
    return idOfEntry(entry.sortKey);
  }

  /** Writes the row's header, if anything has changed. */
  finish(): void {
    for (const group of this.#groups.values()) {
      if (group?.changed !== true) continue;
      group.save();
      this.#changed = true;
    }
    if (!this.#changed) return;
    this.settle();
    const { facts } = this;
    sweepEntries(this.#elements, facts, this.#length, limits.streamSwept);
    sweepGroups(this.#elements, facts, limits.streamSwept);
    const bytes = streamBytes(facts);
    const expireAtMs = this.#row?.expireAtMs ?? 0;
    this.#elements.finish(
      { type: RowType.stream, encoding: Encoding.stream, expireAtMs, size: this.#length, bytes },
      encodeFacts(facts),
    );
  }
}
