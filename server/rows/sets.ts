/** Operations on one set, or on two; what a set is made of is in member-set.ts, combinations are in set-algebra.ts. */
import { ClientError } from '../../shared/errors.js';
import { globMatches } from '../../shared/glob.js';
import type { KeyEvent } from '../../shared/key-events.js';
import { limits } from '../../shared/limits.js';
import type { Execute, Row, View } from '../execution/view.js';
import { bytesAt, bytesFrom, bytesOrNullAt, integerOrNullAt, numberAt, stringOrNullAt } from './arguments.js';
import { MemberSet, numberedMembers, rowExpects, rowHas, rowMembers, setRow } from './member-set.js';
import { differentNumbers } from './random.js';

export const setAdd: Execute = (view, args) => {
  const set = MemberSet.of(view, bytesAt(args, 0));
  set.expect(bytesFrom(args, 1));
  let added = 0;
  for (let i = 1; i < args.length; i++) if (set.add(bytesAt(args, i))) added++;
  set.finish();
  if (added > 0) view.notify('sadd', bytesAt(args, 0));
  return added;
};

/** Its event, and that the set is gone when nothing is left. */
function notifySmaller(view: View, key: Buffer, set: MemberSet, event: KeyEvent): void {
  view.notify(event, key);
  if (set.size === 0) view.notify('del', key);
}

export const setRemove: Execute = (view, args) => {
  const set = MemberSet.of(view, bytesAt(args, 0));
  set.expect(bytesFrom(args, 1));
  let removed = 0;
  for (let i = 1; i < args.length; i++) if (set.remove(bytesAt(args, i))) removed++;
  set.finish();
  if (removed > 0) notifySmaller(view, bytesAt(args, 0), set, 'srem');
  return removed;
};

export const setSize: Execute = (view, args) => setRow(view, bytesAt(args, 0))?.size ?? 0;

export const setHas: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = setRow(view, key);
  if (row !== null) rowExpects(view, key, row, bytesFrom(args, 1));
  return bytesFrom(args, 1).map((member) => row !== null && rowHas(view, key, row, member));
};

export const setMembers: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = setRow(view, key);
  return row === null ? [] : rowMembers(view, key, row);
};

export const setPop: Execute = (view, args) => {
  const set = MemberSet.of(view, bytesAt(args, 0));
  const count = integerOrNullAt(args, 1);
  const taken = set.takeRandom(count === null ? 1 : Number(count));
  set.finish();
  if (taken.length > 0) notifySmaller(view, bytesAt(args, 0), set, 'spop');
  return count === null ? (taken[0] ?? null) : taken;
};

export const setRandom: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = setRow(view, key);
  const count = integerOrNullAt(args, 1);
  if (row === null) return count === null ? null : [];
  if (count === null) return numberedMembers(view, key, row, [randomNumber(view, row)])[0]!;
  if (count >= 0) return differentMembers(view, key, row, Math.min(Number(count), row.size));
  if (-count > limits.randomMembers) throw new ClientError('ERR value is out of range');
  return numberedMembers(
    view,
    key,
    row,
    Array.from({ length: Number(-count) }, () => randomNumber(view, row)),
  );
};

function randomNumber(view: View, row: Row): number {
  return Math.floor(view.random() * row.size);
}

function differentMembers(view: View, key: Buffer, row: Row, count: number): Buffer[] {
  if (count === row.size) return rowMembers(view, key, row);
  const chosen = differentNumbers(view, row.size, count);
  // So many single look-ups would take longer than reading all.
  if (8 * count <= row.size || row.size > limits.operationEntries) return numberedMembers(view, key, row, chosen);
  const members = rowMembers(view, key, row);
  return chosen.map((number) => members[number]!);
}

export const setMove: Execute = (view, args) => {
  const from = bytesAt(args, 0);
  const to = bytesAt(args, 1);
  const member = bytesAt(args, 2);
  const row = view.row(from);
  // Redis minds the target's type only where there is something to move from.
  if (row === null) return false;
  const source = MemberSet.of(view, from);
  const target = setRow(view, to);
  if (from.equals(to)) return target !== null && rowHas(view, to, target, member);
  if (!source.remove(member)) return false;
  source.finish();
  notifySmaller(view, from, source, 'srem');
  const grown = MemberSet.of(view, to);
  const added = grown.add(member);
  grown.finish();
  if (added) view.notify('sadd', to);
  return true;
};

export const setScan: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = setRow(view, key);
  if (row === null) return [0, []];
  const refusal = stringOrNullAt(args, 4);
  if (refusal !== null) throw new ClientError(refusal);
  const pattern = bytesOrNullAt(args, 3);
  // A packed set is told at once. From the highest number down else: see member-set.ts.
  const cursor = numberAt(args, 1);
  const to = cursor === 0 || !row.large ? row.size : Math.min(cursor, row.size);
  const from = row.large ? Math.max(0, to - Math.max(1, Math.min(numberAt(args, 2), limits.scanCount))) : 0;
  const members = rowMembers(view, key, row, from, to);
  return [from, pattern === null ? members : members.filter((member) => globMatches(pattern, member))];
};
