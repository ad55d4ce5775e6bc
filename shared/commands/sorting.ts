/** SORT and SORT_RO. What they do is in server/rows/sorting.ts. */
import { ClientError } from '../errors.js';
import type { Integer } from '../operations/codes.js';
import type { Operation } from '../operations/operation.js';
import { sort as sortOperation, type Sorting, sortStore } from '../operations/sorting.js';
import { at, integer, SYNTAX_ERROR, word } from './arguments.js';
import type { Command, KeyedCommand } from './command.js';

const STAR = '*'.charCodeAt(0);

interface Options {
  by: Buffer | null;
  asIs: boolean;
  gets: Buffer[];
  descending: boolean;
  alphabetic: boolean;
  start: Integer;
  count: Integer;
  firstPattern: 'BY' | 'GET' | null;
  /** Position of the key. */
  store: number | null;
}

function options(args: readonly Buffer[], mayStore: boolean): Options {
  const found: Options = {
    by: null,
    asIs: false,
    gets: [],
    descending: false,
    alphabetic: false,
    start: 0,
    count: -1,
    firstPattern: null,
    store: null,
  };
  for (let i = 1; i < args.length; i++) {
    const option = word(args[i]);
    const follow = args.length - 1 - i;
    if (option === 'ASC') found.descending = false;
    else if (option === 'DESC') found.descending = true;
    else if (option === 'ALPHA') found.alphabetic = true;
    else if (option === 'LIMIT' && follow >= 2) {
      found.start = integer(args[++i]);
      found.count = integer(args[++i]);
    } else if (option === 'STORE' && follow >= 1 && mayStore) found.store = ++i;
    else if (option === 'BY' && follow >= 1) {
      found.by = at(args, ++i);
      if (found.by.includes(STAR)) found.firstPattern ??= 'BY';
      else found.asIs = true;
    } else if (option === 'GET' && follow >= 1) {
      found.gets.push(at(args, ++i));
      found.firstPattern ??= 'GET';
    } else throw new ClientError(SYNTAX_ERROR);
  }
  return found;
}

function translate(args: readonly Buffer[], mayStore: boolean, inScript: boolean): Operation {
  const { store, ...wanted } = options(args, mayStore);
  const sorting: Sorting = { key: at(args, 0), ...wanted, settles: store !== null || inScript };
  return store === null ? sortOperation(sorting) : sortStore(sorting, at(args, store));
}

/** None where the options are wrong, which translation tells. */
function storeKey(args: readonly Buffer[]): readonly number[] {
  try {
    const { store } = options(args, true);
    return store === null ? [] : [store];
  } catch (error) {
    if (error instanceof ClientError) return [];
    throw error;
  }
}

const sorts = {
  arity: -2,
  group: 'generic',
  support: 'yes',
  run: 'keyed',
  keys: { first: 1, last: 1, step: 1 },
  reply: (result) => result,
  note: 'in tables with `multiKey slot` BY and GET are refused, as in Redis Cluster; they look up 131,072 keys at most',
} as const satisfies Partial<KeyedCommand>;

const sort = {
  ...sorts,
  name: 'sort',
  since: '1.0.0',
  flags: ['write', 'denyoom', 'movablekeys'],
  categories: ['write', 'set', 'sortedset', 'list', 'slow', 'dangerous'],
  summary: 'Returns, or stores, the members of a list, set or sorted set in an order of choice.',
  optionKeys: storeKey,
  translate: (args, { inScript }): Operation => translate(args, true, inScript === true),
} as const satisfies KeyedCommand;

const sortRo = {
  ...sorts,
  name: 'sort_ro',
  since: '7.0.0',
  flags: ['readonly', 'movablekeys'],
  categories: ['read', 'set', 'sortedset', 'list', 'slow', 'dangerous'],
  summary: 'Returns the members of a list, set or sorted set in an order of choice.',
  translate: (args, { inScript }): Operation => translate(args, false, inScript === true),
} as const satisfies KeyedCommand;

export const sortCommands: readonly Command[] = [sort, sortRo];
