/**
 * The keys of a partition's store (design: section 4). One store holds one partition, so that a keyspace
 * id, the (decree, index) that created it, stands for (partition, database). All numbers are big endian,
 * so that byte order is number order.
 *
 *   00 name                                                              meta: applied decree, sessions, keyspaces
 *   01 keyspace(8) 'H' slot(2) hash(4) key                               header of a row
 *   01 keyspace(8) 'E' slot(2) hash(4) length(4) key version(8) sortKey  element of a large row
 *   01 keyspace(8) 'X' expireAtMs(6) slot(2) hash(4) key                 expiry index; no value
 *   01 keyspace(8) 'C' slot(2)                                           key counts of a slot
 *   02 id(8)                                                             garbage record; its value is the prefix to delete
 *
 * Keys are built as latin1 strings, one character a byte: the overlay looks them up in Maps, and JavaScript
 * compares such strings as LevelDB compares bytes. Only what reaches the store becomes a Buffer. The key in
 * an element has its length before it rather than being escaped: order matters only within a row.
 */
import { invariant } from '../../shared/errors.js';

const char = String.fromCharCode;
const KEYSPACE = '\x01';
const ID_BYTES = 8;
const SPACE_AT = 1 + ID_BYTES;
const REST_AT = SPACE_AT + 1;

export const Space = { header: 'H', element: 'E', expiry: 'X', count: 'C' } as const;
export type Space = (typeof Space)[keyof typeof Space];

/** Latin1 strings; `lt` is exclusive. */
export interface StringRange {
  readonly gte: string;
  readonly lt: string;
}

export function toBuffer(key: string): Buffer {
  return Buffer.from(key, 'latin1');
}

export function fromBuffer(key: Buffer): string {
  return key.latin1Slice(0, key.length);
}

/** What a mutation's `index`th new thing is called: a keyspace, a row's version, a garbage record. 8 characters. */
export function makeId(decree: number, index: number): string {
  return u48(decree) + u16(index);
}

export function parseId(id: string): { decree: number; index: number } {
  invariant(id.length === ID_BYTES, 'an id has 8 bytes');
  return { decree: readU48(id, 0), index: readU16(id, 6) };
}

export function metaKey(name: string): string {
  return '\x00' + name;
}

export function garbageKey(id: string): string {
  return '\x02' + id;
}

/** Everything a partition's store can hold. */
export const everything: StringRange = { gte: '', lt: '\x03' };
export const garbageRecords: StringRange = { gte: '\x02', lt: '\x03' };

/** The first key behind this one. */
export function keyAfter(key: Buffer): Buffer {
  return Buffer.concat([key, ZERO]);
}

const ZERO = Buffer.alloc(1);

/** Everything that begins with `prefix`. */
export function prefixRange(prefix: string): StringRange {
  return { gte: prefix, lt: successor(prefix) };
}

/** The least string above everything that begins with `prefix`. */
export function successor(prefix: string): string {
  let end = prefix.length;
  while (end > 0 && prefix.charCodeAt(end - 1) === 0xff) end--;
  invariant(end > 0, 'a prefix has a successor');
  return prefix.slice(0, end - 1) + char(prefix.charCodeAt(end - 1) + 1);
}

/** Builds the keys of one keyspace; make one per keyspace and keep it. `key` is the Redis key as a latin1 string. */
export class KeyspaceKeys {
  readonly id: string;
  /** Everything of this keyspace begins with it: what a garbage record of a flush holds. */
  readonly prefix: string;
  readonly #header: string;
  readonly #element: string;
  readonly #expiry: string;
  readonly #count: string;

  constructor(id: string) {
    invariant(id.length === ID_BYTES, 'a keyspace id has 8 bytes');
    this.id = id;
    this.prefix = KEYSPACE + id;
    this.#header = this.prefix + Space.header;
    this.#element = this.prefix + Space.element;
    this.#expiry = this.prefix + Space.expiry;
    this.#count = this.prefix + Space.count;
  }

  header(slot: number, hash: number, key: string): string {
    return this.#header + position(slot, hash) + key;
  }

  /** Prefix of all elements of one version of a row: what a garbage record of a row holds. */
  elements(slot: number, hash: number, key: string, version: string): string {
    return this.#element + position(slot, hash) + u32(key.length) + key + version;
  }

  element(slot: number, hash: number, key: string, version: string, sortKey: string): string {
    return this.elements(slot, hash, key, version) + sortKey;
  }

  expiry(expireAtMs: number, slot: number, hash: number, key: string): string {
    return this.#expiry + u48(expireAtMs) + position(slot, hash) + key;
  }

  count(slot: number): string {
    return this.#count + u16(slot);
  }

