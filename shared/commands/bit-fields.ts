/** BITFIELD and BITFIELD_RO: how their subcommands are read. */
import { ClientError } from '../errors.js';
import { limits } from '../limits.js';
import { BitFieldAction, type BitFieldStep, bitField, Overflow } from '../operations/bits.js';
import type { Operation } from '../operations/operation.js';
import { parseInteger } from '../integers.js';
import { at, integer, SYNTAX_ERROR, word } from './arguments.js';
import type { KeyedCommand } from './command.js';

const BAD_TYPE = 'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.';
export const BAD_OFFSET = 'ERR bit offset is not an integer or out of range';

const SIGNED = 'i'.charCodeAt(0);
const UNSIGNED = 'u'.charCodeAt(0);
const TIMES_WIDTH = '#'.charCodeAt(0);

/** By name; how many arguments follow. */
const actions: ReadonlyMap<string, { readonly action: BitFieldAction; readonly follow: number }> = new Map([
  ['GET', { action: BitFieldAction.get, follow: 2 }],
  ['SET', { action: BitFieldAction.set, follow: 3 }],
  ['INCRBY', { action: BitFieldAction.increment, follow: 3 }],
]);

const overflows: ReadonlyMap<string, Overflow> = new Map([
  ['WRAP', Overflow.wrap],
  ['SAT', Overflow.saturate],
  ['FAIL', Overflow.fail],
]);

function steps(args: readonly Buffer[]): BitFieldStep[] {
  const found: BitFieldStep[] = [];
  let overflow: Overflow = Overflow.wrap;
  for (let i = 1; i < args.length; ) {
    const name = word(args[i]);
    if (name === 'OVERFLOW' && i + 1 < args.length) {
      const kind = overflows.get(word(args[i + 1]));
      if (kind === undefined) throw new ClientError('ERR Invalid OVERFLOW type specified');
      overflow = kind;
      i += 2;
      continue;
    }
    const subcommand = actions.get(name);
    if (subcommand === undefined || i + subcommand.follow >= args.length) throw new ClientError(SYNTAX_ERROR);
    const { action, follow } = subcommand;
    const { signed, width } = fieldType(at(args, i + 1));
    const offset = fieldOffset(at(args, i + 2), width);
    const value = action === BitFieldAction.get ? 0 : integer(args[i + 3]);
    found.push({ action, signed, width, offset, value, overflow });
    i += 1 + follow;
  }
  return found;
}

function fieldType(argument: Buffer): { signed: boolean; width: number } {
  const signed = argument[0] === SIGNED;
  const width = signed || argument[0] === UNSIGNED ? parseInteger(argument.subarray(1)) : null;
  if (width === null || width < 1 || width > (signed ? 64 : 63)) throw new ClientError(BAD_TYPE);
  return { signed, width: Number(width) };
}

/** `#n` is the n-th field of that width. */
function fieldOffset(argument: Buffer, width: number): number {
  const counted = argument[0] === TIMES_WIDTH;
  const given = parseInteger(counted ? argument.subarray(1) : argument);
  // The product wraps around in 64 bits, as in Redis.
  const offset = given === null ? -1 : counted ? Number(BigInt.asIntN(64, BigInt(given) * BigInt(width))) : given;
  if (offset < 0 || offset >= limits.stringBytes * 8) throw new ClientError(BAD_OFFSET);
  return Number(offset);
}

const onFields = {
  arity: -2,
  group: 'bitmap',
  support: 'yes',
  run: 'keyed',
  keys: { first: 1, last: 1, step: 1 },
  reply: (result) => result,
} as const satisfies Partial<KeyedCommand>;

export const bitfield = {
  ...onFields,
  name: 'bitfield',
  since: '3.2.0',
  flags: ['write', 'denyoom'],
  categories: ['write', 'bitmap', 'slow'],
  summary: 'Reads, sets and increments integers of any width within a string.',
  translate: (args): Operation => bitField(at(args, 0), steps(args)),
} as const satisfies KeyedCommand;

export const bitfieldRo = {
  ...onFields,
  name: 'bitfield_ro',
  since: '6.0.0',
  flags: ['readonly', 'fast'],
  categories: ['read', 'bitmap', 'fast'],
  summary: 'Reads integers of any width within a string.',
  translate: (args): Operation => {
    const gets = steps(args);
    if (gets.some(({ action }) => action !== BitFieldAction.get)) {
      throw new ClientError('ERR BITFIELD_RO only supports the GET subcommand');
    }
    return bitField(at(args, 0), gets);
  },
} as const satisfies KeyedCommand;
