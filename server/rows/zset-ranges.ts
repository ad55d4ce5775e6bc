/** Ranges of sorted sets by rank, by score and by text: read, stored, counted and removed. */
import type { KeyEvent } from '../../shared/key-events.js';
import { ClientError } from '../../shared/errors.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { fromWire, RangeBy } from '../../shared/operations/zsets.js';
import type { Execute, Row, View } from '../execution/view.js';
import { type Arguments, booleanAt, bytesAt, compactLimitsAt, integerAt, listAt, numberAt } from './arguments.js';
import { SortedSet } from './sorted-set.js';
import {
  behindScore,
  membersIn,
  position,
  ranked,
  rankOf,
  SCORE_BYTES,
  type Scored,
  type Span,
  WHOLE,
  zsetRow,
} from './zset-rows.js';
import { flat, notifySmaller } from './zsets.js';

const EMPTY = Buffer.alloc(0);
const MINUS = 0x2d;
const PLUS = 0x2b;
const EXCLUSIVE = 0x28;

export const zsetRange: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = zsetRow(view, key);
  const found = row === null ? [] : members(view, key, row, listAt(args, 1));
  return booleanAt(args, 2) ? flat(found) : found.map(({ member }): OperationResult => member);
};

export const zsetRangeStore: Execute = (view, args) => {
  const from = bytesAt(args, 1);
  const row = zsetRow(view, from);
  const range = listAt(args, 2);
  const found = row === null ? [] : members(view, from, row, range);
  const count = numberAt(range, 0) === RangeBy.rank ? found.length : 0;
  const to = bytesAt(args, 0);
  const wasThere = view.peek(to) !== null;
  const set = SortedSet.growing(view, to, compactLimitsAt(args, 3), count);
  for (const { member, score } of found) set.put(member, score, null);
  set.finish();
  if (found.length > 0) view.notify('zrangestore', to);
  else if (wasThere) view.notify('del', to);
  return found.length;
};

export const zsetCount: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = zsetRow(view, key);
  if (row === null) return 0;
  const [from, to] = ranks(view, key, row, listAt(args, 1));
  return to - from;
};

const REMOVAL_EVENTS: Readonly<Record<number, KeyEvent>> = {
  [RangeBy.rank]: 'zremrangebyrank',
  [RangeBy.score]: 'zremrangebyscore',
  [RangeBy.text]: 'zremrangebylex',
};

export const zsetRemoveRange: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = zsetRow(view, key);
  if (row === null) return 0;
  const [from, to] = ranks(view, key, row, listAt(args, 1));
  removeRanks(view, key, row, from, to);
  const event = REMOVAL_EVENTS[numberAt(listAt(args, 1), 0)] ?? 'zremrangebyrank';
  if (to > from) notifySmaller(view, key, event, row.size - (to - from));
  return to - from;
};

function removeRanks(view: View, key: Buffer, row: Row, from: number, to: number): void {
  const count = to - from;
  if (count === 0) return;
  if (count === row.size) {
    view.remove(key);
    return;
  }
  // What is read comes first: SortedSet may change elements on its way.
  if (2 * count > row.size) {
    const kept = [...ranked(view, key, row, 0, from, false), ...ranked(view, key, row, to, row.size, false)];
    const set = SortedSet.of(view, key);
    set.keepOnly(kept);
    set.finish();
    return;
  }
  const gone = ranked(view, key, row, from, to, false);
  const set = SortedSet.of(view, key);
  for (const { member, score } of gone) set.take(member, score);
  set.finish();
}

/** In the order of the walk. */
function members(view: View, key: Buffer, row: Row, range: Arguments): Scored[] {
  const reverse = booleanAt(range, 3);
  if (numberAt(range, 0) === RangeBy.rank) {
    const [first, end] = rankSpan(row.size, Number(integerAt(range, 1)), Number(integerAt(range, 2)));
    return reverse
      ? ranked(view, key, row, row.size - end, row.size - first, true)
      : ranked(view, key, row, first, end, false);
  }
  const offset = Number(integerAt(range, 4));
  const limit = Number(integerAt(range, 5));
  if (offset < 0) return [];
  const most = limit < 0 ? row.size : Math.min(limit, row.size);
  const run = unevenRun(view, key, row, range, reverse);
  if (run !== null) return run.members.slice(offset, offset + most);
  const span = spanOf(view, key, row, range);
  return isEmpty(span) ? [] : membersIn(view, key, row, span, reverse, offset, most);
}

