/**
 * The cluster as clients of the cluster protocol see it: proxies are its nodes, all of them masters, and each has the slots
 * of the partitions whose primaries are on its machine; where several are, or none, these partitions go around. Which node
 * a client goes to is only a matter of hops.
 */
import { createHash } from 'node:crypto';
import type { NodeInfo } from '../shared/cluster.js';
import type { RoutedTable } from '../shared/routing/routing-table.js';

export interface ClusterNode {
  /** 40 hex digits, of the node's name: the same after it restarted. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly isSelf: boolean;
  /** Ranges of slots, both ends inclusive, in order. */
  readonly slots: readonly (readonly [from: number, to: number])[];
}

/** Addresses that say where to listen, not where to go. */
const ANY_ADDRESS: ReadonlySet<string> = new Set(['', '0.0.0.0', '::', '[::]']);

export class ClusterMap {
  private readonly nodes: ReadonlyMap<string, NodeInfo>;
  private readonly table: RoutedTable;
  private readonly self: () => NodeInfo;

  constructor(nodes: ReadonlyMap<string, NodeInfo>, table: RoutedTable, self: () => NodeInfo) {
    this.nodes = nodes;
    this.table = table;
    this.self = self;
  }

  get myId(): string {
    return idOf(this.self().node);
  }

  /** `reachedAt`: the address at which the client has reached this proxy, which is as good as any where none is told. */
  list(reachedAt: string): ClusterNode[] {
    const self = this.self();
    const others = [...this.nodes.values()].filter(
      ({ role, state, node }) => role === 'proxy' && state === 'alive' && node !== self.node,
    );
    const proxies = [self, ...others].sort((a, b) => (a.node < b.node ? -1 : 1));
    const slots = new Map<string, [number, number][]>(proxies.map(({ node }) => [node, []]));
    this.table.partitions.forEach((partition, index) => {
      const { fromSlot, toSlot, configuration } = partition.facts;
      const machine = this.nodes.get(configuration.primary?.node ?? '')?.machine;
      const near = proxies.filter((proxy) => proxy.machine === machine);
      const among = near.length > 0 ? near : proxies;
      const ranges = slots.get(among[index % among.length]!.node)!;
      const last = ranges.at(-1);
      if (last !== undefined && last[1] === fromSlot - 1) last[1] = toSlot;
      else ranges.push([fromSlot, toSlot]);
    });
    return proxies.map((proxy) => ({
      id: idOf(proxy.node),
      host: !ANY_ADDRESS.has(proxy.host) ? proxy.host : proxy === self ? reachedAt : proxy.machine,
      port: proxy.port,
      isSelf: proxy === self,
      slots: slots.get(proxy.node)!,
    }));
  }
}

function idOf(node: string): string {
  return createHash('sha1').update(node).digest('hex');
}
