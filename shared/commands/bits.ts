/** Bits of strings. What they do is in server/rows/bits.ts and bit-fields.ts. */
import { ClientError } from '../errors.js';
import { limits } from '../limits.js';
import * as operations from '../operations/bits.js';
import { BitOperator, type BitRange, BitUnit } from '../operations/bits.js';
import type { OperationResult } from '../operations/operation.js';
import { at, integer, integerWithin, SYNTAX_ERROR, word } from './arguments.js';
import { BAD_OFFSET, bitfield, bitfieldRo } from './bit-fields.js';
import type { Command, KeyedCommand } from './command.js';
import type { Reply } from './reply.js';

const onOneKey = { group: 'bitmap', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;
const asIs = (result: OperationResult): Reply => result;

function offset(argument: Buffer | undefined): number {
  return integerWithin(argument, 0, limits.stringBytes * 8 - 1, BAD_OFFSET);
}

function bit(argument: Buffer | undefined): number {
  return integerWithin(argument, 0, 1, 'ERR bit is not an integer or out of range');
}

const setbit = {
  ...onOneKey,
  name: 'setbit',
  arity: 4,
  since: '2.2.0',
  flags: ['write', 'denyoom'],
  categories: ['write', 'bitmap', 'slow'],
  summary: 'Sets or clears one bit of a string, which grows to reach it, and returns what the bit was.',
  translate: (args) => operations.setBit(at(args, 0), offset(args[1]), bit(args[2])),
  reply: asIs,
} as const satisfies KeyedCommand;

const getbit = {
  ...onOneKey,
  name: 'getbit',
  arity: 3,
  since: '2.2.0',
  flags: ['readonly', 'fast'],
  categories: ['read', 'bitmap', 'fast'],
  summary: 'Returns one bit of a string; those past its end are 0.',
  translate: (args) => operations.getBit(at(args, 0), offset(args[1])),
  reply: asIs,
} as const satisfies KeyedCommand;

const WHOLE: BitRange = { start: 0, end: null, unit: BitUnit.byte };

interface GivenRange {
  readonly range: BitRange;
  /** What is wrong with the arguments: Redis looks at the key first. */
  readonly refusal: string | null;
}

function given(read: () => BitRange): GivenRange {
  try {
    return { range: read(), refusal: null };
  } catch (error) {
    if (error instanceof ClientError) return { range: WHOLE, refusal: error.message };
    throw error;
  }
}

function unit(argument: Buffer | undefined): BitUnit {
  if (argument === undefined || word(argument) === 'BYTE') return BitUnit.byte;
  if (word(argument) === 'BIT') return BitUnit.bit;
  throw new ClientError(SYNTAX_ERROR);
}

function countRange(args: readonly Buffer[]): BitRange {
  if (args.length === 1) return WHOLE;
  if (args.length === 2 || args.length > 4) throw new ClientError(SYNTAX_ERROR);
  const start = integer(args[1]);
  const end = integer(args[2]);
  // Nothing is in it, whatever the unit: Redis does not read that any more.
  if (start < 0 && end < 0 && start > end) return { start, end, unit: BitUnit.byte };
  return { start, end, unit: unit(args[3]) };
}

function searchRange(args: readonly Buffer[]): BitRange {
  if (args.length === 2) return WHOLE;
  if (args.length > 5) throw new ClientError(SYNTAX_ERROR);
  const start = integer(args[2]);
  const chosen = unit(args[4]);
  return { start, end: args.length > 3 ? integer(args[3]) : null, unit: chosen };
}

const bitcount = {
  ...onOneKey,
  name: 'bitcount',
  arity: -2,
  since: '2.6.0',
  flags: ['readonly'],
  categories: ['read', 'bitmap', 'slow'],
  summary: 'Counts the bits of a string, or of a part of it, that are 1.',
  translate: (args) => {
    const { range, refusal } = given(() => countRange(args));
    return operations.bitCount(at(args, 0), range, refusal);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const bitpos = {
  ...onOneKey,
  name: 'bitpos',
  arity: -3,
  since: '2.8.7',
  flags: ['readonly'],
  categories: ['read', 'bitmap', 'slow'],
  summary: 'Finds the first bit of a string, or of a part of it, that is 0 or 1.',
  translate: (args) => {
    const wanted = integer(args[1]);
    if (wanted !== 0 && wanted !== 1) throw new ClientError('ERR The bit argument must be 1 or 0.');
    const { range, refusal } = given(() => searchRange(args));
    return operations.bitPosition(at(args, 0), wanted, range, refusal);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const operators: ReadonlyMap<string, BitOperator> = new Map([
  ['AND', BitOperator.and],
  ['OR', BitOperator.or],
  ['XOR', BitOperator.xor],
  ['NOT', BitOperator.not],
]);

const bitop = {
  ...onOneKey,
  name: 'bitop',
  arity: -4,
  since: '2.6.0',
  keys: { first: 2, last: -1, step: 1 },
  flags: ['write', 'denyoom'],
  categories: ['write', 'bitmap', 'slow'],
  summary:
    'Stores the conjunction, disjunction or difference of several strings, or one string turned around, bit by bit.',
  note: 'strings of more than 512 MiB in all are refused: combining them would hold up other clients',
  translate: (args) => {
    const operator = operators.get(word(args[0]));
    if (operator === undefined) throw new ClientError(SYNTAX_ERROR);
    if (operator === BitOperator.not && args.length !== 3) {
      throw new ClientError('ERR BITOP NOT must be called with a single source key.');
    }
    return operations.bitCombine(operator, at(args, 1), args.slice(2));
  },
  reply: asIs,
} as const satisfies KeyedCommand;

export const bitCommands: readonly Command[] = [setbit, getbit, bitcount, bitpos, bitop, bitfield, bitfieldRo];