/** From inclusive ranks as clients give them to [from, to) within the set. */
function rankSpan(size: number, start: number, end: number): [from: number, to: number] {
  const from = Math.max(0, start < 0 ? start + size : start);
  const to = Math.min(size, (end < 0 ? end + size : end) + 1);
  return from < to ? [from, to] : [0, 0];
}

function ranks(view: View, key: Buffer, row: Row, range: Arguments): [from: number, to: number] {
  if (numberAt(range, 0) === RangeBy.rank) {
    return rankSpan(row.size, Number(integerAt(range, 1)), Number(integerAt(range, 2)));
  }
  const run = unevenRun(view, key, row, range, false);
  if (run !== null) return [run.from, run.from + run.members.length];
  const span = spanOf(view, key, row, range);
  if (isEmpty(span)) return [0, 0];
  const from = span.gte === null ? 0 : rankOf(view, key, row, span.gte);
  const to = span.lt === null ? row.size : rankOf(view, key, row, span.lt);
  return [from, to];
}

function isEmpty({ gte, lt }: Span): boolean {
  return gte !== null && lt !== null && gte.compare(lt) >= 0;
}

function spanOf(view: View, key: Buffer, row: Row, range: Arguments): Span {
  switch (numberAt(range, 0)) {
    case RangeBy.score:
      return scoreSpan(listAt(range, 1), listAt(range, 2));
    case RangeBy.text:
      return textSpan(view, key, row, bytesAt(range, 1), bytesAt(range, 2));
    default:
      throw new ClientError(`ERR malformed operation: range by ${numberAt(range, 0)}`);
  }
}

function scoreSpan(min: Arguments, max: Arguments): Span {
  const [least, most] = [fromWire(min[0]!), fromWire(max[0]!)];
  const gte = booleanAt(min, 1) ? behindScore(least) : position(least, EMPTY);
  const lt = booleanAt(max, 1) ? position(most, EMPTY) : behindScore(most);
  return { gte, lt };
}

/**
 * A range by text where scores differ, which Redis leaves open: what its listpacks give, the members from the first
 * (in reverse: the last) that lies within on, up to one that does not. Null where all scores are the same.
 */
function unevenRun(
  view: View,
  key: Buffer,
  row: Row,
  range: Arguments,
  reverse: boolean,
): { from: number; members: Scored[] } | null {
  if (numberAt(range, 0) !== RangeBy.text) return null;
  const [first] = membersIn(view, key, row, WHOLE, false, 0, 1);
  const [last] = membersIn(view, key, row, WHOLE, true, 0, 1);
  if (first!.score === last!.score) return null;
  const [min, max] = [bytesAt(range, 1), bytesAt(range, 2)];
  const [least, most] = [textBound(0, min, false), textBound(0, max, true)];
  const all = ranked(view, key, row, 0, row.size, reverse);
  const isAbove = ({ member }: Scored): boolean => position(0, member).compare(least) >= 0;
  const isBelow = ({ member }: Scored): boolean => position(0, member).compare(most) < 0;
  const from = all.findIndex(reverse ? isBelow : isAbove);
  const rest = from < 0 || least.compare(most) >= 0 ? [] : all.slice(from);
  const end = rest.findIndex((each) => !isAbove(each) || !isBelow(each));
  return { from: Math.max(0, from), members: end < 0 ? rest : rest.slice(0, end) };
}

function textSpan(view: View, key: Buffer, row: Row, min: Buffer, max: Buffer): Span {
  const score = membersIn(view, key, row, WHOLE, false, 0, 1)[0]!.score;
  return { gte: textBound(score, min, false), lt: textBound(score, max, true) };
}

/** Where the range begins, or (`above`) where it ends. */
function textBound(score: number, bound: Buffer, above: boolean): Buffer {
  if (bound[0] === MINUS) return position(score, EMPTY);
  if (bound[0] === PLUS) return behindScore(score);
  const at = position(score, bound.subarray(1));
  const behind = (bound[0] === EXCLUSIVE) !== above;
  return behind ? Buffer.concat([at, Buffer.alloc(1)], SCORE_BYTES + bound.length) : at;
}
