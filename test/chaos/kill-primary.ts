/** How long writes stand still when the primary's process dies under load, as a client sees it, with default settings. */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../cluster/condition.js';
import { ChaosCluster } from './cluster.js';
import { median } from './gaps.js';
import { describeFault, type Verdict } from './report.js';
import { verified, type VerifiedOptions } from './verified.js';

/** What issue 3 promises. */
const MEDIAN_MS_MAX = 2_000;
const LONGEST_MS_MAX = 4_000;
const BETWEEN_MS = 2_000;

export async function killPrimary(options: VerifiedOptions & { readonly times: number }): Promise<Verdict> {
  const cluster = await ChaosCluster.start();
  return verified(cluster, options, async (load, failures) => {
    for (let time = 1; time <= options.times; time++) {
      await delay(BETWEEN_MS);
      const [partition] = await cluster.partitions();
      const record = load.gaps.begin('kill primary');
      cluster.member(partition?.primary ?? '').signal('SIGKILL');
      await cluster.untilWhole();
      const wholeMs = performance.now();
      await eventually('writes go on', () => load.gaps.allAcknowledgedSince(wholeMs) || undefined);
      options.say(`${time} of ${options.times}: ${describeFault(record)}`);
    }
    const gaps = load.gaps.faults.map(({ longestGapMs }) => longestGapMs);
    const longest = Math.max(...gaps);
    if (median(gaps) > MEDIAN_MS_MAX) failures.push(`the median is above ${MEDIAN_MS_MAX} ms`);
    if (longest > LONGEST_MS_MAX) failures.push(`the longest is above ${LONGEST_MS_MAX} ms`);
    for (const { troubles, samples } of load.gaps.faults)
      for (const [trouble, count] of troubles) failures.push(`${count} x ${trouble}: ${samples.get(trouble) ?? ''}`);
    for (const { name, how } of cluster.takeDeaths()) failures.push(`${name} ended by itself: ${how}`);
    return [
      `time without an acknowledged write over ${gaps.length} kills: median ${median(gaps).toFixed(0)} ms (at most ${MEDIAN_MS_MAX}), longest ${longest.toFixed(0)} ms (at most ${LONGEST_MS_MAX})`,
    ];
  });
}
