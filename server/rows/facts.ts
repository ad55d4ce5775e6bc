/**
 * What OBJECT, MEMORY USAGE and DEBUG tell about a row. There is no Redis object behind it: encodings are
 * kept in the header for this, reference counts and memory are what Redis would say for that value.
 */
import { createHash } from 'node:crypto';
import { limits } from '../../shared/limits.js';
import { ID_MAX, ID_MIN } from '../../shared/stream-ids.js';
import { decayed } from '../execution/frequency.js';
import type { Execute, Row, View } from '../execution/view.js';
import { Encoding, RowType } from '../storage/row.js';
import { bytesAt } from './arguments.js';
import { liveFields } from './field-rows.js';
import { List } from './list.js';
import { rowMembers } from './member-set.js';
import { ranked, scoreBytes } from './zset-rows.js';
import { Stream } from './stream.js';

const encodingNames: ReadonlyMap<number, string> = new Map(
  Object.entries(Encoding).map(([name, number]) => [number, name]),
);

/** Redis shares one object for each of these integers; OBJECT REFCOUNT gives it away. */
const SHARED_INTEGERS = 10_000;
const SHARED_REFERENCES = 2_147_483_647;
/** Redis's dictionary entry and object header, on a 64-bit machine. */
const ENTRY_BYTES = 24;
const OBJECT_BYTES = 16;
/** An element of a collection beside its own bytes, roughly, over Redis's encodings. */
const ELEMENT_BYTES = 16;
const DIGEST_BYTES = 20;

export const facts: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = view.peek(key);
  if (row === null) return null;
  return [
    encodingNames.get(row.encoding) ?? 'unknown',
    references(row),
    Math.max(0, Math.floor(view.nowMs / 1000) - row.accessedAtS),
    decayed(row, Math.floor(view.nowMs / 1000)),
    memoryBytes(key, row),
    row.bytes + row.size + 1,
    row.accessedAtS,
  ];
};

function references(row: Row): number {
  if (row.encoding !== Encoding.int) return 1;
  const value = Number(row.value.latin1Slice(0, row.value.length));
  return value >= 0 && value < SHARED_INTEGERS ? SHARED_REFERENCES : 1;
}

function memoryBytes(key: Buffer, row: Row): number {
  const fixed = ENTRY_BYTES + stringAllocation(key.length);
  if (row.encoding === Encoding.int) return fixed + OBJECT_BYTES;
  if (row.encoding === Encoding.embstr) return fixed + allocation(OBJECT_BYTES + 4 + row.bytes);
  if (row.type === RowType.string) return fixed + OBJECT_BYTES + stringAllocation(row.bytes);
  return fixed + OBJECT_BYTES + row.bytes + ELEMENT_BYTES * row.size;
}

/** Redis's string header grows with the string: 1, 3, 5 or 9 bytes, and a NUL ends it. */
function stringAllocation(length: number): number {
  const header = length < 32 ? 1 : length < 256 ? 3 : length < 65_536 ? 5 : 9;
  return allocation(header + length + 1);
}

/** jemalloc's size class: multiples of 16 up to 128, then four a doubling. */
function allocation(bytes: number): number {
  if (bytes <= 8) return 8;
  const step = bytes <= 128 ? 16 : 2 ** (Math.ceil(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}

export const digestValues: Execute = (view, args) =>
  args.map((_, index) => {
    const key = bytesAt(args, index);
    const row = view.peek(key);
    return row === null ? Buffer.alloc(DIGEST_BYTES) : digestOf(view, key, row, Buffer.alloc(0));
  });

/** Every key's digest, its name and database included, combined by xor: the order of keys does not matter. */
export const digest: Execute = (view) => {
  const total = Buffer.alloc(DIGEST_BYTES);
  for (let db = 0; db < limits.databases; db++) {
    const database = view.inDatabase(db);
    let position = { slot: view.slots.from, hash: 0 };
    for (;;) {
      const page = database.scan(position, limits.scanVisited);
      for (const { key, row } of page.keys) xor(total, digestOf(database, key, row, framed(Buffer.from([db]), key)));
      if (page.next === null) break;
      position = page.next;
    }
  }
  return total;
};

/** Of the value and not of how it is kept: equal values have equal digests, packed or large. */
function digestOf(view: View, key: Buffer, row: Row, salt: Buffer): Buffer {
  const hash = createHash('sha1');
  hash.update(salt).update(Buffer.from([row.type, row.expireAtMs === 0 ? 0 : 1]));
  for (const part of contents(view, key, row)) hash.update(framed(part));
  return hash.digest();
}

function contents(view: View, key: Buffer, row: Row): Iterable<Buffer> {
  switch (row.type) {
    case RowType.list:
      return new List(view, key).walk(true);
    case RowType.set:
      return rowMembers(view, key, row).sort((a, b) => a.compare(b));
    case RowType.zset:
      return ranked(view, key, row, 0, row.size, false).flatMap(({ member, score }) => [member, scoreBytes(score)]);
    case RowType.hash:
      return fieldParts(view, key, row);
    case RowType.stream:
      return entryParts(view, key);
    default:
      return [row.value];
  }
}

function fieldParts(view: View, key: Buffer, row: Row): Buffer[] {
  return liveFields(view, key, row).flatMap(({ sortKey, value }) => [sortKey, value]);
}

/** Of the entries; groups do not count, as in Redis. */
function entryParts(view: View, key: Buffer): Buffer[] {
  const stream = Stream.find(view, key);
  const entries = stream?.range(ID_MIN, ID_MAX, false, stream.length) ?? [];
  return entries.flatMap(({ id, fields }) => [id, ...fields]);
}

/** Each part behind its length, so that no two sequences of parts look alike. */
function framed(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const size = Buffer.allocUnsafe(4);
      size.writeUInt32BE(part.length);
      return [size, part];
    }),
  );
}

function xor(into: Buffer, other: Buffer): void {
  for (let i = 0; i < into.length; i++) into[i] = into[i]! ^ other[i]!;
}
