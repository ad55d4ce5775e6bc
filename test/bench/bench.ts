/**
 * `npm run bench`: Tulpar beside Redis at the same guarantee, in one run.
 *
 * Ours is a `tulpar local` of its own (three servers, each write on three logs before it is acknowledged). Redis is a
 * master with two replicas and append-only files, where every round of writes is followed by WAIT 2; reads and INCR
 * are compared with plain ones on that master. Both are driven by the same load generator. The sides alternate, so
 * that a slow spell of the machine hits both, and the figure to quote is the median of the rounds' ratios. Processor
 * time per operation, over all processes of a side, is the figure that noise disturbs least.
 */
import { parseArgs } from 'node:util';
import { startLocalCluster } from '../cluster/local-cluster.js';
import { processorSeconds, processTree } from '../cluster/processes.js';
import { startReplicatedRedis } from '../cluster/redis-server.js';
import { applyLoad, type LoadMode, type LoadResult } from './load.js';

const usage = `npm run bench -- [options]
  --secs N       seconds a measurement (4)
  --rounds N     rounds, of which the median counts (3)
  --case TEXT    only cases whose name contains TEXT
  --fsync MODE   everysec (default), always or no, on both sides
  --port N       measure the endpoint that runs there instead of a cluster of its own
  --pid N        with --port: the process whose tree is that endpoint, for processor time
  --servers N, --partitions N   of the cluster it starts (3, 1)
  --json         print JSON`;

const { values: options } = parseArgs({
  options: {
    secs: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    case: { type: 'string', default: '' },
    fsync: { type: 'string', default: 'everysec' },
    port: { type: 'string' },
    pid: { type: 'string' },
    servers: { type: 'string', default: '3' },
    partitions: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

interface Case {
  readonly name: string;
  readonly ours: LoadMode;
  readonly theirs: LoadMode;
  readonly pipeline: number;
}

const cases: readonly Case[] = [
  { name: 'SET, 3 copies, depth 1', ours: 'set', theirs: 'setwait', pipeline: 1 },
  { name: 'SET, 3 copies, depth 16', ours: 'set', theirs: 'setwait', pipeline: 16 },
  { name: 'GET, depth 1', ours: 'get', theirs: 'get', pipeline: 1 },
  { name: 'GET, depth 16', ours: 'get', theirs: 'get', pipeline: 16 },
  { name: 'INCR vs plain INCR, depth 1', ours: 'incr', theirs: 'incr', pipeline: 1 },
];

/** One system under test. `pids` is empty when processor time cannot be known. */
interface Side {
  readonly name: string;
  readonly port: number;
  readonly pids: () => number[];
}

interface Measurement extends LoadResult {
  readonly microsecondsPerOperation: number;
}

async function measure(side: Side, mode: LoadMode, pipeline: number): Promise<Measurement> {
  const pids = side.pids();
  const before = processorSeconds(pids);
  const result = await applyLoad({ port: side.port, mode, pipeline, seconds: Number(options.secs) });
  if (result.errors > 0)
    throw new Error(`${side.name}, ${mode}: ${result.errors} errors, the first: ${result.firstError}`);
  const used = processorSeconds(pids) - before;
  return { ...result, microsecondsPerOperation: pids.length > 0 ? (used * 1e6) / result.operations : Number.NaN };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

interface Row {
  readonly case: string;
  readonly ours: number;
  readonly redis: number;
  readonly ratio: number;
  readonly p50Ms: number;
  readonly redisP50Ms: number;
  readonly p99Ms: number;
  readonly redisP99Ms: number;
  readonly microseconds: number;
  readonly redisMicroseconds: number;
}

async function compare(one: Case, ours: Side, redis: Side): Promise<Row> {
  const rounds: { ours: Measurement; redis: Measurement }[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    rounds.push({
      ours: await measure(ours, one.ours, one.pipeline),
      redis: await measure(redis, one.theirs, one.pipeline),
    });
  }
  const of = (side: 'ours' | 'redis', figure: keyof Measurement): number =>
    median(rounds.map((r) => Number(r[side][figure])));
  return {
    case: one.name,
    ours: of('ours', 'operationsPerSecond'),
    redis: of('redis', 'operationsPerSecond'),
    ratio: median(rounds.map((r) => r.ours.operationsPerSecond / r.redis.operationsPerSecond)),
    p50Ms: of('ours', 'p50Ms'),
    redisP50Ms: of('redis', 'p50Ms'),
    p99Ms: of('ours', 'p99Ms'),
    redisP99Ms: of('redis', 'p99Ms'),
    microseconds: of('ours', 'microsecondsPerOperation'),
    redisMicroseconds: of('redis', 'microsecondsPerOperation'),
  };
}

function printRow(row: Row): void {
  const rate = (perSecond: number): string => `${String(Math.round(perSecond)).padStart(7)}/s`;
  const figures = [
    row.case.padEnd(28),
    `ours ${rate(row.ours)}`,
    `redis ${rate(row.redis)}`,
    `ratio ${row.ratio.toFixed(2)}`,
    `p50 ${row.p50Ms.toFixed(2)} vs ${row.redisP50Ms.toFixed(2)} ms`,
    `p99 ${row.p99Ms.toFixed(2)} vs ${row.redisP99Ms.toFixed(2)} ms`,
    `cpu ${row.microseconds.toFixed(1)} vs ${row.redisMicroseconds.toFixed(1)} us/op`,
  ];
  console.log(figures.join('  '));
}

async function main(): Promise<void> {
  const cluster =
    options.port === undefined
      ? await startLocalCluster({
          flags: ['--servers', options.servers, '--partitions', options.partitions, '--fsync', options.fsync],
        })
      : undefined;
  const root = cluster?.pid ?? Number(options.pid ?? 0);
  const redisServers = await startReplicatedRedis(options.fsync);
  const ours: Side = {
    name: 'tulpar',
    port: cluster?.port ?? Number(options.port),
    pids: () => (root > 0 ? processTree(root) : []),
  };
  const redis: Side = {
    name: 'redis',
    port: redisServers[0]?.port as number,
    pids: () => redisServers.map(({ pid }) => pid),
  };
  try {
    const rows: Row[] = [];
    for (const side of [ours, redis]) await applyLoad({ port: side.port, mode: 'fill', pipeline: 32 });
    for (const one of cases.filter(({ name }) => name.includes(options.case))) {
      const row = await compare(one, ours, redis);
      rows.push(row);
      if (!options.json) printRow(row);
    }
    if (options.json) console.log(JSON.stringify(rows));
  } finally {
    await cluster?.stop();
    for (const server of redisServers.toReversed()) await server.stop();
  }
}

if (options.help) console.log(usage);
else await main();
