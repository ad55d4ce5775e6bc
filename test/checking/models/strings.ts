/** Strings, counters among them. */
import type { Reply } from '../history.js';
import { type Draft, type Expiry, ModelError } from './keyspace.js';
import { argument, inclusive, integer, pairs, type Specifications } from './specification.js';

function incrementBy(draft: Draft, key: string, delta: number): number {
  const sum = integer(draft.string(key) ?? '0') + delta;
  draft.putString(key, String(sum));
  return sum;
}

/** What is in front of the present text is kept, zero bytes fill what is missing. */
function overwrite(text: string, offset: number, part: string): string {
  return text.padEnd(offset, '\0').slice(0, offset) + part + text.slice(offset + part.length);
}

interface SetOptions {
  condition: 'NX' | 'XX' | null;
  get: boolean;
  expiry: Expiry | null | undefined;
}

function setOptions(draft: Draft, args: readonly string[]): SetOptions {
  const options: SetOptions = { condition: null, get: false, expiry: null };
  for (let at = 2; at < args.length; at++) {
    const word = argument(args, at).toUpperCase();
    if (word === 'NX' || word === 'XX') options.condition = word;
    else if (word === 'GET') options.get = true;
    else if (word === 'KEEPTTL') options.expiry = undefined;
    else if (word === 'PX') options.expiry = draft.expiryIn(integer(argument(args, ++at)));
    else if (word === 'EX') options.expiry = draft.expiryIn(integer(argument(args, ++at)) * 1000);
    else throw new Error(`the model does not know SET's option ${word}`);
  }
  return options;
}

export const strings: Specifications = {
  get: { keys: 'first', write: false, run: (draft, [key = '']) => draft.string(key) },
  set: {
    keys: 'first',
    write: true,
    run: (draft, args) => {
      const [key = '', text = ''] = args;
      const { condition, get, expiry } = setOptions(draft, args);
      const old = get ? draft.string(key) : null;
      const exists = draft.get(key) !== undefined;
      if (condition !== null && exists !== (condition === 'XX')) return get ? old : null;
      draft.putString(key, text, expiry);
      return get ? old : 'OK';
    },
  },
  setnx: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', text = '']) => {
      if (draft.get(key) !== undefined) return 0;
      draft.putString(key, text, null);
      return 1;
    },
  },
  psetex: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', ms = '', text = '']) => {
      draft.putString(key, text, draft.expiryIn(integer(ms)));
      return 'OK';
    },
  },
  getset: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', text = '']) => {
      const old = draft.string(key);
      draft.putString(key, text, null);
      return old;
    },
  },
  getdel: {
    keys: 'first',
    write: true,
    run: (draft, [key = '']) => {
      const old = draft.string(key);
      draft.remove(key);
      return old;
    },
  },
  getex: {
    keys: 'first',
    write: true,
    run: (draft, args) => {
      const [key = '', option = '', ms = ''] = args;
      const text = draft.string(key);
      if (text === null || option === '') return text;
      const word = option.toUpperCase();
      if (word === 'PERSIST') draft.putString(key, text, null);
      else if (word === 'PX') draft.putString(key, text, draft.expiryIn(integer(ms)));
      else throw new Error(`the model does not know GETEX's option ${word}`);
      return text;
    },
  },
  strlen: { keys: 'first', write: false, run: (draft, [key = '']) => (draft.string(key) ?? '').length },
  append: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', part = '']) => {
      const text = (draft.string(key) ?? '') + part;
      draft.putString(key, text);
      return text.length;
    },
  },
  setrange: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', at = '', part = '']) => {
      const offset = integer(at);
      if (offset < 0) throw new ModelError('ERR offset is out of range');
      const old = draft.string(key);
      if (part === '') return (old ?? '').length;
      const text = overwrite(old ?? '', offset, part);
      draft.putString(key, text);
      return text.length;
    },
  },
  getrange: {
    keys: 'first',
    write: false,
    run: (draft, [key = '', start = '', stop = '']) => {
      const text = draft.string(key) ?? '';
      const [first, last] = [integer(start), integer(stop)];
      if (first < 0 && last < 0 && first > last) return '';
      // Unlike a list's, an end in front of the text is its first byte.
      return text.slice(...inclusive(text.length, first, Math.max(-text.length, last)));
    },
  },
  incr: { keys: 'first', write: true, run: (draft, [key = '']) => incrementBy(draft, key, 1) },
  decr: { keys: 'first', write: true, run: (draft, [key = '']) => incrementBy(draft, key, -1) },
  incrby: { keys: 'first', write: true, run: (draft, [key = '', by = '']) => incrementBy(draft, key, integer(by)) },
  decrby: { keys: 'first', write: true, run: (draft, [key = '', by = '']) => incrementBy(draft, key, -integer(by)) },
  mget: {
    keys: 'every',
    write: false,
    run: (draft, keys): Reply =>
      keys.map((key) => {
        const content = draft.get(key)?.content;
        return content?.type === 'string' ? content.text : null;
      }),
  },
  mset: {
    keys: 'everySecond',
    write: true,
    run: (draft, args) => {
      for (const [key, text] of pairs(args, 0)) draft.putString(key, text, null);
      return 'OK';
    },
  },
  msetnx: {
    keys: 'everySecond',
    write: true,
    run: (draft, args) => {
      const all = pairs(args, 0);
      if (all.some(([key]) => draft.get(key) !== undefined)) return 0;
      for (const [key, text] of all) draft.putString(key, text, null);
      return 1;
    },
  },
};
