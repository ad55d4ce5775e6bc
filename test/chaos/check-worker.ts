/** The thread that checks histories, so that the clients' clock is not held up by it. */
import { parentPort } from 'node:worker_threads';
import { checkHistory } from '../checking/check.js';
import type { Operation } from '../checking/history.js';

export interface CheckRequest {
  readonly id: number;
  readonly operations: readonly Operation[];
}

export interface CheckAnswer {
  readonly id: number;
  readonly failures: readonly { readonly kind: 'violation' | 'undecided'; readonly explanation: string }[];
}

parentPort?.on('message', ({ id, operations }: CheckRequest) => {
  const failures = checkHistory(operations).failures.map(({ kind, explanation }) => ({ kind, explanation }));
  parentPort?.postMessage({ id, failures } satisfies CheckAnswer);
});
