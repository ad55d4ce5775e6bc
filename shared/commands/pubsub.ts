/** Pub/sub. Facts as a redis-server 7.0.15 tells them; handlers are in proxy/commands/pubsub.ts. */
import { listeners, Topic, topics } from '../operations/pubsub.js';
import { at } from './arguments.js';
import type { Command, WholeCommand } from './command.js';

const base = { group: 'pubsub', support: 'yes', run: 'session', keys: null } as const;
const subscribing = {
  ...base,
  flags: ['pubsub', 'noscript', 'loading', 'stale'],
  categories: ['pubsub', 'slow'],
} as const;
const publishing = {
  ...base,
  flags: ['pubsub', 'loading', 'stale', 'fast', 'may_replicate'],
  categories: ['pubsub', 'fast'],
} as const;
const asking = {
  group: 'pubsub',
  support: 'yes',
  run: 'whole',
  keys: null,
  flags: ['pubsub', 'loading', 'stale'],
  categories: ['pubsub', 'slow'],
} as const;

/** What concerns keys is registered at every partition, anything else at one. */
const active = (topic: Topic): Pick<WholeCommand, 'translate' | 'merge'> => ({
  translate: (args) => topics(topic, args.length === 0 ? null : at(args, 0)),
  merge: (results) => {
    const names = (results as readonly (readonly Buffer[])[]).flat().map((name) => name.toString('latin1'));
    return [...new Set(names)].map((name) => Buffer.from(name, 'latin1'));
  },
});

const counted = (topic: Topic): Pick<WholeCommand, 'translate' | 'merge'> => ({
  translate: (args) => listeners(topic, args),
  merge: (results, args) =>
    args.flatMap((channel, index) => {
      const counts = (results as readonly (readonly number[])[]).map((of) => of[index] ?? 0);
      return [channel, Math.max(0, ...counts)];
    }),
});

const subcommands: readonly Command[] = [
  {
    ...asking,
    ...active(Topic.channel),
    name: 'pubsub|channels',
    arity: -2,
    since: '2.8.0',
    summary: 'Names the channels that have subscribers.',
  },
  {
    ...base,
    flags: ['loading', 'stale'],
    categories: ['slow'],
    name: 'pubsub|help',
    arity: 2,
    since: '6.2.0',
    summary: 'Lists the subcommands of PUBSUB.',
  },
  {
    ...asking,
    translate: () => topics(Topic.pattern, null),
    merge: (results) => Math.max(0, ...(results as readonly (readonly Buffer[])[]).map((names) => names.length)),
    name: 'pubsub|numpat',
    arity: 2,
    since: '2.8.0',
    summary: 'Counts the patterns that clients are subscribed to.',
  },
  {
    ...asking,
    ...counted(Topic.channel),
    name: 'pubsub|numsub',
    arity: -2,
    since: '2.8.0',
    summary: 'Counts the subscribers of channels.',
  },
  {
    ...asking,
    ...active(Topic.shardChannel),
    name: 'pubsub|shardchannels',
    arity: -2,
    since: '7.0.0',
    summary: 'Names the shard channels that have subscribers.',
  },
  {
    ...asking,
    ...counted(Topic.shardChannel),
    name: 'pubsub|shardnumsub',
    arity: -2,
    since: '7.0.0',
    summary: 'Counts the subscribers of shard channels.',
  },
];

const DELIVERY =
  'delivered at most once, to the clients of all proxies; what is published while a partition changes its primary may be lost';

export const pubsubCommands: readonly Command[] = [
  {
    ...subscribing,
    name: 'psubscribe',
    arity: -2,
    since: '2.0.0',
    summary: 'Listens to all channels whose names match patterns.',
  },
  {
    ...publishing,
    name: 'publish',
    arity: 3,
    since: '2.0.0',
    summary: 'Sends a message to the subscribers of a channel.',
    note: DELIVERY,
  },
  {
    ...base,
    flags: [],
    categories: ['slow'],
    name: 'pubsub',
    arity: -2,
    since: '2.8.0',
    run: 'container',
    summary: 'Tells who listens to what.',
    subcommands,
  },
  {
    ...subscribing,
    name: 'punsubscribe',
    arity: -1,
    since: '2.0.0',
    summary: 'Listens to patterns no more.',
  },
  {
    ...publishing,
    keys: { first: 1, last: 1, step: 1 },
    name: 'spublish',
    arity: 3,
    since: '7.0.0',
    summary: 'Sends a message to the subscribers of a shard channel.',
    note: DELIVERY,
  },
  {
    ...subscribing,
    keys: { first: 1, last: -1, step: 1 },
    name: 'ssubscribe',
    arity: -2,
    since: '7.0.0',
    summary: 'Listens to shard channels.',
  },
  {
    ...subscribing,
    name: 'subscribe',
    arity: -2,
    since: '2.0.0',
    summary: 'Listens to channels.',
  },
  {
    ...subscribing,
    keys: { first: 1, last: -1, step: 1 },
    name: 'sunsubscribe',
    arity: -1,
    since: '7.0.0',
    summary: 'Listens to shard channels no more.',
  },
  {
    ...subscribing,
    name: 'unsubscribe',
    arity: -1,
    since: '2.0.0',
    summary: 'Listens to channels no more.',
  },
];
