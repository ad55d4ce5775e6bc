/**
 * Sets combined: intersections, unions, differences. Read as a whole where they must be; an intersection reads
 * its smallest set and looks the members up in the others.
 */
import { ClientError } from '../../shared/errors.js';
import type { KeyEvent } from '../../shared/key-events.js';
import { Combination } from '../../shared/operations/sets.js';
import type { Execute, Row, View } from '../execution/view.js';
import { bytesAt, bytesFrom, integerAt, numberAt } from './arguments.js';
import { isIntset, MemberSet, rowExpects, rowHas, rowMembers, setRow } from './member-set.js';
import { pagesOf } from './whole-reads.js';

interface KeyedRow {
  readonly key: Buffer;
  readonly row: Row;
}

export const setCombine: Execute = (view, args) => combined(view, numberAt(args, 0), bytesFrom(args, 1)).members;

const STORE_EVENTS: Readonly<Record<number, KeyEvent>> = {
  [Combination.intersection]: 'sinterstore',
  [Combination.union]: 'sunionstore',
  [Combination.difference]: 'sdiffstore',
};

export const setCombineStore: Execute = (view, args) => {
  const { members, hashed } = combined(view, numberAt(args, 0), bytesFrom(args, 2));
  const to = bytesAt(args, 1);
  const wasThere = view.peek(to) !== null;
  const set = MemberSet.replacing(view, to);
  for (const member of members) set.add(member);
  if (hashed) set.noMoreIntegers();
  set.finish();
  if (set.size > 0) view.notify(STORE_EVENTS[numberAt(args, 0)] ?? 'sunionstore', to);
  else if (wasThere) view.notify('del', to);
  return set.size;
};

export const setCommonCount: Execute = (view, args) =>
  intersection(view, rowsOf(view, bytesFrom(args, 1)), Number(integerAt(args, 0))).length;

interface Combined {
  readonly members: readonly Buffer[];
  /** On its way Redis held something in the result that makes it a hashtable for good. */
  readonly hashed: boolean;
}

function combined(view: View, combination: number, keys: readonly Buffer[]): Combined {
  const rows = rowsOf(view, keys);
  switch (combination) {
    case Combination.intersection:
      return { members: intersection(view, rows, 0), hashed: false };
    case Combination.union:
      return { members: union(view, rows), hashed: false };
    case Combination.difference:
      return difference(view, rows);
    default:
      throw new ClientError(`ERR malformed operation: combination ${combination}`);
  }
}

/** Every key is looked at, so that one of another type is told whatever the others hold. */
function rowsOf(view: View, keys: readonly Buffer[]): (KeyedRow | null)[] {
  return keys.map((key) => {
    const row = setRow(view, key);
    return row === null ? null : { key, row };
  });
}

/** The first `limit` of them, 0: all. */
function intersection(view: View, rows: readonly (KeyedRow | null)[], limit: number): Buffer[] {
  const present = rows.filter((each) => each !== null);
  if (present.length < rows.length) return [];
  const [smallest, ...others] = present.toSorted((a, b) => a.row.size - b.row.size);
  if (smallest === undefined) return [];
  let members: Buffer[] = [];
  for (const page of pagesOf(rowMembers(view, smallest.key, smallest.row), limit)) {
    members = members.concat(others.reduce((left, other) => left.filter(isIn(view, other, left)), page));
    if (limit > 0 && members.length >= limit) return members.slice(0, limit);
  }
  return members;
}

/** Whether a set has each of these members, which are looked up together. */
function isIn(view: View, { key, row }: KeyedRow, members: readonly Buffer[]): (member: Buffer) => boolean {
  rowExpects(view, key, row, members);
  return (member) => rowHas(view, key, row, member);
}

function union(view: View, rows: readonly (KeyedRow | null)[]): Buffer[] {
  const members = new Map<string, Buffer>();
  for (const each of rows) {
    if (each === null) continue;
    for (const member of rowMembers(view, each.key, each.row)) members.set(member.latin1Slice(), member);
  }
  return [...members.values()];
}

/**
 * Redis chooses between looking the first set's members up in the others and taking the others' members out
 * of a copy of the first; the copy's encoding stays with the result.
 */
function difference(view: View, rows: readonly (KeyedRow | null)[]): Combined {
  const [first, ...rest] = rows;
  if (first === null || first === undefined) return { members: [], hashed: false };
  const others = rest.filter((each) => each !== null);
  const lookingUp = Math.floor((first.row.size * (others.length + 1)) / 2);
  const takingOut = [first, ...others].reduce((sum, { row }) => sum + row.size, 0);
  const members = rowMembers(view, first.key, first.row);
  if (lookingUp <= takingOut) {
    const left = others.reduce((some, other) => {
      const has = isIn(view, other, some);
      return some.filter((member) => !has(member));
    }, members);
    return { members: left, hashed: false };
  }
  const left = new Map(members.map((member) => [member.latin1Slice(), member]));
  for (const { key, row } of others) {
    for (const member of rowMembers(view, key, row)) left.delete(member.latin1Slice());
  }
  return { members: [...left.values()], hashed: !isIntset(members) };
}
