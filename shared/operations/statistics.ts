/** What a partition's primary counts for INFO since it began, or since it was told to begin anew. Not replicated. */
import { Code } from './codes.js';
import type { Operation } from './operation.js';

/**
 * `[rows expired, scripts known, bytes of their text, libraries, functions, commands, errors]`; of each command that scripts
 * called `[name, calls, microseconds, rejected, failed]`, of each kind of error that they met and kept for themselves
 * `[kind, count]`.
 */
export const statistics = (): Operation => [Code.statistics];

/** True. What was expired, evicted and called counts from 0 again. */
export const resetStatistics = (): Operation => [Code.resetStatistics];
