/** LCS: the one string command whose reply has several shapes. */
import { ClientError } from '../errors.js';
import { type Integer, LcsMode, longestCommon } from '../operations/codes.js';
import type { OperationResult } from '../operations/operation.js';
import { at, integer, orRefusal, SYNTAX_ERROR, word } from './arguments.js';
import type { KeyedCommand } from './command.js';
import { MapReply, type Reply } from './reply.js';

interface Options {
  readonly mode: LcsMode;
  readonly minMatchLength: Integer;
  readonly withLength: boolean;
}

function options(args: readonly Buffer[]): Options {
  let length = false;
  let matches = false;
  let withLength = false;
  let minMatchLength: Integer = 0;
  for (let i = 2; i < args.length; i++) {
    const option = word(args[i]);
    if (option === 'LEN') length = true;
    else if (option === 'IDX') matches = true;
    else if (option === 'WITHMATCHLEN') withLength = true;
    else if (option === 'MINMATCHLEN' && i + 1 < args.length) minMatchLength = integer(args[++i]);
    else throw new ClientError(SYNTAX_ERROR);
  }
  if (length && matches) {
    throw new ClientError('ERR If you want both the length and indexes, please just use IDX.');
  }
  const mode = matches ? LcsMode.matches : length ? LcsMode.length : LcsMode.text;
  return { mode, minMatchLength, withLength };
}

/** `[length, matches]`, each match `[fromA, toA, fromB, toB, length]`, as the map that IDX answers. */
function indexes(result: OperationResult, withLength: boolean): Reply {
  const [total, matches] = result as readonly [number, readonly (readonly number[])[]];
  const shown = matches.map(([fromA = 0, toA = 0, fromB = 0, toB = 0, length = 0]) =>
    withLength
      ? [[fromA, toA], [fromB, toB], length]
      : [
          [fromA, toA],
          [fromB, toB],
        ],
  );
  return new MapReply(['matches', shown, 'len', total]);
}

export const lcs = {
  name: 'lcs',
  arity: -3,
  since: '7.0.0',
  group: 'string',
  support: 'yes',
  run: 'keyed',
  flags: ['readonly'],
  categories: ['read', 'string', 'slow'],
  keys: { first: 1, last: 2, step: 1 },
  summary: 'Finds the longest common subsequence of two strings.',
  note: 'two strings whose lengths multiplied exceed 16 Mi are refused: computing them would hold up other clients',
  translate: (args) => {
    const { result, refusal } = orRefusal(() => options(args), {
      mode: LcsMode.text,
      minMatchLength: 0,
      withLength: false,
    });
    return longestCommon(at(args, 0), at(args, 1), result.mode, result.minMatchLength, refusal);
  },
  reply: (result, args) => {
    const { mode, withLength } = options(args);
    return mode === LcsMode.matches ? indexes(result, withLength) : result;
  },
} as const satisfies KeyedCommand;
