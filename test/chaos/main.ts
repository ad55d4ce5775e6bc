/**
 * `npm run chaos`: real processes under faults. A scenario checks what is promised about one kind of fault. The exit code is 1 when something was not as promised.
 */
import { parseArgs } from 'node:util';
import { loadSettings } from '../../shared/config/load.js';
import { conclude, type Verdict } from './report.js';

const usage = `npm run chaos -- [options]
  --scenario NAME   one of: rejoin
  --seed N          what chance decides (a new one each time)
 rejoin:
  --gigabytes N     what the returning server has to learn (5)
  --rate N          operations a second meanwhile, half of them writes (1000)
  --phase-secs N    length of the phases to compare with (20)
  --cache SIZE      cacheBytes of each server (256mb)`;

const { values: given } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'rejoin' },
    seed: { type: 'string' },
    gigabytes: { type: 'string', default: '5' },
    rate: { type: 'string', default: '1000' },
    'phase-secs': { type: 'string', default: '20' },
    cache: { type: 'string', default: '256mb' },
    help: { type: 'boolean', default: false },
  },
});

const seed = given.seed === undefined ? Date.now() % 1_000_000 : Number(given.seed);
const say = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);

const scenarios: Readonly<Record<string, () => Promise<Verdict>>> = {
  rejoin: async () =>
    (await import('./rejoin.js')).rejoin({
      seed,
      gigabytes: Number(given.gigabytes),
      rate: Number(given.rate),
      phaseSeconds: Number(given['phase-secs']),
      cacheBytes: loadSettings({ environment: {}, flags: { cacheBytes: given.cache } }).cacheBytes,
      say,
    }),
};

const run = scenarios[given.scenario];
if (given.help || run === undefined) {
  console.log(usage);
  process.exit(given.help ? 0 : 2);
}
console.log(`scenario ${given.scenario}, seed ${seed}`);
process.exit(conclude(given.scenario, await run()));
