/** Redis's commands on ranges of sorted sets. What they do is in server/rows/zset-ranges.ts. */
import { parseBound } from '../doubles.js';
import { ClientError } from '../errors.js';
import type { Integer } from '../operations/codes.js';
import type { OperationResult } from '../operations/operation.js';
import * as operations from '../operations/zsets.js';
import type { RangeWalk, ScoreBound, ZsetRange } from '../operations/zsets.js';
import { at, integer, SYNTAX_ERROR, word } from './arguments.js';
import type { Command, KeyedCommand, TranslateContext } from './command.js';
import type { Reply } from './reply.js';
import { scoredReply } from './zset-replies.js';

const onOneKey = { group: 'sorted-set', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;
const asIs = (result: OperationResult): Reply => result;

type By = 'rank' | 'score' | 'text';

/** What a command's name says of its range; null: options say it. */
interface Form {
  readonly by: By | null;
  readonly reverse: boolean | null;
  readonly store: boolean;
}

interface ParsedRange {
  readonly range: ZsetRange;
  readonly withScores: boolean;
}

/** `start`: where the range's ends are in `args`; options follow. */
function parseRange(args: readonly Buffer[], start: number, form: Form): ParsedRange {
  let { by, reverse } = form;
  let withScores = false;
  let offset: Integer = 0;
  let limit: Integer = -1;
  for (let i = start + 2; i < args.length; i++) {
    const option = word(args[i]);
    if (option === 'WITHSCORES' && !form.store) withScores = true;
    else if (option === 'LIMIT' && i + 2 < args.length) {
      offset = integer(args[i + 1]);
      limit = integer(args[i + 2]);
      i += 2;
    } else if (option === 'REV' && form.reverse === null && reverse === null) reverse = true;
    else if (option === 'BYLEX' && by === null) by = 'text';
    else if (option === 'BYSCORE' && by === null) by = 'score';
    else throw new ClientError(SYNTAX_ERROR);
  }
  if (limit !== -1 && (by ?? 'rank') === 'rank') {
    throw new ClientError('ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX');
  }
  if (withScores && by === 'text') {
    throw new ClientError('ERR syntax error, WITHSCORES not supported in combination with BYLEX');
  }
  const ends: readonly [Buffer, Buffer] = [at(args, start), at(args, start + 1)];
  return { range: rangeOf(by ?? 'rank', ends, { reverse: reverse ?? false, offset, limit }), withScores };
}

/** In reverse, the ends of ranges by score and text are given the other way round. */
function rangeOf(by: By, ends: readonly [Buffer, Buffer], walk: RangeWalk): ZsetRange {
  if (by === 'rank') return operations.byRank(integer(ends[0]), integer(ends[1]), walk.reverse);
  const [min, max] = walk.reverse ? [ends[1], ends[0]] : ends;
  return by === 'score' ? scoreRange(min, max, walk) : textRange(min, max, walk);
}

function scoreRange(min: Buffer, max: Buffer, walk?: RangeWalk): ZsetRange {
  return operations.byScore(scoreBound(min), scoreBound(max), walk);
}

function scoreBound(argument: Buffer): ScoreBound {
  const text = argument.latin1Slice(0, argument.length);
  const exclusive = text.startsWith('(');
  const score = parseBound(exclusive ? text.slice(1) : text);
  if (score === null) throw new ClientError('ERR min or max is not a float');
  return { score, exclusive };
}

function textRange(min: Buffer, max: Buffer, walk?: RangeWalk): ZsetRange {
  for (const bound of [min, max]) {
    if (!/^(?:[-+]$|[[(])/.test(bound.toString('latin1', 0, 2))) {
      throw new ClientError('ERR min or max not valid string range item');
    }
  }
  return operations.byText(min, max, walk);
}

const ranges = (name: string, since: string, form: Form, summary: string) =>
  ({
    ...onOneKey,
    name,
    arity: -4,
    since,
    flags: ['readonly'],
    categories: ['read', 'sortedset', 'slow'],
    summary,
    translate: (args: readonly Buffer[]) => {
      const { range, withScores } = parseRange(args, 1, form);
      return operations.zsetRange(at(args, 0), range, withScores);
    },
    reply: (result: OperationResult, args: readonly Buffer[], context: TranslateContext): Reply =>
      parseRange(args, 1, form).withScores ? scoredReply(result, context.resp) : result,
  }) as const satisfies KeyedCommand;

const named = (by: By, reverse: boolean): Form => ({ by, reverse, store: false });

const zrangestore = {
  ...onOneKey,
  name: 'zrangestore',
  arity: -5,
  since: '6.2.0',
  keys: { first: 1, last: 2, step: 1 },
  flags: ['write', 'denyoom'],
  categories: ['write', 'sortedset', 'slow'],
  summary: 'Stores a range of a sorted set.',
  translate: (args, context) => {
    const { range } = parseRange(args, 2, { by: null, reverse: null, store: true });
    return operations.zsetRangeStore(at(args, 0), at(args, 1), range, context.zsetLimits ?? null);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const counts = {
  ...onOneKey,
  arity: 4,
  flags: ['readonly', 'fast'],
  categories: ['read', 'sortedset', 'fast'],
} as const;

const zcount = {
  ...counts,
  name: 'zcount',
  since: '2.0.0',
  summary: 'Counts the members with scores in a range.',
  translate: (args) => operations.zsetCount(at(args, 0), scoreRange(at(args, 1), at(args, 2))),
  reply: asIs,
} as const satisfies KeyedCommand;

const zlexcount = {
  ...counts,
  name: 'zlexcount',
  since: '2.8.9',
  summary: 'Counts the members in a range by text.',
  translate: (args) => operations.zsetCount(at(args, 0), textRange(at(args, 1), at(args, 2))),
  reply: asIs,
} as const satisfies KeyedCommand;

const removes = { ...onOneKey, arity: 4, flags: ['write'], categories: ['write', 'sortedset', 'slow'] } as const;

const zremrangebyrank = {
  ...removes,
  name: 'zremrangebyrank',
  since: '2.0.0',
  summary: 'Removes the members of a range by rank.',
  translate: (args) => operations.zsetRemoveRange(at(args, 0), operations.byRank(integer(args[1]), integer(args[2]))),
  reply: asIs,
} as const satisfies KeyedCommand;

const zremrangebyscore = {
  ...removes,
  name: 'zremrangebyscore',
  since: '1.2.0',
  summary: 'Removes the members with scores in a range.',
  translate: (args) => operations.zsetRemoveRange(at(args, 0), scoreRange(at(args, 1), at(args, 2))),
  reply: asIs,
} as const satisfies KeyedCommand;

const zremrangebylex = {
  ...removes,
  name: 'zremrangebylex',
  since: '2.8.9',
  summary: 'Removes the members of a range by text.',
  translate: (args) => operations.zsetRemoveRange(at(args, 0), textRange(at(args, 1), at(args, 2))),
  reply: asIs,
} as const satisfies KeyedCommand;

export const zsetRangeCommands: readonly Command[] = [
  ranges(
    'zrange',
    '1.2.0',
    { by: null, reverse: null, store: false },
    'Returns the members of a range by rank, by score or by text.',
  ),
  ranges('zrevrange', '1.2.0', named('rank', true), 'Returns the members of a range by rank, highest scores first.'),
  ranges('zrangebyscore', '1.0.5', named('score', false), 'Returns the members with scores in a range.'),
  ranges(
    'zrevrangebyscore',
    '2.2.0',
    named('score', true),
    'Returns the members with scores in a range, highest first.',
  ),
  ranges('zrangebylex', '2.8.9', named('text', false), 'Returns the members in a range by text.'),
  ranges('zrevrangebylex', '2.8.9', named('text', true), 'Returns the members in a range by text, last first.'),
  zrangestore,
  zcount,
  zlexcount,
  zremrangebyrank,
  zremrangebyscore,
  zremrangebylex,
];
