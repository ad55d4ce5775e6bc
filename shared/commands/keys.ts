/** Commands on keys of any type. Their effects are in server/rows/keys.ts. */
import { ClientError } from '../errors.js';
import * as operations from '../operations/codes.js';
import type { OperationResult } from '../operations/operation.js';
import { at, database, SYNTAX_ERROR, word } from './arguments.js';
import type { Command, KeyedCommand } from './command.js';
import { object } from './object.js';
import { OK, type Reply, SimpleString } from './reply.js';

const onKeys = { group: 'generic', support: 'yes', run: 'keyed', keys: { first: 1, last: -1, step: 1 } } as const;
const onOneKey = { ...onKeys, keys: { first: 1, last: 1, step: 1 } } as const;
const onTwoKeys = { ...onKeys, keys: { first: 1, last: 2, step: 1 } } as const;

const SAME_OBJECT = 'ERR source and destination objects are the same';

const asIs = (result: OperationResult): Reply => result;
const zeroOrOne = (result: OperationResult): Reply => (result === true ? 1 : 0);

const del = {
  ...onKeys,
  name: 'del',
  arity: -2,
  since: '1.0.0',
  tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
  flags: ['write'],
  categories: ['keyspace', 'write', 'slow'],
  summary: 'Removes keys.',
  union: 'sum',
  translate: (args) => operations.remove(args),
  reply: asIs,
} as const satisfies KeyedCommand;

const unlink = {
  ...del,
  name: 'unlink',
  since: '4.0.0',
  flags: ['write', 'fast'],
  categories: ['keyspace', 'write', 'fast'],
  summary: 'Removes keys; the same as DEL, as removing is never slow here.',
} as const satisfies KeyedCommand;

const exists = {
  ...onKeys,
  name: 'exists',
  arity: -2,
  since: '1.0.0',
  tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
  flags: ['readonly', 'fast'],
  categories: ['keyspace', 'read', 'fast'],
  summary: 'Counts how many of the keys exist.',
  union: 'sum',
  translate: (args) => operations.exists(args),
  reply: asIs,
} as const satisfies KeyedCommand;

const touch = {
  ...onKeys,
  name: 'touch',
  arity: -2,
  since: '3.2.1',
  tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
  flags: ['readonly', 'fast'],
  categories: ['keyspace', 'read', 'fast'],
  summary: 'Marks keys as accessed now and counts them.',
  union: 'sum',
  translate: (args) => operations.touch(args),
  reply: asIs,
} as const satisfies KeyedCommand;

const type = {
  ...onOneKey,
  name: 'type',
  arity: 2,
  since: '1.0.0',
  flags: ['readonly', 'fast'],
  categories: ['keyspace', 'read', 'fast'],
  summary: 'Names the type of what a key holds.',
  translate: (args) => operations.type(at(args, 0)),
  reply: (result) => new SimpleString(typeof result === 'string' ? result : 'none'),
} as const satisfies KeyedCommand;

const rename = {
  ...onTwoKeys,
  name: 'rename',
  arity: 3,
  since: '1.0.0',
  flags: ['write'],
  categories: ['keyspace', 'write', 'slow'],
  summary: 'Gives a key another name, in place of what has that name.',
  translate: (args) => operations.rename(at(args, 0), at(args, 1), false),
  reply: () => OK,
} as const satisfies KeyedCommand;

const renamenx = {
  ...onTwoKeys,
  name: 'renamenx',
  arity: 3,
  since: '1.0.0',
  flags: ['write', 'fast'],
  categories: ['keyspace', 'write', 'fast'],
  summary: 'Gives a key another name if that is not taken.',
  translate: (args) => operations.rename(at(args, 0), at(args, 1), true),
  reply: zeroOrOne,
} as const satisfies KeyedCommand;

const copy = {
  ...onTwoKeys,
  name: 'copy',
  arity: -3,
  since: '6.2.0',
  flags: ['write', 'denyoom'],
  categories: ['keyspace', 'write', 'slow'],
  summary: 'Copies what a key holds to another key, also in another database.',
  translate: (args, context) => {
    let target = context.db;
    let replace = false;
    for (let i = 2; i < args.length; i++) {
      const option = word(args[i]);
      if (option === 'REPLACE') replace = true;
      else if (option === 'DB' && i + 1 < args.length) target = database(args[++i]);
      else throw new ClientError(SYNTAX_ERROR);
    }
    if (target === context.db && at(args, 0).equals(at(args, 1))) throw new ClientError(SAME_OBJECT);
    return operations.copy(at(args, 0), at(args, 1), target, replace);
  },
  reply: zeroOrOne,
} as const satisfies KeyedCommand;

const move = {
  ...onOneKey,
  name: 'move',
  arity: 3,
  since: '1.0.0',
  flags: ['write', 'fast'],
  categories: ['keyspace', 'write', 'fast'],
  summary: 'Moves a key to another database.',
  translate: (args, context) => {
    const target = database(args[1]);
    if (target === context.db) throw new ClientError(SAME_OBJECT);
    return operations.move(at(args, 0), target);
  },
  reply: zeroOrOne,
} as const satisfies KeyedCommand;

export const keyCommands: readonly Command[] = [del, unlink, exists, touch, type, rename, renamenx, copy, move, object];
