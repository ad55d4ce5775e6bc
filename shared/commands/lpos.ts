/** LPOS: the one list command that has options. */
import { ClientError } from '../errors.js';
import type { Integer } from '../operations/codes.js';
import { listFind } from '../operations/lists.js';
import type { OperationResult } from '../operations/operation.js';
import { at, integer, SYNTAX_ERROR, word } from './arguments.js';
import type { KeyedCommand } from './command.js';

interface Options {
  readonly rank: Integer;
  /** Null: the first one only, and not as an array. */
  readonly count: Integer | null;
  readonly comparisons: Integer;
}

const ZERO_RANK =
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list";

function options(args: readonly Buffer[]): Options {
  let rank: Integer = 1;
  let count: Integer | null = null;
  let comparisons: Integer = 0;
  for (let i = 2; i < args.length; i += 2) {
    const option = word(args[i]);
    const value = args[i + 1];
    if (value === undefined) throw new ClientError(SYNTAX_ERROR);
    if (option === 'RANK') rank = rankArgument(value);
    else if (option === 'COUNT') count = notNegative(value, 'COUNT');
    else if (option === 'MAXLEN') comparisons = notNegative(value, 'MAXLEN');
    else throw new ClientError(SYNTAX_ERROR);
  }
  return { rank, count, comparisons };
}

function rankArgument(value: Buffer): Integer {
  const rank = integer(value);
  if (rank === 0) throw new ClientError(ZERO_RANK);
  return rank;
}

function notNegative(value: Buffer, option: string): Integer {
  const error = `ERR ${option} can't be negative`;
  const given = integer(value, error);
  if (given < 0) throw new ClientError(error);
  return given;
}

export const lpos = {
  name: 'lpos',
  arity: -3,
  since: '6.0.6',
  group: 'list',
  support: 'yes',
  run: 'keyed',
  keys: { first: 1, last: 1, step: 1 },
  flags: ['readonly'],
  categories: ['read', 'list', 'slow'],
  summary: 'Finds positions of a value in a list.',
  translate: (args) => {
    const { rank, count, comparisons } = options(args);
    return listFind(at(args, 0), at(args, 1), rank, count ?? 1, comparisons);
  },
  reply: (result, args) => {
    const positions = result as readonly OperationResult[];
    return options(args).count === null ? (positions[0] ?? null) : positions;
  },
} as const satisfies KeyedCommand;
