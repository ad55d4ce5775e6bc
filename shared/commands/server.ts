/**
 * Commands that concern the server. Facts as a redis-server 7.0.15 tells them; handlers are in
 * proxy/commands. Their containers' subcommands are in server-subcommands.ts.
 */
import type { Command } from './command.js';
import {
  aclSubcommands, commandSubcommands, configSubcommands, functionSubcommands, latencySubcommands, memorySubcommands, slowlogSubcommands,
} from './server-subcommands.js';

/** What a client that takes us for a cluster asks. */
const clusterCommands: readonly Command[] = [
  {
    name: 'asking', arity: 1, since: '3.0.0', group: 'cluster', support: 'no', run: 'refused', keys: null,
    flags: ['fast'], categories: ['fast', 'connection'],
    summary: 'Asks once more during a slot migration.',
    note: 'clients see a single Redis (cluster_enabled:0); the cluster protocol comes later',
    error: 'ERR This instance has cluster support disabled',
  },
  {
    name: 'readonly', arity: 1, since: '3.0.0', group: 'cluster', support: 'no', run: 'refused', keys: null,
    flags: ['loading', 'stale', 'fast'], categories: ['fast', 'connection'],
    summary: 'Allows reads from replicas.',
    note: 'clients see a single Redis (cluster_enabled:0); the cluster protocol comes later',
    error: 'ERR This instance has cluster support disabled',
  },
  {
    name: 'readwrite', arity: 1, since: '3.0.0', group: 'cluster', support: 'no', run: 'refused', keys: null,
    flags: ['loading', 'stale', 'fast'], categories: ['fast', 'connection'],
    summary: 'Ends READONLY.',
    note: 'clients see a single Redis (cluster_enabled:0); the cluster protocol comes later',
    error: 'ERR This instance has cluster support disabled',
  },
  {
    name: 'cluster', arity: -2, since: '3.0.0', group: 'cluster', support: 'no', run: 'refused', keys: null,
    flags: [], categories: ['slow'],
    summary: 'The cluster protocol.',
    note: 'clients see a single Redis (cluster_enabled:0); the cluster protocol comes later',
    error: 'ERR This instance has cluster support disabled',
  },
];

