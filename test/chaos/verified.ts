/**
 * A cluster under load while something is done to it, and everything that must hold afterwards whatever that was: each
 * history linearizable, counters and witnesses as acknowledged, all replicas equal.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../cluster/local-cluster.js';
import type { ChaosCluster } from './cluster.js';
import { type LoadClient, newClient } from './clients.js';
import { Crews } from './crews.js';
import { Histories } from './histories.js';
import { Load } from './load.js';
import { Random } from './random.js';
import { describeGaps, megabytes, type Verdict } from './report.js';

export interface VerifiedOptions {
  readonly seed: number;
  readonly clients: number;
  /** A client's mean pause between two pipelines. */
  readonly pauseMs: number;
  readonly say: (line: string) => void;
}

/** Of the clients, those that are bare connections; the others are ioredis. */
const BARE_SHARE = 2 / 3;
const REPLICAS = 3;
const COMPLAINTS_MAX = 10;

/** `run` adds what is wrong to `failures` and returns lines for the summary. Stops the cluster at the end. */
export async function verified(
  cluster: ChaosCluster,
  { seed, clients, pauseMs, say }: VerifiedOptions,
  run: (load: Load, failures: string[]) => Promise<string[]>,
): Promise<Verdict> {
  const keptFolder = join(projectFolder, '.cache', `chaos-${seed}`);
  const failures: string[] = [];
  try {
    const histories = new Histories(keptFolder);
    const bareClients = Math.round(clients * BARE_SHARE);
    const proxies = cluster.withRole('proxy').map((member) => member.options);
    const partitions = (await cluster.partitions()).map(({ slots }) => slots);
    const random = new Random(seed ^ 0x5eed);
    const load = new Load(
      {
        proxies,
        partitions,
        bareClients,
        ioredisClients: clients - bareClients,
        pauseMs,
      },
      histories,
      random,
    );
    let crewClients = 0;
    const newCrewClient = (name: string): LoadClient => {
      const at = crewClients++;
      return newClient(at % 3 === 0 ? 'ioredis' : 'bare', name, at, proxies);
    };
    const crews = new Crews({ partitions, pauseMs, newClient: newCrewClient }, load, random.fork());
    const summary: string[] = [];
    try {
      summary.push(...(await run(load, failures)));
      await Promise.all([load.stop(), crews.stop()]);
      say('the load has stopped; checking');
      failures.push(...(await load.lasting()).slice(0, COMPLAINTS_MAX));
      await cluster.untilWhole();
      await cluster.equalChecksums(REPLICAS);
      say('the checksums of all replicas are equal');
    } catch (error) {
      failures.push(error instanceof Error ? `${error.message} ${String(error.cause ?? '')}` : String(error));
    } finally {
      load.close();
      crews.close();
    }
    await histories.drain();
    failures.push(...histories.violations.slice(0, COMPLAINTS_MAX));
    failures.push(...crews.violations.slice(0, COMPLAINTS_MAX));
    if (histories.undecided > 0) failures.push(`${histories.undecided} histories could not be decided: ${keptFolder}`);
    const memory = [...cluster.memory()].map(([name, bytes]) => `${name} ${megabytes(bytes)}`);
    return {
      failures,
      summary: [
        ...describeGaps(load.gaps.calm, load.gaps.faults),
        ...summary,
        `${load.operations} operations, ${load.acknowledged} acknowledged`,
        `${histories.checked} histories of ${histories.operations} operations checked, ${load.witnessCount} early writes read again`,
        `${crews.rounds} rounds of clients that hand over, wait and move amounts, with all tokens accounted for`,
        `memory at most: ${memory.join(', ')}, this process ${megabytes(process.resourceUsage().maxRSS * 1024)}`,
      ],
    };
  } finally {
    if (failures.length > 0) {
      cpSync(join(cluster.directory, 'logs'), join(keptFolder, 'logs'), { recursive: true });
      say(`logs of the processes: ${join(keptFolder, 'logs')}`);
    }
    await cluster.stop();
  }
}
