/**
 * `npm run sim`: runs seeds, in as many worker threads as `--jobs` says, and says how fast.
 * A single seed replays exactly; `--log` tells its story.
 */
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { faultKinds } from './faults.js';
import { plants } from './plants.js';
import { runSeed, type RunOptions } from './run.js';
import type { SeedOutcome } from './seed-worker.js';

/** Nearly everything dies young, but lives for an event or two: with little room it would be copied first. */
const YOUNG_MB = 128;

const HELP = `npm run sim -- [options]
  --seeds N         how many seeds (100)
  --seed S          the first one (1); with S alone, only that one
  --jobs J          worker threads (2)
  --log             tell what happens (with one seed)
  --messages        with --log: every message, too
  --plant NAME      with a bug put in on purpose, which the seeds should find
  --only KINDS      only these kinds of fault, separated by commas
  --faults MS       how long the safety phase lasts (40000)
  --servers, --partitions, --clients N, --fsync MODE, --hostile: instead of what the seed draws
kinds of fault: ${faultKinds.map(({ name }) => name).join(', ')}
bugs to plant: ${plants.map(({ name }) => name).join(', ')}`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    log: { type: 'boolean', default: false },
    messages: { type: 'boolean', default: false },
    plant: { type: 'string' },
    only: { type: 'string' },
    faults: { type: 'string' },
    servers: { type: 'string' },
    partitions: { type: 'string' },
    clients: { type: 'string' },
    fsync: { type: 'string' },
    hostile: { type: 'boolean' },
    help: { type: 'boolean', default: false },
  },
});

const wishes: Omit<RunOptions, 'seed'> = {
  ...(values.plant === undefined ? {} : { plant: values.plant }),
  ...(values.only === undefined ? {} : { only: values.only.split(',') }),
  ...(values.faults === undefined ? {} : { faultMs: Number(values.faults) }),
  ...(values.servers === undefined ? {} : { servers: Number(values.servers) }),
  ...(values.partitions === undefined ? {} : { partitions: Number(values.partitions) }),
  ...(values.clients === undefined ? {} : { clients: Number(values.clients) }),
  ...(values.fsync === undefined ? {} : { fsync: values.fsync as NonNullable<RunOptions['fsync']> }),
  ...(values.hostile === undefined ? {} : { hostile: values.hostile }),
};
const first = Number(values.seed ?? 1);
const count = Number(values.seeds ?? (values.seed === undefined ? 100 : 1));

if (values.help) console.log(HELP);
else if (count === 1) runOne();
else runMany();

function runOne(): void {
  const started = performance.now();
  try {
    const result = runSeed({
      seed: first,
      ...wishes,
      ...(values.log ? { tell: (line) => console.log(line), messages: values.messages } : {}),
    });
    console.log(JSON.stringify(result));
    console.log(`${speed(result.virtualMs, performance.now() - started)} virtual minutes a minute`);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
}

function runMany(): void {
  const started = performance.now();
  const faults: Record<string, number> = {};
  let next = first;
  let virtualMs = 0;
  let operations = 0;
  let failed = 0;
  let lost = 0;
  let busy = 0;
  const end = first + count;
  const onOutcome = (outcome: SeedOutcome): void => {
    if (outcome.error !== undefined) {
      failed++;
      console.error(outcome.error);
      return;
    }
    virtualMs += outcome.result.virtualMs;
    operations += outcome.result.operations;
    if (outcome.result.loss !== undefined) lost++;
    for (const [kind, times] of Object.entries(outcome.result.faults)) faults[kind] = (faults[kind] ?? 0) + times;
  };
  const summary = (): void => {
    const used = Object.entries(faults).map(([kind, times]) => `${kind} ${times}`);
    console.log(`faults: ${used.join(', ')}`);
    console.log(
      `${count} seeds from ${first}, ${failed} failed, ${lost} with an allowed loss, ${operations} operations, ` +
        `${(virtualMs / 60_000).toFixed(0)} virtual minutes, ${speed(virtualMs, performance.now() - started)} a minute`,
    );
    process.exitCode = failed > 0 ? 1 : 0;
  };
  for (let i = 0; i < Number(values.jobs); i++) {
    const worker = new Worker(new URL('./seed-worker.js', import.meta.url), {
      workerData: wishes,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    const give = (): void => {
      if (next < end) return worker.postMessage(next++);
      busy--;
      if (busy === 0) summary();
      void worker.terminate();
    };
    busy++;
    worker.on('message', (outcome: SeedOutcome) => {
      onOutcome(outcome);
      give();
    });
    worker.on('error', (error) => {
      throw error;
    });
    give();
  }
}

function speed(virtualMs: number, realMs: number): string {
  return (virtualMs / realMs).toFixed(0);
}
