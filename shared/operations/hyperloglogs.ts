/** Operations on HyperLogLogs, which are strings (shared/hyperloglog). `sparseBytes`: a longer one becomes dense. */
import { Code } from './codes.js';
import type { Operation } from './operation.js';

/** True when it is new or a register has changed. `observations`: packed, see shared/hyperloglog/observation.ts. */
export const sketchAdd = (key: Buffer, observations: Buffer, sparseBytes: number): Operation => [
  Code.sketchAdd,
  key,
  observations,
  sparseBytes,
];

/** The estimated number of different elements, an Integer; it is kept with the sketch. 0 when absent. */
export const sketchCount = (key: Buffer): Operation => [Code.sketchCount, key];

/** The estimate for all of them together. */
export const sketchUnionCount = (keys: readonly Buffer[]): Operation => [Code.sketchUnionCount, ...keys];

/** True. What is at `to`, if anything, is one of those merged. */
export const sketchMerge = (to: Buffer, keys: readonly Buffer[], sparseBytes: number): Operation => [
  Code.sketchMerge,
  sparseBytes,
  to,
  ...keys,
];

/** What `sketchInspect` returns. */
export const SketchFact = {
  /** All registers; the sketch becomes dense. */
  registers: 1,
  /** A sparse one's runs, as PFDEBUG DECODE writes them. */
  runs: 2,
  /** `dense` or `sparse`. */
  encoding: 3,
  /** Whether it became dense by this. */
  becomeDense: 4,
} as const;
export type SketchFact = (typeof SketchFact)[keyof typeof SketchFact];

/** `refusal`: what is wrong with the arguments; Redis looks at the key first. */
export const sketchInspect = (key: Buffer, fact: SketchFact, refusal: string | null): Operation => [
  Code.sketchInspect,
  key,
  fact,
  refusal,
];
