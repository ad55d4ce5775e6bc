/** Redis 7.0's list commands. What they do to a list is in server/rows/lists.ts. */
import { ClientError } from '../errors.js';
import { parseInteger } from '../integers.js';
import type { Integer } from '../operations/codes.js';
import * as operations from '../operations/lists.js';
import type { Operation, OperationResult } from '../operations/operation.js';
import { at, countedKeys, integer, positiveInteger, SYNTAX_ERROR, word, wrongArity } from './arguments.js';
import { timeoutAtEnd, timeoutAtStart } from './blocking.js';
import type { Command, KeyedCommand } from './command.js';
import { lpos } from './lpos.js';
import { NULL_ARRAY, OK, type Reply } from './reply.js';

const onOneKey = { group: 'list', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;
const onTwoKeys = { ...onOneKey, keys: { first: 1, last: 2, step: 1 } } as const;

const asIs = (result: OperationResult): Reply => result;

/** True: the head. Which end of a list, as LEFT or RIGHT. */
function end(argument: Buffer | undefined): boolean {
  const side = word(argument);
  if (side === 'LEFT') return true;
  if (side === 'RIGHT') return false;
  throw new ClientError(SYNTAX_ERROR);
}

/** Null when it is no integer: whether that matters, the server knows. */
const looseInteger = (argument: Buffer): Integer | null => parseInteger(argument);

const push = {
  ...onOneKey,
  arity: -3,
  flags: ['write', 'denyoom', 'fast'],
  categories: ['write', 'list', 'fast'],
  reply: asIs,
} as const;

const lpush = {
  ...push,
  name: 'lpush',
  since: '1.0.0',
  summary: 'Adds values before the first one of a list.',
  translate: (args) => operations.listPush(at(args, 0), true, false, args.slice(1)),
} as const satisfies KeyedCommand;

const rpush = {
  ...push,
  name: 'rpush',
  since: '1.0.0',
  summary: 'Adds values behind the last one of a list.',
  translate: (args) => operations.listPush(at(args, 0), false, false, args.slice(1)),
} as const satisfies KeyedCommand;

const lpushx = {
  ...push,
  name: 'lpushx',
  since: '2.2.0',
  summary: 'Adds values before the first one of a list that exists.',
  translate: (args) => operations.listPush(at(args, 0), true, true, args.slice(1)),
} as const satisfies KeyedCommand;

const rpushx = {
  ...push,
  name: 'rpushx',
  since: '2.2.0',
  summary: 'Adds values behind the last one of a list that exists.',
  translate: (args) => operations.listPush(at(args, 0), false, true, args.slice(1)),
} as const satisfies KeyedCommand;

const pop =
  (name: string, fromHead: boolean) =>
  (args: readonly Buffer[]): Operation => {
    if (args.length > 2) throw wrongArity(name);
    return operations.listPop(at(args, 0), fromHead, args.length === 2 ? positiveInteger(args[1]) : null);
  };

const takesOff = {
  ...onOneKey,
  arity: -2,
  since: '1.0.0',
  flags: ['write', 'fast'],
  categories: ['write', 'list', 'fast'],
  reply: (result: OperationResult, args: readonly Buffer[]): Reply =>
    result === null && args.length === 2 ? NULL_ARRAY : result,
} as const;

const lpop = {
  ...takesOff,
  name: 'lpop',
  summary: 'Takes the first value, or several, off a list.',
  translate: pop('lpop', true),
} as const satisfies KeyedCommand;

const rpop = {
  ...takesOff,
  name: 'rpop',
  summary: 'Takes the last value, or several, off a list.',
  translate: pop('rpop', false),
} as const satisfies KeyedCommand;

const llen = {
  ...onOneKey,
  name: 'llen',
  arity: 2,
  since: '1.0.0',
  flags: ['readonly', 'fast'],
  categories: ['read', 'list', 'fast'],
  summary: 'Returns the length of a list.',
  translate: (args) => operations.listLength(at(args, 0)),
  reply: asIs,
} as const satisfies KeyedCommand;

const lrange = {
  ...onOneKey,
  name: 'lrange',
  arity: 4,
  since: '1.0.0',
  flags: ['readonly'],
  categories: ['read', 'list', 'slow'],
  summary: 'Returns a part of a list.',
  translate: (args) => operations.listRange(at(args, 0), integer(args[1]), integer(args[2])),
  reply: asIs,
} as const satisfies KeyedCommand;

const lindex = {
  ...onOneKey,
  name: 'lindex',
  arity: 3,
  since: '1.0.0',
  flags: ['readonly'],
  categories: ['read', 'list', 'slow'],
  summary: 'Returns the value at a position of a list.',
  translate: (args) => operations.listGet(at(args, 0), looseInteger(at(args, 1))),
  reply: asIs,
} as const satisfies KeyedCommand;

const lset = {
  ...onOneKey,
  name: 'lset',
  arity: 4,
  since: '1.0.0',
  flags: ['write', 'denyoom'],
  categories: ['write', 'list', 'slow'],
  summary: 'Replaces the value at a position of a list.',
  translate: (args) => operations.listSet(at(args, 0), looseInteger(at(args, 1)), at(args, 2)),
  reply: () => OK,
} as const satisfies KeyedCommand;

const linsert = {
  ...onOneKey,
  name: 'linsert',
  arity: 5,
  since: '2.2.0',
  flags: ['write', 'denyoom'],
  categories: ['write', 'list', 'slow'],
  summary: 'Adds a value before or behind another one of a list.',
  translate: (args) => {
    const where = word(args[1]);
    if (where !== 'BEFORE' && where !== 'AFTER') throw new ClientError(SYNTAX_ERROR);
    return operations.listInsert(at(args, 0), where === 'BEFORE', at(args, 2), at(args, 3));
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const lrem = {
  ...onOneKey,
  name: 'lrem',
  arity: 4,
  since: '1.0.0',
  flags: ['write'],
  categories: ['write', 'list', 'slow'],
  summary: 'Removes equal values from a list.',
  translate: (args) => operations.listRemove(at(args, 0), integer(args[1]), at(args, 2)),
  reply: asIs,
} as const satisfies KeyedCommand;

const ltrim = {
  ...onOneKey,
  name: 'ltrim',
  arity: 4,
  since: '1.0.0',
  flags: ['write'],
  categories: ['write', 'list', 'slow'],
  summary: 'Removes all but a part of a list.',
  translate: (args) => operations.listTrim(at(args, 0), integer(args[1]), integer(args[2])),
  reply: () => OK,
} as const satisfies KeyedCommand;

const lmove = {
  ...onTwoKeys,
  name: 'lmove',
  arity: 5,
  since: '6.2.0',
  flags: ['write', 'denyoom'],
  categories: ['write', 'list', 'slow'],
  summary: 'Moves a value from an end of one list to an end of another.',
  translate: (args) => operations.listMove(at(args, 0), at(args, 1), end(args[2]), end(args[3])),
  reply: asIs,
} as const satisfies KeyedCommand;

const rpoplpush = {
  ...onTwoKeys,
  name: 'rpoplpush',
  arity: 3,
  since: '1.2.0',
  flags: ['write', 'denyoom'],
  categories: ['write', 'list', 'slow'],
  summary: 'Moves the last value of one list to the head of another.',
  translate: (args) => operations.listMove(at(args, 0), at(args, 1), false, true),
  reply: asIs,
} as const satisfies KeyedCommand;

/** LMPOP's arguments, from the number of keys on. */
function popFirst(args: readonly Buffer[]): Operation {
  const keys = countedKeys(args, 0);
  const side = 1 + keys.length;
  const fromHead = end(args[side]);
  let count: Integer | null = null;
  for (let i = side + 1; i < args.length; i += 2) {
    if (count !== null || word(args[i]) !== 'COUNT' || i + 1 >= args.length) throw new ClientError(SYNTAX_ERROR);
    count = integer(args[i + 1], 'ERR count should be greater than 0');
    if (count <= 0) throw new ClientError('ERR count should be greater than 0');
  }
  return operations.listPopFirst(keys, fromHead, count ?? 1);
}

const lmpop = {
  ...onOneKey,
  name: 'lmpop',
  arity: -4,
  since: '7.0.0',
  keys: null,
  keyCount: 1,
  flags: ['write', 'movablekeys'],
  categories: ['write', 'list', 'slow'],
  summary: 'Takes values off the first of several lists that is not empty.',
  translate: popFirst,
  reply: (result) => result ?? NULL_ARRAY,
} as const satisfies KeyedCommand;

const blockingPop = {
  ...onOneKey,
  arity: -3,
  since: '2.0.0',
  keys: { first: 1, last: -2, step: 1 },
  flags: ['write', 'noscript', 'blocking'],
  categories: ['write', 'list', 'slow', 'blocking'],
  waitMs: timeoutAtEnd,
  reply: (result: OperationResult): Reply => {
    if (result === null) return NULL_ARRAY;
    const [key, [value]] = result as [Buffer, [Buffer]];
    return [key, value];
  },
} as const;

/** Its timeout is looked at first, also where it will not wait. */
function popOne(args: readonly Buffer[], fromHead: boolean): Operation {
  timeoutAtEnd(args);
  return operations.listPopFirst(args.slice(0, -1), fromHead, 1);
}

const blpop = {
  ...blockingPop,
  name: 'blpop',
  summary: 'Takes the first value of the first of several lists that is not empty, or waits for one.',
  translate: (args) => popOne(args, true),
} as const satisfies KeyedCommand;

const brpop = {
  ...blockingPop,
  name: 'brpop',
  summary: 'Takes the last value of the first of several lists that is not empty, or waits for one.',
  translate: (args) => popOne(args, false),
} as const satisfies KeyedCommand;

const blockingMove = {
  ...onTwoKeys,
  flags: ['write', 'denyoom', 'noscript', 'blocking'],
  categories: ['write', 'list', 'slow', 'blocking'],
  waitMs: timeoutAtEnd,
  reply: asIs,
} as const;

const blmove = {
  ...blockingMove,
  name: 'blmove',
  arity: 6,
  since: '6.2.0',
  summary: 'Moves a value from an end of one list to an end of another, or waits for one.',
  translate: (args) => {
    const operation = operations.listMove(at(args, 0), at(args, 1), end(args[2]), end(args[3]));
    timeoutAtEnd(args);
    return operation;
  },
} as const satisfies KeyedCommand;

const brpoplpush = {
  ...blockingMove,
  name: 'brpoplpush',
  arity: 4,
  since: '2.2.0',
  summary: 'Moves the last value of one list to the head of another, or waits for one.',
  translate: (args) => {
    timeoutAtEnd(args);
    return operations.listMove(at(args, 0), at(args, 1), false, true);
  },
} as const satisfies KeyedCommand;

const blmpop = {
  ...onOneKey,
  name: 'blmpop',
  arity: -5,
  since: '7.0.0',
  keys: null,
  keyCount: 2,
  flags: ['write', 'blocking', 'movablekeys'],
  categories: ['write', 'list', 'slow', 'blocking'],
  summary: 'Takes values off the first of several lists that is not empty, or waits for one.',
  waitMs: timeoutAtStart,
  translate: (args) => {
    timeoutAtStart(args);
    return popFirst(args.slice(1));
  },
  reply: (result) => result ?? NULL_ARRAY,
} as const satisfies KeyedCommand;

export const listCommands: readonly Command[] = [
  lpush,
  rpush,
  lpushx,
  rpushx,
  lpop,
  rpop,
  llen,
  lrange,
  lindex,
  lset,
  linsert,
  lrem,
  ltrim,
  lmove,
  rpoplpush,
  lpos,
  lmpop,
  blpop,
  brpop,
  blmove,
  brpoplpush,
  blmpop,
];
