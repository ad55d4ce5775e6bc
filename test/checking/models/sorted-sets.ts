/** Sorted sets, as far as histories use them: scores are numbers that print the same everywhere (integers, halves). */
import type { Reply } from '../history.js';
import { type Draft, ModelError } from './keyspace.js';
import { argument, inclusive, integer, type Specification, type Specifications } from './specification.js';

/** By score, then by bytes. */
export function ranked(scores: ReadonlyMap<string, number>): [string, number][] {
  return [...scores].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
}

function score(text: string): number {
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) throw new ModelError('ERR value is not a valid float');
  return value;
}

function scored(entries: readonly (readonly [string, number])[], withScores: boolean): Reply {
  return entries.flatMap(([member, value]) => (withScores ? [member, String(value)] : [member]));
}

const pop = (lowest: boolean): Specification => ({
  keys: 'first',
  write: true,
  run: (draft, [key = '', count]) => {
    const all = ranked(draft.zset(key));
    if (!lowest) all.reverse();
    const taken = all.slice(0, count === undefined ? 1 : integer(count));
    if (taken.length > 0) draft.putZset(key, new Map(all.slice(taken.length)));
    return scored(taken, true);
  },
});

const rank = (lowest: boolean): Specification => ({
  keys: 'first',
  write: false,
  run: (draft, [key = '', member = '']) => {
    const all = ranked(draft.zset(key));
    if (!lowest) all.reverse();
    const at = all.findIndex(([other]) => other === member);
    return at < 0 ? null : at;
  },
});

const ADD_OPTIONS = new Set(['NX', 'XX', 'GT', 'LT', 'CH']);

function add(draft: Draft, [key = '', ...rest]: readonly string[]): Reply {
  const options = new Set<string>();
  let at = 0;
  for (; ADD_OPTIONS.has((rest[at] ?? '').toUpperCase()); at++) options.add(argument(rest, at).toUpperCase());
  const scores = new Map(draft.zset(key));
  let added = 0;
  let changed = 0;
  for (; at + 1 < rest.length; at += 2) {
    const value = score(argument(rest, at));
    const member = argument(rest, at + 1);
    const old = scores.get(member);
    if (old === undefined ? options.has('XX') : options.has('NX')) continue;
    if (old !== undefined && ((options.has('GT') && value <= old) || (options.has('LT') && value >= old))) continue;
    if (old === undefined) added += 1;
    else if (old !== value) changed += 1;
    scores.set(member, value);
  }
  if (added + changed > 0) draft.putZset(key, scores);
  return options.has('CH') ? added + changed : added;
}

export const sortedSets: Specifications = {
  zadd: { keys: 'first', write: true, run: add },
  zincrby: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', by = '', member = '']) => {
      const scores = draft.zset(key);
      const sum = (scores.get(member) ?? 0) + score(by);
      draft.putZset(key, new Map(scores).set(member, sum));
      return String(sum);
    },
  },
  zrem: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', ...removed]) => {
      const old = draft.zset(key);
      const scores = new Map([...old].filter(([member]) => !removed.includes(member)));
      if (scores.size !== old.size) draft.putZset(key, scores);
      return old.size - scores.size;
    },
  },
  zpopmin: pop(true),
  zpopmax: pop(false),
  zrank: rank(true),
  zrevrank: rank(false),
  zcard: { keys: 'first', write: false, run: (draft, [key = '']) => draft.zset(key).size },
  zscore: {
    keys: 'first',
    write: false,
    run: (draft, [key = '', member = '']) => {
      const value = draft.zset(key).get(member);
      return value === undefined ? null : String(value);
    },
  },
  /** By rank only. */
  zrange: {
    keys: 'first',
    write: false,
    run: (draft, [key = '', start = '', stop = '', option]) => {
      const all = ranked(draft.zset(key));
      const part = all.slice(...inclusive(all.length, integer(start), integer(stop)));
      return scored(part, option?.toUpperCase() === 'WITHSCORES');
    },
  },
};
