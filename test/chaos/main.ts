/**
 * `npm run chaos`: real processes under faults. Without a scenario, every kind of fault for some minutes; a scenario checks
 * what is promised about one. The exit code is 1 when something was not as promised.
 */
import { parseArgs } from 'node:util';
import { loadSettings } from '../../shared/config/load.js';
import type { Need } from './surroundings.js';
import { conclude, type Verdict } from './report.js';

const usage = `npm run chaos -- [options]
  --scenario NAME   one of: mixed (default), kill-primary, pause-primary, power-loss, rejoin
  --seed N          what chance decides (a new one each time)
 mixed:
  --minutes N       how long faults go on (5)
  --only TEXT       kinds of faults whose names contain one of these, with commas between
  --without NEEDS   what not to use, with commas between: namespaces, nft, tmpfs, shim, root
  --servers N --proxies N --partitions N --clients N   (3, 2, 2, 40)
  --pause-ms N      mean pause of a client between two pipelines (40)
 kill-primary, pause-primary, power-loss, rejoin:
  --times N         how often (20; rejoin: 1)
  --fsync MODE      of power-loss: always (default) or everysec
  --pause-secs N    how long each stop of pause-primary is (30)
 rejoin:
  --gigabytes N     what the returning server has to learn (5)
  --rate N          operations a second meanwhile, half of them writes (1000)
  --phase-secs N    length of the phases to compare with (20)
  --cache SIZE      cacheBytes of each server (256mb)`;

const { values: given } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'mixed' },
    minutes: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    without: { type: 'string', default: '' },
    servers: { type: 'string', default: '3' },
    proxies: { type: 'string', default: '2' },
    partitions: { type: 'string', default: '2' },
    clients: { type: 'string', default: '40' },
    'pause-ms': { type: 'string', default: '40' },
    'pause-secs': { type: 'string', default: '30' },
    fsync: { type: 'string', default: 'always' },
    times: { type: 'string' },
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

const times = Number(given.times ?? 20);
const load = { seed, clients: Number(given.clients), pauseMs: Number(given['pause-ms']), say };

const scenarios: Readonly<Record<string, () => Promise<Verdict>>> = {
  mixed: async () =>
    (await import('./mixed.js')).mixed({
      ...load,
      minutes: Number(given.minutes),
      servers: Number(given.servers),
      proxies: Number(given.proxies),
      partitions: Number(given.partitions),
      only: listed(given.only),
      without: listed(given.without) as Need[],
    }),
  'kill-primary': async () => (await import('./kill-primary.js')).killPrimary({ ...load, times }),
  'pause-primary': async () =>
    (await import('./pause-primary.js')).pausePrimary({
      ...load,
      times,
      pauseSeconds: Number(given['pause-secs']),
    }),
  'power-loss': async () =>
    (await import('./power-loss.js')).powerLoss({
      ...load,
      times,
      fsync: given.fsync === 'everysec' ? 'everysec' : 'always',
    }),
  rejoin: async () =>
    (await import('./rejoin.js')).rejoin({
      seed,
      gigabytes: Number(given.gigabytes),
      rate: Number(given.rate),
      phaseSeconds: Number(given['phase-secs']),
      times: Number(given.times ?? 1),
      cacheBytes: loadSettings({ environment: {}, flags: { cacheBytes: given.cache } }).cacheBytes,
      say,
    }),
};

function listed(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

const run = scenarios[given.scenario];
if (given.help || run === undefined) {
  console.log(usage);
  process.exit(given.help ? 0 : 2);
}
console.log(`scenario ${given.scenario}, seed ${seed}`);
process.exit(conclude(given.scenario, await run()));
