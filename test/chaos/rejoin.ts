/**
 * A server that comes back with an empty disk and everything to learn, while clients go on: what that does to their
 * latency, and to the memory of both sides. What is compared comes from one run: with three replicas, before and after
 * and between, and while it learns.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../cluster/condition.js';
import { processorSeconds, residentBytes } from '../cluster/processes.js';
import { ChaosCluster } from './cluster.js';
import { fill } from './fill.js';
import { Latencies } from './latencies.js';
import type { Member } from './member.js';
import { OpenLoad } from './open-load.js';
import { Random } from './random.js';
import { megabytes, type Verdict } from './report.js';

export interface RejoinOptions {
  readonly seed: number;
  readonly gigabytes: number;
  /** Open-loop operations a second, half of them writes. */
  readonly rate: number;
  readonly phaseSeconds: number;
  readonly times: number;
  readonly cacheBytes: number;
  readonly say: (line: string) => void;
}

const VALUE_BYTES = 1_000;
const CONNECTIONS = 20;
const SAMPLE_MS = 200;
/** What a new secondary and its teacher still do when it is one: closing, compacting. */
const SETTLE_MS = 3_000;
const LEARN_DEADLINE_MS = 20 * 60_000;
/** What issue 3 allows: the p99 of ongoing traffic must not rise by more than half. */
const P99_RATIO_MAX = 1.5;

export async function rejoin({
  seed,
  gigabytes,
  rate,
  phaseSeconds,
  times,
  cacheBytes,
  say,
}: RejoinOptions): Promise<Verdict> {
  const random = new Random(seed);
  const keys = Math.round((gigabytes * 1e9) / VALUE_BYTES);
  const cluster = await ChaosCluster.start({ settings: { cacheBytes } });
  try {
    const [proxy] = cluster.withRole('proxy');
    if (proxy === undefined) throw new Error('the cluster has no proxy');
    const { host, port } = proxy.options;
    const filledFromMs = performance.now();
    await fill({ host, port, keys, valueBytes: VALUE_BYTES });
    say(`filled ${gigabytes} GB (${keys} keys) in ${seconds(filledFromMs)} s`);

    const [partition] = await cluster.partitions();
    const learner = cluster.member(partition?.secondaries[0] ?? '');
    const teacher = cluster.member(partition?.primary ?? '');
    const load = await OpenLoad.start(
      { host, port, connections: CONNECTIONS, perSecond: rate, keys, valueBytes: VALUE_BYTES },
      random,
    );
    const measure = async (name: string, until: () => Promise<unknown>): Promise<Phase> => {
      load.takeLatencies();
      const peaks = new Map<string, number>();
      const sample = setInterval(() => {
        for (const { name: node, pid } of cluster.members)
          peaks.set(node, Math.max(peaks.get(node) ?? 0, pid === null ? 0 : residentBytes(pid)));
      }, SAMPLE_MS);
      const usedBefore = processorTimes(cluster);
      const fromMs = performance.now();
      await until();
      const tookMs = performance.now() - fromMs;
      clearInterval(sample);
      const used = processorTimes(cluster);
      const latencies = load.takeLatencies();
      say(`${name.padEnd(22)} ${seconds(fromMs)} s: ${latencies.describe()}`);
      const each = cluster.members.map(({ name: node }) => {
        // one that was started meanwhile began with nothing
        const share = ((used.get(node) ?? 0) - (usedBefore.get(node) ?? 0)) / (tookMs / 1_000);
        return `${node} ${(100 * Math.max(0, share)).toFixed(0)} % of a processor, at most ${megabytes(peaks.get(node) ?? 0)}`;
      });
      say(`  ${each.join('; ')}`);
      return { latencies, peaks };
    };
    const aPhase = (): Promise<unknown> => delay(phaseSeconds * 1_000);

    const calm = new Latencies();
    const learning = new Latencies();
    const resident = { teacher: 0, learner: 0 };
    const threeReplicas = async (name: string): Promise<void> => {
      calm.addAll((await measure(name, aPhase)).latencies);
    };
    const learns = async (): Promise<void> => {
      const { latencies, peaks } = await measure(`${learner.name} learns`, () => untilLearned(cluster, learner));
      learning.addAll(latencies);
      resident.teacher = Math.max(resident.teacher, peaks.get(teacher.name) ?? 0);
      resident.learner = Math.max(resident.learner, peaks.get(learner.name) ?? 0);
    };
    await measure('warming up', aPhase);
    await threeReplicas('three replicas');
    for (let time = 1; time <= times; time++) {
      await learner.hold();
      await removeAll(learner.options.folder);
      await measure('two replicas', aPhase);
      await learns();
      await delay(SETTLE_MS);
      await threeReplicas('three replicas again');
    }
    await load.stop();
    await cluster.equalChecksums();
    say('the checksums of all replicas are equal');

    const [before, during] = [calm.percentile(0.99), learning.percentile(0.99)];
    const errors = [...load.errors].map(([text, count]) => `${count} x ${text}`);
    const failures = errors.map((text) => `error replies: ${text}`);
    const ratio = during / before;
    if (ratio > P99_RATIO_MAX) failures.push(`p99 rose ${ratio.toFixed(2)}-fold while the server learned`);
    return {
      failures,
      summary: [
        `with three replicas: ${calm.describe()}`,
        `while ${learner.name} learned: ${learning.describe()}`,
        `ratio of the p99 ${ratio.toFixed(2)} (at most ${P99_RATIO_MAX})`,
        `resident at most while learning: teacher ${megabytes(resident.teacher)}, learner ${megabytes(resident.learner)}`,
      ],
    };
  } finally {
    await cluster.stop();
  }
}

interface Phase {
  readonly latencies: Latencies;
  /** Largest resident size of each process, in bytes. */
  readonly peaks: ReadonlyMap<string, number>;
}

/** As clients go on meanwhile, nothing here may hold up this process, which measures them. */
async function removeAll(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
}

async function untilLearned(cluster: ChaosCluster, learner: Member): Promise<void> {
  learner.start();
  await eventually(
    `${learner.name} is a secondary again`,
    async () => {
      const [row] = await cluster.partitions();
      return row?.secondaries.includes(learner.name) === true ? true : undefined;
    },
    LEARN_DEADLINE_MS,
  );
}

/** Seconds that each process that runs has used. */
function processorTimes(cluster: ChaosCluster): ReadonlyMap<string, number> {
  return new Map(cluster.members.map(({ name, pid }) => [name, pid === null ? 0 : processorSeconds([pid])]));
}

function seconds(fromMs: number): string {
  return ((performance.now() - fromMs) / 1_000).toFixed(1);
}
