/** Who may register: a boot must be the newest of its node, and its replicas ones that this meta gave out. */
import type { NodeInfo, ReplicaReport } from '../../shared/cluster.js';
import type { Origin } from '../../shared/wire/network.js';
import type { MetaState } from '../state.js';

/** Null when it may. */
export function whyNotRegister(
  state: MetaState,
  from: Origin,
  info: NodeInfo,
  replicas: readonly ReplicaReport[],
): string | null {
  if (from.node !== info.node || from.boot !== info.boot || from.role !== info.role)
    return 'it registers as somebody else';
  if (info.role === 'proxy') return null;
  if (info.role !== 'server') return `a ${info.role} does not register`;
  const known = state.nodes.get(info.node);
  if (known?.info.boot === info.boot) {
    if (known.info.state === 'dead' && info.state !== 'dead') return 'this boot said that it stopped';
  } else if (!state.isNewerBoot(info.node, info.boot)) {
    return 'a newer boot of this server has registered';
  }
  for (const { partition, ballot } of replicas) {
    const inForce = state.partitions.get(partition)?.partition.configuration.ballot;
    if (inForce === undefined && state.hasGivenOut(partition)) continue; // of a dropped table
    if (inForce === undefined || ballot > inForce) {
      return `it holds partition ${partition} at ballot ${ballot}, which this meta never gave out: meta's data was lost, or is another cluster's`;
    }
  }
  return null;
}
