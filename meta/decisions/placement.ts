/**
 * Which server should hold something: spread over machines first, then by load. Keeps count while a
 * round of decisions is made, so that many partitions assigned at once come out even.
 */
import { members } from '../../shared/cluster.js';
import type { PartitionSituation, ServerSituation, Situation } from './situation.js';

export class Placement {
  private readonly servers: readonly ServerSituation[];
  private readonly replicas = new Map<string, number>();
  private readonly primaries = new Map<string, number>();
  private readonly machines = new Map<string, string>();

  constructor(situation: Situation) {
    this.servers = [...situation.servers.values()].filter(
      (server) => server.alive && server.present && !server.stopped,
    );
    for (const server of situation.servers.values()) this.machines.set(server.info.node, server.info.machine);
    for (const { record, learners } of situation.partitions) {
      const { configuration } = record.partition;
      for (const seat of members(configuration)) count(this.replicas, seat.node, 1);
      for (const node of learners) count(this.replicas, node, 1);
      if (configuration.primary !== null) count(this.primaries, configuration.primary.node, 1);
    }
  }

  /** Members of a partition that nobody holds yet, the primary first. */
  assign(replicas: number): ServerSituation[] {
    const chosen: ServerSituation[] = [];
    while (chosen.length < replicas) {
      const taken = chosen.map((server) => server.info.node);
      const next = this.best(taken, () => 0);
      if (next === undefined) break;
      chosen.push(next);
      count(this.replicas, next.info.node, 1);
    }
    const primary = this.fewestPrimaries(chosen);
    if (primary === undefined) return [];
    count(this.primaries, primary.info.node, 1);
    return [primary, ...chosen.filter((server) => server !== primary)];
  }

  /** Who should learn a partition: whoever has its data already, else the least loaded on another machine. */
  learner({ record, learners, resting }: PartitionSituation): ServerSituation | undefined {
    const { id, configuration } = record.partition;
    const taken = [...members(configuration).map((seat) => seat.node), ...learners];
    const next = this.best(taken, (server) => (server.reports.has(id) ? 0 : 1), resting);
    if (next !== undefined) count(this.replicas, next.info.node, 1);
    return next;
  }

  promote(candidates: readonly ServerSituation[]): ServerSituation | undefined {
    const primary = this.fewestPrimaries(candidates);
    if (primary !== undefined) count(this.primaries, primary.info.node, 1);
    return primary;
  }

  private best(
    taken: readonly string[],
    preference: (server: ServerSituation) => number,
    resting: readonly string[] = [],
  ): ServerSituation | undefined {
    const machines = new Set(taken.map((node) => this.machines.get(node)));
    const order = (server: ServerSituation): number[] => [
      preference(server),
      machines.has(server.info.machine) ? 1 : 0,
      this.replicas.get(server.info.node) ?? 0,
    ];
    return least(
      this.servers.filter(({ info }) => !taken.includes(info.node) && !resting.includes(info.node)),
      order,
    );
  }

  private fewestPrimaries(candidates: readonly ServerSituation[]): ServerSituation | undefined {
    return least(candidates, (server) => [this.primaries.get(server.info.node) ?? 0]);
  }
}

/** The first in lexicographic order of the numbers, then of the name: the same for the same situation, always. */
function least(
  candidates: readonly ServerSituation[],
  order: (server: ServerSituation) => number[],
): ServerSituation | undefined {
  const ranked = candidates.map((server) => ({ server, rank: order(server) }));
  ranked.sort((a, b) => {
    for (const [i, rank] of a.rank.entries()) {
      const difference = rank - (b.rank[i] ?? 0);
      if (difference !== 0) return difference;
    }
    return a.server.info.node < b.server.info.node ? -1 : 1;
  });
  return ranked[0]?.server;
}

function count(counts: Map<string, number>, node: string, by: number): void {
  counts.set(node, (counts.get(node) ?? 0) + by);
}
