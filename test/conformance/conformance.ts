/**
 * `npm run conformance`: Redis's own test suite against a Tulpar cluster of its own, unit by unit, in a table beside
 * what a stock redis-server passes.
 *
 * expected.ts tells which tests a stock server passes (`--record` writes it down), so that a test that never ran
 * because its unit broke off counts as failed, and which of them are not required. Everything else is required: the exit
 * code is 1 when one of these fails.
 *
 * With `--differential`: random commands to both, see differential/differential.ts.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { eventually } from '../cluster/condition.js';
import { startLocalCluster } from '../cluster/local-cluster.js';
import { startRedisServer } from '../cluster/redis-server.js';
import { runDifferential } from './differential/differential.js';
import { freePort } from '../cluster/sockets.js';
import { type Mode, notRequired, stockFile, stockTests } from './expected.js';
import { Parameters } from './parameters.js';
import { redisSuite } from './suite.js';
import { runUnit, type UnitResult } from './unit-run.js';

const usage = `npm run conformance -- [options]
  --unit NAME    only this unit (may be repeated), e.g. unit/type/string
  --stock        against a stock redis-server instead of Tulpar
  --port N       against whatever listens there
  --record       with --stock: write test/conformance/stock.json
  --cluster-mode the suite's tests for a cluster, against 8 partitions where keys of a command must share a slot
  --all-errors   show the errors of tests that are not required, too
  --json         print JSON
  --differential random commands to Tulpar and to a stock redis-server, until --commands N (100000) are compared; --seed N (1)`;

const { values: options } = parseArgs({
  options: {
    unit: { type: 'string', multiple: true },
    stock: { type: 'boolean', default: false },
    port: { type: 'string' },
    record: { type: 'boolean', default: false },
    'cluster-mode': { type: 'boolean', default: false },
    'all-errors': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    differential: { type: 'boolean', default: false },
    commands: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

const units = [
  'unit/type/string',
  'unit/type/incr',
  'unit/type/list',
  'unit/type/list-3',
  'unit/type/set',
  'unit/type/hash',
  'unit/type/zset',
  'unit/type/stream',
  'unit/type/stream-cgroups',
  'unit/bitops',
  'unit/bitfield',
  'unit/hyperloglog',
  'unit/dump',
  'unit/geo',
  'unit/sort',
  'unit/keyspace',
  'unit/expire',
  'unit/scan',
  'unit/multi',
  'unit/protocol',
  'unit/info-command',
  'unit/info',
  'unit/quit',
  'unit/introspection',
  'unit/introspection-2',
  'unit/other',
  'unit/slowlog',
  'unit/latency-monitor',
  'unit/pause',
  'unit/lazyfree',
  'unit/violations',
  'unit/replybufsize',
  'unit/pubsub',
  'unit/pubsubshard',
  'unit/tracking',
  'unit/scripting',
  'unit/functions',
  'integration/redis-cli',
  'integration/replication-buffer',
];

/** The tests that run in either mode, and which are required, differ. */
const mode: Mode = options['cluster-mode'] ? 'cluster' : 'single';
const excuses = notRequired(mode);

interface Judgement {
  readonly result: UnitResult;
  readonly stock: number;
  readonly passed: number;
  readonly skipped: number;
  /** Required and failed: name and error. */
  readonly failed: readonly { readonly name: string; readonly error: string }[];
  /** Not required, and failed: name, reason and error. */
  readonly excused: readonly { readonly name: string; readonly reason: string; readonly error: string }[];
  /** Not required, yet they pass: the list can forget them. */
  readonly surplus: readonly string[];
}

function judge(result: UnitResult, stockTests: readonly string[]): Judgement {
  const reasons = new Map<string, string>();
  for (const entry of excuses.filter(({ unit }) => unit === result.unit)) {
    for (const test of entry.tests) reasons.set(test, entry.reason);
  }
  const passed = result.tests.filter(({ status }) => status === 'ok').map(({ name }) => name);
  // Names repeat within a unit: what stock passes twice, we must pass twice.
  const remaining = [...passed];
  const missing = stockTests.filter((name) => {
    const index = remaining.indexOf(name);
    if (index >= 0) remaining.splice(index, 1);
    return index < 0;
  });
  const errorOf = (name: string): string => {
    const test = result.tests.find((each) => each.name === name && each.status !== 'ok');
    return test === undefined ? 'did not run' : test.status === 'err' ? test.error : test.status;
  };
  return {
    result,
    stock: stockTests.length,
    passed: passed.length,
    skipped: result.tests.filter(({ status }) => status === 'skip' || status === 'ignore').length,
    failed: missing.filter((name) => !reasons.has(name)).map((name) => ({ name, error: errorOf(name) })),
    excused: missing.flatMap((name) => {
      const reason = reasons.get(name);
      return reason === undefined ? [] : [{ name, reason, error: errorOf(name) }];
    }),
    surplus: [...reasons.keys()].filter((name) => passed.includes(name) && !missing.includes(name)),
  };
}

