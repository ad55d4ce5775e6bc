/** maxmemory, as a partition has it. */
import { Code } from './codes.js';
import type { Operation } from './operation.js';

/** `[logical bytes, rows evicted by this primary, maxmemory, policy, samples]`: see `setMemoryLimits`. */
export const memory = (): Operation => [Code.memory];

/**
 * True. What a partition may hold in logical bytes (0: no limit), Redis's maxmemory-policy and maxmemory-samples, and what
 * maxmemory is of the whole table.
 */
export const setMemoryLimits = (bytes: number, policy: string, samples: number, maxmemory: number): Operation => [
  Code.setMemoryLimits,
  bytes,
  policy,
  samples,
  maxmemory,
];
