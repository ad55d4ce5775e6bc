/** What faults act on, and the record of what they will undo: healing undoes everything at once. */
import { members } from '../../shared/cluster.js';
import type { Cluster, SimulatedServer } from './cluster.js';
import type { Invariants } from './invariants.js';
import type { World } from './world.js';

export class Scene {
  readonly world: World;
  readonly cluster: Cluster;
  readonly invariants: Invariants;
  /** Faults by kind. */
  readonly counts: Record<string, number> = {};
  private readonly undoing = new Set<() => void>();
  private readonly tell: (text: string) => void;

  constructor(world: World, cluster: Cluster, invariants: Invariants, tell: (text: string) => void) {
    this.world = world;
    this.cluster = cluster;
    this.invariants = invariants;
    this.tell = tell;
  }

  say(kind: string, text: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    this.tell(`${kind}: ${text}`);
  }

  /** Undoes it after a while within `ms`, or when everything heals. */
  during(ms: readonly [number, number], undo: () => void): void {
    const once = (): void => {
      if (this.undoing.delete(once)) undo();
    };
    this.undoing.add(once);
    this.world.at(this.world.between(...ms), once);
  }

  /** Faults that go on at present. */
  get troubles(): number {
    return this.undoing.size;
  }

  heal(): void {
    for (const undo of this.undoing) undo();
  }

  server(): SimulatedServer {
    return this.world.pick(this.cluster.servers);
  }

  /** Two different nodes of all. */
  two(): [string, string] {
    const { nodes } = this.cluster;
    const one = this.world.pick(nodes);
    return [one, this.world.pick(nodes.filter((node) => node !== one))];
  }

  /**
   * True when what this server holds may be lost: of every partition another server that runs is a member, and so has all
   * that is committed. (If that one is killed, its disk still has it; only for losing that, too, one would have to ask again.)
   */
  isExpendable(server: SimulatedServer): boolean {
    const { cluster, invariants } = this;
    return invariants.partitions().every(({ id, configuration }) => {
      if (configuration === null) return false;
      return members(configuration).some(({ node, boot }) => {
        const other = node === server.name ? null : cluster.servers.find(({ name }) => name === node);
        const running = other?.running;
        if (running === null || running === undefined || running.network.self.boot !== boot) return false;
        if (other!.disk.errors > 0) return false; // about to die of its disk
        const role = running.server.partitions.get(id)?.replica.role;
        return role === 'primary' || role === 'secondary';
      });
    });
  }
}
