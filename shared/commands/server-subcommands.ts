/** Subcommands of the containers in server.ts. */
import { ClientError } from '../errors.js';
import { facts } from '../operations/codes.js';
import type { Operation } from '../operations/operation.js';
import { at, integer, SYNTAX_ERROR, word } from './arguments.js';
import type { Command } from './command.js';
import { factsOf } from './object.js';

/** SAMPLES is read and not needed: a row knows its size. */
function memoryUsage(args: readonly Buffer[]): Operation {
  for (let index = 1; index < args.length; index += 2) {
    if (word(args[index]) !== 'SAMPLES' || index + 1 >= args.length) throw new ClientError(SYNTAX_ERROR);
    if (Number(integer(args[index + 1])) < 0) throw new ClientError(SYNTAX_ERROR);
  }
  return facts(at(args, 0));
}

const base = { group: 'server', support: 'yes', run: 'session', keys: null } as const;
const aboutCommands = { ...base, flags: ['loading', 'stale'], categories: ['slow', 'connection'] } as const;
const always = { ...base, flags: ['loading', 'stale'], categories: ['slow'] } as const;
const administrative = {
  ...base,
  flags: ['admin', 'noscript', 'loading', 'stale'],
  categories: ['admin', 'slow', 'dangerous'],
} as const;
const plain = { ...base, flags: [], categories: ['slow'] } as const;
const loggable = { ...base, flags: ['admin', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'] } as const;

export const commandSubcommands: readonly Command[] = [
  {
    ...aboutCommands,
    name: 'command|count',
    arity: 2,
    since: '2.8.13',
    summary: 'Counts the commands.',
  },
  {
    ...aboutCommands,
    name: 'command|docs',
    arity: -2,
    since: '7.0.0',
    tips: ['nondeterministic_output_order'],
    summary: 'Describes commands for people.',
  },
  {
    ...aboutCommands,
    name: 'command|getkeys',
    arity: -4,
    since: '2.8.13',
    summary: 'Finds the keys in a command line.',
  },
  {
    ...aboutCommands,
    name: 'command|getkeysandflags',
    arity: -4,
    since: '7.0.0',
    summary: 'Finds the keys in a command line and what is done to them.',
  },
  {
    ...aboutCommands,
    name: 'command|help',
    arity: 2,
    since: '5.0.0',
    summary: 'Lists the subcommands of COMMAND.',
  },
  {
    ...aboutCommands,
    name: 'command|info',
    arity: -2,
    since: '2.8.13',
    tips: ['nondeterministic_output_order'],
    summary: 'Describes commands for programs.',
  },
  {
    ...aboutCommands,
    name: 'command|list',
    arity: -2,
    since: '7.0.0',
    tips: ['nondeterministic_output_order'],
    summary: 'Lists command names, filtered if wanted.',
  },
];

export const configSubcommands: readonly Command[] = [
  {
    ...administrative,
    name: 'config|get',
    arity: -3,
    since: '2.0.0',
    summary: 'Returns parameters by name or glob.',
  },
  {
    ...always,
    name: 'config|help',
    arity: 2,
    since: '5.0.0',
    summary: 'Lists the subcommands of CONFIG.',
  },
  {
    ...administrative,
    name: 'config|resetstat',
    arity: 2,
    since: '2.0.0',
    summary: 'Sets the counters of INFO back.',
  },
  {
    ...administrative,
    name: 'config|rewrite',
    arity: 2,
    since: '2.8.0',
    run: 'refused',
    support: 'no',
    summary: 'Would write the parameters to a file.',
    note: 'configuration lives in the cluster, not in a file of the proxy',
    error: 'ERR The server is running without a config file',
  },
  {
    ...administrative,
    name: 'config|set',
    arity: -4,
    since: '2.0.0',
    tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
    support: 'partly',
    summary: 'Changes parameters, all or none.',
    note: 'every parameter of Redis 7.0 is accepted and echoed by the proxy that is asked; those that mean something here act, until it restarts; notify-keyspace-events belongs to the table and stays (of its classes, m tells of misses by commands that only read)',
  },
];

export const latencySubcommands: readonly Command[] = [
  {
    ...administrative,
    name: 'latency|doctor',
    arity: 2,
    since: '2.8.13',
    tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
    summary: 'Says in words what was slow.',
  },
  {
    ...administrative,
    name: 'latency|graph',
    arity: 3,
    since: '2.8.13',
    tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
    summary: 'Draws the samples of an event.',
  },
  {
    ...always,
    name: 'latency|help',
    arity: 2,
    since: '2.8.13',
    summary: 'Lists the subcommands of LATENCY.',
  },
  {
    ...administrative,
    name: 'latency|histogram',
    arity: -2,
    since: '7.0.0',
    tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
    summary: 'Distribution of execution times by command.',
  },
  {
    ...administrative,
    name: 'latency|history',
    arity: 3,
    since: '2.8.13',
    tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
    summary: 'Returns the samples of an event.',
  },
  {
    ...administrative,
    name: 'latency|latest',
    arity: 2,
    since: '2.8.13',
    tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special'],
    summary: 'Returns the last and the worst sample of each event.',
  },
  {
    ...administrative,
    name: 'latency|reset',
    arity: -2,
    since: '2.8.13',
    tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
    summary: 'Forgets samples.',
  },
];

export const memorySubcommands: readonly Command[] = [
  {
    ...plain,
    name: 'memory|doctor',
    arity: 2,
    since: '4.0.0',
    tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    summary: 'Says what could be wrong with memory.',
  },
  {
    ...always,
    name: 'memory|help',
    arity: 2,
    since: '4.0.0',
    summary: 'Lists the subcommands of MEMORY.',
  },
  {
    ...plain,
    name: 'memory|malloc-stats',
    arity: 2,
    since: '4.0.0',
    tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    support: 'partly',
    summary: 'Would report on the allocator.',
    note: 'reports the heap of the proxy process',
  },
  {
    ...plain,
    name: 'memory|purge',
    arity: 2,
    since: '4.0.0',
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    support: 'partly',
    summary: 'Asks the allocator to give memory back.',
    note: 'accepted; there is nothing to give back by hand',
  },
  {
    ...plain,
    name: 'memory|stats',
    arity: 2,
    since: '4.0.0',
    tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    support: 'partly',
    summary: 'Reports where memory goes.',
    note: 'of the proxy process; what does not exist here is 0',
  },
  {
    ...base,
    flags: ['readonly'],
    categories: ['read', 'slow'],
    name: 'memory|usage',
    arity: -3,
    since: '4.0.0',
    run: 'keyed',
    keys: { first: 2, last: 2, step: 1 },
    summary: 'Estimates the bytes that a key takes.',
    translate: memoryUsage,
    reply: (result) => factsOf(result)?.memoryBytes ?? null,
  },
];

const loadsModules = {
  ...base,
  run: 'refused',
  support: 'no',
  flags: ['admin', 'noscript', 'no_async_loading'],
  categories: ['admin', 'slow', 'dangerous'],
  note: 'modules are native code for the inside of a Redis process',
  error: 'ERR modules are not supported: they are native code for the inside of a Redis process',
} as const;

export const moduleSubcommands: readonly Command[] = [
  {
    ...always,
    name: 'module|help',
    arity: 2,
    since: '5.0.0',
    summary: 'Lists the subcommands of MODULE.',
  },
  {
    ...base,
    flags: ['admin', 'noscript'],
    categories: ['admin', 'slow', 'dangerous'],
    run: 'constant',
    name: 'module|list',
    arity: 2,
    since: '4.0.0',
    tips: ['nondeterministic_output_order'],
    summary: 'Lists the modules: none.',
    answer: () => [],
  },
  { ...loadsModules, name: 'module|load', arity: -3, since: '4.0.0', summary: 'Would load a module.' },
  {
    ...loadsModules,
    name: 'module|loadex',
    arity: -3,
    since: '7.0.0',
    summary: 'Would load a module with parameters.',
  },
  { ...loadsModules, name: 'module|unload', arity: 3, since: '4.0.0', summary: 'Would unload a module.' },
];

export const slowlogSubcommands: readonly Command[] = [
  {
    ...loggable,
    name: 'slowlog|get',
    arity: -2,
    since: '2.2.12',
    tips: ['nondeterministic_output', 'request_policy:all_nodes'],
    summary: 'Returns the newest entries.',
  },
  {
    ...always,
    name: 'slowlog|help',
    arity: 2,
    since: '6.2.0',
    summary: 'Lists the subcommands of SLOWLOG.',
  },
  {
    ...loggable,
    name: 'slowlog|len',
    arity: 2,
    since: '2.2.12',
    tips: ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:agg_sum'],
    summary: 'Counts the entries.',
  },
  {
    ...loggable,
    name: 'slowlog|reset',
    arity: 2,
    since: '2.2.12',
    tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
    summary: 'Forgets the entries.',
  },
];
