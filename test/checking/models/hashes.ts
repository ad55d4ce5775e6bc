/** Hashes. */
import type { Reply } from '../history.js';
import { type Draft, ModelError } from './keyspace.js';
import { integer, pairs, type Specifications, unordered } from './specification.js';

function setFields(draft: Draft, [key = '', ...args]: readonly string[]): number {
  const old = draft.hash(key);
  const fields = new Map([...old, ...pairs(args, 0)]);
  draft.putHash(key, fields);
  return fields.size - old.size;
}

/** Alternating fields and values, the pairs in any order. */
function unorderedPairs(fields: ReadonlyMap<string, string>) {
  return (observed: Reply): boolean => {
    if (!Array.isArray(observed) || observed.length !== 2 * fields.size) return false;
    const seen = new Map(pairs(observed as readonly string[], 0));
    return seen.size === fields.size && [...seen].every(([field, value]) => fields.get(field) === value);
  };
}

export const hashes: Specifications = {
  hset: { keys: 'first', write: true, run: setFields },
  hmset: {
    keys: 'first',
    write: true,
    run: (draft, args) => {
      setFields(draft, args);
      return 'OK';
    },
  },
  hsetnx: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', field = '', value = '']) => {
      if (draft.hash(key).has(field)) return 0;
      return setFields(draft, [key, field, value]);
    },
  },
  hdel: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', ...removed]) => {
      const old = draft.hash(key);
      const fields = new Map([...old].filter(([field]) => !removed.includes(field)));
      if (fields.size !== old.size) draft.putHash(key, fields);
      return old.size - fields.size;
    },
  },
  hincrby: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', field = '', by = '']) => {
      const delta = integer(by);
      const old = draft.hash(key).get(field) ?? '0';
      if (!/^-?\d+$/.test(old)) throw new ModelError('ERR hash value is not an integer');
      const sum = integer(old) + delta;
      setFields(draft, [key, field, String(sum)]);
      return sum;
    },
  },
  hget: { keys: 'first', write: false, run: (draft, [key = '', field = '']) => draft.hash(key).get(field) ?? null },
  hmget: {
    keys: 'first',
    write: false,
    run: (draft, [key = '', ...fields]) => fields.map((field) => draft.hash(key).get(field) ?? null),
  },
  hexists: {
    keys: 'first',
    write: false,
    run: (draft, [key = '', field = '']) => (draft.hash(key).has(field) ? 1 : 0),
  },
  hlen: { keys: 'first', write: false, run: (draft, [key = '']) => draft.hash(key).size },
  hkeys: { keys: 'first', write: false, run: (draft, [key = '']) => unordered(draft.hash(key).keys()) },
  hvals: { keys: 'first', write: false, run: (draft, [key = '']) => unordered(draft.hash(key).values()) },
  hgetall: { keys: 'first', write: false, run: (draft, [key = '']) => unorderedPairs(draft.hash(key)) },
};
