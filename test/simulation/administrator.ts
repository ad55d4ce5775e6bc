/**
 * The person that meta waits for when copies were lost with their disks: chooses as docs/operations.md says, the member of the last
 * configuration whose copy goes furthest. Nothing that was acknowledged may be lost by that: every member had it logged.
 */
import type { Cluster } from './cluster.js';

const LOOK_MS = 1_000;

/** Looks from now on, every second; `tell` what was chosen. */
export function administer(cluster: Cluster, tell: (text: string) => void): void {
  const { world } = cluster;
  const look = (): void => {
    world.at(LOOK_MS, look);
    const meta = cluster.meta?.meta;
    for (const { partition, reason } of meta?.waitingFor() ?? []) {
      if (!reason.includes('an administrator must choose')) continue;
      const copies = meta!
        .recoveries()
        .filter((row) => row.partition === partition && row.was !== 'no member' && row.ballot !== null);
      const [best] = copies.toSorted((a, b) => b.ballot! - a.ballot! || (b.end ?? 0) - (a.end ?? 0));
      if (best === undefined) continue;
      tell(`${best.node} for partition ${partition}: ${reason}`);
      meta!.recover(partition, best.node, () => undefined);
    }
  };
  look();
}
