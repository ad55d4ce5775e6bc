/**
 * Operations on fields by sort key that the native client has; Redis's HGET, HMGET, HDEL, HINCRBY and HLEN are among
 * them, its other commands are in hashes.ts. How rows are kept is in field-rows.ts.
 */
import { ClientError } from '../../shared/errors.js';
import { add, parseInteger } from '../../shared/integers.js';
import { limits } from '../../shared/limits.js';
import { Expiry } from '../../shared/operations/codes.js';
import { Check } from '../../shared/operations/fields.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import type { Element, ElementRange, Execute, Row, View } from '../execution/view.js';
import { RowType } from '../storage/row.js';
import {
  type Arguments,
  booleanAt,
  bytesAt,
  bytesFrom,
  bytesOrNullAt,
  compactLimitsAt,
  integerAt,
  numberAt,
} from './arguments.js';
import { scanPage } from './databases.js';
import { expireAt, isPast, timeLeft } from './expiry.js';
import { FieldEditor } from './field-editor.js';
import { byField, fieldRange, fieldsRow, liveCount, liveField } from './field-rows.js';
import { successor } from './keys.js';
import { expiryOf, valueOf } from './packed.js';

const ABSENT = -2;
const FIRST = Buffer.alloc(0);

export const fieldGet: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  return liveValue(view, key, fieldsRow(view, key), bytesAt(args, 1));
};

export const fieldMultiGet: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = fieldsRow(view, key);
  if (row?.large === true) view.expect(key, row, bytesFrom(args, 1).map(byField));
  return args.slice(1).map((_, index) => liveValue(view, key, row, bytesAt(args, index + 1)));
};

export const fieldSet: Execute = (view, args) => {
  const editor = new FieldEditor(view, bytesAt(args, 0));
  let added = 0;
  for (let i = 1; i < args.length; i += 3) {
    if (editor.set(bytesAt(args, i), bytesAt(args, i + 1), expiryArgument(view, args, i + 2))) added++;
  }
  editor.finish();
  editor.notify('hset');
  return added;
};

export const fieldRemove: Execute = (view, args) => {
  const editor = new FieldEditor(view, bytesAt(args, 0));
  editor.expect(bytesFrom(args, 1));
  let removed = 0;
  for (let i = 1; i < args.length; i++) if (editor.remove(bytesAt(args, i))) removed++;
  editor.finish();
  if (removed > 0) editor.notify('hdel');
  return removed;
};

export const fieldIncrement: Execute = (view, args) => {
  const sortKey = bytesAt(args, 1);
  const editor = new FieldEditor(view, bytesAt(args, 0), compactLimitsAt(args, 4));
  const stored = editor.stored(sortKey);
  const old = stored === null ? 0 : parseInteger(valueOf(stored));
  if (old === null) throw new ClientError('ERR hash value is not an integer');
  const sum = add(old, integerAt(args, 2));
  if (sum === null) throw new ClientError('ERR increment or decrement would overflow');
  const given = expiryArgument(view, args, 3);
  const expireAtMs = given !== 0 || stored === null ? given : expiryOf(stored);
  editor.set(sortKey, Buffer.from(sum.toString(), 'latin1'), expireAtMs);
  editor.finish();
  editor.notify('hincrby');
  return sum;
};

export const fieldCheckAndSet: Execute = (view, args) => {
  const editor = new FieldEditor(view, bytesAt(args, 0));
  const stored = editor.stored(bytesAt(args, 1));
  const current = stored === null ? null : valueOf(stored);
  const done = satisfies(current, numberAt(args, 2), bytesAt(args, 3));
  if (done) {
    const value = bytesOrNullAt(args, 5);
    const changes = value !== null || editor.stored(bytesAt(args, 4)) !== null;
    if (value === null) editor.remove(bytesAt(args, 4));
    else editor.set(bytesAt(args, 4), value, expiryArgument(view, args, 6));
    editor.finish();
    if (changes) editor.notify(value === null ? 'hdel' : 'hset');
  }
  return [done, current];
};