export const serverCommands: readonly Command[] = [
  {
    name: 'acl', arity: -2, since: '6.0.0', group: 'server', support: 'partly', run: 'container', keys: null,
    flags: [], categories: ['slow'],
    summary: 'Users and what they may do.',
    note: 'only WHOAMI and HELP yet',
    subcommands: aclSubcommands,
  },
  {
    name: 'bgrewriteaof', arity: 1, since: '1.0.0', group: 'server', support: 'partly', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'no_async_loading'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Would rewrite the append-only file.',
    note: 'answers as Redis does; data is always on disk',
  },
  {
    name: 'bgsave', arity: -1, since: '1.0.0', group: 'server', support: 'partly', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'no_async_loading'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Would save a snapshot in the background.',
    note: 'answers as Redis does; data is always on disk',
  },
  {
    name: 'command', arity: -1, since: '2.8.13', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow', 'connection'],
    summary: 'Describes the commands there are.',
    subcommands: commandSubcommands,
  },
  {
    name: 'config', arity: -2, since: '2.0.0', group: 'server', support: 'yes', run: 'container', keys: null,
    flags: [], categories: ['slow'],
    summary: 'Parameters of this proxy.',
    subcommands: configSubcommands,
  },
  {
    name: 'debug', arity: -2, since: '1.0.0', group: 'server', support: 'partly', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Tools for tests.',
    note: 'SLEEP, OBJECT, DIGEST, DIGEST-VALUE, POPULATE, PROTOCOL and what test suites switch; the rest is refused',
  },
  {
    name: 'failover', arity: -1, since: '6.2.0', group: 'server', support: 'no', run: 'refused', keys: null,
    flags: ['admin', 'noscript', 'stale'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Would hand over to a replica.',
    note: "replication is between the servers of a partition and follows the cluster's own configuration",
    error: 'ERR FAILOVER is not supported: the cluster fails over by itself',
  },
  {
    name: 'function', arity: -2, since: '7.0.0', group: 'scripting', support: 'partly', run: 'container', keys: null,
    flags: [], categories: ['slow'],
    summary: 'Function libraries.',
    note: 'only FUNCTION FLUSH yet',
    subcommands: functionSubcommands,
  },
  {
    name: 'info', arity: -1, since: '1.0.0', group: 'server', support: 'partly', run: 'session', keys: null,
    flags: ['loading', 'stale'], categories: ['slow', 'dangerous'],
    summary: 'Reports on the proxy and on the data, by section.',
    note: 'fields as Redis has them; what does not exist here is 0',
  },
  {
    name: 'lastsave', arity: 1, since: '1.0.0', group: 'server', support: 'partly', run: 'session', keys: null,
    flags: ['loading', 'stale', 'fast'], categories: ['admin', 'fast', 'dangerous'],
    summary: 'Tells when data was last written to disk.',
    note: 'data is always on disk: the answer is now',
  },
  {
    name: 'latency', arity: -2, since: '2.8.13', group: 'server', support: 'yes', run: 'container', keys: null,
    flags: [], categories: ['slow'],
    summary: 'What was slow.',
    subcommands: latencySubcommands,
  },
  {
    name: 'lolwut', arity: -1, since: '5.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['readonly', 'fast'], categories: ['read', 'fast'],
    summary: 'Tells the version.',
  },
  {
    name: 'memory', arity: -2, since: '4.0.0', group: 'server', support: 'yes', run: 'container', keys: null,
    flags: [], categories: ['slow'],
    summary: 'Where memory goes.',
    subcommands: memorySubcommands,
  },
  {
    name: 'psync', arity: -3, since: '2.8.0', group: 'server', support: 'no', run: 'refused', keys: null,
    flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Would attach to the replication stream.',
    note: "replication is between the servers of a partition and follows the cluster's own configuration",
    error: 'ERR PSYNC is not supported: there is no replication stream to attach to',
  },
  {
    name: 'replconf', arity: -1, since: '3.0.0', group: 'server', support: 'no', run: 'refused', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale', 'allow_busy'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Speaks to a replication master.',
    note: "replication is between the servers of a partition and follows the cluster's own configuration",
    error: 'ERR REPLCONF is not supported: there is no replication stream to attach to',
  },
  {
    name: 'replicaof', arity: 3, since: '5.0.0', group: 'server', support: 'partly', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'stale', 'no_async_loading'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Would make this a replica.',
    note: "REPLICAOF NO ONE answers OK; anything else is refused: replication is between the servers of a partition and follows the cluster's own configuration",
  },
  {
    name: 'role', arity: 1, since: '2.8.12', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['noscript', 'loading', 'stale', 'fast'], categories: ['admin', 'fast', 'dangerous'],
    summary: 'Tells the role of this server: master, with the replicas of the first partition.',
  },
  {
    name: 'save', arity: 1, since: '1.0.0', group: 'server', support: 'partly', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Would save a snapshot.',
    note: 'answers OK: data is always on disk',
  },
  {
    name: 'shutdown', arity: -1, since: '1.0.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'loading', 'stale', 'no_multi', 'allow_busy'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Stops the process of this proxy.',
  },
  {
    name: 'slaveof', arity: 3, since: '1.0.0', group: 'server', support: 'partly', run: 'session', keys: null,
    flags: ['admin', 'noscript', 'stale', 'no_async_loading'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Old name of REPLICAOF.',
    note: 'as REPLICAOF',
  },
  {
    name: 'slowlog', arity: -2, since: '2.2.12', group: 'server', support: 'yes', run: 'container', keys: null,
    flags: [], categories: ['slow'],
    summary: 'Commands that took long, from arrival to reply.',
    subcommands: slowlogSubcommands,
  },
  {
    name: 'sync', arity: 1, since: '1.0.0', group: 'server', support: 'no', run: 'refused', keys: null,
    flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'], categories: ['admin', 'slow', 'dangerous'],
    summary: 'Would attach to the replication stream.',
    note: "replication is between the servers of a partition and follows the cluster's own configuration",
    error: 'ERR SYNC is not supported: there is no replication stream to attach to',
  },
  {
    name: 'time', arity: 1, since: '2.6.0', group: 'server', support: 'yes', run: 'session', keys: null,
    flags: ['loading', 'stale', 'fast'], categories: ['fast'],
    summary: 'Tells the time.',
  },
  ...clusterCommands,
];
