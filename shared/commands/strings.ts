/** Redis 7.0's string commands. What they do to a value is in server/rows/strings.ts and its neighbours. */
import { ClientError } from '../errors.js';
import { negate } from '../integers.js';
import { SetFlag } from '../operations/codes.js';
import * as operations from '../operations/codes.js';
import type { OperationResult } from '../operations/operation.js';
import { at, integer, wrongArity } from './arguments.js';
import type { Command, KeyedCommand } from './command.js';
import { lcs } from './lcs.js';
import { OK, type Reply } from './reply.js';
import { getexTime, multiSetOptions, removeOptions, setOptions } from './set-options.js';
import { EX, positiveTime, PX, type TimeUnit } from './times.js';

const onOneKey = { group: 'string', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;

const asIs = (result: OperationResult): Reply => result;
const okOrNil = (result: OperationResult): Reply => (result === true ? OK : result);
const zeroOrOne = (result: OperationResult): Reply => (result === true ? 1 : 0);

const get = {
  ...onOneKey,
  name: 'get',
  arity: 2,
  since: '1.0.0',
  flags: ['readonly', 'fast'],
  categories: ['read', 'string', 'fast'],
  summary: 'Returns the string at a key.',
  translate: (args) => operations.get(at(args, 0)),
  reply: asIs,
} as const satisfies KeyedCommand;

const set = {
  ...onOneKey,
  name: 'set',
  arity: -3,
  since: '1.0.0',
  flags: ['write', 'denyoom'],
  categories: ['write', 'string', 'slow'],
  summary: 'Stores a string, with conditions and an expiry as wanted.',
  note: 'with IFEQ and IFNE of Redis 8.4',
  translate: (args) => (args.length === 2 ? operations.set(at(args, 0), at(args, 1)) : setOptions(args)),
  reply: okOrNil,
} as const satisfies KeyedCommand;

const setnx = {
  ...onOneKey,
  name: 'setnx',
  arity: 3,
  since: '1.0.0',
  flags: ['write', 'denyoom', 'fast'],
  categories: ['write', 'string', 'fast'],
  summary: 'Stores a string if the key does not exist.',
  translate: (args) => operations.set(at(args, 0), at(args, 1), SetFlag.ifAbsent),
  reply: zeroOrOne,
} as const satisfies KeyedCommand;

const setWithTime = (name: string, unit: TimeUnit) => (args: readonly Buffer[]) =>
  operations.set(at(args, 0), at(args, 2), 0, unit.expiry, positiveTime(args[1], unit, name));

const setex = {
  ...onOneKey,
  name: 'setex',
  arity: 4,
  since: '2.0.0',
  flags: ['write', 'denyoom'],
  categories: ['write', 'string', 'slow'],
  summary: 'Stores a string that expires after some seconds.',
  translate: setWithTime('setex', EX),
  reply: okOrNil,
} as const satisfies KeyedCommand;

const psetex = {
  ...onOneKey,
  name: 'psetex',
  arity: 4,
  since: '2.6.0',
  flags: ['write', 'denyoom'],
  categories: ['write', 'string', 'slow'],
  summary: 'Stores a string that expires after some milliseconds.',
  translate: setWithTime('psetex', PX),
  reply: okOrNil,
} as const satisfies KeyedCommand;

const getex = {
  ...onOneKey,
  name: 'getex',
  arity: -2,
  since: '6.2.0',
  flags: ['write', 'fast'],
  categories: ['write', 'string', 'fast'],
  summary: 'Returns the string at a key and sets or removes its expiry.',
  translate: getexTime,
  reply: asIs,
} as const satisfies KeyedCommand;

const getdel = {
  ...onOneKey,
  name: 'getdel',
  arity: 2,
  since: '6.2.0',
  flags: ['write', 'fast'],
  categories: ['write', 'string', 'fast'],
  summary: 'Returns the string at a key and removes the key.',
  translate: (args) => operations.getAndDelete(at(args, 0)),
  reply: asIs,
} as const satisfies KeyedCommand;

const getset = {
  ...onOneKey,
  name: 'getset',
  arity: 3,
  since: '1.0.0',
  flags: ['write', 'denyoom', 'fast'],
  categories: ['write', 'string', 'fast'],
  summary: 'Stores a string and returns what was there before.',
  translate: (args) => operations.set(at(args, 0), at(args, 1), SetFlag.returnOld),
  reply: asIs,
} as const satisfies KeyedCommand;

const strlen = {
  ...onOneKey,
  name: 'strlen',
  arity: 2,
  since: '2.2.0',
  flags: ['readonly', 'fast'],
  categories: ['read', 'string', 'fast'],
  summary: 'Returns the length of the string at a key, in bytes.',
  translate: (args) => operations.length(at(args, 0)),
  reply: asIs,
} as const satisfies KeyedCommand;

const append = {
  ...onOneKey,
  name: 'append',
  arity: 3,
  since: '2.0.0',
  flags: ['write', 'denyoom', 'fast'],
  categories: ['write', 'string', 'fast'],
  summary: 'Adds bytes to the end of a string.',
  translate: (args) => operations.append(at(args, 0), at(args, 1)),
  reply: asIs,
} as const satisfies KeyedCommand;

const setrange = {
  ...onOneKey,
  name: 'setrange',
  arity: 4,
  since: '2.2.0',
  flags: ['write', 'denyoom'],
  categories: ['write', 'string', 'slow'],
  summary: 'Overwrites a part of a string, padding it with zero bytes where it is too short.',
  translate: (args) => {
    const offset = integer(args[1]);
    if (offset < 0) throw new ClientError('ERR offset is out of range');
    return operations.setRange(at(args, 0), offset, at(args, 2));
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const getrange = {
  ...onOneKey,
  name: 'getrange',
  arity: 4,
  since: '2.4.0',
  flags: ['readonly'],
  categories: ['read', 'string', 'slow'],
  summary: 'Returns a part of a string.',
  translate: (args) => operations.getRange(at(args, 0), integer(args[1]), integer(args[2])),
  reply: asIs,
} as const satisfies KeyedCommand;

const substr = {
  ...getrange,
  name: 'substr',
  since: '1.0.0',
  summary: 'Returns a part of a string; the old name of GETRANGE.',
} as const satisfies KeyedCommand;

const mget = {
  ...onOneKey,
  name: 'mget',
  arity: -2,
  since: '1.0.0',
  tips: ['request_policy:multi_shard'],
  keys: { first: 1, last: -1, step: 1 },
  flags: ['readonly', 'fast'],
  categories: ['read', 'string', 'fast'],
  summary: 'Returns the strings at several keys.',
  union: 'positions',
  translate: (args) => operations.multiGet(args),
  reply: asIs,
} as const satisfies KeyedCommand;

const mset = {
  ...onOneKey,
  name: 'mset',
  tips: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
  arity: -3,
  since: '1.0.1',
  keys: { first: 1, last: -1, step: 2 },
  flags: ['write', 'denyoom'],
  categories: ['write', 'string', 'slow'],
  summary: 'Stores several strings at once.',
  union: 'ok',
  translate: (args) => operations.multiSet(pairs(args, 'mset')),
  reply: okOrNil,
} as const satisfies KeyedCommand;

const msetnx = {
  ...onOneKey,
  name: 'msetnx',
  arity: -3,
  since: '1.0.1',
  tips: ['request_policy:multi_shard', 'response_policy:agg_min'],
  keys: { first: 1, last: -1, step: 2 },
  flags: ['write', 'denyoom'],
  categories: ['write', 'string', 'slow'],
  summary: 'Stores several strings if none of their keys exists.',
  translate: (args) => operations.multiSetIfNone(pairs(args, 'msetnx')),
  reply: zeroOrOne,
} as const satisfies KeyedCommand;

const msetex = {
  ...onOneKey,
  name: 'msetex',
  arity: -4,
  since: '8.4.0',
  keys: null,
  keyCount: 1,
  keyStep: 2,
  flags: ['write', 'denyoom', 'movablekeys'],
  categories: ['write', 'string', 'slow'],
  summary: 'Stores several strings with one expiry, if all or none of their keys exist where that is asked for.',
  translate: multiSetOptions,
  reply: zeroOrOne,
} as const satisfies KeyedCommand;

const delex = {
  ...onOneKey,
  name: 'delex',
  arity: -2,
  since: '8.4.0',
  flags: ['write', 'fast'],
  categories: ['write', 'string', 'fast'],
  summary: 'Removes a key, if its string is equal to a value, or is not, where that is asked for.',
  support: 'partly',
  note: 'digests (IFDEQ, IFDNE) are not known',
  translate: removeOptions,
  reply: (result) => Number(result),
} as const satisfies KeyedCommand;

function pairs(args: readonly Buffer[], command: string): readonly Buffer[] {
  if (args.length % 2 !== 0) throw wrongArity(command);
  return args;
}

const counter = {
  ...onOneKey,
  flags: ['write', 'denyoom', 'fast'],
  categories: ['write', 'string', 'fast'],
  reply: asIs,
} as const;

const incr = {
  ...counter,
  name: 'incr',
  arity: 2,
  since: '1.0.0',
  summary: 'Adds one to the integer at a key.',
  translate: (args) => operations.increment(at(args, 0), 1),
} as const satisfies KeyedCommand;

const decr = {
  ...counter,
  name: 'decr',
  arity: 2,
  since: '1.0.0',
  summary: 'Takes one from the integer at a key.',
  translate: (args) => operations.increment(at(args, 0), -1),
} as const satisfies KeyedCommand;

const incrby = {
  ...counter,
  name: 'incrby',
  arity: 3,
  since: '1.0.0',
  summary: 'Adds a number to the integer at a key.',
  translate: (args) => operations.increment(at(args, 0), integer(args[1])),
} as const satisfies KeyedCommand;

const decrby = {
  ...counter,
  name: 'decrby',
  arity: 3,
  since: '1.0.0',
  summary: 'Takes a number from the integer at a key.',
  translate: (args) => {
    const delta = negate(integer(args[1]));
    if (delta === null) throw new ClientError('ERR decrement would overflow');
    return operations.increment(at(args, 0), delta);
  },
} as const satisfies KeyedCommand;

const incrbyfloat = {
  ...counter,
  name: 'incrbyfloat',
  arity: 3,
  since: '2.6.0',
  summary: 'Adds a decimal number to the number at a key.',
  translate: (args) => operations.incrementFloat(at(args, 0), at(args, 1)),
} as const satisfies KeyedCommand;

export const stringCommands: readonly Command[] = [
  get,
  set,
  setnx,
  setex,
  psetex,
  getex,
  getdel,
  getset,
  strlen,
  append,
  setrange,
  getrange,
  substr,
  mget,
  mset,
  msetnx,
  msetex,
  delex,
  incr,
  decr,
  incrby,
  decrby,
  incrbyfloat,
  lcs,
];
