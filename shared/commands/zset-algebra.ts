/** Redis's commands that combine sorted sets and sets. What they do is in server/rows/zset-algebra.ts. */
import { parseDouble } from '../doubles.js';
import { ClientError } from '../errors.js';
import type { Integer } from '../operations/codes.js';
import type { OperationResult } from '../operations/operation.js';
import { Combination } from '../operations/sets.js';
import * as operations from '../operations/zsets.js';
import { Aggregate, type ZsetCombination } from '../operations/zsets.js';
import { at, integer, orRefusal, SYNTAX_ERROR, word } from './arguments.js';
import type { Command, KeyedCommand, TranslateContext } from './command.js';
import type { Reply } from './reply.js';
import { scoredReply } from './zset-replies.js';

const onKeys = { group: 'sorted-set', support: 'yes', run: 'keyed' } as const;
const asIs = (result: OperationResult): Reply => result;

const aggregates: ReadonlyMap<string, Aggregate> = new Map([
  ['SUM', Aggregate.sum],
  ['MIN', Aggregate.min],
  ['MAX', Aggregate.max],
]);

function inputs(name: string, args: readonly Buffer[], countAt: number): readonly Buffer[] {
  const count = integer(args[countAt]);
  if (count < 1) throw new ClientError(`ERR at least 1 input key is needed for '${name}' command`);
  const first = countAt + 1;
  if (count > args.length - first) throw new ClientError(SYNTAX_ERROR);
  return args.slice(first, first + Number(count));
}

interface Parsed {
  readonly of: ZsetCombination;
  readonly withScores: boolean;
}

/** count key ... [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES] */
function parse(name: string, combination: number, args: readonly Buffer[], countAt: number, store: boolean): Parsed {
  const keys = inputs(name, args, countAt);
  const plain = { weights: null, aggregate: Aggregate.sum, withScores: false };
  const read = orRefusal<Options>(
    () => options(combination, args, countAt + 1 + keys.length, keys.length, store),
    plain,
  );
  const { weights, aggregate, withScores } = read.result;
  return { of: { combination, keys, weights, aggregate, refusal: read.refusal }, withScores };
}

interface Options {
  readonly weights: number[] | null;
  readonly aggregate: Aggregate;
  readonly withScores: boolean;
}

function options(combination: number, args: readonly Buffer[], from: number, keys: number, store: boolean): Options {
  const weighs = combination !== Combination.difference;
  let weights: number[] | null = null;
  let aggregate: Aggregate = Aggregate.sum;
  let withScores = false;
  for (let i = from; i < args.length; ) {
    const option = word(args[i]);
    if (option === 'WEIGHTS' && weighs && args.length - i > keys) {
      weights = args.slice(i + 1, i + 1 + keys).map(weight);
      i += 1 + keys;
    } else if (option === 'AGGREGATE' && weighs && i + 1 < args.length) {
      const chosen = aggregates.get(word(args[i + 1]));
      if (chosen === undefined) throw new ClientError(SYNTAX_ERROR);
      aggregate = chosen;
      i += 2;
    } else if (option === 'WITHSCORES' && !store) {
      withScores = true;
      i++;
    } else throw new ClientError(SYNTAX_ERROR);
  }
  return { weights, aggregate, withScores };
}

function weight(argument: Buffer): number {
  const value = parseDouble(argument);
  if (value === null) throw new ClientError('ERR weight value is not a float');
  return value;
}

const combines = (name: string, combination: number, summary: string) =>
  ({
    ...onKeys,
    name,
    arity: -3,
    since: '6.2.0',
    keys: null,
    keyCount: 1,
    flags: ['readonly', 'movablekeys'],
    categories: ['read', 'sortedset', 'slow'],
    summary,
    translate: (args: readonly Buffer[]) => operations.zsetCombine(parse(name, combination, args, 0, false).of),
    reply: (result: OperationResult, args: readonly Buffer[], context: TranslateContext): Reply =>
      parse(name, combination, args, 0, false).withScores
        ? scoredReply(result, context.resp)
        : (result as readonly OperationResult[]).filter((_, i) => i % 2 === 0),
  }) as const satisfies KeyedCommand;

const stores = (name: string, since: string, combination: number, summary: string) =>
  ({
    ...onKeys,
    name,
    arity: -4,
    since,
    keys: { first: 1, last: 1, step: 1 },
    keyCount: 2,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['write', 'sortedset', 'slow'],
    summary,
    translate: (args: readonly Buffer[], context: TranslateContext) => {
      const { of } = parse(name, combination, args, 1, true);
      return operations.zsetCombineStore(at(args, 0), context.zsetLimits ?? null, of);
    },
    reply: asIs,
  }) as const satisfies KeyedCommand;

function limitOption(args: readonly Buffer[], from: number): Integer {
  let limit: Integer = 0;
  for (let i = from; i < args.length; i += 2) {
    if (word(args[i]) !== 'LIMIT' || i + 1 >= args.length) throw new ClientError(SYNTAX_ERROR);
    limit = integer(args[i + 1], "ERR LIMIT can't be negative");
    if (limit < 0) throw new ClientError("ERR LIMIT can't be negative");
  }
  return limit;
}

const zintercard = {
  ...onKeys,
  name: 'zintercard',
  arity: -3,
  since: '7.0.0',
  keys: null,
  keyCount: 1,
  flags: ['readonly', 'movablekeys'],
  categories: ['read', 'sortedset', 'slow'],
  summary: 'Counts the members that all of several sorted sets have.',
  translate: (args) => {
    const keys = inputs('zintercard', args, 0);
    const { result, refusal } = orRefusal(() => limitOption(args, 1 + keys.length), 0);
    return operations.zsetCommonCount(result, refusal, keys);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const { intersection, union, difference } = Combination;

export const zsetAlgebraCommands: readonly Command[] = [
  combines('zunion', union, 'Returns the members that any of several sorted sets has.'),
  combines('zinter', intersection, 'Returns the members that all of several sorted sets have.'),
  combines('zdiff', difference, 'Returns the members of a sorted set that none of the others has.'),
  stores('zunionstore', '2.0.0', union, 'Stores the members that any of several sorted sets has.'),
  stores('zinterstore', '2.0.0', intersection, 'Stores the members that all of several sorted sets have.'),
  stores('zdiffstore', '6.2.0', difference, 'Stores the members of a sorted set that none of the others has.'),
  zintercard,
];
