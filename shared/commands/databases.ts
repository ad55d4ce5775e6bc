/** Commands on whole databases: every partition is asked; SCAN and KEYS walk from one to the next. */
import { ClientError } from '../errors.js';
import * as operations from '../operations/codes.js';
import type { OperationResult } from '../operations/operation.js';
import { cInteger, existingDatabase, SYNTAX_ERROR, word } from './arguments.js';
import type { Command, SessionCommand, WholeCommand } from './command.js';
import { OK, type Reply } from './reply.js';

const onNoKeys = { support: 'yes', keys: null } as const;
const onAllKeys = { ...onNoKeys, run: 'whole' } as const;

const allOk = (): Reply => OK;

const keys = {
  ...onNoKeys,
  name: 'keys',
  arity: 2,
  group: 'generic',
  since: '1.0.0',
  tips: ['nondeterministic_output_order', 'request_policy:all_shards'],
  run: 'session',
  flags: ['readonly'],
  categories: ['keyspace', 'read', 'slow', 'dangerous'],
  summary: 'Lists the keys that match a glob pattern.',
  note: 'a walk, not a snapshot: keys that come or go while it runs may or may not be listed; within MULTI it is one, in a table with one partition',
} as const satisfies SessionCommand;

const scan = {
  ...onNoKeys,
  name: 'scan',
  arity: -2,
  group: 'generic',
  since: '2.8.0',
  tips: ['nondeterministic_output', 'request_policy:special'],
  run: 'session',
  flags: ['readonly'],
  categories: ['keyspace', 'read', 'slow'],
  summary: 'Walks the keys of a database step by step.',
} as const satisfies SessionCommand;

/** Every partition offers one of its keys; which of them is taken follows from how many keys each has. */
function weightedChoice(results: readonly OperationResult[]): Reply {
  const offers = (results as readonly (readonly [Buffer | null, number, number])[]).filter(([key]) => key !== null);
  const first = offers[0];
  if (first === undefined) return null;
  const total = offers.reduce((sum, [, count]) => sum + count, 0);
  let left = first[2] * total;
  for (const [key, count] of offers) {
    left -= count;
    if (left < 0) return key;
  }
  return first[0];
}

const randomkey = {
  ...onAllKeys,
  name: 'randomkey',
  arity: 1,
  group: 'generic',
  since: '1.0.0',
  tips: ['nondeterministic_output', 'request_policy:all_shards'],
  flags: ['readonly'],
  categories: ['keyspace', 'read', 'slow'],
  summary: 'Returns some key of the database.',
  translate: () => operations.randomKey(),
  merge: weightedChoice,
} as const satisfies WholeCommand;

/** `[database, keys, keys with an expiry]` over all partitions, of databases that are not empty. */
export function mergeCounts(results: readonly OperationResult[]): Map<number, { keys: number; expires: number }> {
  const totals = new Map<number, { keys: number; expires: number }>();
  for (const [db, count, expires] of (results as readonly (readonly [number, number, number][])[]).flat()) {
    const before = totals.get(db) ?? { keys: 0, expires: 0 };
    totals.set(db, { keys: before.keys + count, expires: before.expires + expires });
  }
  return totals;
}

const dbsize = {
  ...onAllKeys,
  name: 'dbsize',
  arity: 1,
  group: 'server',
  since: '1.0.0',
  tips: ['request_policy:all_shards', 'response_policy:agg_sum'],
  flags: ['readonly', 'fast'],
  categories: ['keyspace', 'read', 'fast'],
  summary: 'Counts the keys of the database.',
  translate: () => operations.counts(),
  merge: (results, _args, context) => mergeCounts(results).get(context.db)?.keys ?? 0,
} as const satisfies WholeCommand;

function checkFlushOption(args: readonly Buffer[]): void {
  const option = word(args[0]);
  const known = option === 'ASYNC' || option === 'SYNC';
  if (args.length > 1 || (args.length === 1 && !known)) throw new ClientError(SYNTAX_ERROR);
}

const flushdb = {
  ...onAllKeys,
  name: 'flushdb',
  arity: -1,
  group: 'server',
  since: '1.0.0',
  tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
  flags: ['write'],
  categories: ['keyspace', 'write', 'slow', 'dangerous'],
  summary: 'Empties the database; atomic in each partition.',
  translate: (args) => {
    checkFlushOption(args);
    return operations.flush();
  },
  merge: allOk,
} as const satisfies WholeCommand;

const flushall = {
  ...onAllKeys,
  name: 'flushall',
  arity: -1,
  group: 'server',
  since: '1.0.0',
  tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
  flags: ['write'],
  categories: ['keyspace', 'write', 'slow', 'dangerous'],
  summary: 'Empties all databases; atomic in each partition.',
  translate: (args) => {
    checkFlushOption(args);
    return operations.flushAll();
  },
  merge: allOk,
} as const satisfies WholeCommand;

const swapdb = {
  ...onAllKeys,
  name: 'swapdb',
  arity: 3,
  group: 'server',
  since: '4.0.0',
  flags: ['write', 'fast'],
  categories: ['keyspace', 'write', 'fast', 'dangerous'],
  summary: 'Exchanges the contents of two databases; atomic in each partition.',
  translate: (args) => {
    const first = cInteger(args[0], 'ERR invalid first DB index');
    const second = cInteger(args[1], 'ERR invalid second DB index');
    return operations.swapDatabases(existingDatabase(first), existingDatabase(second));
  },
  merge: allOk,
} as const satisfies WholeCommand;

export const databaseCommands: readonly Command[] = [keys, scan, randomkey, dbsize, flushdb, flushall, swapdb];
