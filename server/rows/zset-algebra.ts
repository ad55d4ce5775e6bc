/**
 * Sorted sets combined with each other and with sets, whose members have the score 1. Sums are made in the order
 * that Redis makes them in, smallest set first: with doubles that tells.
 */
import type { KeyEvent } from '../../shared/key-events.js';
import { ClientError } from '../../shared/errors.js';
import { Combination } from '../../shared/operations/sets.js';
import { Aggregate, fromWire } from '../../shared/operations/zsets.js';
import type { Execute, Row, View } from '../execution/view.js';
import { RowType } from '../storage/row.js';
import {
  bytesAt,
  bytesFrom,
  compactLimitsAt,
  integerAt,
  listAt,
  numberAt,
  stringOrNullAt,
  type Arguments,
} from './arguments.js';
import { rowExpects, rowHas, rowMembers } from './member-set.js';
import { SortedSet } from './sorted-set.js';
import { WRONG_TYPE } from './strings.js';
import { memberKey, position, ranked, type Scored, scoreIn } from './zset-rows.js';
import { pagesOf } from './whole-reads.js';
import { flat } from './zsets.js';

interface Source {
  readonly key: Buffer;
  readonly row: Row | null;
  readonly weight: number;
}

export const zsetCombine: Execute = (view, args) => {
  const placed = combined(view, args).map((each) => ({ ...each, at: position(each.score, each.member) }));
  return flat(placed.sort((a, b) => a.at.compare(b.at)));
};

const STORE_EVENTS: Readonly<Record<number, KeyEvent>> = {
  [Combination.intersection]: 'zinterstore',
  [Combination.union]: 'zunionstore',
  [Combination.difference]: 'zdiffstore',
};

export const zsetCombineStore: Execute = (view, args) => {
  const members = combined(view, args.slice(2));
  const to = bytesAt(args, 0);
  const wasThere = view.peek(to) !== null;
  const set = SortedSet.replacing(view, to, compactLimitsAt(args, 1));
  for (const { member, score } of members) set.put(member, score, null);
  set.finish();
  if (members.length > 0) view.notify(STORE_EVENTS[numberAt(args, 2)] ?? 'zunionstore', to);
  else if (wasThere) view.notify('del', to);
  return members.length;
};

export const zsetCommonCount: Execute = (view, args) => {
  const sources = bytesFrom(args, 2).map((key) => ({ key, row: sourceRow(view, key), weight: 1 }));
  refuse(args, 1);
  return intersection(view, bySize(sources), Aggregate.sum, Number(integerAt(args, 0))).length;
};

/** What is wrong with the options, which is told once the keys are known to be of the right types. */
function refuse(args: Arguments, index: number): void {
  const refusal = stringOrNullAt(args, index);
  if (refusal !== null) throw new ClientError(refusal);
}

/** Arguments: combination, aggregate, weights or null, refusal or null, keys. */
function combined(view: View, args: Arguments): Scored[] {
  const weights = args[2] === null ? null : listAt(args, 2).map(fromWire);
  const sources = bytesFrom(args, 4).map((key, i) => ({ key, row: sourceRow(view, key), weight: weights?.[i] ?? 1 }));
  refuse(args, 3);
  const aggregate = numberAt(args, 1);
  switch (numberAt(args, 0)) {
    case Combination.intersection:
      return intersection(view, bySize(sources), aggregate, 0);
    case Combination.union:
      return union(view, bySize(sources), aggregate);
    case Combination.difference:
      return difference(view, sources);
    default:
      throw new ClientError(`ERR malformed operation: combination ${numberAt(args, 0)}`);
  }
}

function sourceRow(view: View, key: Buffer): Row | null {
  const row = view.row(key);
  if (row !== null && row.type !== RowType.zset && row.type !== RowType.set) throw new ClientError(WRONG_TYPE);
  return row;
}

function bySize(sources: readonly Source[]): Source[] {
  return sources.toSorted((a, b) => (a.row?.size ?? 0) - (b.row?.size ?? 0));
}

function scored(view: View, { key, row }: Source): Scored[] {
  if (row === null) return [];
  if (row.type === RowType.set) return rowMembers(view, key, row).map((member) => ({ member, score: 1 }));
  return ranked(view, key, row, 0, row.size, false);
}

function scoreInSource(view: View, { key, row }: Source, member: Buffer): number | null {
  if (row === null) return null;
  if (row.type === RowType.set) return rowHas(view, key, row, member) ? 1 : null;
  return scoreIn(view, key, row, member);
}

/** Members whose scores are asked for next. */
function expectScores(view: View, { key, row }: Source, scored: readonly Scored[]): void {
  if (row === null || !row.large) return;
  const members = scored.map(({ member }) => member);
  if (row.type === RowType.set) rowExpects(view, key, row, members);
  else view.expect(key, row, members.map(memberKey));
}

/** The first `limit` of them, 0: all. */
function intersection(view: View, sources: readonly Source[], aggregate: number, limit: number): Scored[] {
  const [smallest, ...others] = sources;
  if (smallest === undefined || smallest.row === null) return [];
  let common: Scored[] = [];
  for (const page of pagesOf(scored(view, smallest), limit)) {
    let left = page.map(({ member, score }) => ({ member, score: weighted(score, smallest) }));
    for (const other of others) {
      expectScores(view, other, left);
      left = left.flatMap(({ member, score }) => {
        const found = scoreInSource(view, other, member);
        return found === null ? [] : [{ member, score: aggregated(score, found * other.weight, aggregate) }];
      });
    }
    common = common.concat(left);
    if (limit > 0 && common.length >= limit) return common.slice(0, limit);
  }
  return common;
}

function union(view: View, sources: readonly Source[], aggregate: number): Scored[] {
  const all = new Map<string, Scored>();
  for (const source of sources) {
    for (const { member, score } of scored(view, source)) {
      const name = member.latin1Slice();
      const known = all.get(name);
      const own = weighted(score, source);
      all.set(name, { member, score: known === undefined ? own : aggregated(known.score, own, aggregate) });
    }
  }
  return [...all.values()];
}

/** The first without the members of the others; scores as they are. */
function difference(view: View, [first, ...others]: readonly Source[]): Scored[] {
  if (first === undefined || first.row === null) return [];
  return others.reduce(
    (left, other) => {
      expectScores(view, other, left);
      return left.filter(({ member }) => scoreInSource(view, other, member) === null);
    },
    scored(view, first),
  );
}

/** Zero times infinity counts as zero. */
function weighted(score: number, { weight }: Source): number {
  const product = score * weight;
  return Number.isNaN(product) ? 0 : product;
}

function aggregated(total: number, score: number, aggregate: number): number {
  switch (aggregate) {
    case Aggregate.sum: {
      const sum = total + score;
      // infinity and minus infinity
      return Number.isNaN(sum) ? 0 : sum;
    }
    case Aggregate.min:
      return score < total ? score : total;
    case Aggregate.max:
      return score > total ? score : total;
    default:
      throw new ClientError(`ERR malformed operation: aggregate ${aggregate}`);
  }
}
