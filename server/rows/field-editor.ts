/**
 * Changes to the fields of one row: the same calls whether the row is packed, large or not there yet.
 * A packed row is unpacked, changed and written as a whole when it is finished; when it has grown beyond
 * the limits it spills into elements, and stays large from then on (as in Redis, it is not packed again).
 */
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { Element, Row, RowChange, View } from '../execution/view.js';
import { Encoding, RowType } from '../storage/row.js';
import { isPast } from './expiry.js';
import { expiryOf, pack, storedValue, unpack, valueOf } from './packed.js';
import { WRONG_TYPE } from './strings.js';

/** Header value of a large row: how many of its fields have an expiry. */
const EXPIRING_BYTES = 6;

/** The row, if it has fields or is absent. */
export function fieldsRow(view: View, key: Buffer): Row | null {
  const row = view.row(key);
  if (row !== null && row.type !== RowType.hash) throw new ClientError(WRONG_TYPE);
  return row;
}

/** How many fields of a large row have an expiry. */
export function expiringFields(row: Row): number {
  return row.value.readUIntBE(0, EXPIRING_BYTES);
}

export class FieldEditor {
  readonly #view: View;
  readonly #key: Buffer;
  readonly #row: Row | null;
  /** Of a packed or new row: its live fields by sort key. */
  #packed: Element[] | null;
  /** Of a large row: what its header will say. */
  #size = 0;
  #bytes = 0;
  #expiring = 0;
  #changed = false;

  constructor(view: View, key: Buffer) {
    this.#view = view;
    this.#key = key;
    this.#row = fieldsRow(view, key);
    if (this.#row?.large === true) {
      this.#packed = null;
      this.#size = this.#row.size;
      this.#bytes = this.#row.bytes;
      this.#expiring = expiringFields(this.#row);
    } else {
      const elements = this.#row === null ? [] : unpack(this.#row.value);
      this.#packed = elements.filter((element) => !isPast(view, expiryOf(element.value)));
    }
  }

  /** The stored value of a live field, null when there is none. */
  stored(sortKey: Buffer): Buffer | null {
    const stored = this.#find(sortKey);
    return stored === null || isPast(this.#view, expiryOf(stored)) ? null : stored;
  }

  /** True when the field is new. `expireAtMs` 0: never; in the past: the field is removed. */
  set(sortKey: Buffer, value: Buffer, expireAtMs: number): boolean {
    const old = this.#find(sortKey);
    const isNew = old === null || isPast(this.#view, expiryOf(old));
    if (isPast(this.#view, expireAtMs)) {
      this.remove(sortKey);
      return isNew;
    }
    this.#changed = true;
    const stored = storedValue(value, expireAtMs);
    if (this.#packed !== null) {
      const at = position(this.#packed, sortKey);
      this.#packed.splice(at, old === null ? 0 : 1, { sortKey, value: stored });
    } else {
      this.#account(sortKey, old, -1);
      this.#account(sortKey, stored, 1);
      this.#view.putElement(this.#key, this.#row!, sortKey, stored);
    }
    return isNew;
  }

  /** True when there was a live one. */
  remove(sortKey: Buffer): boolean {
    const old = this.#find(sortKey);
    if (old === null) return false;
    this.#changed = true;
    if (this.#packed !== null) {
      this.#packed.splice(position(this.#packed, sortKey), 1);
    } else {
      this.#account(sortKey, old, -1);
      this.#view.removeElement(this.#key, this.#row!, sortKey);
    }
    return !isPast(this.#view, expiryOf(old));
  }

  /** Writes the row's header; a row without fields is removed. */
  finish(): void {
    if (!this.#changed) return;
    if (this.#packed !== null) this.#finishPacked(this.#packed);
    else if (this.#size === 0) this.#view.remove(this.#key);
    else this.#view.put(this.#key, this.#row, this.#largeChange());
  }

  #finishPacked(elements: readonly Element[]): void {
    if (elements.length === 0) {
      if (this.#row !== null) this.#view.remove(this.#key);
      return;
    }
    for (const { sortKey, value } of elements) this.#account(sortKey, value, 1);
    if (elements.length <= limits.packedElements) {
      const value = pack(elements);
      if (value.length <= limits.packedBytes) {
        this.#view.put(this.#key, this.#row, this.#change(Encoding.listpack, false, value));
        return;
      }
    }
    const row = this.#view.put(this.#key, this.#row, this.#largeChange());
    for (const { sortKey, value } of elements) this.#view.putElement(this.#key, row, sortKey, value);
  }

  #largeChange(): RowChange {
    const value = Buffer.allocUnsafe(EXPIRING_BYTES);
    value.writeUIntBE(this.#expiring, 0, EXPIRING_BYTES);
    return this.#change(Encoding.hashtable, true, value);
  }

  #change(encoding: Encoding, large: boolean, value: Buffer): RowChange {
    const expireAtMs = this.#row?.expireAtMs ?? 0;
    return { type: RowType.hash, encoding, expireAtMs, size: this.#size, bytes: this.#bytes, large, value };
  }

  #find(sortKey: Buffer): Buffer | null {
    if (this.#packed === null) return this.#view.element(this.#key, this.#row!, sortKey);
    const element = this.#packed[position(this.#packed, sortKey)];
    return element !== undefined && element.sortKey.equals(sortKey) ? element.value : null;
  }

  #account(sortKey: Buffer, stored: Buffer | null, sign: 1 | -1): void {
    if (stored === null) return;
    this.#size += sign;
    this.#bytes += sign * (sortKey.length + valueOf(stored).length);
    if (expiryOf(stored) !== 0) this.#expiring += sign;
  }
}

/** Where `sortKey` is or belongs. */
function position(elements: readonly Element[], sortKey: Buffer): number {
  let low = 0;
  let high = elements.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (elements[middle]!.sortKey.compare(sortKey) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
