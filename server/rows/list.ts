/**
 * One list, with the same calls whether it is packed in its row's header, large or not there yet.
 *
 * A large list has an element for each value, whose sort key is its position: 48 bits, beginning in the
 * middle, so that both ends have room to grow. The header keeps the first position and the length; there are
 * no holes, so that any index is one look-up away. What inserts or removes in the middle moves the values on
 * the shorter side by rewriting them.
 *
 *   header value of a large list: first position u48
 *   element: position u48 -> the value's bytes
 */
import { ClientError, invariant } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { Row, RowChange, View } from '../execution/view.js';
import { Encoding, RowType } from '../storage/row.js';
import { packParts, unpackParts } from './packed.js';
import { WRONG_TYPE } from './strings.js';
import { checkRead } from './whole-reads.js';

const POSITION_BYTES = 6;
const MIDDLE = 2 ** 47;
/** A walk's first page, and how much larger each further one is: the operation begins anew for each. */
const WALK_FIRST = 32;
const WALK_GROWTH = 16;

/** The row, if it is a list or absent. */
export function listRow(view: View, key: Buffer): Row | null {
  const row = view.row(key);
  if (row !== null && row.type !== RowType.list) throw new ClientError(WRONG_TYPE);
  return row;
}

export class List {
  readonly #view: View;
  readonly #key: Buffer;
  readonly #row: Row | null;
  /** Of a list that is, or will be, written as a whole. */
  #packed: Buffer[] | null;
  /** Of a large one. */
  #first = MIDDLE;
  #size = 0;
  #bytes = 0;
  #changed = false;
  /** The row is written anew, under another version: what it had becomes garbage. */
  #anew = false;

  constructor(view: View, key: Buffer) {
    this.#view = view;
    this.#key = key;
    this.#row = listRow(view, key);
    if (this.#row?.large === true) {
      this.#packed = null;
      this.#first = this.#row.value.readUIntBE(0, POSITION_BYTES);
      this.#size = this.#row.size;
      this.#bytes = this.#row.bytes;
    } else {
      this.#packed = this.#row === null ? [] : unpackParts(this.#row.value);
    }
  }

  /** 0: there is no list. */
  get length(): number {
    return this.#packed?.length ?? this.#size;
  }

