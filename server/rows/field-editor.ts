/**
 * Changes to the fields of one row: the same calls whether the row is packed, large or not there yet.
 * A packed row is unpacked, changed and written as a whole when it is finished; when it has grown beyond
 * the limits it spills into elements, and stays large from then on (as in Redis, it is not packed again).
 * How rows are kept is in field-rows.ts.
 *
 * The encoding is what Redis would have under the limits that the client's proxy is configured with: `listpack`
 * while there are few short fields (`listpackex` once one of them expires), then `hashtable` for good.
 */
import type { KeyEvent } from '../../shared/key-events.js';
import { limits } from '../../shared/limits.js';
import type { CompactLimits } from '../../shared/operations/codes.js';
import type { Element, Row, RowChange, View } from '../execution/view.js';
import { Encoding, RowType } from '../storage/row.js';
import { isPast } from './expiry.js';
import {
  byExpiry,
  byField,
  byNumber,
  expiredFields,
  expiriesValue,
  fieldExpiries,
  fieldsRow,
  nextExpiry,
  numbered,
  numberedField,
  numberOf,
  storedOf,
} from './field-rows.js';
import { PackedFields } from './packed-fields.js';
import { expiryOf, pack, storedValue, unpack, valueOf } from './packed.js';

/** Redis's hash-max-listpack-entries and hash-max-listpack-value. */
const LISTPACK: CompactLimits = [512, 64];
const NOTHING = Buffer.alloc(0);

export class FieldEditor {
  readonly #view: View;
  readonly #key: Buffer;
  readonly #row: Row | null;
  readonly #compact: CompactLimits;
  /** Of a packed or new row: its live fields. */
  readonly #packed: PackedFields | null;
  /** Of a large row: what its header will say. */
  #size = 0;
  #bytes = 0;
  #expiring = 0;
  #earliestMs = 0;
  #encoding: Encoding;
  #changed = false;

