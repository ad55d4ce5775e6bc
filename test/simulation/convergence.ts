/** What must hold once everything has healed: every partition serves with all its replicas, and they hold the same. */
import { members } from '../../shared/cluster.js';
import { Kind, type ChecksumResultMessage } from '../../shared/wire/messages.js';
import type { Cluster, RunningServer } from './cluster.js';

const REPLICAS = 3;
const META = 'meta';

function* acting(cluster: Cluster): Generator<{ running: RunningServer; id: number }> {
  for (const { running } of cluster.servers) {
    if (running === null || !running.started) continue;
    for (const { id, executor, replica } of running.server.partitions.values()) {
      if (executor !== null && replica.canExecute(running.environment.monotonicMs())) yield { running, id };
    }
  }
}

/** Somebody serves each partition. */
export function serving(cluster: Cluster): boolean {
  return [...acting(cluster)].length === cluster.plan.partitions;
}

/** ... with as many secondaries as there should be, and nothing else under way. */
export function converged(cluster: Cluster): boolean {
  if (cluster.servers.some(({ running }) => running?.started !== true)) return false;
  const primaries = [...acting(cluster)];
  return (
    primaries.length === cluster.plan.partitions &&
    primaries.every(({ running, id }) => {
      const { replica } = running.server.partitions.get(id)!;
      return replica.configuration.secondaries.length === REPLICAS - 1;
    })
  );
}

/** Results may be lost on their way, so after this they are asked for again. */
const ASK_AGAIN_MS = 3_000;

/** Asks for checksums; the result says when all have come, and throws when two differ. */
export function compareReplicas(cluster: Cluster): () => boolean {
  const { world, wires } = cluster;
  /** By partition: who is to answer, and what came, of the newest question. */
  const questions = new Map<number, { nodes: readonly string[]; sums: Map<string, string> }>();
  let number = 0;
  let askedMs = Number.NEGATIVE_INFINITY;
  const { onSend } = wires;
  wires.onSend = (from, to, message) => {
    onSend(from, to, message);
    if (message[0] !== Kind.checksumResult) return;
    const [, id, asked, decree, checksum, entries] = message as unknown as ChecksumResultMessage;
    if (asked !== number) return;
    questions.get(id)?.sums.set(from.self.node, `${checksum} with ${entries} entries at decree ${decree}`);
  };
  const ask = (): void => {
    number++;
    askedMs = world.nowMs;
    questions.clear();
    for (const { running, id } of acting(cluster)) {
      const partition = running.server.partitions.get(id)!;
      const nodes = members(partition.replica.configuration).map(({ node }) => node);
      questions.set(id, { nodes, sums: new Map() });
      partition.startChecksum(number, META);
    }
  };
  return () => {
    for (const [id, { sums }] of questions) {
      if (new Set(sums.values()).size > 1)
        throw new Error(`the replicas of partition ${id} differ: ${JSON.stringify([...sums])}`);
    }
    const all =
      questions.size === cluster.plan.partitions &&
      [...questions.values()].every(({ nodes, sums }) => nodes.every((node) => sums.has(node)));
    if (!all && world.nowMs - askedMs > ASK_AGAIN_MS) ask();
    return all;
  };
}

export function describe(cluster: Cluster): string {
  const servers = cluster.servers.map(({ name, running }) => {
    if (running === null) return `${name}: down`;
    const replicas = [...running.server.partitions.values()].map(
      ({ id, replica, executor }) =>
        `${id} ${replica.role} ballot ${replica.ballot} (${replica.configuration.ballot}) ` +
        `${replica.list.committed}/${replica.list.last}${executor === null ? '' : ' serving'} ` +
        `secondaries ${replica.configuration.secondaries.map(({ node }) => node).join(',')}`,
    );
    return `${name}${running.started ? '' : ' (starting)'}: ${replicas.join('; ')}`;
  });
  const waiting = cluster.meta?.meta.waitingFor().map(({ partition, reason }) => `partition ${partition}: ${reason}`);
  return [...servers, `meta waits: ${waiting?.join('; ') ?? 'down'}`].join(' | ');
}
