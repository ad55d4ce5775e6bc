/** Redis's hash commands but for the expiry of fields (field-expiry.ts). What they do is in server/rows/hashes.ts and fields.ts. */
import { ClientError } from '../errors.js';
import { INT64_MAX } from '../integers.js';
import { Expiry } from '../operations/codes.js';
import * as fields from '../operations/fields.js';
import * as operations from '../operations/hashes.js';
import { HashPart, HashSetFlag } from '../operations/hashes.js';
import type { Operation, OperationResult } from '../operations/operation.js';
import { at, float, integer, randomCount, SYNTAX_ERROR, word, wrongArity } from './arguments.js';
import type { Command, KeyedCommand, TranslateContext } from './command.js';
import { fieldExpiryCommands } from './field-expiry.js';
import { MapReply, OK, type Reply } from './reply.js';
import { elementScan } from './scan.js';

const onOneKey = { group: 'hash', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;
const fastRead = { ...onOneKey, flags: ['readonly', 'fast'], categories: ['read', 'hash', 'fast'] } as const;
const slowRead = { ...onOneKey, flags: ['readonly'], categories: ['read', 'hash', 'slow'] } as const;
const fastWrite = {
  ...onOneKey,
  flags: ['write', 'denyoom', 'fast'],
  categories: ['write', 'hash', 'fast'],
} as const;

const asIs = (result: OperationResult): Reply => result;
const zeroOrOne = (result: OperationResult): Reply => (result === true ? 1 : 0);

const set =
  (name: string) =>
  (args: readonly Buffer[], context: TranslateContext): Operation => {
    if (args.length % 2 === 0) throw wrongArity(name);
    return operations.hashSet(at(args, 0), context.hashLimits ?? null, args.slice(1));
  };

const hset = {
  ...fastWrite,
  name: 'hset',
  arity: -4,
  since: '2.0.0',
  summary: 'Sets fields of a hash.',
  translate: set('hset'),
  reply: asIs,
} as const satisfies KeyedCommand;

const hmset = {
  ...fastWrite,
  name: 'hmset',
  arity: -4,
  since: '2.0.0',
  summary: 'Sets fields of a hash; the old form of HSET.',
  translate: set('hmset'),
  reply: () => OK,
} as const satisfies KeyedCommand;

const hsetnx = {
  ...fastWrite,
  name: 'hsetnx',
  arity: 4,
  since: '2.0.0',
  summary: 'Sets a field of a hash if it does not exist.',
  translate: (args, context) =>
    operations.hashSetIf(at(args, 0), context.hashLimits ?? null, HashSetFlag.ifNone, Expiry.none, 0, args.slice(1)),
  reply: zeroOrOne,
} as const satisfies KeyedCommand;

const hget = {
  ...fastRead,
  name: 'hget',
  arity: 3,
  since: '2.0.0',
  summary: 'Returns the value of a field.',
  translate: (args) => fields.fieldGet(at(args, 0), at(args, 1)),
  reply: asIs,
} as const satisfies KeyedCommand;

const hmget = {
  ...fastRead,
  name: 'hmget',
  arity: -3,
  since: '2.0.0',
  summary: 'Returns the values of several fields.',
  translate: (args) => fields.fieldMultiGet(at(args, 0), args.slice(1)),
  reply: asIs,
} as const satisfies KeyedCommand;

const tellsAll = { ...slowRead, arity: 2, since: '2.0.0', tips: ['nondeterministic_output_order'] } as const;

const hgetall = {
  ...tellsAll,
  name: 'hgetall',
  summary: 'Returns all fields of a hash with their values.',
  translate: (args) => operations.hashAll(at(args, 0), HashPart.both),
  reply: (result) => new MapReply(result as readonly OperationResult[]),
} as const satisfies KeyedCommand;

const hkeys = {
  ...tellsAll,
  name: 'hkeys',
  summary: 'Returns all fields of a hash.',
  translate: (args) => operations.hashAll(at(args, 0), HashPart.fields),
  reply: asIs,
} as const satisfies KeyedCommand;

const hvals = {
  ...tellsAll,
  name: 'hvals',
  summary: 'Returns all values of a hash.',
  translate: (args) => operations.hashAll(at(args, 0), HashPart.values),
  reply: asIs,
} as const satisfies KeyedCommand;

const hlen = {
  ...fastRead,
  name: 'hlen',
  arity: 2,
  since: '2.0.0',
  summary: 'Returns how many fields a hash has.',
  translate: (args) => fields.fieldCount(at(args, 0)),
  reply: asIs,
} as const satisfies KeyedCommand;

const hstrlen = {
  ...fastRead,
  name: 'hstrlen',
  arity: 3,
  since: '3.2.0',
  summary: 'Returns the length of the value of a field, in bytes.',
  translate: (args) => operations.hashLength(at(args, 0), at(args, 1)),
  reply: (result) => result ?? 0,
} as const satisfies KeyedCommand;

const hexists = {
  ...fastRead,
  name: 'hexists',
  arity: 3,
  since: '2.0.0',
  summary: 'Tells whether a hash has a field.',
  translate: (args) => operations.hashLength(at(args, 0), at(args, 1)),
  reply: (result) => (result === null ? 0 : 1),
} as const satisfies KeyedCommand;

const hdel = {
  ...onOneKey,
  name: 'hdel',
  arity: -3,
  since: '2.0.0',
  flags: ['write', 'fast'],
  categories: ['write', 'hash', 'fast'],
  summary: 'Removes fields from a hash.',
  translate: (args) => fields.fieldRemove(at(args, 0), args.slice(1)),
  reply: asIs,
} as const satisfies KeyedCommand;

const hincrby = {
  ...fastWrite,
  name: 'hincrby',
  arity: 4,
  since: '2.0.0',
  summary: 'Adds a number to the integer at a field.',
  translate: (args, context) =>
    fields.fieldIncrement(at(args, 0), at(args, 1), integer(args[2]), 0, context.hashLimits ?? null),
  reply: asIs,
} as const satisfies KeyedCommand;

const hincrbyfloat = {
  ...fastWrite,
  name: 'hincrbyfloat',
  arity: 4,
  since: '2.6.0',
  summary: 'Adds a decimal number to the number at a field.',
  translate: (args, context) => {
    if (float(at(args, 2)).kind !== 'finite') throw new ClientError('ERR value is NaN or Infinity');
    return operations.hashIncrementFloat(at(args, 0), at(args, 1), at(args, 2), context.hashLimits ?? null);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const hrandfield = {
  ...slowRead,
  name: 'hrandfield',
  arity: -2,
  since: '6.2.0',
  tips: ['nondeterministic_output'],
  summary: 'Returns fields of a hash chosen at random.',
  note: 'a negative count may be -1,048,576 at most',
  translate: (args) => {
    if (args.length === 1) return operations.hashRandom(at(args, 0), null, false);
    const count = randomCount(args[1]);
    if (args.length === 2) return operations.hashRandom(at(args, 0), count, false);
    if (args.length > 3 || word(args[2]) !== 'WITHVALUES') throw new ClientError(SYNTAX_ERROR);
    if (count > INT64_MAX / 2n || count < -(INT64_MAX / 2n)) throw new ClientError('ERR value is out of range');
    return operations.hashRandom(at(args, 0), count, true);
  },
  reply: (result, args, context) => (args.length === 3 && context.resp === 3 ? inPairs(result) : result),
} as const satisfies KeyedCommand;

/** In RESP3 what belongs together is an array of its own. */
function inPairs(result: OperationResult): Reply {
  const flat = result as readonly OperationResult[];
  return Array.from({ length: flat.length / 2 }, (_, i): Reply => [flat[2 * i]!, flat[2 * i + 1]!]);
}

const hscan = {
  ...slowRead,
  name: 'hscan',
  arity: -3,
  since: '2.8.0',
  tips: ['nondeterministic_output'],
  summary: 'Walks through the fields of a hash, some at a time.',
  translate: (args) => {
    const { cursor, count, pattern, refusal, noValues } = elementScan(args, true);
    return operations.hashScan(at(args, 0), cursor, count, pattern, refusal, noValues);
  },
  reply: (result) => {
    const [cursor, parts] = result as readonly [number, readonly Buffer[]];
    return [cursor.toString(), parts];
  },
} as const satisfies KeyedCommand;

export const hashCommands: readonly Command[] = [
  hset,
  hmset,
  hsetnx,
  hget,
  hmget,
  hgetall,
  hkeys,
  hvals,
  hlen,
  hstrlen,
  hexists,
  hdel,
  hincrby,
  hincrbyfloat,
  hrandfield,
  hscan,
  ...fieldExpiryCommands,
];
