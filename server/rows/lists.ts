/** Operations on lists; what a list is made of is in list.ts. */
import { ClientError } from '../../shared/errors.js';
import type { KeyEvent } from '../../shared/key-events.js';
import type { Execute, View } from '../execution/view.js';
import { type Arguments, booleanAt, bytesAt, bytesFrom, integerAt, integerOrNullAt } from './arguments.js';
import { List, listRow } from './list.js';

const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';
const NO_PIVOT = -1;

export const listPush: Execute = (view, args) => {
  const list = new List(view, bytesAt(args, 0));
  if (list.length === 0 && booleanAt(args, 2)) return 0;
  list.push(bytesFrom(args, 3), booleanAt(args, 1));
  list.finish();
  view.notify(booleanAt(args, 1) ? 'lpush' : 'rpush', bytesAt(args, 0));
  return list.length;
};

/** Its event, and that the list is gone when nothing is left. */
function notifyShorter(view: View, key: Buffer, list: List, event: KeyEvent): void {
  view.notify(event, key);
  if (list.length === 0) view.notify('del', key);
}

export const listPop: Execute = (view, args) => {
  const list = new List(view, bytesAt(args, 0));
  if (list.length === 0) return null;
  const count = integerOrNullAt(args, 2);
  const values = list.pop(count === null ? 1 : Number(count), booleanAt(args, 1));
  list.finish();
  if (values.length > 0) notifyShorter(view, bytesAt(args, 0), list, booleanAt(args, 1) ? 'lpop' : 'rpop');
  return count === null ? (values[0] ?? null) : values;
};

export const listPopFirst: Execute = (view, args) => {
  for (const key of bytesFrom(args, 2)) {
    const list = new List(view, key);
    if (list.length === 0) continue;
    const values = list.pop(Number(integerAt(args, 1)), booleanAt(args, 0));
    list.finish();
    notifyShorter(view, key, list, booleanAt(args, 0) ? 'lpop' : 'rpop');
    return [key, values];
  }
  return null;
};

export const listMove: Execute = (view, args) => {
  const from = bytesAt(args, 0);
  const to = bytesAt(args, 1);
  const source = new List(view, from);
  if (source.length === 0) return null;
  const target = from.equals(to) ? source : new List(view, to);
  const values = source.pop(1, booleanAt(args, 2));
  target.push(values, booleanAt(args, 3));
  target.finish();
  view.notify(booleanAt(args, 3) ? 'lpush' : 'rpush', to);
  if (target !== source) source.finish();
  notifyShorter(view, from, source, booleanAt(args, 2) ? 'lpop' : 'rpop');
  return values[0] ?? null;
};

export const listLength: Execute = (view, args) => listRow(view, bytesAt(args, 0))?.size ?? 0;

export const listRange: Execute = (view, args) => {
  const list = new List(view, bytesAt(args, 0));
  const [from, to] = span(list.length, Number(integerAt(args, 1)), Number(integerAt(args, 2)));
  return list.slice(from, to);
};

export const listGet: Execute = (view, args) => {
  const list = new List(view, bytesAt(args, 0));
  if (list.length === 0) return null;
  const index = position(list.length, indexAt(args, 1));
  return index === null ? null : list.at(index);
};

export const listSet: Execute = (view, args) => {
  const list = new List(view, bytesAt(args, 0));
  if (list.length === 0) throw new ClientError('ERR no such key');
  const index = position(list.length, indexAt(args, 1));
  if (index === null) throw new ClientError('ERR index out of range');
  list.set(index, bytesAt(args, 2));
  list.finish();
  view.notify('lset', bytesAt(args, 0));
  return true;
};

export const listInsert: Execute = (view, args) => {
  const list = new List(view, bytesAt(args, 0));
  if (list.length === 0) return 0;
  const pivot = bytesAt(args, 2);
  let index = 0;
  for (const value of list.walk(true)) {
    if (value.equals(pivot)) break;
    index++;
  }
  if (index === list.length) return NO_PIVOT;
  list.insert(booleanAt(args, 1) ? index : index + 1, bytesAt(args, 3));
  list.finish();
  view.notify('linsert', bytesAt(args, 0));
  return list.length;
};

export const listRemove: Execute = (view, args) => {
  const list = new List(view, bytesAt(args, 0));
  const count = Number(integerAt(args, 1));
  const indexes = [...matches(list, bytesAt(args, 2), count >= 0, Math.abs(count))];
  list.remove(count >= 0 ? indexes : indexes.reverse());
  list.finish();
  if (indexes.length > 0) notifyShorter(view, bytesAt(args, 0), list, 'lrem');
  return indexes.length;
};

export const listTrim: Execute = (view, args) => {
  const list = new List(view, bytesAt(args, 0));
  if (list.length === 0) return true;
  const [from, to] = span(list.length, Number(integerAt(args, 1)), Number(integerAt(args, 2)));
  list.keep(from, to);
  list.finish();
  notifyShorter(view, bytesAt(args, 0), list, 'ltrim');
  return true;
};

export const listFind: Execute = (view, args) => {
  const list = new List(view, bytesAt(args, 0));
  const rank = Number(integerAt(args, 2));
  const count = Number(integerAt(args, 3));
  const skipped = Math.abs(rank) - 1;
  const comparisons = Number(integerAt(args, 4));
  const wanted = count === 0 ? 0 : skipped + count;
  return [...matches(list, bytesAt(args, 1), rank > 0, wanted, comparisons)].slice(skipped);
};

/** Indexes of equal values in the order of the walk: at most `count`, among the first `comparisons` (0: no limit). */
function* matches(
  list: List,
  value: Buffer,
  fromHead: boolean,
  count: number,
  comparisons = 0,
): Generator<number, void, undefined> {
  let found = 0;
  let compared = 0;
  for (const each of list.walk(fromHead)) {
    if (comparisons > 0 && compared === comparisons) return;
    compared++;
    if (!each.equals(value)) continue;
    yield fromHead ? compared - 1 : list.length - compared;
    found++;
    if (found === count) return;
  }
}

/** From inclusive positions as clients give them to [from, to) within the list. */
function span(length: number, start: number, end: number): [from: number, to: number] {
  const from = Math.max(0, start < 0 ? start + length : start);
  const to = Math.min(length, (end < 0 ? end + length : end) + 1);
  return from < to ? [from, to] : [0, 0];
}

/** Null outside of the list. */
function position(length: number, index: number): number | null {
  const at = index < 0 ? index + length : index;
  return at >= 0 && at < length ? at : null;
}

function indexAt(args: Arguments, index: number): number {
  const given = integerOrNullAt(args, index);
  if (given === null) throw new ClientError(NOT_AN_INTEGER);
  return Number(given);
}
