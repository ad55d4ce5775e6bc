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

export const aclSubcommands: readonly Command[] = [
  {
    name: 'acl|whoami', arity: 2, since: '6.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale'], categories: ['slow'],
    summary: 'Names the user of this connection.',
  },
  {
    name: 'acl|help', arity: 2, since: '6.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow'],
    summary: 'Lists the subcommands of ACL.',
  },
];

export const commandSubcommands: readonly Command[] = [
  {
    name: 'command|count', arity: 2, since: '2.8.13', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Counts the commands.',
  },
  {
    name: 'command|docs', arity: -2, since: '7.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Describes commands for people.',
  },
  {
    name: 'command|getkeys', arity: -4, since: '2.8.13', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Finds the keys in a command line.',
  },
  {
    name: 'command|getkeysandflags', arity: -4, since: '7.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Finds the keys in a command line and what is done to them.',
  },
  {
    name: 'command|help', arity: 2, since: '5.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Lists the subcommands of COMMAND.',
  },
  {
    name: 'command|info', arity: -2, since: '2.8.13', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Describes commands for programs.',
  },
  {
    name: 'command|list', arity: -2, since: '7.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Lists command names, filtered if wanted.',
  },
];

export const configSubcommands: readonly Command[] = [
  {
    name: 'config|get', arity: -3, since: '2.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Returns parameters by name or glob.',
  },
  {
    name: 'config|help', arity: 2, since: '5.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow'],
    summary: 'Lists the subcommands of CONFIG.',
  },
  {
    name: 'config|resetstat', arity: 2, since: '2.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Sets the counters of INFO back.',
  },
  {
    name: 'config|rewrite', arity: 2, since: '2.8.0', group: 'server', support: 'no', run: 'refused', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Would write the parameters to a file.',
    note: 'configuration lives in the cluster, not in a file of the proxy',
    error: 'ERR The server is running without a config file',
  },
  {
    name: 'config|set', arity: -4, since: '2.0.0', group: 'server', support: 'partly', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Changes parameters, all or none.',
    note: 'every parameter of Redis 7.0 is accepted and echoed by the proxy that is asked; those that mean something here act, until it restarts',
  },
];

export const functionSubcommands: readonly Command[] = [
  {
    name: 'function|flush', arity: -2, since: '7.0.0', group: 'scripting', support: 'partly', run: 'session', keys: null,
    flags: ['write', 'noscript'], categories: ['write', 'slow', 'scripting'],
    summary: 'Removes all function libraries.',
    note: 'there are none yet, so there is nothing to remove',
  },
];

export const latencySubcommands: readonly Command[] = [
  {
    name: 'latency|doctor', arity: 2, since: '2.8.13', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Says in words what was slow.',
  },
  {
    name: 'latency|graph', arity: 3, since: '2.8.13', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Draws the samples of an event.',
  },
  {
    name: 'latency|help', arity: 2, since: '2.8.13', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow'],
    summary: 'Lists the subcommands of LATENCY.',
  },
  {
    name: 'latency|histogram', arity: -2, since: '7.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Distribution of execution times by command.',
  },
  {
    name: 'latency|history', arity: 3, since: '2.8.13', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Returns the samples of an event.',
  },
  {
    name: 'latency|latest', arity: 2, since: '2.8.13', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Returns the last and the worst sample of each event.',
  },
  {
    name: 'latency|reset', arity: -2, since: '2.8.13', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Forgets samples.',
  },
];

export const memorySubcommands: readonly Command[] = [
  {
    name: 'memory|doctor', arity: 2, since: '4.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: [], categories: ['slow'],
    summary: 'Says what could be wrong with memory.',
  },
  {
    name: 'memory|help', arity: 2, since: '4.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow'],
    summary: 'Lists the subcommands of MEMORY.',
  },
  {
    name: 'memory|malloc-stats', arity: 2, since: '4.0.0', group: 'server', support: 'partly', run: 'session', keys: null,
    flags: [], categories: ['slow'],
    summary: 'Would report on the allocator.',
    note: 'reports the heap of the proxy process',
  },
  {
    name: 'memory|purge', arity: 2, since: '4.0.0', group: 'server', support: 'partly', run: 'session', keys: null,
    flags: [], categories: ['slow'],
    summary: 'Asks the allocator to give memory back.',
    note: 'accepted; there is nothing to give back by hand',
  },
  {
    name: 'memory|stats', arity: 2, since: '4.0.0', group: 'server', support: 'partly', run: 'session', keys: null,
    flags: [], categories: ['slow'],
    summary: 'Reports where memory goes.',
    note: 'of the proxy process; what does not exist here is 0',
  },
  {
    name: 'memory|usage', arity: -3, since: '4.0.0', group: 'server', support: 'yes', run: 'keyed', keys: { first: 2, last: 2, step: 1 },
    flags: ['readonly'], categories: ['read', 'slow'],
    summary: 'Estimates the bytes that a key takes.',
    translate: memoryUsage,
    reply: (result) => factsOf(result)?.memoryBytes ?? null,
  },
];

export const slowlogSubcommands: readonly Command[] = [
  {
    name: 'slowlog|get', arity: -2, since: '2.2.12', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Returns the newest entries.',
  },
  {
    name: 'slowlog|help', arity: 2, since: '6.2.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow'],
    summary: 'Lists the subcommands of SLOWLOG.',
  },
  {
    name: 'slowlog|len', arity: 2, since: '2.2.12', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Counts the entries.',
  },
  {
    name: 'slowlog|reset', arity: 2, since: '2.2.12', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Forgets the entries.',
  },
];
