/** A worker thread of `npm run sim`: runs the seeds that it is given, one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { runSeed, type RunOptions, type RunResult } from './run.js';

export type SeedOutcome =
  | { readonly seed: number; readonly result: RunResult; readonly error?: undefined }
  | { readonly seed: number; readonly error: string };

parentPort?.on('message', (seed: number) => {
  let outcome: SeedOutcome;
  try {
    outcome = { seed, result: runSeed({ seed, ...(workerData as Omit<RunOptions, 'seed'>) }) };
  } catch (error) {
    outcome = { seed, error: (error as Error).message };
  }
  parentPort?.postMessage(outcome);
});
