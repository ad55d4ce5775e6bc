/**
 * Fields on disk. A small row packs its fields in its header, a hash's in the order in which they came; a large one has
 * an element for each. What stands for one field's value is the same in both:
 *
 *   packed: (length varint, sort key, length varint, stored value) ...
 *   stored value: flags (bit 0: expires) | expireAtMs u48, when it does | the value's bytes
 *
 * A small list or set packs its values, or members, the same way: (length varint, bytes) ...
 */
import { OperatingError } from '../../shared/errors.js';
import type { Element } from '../execution/view.js';

const EXPIRES = 1;
const FLAGS_BYTES = 1;
const EXPIRY_BYTES = 6;

export function storedValue(value: Buffer, expireAtMs: number): Buffer {
  const prefix = expireAtMs === 0 ? FLAGS_BYTES : FLAGS_BYTES + EXPIRY_BYTES;
  const stored = Buffer.allocUnsafe(prefix + value.length);
  stored[0] = expireAtMs === 0 ? 0 : EXPIRES;
  if (expireAtMs !== 0) stored.writeUIntBE(expireAtMs, FLAGS_BYTES, EXPIRY_BYTES);
  stored.set(value, prefix);
  return stored;
}

/** 0: never. */
export function expiryOf(stored: Buffer): number {
  return (stored[0]! & EXPIRES) === 0 ? 0 : stored.readUIntBE(FLAGS_BYTES, EXPIRY_BYTES);
}

/** The value's bytes, aliasing `stored`. */
export function valueOf(stored: Buffer): Buffer {
  return stored.subarray((stored[0]! & EXPIRES) === 0 ? FLAGS_BYTES : FLAGS_BYTES + EXPIRY_BYTES);
}

export function pack(elements: readonly Element[]): Buffer {
  let total = 0;
  for (const { sortKey, value } of elements) {
    total += varintBytes(sortKey.length) + sortKey.length + varintBytes(value.length) + value.length;
  }
  const packed = Buffer.allocUnsafe(total);
  let at = 0;
  for (const { sortKey, value } of elements) {
    at = writePart(packed, at, sortKey);
    at = writePart(packed, at, value);
  }
  return packed;
}

/** In order; sort keys and values alias `packed`. */
export function unpack(packed: Buffer): Element[] {
  const elements: Element[] = [];
  const reader = new Reader(packed);
  while (!reader.ended) elements.push({ sortKey: reader.part(), value: reader.part() });
  return elements;
}

export function packParts(parts: readonly Buffer[]): Buffer {
  let total = 0;
  for (const part of parts) total += varintBytes(part.length) + part.length;
  const packed = Buffer.allocUnsafe(total);
  let at = 0;
  for (const part of parts) at = writePart(packed, at, part);
  return packed;
}

/** In order; the parts alias `packed`. */
export function unpackParts(packed: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  const reader = new Reader(packed);
  while (!reader.ended) parts.push(reader.part());
  return parts;
}

/** Whether `part` is one of them, without unpacking all. */
export function hasPart(packed: Buffer, part: Buffer): boolean {
  const reader = new Reader(packed);
  while (!reader.ended) if (reader.part().equals(part)) return true;
  return false;
}

/** The stored value of one field, without unpacking the others. */
export function findPacked(packed: Buffer, sortKey: Buffer): Buffer | null {
  const reader = new Reader(packed);
  while (!reader.ended) {
    const found = reader.part();
    const value = reader.part();
    if (found.equals(sortKey)) return value;
  }
  return null;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  part(): Buffer {
    let length = 0;
    let weight = 1;
    let byte = 0;
    do {
      byte = this.#bytes[this.#at++] ?? corrupt();
      length += (byte & 0x7f) * weight;
      weight *= 128;
    } while (byte >= 0x80);
    const end = this.#at + length;
    if (end > this.#bytes.length) corrupt();
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

function writePart(into: Buffer, at: number, part: Buffer): number {
  let next = at;
  let length = part.length;
  while (length >= 0x80) {
    into[next++] = (length & 0x7f) | 0x80;
    length = Math.floor(length / 128);
  }
  into[next++] = length;
  into.set(part, next);
  return next + part.length;
}

function varintBytes(length: number): number {
  let bytes = 1;
  for (let rest = length; rest >= 0x80; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function corrupt(): never {
  throw new OperatingError('E_CORRUPT', 'a packed row ends inside a field');
}
