/**
 * Rows with fields, as they are kept: Redis's hashes, and what the native client stores by (hash key, sort key).
 *
 * A small row packs its fields in its header (packed.ts), in the order in which they came. A large one has elements:
 *
 *   1, field -> number u48 | stored value       in the order in which the native client walks
 *   2, number u48 -> field                      without holes: a random field is one look-up away, and a walk by
 *                                               number needs no more of a cursor (see member-set.ts)
 *   3, expireAtMs u48, field -> empty           of fields that expire: those that have are found in one range
 *
 *   header value: how many fields expire u48 | none of them before u48 (0: none at all)
 *
 * A field may have an expiry of its own; an expired field is not seen by anybody and is removed by later changes
 * of its row.
 */
import { ClientError, invariant } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { Element, ElementRange, Row, View } from '../execution/view.js';
import { Encoding, RowType } from '../storage/row.js';
import { isPast } from './expiry.js';
import { expiryOf, findPacked, unpack } from './packed.js';
import { WRONG_TYPE } from './strings.js';
import { checkRead } from './whole-reads.js';

const BY_FIELD = 1;
const BY_NUMBER = 2;
const BY_EXPIRY = 3;
const U48_BYTES = 6;

/** Of a large row. */
export interface FieldExpiries {
  /** Fields that have an expiry, passed or not. */
  readonly count: number;
  /** No field expires before; 0 when none does. */
  readonly earliestMs: number;
}

/** The row, if it has fields or is absent. */
export function fieldsRow(view: View, key: Buffer): Row | null {
  const row = view.row(key);
  if (row !== null && row.type !== RowType.hash) throw new ClientError(WRONG_TYPE);
  return row;
}

export function fieldExpiries(row: Row): FieldExpiries {
  return { count: row.value.readUIntBE(0, U48_BYTES), earliestMs: row.value.readUIntBE(U48_BYTES, U48_BYTES) };
}

export function expiriesValue({ count, earliestMs }: FieldExpiries): Buffer {
  const value = Buffer.allocUnsafe(2 * U48_BYTES);
  value.writeUIntBE(count, 0, U48_BYTES);
  value.writeUIntBE(earliestMs, U48_BYTES, U48_BYTES);
  return value;
}

/** The stored value of a field, whether it has expired or not; null when there is none. */
export function storedField(view: View, key: Buffer, row: Row, field: Buffer): Buffer | null {
  if (!row.large) return findPacked(row.value, field);
  const element = view.element(key, row, byField(field));
  return element === null ? null : element.subarray(U48_BYTES);
}

/** As `storedField`; null, too, when the field has expired. */
export function liveField(view: View, key: Buffer, row: Row | null, field: Buffer): Buffer | null {
  const stored = row === null ? null : storedField(view, key, row, field);
  return stored === null || isPast(view, expiryOf(stored)) ? null : stored;
}

/** Fields in bytewise order, with their stored values, expired ones among them. */
export function fieldRange(view: View, key: Buffer, row: Row, range: ElementRange): Element[] {
  const { gte, lt, reverse, limit } = range;
  if (!row.large) {
    const within = unpack(row.value).filter(
      ({ sortKey }) => (gte === null || sortKey.compare(gte) >= 0) && (lt === null || sortKey.compare(lt) < 0),
    );
    within.sort((a, b) => a.sortKey.compare(b.sortKey));
    return (reverse ? within.reverse() : within).slice(0, limit);
  }
  const from = gte === null ? Buffer.of(BY_FIELD) : byField(gte);
  const to = lt === null ? Buffer.of(BY_FIELD + 1) : byField(lt);
  return view.elements(key, row, { gte: from, lt: to, reverse, limit }).map(fieldOfElement);
}

function fieldOfElement({ sortKey, value }: Element): Element {
  return { sortKey: sortKey.subarray(1), value: storedOf(value) };
}

/**
 * All fields that have not expired. Where Redis would have a listpack they are in the order in which they came, as there,
 * but that in a large row the last field takes the place of one that is removed.
 */
