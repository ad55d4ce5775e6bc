/**
 * A server that comes back with an empty disk and everything to learn, while clients go on: what that does to their
 * latency, and to the memory of both sides. Phases of one length are compared, all within one run: with three
 * replicas before, with two while the server is away, while it learns, and after.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { applyLoad } from '../bench/load.js';
import { eventually } from '../cluster/condition.js';
import { residentBytes } from '../cluster/processes.js';
import { ChaosCluster } from './cluster.js';
import type { Latencies } from './latencies.js';
import { OpenLoad } from './open-load.js';
import { Random } from './random.js';
import { megabytes, type Verdict } from './report.js';

export interface RejoinOptions {
  readonly seed: number;
  readonly gigabytes: number;
  /** Open-loop operations a second, half of them writes. */
  readonly rate: number;
  readonly phaseSeconds: number;
  readonly cacheBytes: number;
  readonly say: (line: string) => void;
}

const VALUE_BYTES = 1_000;
const CONNECTIONS = 20;
const FILL = { connections: 16, pipeline: 16 };
const SAMPLE_MS = 200;
const LEARN_DEADLINE_MS = 20 * 60_000;
/** What issue 3 allows: the p99 of ongoing traffic must not rise by more than half. */
const P99_RATIO_MAX = 1.5;

export async function rejoin({
  seed,
  gigabytes,
  rate,
  phaseSeconds,
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
    const fill = await applyLoad({ port, mode: 'fill', keys, valueBytes: VALUE_BYTES, ...FILL });
    if (fill.errors > 0) throw new Error(`filling failed: ${fill.firstError}`);
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
      const fromMs = performance.now();
      await until();
      clearInterval(sample);
      const phase = { latencies: load.takeLatencies(), peaks };
      const memory = cluster.withRole('server').map((each) => `${each.name} ${megabytes(peaks.get(each.name) ?? 0)}`);
      say(
        `${name.padEnd(22)} ${seconds(fromMs)} s: ${phase.latencies.describe()}; resident at most ${memory.join(', ')}`,
      );
      return phase;
    };
    const aPhase = (): Promise<unknown> => delay(phaseSeconds * 1_000);

    await measure('warming up', aPhase);
    const before = await measure('three replicas', aPhase);
    await learner.hold();
    for (const name of readdirSync(learner.options.folder))
      rmSync(join(learner.options.folder, name), { recursive: true });
    await measure('two replicas', aPhase);
    const during = await measure(`${learner.name} learns`, async () => {
      learner.start();
      await eventually(
        `${learner.name} is a secondary again`,
        async () => {
          const [row] = await cluster.partitions();
          return row?.secondaries.includes(learner.name) === true ? true : undefined;
        },
        LEARN_DEADLINE_MS,
      );
    });
    await measure('three replicas again', aPhase);
    await load.stop();
    await cluster.equalChecksums();
    say('the checksums of all replicas are equal');

    const ratio = during.latencies.percentile(0.99) / before.latencies.percentile(0.99);
    const errors = [...load.errors].map(([text, count]) => `${count} x ${text}`);
    const failures = errors.map((text) => `error replies: ${text}`);
    if (ratio > P99_RATIO_MAX) failures.push(`p99 rose ${ratio.toFixed(2)}-fold while the server learned`);
    return {
      failures,
      summary: [
        `p99 before ${before.latencies.percentile(0.99).toFixed(2)} ms, during ${during.latencies.percentile(0.99).toFixed(2)} ms: ratio ${ratio.toFixed(2)} (at most ${P99_RATIO_MAX})`,
        `resident at most while learning: teacher ${megabytes(during.peaks.get(teacher.name) ?? 0)}, learner ${megabytes(during.peaks.get(learner.name) ?? 0)}`,
      ],
    };
  } finally {
    await cluster.stop();
  }
}

interface Phase {
  readonly latencies: Latencies;
  readonly peaks: ReadonlyMap<string, number>;
}

function seconds(fromMs: number): string {
  return ((performance.now() - fromMs) / 1_000).toFixed(1);
}
