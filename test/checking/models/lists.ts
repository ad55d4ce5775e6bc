/** Lists. */
import type { Reply } from '../history.js';
import { type Draft, ModelError } from './keyspace.js';
import { argument, inclusive, integer, type Specification, type Specifications } from './specification.js';

const push = (atHead: boolean, onlyExisting: boolean): Specification => ({
  keys: 'first',
  write: true,
  run: (draft, [key = '', ...values]) => {
    const items = draft.list(key);
    if (onlyExisting && items.length === 0) return 0;
    const longer = atHead ? [...values.reverse(), ...items] : [...items, ...values];
    draft.putList(key, longer);
    return longer.length;
  },
});

const pop = (atHead: boolean): Specification => ({
  keys: 'first',
  write: true,
  run: (draft, [key = '', count]): Reply => {
    const items = draft.list(key);
    if (items.length === 0) return null;
    const wanted = count === undefined ? 1 : integer(count);
    if (wanted < 0) throw new ModelError('ERR value is out of range, must be positive');
    const taken = atHead ? items.slice(0, wanted) : items.slice(Math.max(0, items.length - wanted)).reverse();
    draft.putList(key, atHead ? items.slice(taken.length) : items.slice(0, items.length - taken.length));
    return count === undefined ? (taken[0] ?? null) : taken;
  },
});

export function move(draft: Draft, from: string, to: string, fromHead: boolean, toHead: boolean): string | null {
  const source = draft.list(from);
  const item = fromHead ? source[0] : source.at(-1);
  if (item === undefined) return null;
  const rest = fromHead ? source.slice(1) : source.slice(0, -1);
  const target = from === to ? rest : draft.list(to);
  if (from !== to) draft.putList(from, rest);
  draft.putList(to, toHead ? [item, ...target] : [...target, item]);
  return item;
}

/** Up to |count| equal items from the head (or, negative, from the tail); 0: all. */
function without(items: readonly string[], count: number, item: string): string[] {
  let left = count === 0 ? Infinity : Math.abs(count);
  const keep = (candidate: string): boolean => candidate !== item || left-- <= 0;
  return count < 0 ? items.toReversed().filter(keep).reverse() : items.filter(keep);
}

export const lists: Specifications = {
  lpush: push(true, false),
  rpush: push(false, false),
  lpushx: push(true, true),
  rpushx: push(false, true),
  lpop: pop(true),
  rpop: pop(false),
  llen: { keys: 'first', write: false, run: (draft, [key = '']) => draft.list(key).length },
  lrange: {
    keys: 'first',
    write: false,
    run: (draft, [key = '', start = '', stop = '']) => {
      const items = draft.list(key);
      return items.slice(...inclusive(items.length, integer(start), integer(stop)));
    },
  },
  lindex: {
    keys: 'first',
    write: false,
    run: (draft, [key = '', index = '']) => draft.list(key).at(integer(index)) ?? null,
  },
  lset: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', index = '', item = '']) => {
      const items = draft.list(key);
      if (items.length === 0) throw new ModelError('ERR no such key');
      const at = integer(index) < 0 ? items.length + integer(index) : integer(index);
      if (at < 0 || at >= items.length) throw new ModelError('ERR index out of range');
      draft.putList(key, items.with(at, item));
      return 'OK';
    },
  },
  linsert: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', where = '', pivot = '', item = '']) => {
      const items = draft.list(key);
      if (items.length === 0) return 0;
      const at = items.indexOf(pivot);
      if (at < 0) return -1;
      draft.putList(key, items.toSpliced(where.toUpperCase() === 'BEFORE' ? at : at + 1, 0, item));
      return items.length + 1;
    },
  },
  lrem: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', count = '', item = '']) => {
      const items = draft.list(key);
      const rest = without(items, integer(count), item);
      if (rest.length !== items.length) draft.putList(key, rest);
      return items.length - rest.length;
    },
  },
  ltrim: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', start = '', stop = '']) => {
      const items = draft.list(key);
      if (items.length > 0) draft.putList(key, items.slice(...inclusive(items.length, integer(start), integer(stop))));
      return 'OK';
    },
  },
  lmove: {
    keys: 'firstTwo',
    write: true,
    run: (draft, args) => {
      const [from, to] = [argument(args, 2).toUpperCase(), argument(args, 3).toUpperCase()];
      return move(draft, argument(args, 0), argument(args, 1), from === 'LEFT', to === 'LEFT');
    },
  },
  rpoplpush: {
    keys: 'firstTwo',
    write: true,
    run: (draft, [from = '', to = '']) => move(draft, from, to, false, true),
  },
};
