/** OBJECT and the reading of the `facts` operation, which MEMORY USAGE and DEBUG OBJECT share. */
import { facts } from '../operations/codes.js';
import type { OperationResult } from '../operations/operation.js';
import { at } from './arguments.js';
import type { ConstantCommand, ContainerCommand, KeyedCommand } from './command.js';
import { ErrorReply, type Reply, SimpleString } from './reply.js';

export interface Facts {
  readonly encoding: string;
  readonly references: number;
  readonly idleSeconds: number;
  /** Redis's logarithmic counter. */
  readonly frequency: number;
  readonly memoryBytes: number;
  readonly serializedBytes: number;
  readonly accessedAtSeconds: number;
}

/** The result of `facts` by name; null when there is no such key. */
export function factsOf(result: OperationResult): Facts | null {
  if (result === null) return null;
  const [encoding, references, idleSeconds, frequency, memoryBytes, serializedBytes, accessedAtSeconds] =
    result as readonly [string, number, number, number, number, number, number];
  return { encoding, references, idleSeconds, frequency, memoryBytes, serializedBytes, accessedAtSeconds };
}

const SWITCHING =
  'Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.';
const NOT_LFU = `ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${SWITCHING}`;
const IS_LFU = `ERR An LFU maxmemory policy is selected, idle time not tracked. ${SWITCHING}`;

const onOneKey = {
  arity: 3,
  group: 'generic',
  support: 'yes',
  run: 'keyed',
  keys: { first: 2, last: 2, step: 1 },
  flags: ['readonly'],
  categories: ['keyspace', 'read', 'slow'],
  translate: (args: readonly Buffer[]) => facts(at(args, 0)),
} as const;

/** Nil for an absent key, whatever the policy. */
const answer = (result: OperationResult, tell: (found: Facts) => Reply): Reply => {
  const found = factsOf(result);
  return found === null ? null : tell(found);
};

const encoding = {
  ...onOneKey,
  name: 'object|encoding',
  since: '2.2.3',
  tips: ['nondeterministic_output'],
  summary: 'Names how Redis would keep the value of a key.',
  reply: (result) => answer(result, (found) => found.encoding),
} as const satisfies KeyedCommand;

const freq = {
  ...onOneKey,
  name: 'object|freq',
  since: '4.0.0',
  tips: ['nondeterministic_output'],
  summary: 'Tells how often a key is accessed, on a logarithmic scale.',
  reply: (result, _args, context) =>
    answer(result, (found) => (context.lfu === true ? found.frequency : new ErrorReply(NOT_LFU))),
} as const satisfies KeyedCommand;

const idletime = {
  ...onOneKey,
  name: 'object|idletime',
  since: '2.2.3',
  tips: ['nondeterministic_output'],
  summary: 'Tells for how many seconds a key has not been accessed.',
  reply: (result, _args, context) =>
    answer(result, (found) => (context.lfu === true ? new ErrorReply(IS_LFU) : found.idleSeconds)),
} as const satisfies KeyedCommand;

const refcount = {
  ...onOneKey,
  name: 'object|refcount',
  since: '2.2.3',
  tips: ['nondeterministic_output'],
  summary: 'Tells how many references Redis would hold to the value of a key.',
  reply: (result) => answer(result, (found) => found.references),
} as const satisfies KeyedCommand;

const helpLines = [
  'OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'ENCODING <key>',
  '    How Redis would keep the value: int, embstr, raw, listpack and so on.',
  'FREQ <key>',
  '    How often the key is accessed, on a logarithmic scale (with an LFU policy only).',
  'IDLETIME <key>',
  '    Seconds since the last access to the key.',
  'REFCOUNT <key>',
  '    How many references Redis would hold to the value.',
  'HELP',
  '    This text.',
];

const help = {
  name: 'object|help',
  arity: 2,
  since: '6.2.0',
  group: 'generic',
  support: 'yes',
  run: 'constant',
  keys: null,
  flags: ['loading', 'stale'],
  categories: ['keyspace', 'slow'],
  summary: 'Lists the subcommands of OBJECT.',
  answer: () => helpLines.map((line) => new SimpleString(line)),
} as const satisfies ConstantCommand;

export const object = {
  name: 'object',
  arity: -2,
  since: '2.2.3',
  group: 'generic',
  support: 'yes',
  run: 'container',
  keys: null,
  flags: [],
  categories: ['slow'],
  summary: 'Tells how the value of a key is kept and used.',
  subcommands: [encoding, freq, idletime, refcount, help],
} as const satisfies ContainerCommand;