  constructor(view: View, key: Buffer, compact: CompactLimits | null = null) {
    this.#view = view;
    this.#key = key;
    this.#row = fieldsRow(view, key);
    this.#compact = compact ?? LISTPACK;
    this.#encoding = (this.#row?.encoding ?? Encoding.listpack) as Encoding;
    if (this.#row?.large === true) {
      const { count, earliestMs } = fieldExpiries(this.#row);
      this.#packed = null;
      this.#size = this.#row.size;
      this.#bytes = this.#row.bytes;
      this.#expiring = count;
      this.#earliestMs = earliestMs;
      if (isPast(view, earliestMs)) this.#removeExpired(this.#row);
    } else {
      const elements = this.#row === null ? [] : unpack(this.#row.value);
      const live = elements.filter((element) => !isPast(view, expiryOf(element.value)));
      this.#packed = new PackedFields(live);
      this.#changed = live.length < elements.length;
    }
  }

  /** Some at a time: those that are left wait for the next change. */
  #removeExpired(row: Row): void {
    for (const field of expiredFields(this.#view, this.#key, row, limits.expiredFields)) this.remove(field);
    this.#earliestMs = nextExpiry(this.#view, this.#key, row);
    this.#changed = true;
  }

  /** Fields that are looked up next. */
  expect(fields: readonly Buffer[]): void {
    if (this.#packed === null) this.#view.expect(this.#key, this.#row!, fields.map(byField));
  }

  /** The stored value of a live field, null when there is none. */
  stored(field: Buffer): Buffer | null {
    const stored = this.#find(field);
    return stored === null || isPast(this.#view, expiryOf(stored)) ? null : stored;
  }

  /** True when the field is new. `expireAtMs` 0: never; in the past: the field is removed. */
  set(field: Buffer, value: Buffer, expireAtMs: number): boolean {
    this.#noteLength(field, value);
    const element = this.#element(field);
    const old = element === null ? (this.#packed?.find(field) ?? null) : storedOf(element);
    const isNew = old === null || isPast(this.#view, expiryOf(old));
    if (isPast(this.#view, expireAtMs)) {
      this.remove(field);
      return isNew;
    }
    this.#changed = true;
    if (expireAtMs !== 0 && this.#encoding === Encoding.listpack) this.#encoding = Encoding.listpackex;
    const stored = storedValue(value, expireAtMs);
    if (this.#packed !== null) {
      this.#packed.set(field, stored);
      return isNew;
    }
    const number = element === null ? this.#size : numberOf(element);
    if (old !== null) this.#account(field, old, -1);
    this.#account(field, stored, 1);
    this.#putLarge(this.#row!, number, field, stored, old);
    return isNew;
  }

  /** True when there was a live one. */
  remove(field: Buffer): boolean {
    const element = this.#element(field);
    const old = element === null ? (this.#packed?.find(field) ?? null) : storedOf(element);
    if (old === null) return false;
    this.#changed = true;
    if (this.#packed !== null) this.#packed.remove(field);
    else {
      this.#removeLarge(this.#row!, numberOf(element!), field, old);
      this.#account(field, old, -1);
    }
    return !isPast(this.#view, expiryOf(old));
  }

  /** No field is left. */
  get empty(): boolean {
    return this.#packed === null ? this.#size === 0 : this.#packed.elements.length === 0;
  }

  /** An event of this change, and that the row is gone when nothing is left. */
  notify(event: KeyEvent): void {
    this.#view.notify(event, this.#key);
    if (this.empty) this.#view.notify('del', this.#key);
  }

  /** Writes the row's header; a row without fields is removed. */
  finish(): void {
    if (!this.#changed) return;
    if (this.#packed !== null) this.#finishPacked(this.#packed.elements);
    else if (this.#size === 0) this.#view.remove(this.#key);
    else this.#view.put(this.#key, this.#row, this.#largeChange());
  }

  #finishPacked(elements: readonly Element[]): void {
    if (elements.length === 0) {
      if (this.#row !== null) this.#view.remove(this.#key);
      return;
    }
    for (const { sortKey, value } of elements) this.#account(sortKey, value, 1);
    if (elements.length <= limits.packedElements && this.#bytes <= limits.packedBytes) {
      const value = pack(elements);
      if (value.length <= limits.packedBytes) {
        this.#view.put(this.#key, this.#row, this.#change(false, value));
        return;
      }
    }
    for (const { value } of elements) this.#noteExpiry(expiryOf(value));
    const row = this.#view.put(this.#key, this.#row, this.#largeChange());
    elements.forEach(({ sortKey, value }, number) => this.#putLarge(row, number, sortKey, value, null));
  }

  #largeChange(): RowChange {
    return this.#change(true, expiriesValue({ count: this.#expiring, earliestMs: this.#earliestMs }));
  }

  #change(large: boolean, value: Buffer): RowChange {
    if (this.#size > this.#compact[0]) this.#encoding = Encoding.hashtable;
    const expireAtMs = this.#row?.expireAtMs ?? 0;
    const encoding = this.#encoding;
    return { type: RowType.hash, encoding, expireAtMs, size: this.#size, bytes: this.#bytes, large, value };
  }

  #noteLength(field: Buffer, value: Buffer): void {
    const longest = this.#compact[1];
    if (field.length > longest || value.length > longest) this.#encoding = Encoding.hashtable;
  }

  #find(field: Buffer): Buffer | null {
    if (this.#packed !== null) return this.#packed.find(field);
    const element = this.#element(field);
    return element === null ? null : storedOf(element);
  }

  /** Of a large row: the number and the stored value. */
  #element(field: Buffer): Buffer | null {
    return this.#packed === null ? this.#view.element(this.#key, this.#row!, byField(field)) : null;
  }

  #putLarge(row: Row, number: number, field: Buffer, stored: Buffer, old: Buffer | null): void {
    const expireAtMs = expiryOf(stored);
    const oldExpireAtMs = old === null ? 0 : expiryOf(old);
    this.#view.putElement(this.#key, row, byField(field), numbered(number, stored));
    if (old === null) this.#view.putElement(this.#key, row, byNumber(number), field);
    if (expireAtMs === oldExpireAtMs) return;
    if (oldExpireAtMs !== 0) this.#view.removeElement(this.#key, row, byExpiry(oldExpireAtMs, field));
    if (expireAtMs !== 0) this.#view.putElement(this.#key, row, byExpiry(expireAtMs, field), NOTHING);
    this.#noteExpiry(expireAtMs);
  }

  /** The last field takes the number: its element is written again, at most as much as was written to set it. */
  #removeLarge(row: Row, number: number, field: Buffer, old: Buffer): void {
    const last = this.#size - 1;
    if (number !== last) {
      const lastField = numberedField(this.#view, this.#key, row, last);
      const stored = storedOf(this.#element(lastField)!);
      this.#view.putElement(this.#key, row, byField(lastField), numbered(number, stored));
      this.#view.putElement(this.#key, row, byNumber(number), lastField);
    }
    this.#view.removeElement(this.#key, row, byNumber(last));
    this.#view.removeElement(this.#key, row, byField(field));
    if (expiryOf(old) !== 0) this.#view.removeElement(this.#key, row, byExpiry(expiryOf(old), field));
  }

  #noteExpiry(expireAtMs: number): void {
    if (expireAtMs !== 0 && (this.#earliestMs === 0 || expireAtMs < this.#earliestMs)) this.#earliestMs = expireAtMs;
  }

  #account(field: Buffer, stored: Buffer, sign: 1 | -1): void {
    this.#size += sign;
    this.#bytes += sign * (field.length + valueOf(stored).length);
    if (expiryOf(stored) !== 0) this.#expiring += sign;
  }
}
