/**
 * `npm run conformance -- --differential`: random commands to a cluster of its own and to a stock redis-server side by
 * side, in RESP2 and RESP3, until so many were compared. A round's seed says all of it: `--seed S --commands 1` is
 * round S again.
 */
import { performance } from 'node:perf_hooks';
import { startLocalCluster } from '../../cluster/local-cluster.js';
import { startRedisServer } from '../../cluster/redis-server.js';
import { type Difference, runRound } from './round.js';

const ROUND_COMMANDS = 2_000;
/** On a machine that is busy with something else, too, an answer that comes late is no difference. */
const patience = ['--request-timeout-ms', '300000'];
/** After so many rounds that differ the rest would tell nothing new. */
const differencesMax = 20;
const progressEveryMs = 10_000;

export interface DifferentialOptions {
  /** Of a cluster that runs already. */
  readonly port?: number | undefined;
  readonly roundCommands?: number;
}

/** The rounds that differed. */
export async function runDifferential(
  seed: number,
  commands: number,
  { port, roundCommands = ROUND_COMMANDS }: DifferentialOptions = {},
): Promise<readonly Difference[]> {
  const cluster =
    port === undefined ? await startLocalCluster({ flags: patience }) : { port, stop: async () => undefined };
  const redis = await startRedisServer();
  const found: Difference[] = [];
  let compared = 0;
  let shownMs = performance.now();
  try {
    for (let round = seed; compared < commands && found.length < differencesMax; round++) {
      const difference = await runRound(cluster, redis, round, roundCommands, (count) => (compared += count));
      if (difference !== null) {
        found.push(difference);
        console.log(described(difference));
      }
      if (performance.now() - shownMs < progressEveryMs) continue;
      shownMs = performance.now();
      console.log(`${compared} commands compared, up to seed ${round}, ${found.length} differences`);
    }
  } finally {
    await redis.stop();
    await cluster.stop();
  }
  console.log(`${compared} commands compared from seed ${seed} on, ${found.length} rounds with a difference`);
  return found;
}

const shownMax = 2_000;

function described({ seed, kind, resp, words, before, ours, theirs }: Difference): string {
  const line = (each: readonly string[]): string => each.map((word) => JSON.stringify(word)).join(' ');
  const cut = (text: string): string => JSON.stringify(text.length > shownMax ? `${text.slice(0, shownMax)}...` : text);
  return [
    `seed ${seed} (${kind}, RESP${resp}): ${line(words)}`,
    ...before.map((each) => `    after ${line(each)}`),
    `    ours   ${cut(ours)}`,
    `    Redis  ${cut(theirs)}`,
  ].join('\n');
}
