/**
 * The second client of `npm run bench:large`: a thread that asks for one small key after the other at a steady rate,
 * whatever the first one does. A thread of its own, so that the first client's work does not make its clock late.
 */
import { parentPort, workerData, Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { OpenLoad } from '../chaos/open-load.js';
import { Random } from '../chaos/random.js';

const connections = 4;
const seed = 1;

export interface SteadyOptions {
  readonly port: number;
  readonly perSecond: number;
  readonly keys: number;
}

/** What it was answered since the last look. */
export interface SteadyFigures {
  readonly reads: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly errors: number;
}

export class SteadyReader {
  private readonly worker: Worker;

  private constructor(worker: Worker) {
    this.worker = worker;
  }

  /** The keys are as test/bench/load.c fills them. */
  static async start(options: SteadyOptions): Promise<SteadyReader> {
    const worker = new Worker(new URL(import.meta.url), { workerData: options });
    await once(worker, 'message');
    return new SteadyReader(worker);
  }

  async take(): Promise<SteadyFigures> {
    const answer = once(this.worker, 'message');
    this.worker.postMessage('take');
    const [figures] = (await answer) as [SteadyFigures];
    return figures;
  }

  async stop(): Promise<void> {
    await this.worker.terminate();
  }
}

async function read(options: SteadyOptions): Promise<void> {
  const load = await OpenLoad.start(
    { host: '127.0.0.1', connections, valueBytes: 0, reading: 1, ...options },
    new Random(seed),
  );
  parentPort?.on('message', () => {
    const latencies = load.takeLatencies();
    parentPort?.postMessage({
      reads: latencies.count,
      p50Ms: latencies.percentile(0.5),
      p99Ms: latencies.percentile(0.99),
      maxMs: latencies.maxMs,
      errors: [...load.errors.values()].reduce((sum, count) => sum + count, 0),
    } satisfies SteadyFigures);
    load.errors.clear();
  });
  parentPort?.postMessage('ready');
}

if (parentPort !== null) await read(workerData as SteadyOptions);