const header = ['unit', 'stock', 'ours', 'required and failed', 'not required', 'skipped', 'seconds', ''];

function row(j: Judgement): string[] {
  const aborted = j.result.aborted === undefined ? '' : 'ABORTED';
  const figures = [j.stock, j.passed, j.failed.length, j.excused.length, j.skipped, j.result.seconds.toFixed(1)];
  return [j.result.unit, ...figures.map(String), aborted];
}

function total(judgements: readonly Judgement[]): string[] {
  const sum = (of: (j: Judgement) => number): string => String(judgements.reduce((n, j) => n + of(j), 0));
  const seconds = judgements.reduce((n, j) => n + j.result.seconds, 0).toFixed(1);
  return [
    'all',
    sum((j) => j.stock),
    sum((j) => j.passed),
    sum((j) => j.failed.length),
    sum((j) => j.excused.length),
    sum((j) => j.skipped),
    seconds,
    '',
  ];
}

function printTable(rows: readonly string[][]): void {
  const widths = header.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  for (const cells of rows) {
    const padded = cells.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    console.log(padded.join('  ').trimEnd());
  }
}

function printDetails(j: Judgement): void {
  const indented = (text: string): string => text.replace(/^/gm, '      ');
  if (j.result.aborted !== undefined) console.log(`${j.result.unit} broke off:\n${indented(j.result.aborted)}`);
  for (const { name, error } of j.failed) console.log(`  FAILED ${j.result.unit}: ${name}\n${indented(error)}`);
  for (const { name, reason, error } of j.excused) {
    if (options['all-errors']) console.log(`  not required (${reason}) ${j.result.unit}: ${name}\n${indented(error)}`);
  }
  for (const name of j.surplus) console.log(`  passes, though it is not required, ${j.result.unit}: ${name}`);
}

interface Endpoint {
  readonly port: number;
  stop(): Promise<void>;
}

async function endpoint(): Promise<Endpoint> {
  if (options.port !== undefined) return { port: Number(options.port), stop: async () => undefined };
  const inCluster = ['--partitions', '8', '--multi-key', 'slot', '--cluster-enabled', 'yes'];
  if (!options.stock) return startLocalCluster(options['cluster-mode'] ? { flags: inCluster } : {});
  // Redis keeps its test commands behind these.
  const open = ['protected-configs', 'debug-command', 'module-command'].flatMap((what) => [`--enable-${what}`, 'yes']);
  if (!options['cluster-mode']) return startRedisServer(open);
  const alone = ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())];
  const server = await startRedisServer([...open, ...alone]);
  const client = new Redis(server.port);
  await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await eventually('the stock cluster of one is up', async () =>
    (await client.cluster('INFO')).includes('cluster_state:ok') ? true : undefined,
  );
  await client.quit();
  return server;
}

async function differential(): Promise<number> {
  const port = options.port === undefined ? undefined : Number(options.port);
  const found = await runDifferential(Number(options.seed), Number(options.commands), { port });
  return found.length === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const suite = redisSuite();
  const chosen = options.unit ?? units;
  let server = await endpoint();
  let parameters = await Parameters.of(server.port);
  const results: UnitResult[] = [];
  try {
    for (const unit of chosen) {
      console.error(`${unit}...`);
      const entries = excuses.filter((entry) => entry.unit === unit && entry.leftOut === true);
      const leftOut = options.stock ? [] : entries.flatMap(({ tests }) => tests);
      const result = await runUnit(suite, unit, server.port, { leftOut, clusterMode: options['cluster-mode'] });
      results.push(result);
      if (result.aborted === undefined || options.port !== undefined) {
        await parameters.putBack();
        continue;
      }
      // it may have left a script that runs, a pause or a password behind: the next one would not even begin
      await server.stop();
      server = await endpoint();
      parameters = await Parameters.of(server.port);
    }
  } finally {
    await server.stop();
  }
  if (options.stock && options.record) {
    const names = (r: UnitResult): string[] => r.tests.filter(({ status }) => status === 'ok').map(({ name }) => name);
    const recorded = Object.fromEntries(results.map((r) => [r.unit, names(r)]));
    writeFileSync(stockFile(mode), `${JSON.stringify({ ...stockTests(mode), ...recorded }, undefined, 2)}\n`);
  }
  const stock = stockTests(mode);
  const judgements = results.map((result) => judge(result, stock[result.unit] ?? []));
  if (options.json) console.log(JSON.stringify(judgements));
  else {
    for (const judgement of judgements) printDetails(judgement);
    printTable([header, ...judgements.map(row), total(judgements)]);
  }
  return judgements.some((j) => j.failed.length > 0 || j.result.aborted !== undefined) ? 1 : 0;
}

if (options.help) console.log(usage);
else process.exitCode = await (options.differential ? differential() : main());
