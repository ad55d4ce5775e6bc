/** Single bits of strings. What they do is in server/rows/bits.ts. */
import * as operations from '../operations/codes.js';
import type { OperationResult } from '../operations/operation.js';
import { limits } from '../limits.js';
import { at, integerWithin } from './arguments.js';
import type { Command, KeyedCommand } from './command.js';
import type { Reply } from './reply.js';

const onOneKey = { group: 'bitmap', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;
const asIs = (result: OperationResult): Reply => result;

function offset(argument: Buffer | undefined): number {
  return integerWithin(argument, 0, limits.stringBytes * 8 - 1, 'ERR bit offset is not an integer or out of range');
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

export const bitCommands: readonly Command[] = [setbit, getbit];
