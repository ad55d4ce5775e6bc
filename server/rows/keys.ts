/** What can be done to a row of any type: removal, expiry, renaming, copying. */
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import { ExpireFlag } from '../../shared/operations/codes.js';
import type { Execute, Row, View } from '../execution/view.js';
import { RowType } from '../storage/row.js';
import { type Arguments, booleanAt, bytesAt, databaseAt, numberAt } from './arguments.js';
import { expireAt, isPast, timeLeft, withExpiry } from './expiry.js';

const typeNames: ReadonlyMap<number, string> = new Map(Object.entries(RowType).map(([name, number]) => [number, name]));

/** As TYPE says it. */
export function typeName(row: Row): string {
  return typeNames.get(row.type) ?? 'unknown';
}

const ABSENT = -2;
const NO_EXPIRY = -1;

export const remove: Execute = (view, args) =>
  count(args, (key) => {
    const removed = view.remove(key);
    if (removed) view.notify('del', key);
    return removed;
  });

/** Not an access, and yet a miss. */
function found(view: View, key: Buffer): Row | null {
  const row = view.peek(key);
  if (row === null) view.notifyMiss(key);
  return row;
}

export const exists: Execute = (view, args) => count(args, (key) => found(view, key) !== null);

export const touch: Execute = (view, args) => count(args, (key) => view.row(key) !== null);

export const type: Execute = (view, args) => {
  const row = found(view, bytesAt(args, 0));
  return row === null ? null : typeName(row);
};

export const expire: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = view.row(key);
  if (row === null) return false;
  const expireAtMs = expireAt(view, numberAt(args, 1), numberAt(args, 2), row.expireAtMs);
  if (!allowsExpiry(numberAt(args, 3), row.expireAtMs, expireAtMs)) return false;
  const past = isPast(view, expireAtMs);
  if (past) view.remove(key);
  else view.put(key, row, withExpiry(row, expireAtMs));
  view.notify(past ? 'del' : 'expire', key);
  return true;
};

/** By bits of ExpireFlag. Without an expiry (0) a key or field lives for ever: later than any other for GT and LT. */
export function allowsExpiry(flags: number, current: number, next: number): boolean {
  if ((flags & ExpireFlag.ifNone) !== 0 && current !== 0) return false;
  if ((flags & ExpireFlag.ifSome) !== 0 && current === 0) return false;
  if ((flags & ExpireFlag.ifGreater) !== 0 && (current === 0 || next <= current)) return false;
  if ((flags & ExpireFlag.ifLess) !== 0 && current !== 0 && next >= current) return false;
  return true;
}

export const timeToLive: Execute = (view, args) => {
  const row = found(view, bytesAt(args, 0));
  return row === null ? ABSENT : timeLeft(view, row.expireAtMs);
};

export const expireTime: Execute = (view, args) => {
  const row = found(view, bytesAt(args, 0));
  if (row === null) return ABSENT;
  return row.expireAtMs === 0 ? NO_EXPIRY : row.expireAtMs;
};

export const persist: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = view.row(key);
  if (row === null || row.expireAtMs === 0) return false;
  view.put(key, row, withExpiry(row, 0));
  view.notify('persist', key);
  return true;
};

export const rename: Execute = (view, args) => {
  const from = bytesAt(args, 0);
  const to = bytesAt(args, 1);
  const ifAbsent = booleanAt(args, 2);
  const row = view.row(from);
  if (row === null) throw new ClientError('ERR no such key');
  if (from.equals(to)) return !ifAbsent;
  if (ifAbsent && view.row(to) !== null) return false;
  copyRow(view, from, row, view, to);
  view.remove(from);
  view.notify('rename_from', from);
  view.notify('rename_to', to);
  return true;
};

export const copy: Execute = (view, args) => {
  const from = bytesAt(args, 0);
  const to = bytesAt(args, 1);
  const target = view.inDatabase(databaseAt(args, 2));
  const row = view.row(from);
  if (row === null) return false;
  if (target.row(to) !== null && !booleanAt(args, 3)) return false;
  copyRow(view, from, row, target, to);
  target.notify('copy_to', to);
  return true;
};

export const move: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const target = view.inDatabase(databaseAt(args, 1));
  const row = view.row(key);
  if (row === null || target.row(key) !== null) return false;
  copyRow(view, key, row, target, key);
  view.remove(key);
  view.notify('move_from', key);
  target.notify('move_to', key);
  return true;
};

/** Everything of a row with its elements, in place of what is at `to`. Elements are keyed by their row's key, so a large row is copied element by element. */
function copyRow(source: View, from: Buffer, row: Row, target: View, to: Buffer): void {
  target.remove(to);
  const copied = target.put(to, null, withExpiry(row, row.expireAtMs));
  if (!row.large) return;
  let gte: Buffer | null = null;
  for (;;) {
    const page = source.elements(from, row, { gte, lt: null, reverse: false, limit: limits.scanVisited });
    for (const element of page) target.putElement(to, copied, element.sortKey, element.value);
    const last = page.at(-1);
    if (last === undefined || page.length < limits.scanVisited) return;
    gte = successor(last.sortKey);
  }
}

/** The first sort key behind `sortKey` in bytewise order. */
export function successor(sortKey: Buffer): Buffer {
  return Buffer.concat([sortKey, Buffer.alloc(1)]);
}

function count(args: Arguments, holds: (key: Buffer) => boolean): number {
  let total = 0;
  for (let i = 0; i < args.length; i++) if (holds(bytesAt(args, i))) total++;
  return total;
}
