/** EVAL of a few scripts: what each does, in Lua for the server and here for the model. Their keys are of the types that they expect. */
import type { Reply } from '../history.js';
import type { Draft } from './keyspace.js';
import type { Specifications } from './specification.js';

interface Script {
  readonly text: string;
  readonly run: (draft: Draft, keys: readonly string[], args: readonly string[]) => Reply;
}

/** Two strings get the same text, and are shown. */
const appendBoth: Script = {
  text: "redis.call('append', KEYS[1], ARGV[1]) redis.call('append', KEYS[2], ARGV[1]) return redis.call('mget', KEYS[1], KEYS[2])",
  run: (draft, keys, [text = '']) => {
    for (const key of keys) draft.putString(key, (draft.string(key) ?? '') + text);
    return keys.map((key) => draft.string(key));
  },
};

/** A string becomes another where it is a third; says whether. */
const replace: Script = {
  text: "if (redis.call('get', KEYS[1]) or '') == ARGV[1] then redis.call('set', KEYS[1], ARGV[2]) return 1 end return 0",
  run: (draft, [key = ''], [from = '', to = '']) => {
    if ((draft.string(key) ?? '') !== from) return 0;
    draft.putString(key, to, null);
    return 1;
  },
};

/** What a string holds goes to the end of a list; says what the list holds. */
const collect: Script = {
  text: "local text = redis.call('getdel', KEYS[1]) if text then redis.call('rpush', KEYS[2], text) end return redis.call('lrange', KEYS[2], 0, -1)",
  run: (draft, [from = '', to = '']) => {
    const text = draft.string(from);
    draft.remove(from);
    if (text !== null) draft.putList(to, [...draft.list(to), text]);
    return draft.list(to);
  },
};

export const scriptTexts = { appendBoth: appendBoth.text, replace: replace.text, collect: collect.text } as const;

const byText = new Map([appendBoth, replace, collect].map((script) => [script.text, script]));

/** What is behind the script: its keys, then its arguments. */
function split(args: readonly string[]): { keys: readonly string[]; rest: readonly string[] } {
  const count = Number(args[1]);
  return { keys: args.slice(2, 2 + count), rest: args.slice(2 + count) };
}

export const scripts: Specifications = {
  eval: {
    keys: (args) => split(args).keys,
    write: true,
    run: (draft, args) => {
      const script = byText.get(args[0] ?? '');
      if (script === undefined) throw new Error(`there is no model of the script ${args[0] ?? ''}`);
      const { keys, rest } = split(args);
      return script.run(draft, keys, rest);
    },
  },
};