export function liveFields(view: View, key: Buffer, row: Row): Element[] {
  checkRead(row.size);
  const all = row.large ? largeFields(view, key, row) : unpack(row.value);
  return all.filter(({ value }) => !isPast(view, expiryOf(value)));
}

function largeFields(view: View, key: Buffer, row: Row): Element[] {
  const range = { gte: Buffer.of(BY_FIELD), lt: Buffer.of(BY_FIELD + 1), reverse: false, limit: row.size };
  const elements = view.elements(key, row, range);
  if (row.encoding === Encoding.listpack || row.encoding === Encoding.listpackex) {
    // a copy: what the view returned may be kept for others
    return elements.toSorted((a, b) => numberOf(a.value) - numberOf(b.value)).map(fieldOfElement);
  }
  return elements.map(fieldOfElement);
}

/** How many fields have not expired. */
export function liveCount(view: View, key: Buffer, row: Row): number {
  return row.large ? row.size - expiredFields(view, key, row, row.size).length : liveFields(view, key, row).length;
}

/** Fields of a large row numbered from `from` up to, not including, `to`; both within it. */
export function numberedFields(view: View, key: Buffer, row: Row, from: number, to: number): Buffer[] {
  const count = to - from;
  if (count <= limits.elementLookUps) {
    return Array.from({ length: count }, (_, i) => numberedField(view, key, row, from + i));
  }
  checkRead(count);
  const range = { gte: byNumber(from), lt: byNumber(to), reverse: false, limit: count };
  const found = view.elements(key, row, range);
  invariant(found.length === count, 'fields are numbered without holes');
  return found.map(({ value }) => value);
}

export function numberedField(view: View, key: Buffer, row: Row, number: number): Buffer {
  const field = view.element(key, row, byNumber(number));
  invariant(field !== null, 'fields are numbered without holes');
  return field;
}

/** Up to `limit` fields of a large row that have expired, soonest first. */
export function expiredFields(view: View, key: Buffer, row: Row, limit: number): Buffer[] {
  if (!isPast(view, fieldExpiries(row).earliestMs)) return [];
  const range = { gte: Buffer.of(BY_EXPIRY), lt: byExpiry(view.nowMs + 1, NOTHING), reverse: false, limit };
  return view.elements(key, row, range).map(({ sortKey }) => sortKey.subarray(1 + U48_BYTES));
}

/** When the next field of a large row expires, 0 when none does. */
export function nextExpiry(view: View, key: Buffer, row: Row): number {
  const range = { gte: Buffer.of(BY_EXPIRY), lt: Buffer.of(BY_EXPIRY + 1), reverse: false, limit: 1 };
  const next = view.elements(key, row, range)[0];
  return next === undefined ? 0 : next.sortKey.readUIntBE(1, U48_BYTES);
}

const NOTHING = Buffer.alloc(0);

export function byField(field: Buffer): Buffer {
  const sortKey = Buffer.allocUnsafe(1 + field.length);
  sortKey[0] = BY_FIELD;
  sortKey.set(field, 1);
  return sortKey;
}

export function byNumber(number: number): Buffer {
  const sortKey = Buffer.allocUnsafe(1 + U48_BYTES);
  sortKey[0] = BY_NUMBER;
  sortKey.writeUIntBE(number, 1, U48_BYTES);
  return sortKey;
}

export function byExpiry(expireAtMs: number, field: Buffer): Buffer {
  const sortKey = Buffer.allocUnsafe(1 + U48_BYTES + field.length);
  sortKey[0] = BY_EXPIRY;
  sortKey.writeUIntBE(expireAtMs, 1, U48_BYTES);
  sortKey.set(field, 1 + U48_BYTES);
  return sortKey;
}

/** The element of a field: its number before its stored value. */
export function numbered(number: number, stored: Buffer): Buffer {
  const element = Buffer.allocUnsafe(U48_BYTES + stored.length);
  element.writeUIntBE(number, 0, U48_BYTES);
  element.set(stored, U48_BYTES);
  return element;
}

export function numberOf(element: Buffer): number {
  return element.readUIntBE(0, U48_BYTES);
}

export function storedOf(element: Buffer): Buffer {
  return element.subarray(U48_BYTES);
}
