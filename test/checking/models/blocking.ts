/**
 * Commands that wait: one that was answered with something took effect at one instant until then, as if it had not waited; one
 * that came back with nothing saw nothing at some instant. (One of unknown outcome has taken something at some time, or not.)
 */
import type { Reply } from '../history.js';
import type { Draft } from './keyspace.js';
import { move } from './lists.js';
import { ranked } from './sorted-sets.js';
import { argument, type Specification, type Specifications } from './specification.js';

/** `key ... timeout` */
function popFirst(pop: (draft: Draft, key: string) => readonly string[] | null): Specification {
  return {
    keys: (args) => args.slice(0, -1),
    write: true,
    run: (draft, args): Reply => {
      for (const key of args.slice(0, -1)) {
        const popped = pop(draft, key);
        if (popped !== null) return [key, ...popped];
      }
      return null;
    },
  };
}

const fromList = (atHead: boolean): Specification =>
  popFirst((draft, key) => {
    const items = draft.list(key);
    const item = atHead ? items[0] : items.at(-1);
    if (item === undefined) return null;
    draft.putList(key, atHead ? items.slice(1) : items.slice(0, -1));
    return [item];
  });

const fromSortedSet = (lowest: boolean): Specification =>
  popFirst((draft, key) => {
    const all = ranked(draft.zset(key));
    const taken = lowest ? all[0] : all.at(-1);
    if (taken === undefined) return null;
    draft.putZset(key, new Map(lowest ? all.slice(1) : all.slice(0, -1)));
    return [taken[0], String(taken[1])];
  });

export const blocking: Specifications = {
  blpop: fromList(true),
  brpop: fromList(false),
  bzpopmin: fromSortedSet(true),
  bzpopmax: fromSortedSet(false),
  /** `from to LEFT RIGHT timeout` */
  blmove: {
    keys: 'firstTwo',
    write: true,
    run: (draft, args) => {
      const [from, to] = [argument(args, 2).toUpperCase(), argument(args, 3).toUpperCase()];
      return move(draft, argument(args, 0), argument(args, 1), from === 'LEFT', to === 'LEFT');
    },
  },
};
