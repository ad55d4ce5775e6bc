/**
 * `npm run bench:large`: huge collections disturb nobody.
 *
 * A hash, a set, a sorted set and a list of millions of elements are built, read by element and by range, intersected
 * with a small one, deleted and swept, one after the other in a local cluster as `npm start` has it. All the while a
 * second client asks for small keys at a steady rate: its p99 must stay under 10 ms in every phase, and each server
 * process under 600 MB resident.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Connection, ErrorReply } from '../chaos/connection.js';
import { Random } from '../chaos/random.js';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';
import { applyLoad } from './load.js';
import { batch, type Phase, types } from './large-phases.js';
import { MemoryWatch } from './memory-watch.js';
import { SteadyReader } from './steady-reader.js';

const usage = `npm run bench:large -- [options]
  --elements N   of each collection (5000000)
  --type TEXT    only types whose name contains TEXT
  --secs N       seconds of each phase that reads (5)
  --depth N      commands of the first client that are unanswered at a time (2), each of ${batch} elements while it builds
  --rate N       GETs of the second client a second (500)
  --p99 MS       what their p99 may be (10)
  --limit MB     what a server process may have resident (600)
  --seed N       what is read (1)`;

const { values: options } = parseArgs({
  options: {
    elements: { type: 'string', default: '5000000' },
    type: { type: 'string', default: '' },
    secs: { type: 'string', default: '5' },
    depth: { type: 'string', default: '2' },
    rate: { type: 'string', default: '500' },
    p99: { type: 'string', default: '10' },
    limit: { type: 'string', default: '600' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

const smallKeys = 10_000;
const columns = [12, 18, 9, 9, 11, 11, 9, 9, 9, 9];

function printRow(cells: readonly string[]): void {
  console.log(cells.map((cell, i) => (i < 2 ? cell.padEnd(columns[i]!) : cell.padStart(columns[i]!))).join(''));
}

interface Done {
  readonly seconds: number;
  readonly commands: number;
  /** Of one command, the slowest. */
  readonly slowestMs: number;
}

/** Keeps `depth` commands under way until the phase is over. */
function run(connection: Connection, phase: Phase, depth: number, secondsMax: number): Promise<Done> {
  const begunMs = performance.now();
  let sent = 0;
  let answered = 0;
  let slowestMs = 0;
  return new Promise((resolve, reject) => {
    const isOver = (): boolean =>
      phase.total === null ? performance.now() - begunMs >= secondsMax * 1_000 : sent >= phase.total;
    const next = (): void => {
      if (isOver()) {
        if (answered === sent) resolve({ seconds: (performance.now() - begunMs) / 1_000, commands: sent, slowestMs });
        return;
      }
      const words = phase.command(sent);
      const sentMs = performance.now();
      sent++;
      connection.send(words, (reply) => {
        if (reply === undefined || reply instanceof ErrorReply) {
          const text = reply === undefined ? 'the connection was lost' : reply.text;
          reject(new Error(`${phase.name}, ${words.slice(0, 3).join(' ')} ...: ${text}`));
          return;
        }
        answered++;
        slowestMs = Math.max(slowestMs, performance.now() - sentMs);
        next();
      });
    };
    for (let i = 0; i < depth; i++) next();
  });
}

interface Watched {
  readonly cluster: LocalCluster;
  readonly reader: SteadyReader;
}

/** Runs what is to be measured, prints its row and returns what was not as it must be. */
async function measured(watched: Watched, type: string, name: string, work: () => Promise<Done>): Promise<string[]> {
  await watched.reader.take();
  const watch = new MemoryWatch(watched.cluster);
  const done = await work();
  const gets = await watched.reader.take();
  const peaks = watch.stop();
  const server = Math.max(
    ...[...peaks].filter(([node]) => node.startsWith('server')).map(([, megabytes]) => megabytes),
  );
  printRow([
    type,
    name,
    `${done.seconds.toFixed(1)} s`,
    String(done.commands),
    `${Math.round(done.commands / done.seconds)}/s`,
    `${done.slowestMs.toFixed(1)} ms`,
    gets.p50Ms.toFixed(2),
    gets.p99Ms.toFixed(2),
    gets.maxMs.toFixed(1),
    `${Math.round(server)} MB`,
  ]);
  const where = `${type}, ${name}`;
  return [
    ...(gets.p99Ms >= Number(options.p99) ? [`${where}: the GETs had a p99 of ${gets.p99Ms.toFixed(1)} ms`] : []),
    ...(gets.errors > 0 ? [`${where}: ${gets.errors} GETs failed`] : []),
    ...(server >= Number(options.limit) ? [`${where}: a server had ${Math.round(server)} MB resident`] : []),
  ];
}

async function main(): Promise<number> {
  const cluster = await startLocalCluster();
  const random = new Random(Number(options.seed));
  const seconds = Number(options.secs);
  const problems: string[] = [];
  try {
    await applyLoad({ port: cluster.port, mode: 'fill', keys: smallKeys, valueBytes: 100, pipeline: 16 });
    const reader = await SteadyReader.start({ port: cluster.port, perSecond: Number(options.rate), keys: smallKeys });
    const watched = { cluster, reader };
    const connection = await Connection.open('127.0.0.1', cluster.port);
    printRow(['type', 'phase', 'time', 'commands', 'rate', 'slowest', 'GET p50', 'p99', 'max ms', 'server']);
    const resting = async (): Promise<Done> => {
      await delay(seconds * 1_000);
      return { seconds, commands: 0, slowestMs: 0 };
    };
    problems.push(...(await measured(watched, '', 'at rest', resting)));
    for (const { type, phases } of types.filter((each) => each.type.includes(options.type))) {
      for (const phase of phases(Number(options.elements), random)) {
        const work = (): Promise<Done> => run(connection, phase, Number(options.depth), seconds);
        problems.push(...(await measured(watched, type, phase.name, work)));
      }
      problems.push(...(await measured(watched, type, 'while it is swept', resting)));
      await connection.ask('DEL', 'small', 'common');
    }
    connection.end();
    await reader.stop();
  } finally {
    await cluster.stop();
  }
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) console.log(`every p99 under ${options.p99} ms, every server under ${options.limit} MB`);
  return problems.length === 0 ? 0 : 1;
}

if (options.help) console.log(usage);
else process.exitCode = await main();
