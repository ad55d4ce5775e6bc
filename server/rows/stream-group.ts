/**
 * A consumer group of a stream: what it was given last, its consumers, and what is pending, that is delivered and not
 * acknowledged. Counts are kept with the group and with each consumer, so that nothing is counted by walking.
 *
 *   3, name                                     -> number u48 | last id | entries read i64 | pending u48 | consumers u48
 *   4, number u48, 1, consumer                  -> seen at ms u48 | pending u48
 *   4, number u48, 2, id                        -> delivered at ms u48 | deliveries i64 | consumer
 *   4, number u48, 3, length u32, consumer, id  -> empty: the same, by consumer
 *
 * A number is never used again within a stream: what a group leaves behind belongs to nobody, and is swept.
 */
import type { Element } from '../execution/view.js';
import { ID_BYTES } from '../../shared/stream-ids.js';
import { successor } from './keys.js';
import type { RowElements } from './row-elements.js';
import { groupKey, memberKey, type StreamFacts } from './stream-facts.js';

const U48 = 6;
const U32 = 4;
const U64 = 8;
const Member = { consumer: 1, pending: 2, owned: 3 } as const;
const NOTHING = Buffer.alloc(0);

/** How many entries a group has read is not known, when some were removed behind it. */
export const UNKNOWN = -1n;

export interface Consumer {
  readonly name: Buffer;
  seenAtMs: number;
  pending: number;
}

/** A message that was delivered and not acknowledged. */
export interface Pending {
  readonly id: Buffer;
  readonly consumer: Buffer;
  readonly deliveredAtMs: number;
  readonly deliveries: bigint;
}

export class StreamGroup {
  readonly name: Buffer;
  readonly number: number;
  readonly #elements: RowElements;
  readonly #facts: StreamFacts;
  /** As looked up or created, by name; null: there is none. */
  readonly #consumers = new Map<string, Consumer | null>();
  readonly #changedConsumers = new Set<Consumer>();
  #lastId: Buffer;
  #entriesRead: bigint;
  #pending: number;
  #consumerCount: number;
  #changed = false;

  /** `value`: of its element. */
  constructor(elements: RowElements, facts: StreamFacts, name: Buffer, value: Buffer) {
    this.#elements = elements;
    this.#facts = facts;
    this.name = name;
    this.number = value.readUIntBE(0, U48);
    this.#lastId = value.subarray(U48, U48 + ID_BYTES);
    this.#entriesRead = value.readBigInt64BE(U48 + ID_BYTES);
    this.#pending = value.readUIntBE(U48 + ID_BYTES + U64, U48);
    this.#consumerCount = value.readUIntBE(2 * U48 + ID_BYTES + U64, U48);
  }

  /** What a new group's element holds. */
  static encode(number: number, lastId: Buffer, entriesRead: bigint, pending = 0, consumers = 0): Buffer {
    const value = Buffer.allocUnsafe(3 * U48 + ID_BYTES + U64);
    value.writeUIntBE(number, 0, U48);
    value.set(lastId, U48);
    value.writeBigInt64BE(entriesRead, U48 + ID_BYTES);
    value.writeUIntBE(pending, U48 + ID_BYTES + U64, U48);
    value.writeUIntBE(consumers, 2 * U48 + ID_BYTES + U64, U48);
    return value;
  }

  get lastId(): Buffer {
    return this.#lastId;
  }

  get entriesRead(): bigint {
    return this.#entriesRead;
  }

  get pending(): number {
    return this.#pending;
  }

  get consumerCount(): number {
    return this.#consumerCount;
  }

  /** Something has been changed that `save` will write. */
  get changed(): boolean {
    return this.#changed || this.#changedConsumers.size > 0;
  }

  moveTo(lastId: Buffer, entriesRead: bigint): void {
    this.#lastId = lastId;
    this.#entriesRead = entriesRead;
    this.#changed = true;
  }

  consumer(name: Buffer): Consumer | null {
    const id = name.latin1Slice(0, name.length);
    let consumer = this.#consumers.get(id);
    if (consumer === undefined) {
      const value = this.#elements.get(this.#key(Member.consumer, name));
      consumer = value === null ? null : decodeConsumer(name, value);
      this.#consumers.set(id, consumer);
    }
    return consumer;
  }

  /** The consumer, which is created when there is none; seen now. */
  seenConsumer(name: Buffer, nowMs: number): Consumer {
    const consumer = this.consumer(name) ?? this.createConsumer(name, nowMs);
    consumer.seenAtMs = nowMs;
    this.#changedConsumers.add(consumer);
    return consumer;
  }

  /** There is none of that name. */
  createConsumer(name: Buffer, nowMs: number): Consumer {
    const consumer: Consumer = { name, seenAtMs: nowMs, pending: 0 };
    this.#consumers.set(name.latin1Slice(0, name.length), consumer);
    this.#consumerCount++;
    this.#changed = true;
    this.#changedConsumers.add(consumer);
    return consumer;
  }

  /** In bytewise order of names. */
  allConsumers(): Consumer[] {
    const found = this.#members(Member.consumer, null, null, this.#consumerCount);
    return found.map(({ sortKey, value }) => decodeConsumer(sortKey.subarray(PREFIX), value));
  }

