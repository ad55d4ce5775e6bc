/** A server that leaves on purpose hands over first what it is primary of, so that clients hardly notice. */
import type { Environment } from '../shared/environment.js';
import type { Partition } from './partition/partition.js';

/** A handover takes some 10 ms. */
const LOOK_AGAIN_MS = 10;

/**
 * Calls back once none of the partitions has its primary here that could have it elsewhere, or after `limitMs`. Goes on
 * looking meanwhile: a secondary may be made primary while its server leaves, and a proposal may be in the way.
 */
export function handOverAll(
  environment: Environment,
  partitions: ReadonlyMap<number, Partition>,
  limitMs: number,
  done: () => void,
): void {
  const untilMs = environment.monotonicMs() + limitMs;
  const look = (): void => {
    const left = [...partitions.values()].filter(
      ({ replica }) => replica.role === 'primary' && replica.configuration.secondaries.length > 0,
    );
    for (const partition of left) partition.handOver(null);
    if (left.length === 0 || environment.monotonicMs() > untilMs) done();
    else environment.after(LOOK_AGAIN_MS, look);
  };
  look();
}
