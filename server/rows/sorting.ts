/**
 * SORT. What patterns name are other rows of the same partition, which only a table whose keys need not share a slot
 * is sure to have: in others they are refused, as in Redis Cluster.
 */
import { parseDouble } from '../../shared/doubles.js';
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { Execute, Row, View } from '../execution/view.js';
import { RowType } from '../storage/row.js';
import {
  type Arguments,
  booleanAt,
  bytesAt,
  bytesFrom,
  bytesOrNullAt,
  integerAt,
  listAt,
  stringOrNullAt,
} from './arguments.js';
import { liveField } from './field-rows.js';
import { List } from './list.js';
import { rowMembers } from './member-set.js';
import { valueOf } from './packed.js';
import { WRONG_TYPE } from './strings.js';
import { ranked } from './zset-rows.js';

const EMPTY = Buffer.alloc(0);
const NOT_A_NUMBER = "ERR One or more scores can't be converted into double";

/** Arguments: see `wireSorting` in shared/operations/sorting.ts. */
export const sort: Execute = (view, args) => sorted(view, args);

export const sortStore: Execute = (view, args) => {
  const to = bytesAt(args, 0);
  const values = sorted(view, args.slice(1)).map((value) => value ?? EMPTY);
  const wasThere = values.length === 0 ? view.remove(to) : view.peek(to) !== null;
  if (values.length > 0) {
    view.remove(to);
    const list = new List(view, to);
    list.push(values, false);
    list.finish();
    view.notify('sortstore', to);
  } else if (wasThere) view.notify('del', to);
  return values.length;
};

function sorted(view: View, args: Arguments): (Buffer | null)[] {
  const pattern = stringOrNullAt(args, 8);
  if (pattern !== null && view.multiKey === 'slot') {
    throw new ClientError(`ERR ${pattern} option of SORT denied in Cluster mode.`);
  }
  const gets = bytesFrom(listAt(args, 3), 0);
  const members = chosen(view, args);
  if (gets.length === 0) return members;
  checkLookUps(members.length * gets.length);
  const places = gets.map((get) => placeOf(get));
  const keys = places.flatMap((place) => (place === null ? [] : members.map((member) => keyFor(place, member))));
  view.expectRows(keys);
  return members.flatMap((member) =>
    gets.map((get, i) => {
      if (get.length === 1 && get[0] === MEMBER) return member;
      const place = places[i]!;
      return place === null ? null : valueAt(view, place, member);
    }),
  );
}

/** The members in order, as far as they are wanted. */
function chosen(view: View, args: Arguments): Buffer[] {
  const key = bytesAt(args, 0);
  const row = view.row(key);
  if (row === null) return [];
  const members = membersOf(view, key, row);
  const descending = booleanAt(args, 4);
  const asIs = booleanAt(args, 2);
  const settles = asIs && booleanAt(args, 9) && row.type === RowType.set;
  const by = settles ? null : bytesOrNullAt(args, 1);
  if (asIs && !settles) {
    if (descending && row.type !== RowType.set) members.reverse();
  } else if (by !== null && placeOf(by) !== null) {
    sortBy(view, members, placeOf(by)!, booleanAt(args, 5), descending);
  } else {
    sortMembers(members, settles || booleanAt(args, 5), descending);
  }
  const start = Math.max(0, Number(integerAt(args, 6)));
  const count = Number(integerAt(args, 7));
  return members.slice(start, count < 0 ? members.length : start + count);
}

function membersOf(view: View, key: Buffer, row: Row): Buffer[] {
  switch (row.type) {
    case RowType.list:
      return [...new List(view, key).walk(true)];
    case RowType.set:
      return rowMembers(view, key, row);
    case RowType.zset:
      return ranked(view, key, row, 0, row.size, false).map(({ member }) => member);
    default:
      throw new ClientError(WRONG_TYPE);
  }
}

function sortMembers(members: Buffer[], alphabetic: boolean, descending: boolean): void {
  const sign = descending ? -1 : 1;
  if (alphabetic) {
    members.sort((a, b) => sign * a.compare(b));
    return;
  }
  arrange(members, members.map(numberOf), (a, b, i, j) => sign * (a - b || members[i]!.compare(members[j]!)));
}

function sortBy(view: View, members: Buffer[], place: Place, alphabetic: boolean, descending: boolean): void {
  checkLookUps(members.length);
  view.expectRows(members.map((member) => keyFor(place, member)));
  const values = members.map((member) => valueAt(view, place, member));
  const sign = descending ? -1 : 1;
  if (alphabetic) {
    arrange(members, values, (a, b) => sign * compareOrAbsent(a, b));
    return;
  }
  const numbers = values.map((value) => (value === null ? 0 : numberOf(value)));
  arrange(members, numbers, (a, b, i, j) => sign * (difference(a, b) || members[i]!.compare(members[j]!)));
}

/** Infinities of one sign are equal. */
function difference(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function compareOrAbsent(a: Buffer | null, b: Buffer | null): number {
  if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
  return a.compare(b);
}

/** Brings the members into the order of what belongs to them. */
function arrange<T>(
  members: Buffer[],
  weights: readonly T[],
  order: (a: T, b: T, i: number, j: number) => number,
): void {
  const indexes = members.map((_, i) => i);
  indexes.sort((i, j) => order(weights[i]!, weights[j]!, i, j));
  const arranged = indexes.map((i) => members[i]!);
  arranged.forEach((member, i) => (members[i] = member));
}

/** As C's strtod reads all of it, with spaces in front; nothing at all is 0. */
function numberOf(bytes: Buffer): number {
  if (bytes.length === 0) return 0;
  const text = bytes.latin1Slice(0, bytes.length).replace(/^[ \t\n\v\f\r]+/, '');
  const value = parseDouble(Buffer.from(text, 'latin1'));
  if (value === null) throw new ClientError(NOT_A_NUMBER);
  return value;
}

const MEMBER = '#'.charCodeAt(0);
const STAR = '*'.charCodeAt(0);
const ARROW = Buffer.from('->');

/** Where a pattern points. */
interface Place {
  readonly before: Buffer;
  readonly behind: Buffer;
  readonly field: Buffer | null;
}

/** Null for a pattern without a `*`, which names nothing. */
function placeOf(pattern: Buffer): Place | null {
  const star = pattern.indexOf(STAR);
  if (star < 0) return null;
  const arrow = pattern.indexOf(ARROW, star + 1);
  const hasField = arrow >= 0 && arrow + ARROW.length < pattern.length;
  return {
    before: pattern.subarray(0, star),
    behind: pattern.subarray(star + 1, hasField ? arrow : pattern.length),
    field: hasField ? pattern.subarray(arrow + ARROW.length) : null,
  };
}

function keyFor({ before, behind }: Place, member: Buffer): Buffer {
  return Buffer.concat([before, member, behind]);
}

function valueAt(view: View, place: Place, member: Buffer): Buffer | null {
  const key = keyFor(place, member);
  const row = view.row(key);
  if (row === null) return null;
  if (place.field === null) return row.type === RowType.string ? row.value : null;
  if (row.type !== RowType.hash) return null;
  const stored = liveField(view, key, row, place.field);
  return stored === null ? null : valueOf(stored);
}

function checkLookUps(count: number): void {
  if (count > limits.sortLookUps)
    throw new ClientError(`ERR SORT with more than ${limits.sortLookUps} keys to look up`);
}
