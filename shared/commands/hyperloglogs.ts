/** HyperLogLogs. Elements are hashed here; what they do to a sketch is in server/rows/hyperloglogs.ts. */
import { ClientError } from '../errors.js';
import { packObservations } from '../hyperloglog/observation.js';
import { selfTest } from '../hyperloglog/self-test.js';
import { limits } from '../limits.js';
import * as operations from '../operations/hyperloglogs.js';
import { SketchFact } from '../operations/hyperloglogs.js';
import type { OperationResult } from '../operations/operation.js';
import { at, word } from './arguments.js';
import type { Command, ConstantCommand, KeyedCommand, TranslateContext } from './command.js';
import { ErrorReply, OK, type Reply, SimpleString } from './reply.js';

/** Redis's default for hll-sparse-max-bytes. */
const SPARSE_BYTES = 3_000;

const onOneKey = { group: 'hyperloglog', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;
const onKeys = { ...onOneKey, keys: { first: 1, last: -1, step: 1 } } as const;
const zeroOrOne = (result: OperationResult): Reply => (result === true ? 1 : 0);

function sparseBytes(context: TranslateContext): number {
  return Math.min(context.sketchSparseBytes ?? SPARSE_BYTES, limits.sketchSparseBytes);
}

const pfadd = {
  ...onOneKey,
  name: 'pfadd',
  arity: -2,
  since: '2.8.9',
  flags: ['write', 'denyoom', 'fast'],
  categories: ['write', 'hyperloglog', 'fast'],
  summary: 'Adds elements to a HyperLogLog.',
  note: 'elements of more than 64 MiB in all are refused: hashing them would hold up other clients',
  translate: (args, context) => {
    const elements = args.slice(1);
    if (elements.reduce((sum, element) => sum + element.length, 0) > limits.hashedBytes) {
      throw new ClientError(`ERR elements of more than ${limits.hashedBytes} bytes in all`);
    }
    return operations.sketchAdd(at(args, 0), packObservations(elements), sparseBytes(context));
  },
  reply: zeroOrOne,
} as const satisfies KeyedCommand;

const pfcount = {
  ...onKeys,
  name: 'pfcount',
  arity: -2,
  since: '2.8.9',
  flags: ['readonly', 'may_replicate'],
  categories: ['read', 'hyperloglog', 'slow'],
  summary: 'Estimates how many different elements were added to one or several HyperLogLogs.',
  translate: (args) => (args.length === 1 ? operations.sketchCount(at(args, 0)) : operations.sketchUnionCount(args)),
  reply: (result) => result,
} as const satisfies KeyedCommand;

const pfmerge = {
  ...onKeys,
  name: 'pfmerge',
  arity: -2,
  since: '2.8.9',
  flags: ['write', 'denyoom'],
  categories: ['write', 'hyperloglog', 'slow'],
  summary: 'Merges several HyperLogLogs into one.',
  translate: (args, context) => operations.sketchMerge(at(args, 0), args.slice(1), sparseBytes(context)),
  reply: () => OK,
} as const satisfies KeyedCommand;

const facts: ReadonlyMap<string, SketchFact> = new Map([
  ['GETREG', SketchFact.registers],
  ['DECODE', SketchFact.runs],
  ['ENCODING', SketchFact.encoding],
  ['TODENSE', SketchFact.becomeDense],
]);

const pfdebug = {
  ...onOneKey,
  name: 'pfdebug',
  arity: 3,
  since: '2.8.9',
  keys: { first: 2, last: 2, step: 1 },
  flags: ['write', 'denyoom', 'admin'],
  categories: ['write', 'hyperloglog', 'admin', 'slow', 'dangerous'],
  summary: 'Shows what a HyperLogLog is made of.',
  translate: (args) => {
    const fact = facts.get(word(args[0]));
    const refusal = fact === undefined ? `ERR Unknown PFDEBUG subcommand '${at(args, 0).toString()}'` : null;
    return operations.sketchInspect(at(args, 1), fact ?? SketchFact.encoding, refusal);
  },
  reply: (result, args) => {
    const fact = facts.get(word(args[0]));
    if (fact === SketchFact.encoding) return new SimpleString(String(result));
    return fact === SketchFact.becomeDense ? zeroOrOne(result) : result;
  },
} as const satisfies KeyedCommand;

const pfselftest = {
  name: 'pfselftest',
  arity: 1,
  since: '2.8.9',
  group: 'hyperloglog',
  support: 'yes',
  run: 'constant',
  keys: null,
  flags: ['admin'],
  categories: ['hyperloglog', 'admin', 'slow', 'dangerous'],
  summary: 'Tests the HyperLogLogs of the proxy that is asked.',
  note: 'with fewer elements than Redis, so that other clients do not wait',
  answer: () => {
    const failure = selfTest();
    return failure === null ? OK : new ErrorReply(`ERR ${failure}`);
  },
} as const satisfies ConstantCommand;

export const hyperloglogCommands: readonly Command[] = [pfadd, pfcount, pfmerge, pfdebug, pfselftest];
