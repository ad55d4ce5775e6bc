/** Where the keys of a command are and what is done to them, as COMMAND INFO tells clients that route by themselves. */
import { keyFlags } from '../../shared/commands/key-flags.js';
import { MapReply, type Reply, SetReply, SimpleString } from '../../shared/commands/reply.js';
import type { CatalogueEntry } from '../catalogue.js';

export const statuses = (words: readonly string[]): Reply => new SetReply(words.map((text) => new SimpleString(text)));

/** Keys that an option brings. */
interface OptionalKeys {
  readonly flags: readonly string[];
  /** Null: it cannot be said where they are. */
  readonly behind: { readonly word: string; readonly from: number; readonly last: number } | null;
}

const stored = (word: string, from: number): OptionalKeys => ({
  flags: ['OW', 'update'],
  behind: { word, from, last: 0 },
});
const sorted: OptionalKeys = { flags: ['RO', 'access'], behind: null };

const optionalKeys: Readonly<Record<string, readonly OptionalKeys[]>> = {
  georadius: [stored('STORE', 6), stored('STOREDIST', 6)],
  georadiusbymember: [stored('STORE', 5), stored('STOREDIST', 5)],
  migrate: [{ flags: ['RW', 'access', 'delete', 'incomplete'], behind: { word: 'KEYS', from: -2, last: -1 } }],
  sort: [sorted, { flags: ['OW', 'update'], behind: null }],
  sort_ro: [sorted],
};

export function keySpecifications(entry: CatalogueEntry): readonly Reply[] {
  return [...placed(entry), ...(optionalKeys[entry.name] ?? []).map(optional)];
}

function optional({ flags, behind }: OptionalKeys): Reply {
  if (behind === null) return told(flags, ['type', 'unknown', 'spec', new MapReply([])], 'unknown', []);
  const { word, from, last } = behind;
  return told(flags, behindWord(word, from), 'range', ['lastkey', last, 'keystep', 1, 'limit', 0]);
}

/** One for all keys of fixed places; where the first is used in another way than those behind it, one for it and one for them. */
function placed(entry: CatalogueEntry): readonly Reply[] {
  const { keys, keyCount, keyStep = 1, keysBehind } = entry.command;
  if (keysBehind !== undefined) {
    const { word: keyword, from } = keysBehind;
    return [specification(entry, 0, behindWord(keyword, from), 'range', ['lastkey', -1, 'keystep', 1, 'limit', 2])];
  }
  const counted = (key: number): Reply[] =>
    keyCount === undefined
      ? []
      : [specification(entry, key, index(keyCount), 'keynum', ['keynumidx', 0, 'firstkey', 1, 'keystep', keyStep])];
  if (keys === null) return counted(0);
  const { first, last, step } = keys;
  const behind = (from: number): number => (last < 0 ? last : last - from);
  const range = (key: number, from: number, to: number): Reply =>
    specification(entry, key, index(from), 'range', ['lastkey', to, 'keystep', step, 'limit', 0]);
  if (keyCount !== undefined) return [range(0, first, behind(first)), ...counted(1)];
  if (last === first || keyFlags(entry.command, 0) === keyFlags(entry.command, 1))
    return [range(0, first, behind(first))];
  return [range(0, first, 0), range(1, first + 1, behind(first + 1))];
}

/** Keys begin behind this word, which is looked for from an argument on, or backwards from the last but one. */
const behindWord = (keyword: string, from: number): Reply[] => [
  'type',
  'keyword',
  'spec',
  new MapReply(['keyword', keyword, 'startfrom', from]),
];

/** Keys begin at this argument. */
const index = (at: number): Reply[] => ['type', 'index', 'spec', new MapReply(['index', at])];

function specification(entry: CatalogueEntry, key: number, begin: Reply[], find: string, spec: Reply[]): Reply {
  return told(keyFlags(entry.command, key), begin, find, spec);
}

function told(flags: readonly string[], begin: Reply[], find: string, spec: Reply[]): Reply {
  return new MapReply([
    'flags',
    statuses(flags),
    'begin_search',
    new MapReply(begin),
    'find_keys',
    new MapReply(['type', find, 'spec', new MapReply(spec)]),
  ]);
}
