/** CLUSTER and its kin: see proxy/cluster-map.ts for what a cluster is here. */
import { CLUSTER_REFUSED } from '../../shared/commands/cluster.js';
import { integer } from '../../shared/commands/arguments.js';
import { MapReply, OK, type Reply, VerbatimReply } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import { scan } from '../../shared/operations/codes.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { SLOTS, slotOf } from '../../shared/slots.js';
import { Status } from '../../shared/wire/messages.js';
import type { ClusterMap, ClusterNode } from '../cluster-map.js';
import { type Call, LATER, type SessionHandler } from '../context.js';
import { outcomeError } from '../pending.js';
import { help } from './help.js';

const DISABLED = 'ERR This instance has cluster support disabled';
/** Added to a node's port in CLUSTER NODES: Redis's bus, which is not there. */
const BUS_OFFSET = 10_000;
const SCAN_COUNT = 1_000;
const HASHES = 2 ** 32;

type Handler = (call: Call, map: ClusterMap) => Reply | typeof LATER;

/** Refuses where the cluster protocol is off. */
const enabled =
  (handler: Handler): SessionHandler =>
  (call) => {
    const { cluster } = call.proxy;
    if (cluster === null) throw new ClientError(DISABLED);
    return handler(call, cluster);
  };

function nodesOf({ session }: Call, map: ClusterMap): ClusterNode[] {
  return map.list(session.localAddress.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''));
}

const slots: Handler = (call, map) =>
  nodesOf(call, map)
    .flatMap((node) => node.slots.map(([from, to]) => [from, to, [node.host, node.port, node.id, []]] as const))
    .sort((a, b) => a[0] - b[0]);

const shards: Handler = (call, map) =>
  nodesOf(call, map).map(({ id, host, port, slots: ranges }): Reply => {
    const node = new MapReply([
      'id',
      id,
      'port',
      port,
      'ip',
      host,
      'endpoint',
      host,
      'role',
      'master',
      'replication-offset',
      0,
      'health',
      'online',
    ]);
    return new MapReply(['slots', ranges.flat(), 'nodes', [node]]);
  });

const nodes: Handler = (call, map) => {
  const lines = nodesOf(call, map).map(({ id, host, port, isSelf, slots: ranges }, index) => {
    const shown = ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`));
    const flags = isSelf ? 'myself,master' : 'master';
    return [id, `${host}:${port}@${port + BUS_OFFSET}`, flags, '-', 0, 0, index + 1, 'connected', ...shown].join(' ');
  });
  return new VerbatimReply('txt', `${lines.join('\n')}\n`);
};

const info: Handler = (call, map) => {
  const all = nodesOf(call, map);
  const assigned = call.proxy.table.bySlot.filter((partition) => partition !== null).length;
  const served = call.proxy.table.bySlot.filter((partition) => partition?.facts.configuration.primary).length;
  const fields: [string, string | number][] = [
    ['cluster_state', served === SLOTS ? 'ok' : 'fail'],
    ['cluster_slots_assigned', assigned],
    ['cluster_slots_ok', served],
    ['cluster_slots_pfail', 0],
    ['cluster_slots_fail', assigned - served],
    ['cluster_known_nodes', all.length],
    ['cluster_size', all.filter((node) => node.slots.length > 0).length],
    ['cluster_current_epoch', all.length],
    ['cluster_my_epoch', all.findIndex((node) => node.isSelf) + 1],
    ['cluster_stats_messages_sent', 0],
    ['cluster_stats_messages_received', 0],
    ['total_cluster_links_buffer_limit_exceeded', 0],
  ];
  return new VerbatimReply('txt', fields.map(([name, value]) => `${name}:${value}\r\n`).join(''));
};

function slotAt(argument: Buffer | undefined): number {
  const slot = Number(integer(argument, 'ERR Invalid or out of range slot'));
  if (slot < 0 || slot >= SLOTS) throw new ClientError('ERR Invalid or out of range slot');
  return slot;
}

/** The keys of a slot, as many as wanted, with scans of the partition that has it. */
function keysOfSlot(call: Call, slot: number, wanted: number, reply: (keys: readonly Buffer[]) => Reply): typeof LATER {
  const { proxy, session } = call;
  const finish = call.later();
  const found: Buffer[] = [];
  const step = (cursor: number): void => {
    proxy.router.submit(proxy.table, slot, session.routed, session.context.db, scan(cursor, SCAN_COUNT, null, null), {
      onOutcome(status, value) {
        if (status !== Status.ok) return finish(outcomeError(status, value));
        const [next, keys] = value as readonly [number, readonly OperationResult[]];
        for (const key of keys) if (slotOf(key as Buffer) === slot) found.push(key as Buffer);
        const ended = next === 0 || next >= (slot + 1) * HASHES || found.length >= wanted || session.closed;
        if (ended) finish(reply(found.slice(0, wanted)));
        else step(next);
      },
    });
  };
  step(slot * HASHES);
  return LATER;
}

const countKeysInSlot: Handler = (call) => {
  const slot = slotAt(call.args[0]);
  return keysOfSlot(call, slot, Number.POSITIVE_INFINITY, (keys) => keys.length);
};

const getKeysInSlot: Handler = (call) => {
  const slot = Number(integer(call.args[0]));
  const wanted = Number(integer(call.args[1]));
  if (slot < 0 || slot >= SLOTS || wanted < 0) throw new ClientError('ERR Invalid slot or number of keys');
  return wanted === 0 ? [] : keysOfSlot(call, slot, wanted, (keys) => keys);
};

/** Of one node: none is known to fail, and none has replicas. */
const ofNode =
  (reply: Reply): Handler =>
  (call, map) => {
    const id = String(call.args[0]);
    if (!nodesOf(call, map).some((node) => node.id === id)) throw new ClientError(`ERR Unknown node ${id}`);
    return reply;
  };

const refuse: Handler = ({ entry }) => {
  const name = entry.name.replace('|', ' ').toUpperCase();
  throw new ClientError(`ERR ${name} is not supported: the cluster assigns slots and nodes by itself`);
};

const accept = enabled(() => OK);

export const clusterHandlers: Readonly<Record<string, SessionHandler>> = {
  'cluster|slots': enabled(slots),
  'cluster|shards': enabled(shards),
  'cluster|nodes': enabled(nodes),
  'cluster|info': enabled(info),
  'cluster|myid': enabled((_call, map) => map.myId),
  'cluster|myshardid': enabled((_call, map) => map.myId),
  'cluster|keyslot': enabled(({ args }) => slotOf(args[0] as Buffer)),
  'cluster|countkeysinslot': enabled(countKeysInSlot),
  'cluster|getkeysinslot': enabled(getKeysInSlot),
  'cluster|links': enabled(() => []),
  'cluster|count-failure-reports': enabled(ofNode(0)),
  'cluster|replicas': enabled(ofNode([])),
  'cluster|slaves': enabled(ofNode([])),
  'cluster|help': enabled((call) => help(call) as Reply),
  ...Object.fromEntries(CLUSTER_REFUSED.map((name) => [`cluster|${name}`, enabled(refuse)])),
  asking: accept,
  readonly: accept,
  readwrite: accept,
};