  /** `index` is within the list. */
  at(index: number): Buffer {
    if (this.#packed === null) return this.#read(index);
    const value = this.#packed[index];
    invariant(value !== undefined, 'an index within the list');
    return value;
  }

  /** From `from` up to, not including, `to`; both within the list. */
  slice(from: number, to: number): Buffer[] {
    if (this.#packed !== null) return this.#packed.slice(from, to);
    const count = to - from;
    if (count <= limits.elementLookUps) {
      const sortKeys = Array.from({ length: Math.max(0, count) }, (_, i) => this.#sortKey(from + i));
      this.#view.expect(this.#key, this.#row!, sortKeys);
      return sortKeys.map((sortKey) => this.#value(sortKey));
    }
    checkRead(count);
    const range = { gte: this.#sortKey(from), lt: this.#sortKey(to), reverse: false, limit: count };
    const found = this.#view.elements(this.#key, this.#row!, range);
    invariant(found.length === count, 'a list has no holes');
    return found.map(({ value }) => value);
  }

  /** All values from one end to the other, read in pages. */
  *walk(fromHead: boolean): Generator<Buffer> {
    const { length } = this;
    for (let done = 0, page = WALK_FIRST; done < length; page = Math.min(WALK_GROWTH * page, limits.walkPage)) {
      const count = Math.min(page, length - done);
      yield* fromHead ? this.slice(done, done + count) : this.slice(length - done - count, length - done).reverse();
      done += count;
    }
  }

  /** One after the other at that end. */
  push(values: readonly Buffer[], atHead: boolean): void {
    this.#changed = true;
    if (this.#packed !== null) {
      if (atHead) this.#packed = [...values.toReversed(), ...this.#packed];
      else for (const value of values) this.#packed.push(value);
      return;
    }
    for (const value of values) {
      if (atHead) this.#first--;
      this.#size++;
      this.#bytes += value.length;
      this.#write(atHead ? 0 : this.#size - 1, value);
    }
  }

  /** Up to `count` values from that end, in the order in which they come off. */
  pop(count: number, fromHead: boolean): Buffer[] {
    const { length } = this;
    const taken = Math.min(count, length);
    const values = fromHead ? this.slice(0, taken) : this.slice(length - taken, length).reverse();
    this.#drop(fromHead ? values : [], fromHead ? [] : values);
    return values;
  }

  set(index: number, value: Buffer): void {
    this.#changed = true;
    if (this.#packed !== null) {
      this.#packed[index] = value;
      return;
    }
    this.#bytes += value.length - this.#read(index).length;
    this.#write(index, value);
  }

  /** What was at `index` comes behind it. */
  insert(index: number, value: Buffer): void {
    this.#changed = true;
    if (this.#packed !== null) {
      this.#packed.splice(index, 0, value);
      return;
    }
    const nearHead = index < this.#size / 2;
    const moved = nearHead ? this.slice(0, index) : this.slice(index, this.#size);
    if (nearHead) this.#first--;
    this.#size++;
    this.#bytes += value.length;
    this.#write(index, value);
    moved.forEach((each, i) => this.#write(nearHead ? i : index + 1 + i, each));
  }

  /** Takes the values at these indexes out, which are in ascending order. */
  remove(indexes: readonly number[]): void {
    const first = indexes[0];
    const last = indexes.at(-1);
    if (first === undefined || last === undefined) return;
    const gone = new Set(indexes);
    if (this.#packed !== null) {
      this.#changed = true;
      this.#packed = this.#packed.filter((_, index) => !gone.has(index));
      return;
    }
    // Holes are closed from the end that is nearer, so that the values on the other side stay where they are.
    const nearHead = last + 1 <= this.#size - first;
    const from = nearHead ? 0 : first;
    const side = this.slice(from, nearHead ? last + 1 : this.#size);
    const kept = side.filter((_, i) => !gone.has(from + i));
    const start = nearHead ? last + 1 - kept.length : first;
    kept.forEach((value, i) => this.#write(start + i, value));
    for (const [i, value] of side.entries()) if (gone.has(from + i)) this.#bytes -= value.length;
    this.#cut(nearHead ? indexes.length : 0, nearHead ? 0 : indexes.length);
  }

  /** Drops what lies outside of [from, to), which is within the list. */
  keep(from: number, to: number): void {
    const { length } = this;
    const kept = to - from;
    if (kept === length) return;
    if (this.#packed === null && kept < length - kept) {
      this.#packed = this.slice(from, to);
      this.#anew = true;
      this.#changed = true;
    } else {
      this.#drop(this.slice(0, from), this.slice(to, length));
    }
  }

  /** Writes the row's header; a list without values is removed. */
  finish(): void {
    if (!this.#changed) return;
    if (this.length === 0) this.#view.remove(this.#key);
    else if (this.#packed !== null) this.#finishPacked(this.#packed);
    else this.#view.put(this.#key, this.#row, this.#largeChange());
  }

  #finishPacked(values: readonly Buffer[]): void {
    const previous = this.#anew ? null : this.#row;
    this.#size = values.length;
    this.#bytes = values.reduce((sum, value) => sum + value.length, 0);
    if (values.length <= limits.packedElements && this.#bytes <= limits.packedBytes) {
      const value = packParts(values);
      if (value.length <= limits.packedBytes) {
        this.#view.put(this.#key, previous, this.#change(false, value));
        return;
      }
    }
    this.#first = MIDDLE;
    const row = this.#view.put(this.#key, previous, this.#largeChange());
    values.forEach((value, index) => this.#view.putElement(this.#key, row, this.#sortKey(index), value));
  }

  #largeChange(): RowChange {
    const value = Buffer.allocUnsafe(POSITION_BYTES);
    value.writeUIntBE(this.#first, 0, POSITION_BYTES);
    return this.#change(true, value);
  }

  #change(large: boolean, value: Buffer): RowChange {
    const expireAtMs = this.#row?.expireAtMs ?? 0;
    const encoding = Encoding.quicklist;
    return { type: RowType.list, encoding, expireAtMs, size: this.#size, bytes: this.#bytes, large, value };
  }

  /** Takes off what are the first and the last values. */
  #drop(head: readonly Buffer[], tail: readonly Buffer[]): void {
    if (head.length + tail.length === 0) return;
    this.#changed = true;
    if (this.#packed !== null) {
      this.#packed = this.#packed.slice(head.length, this.#packed.length - tail.length);
      return;
    }
    for (const value of head) this.#bytes -= value.length;
    for (const value of tail) this.#bytes -= value.length;
    this.#cut(head.length, tail.length);
  }

  /** Removes the elements at both ends of a large list. */
  #cut(head: number, tail: number): void {
    this.#changed = true;
    for (let i = 0; i < head; i++) this.#view.removeElement(this.#key, this.#row!, this.#sortKey(i));
    for (let i = this.#size - tail; i < this.#size; i++) {
      this.#view.removeElement(this.#key, this.#row!, this.#sortKey(i));
    }
    this.#first += head;
    this.#size -= head + tail;
  }

  #read(index: number): Buffer {
    return this.#value(this.#sortKey(index));
  }

  #value(sortKey: Buffer): Buffer {
    const value = this.#view.element(this.#key, this.#row!, sortKey);
    invariant(value !== null, 'a list has no holes');
    return value;
  }

  #write(index: number, value: Buffer): void {
    this.#view.putElement(this.#key, this.#row!, this.#sortKey(index), value);
  }

  #sortKey(index: number): Buffer {
    const sortKey = Buffer.allocUnsafe(POSITION_BYTES);
    sortKey.writeUIntBE(this.#first + index, 0, POSITION_BYTES);
    return sortKey;
  }
}
