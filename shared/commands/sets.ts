/** Redis 7.0's set commands. What they do to a set is in server/rows/sets.ts and set-algebra.ts. */
import { ClientError } from '../errors.js';
import type { Integer } from '../operations/codes.js';
import * as operations from '../operations/sets.js';
import { Combination } from '../operations/sets.js';
import type { OperationResult } from '../operations/operation.js';
import { at, countedKeys, integer, positiveInteger, randomCount, SYNTAX_ERROR, word } from './arguments.js';
import type { Command, KeyedCommand } from './command.js';
import { type Reply, SetReply } from './reply.js';
import { elementScan } from './scan.js';

const onOneKey = { group: 'set', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;
const onKeys = { ...onOneKey, keys: { first: 1, last: -1, step: 1 } } as const;

const asIs = (result: OperationResult): Reply => result;
const zeroOrOne = (result: OperationResult): Reply => (result === true ? 1 : 0);
const asSet = (result: OperationResult): Reply => new SetReply(result as readonly OperationResult[]);

const sadd = {
  ...onOneKey,
  name: 'sadd',
  arity: -3,
  since: '1.0.0',
  flags: ['write', 'denyoom', 'fast'],
  categories: ['write', 'set', 'fast'],
  summary: 'Adds members to a set.',
  translate: (args) => operations.setAdd(at(args, 0), args.slice(1)),
  reply: asIs,
} as const satisfies KeyedCommand;

const srem = {
  ...onOneKey,
  name: 'srem',
  arity: -3,
  since: '1.0.0',
  flags: ['write', 'fast'],
  categories: ['write', 'set', 'fast'],
  summary: 'Removes members from a set.',
  translate: (args) => operations.setRemove(at(args, 0), args.slice(1)),
  reply: asIs,
} as const satisfies KeyedCommand;

const scard = {
  ...onOneKey,
  name: 'scard',
  arity: 2,
  since: '1.0.0',
  flags: ['readonly', 'fast'],
  categories: ['read', 'set', 'fast'],
  summary: 'Returns how many members a set has.',
  translate: (args) => operations.setSize(at(args, 0)),
  reply: asIs,
} as const satisfies KeyedCommand;

const sismember = {
  ...onOneKey,
  name: 'sismember',
  arity: 3,
  since: '1.0.0',
  flags: ['readonly', 'fast'],
  categories: ['read', 'set', 'fast'],
  summary: 'Tells whether a set has a member.',
  translate: (args) => operations.setHas(at(args, 0), args.slice(1)),
  reply: (result) => zeroOrOne((result as readonly OperationResult[])[0] ?? false),
} as const satisfies KeyedCommand;

const smismember = {
  ...onOneKey,
  name: 'smismember',
  arity: -3,
  since: '6.2.0',
  flags: ['readonly', 'fast'],
  categories: ['read', 'set', 'fast'],
  summary: 'Tells of several members whether a set has them.',
  translate: (args) => operations.setHas(at(args, 0), args.slice(1)),
  reply: (result) => (result as readonly OperationResult[]).map(zeroOrOne),
} as const satisfies KeyedCommand;

const smembers = {
  ...onOneKey,
  name: 'smembers',
  arity: 2,
  since: '1.0.0',
  flags: ['readonly'],
  categories: ['read', 'set', 'slow'],
  tips: ['nondeterministic_output_order'],
  summary: 'Returns all members of a set.',
  translate: (args) => operations.setMembers(at(args, 0)),
  reply: asSet,
} as const satisfies KeyedCommand;

const spop = {
  ...onOneKey,
  name: 'spop',
  arity: -2,
  since: '1.0.0',
  flags: ['write', 'fast'],
  categories: ['write', 'set', 'fast'],
  tips: ['nondeterministic_output'],
  summary: 'Removes members chosen at random from a set.',
  translate: (args) => {
    if (args.length > 2) throw new ClientError(SYNTAX_ERROR);
    return operations.setPop(at(args, 0), args.length === 2 ? positiveInteger(args[1]) : null);
  },
  reply: (result, args) => (args.length === 2 ? asSet(result) : result),
} as const satisfies KeyedCommand;

const srandmember = {
  ...onOneKey,
  name: 'srandmember',
  arity: -2,
  since: '1.0.0',
  flags: ['readonly'],
  categories: ['read', 'set', 'slow'],
  tips: ['nondeterministic_output'],
  summary: 'Returns members of a set chosen at random.',
  note: 'a negative count may be -1,048,576 at most',
  translate: (args) => {
    if (args.length > 2) throw new ClientError(SYNTAX_ERROR);
    return operations.setRandom(at(args, 0), args.length === 2 ? randomCount(args[1]) : null);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const smove = {
  ...onOneKey,
  name: 'smove',
  arity: 4,
  since: '1.0.0',
  keys: { first: 1, last: 2, step: 1 },
  flags: ['write', 'fast'],
  categories: ['write', 'set', 'fast'],
  summary: 'Moves a member from one set to another.',
  translate: (args) => operations.setMove(at(args, 0), at(args, 1), at(args, 2)),
  reply: zeroOrOne,
} as const satisfies KeyedCommand;

const combines = {
  ...onKeys,
  arity: -2,
  since: '1.0.0',
  flags: ['readonly'],
  categories: ['read', 'set', 'slow'],
  tips: ['nondeterministic_output_order'],
  reply: asSet,
} as const;

const stores = {
  ...onKeys,
  arity: -3,
  since: '1.0.0',
  flags: ['write', 'denyoom'],
  categories: ['write', 'set', 'slow'],
  reply: asIs,
} as const;

const sinter = {
  ...combines,
  name: 'sinter',
  summary: 'Returns the members that all of several sets have.',
  translate: (args) => operations.setCombine(Combination.intersection, args),
} as const satisfies KeyedCommand;

const sinterstore = {
  ...stores,
  name: 'sinterstore',
  summary: 'Stores the members that all of several sets have.',
  translate: (args) => operations.setCombineStore(Combination.intersection, at(args, 0), args.slice(1)),
} as const satisfies KeyedCommand;

const sunion = {
  ...combines,
  name: 'sunion',
  summary: 'Returns the members that any of several sets has.',
  translate: (args) => operations.setCombine(Combination.union, args),
} as const satisfies KeyedCommand;

const sunionstore = {
  ...stores,
  name: 'sunionstore',
  summary: 'Stores the members that any of several sets has.',
  translate: (args) => operations.setCombineStore(Combination.union, at(args, 0), args.slice(1)),
} as const satisfies KeyedCommand;

const sdiff = {
  ...combines,
  name: 'sdiff',
  summary: 'Returns the members of a set that none of the other sets has.',
  translate: (args) => operations.setCombine(Combination.difference, args),
} as const satisfies KeyedCommand;

const sdiffstore = {
  ...stores,
  name: 'sdiffstore',
  summary: 'Stores the members of a set that none of the other sets has.',
  translate: (args) => operations.setCombineStore(Combination.difference, at(args, 0), args.slice(1)),
} as const satisfies KeyedCommand;

const sintercard = {
  ...onOneKey,
  name: 'sintercard',
  arity: -3,
  since: '7.0.0',
  keys: null,
  keyCount: 1,
  flags: ['readonly', 'movablekeys'],
  categories: ['read', 'set', 'slow'],
  summary: 'Counts the members that all of several sets have.',
  translate: (args) => {
    const keys = countedKeys(args, 0);
    if (Number(args[0]) > keys.length) {
      throw new ClientError("ERR Number of keys can't be greater than number of args");
    }
    let limit: Integer = 0;
    for (let i = 1 + keys.length; i < args.length; i += 2) {
      if (word(args[i]) !== 'LIMIT' || i + 1 >= args.length) throw new ClientError(SYNTAX_ERROR);
      limit = integer(args[i + 1], "ERR LIMIT can't be negative");
      if (limit < 0) throw new ClientError("ERR LIMIT can't be negative");
    }
    return operations.setCommonCount(limit, keys);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const sscan = {
  ...onOneKey,
  name: 'sscan',
  arity: -3,
  since: '2.8.0',
  flags: ['readonly'],
  categories: ['read', 'set', 'slow'],
  tips: ['nondeterministic_output'],
  summary: 'Walks through the members of a set, some at a time.',
  translate: (args) => {
    const { cursor, count, pattern, refusal } = elementScan(args);
    return operations.setScan(at(args, 0), cursor, count, pattern, refusal);
  },
  reply: (result) => {
    const [cursor, members] = result as readonly [number, readonly Buffer[]];
    return [cursor.toString(), members];
  },
} as const satisfies KeyedCommand;

export const setCommands: readonly Command[] = [
  sadd,
  srem,
  scard,
  sismember,
  smismember,
  smembers,
  spop,
  srandmember,
  smove,
  sinter,
  sinterstore,
  sintercard,
  sunion,
  sunionstore,
  sdiff,
  sdiffstore,
  sscan,
];