function satisfies(current: Buffer | null, check: number, operand: Buffer): boolean {
  if (check === Check.absent) return current === null;
  if (current === null) return false;
  const order = current.compare(operand);
  switch (check) {
    case Check.present:
      return true;
    case Check.equal:
      return order === 0;
    case Check.notEqual:
      return order !== 0;
    case Check.less:
      return order < 0;
    case Check.lessOrEqual:
      return order <= 0;
    case Check.greater:
      return order > 0;
    case Check.greaterOrEqual:
      return order >= 0;
    default:
      throw new ClientError(`ERR malformed operation: check ${check}`);
  }
}

export const fieldCount: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = fieldsRow(view, key);
  return row === null ? 0 : liveCount(view, key, row);
};

export const fieldTimeToLive: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const stored = liveField(view, key, fieldsRow(view, key), bytesAt(args, 1));
  return stored === null ? ABSENT : timeLeft(view, expiryOf(stored));
};

export const fieldScan: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = fieldsRow(view, key);
  if (row === null) return [null, []];
  const limit = Math.max(1, Math.min(numberAt(args, 3), limits.scanVisited));
  const range = { gte: bytesOrNullAt(args, 1), lt: bytesOrNullAt(args, 2), reverse: booleanAt(args, 4), limit };
  const page = pageOf(view, key, row, range);
  return [page.next, flat(page.live)];
};

export const fullScan: Execute = (view, args) => {
  const page = scanPage(view, numberAt(args, 0), numberAt(args, 1));
  const limit = Math.max(1, Math.min(numberAt(args, 2), limits.scanVisited));
  const rows: OperationResult[] = [];
  let bytes = 0;
  for (const { key, row } of page.keys) {
    if (row.type !== RowType.hash) continue;
    if (bytes >= limits.scanBytes) {
      // The page is full but its keys belong to one cursor: the rest is left to fieldScan from the first field on.
      rows.push([key, FIRST, []]);
      continue;
    }
    const fields = pageOf(view, key, row, { ...whole, limit });
    for (const element of fields.live) bytes += element.sortKey.length + element.value.length;
    rows.push([key, fields.next, flat(fields.live)]);
  }
  return [page.cursor, rows];
};

const whole: ElementRange = { gte: null, lt: null, reverse: false, limit: limits.scanVisited };

interface Page {
  readonly live: readonly Element[];
  /** Where to go on: inclusive forwards, exclusive in reverse. */
  readonly next: Buffer | null;
}

/** The live ones among the next `range.limit` fields, fewer when they are big. */
function pageOf(view: View, key: Buffer, row: Row, range: ElementRange): Page {
  const elements = fieldRange(view, key, row, range);
  const live: Element[] = [];
  let bytes = 0;
  let visited = 0;
  for (const element of elements) {
    visited++;
    bytes += element.sortKey.length + element.value.length;
    if (!isPast(view, expiryOf(element.value))) live.push(element);
    if (bytes >= limits.scanBytes) break;
  }
  const last = elements[visited - 1];
  if (last === undefined || (visited === elements.length && visited < range.limit)) return { live, next: null };
  return { live, next: range.reverse ? last.sortKey : successor(last.sortKey) };
}

function liveValue(view: View, key: Buffer, row: Row | null, sortKey: Buffer): Buffer | null {
  const stored = liveField(view, key, row, sortKey);
  return stored === null ? null : valueOf(stored);
}

/** A relative time to live in ms, 0 for none. */
function expiryArgument(view: View, args: Arguments, index: number): number {
  const ttlMs = numberAt(args, index);
  return ttlMs === 0 ? 0 : expireAt(view, Expiry.relative, ttlMs, 0);
}

function flat(elements: readonly Element[]): OperationResult[] {
  return elements.flatMap(({ sortKey, value }) => [sortKey, valueOf(value)]);
}
