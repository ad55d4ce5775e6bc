/** `npm run sim -- --seeds N [--seed S]`: runs seeds one after the other and says how fast. */
import { parseArgs } from 'node:util';
import { createLogger } from '../../shared/logging.js';
import { runSeed } from './run.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    partitions: { type: 'string', default: '1' },
    faults: { type: 'string', default: '40000' },
    log: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed);
const started = performance.now();
let virtualMs = 0;
let failed = 0;
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  try {
    const result = runSeed({
      seed,
      partitions: Number(values.partitions),
      faultMs: Number(values.faults),
      ...(values.log ? { logger: createLogger('debug', {}) } : {}),
    });
    virtualMs += result.virtualMs;
    if (values.seeds === '1') console.log(JSON.stringify(result));
  } catch (error) {
    failed++;
    console.error((error as Error).message);
    if (values.seeds === '1') console.error(error);
  }
}
const minutes = (performance.now() - started) / 60_000;
console.log(
  `${values.seeds} seeds from ${first}, ${failed} failed, ${(virtualMs / 60_000 / minutes).toFixed(0)} virtual minutes a minute`,
);
process.exitCode = failed > 0 ? 1 : 0;
