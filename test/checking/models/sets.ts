/** Sets. What SPOP takes is chance: any member may have been taken that the reply does not contradict. */
import { isError, type Reply } from '../history.js';
import type { Draft } from './keyspace.js';
import { integer, type Specification, type Specifications, unordered } from './specification.js';

type Algebra = (sets: readonly ReadonlySet<string>[]) => Set<string>;

const union: Algebra = (sets) => new Set(sets.flatMap((set) => [...set]));
const intersection: Algebra = ([first, ...rest]) =>
  new Set([...(first ?? [])].filter((member) => rest.every((set) => set.has(member))));
const difference: Algebra = ([first, ...rest]) =>
  new Set([...(first ?? [])].filter((member) => rest.every((set) => !set.has(member))));

const read = (algebra: Algebra): Specification => ({
  keys: 'every',
  write: false,
  run: (draft, keys) => unordered(algebra(keys.map((key) => draft.set(key)))),
});
const store = (algebra: Algebra): Specification => ({
  keys: 'every',
  write: true,
  run: (draft, [target = '', ...keys]) => {
    const result = algebra(keys.map((key) => draft.set(key)));
    draft.putSet(target, result, null);
    return result.size;
  },
});

const COMBINATIONS_MAX = 1_000;

/** All ways to take `count` of `members`. */
function combinations(members: readonly string[], count: number): string[][] {
  if (count === 0) return [[]];
  const ways: string[][] = [];
  members.forEach((member, index) => {
    for (const rest of combinations(members.slice(index + 1), count - 1)) ways.push([member, ...rest]);
    if (ways.length > COMBINATIONS_MAX) throw new Error(`the model cannot follow SPOP ${count} of ${members.length}`);
  });
  return ways;
}

/** Key, whether a count was given, and what may have been taken. */
function popped(draft: Draft, args: readonly string[], observed: Reply | undefined): string[][] {
  const [key = '', given] = args;
  const form = given === undefined ? 'one' : 'array';
  const members = [...draft.set(key)];
  const count = Math.min(members.length, given === undefined ? 1 : integer(given));
  if (observed === undefined) return combinations(members, count).map((taken) => [key, form, ...taken]);
  if (isError(observed) || observed === null || typeof observed === 'number') return [[key, form]];
  const seen = (typeof observed === 'string' ? [observed] : observed) as readonly string[];
  const fits = seen.length === count && new Set(seen).size === count && seen.every((one) => members.includes(one));
  return fits ? [[key, form, ...seen]] : [];
}

export const sets: Specifications = {
  sadd: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', ...added]) => {
      const old = draft.set(key);
      const members = new Set([...old, ...added]);
      if (members.size !== old.size) draft.putSet(key, members);
      return members.size - old.size;
    },
  },
  srem: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', ...removed]) => {
      const old = draft.set(key);
      const members = new Set([...old].filter((member) => !removed.includes(member)));
      if (members.size !== old.size) draft.putSet(key, members);
      return old.size - members.size;
    },
  },
  scard: { keys: 'first', write: false, run: (draft, [key = '']) => draft.set(key).size },
  sismember: {
    keys: 'first',
    write: false,
    run: (draft, [key = '', member = '']) => (draft.set(key).has(member) ? 1 : 0),
  },
  smismember: {
    keys: 'first',
    write: false,
    run: (draft, [key = '', ...asked]) => asked.map((member) => (draft.set(key).has(member) ? 1 : 0)),
  },
  smembers: { keys: 'first', write: false, run: (draft, [key = '']) => unordered(draft.set(key)) },
  srandmember: {
    keys: 'first',
    write: false,
    run: (draft, [key = '']) => {
      const members = draft.set(key);
      return (observed) =>
        members.size === 0 ? observed === null : typeof observed === 'string' && members.has(observed);
    },
  },
  spop: {
    keys: 'first',
    write: true,
    choices: popped,
    run: (draft, [key = '', form, ...taken]) => {
      const members = draft.set(key);
      if (form === 'one' && taken.length === 0 && members.size > 0) return () => false;
      if (taken.length > 0) draft.putSet(key, new Set([...members].filter((member) => !taken.includes(member))));
      return form === 'array' ? unordered(taken) : (taken[0] ?? null);
    },
  },
  smove: {
    keys: 'firstTwo',
    write: true,
    run: (draft, [from = '', to = '', member = '']) => {
      if (draft.get(from) === undefined) return 0;
      const source = draft.set(from);
      const target = draft.set(to);
      if (!source.has(member)) return 0;
      if (from === to) return 1;
      draft.putSet(from, new Set([...source].filter((other) => other !== member)));
      draft.putSet(to, new Set([...target, member]));
      return 1;
    },
  },
  sunion: read(union),
  sinter: read(intersection),
  sdiff: read(difference),
  sunionstore: store(union),
  sinterstore: store(intersection),
  sdiffstore: store(difference),
};