  /** Headers from position (slot, hash) on, to the end of `toSlot`. */
  headersFrom(slot: number, hash: number, toSlot: number): StringRange {
    return { gte: this.#header + position(slot, hash), lt: this.#header + u16(toSlot + 1) };
  }

  /** One space, from slot to slot, both inclusive. The expiry index is not in order of slots. */
  slots(space: 'H' | 'E' | 'C', fromSlot: number, toSlot: number): StringRange {
    const prefix = this.prefix + space;
    return { gte: prefix + u16(fromSlot), lt: prefix + u16(toSlot + 1) };
  }

  /** Index entries of rows that have expired at `nowMs`, earliest first. */
  expiredAt(nowMs: number): StringRange {
    return { gte: this.#expiry, lt: this.#expiry + u48(nowMs + 1) };
  }
}

export interface HeaderKey {
  readonly keyspace: string;
  readonly slot: number;
  readonly hash: number;
  /** The Redis key; aliases the input. */
  readonly key: Buffer;
}

export interface ElementKey extends HeaderKey {
  readonly version: string;
  readonly sortKey: Buffer;
}

export interface ExpiryKey extends HeaderKey {
  readonly expireAtMs: number;
}

/** The keyspace and space of a key; null for meta and garbage keys. */
export function spaceOf(key: Buffer): { keyspace: string; space: string } | null {
  if (key.length < REST_AT || key[0] !== 1) return null;
  return { keyspace: key.latin1Slice(1, SPACE_AT), space: char(key[SPACE_AT]!) };
}

export function parseHeaderKey(key: Buffer): HeaderKey {
  expectSpace(key, Space.header, 6);
  return {
    keyspace: key.latin1Slice(1, SPACE_AT),
    slot: key.readUInt16BE(REST_AT),
    hash: key.readUInt32BE(REST_AT + 2),
    key: key.subarray(REST_AT + 6),
  };
}

export function parseElementKey(key: Buffer): ElementKey {
  expectSpace(key, Space.element, 10 + ID_BYTES);
  const keyEnd = REST_AT + 10 + key.readUInt32BE(REST_AT + 6);
  invariant(key.length >= keyEnd + ID_BYTES, 'an element key holds its row key and version');
  return {
    keyspace: key.latin1Slice(1, SPACE_AT),
    slot: key.readUInt16BE(REST_AT),
    hash: key.readUInt32BE(REST_AT + 2),
    key: key.subarray(REST_AT + 10, keyEnd),
    version: key.latin1Slice(keyEnd, keyEnd + ID_BYTES),
    sortKey: key.subarray(keyEnd + ID_BYTES),
  };
}

export function parseExpiryKey(key: Buffer): ExpiryKey {
  expectSpace(key, Space.expiry, 12);
  return {
    keyspace: key.latin1Slice(1, SPACE_AT),
    expireAtMs: key.readUIntBE(REST_AT, 6),
    slot: key.readUInt16BE(REST_AT + 6),
    hash: key.readUInt32BE(REST_AT + 8),
    key: key.subarray(REST_AT + 12),
  };
}

export function parseCountKey(key: Buffer): { keyspace: string; slot: number } {
  expectSpace(key, Space.count, 2);
  return { keyspace: key.latin1Slice(1, SPACE_AT), slot: key.readUInt16BE(REST_AT) };
}

/** The id of a garbage record. */
export function parseGarbageKey(key: Buffer): string {
  invariant(key.length === 1 + ID_BYTES && key[0] === 2, 'a garbage key is an id');
  return key.latin1Slice(1, 1 + ID_BYTES);
}

/** Rows of a (keyspace, slot), how many of them have an expiry, and their logical bytes. */
export interface SlotCount {
  readonly keys: number;
  readonly expires: number;
  readonly bytes: number;
}

const COUNT_BYTES = 6 + 6 + 8;

export function encodeCount(count: SlotCount): Buffer {
  const bytes = Buffer.allocUnsafe(COUNT_BYTES);
  bytes.writeUIntBE(count.keys, 0, 6);
  bytes.writeUIntBE(count.expires, 6, 6);
  bytes.writeDoubleBE(count.bytes, 12);
  return bytes;
}

export function decodeCount(bytes: Buffer): SlotCount {
  invariant(bytes.length === COUNT_BYTES, 'a count has 20 bytes');
  return { keys: bytes.readUIntBE(0, 6), expires: bytes.readUIntBE(6, 6), bytes: bytes.readDoubleBE(12) };
}

function expectSpace(key: Buffer, space: Space, bytesAtLeast: number): void {
  invariant(
    key[0] === 1 && key.length >= REST_AT + bytesAtLeast && key[SPACE_AT] === space.charCodeAt(0),
    `a key of space ${space}`,
  );
}

function position(slot: number, hash: number): string {
  return char(
    (slot >>> 8) & 0xff,
    slot & 0xff,
    (hash >>> 24) & 0xff,
    (hash >>> 16) & 0xff,
    (hash >>> 8) & 0xff,
    hash & 0xff,
  );
}

function u16(value: number): string {
  return char((value >>> 8) & 0xff, value & 0xff);
}

function u32(value: number): string {
  return char((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function u48(value: number): string {
  return u16(Math.floor(value / 0x1_0000_0000)) + u32(value % 0x1_0000_0000);
}

function readU16(text: string, at: number): number {
  return (text.charCodeAt(at) << 8) | text.charCodeAt(at + 1);
}

function readU48(text: string, at: number): number {
  return readU16(text, at) * 0x1_0000_0000 + readU16(text, at + 2) * 0x1_0000 + readU16(text, at + 4);
}
