/**
 * The cluster protocol, as of Redis 7: for proxies that are told to speak it (--cluster-enabled). Every proxy reaches every
 * slot, so that a client that goes to the wrong one is served as well; nothing is ever moved or asked for elsewhere.
 */
import type { Command, CommandFlag } from './command.js';

const base = { group: 'cluster', keys: null, run: 'session', support: 'yes' } as const;
const WHERE =
  'where proxies run with --cluster-enabled; else an error says that cluster support is disabled, as in Redis';
const FIXED = 'slots, nodes and epochs are given by the cluster itself: refused';

interface Kind {
  readonly flags: readonly CommandFlag[];
  readonly categories: readonly string[];
}

const asks: Kind = { flags: ['stale'], categories: ['slow'] };
const inspects: Kind = { flags: ['admin', 'stale'], categories: ['admin', 'slow', 'dangerous'] };
const orders: Kind = { flags: ['admin', 'stale', 'no_async_loading'], categories: ['admin', 'slow', 'dangerous'] };

type Row = readonly [name: string, arity: number, since: string, summary: string, tips?: readonly string[]];

const CHANGING = ['nondeterministic_output'] as const;

const told: readonly Row[] = [
  ['countkeysinslot', 3, '3.0.0', 'Counts the keys of a slot.'],
  ['getkeysinslot', 4, '3.0.0', 'Names keys of a slot.', CHANGING],
  ['info', 2, '3.0.0', 'Says how the cluster is.', CHANGING],
  ['keyslot', 3, '3.0.0', 'Names the slot of a key.'],
  ['links', 2, '7.0.0', 'Lists the links between nodes: none here.', CHANGING],
  ['myid', 2, '3.0.0', 'Names this node.'],
  ['myshardid', 2, '7.2.0', 'Names the shard of this node.', CHANGING],
  ['nodes', 2, '3.0.0', 'Lists the nodes and their slots, as text.', CHANGING],
  ['shards', 2, '7.0.0', 'Lists the nodes and their slots, as maps.', CHANGING],
  ['slots', 2, '3.0.0', 'Lists ranges of slots and their nodes.', CHANGING],
];
const inspected: readonly Row[] = [
  ['count-failure-reports', 3, '3.0.0', 'Counts the reports that a node has failed: none here.', CHANGING],
  ['replicas', 3, '5.0.0', 'Lists the replicas of a node: none, they are within the cluster.', CHANGING],
  ['slaves', 3, '3.0.0', 'The old name of CLUSTER REPLICAS.', CHANGING],
];
const refused: readonly Row[] = [
  ['addslots', -3, '3.0.0', 'Would give slots to a node.'],
  ['addslotsrange', -4, '7.0.0', 'Would give ranges of slots to a node.'],
  ['bumpepoch', 2, '3.0.0', 'Would raise the epoch.', CHANGING],
  ['delslots', -3, '3.0.0', 'Would take slots from a node.'],
  ['delslotsrange', -4, '7.0.0', 'Would take ranges of slots from a node.'],
  ['failover', -2, '3.0.0', 'Would make a replica the master.'],
  ['flushslots', 2, '3.0.0', 'Would take all slots from a node.'],
  ['forget', 3, '3.0.0', 'Would remove a node.'],
  ['meet', -4, '3.0.0', 'Would add a node.'],
  ['replicate', 3, '3.0.0', 'Would make a node a replica.'],
  ['saveconfig', 2, '3.0.0', 'Would save the configuration.'],
  ['set-config-epoch', 3, '3.0.0', 'Would set the epoch.'],
  ['setslot', -4, '3.0.0', 'Would move a slot.'],
];

const rows = (kind: Kind, some: readonly Row[], note: string): Command[] =>
  some.map(([name, arity, since, summary, tips = []]) => {
    return { ...base, ...kind, name: `cluster|${name}`, arity, since, summary, note, tips };
  });

export const CLUSTER_REFUSED: readonly string[] = [...refused.map(([name]) => name), 'reset'];

const subcommands: readonly Command[] = [
  ...rows(asks, told, WHERE),
  ...rows(inspects, inspected, WHERE),
  ...rows(orders, refused, FIXED).map((row): Command => ({ ...row, support: 'no' }) as Command),
  {
    ...base,
    name: 'cluster|reset',
    arity: -2,
    since: '3.0.0',
    flags: ['admin', 'noscript', 'stale'],
    categories: ['admin', 'slow', 'dangerous'],
    summary: 'Would make a node forget its cluster.',
    note: FIXED,
    support: 'no',
  },
  {
    ...base,
    name: 'cluster|help',
    arity: 2,
    since: '5.0.0',
    flags: ['loading', 'stale'],
    categories: ['slow'],
    summary: 'Lists the subcommands of CLUSTER.',
  },
];

export const clusterCommands: readonly Command[] = [
  {
    ...base,
    name: 'cluster',
    arity: -2,
    since: '3.0.0',
    flags: [],
    categories: ['slow'],
    run: 'container',
    support: 'partly',
    summary: 'The cluster protocol.',
    note: WHERE,
    subcommands,
  },
  {
    ...base,
    name: 'asking',
    arity: 1,
    since: '3.0.0',
    flags: ['fast'],
    categories: ['fast', 'connection'],
    summary: 'Asks once more during a slot migration: nothing to do here.',
    note: WHERE,
  },
  {
    ...base,
    name: 'readonly',
    arity: 1,
    since: '3.0.0',
    flags: ['loading', 'stale', 'fast'],
    categories: ['fast', 'connection'],
    summary: 'Allows reads from replicas: every proxy reads from primaries.',
    note: WHERE,
  },
  {
    ...base,
    name: 'readwrite',
    arity: 1,
    since: '3.0.0',
    flags: ['loading', 'stale', 'fast'],
    categories: ['fast', 'connection'],
    summary: 'Ends READONLY.',
    note: WHERE,
  },
];
