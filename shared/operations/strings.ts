/** Operations of later versions of Redis on strings, and what WAITAOF asks. */
import { Code, type Expiry } from './codes.js';
import type { Operation } from './operation.js';

/** True when all were set; false when `SetFlag.ifAbsent` or `ifPresent` does not hold for all keys. `Expiry.keep`: each keeps its own. */
export const multiSetExpiring = (pairs: readonly Buffer[], flags: number, expiry: Expiry, ms: number): Operation => [
  Code.multiSetExpiring,
  flags,
  expiry,
  ms,
  ...pairs,
];

/** Whether it was removed: a string that is equal to `compared`, or is not. */
export const removeIf = (key: Buffer, compared: Buffer, equal: boolean): Operation => [
  Code.removeIf,
  key,
  compared,
  equal,
];

/** Whether a write of this partition is on its primary's disk, synced, before it is acknowledged. */
export const writesSynced = (): Operation => [Code.writesSynced];
