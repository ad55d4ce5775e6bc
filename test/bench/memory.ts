/**
 * `npm run bench:memory`: memory stays bounded.
 *
 * First 2 million keys of 1 KB go through a local cluster whose servers' caches are limited to 64 MB, as fast as it
 * takes them; then they are read and overwritten at random; then, under the same load, one secondary is stopped and
 * continued again and again for less than a lease, so that it stays a member but is slow. Each server process must
 * stay under 400 MB resident through all of it: what cannot be taken must be held back at the client, not queued.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';
import { applyLoad, type LoadResult } from './load.js';
import { MemoryWatch } from './memory-watch.js';

const usage = `npm run bench:memory -- [options]
  --keys N         keys written (2000000)
  --value-bytes N  size of a value (1000)
  --cache SIZE     cacheBytes of each server (64mb)
  --limit MB       what a server process may have resident (400)
  --secs N         seconds of each later phase (20)
  --fsync MODE     everysec (default), always or no`;

const { values: options } = parseArgs({
  options: {
    keys: { type: 'string', default: '2000000' },
    'value-bytes': { type: 'string', default: '1000' },
    cache: { type: 'string', default: '64mb' },
    limit: { type: 'string', default: '400' },
    secs: { type: 'string', default: '20' },
    fsync: { type: 'string', default: 'everysec' },
    help: { type: 'boolean', default: false },
  },
});

/** Stopped for well under leaseMs (2 s), with pauses in which beacons are answered. */
const slowness = { stoppedMs: 1_000, runningMs: 300 };

interface PartitionRow {
  readonly primary: string | null;
  readonly secondaries: readonly string[];
}

/** Stops and continues one secondary until the load is done. */
async function slowDown(cluster: LocalCluster, load: Promise<LoadResult>): Promise<void> {
  const [partition] = await cluster.admin<PartitionRow[]>('partitions');
  const name = partition?.secondaries[0] ?? '';
  const pid = cluster.nodes().get(name);
  if (pid === undefined) throw new Error(`no process for the secondary ${name}`);
  console.log(
    `  slowed: ${name}, stopped ${slowness.stoppedMs} ms of every ${slowness.stoppedMs + slowness.runningMs}`,
  );
  let running = true;
  const ended = (): void => {
    running = false;
  };
  load.then(ended, ended);
  try {
    while (running) {
      process.kill(pid, 'SIGSTOP');
      await delay(slowness.stoppedMs);
      process.kill(pid, 'SIGCONT');
      await delay(slowness.runningMs);
    }
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** Runs a phase, prints what it took, and returns what went wrong. */
async function phase(
  cluster: LocalCluster,
  name: string,
  run: () => Promise<LoadResult>,
  disturb: (load: Promise<LoadResult>) => Promise<void> = async () => undefined,
): Promise<string[]> {
  const watch = new MemoryWatch(cluster);
  console.log(`${name}...`);
  const load = run();
  await disturb(load);
  const result = await load;
  const peaks = watch.stop();
  console.log(
    `  ${Math.round(result.operationsPerSecond)} operations/s for ${result.seconds.toFixed(1)} s, p99 ${result.p99Ms} ms, ` +
      `${result.errors} errors, ${result.misses} misses`,
  );
  const shown = [...peaks].map(([node, megabytes]) => `${node} ${Math.round(megabytes)} MB`);
  console.log(`  largest resident: ${shown.join(', ')}`);
  const problems = [...peaks]
    .filter(([node, megabytes]) => node.startsWith('server') && megabytes > Number(options.limit))
    .map(([node, megabytes]) => `${name}: ${node} had ${Math.round(megabytes)} MB resident, above ${options.limit}`);
  if (result.errors > 0) problems.push(`${name}: ${result.errors} errors, the first: ${result.firstError}`);
  if (result.misses > 0) problems.push(`${name}: ${result.misses} keys were missing`);
  return problems;
}

async function main(): Promise<number> {
  const cluster = await startLocalCluster({ flags: ['--cache-bytes', options.cache, '--fsync', options.fsync] });
  const load = {
    port: cluster.port,
    keys: Number(options.keys),
    valueBytes: Number(options['value-bytes']),
    pipeline: 16,
  };
  const seconds = Number(options.secs);
  const problems: string[] = [];
  try {
    problems.push(...(await phase(cluster, `writing ${load.keys} keys`, () => applyLoad({ ...load, mode: 'fill' }))));
    problems.push(...(await phase(cluster, 'reading at random', () => applyLoad({ ...load, mode: 'get', seconds }))));
    problems.push(
      ...(await phase(cluster, 'overwriting at random', () => applyLoad({ ...load, mode: 'set', seconds }))),
    );
    problems.push(
      ...(await phase(
        cluster,
        'overwriting with a slow secondary',
        () => applyLoad({ ...load, mode: 'set', seconds }),
        (running) => slowDown(cluster, running),
      )),
    );
  } finally {
    await cluster.stop();
  }
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) console.log(`every server process stayed under ${options.limit} MB`);
  return problems.length === 0 ? 0 : 1;
}

if (options.help) console.log(usage);
else process.exitCode = await main();
