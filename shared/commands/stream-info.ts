/** XINFO: what there is to know about a stream, its groups and their consumers. */
import { parseInteger } from '../integers.js';
import type { Operation, OperationResult } from '../operations/operation.js';
import * as operations from '../operations/streams.js';
import { at, NOT_AN_INTEGER, word } from './arguments.js';
import type { ConstantCommand, ContainerCommand, KeyedCommand } from './command.js';
import { MapReply, type Reply, SimpleString } from './reply.js';

const tells = {
  group: 'stream',
  support: 'yes',
  run: 'keyed',
  since: '5.0.0',
  keys: { first: 2, last: 2, step: 1 },
  flags: ['readonly'],
  categories: ['read', 'stream', 'slow'],
} as const;

type Parts = readonly OperationResult[];

/** Names and values, two and two. */
function named(names: readonly string[], values: readonly Reply[]): MapReply {
  return new MapReply(names.flatMap((name, i) => [name, values[i] ?? null]));
}

const STREAM_NAMES = [
  'length',
  'radix-tree-keys',
  'radix-tree-nodes',
  'last-generated-id',
  'max-deleted-entry-id',
  'entries-added',
  'recorded-first-entry-id',
];
const FULL_GROUP_NAMES = ['name', 'last-delivered-id', 'entries-read', 'lag', 'pel-count', 'pending', 'consumers'];
const FULL_CONSUMER_NAMES = ['name', 'seen-time', 'pel-count', 'pending'];

const DEFAULT_COUNT = 10;
const MALFORMED = "ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.";

interface InfoOptions {
  /** How many of each list FULL wants, 0 for all; null without FULL. */
  readonly count: number | null;
  /** What is wrong with them; Redis says so once it has found the key. */
  readonly refusal: string | null;
}

function infoOptions(args: readonly Buffer[]): InfoOptions {
  if (args.length === 1) return { count: null, refusal: null };
  const isFull = word(args[1]) === 'FULL' && (args.length === 2 || (args.length === 4 && word(args[2]) === 'COUNT'));
  if (!isFull) return { count: null, refusal: MALFORMED };
  const count = args.length === 4 ? parseInteger(at(args, 3)) : DEFAULT_COUNT;
  if (count === null) return { count: null, refusal: NOT_AN_INTEGER };
  return { count: count < 0 ? DEFAULT_COUNT : Number(count), refusal: null };
}

const stream = {
  ...tells,
  name: 'xinfo|stream',
  arity: -3,
  summary: 'Tells about a stream; with FULL about its entries and groups, too.',
  note: 'of streams with more than 256 nodes, radix-tree-nodes is an estimate',
  translate: (args): Operation => {
    const { count, refusal } = infoOptions(args);
    const key = at(args, 0);
    return count === null ? operations.streamInfo(key, refusal) : operations.streamFullInfo(key, count);
  },
  reply: (result, args) => {
    const values = result as Parts;
    if (args.length === 1) return named([...STREAM_NAMES, 'groups', 'first-entry', 'last-entry'], values);
    const groups = (values.at(-1) as readonly Parts[]).map(fullGroup);
    return named([...STREAM_NAMES, 'entries', 'groups'], [...values.slice(0, -1), groups]);
  },
} as const satisfies KeyedCommand;

function fullGroup(group: Parts): Reply {
  const consumers = (group.at(-1) as readonly Parts[]).map((consumer) => named(FULL_CONSUMER_NAMES, consumer));
  return named(FULL_GROUP_NAMES, [...group.slice(0, -1), consumers]);
}

const groups = {
  ...tells,
  name: 'xinfo|groups',
  arity: 3,
  summary: 'Tells about the consumer groups of a stream.',
  translate: (args) => operations.groupsInfo(at(args, 0)),
  reply: (result) =>
    (result as readonly Parts[]).map((group) =>
      named(['name', 'consumers', 'pending', 'last-delivered-id', 'entries-read', 'lag'], group),
    ),
} as const satisfies KeyedCommand;

const consumers = {
  ...tells,
  name: 'xinfo|consumers',
  arity: 4,
  tips: ['nondeterministic_output'],
  summary: 'Tells about the consumers of a group.',
  translate: (args) => operations.consumersInfo(at(args, 0), at(args, 1)),
  reply: (result) => (result as readonly Parts[]).map((consumer) => named(['name', 'pending', 'idle'], consumer)),
} as const satisfies KeyedCommand;

const helpLines = [
  'XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'CONSUMERS <key> <groupname>',
  '    About the consumers of a group.',
  'GROUPS <key>',
  '    About the groups of a stream.',
  'STREAM <key> [FULL [COUNT <count>]]',
  '    About a stream.',
  'HELP',
  '    This text.',
];

const help = {
  name: 'xinfo|help',
  arity: 2,
  since: '5.0.0',
  group: 'stream',
  support: 'yes',
  run: 'constant',
  keys: null,
  flags: ['loading', 'stale'],
  categories: ['stream', 'slow'],
  summary: 'Lists the subcommands of XINFO.',
  answer: () => helpLines.map((line) => new SimpleString(line)),
} as const satisfies ConstantCommand;

export const xinfo = {
  name: 'xinfo',
  arity: -2,
  since: '5.0.0',
  group: 'stream',
  support: 'yes',
  run: 'container',
  keys: null,
  flags: [],
  categories: ['slow'],
  summary: 'Tells about a stream, its consumer groups and their consumers.',
  subcommands: [stream, groups, consumers, help],
} as const satisfies ContainerCommand;