  /** With all that is pending of it. */
  removeConsumer(consumer: Consumer): void {
    for (const id of this.ownedIds(consumer, null, null, consumer.pending)) {
      this.#elements.remove(this.#key(Member.pending, id));
      this.#elements.remove(this.#ownedKey(consumer.name, id));
    }
    this.#count(-consumer.pending);
    this.#elements.remove(this.#key(Member.consumer, consumer.name));
    this.#changedConsumers.delete(consumer);
    this.#consumers.set(consumer.name.latin1Slice(0, consumer.name.length), null);
    this.#consumerCount--;
  }

  /** What `pendingOf` is asked for next. */
  expect(ids: readonly Buffer[]): void {
    this.#elements.expect(ids.map((id) => this.#key(Member.pending, id)));
  }

  pendingOf(id: Buffer): Pending | null {
    const value = this.#elements.get(this.#key(Member.pending, id));
    return value === null ? null : decodePending(id, value);
  }

  /** Up to `limit` from `from` to `to`, both inclusive and null where open. */
  pendingRange(from: Buffer | null, to: Buffer | null, reverse: boolean, limit: number): Pending[] {
    const end = to === null ? null : successor(to);
    const found = this.#members(Member.pending, from, end, limit, reverse);
    return found.map(({ sortKey, value }) => decodePending(sortKey.subarray(PREFIX), value));
  }

  /** Ids of what is pending of a consumer, as in `pendingRange`. */
  ownedIds(consumer: Consumer, from: Buffer | null, to: Buffer | null, limit: number): Buffer[] {
    const prefix = ownedPrefix(consumer.name);
    const begin = Buffer.concat([prefix, from ?? NOTHING]);
    const end = to === null ? after(prefix) : successor(Buffer.concat([prefix, to]));
    return this.#members(Member.owned, begin, end, limit).map(({ sortKey }) =>
      sortKey.subarray(sortKey.length - ID_BYTES),
    );
  }

  /** `id` is pending of that consumer from now on. `old`: what it was before, null when it was not pending. */
  setPending(id: Buffer, consumer: Consumer, deliveredAtMs: number, deliveries: bigint, old: Pending | null): void {
    const value = Buffer.allocUnsafe(U48 + U64 + consumer.name.length);
    value.writeUIntBE(deliveredAtMs, 0, U48);
    value.writeBigInt64BE(deliveries, U48);
    value.set(consumer.name, U48 + U64);
    this.#elements.put(this.#key(Member.pending, id), value);
    if (old !== null && old.consumer.equals(consumer.name)) return;
    if (old !== null) this.#disown(old);
    else this.#count(1);
    this.#elements.put(this.#ownedKey(consumer.name, id), NOTHING);
    consumer.pending++;
    this.#changedConsumers.add(consumer);
  }

  removePending(pending: Pending): void {
    this.#elements.remove(this.#key(Member.pending, pending.id));
    this.#disown(pending);
    this.#count(-1);
  }

  #disown({ id, consumer }: Pending): void {
    this.#elements.remove(this.#ownedKey(consumer, id));
    const owner = this.consumer(consumer);
    if (owner === null) return;
    owner.pending--;
    this.#changedConsumers.add(owner);
  }

  #count(change: number): void {
    this.#pending += change;
    this.#facts.pending += change;
    this.#changed = true;
  }

  /** Writes what has changed of the group itself and of its consumers. */
  save(): void {
    if (this.#changed) {
      const { number, lastId, entriesRead, pending, consumerCount } = this;
      this.#elements.put(groupKey(this.name), StreamGroup.encode(number, lastId, entriesRead, pending, consumerCount));
    }
    for (const { name, seenAtMs, pending } of this.#changedConsumers) {
      const value = Buffer.allocUnsafe(2 * U48);
      value.writeUIntBE(seenAtMs, 0, U48);
      value.writeUIntBE(pending, U48, U48);
      this.#elements.put(this.#key(Member.consumer, name), value);
    }
    this.#changed = false;
    this.#changedConsumers.clear();
  }

  #members(kind: number, from: Buffer | null, to: Buffer | null, limit: number, reverse = false): Element[] {
    const gte = this.#key(kind, from ?? NOTHING);
    const lt = to === null ? this.#key(kind + 1, NOTHING) : this.#key(kind, to);
    return limit <= 0 ? [] : this.#elements.range({ gte, lt, reverse, limit });
  }

  #key(kind: number, rest: Buffer): Buffer {
    return Buffer.concat([memberKey(this.number), Buffer.of(kind), rest]);
  }

  #ownedKey(consumer: Buffer, id: Buffer): Buffer {
    return this.#key(Member.owned, Buffer.concat([ownedPrefix(consumer), id]));
  }
}

/** Bytes before a member's own part of its sort key. */
const PREFIX = 1 + U48 + 1;

function ownedPrefix(consumer: Buffer): Buffer {
  const length = Buffer.allocUnsafe(U32);
  length.writeUInt32BE(consumer.length);
  return Buffer.concat([length, consumer]);
}

/** Behind everything that begins with `prefix` and an id. */
function after(prefix: Buffer): Buffer {
  return Buffer.concat([prefix, Buffer.alloc(ID_BYTES + 1, 0xff)]);
}

function decodeConsumer(name: Buffer, value: Buffer): Consumer {
  return { name, seenAtMs: value.readUIntBE(0, U48), pending: value.readUIntBE(U48, U48) };
}

function decodePending(id: Buffer, value: Buffer): Pending {
  return {
    id,
    deliveredAtMs: value.readUIntBE(0, U48),
    deliveries: value.readBigInt64BE(U48),
    consumer: value.subarray(U48 + U64),
  };
}
