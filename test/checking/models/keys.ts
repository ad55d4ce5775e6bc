/** Commands on keys of any type, and expiry. */
import type { Reply } from '../history.js';
import { type Draft, type Expected as Expectation, ModelError } from './keyspace.js';
import { integer, type Specification, type Specifications } from './specification.js';

const remove: Specification = {
  keys: 'every',
  write: true,
  run: (draft, keys) => keys.filter((key) => draft.remove(key)).length,
};

const rename = (onlyIfFree: boolean): Specification => ({
  keys: 'firstTwo',
  write: true,
  run: (draft, [from = '', to = '']): Reply => {
    const value = draft.get(from);
    if (value === undefined) throw new ModelError('ERR no such key');
    if (onlyIfFree && draft.get(to) !== undefined) return 0;
    draft.remove(from);
    draft.put(to, value.content, value.expiry);
    return onlyIfFree ? 1 : 'OK';
  },
});

const expire = (unitMs: number): Specification => ({
  keys: 'first',
  write: true,
  run: (draft, [key = '', time = '', ...options]) => {
    const value = draft.get(key);
    if (value === undefined) return 0;
    for (const option of options) {
      const word = option.toUpperCase();
      if (word !== 'NX' && word !== 'XX') throw new Error(`the model does not know EXPIRE's option ${word}`);
      if ((word === 'NX') === (value.expiry !== null)) return 0;
    }
    const ms = integer(time) * unitMs;
    if (ms <= 0) draft.remove(key);
    else draft.put(key, value.content, draft.expiryIn(ms));
    return 1;
  },
});

/** What is left, on the observer's clock: as uncertain as the moment and the expiry are. */
const timeToLive = (unitMs: number): Specification => ({
  keys: 'first',
  write: false,
  run: (draft, [key = '']): Expectation => {
    const value = draft.get(key);
    if (value === undefined) return -2;
    if (value.expiry === null) return -1;
    const { earliestMs, latestMs } = value.expiry;
    const low = Math.max(0, earliestMs - draft.moment.returnMs);
    const high = latestMs - draft.moment.callMs;
    return (observed) =>
      typeof observed === 'number' && observed >= Math.floor(low / unitMs) && observed <= Math.ceil(high / unitMs);
  },
});

const flush: Specification = {
  keys: 'all',
  write: true,
  run: (draft: Draft) => {
    draft.clear();
    return 'OK';
  },
};

export const keys: Specifications = {
  del: remove,
  unlink: remove,
  exists: {
    keys: 'every',
    write: false,
    run: (draft, names) => names.filter((key) => draft.get(key) !== undefined).length,
  },
  type: { keys: 'first', write: false, run: (draft, [key = '']) => draft.get(key)?.content.type ?? 'none' },
  rename: rename(false),
  renamenx: rename(true),
  copy: {
    keys: 'firstTwo',
    write: true,
    run: (draft, [from = '', to = '', replace]) => {
      const value = draft.get(from);
      if (value === undefined) return 0;
      if (draft.get(to) !== undefined && replace?.toUpperCase() !== 'REPLACE') return 0;
      draft.put(to, value.content, value.expiry);
      return 1;
    },
  },
  expire: expire(1000),
  pexpire: expire(1),
  persist: {
    keys: 'first',
    write: true,
    run: (draft, [key = '']) => {
      const value = draft.get(key);
      if (value === undefined || value.expiry === null) return 0;
      draft.put(key, value.content, null);
      return 1;
    },
  },
  ttl: timeToLive(1000),
  pttl: timeToLive(1),
  flushdb: flush,
  flushall: flush,
};
