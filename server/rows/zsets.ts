/** Operations on one sorted set; what one is made of is in zset-rows.ts, ranges in zset-ranges.ts. */
import { ClientError } from '../../shared/errors.js';
import { globMatches } from '../../shared/glob.js';
import type { KeyEvent } from '../../shared/key-events.js';
import { limits } from '../../shared/limits.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { AddFlag, fromWire, toWire } from '../../shared/operations/zsets.js';
import type { Execute, Row, View } from '../execution/view.js';
import {
  booleanAt,
  bytesAt,
  bytesEverySecond,
  bytesFrom,
  bytesOrNullAt,
  compactLimitsAt,
  integerAt,
  integerOrNullAt,
  numberAt,
  stringOrNullAt,
} from './arguments.js';
import { differentNumbers } from './random.js';
import { SortedSet } from './sorted-set.js';
import {
  memberKey,
  membersIn,
  position,
  ranked,
  rankOf,
  type Scored,
  scoreIn,
  step,
  unpackScored,
  WHOLE,
  zsetRow,
} from './zset-rows.js';

const NOT_A_NUMBER = 'ERR resulting score is not a number (NaN)';
/** So many members chosen at random from a large set are looked for one by one, each in the range of its bucket. */
const SINGLE_CHOICES = 128;

export const zsetAdd: Execute = (view, args) => {
  const flags = numberAt(args, 2);
  const key = bytesAt(args, 0);
  const set = SortedSet.of(view, key, compactLimitsAt(args, 1));
  if (args.length > 5) set.expect(bytesEverySecond(args, 4));
  let added = 0;
  let updated = 0;
  for (let i = 3; i < args.length; i += 2) {
    const member = bytesAt(args, i + 1);
    const score = fromWire(args[i]!);
    const old = set.score(member);
    if (!allows(flags, old, score) || score === old) continue;
    set.put(member, score, old);
    if (old === null) added++;
    else updated++;
  }
  set.finish();
  if (added + updated > 0) view.notify('zadd', key);
  return [added, updated];
};

function allows(flags: number, old: number | null, score: number): boolean {
  if (old === null) return (flags & AddFlag.ifPresent) === 0;
  if ((flags & AddFlag.ifNew) !== 0) return false;
  if ((flags & AddFlag.ifGreater) !== 0 && score <= old) return false;
  return (flags & AddFlag.ifLess) === 0 || score < old;
}

export const zsetIncrement: Execute = (view, args) => {
  const flags = numberAt(args, 2);
  const member = bytesAt(args, 3);
  const set = SortedSet.of(view, bytesAt(args, 0), compactLimitsAt(args, 1));
  const old = set.score(member);
  if (old !== null && (flags & AddFlag.ifNew) !== 0) return null;
  const score = old === null ? fromWire(args[4]!) : old + fromWire(args[4]!);
  if (Number.isNaN(score)) throw new ClientError(NOT_A_NUMBER);
  if (!allows(flags, old, score)) return null;
  if (score !== old) set.put(member, score, old);
  set.finish();
  if (score !== old) view.notify('zincr', bytesAt(args, 0));
  return toWire(score);
};

export const zsetRemove: Execute = (view, args) => {
  const set = SortedSet.of(view, bytesAt(args, 0));
  set.expect(bytesFrom(args, 1));
  let removed = 0;
  for (let i = 1; i < args.length; i++) if (set.remove(bytesAt(args, i))) removed++;
  set.finish();
  if (removed > 0) notifySmaller(view, bytesAt(args, 0), 'zrem', set.size);
  return removed;
};

/** Its event, and that the set is gone when nothing is left. */
export function notifySmaller(view: View, key: Buffer, event: KeyEvent, left: number): void {
  view.notify(event, key);
  if (left === 0) view.notify('del', key);
}

export const zsetSize: Execute = (view, args) => zsetRow(view, bytesAt(args, 0))?.size ?? 0;

export const zsetScores: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = zsetRow(view, key);
  if (row?.large === true) view.expect(key, row, bytesFrom(args, 1).map(memberKey));
  return bytesFrom(args, 1).map((member) => {
    const score = row === null ? null : scoreIn(view, key, row, member);
    return score === null ? null : toWire(score);
  });
};

export const zsetRank: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const member = bytesAt(args, 1);
  const row = zsetRow(view, key);
  const score = row === null ? null : scoreIn(view, key, row, member);
  if (row === null || score === null) return null;
  const rank = rankOf(view, key, row, position(score, member));
  return [booleanAt(args, 2) ? row.size - 1 - rank : rank, toWire(score)];
};

export const zsetPop: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = zsetRow(view, key);
  return row === null ? [] : flat(popped(view, key, row, booleanAt(args, 1), Number(integerAt(args, 2))));
};

export const zsetPopFirst: Execute = (view, args) => {
  for (const key of bytesFrom(args, 2)) {
    const row = zsetRow(view, key);
    if (row !== null) return [key, flat(popped(view, key, row, booleanAt(args, 0), Number(integerAt(args, 1))))];
  }
  return null;
};

function popped(view: View, key: Buffer, row: Row, highest: boolean, count: number): Scored[] {
  const taken = membersIn(view, key, row, WHOLE, highest, 0, Math.min(count, row.size));
  if (taken.length === 0) return taken;
  if (taken.length === row.size) view.remove(key);
  else {
    const set = SortedSet.of(view, key);
    for (const { member, score } of taken) set.take(member, score);
    set.finish();
  }
  notifySmaller(view, key, highest ? 'zpopmax' : 'zpopmin', row.size - taken.length);
  return taken;
}

/** Member, score, member, score ... */
export function flat(members: readonly Scored[]): OperationResult[] {
  return members.flatMap(({ member, score }): OperationResult[] => [member, toWire(score)]);
}

export const zsetRandom: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = zsetRow(view, key);
  const count = integerOrNullAt(args, 1);
  if (row === null) return count === null ? null : [];
  if (count !== null && -count > limits.randomMembers) throw new ClientError('ERR value is out of range');
  const draw = (): number => Math.floor(view.random() * row.size);
  const ranks =
    count === null
      ? [draw()]
      : count < 0
        ? Array.from({ length: Number(-count) }, draw)
        : differentNumbers(view, row.size, Math.min(Number(count), row.size));
  const chosen = membersOfRanks(view, key, row, ranks);
  if (count === null) return chosen[0]!.member;
  return booleanAt(args, 2) ? flat(chosen) : chosen.map(({ member }) => member);
};

function membersOfRanks(view: View, key: Buffer, row: Row, ranks: readonly number[]): Scored[] {
  if (row.large && ranks.length <= SINGLE_CHOICES && 8 * ranks.length <= row.size) {
    return ranks.map((rank) => ranked(view, key, row, rank, rank + 1, false)[0]!);
  }
  if (ranks.length === 0) return [];
  const all = ranked(view, key, row, 0, row.size, false);
  return ranks.map((rank) => all[rank]!);
}

export const zsetScan: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = zsetRow(view, key);
  if (row === null) return [0, []];
  const refusal = stringOrNullAt(args, 4);
  if (refusal !== null) throw new ClientError(refusal);
  const pattern = bytesOrNullAt(args, 3);
  // A packed set is told at once.
  const count = Math.max(1, Math.min(numberAt(args, 2), limits.scanVisited));
  const [next, found] = row.large ? step(view, key, row, numberAt(args, 1), count) : [0, unpackScored(row.value)];
  return [next, flat(pattern === null ? found : found.filter(({ member }) => globMatches(pattern, member)))];
};
