/** Redis's commands on one sorted set. What they do is in server/rows/zsets.ts; ranges are in zset-ranges.ts. */
import { parseDouble } from '../doubles.js';
import { ClientError } from '../errors.js';
import { INT64_MAX } from '../integers.js';
import type { Integer } from '../operations/codes.js';
import type { Operation, OperationResult } from '../operations/operation.js';
import * as operations from '../operations/zsets.js';
import { AddFlag, fromWire } from '../operations/zsets.js';
import { timeoutAtEnd, timeoutAtStart } from './blocking.js';
import { at, countedKeys, integer, positiveInteger, randomCount, SYNTAX_ERROR, word, wrongArity } from './arguments.js';
import type { Command, KeyedCommand, TranslateContext } from './command.js';
import { DoubleReply, NULL_ARRAY, type Reply } from './reply.js';
import { elementScan } from './scan.js';
import { zsetAlgebraCommands } from './zset-algebra.js';
import { zsetRangeCommands } from './zset-ranges.js';
import { score, scoredReply } from './zset-replies.js';

const onOneKey = { group: 'sorted-set', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;
const fastRead = { ...onOneKey, flags: ['readonly', 'fast'], categories: ['read', 'sortedset', 'fast'] } as const;
const fastWrite = { ...onOneKey, flags: ['write', 'fast'], categories: ['write', 'sortedset', 'fast'] } as const;
const grows = { ...fastWrite, flags: ['write', 'denyoom', 'fast'] } as const;

const asIs = (result: OperationResult): Reply => result;

const addFlags: ReadonlyMap<string, number> = new Map([
  ['NX', AddFlag.ifNew],
  ['XX', AddFlag.ifPresent],
  ['GT', AddFlag.ifGreater],
  ['LT', AddFlag.ifLess],
]);

interface AddOptions {
  readonly flags: number;
  readonly changed: boolean;
  readonly increment: boolean;
  /** Where scores and members begin. */
  readonly first: number;
}

function addOptions(args: readonly Buffer[]): AddOptions {
  let flags = 0;
  let changed = false;
  let increment = false;
  let first = 1;
  for (; ; first++) {
    const option = word(args[first]);
    const flag = addFlags.get(option);
    if (flag !== undefined) flags |= flag;
    else if (option === 'CH') changed = true;
    else if (option === 'INCR') increment = true;
    else return { flags, changed, increment, first };
  }
}

function checkAddOptions({ flags, increment }: AddOptions, members: number): void {
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (has(AddFlag.ifNew) && has(AddFlag.ifPresent)) {
    throw new ClientError('ERR XX and NX options at the same time are not compatible');
  }
  const [greater, less] = [has(AddFlag.ifGreater), has(AddFlag.ifLess)];
  if ((has(AddFlag.ifNew) && (greater || less)) || (greater && less)) {
    throw new ClientError('ERR GT, LT, and/or NX options at the same time are not compatible');
  }
  if (increment && members > 1) throw new ClientError('ERR INCR option supports a single increment-element pair');
}

const zadd = {
  ...grows,
  name: 'zadd',
  arity: -4,
  since: '1.2.0',
  summary: 'Adds members to a sorted set or changes their scores, with conditions.',
  translate: (args, context) => {
    const options = addOptions(args);
    const pairs = args.slice(options.first);
    if (pairs.length === 0 || pairs.length % 2 !== 0) throw new ClientError(SYNTAX_ERROR);
    checkAddOptions(options, pairs.length / 2);
    const members = Array.from({ length: pairs.length / 2 }, (_, i) => ({
      score: double(pairs[2 * i]),
      member: pairs[2 * i + 1]!,
    }));
    const compact = context.zsetLimits ?? null;
    if (!options.increment) return operations.zsetAdd(at(args, 0), compact, options.flags, members);
    const { member, score: delta } = members[0]!;
    return operations.zsetIncrement(at(args, 0), compact, options.flags, member, delta);
  },
  reply: (result, args) => {
    const options = addOptions(args);
    if (options.increment) return score(result);
    const [added, updated] = result as readonly [number, number];
    return options.changed ? added + updated : added;
  },
} as const satisfies KeyedCommand;

function double(argument: Buffer | undefined): number {
  const value = argument === undefined ? null : parseDouble(argument);
  if (value === null) throw new ClientError('ERR value is not a valid float');
  return value;
}

const zincrby = {
  ...grows,
  name: 'zincrby',
  arity: 4,
  since: '1.2.0',
  summary: 'Adds a number to the score of a member.',
  translate: (args, context: TranslateContext) => {
    // it is read as ZADD is: an option takes the place of the number, and something is missing then
    if (addOptions(args).first !== 1) throw new ClientError(SYNTAX_ERROR);
    return operations.zsetIncrement(at(args, 0), context.zsetLimits ?? null, 0, at(args, 2), double(args[1]));
  },
  reply: score,
} as const satisfies KeyedCommand;

const zrem = {
  ...fastWrite,
  name: 'zrem',
  arity: -3,
  since: '1.2.0',
  summary: 'Removes members from a sorted set.',
  translate: (args) => operations.zsetRemove(at(args, 0), args.slice(1)),
  reply: asIs,
} as const satisfies KeyedCommand;

const zcard = {
  ...fastRead,
  name: 'zcard',
  arity: 2,
  since: '1.2.0',
  summary: 'Returns how many members a sorted set has.',
  translate: (args) => operations.zsetSize(at(args, 0)),
  reply: asIs,
} as const satisfies KeyedCommand;

const zscore = {
  ...fastRead,
  name: 'zscore',
  arity: 3,
  since: '1.2.0',
  summary: 'Returns the score of a member.',
  translate: (args) => operations.zsetScores(at(args, 0), args.slice(1)),
  reply: (result) => score((result as readonly OperationResult[])[0] ?? null),
} as const satisfies KeyedCommand;

const zmscore = {
  ...fastRead,
  name: 'zmscore',
  arity: -3,
  since: '6.2.0',
  summary: 'Returns the scores of several members.',
  translate: (args) => operations.zsetScores(at(args, 0), args.slice(1)),
  reply: (result) => (result as readonly OperationResult[]).map(score),
} as const satisfies KeyedCommand;

const rank =
  (name: string, reverse: boolean) =>
  (args: readonly Buffer[]): Operation => {
    if (args.length > 3) throw wrongArity(name);
    if (args.length === 3 && word(args[2]) !== 'WITHSCORE') throw new ClientError(SYNTAX_ERROR);
    return operations.zsetRank(at(args, 0), at(args, 1), reverse);
  };

const tellsRank = {
  ...fastRead,
  arity: -3,
  since: '2.0.0',
  reply: (result: OperationResult, args: readonly Buffer[]): Reply => {
    const withScore = args.length === 3;
    if (result === null) return withScore ? NULL_ARRAY : null;
    const [place, value] = result as readonly [number, OperationResult];
    return withScore ? [place, new DoubleReply(fromWire(value))] : place;
  },
} as const;

const zrank = {
  ...tellsRank,
  name: 'zrank',
  summary: 'Tells how many members have a lower score than a member; with its score, as in Redis 7.2.',
  translate: rank('zrank', false),
} as const satisfies KeyedCommand;

const zrevrank = {
  ...tellsRank,
  name: 'zrevrank',
  summary: 'Tells how many members have a higher score than a member; with its score, as in Redis 7.2.',
  translate: rank('zrevrank', true),
} as const satisfies KeyedCommand;

const pop =
  (highest: boolean) =>
  (args: readonly Buffer[]): Operation => {
    if (args.length > 2) throw new ClientError(SYNTAX_ERROR);
    return operations.zsetPop(at(args, 0), highest, args.length === 2 ? positiveInteger(args[1]) : 1);
  };

const pops = {
  ...fastWrite,
  arity: -2,
  since: '5.0.0',
  reply: (result: OperationResult, args: readonly Buffer[], context: TranslateContext): Reply =>
    scoredReply(result, args.length === 2 ? context.resp : 2),
} as const;

const zpopmin = {
  ...pops,
  name: 'zpopmin',
  summary: 'Removes and returns members with the lowest scores.',
  translate: pop(false),
} as const satisfies KeyedCommand;

const zpopmax = {
  ...pops,
  name: 'zpopmax',
  summary: 'Removes and returns members with the highest scores.',
  translate: pop(true),
} as const satisfies KeyedCommand;

/** ZMPOP's arguments, from the number of keys on. */
function popFirst(args: readonly Buffer[]): Operation {
  const keys = countedKeys(args, 0);
  const side = word(args[1 + keys.length]);
  if (side !== 'MIN' && side !== 'MAX') throw new ClientError(SYNTAX_ERROR);
  let count: Integer | null = null;
  for (let i = 2 + keys.length; i < args.length; i += 2) {
    if (count !== null || word(args[i]) !== 'COUNT' || i + 1 >= args.length) throw new ClientError(SYNTAX_ERROR);
    count = integer(args[i + 1], 'ERR count should be greater than 0');
    if (count <= 0) throw new ClientError('ERR count should be greater than 0');
  }
  return operations.zsetPopFirst(keys, side === 'MAX', count ?? 1);
}

function firstPopped(result: OperationResult): Reply {
  if (result === null) return NULL_ARRAY;
  const [key, popped] = result as readonly [Buffer, OperationResult];
  return [key, scoredReply(popped, 3)];
}

const blockingPops = {
  ...onOneKey,
  arity: -3,
  since: '5.0.0',
  keys: { first: 1, last: -2, step: 1 },
  flags: ['write', 'noscript', 'blocking', 'fast'],
  categories: ['write', 'sortedset', 'fast', 'blocking'],
  waitMs: timeoutAtEnd,
  reply: (result: OperationResult): Reply => {
    if (result === null) return NULL_ARRAY;
    const [key, popped] = result as readonly [Buffer, OperationResult];
    return [key, ...(scoredReply(popped, 2) as readonly Reply[])];
  },
} as const;

/** Its timeout is looked at first, also where it will not wait. */
const popOne =
  (highest: boolean) =>
  (args: readonly Buffer[]): Operation => {
    timeoutAtEnd(args);
    return operations.zsetPopFirst(args.slice(0, -1), highest, 1);
  };

const bzpopmin = {
  ...blockingPops,
  name: 'bzpopmin',
  summary:
    'Removes and returns the member with the lowest score of the first sorted set that has one, or waits for one.',
  translate: popOne(false),
} as const satisfies KeyedCommand;

const bzpopmax = {
  ...blockingPops,
  name: 'bzpopmax',
  summary:
    'Removes and returns the member with the highest score of the first sorted set that has one, or waits for one.',
  translate: popOne(true),
} as const satisfies KeyedCommand;

const bzmpop = {
  ...onOneKey,
  name: 'bzmpop',
  arity: -5,
  since: '7.0.0',
  keys: null,
  keyCount: 2,
  flags: ['write', 'blocking', 'movablekeys'],
  categories: ['write', 'sortedset', 'slow', 'blocking'],
  summary: 'Removes and returns members of the first of several sorted sets that is not empty, or waits for one.',
  waitMs: timeoutAtStart,
  translate: (args) => {
    timeoutAtStart(args);
    return popFirst(args.slice(1));
  },
  reply: firstPopped,
} as const satisfies KeyedCommand;

const zmpop = {
  ...onOneKey,
  name: 'zmpop',
  arity: -4,
  since: '7.0.0',
  keys: null,
  keyCount: 1,
  flags: ['write', 'movablekeys'],
  categories: ['write', 'sortedset', 'slow'],
  summary: 'Removes and returns members of the first of several sorted sets that is not empty.',
  translate: popFirst,
  reply: firstPopped,
} as const satisfies KeyedCommand;

const zrandmember = {
  ...onOneKey,
  name: 'zrandmember',
  arity: -2,
  since: '6.2.0',
  flags: ['readonly'],
  categories: ['read', 'sortedset', 'slow'],
  tips: ['nondeterministic_output'],
  summary: 'Returns members of a sorted set chosen at random.',
  note: 'a negative count may be -1,048,576 at most',
  translate: (args) => {
    if (args.length === 1) return operations.zsetRandom(at(args, 0), null, false);
    const count = randomCount(args[1]);
    if (args.length === 2) return operations.zsetRandom(at(args, 0), count, false);
    if (args.length > 3 || word(args[2]) !== 'WITHSCORES') throw new ClientError(SYNTAX_ERROR);
    if (count > INT64_MAX / 2n || count < -(INT64_MAX / 2n)) throw new ClientError('ERR value is out of range');
    return operations.zsetRandom(at(args, 0), count, true);
  },
  reply: (result, args, context) => (args.length === 3 ? scoredReply(result, context.resp) : result),
} as const satisfies KeyedCommand;

const zscan = {
  ...onOneKey,
  name: 'zscan',
  arity: -3,
  since: '2.8.0',
  flags: ['readonly'],
  categories: ['read', 'sortedset', 'slow'],
  tips: ['nondeterministic_output'],
  summary: 'Walks through the members of a sorted set, some at a time.',
  translate: (args) => {
    const { cursor, count, pattern, refusal } = elementScan(args);
    return operations.zsetScan(at(args, 0), cursor, count, pattern, refusal);
  },
  reply: (result) => {
    const [cursor, members] = result as readonly [number, OperationResult];
    // Scores are text here, in RESP3, too.
    return [cursor.toString(), scoredReply(members, 'text')];
  },
} as const satisfies KeyedCommand;

export const zsetCommands: readonly Command[] = [
  zadd,
  zincrby,
  zrem,
  zcard,
  zscore,
  zmscore,
  zrank,
  zrevrank,
  zpopmin,
  zpopmax,
  zmpop,
  bzpopmin,
  bzpopmax,
  bzmpop,
  zrandmember,
  zscan,
  ...zsetRangeCommands,
  ...zsetAlgebraCommands,
];
