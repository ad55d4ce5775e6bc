/**
 * KEYS and SCAN as one operation, for transactions, where they see what was written before them and nothing of what comes
 * after. Else they are walks of many small operations (shared/commands/scan.ts), which hold nobody up.
 */
import { Code } from './codes.js';
import type { Operation } from './operation.js';

export type WalkName = 'keys' | 'scan';

/** The reply to the command. `args`: without its name. */
export const walk = (name: WalkName, args: readonly Buffer[]): Operation => [Code.walk, name, ...args];
