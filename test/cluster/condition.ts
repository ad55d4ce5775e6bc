/** Waiting in tests and tools is always for a condition and with a deadline. */
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Tries `attempt` until it returns something other than undefined. Errors that it throws count as "not yet"; the
 * last one is the cause of the error when `deadlineMs` passes.
 */
export async function eventually<T>(
  what: string,
  attempt: () => Promise<T | undefined> | T | undefined,
  deadlineMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  let cause: unknown;
  for (;;) {
    try {
      const result = await attempt();
      if (result !== undefined) return result;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause });
    await delay(50);
  }
}
