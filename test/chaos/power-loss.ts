/**
 * Power failures of real processes: everything stops at one moment, and what was not synced is gone (lost-power.ts).
 *
 * - With `fsync always`, all machines lose power together, again and again: nothing acknowledged may be lost.
 * - With `everysec`, one or two of the three machines do: nothing may be lost either. Then all do: what is lost then
 *   must have been acknowledged within the documented window.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../cluster/condition.js';
import { ChaosCluster } from './cluster.js';
import { BareClient } from './clients.js';
import { ErrorReply } from './connection.js';
import { type Loss, losePower } from './lost-power.js';
import type { Member } from './member.js';
import { Random } from './random.js';
import { describeFault, type Verdict } from './report.js';
import { Everything } from './surroundings.js';
import { verified, type VerifiedOptions } from './verified.js';

export interface PowerLossOptions extends VerifiedOptions {
  readonly times: number;
  readonly fsync: 'always' | 'everysec';
}

const LOAD_MS = [1_500, 4_000] as const;
/** "About the last second": the log is synced a second after the last sync ended, and a sync takes a while. */
const WINDOW_MS_MAX = 2_000;
const WRITERS = 16;
const WRITER_PAUSE_MS = 5;

export async function powerLoss(options: PowerLossOptions): Promise<Verdict> {
  const random = new Random(options.seed);
  const verdict = await underLoad(options, random);
  if (options.fsync === 'always') return verdict;
  const window = await measureWindow(options, random);
  return {
    failures: [...verdict.failures, ...window.failures],
    summary: [...verdict.summary, ...window.summary],
  };
}

function start({ fsync }: PowerLossOptions): Promise<ChaosCluster> {
  const names = ['meta', 'server-1', 'server-2', 'server-3', 'proxy-1'];
  return ChaosCluster.start({
    settings: { fsync, cacheBytes: 64 * 2 ** 20 },
    surroundings: (directory) => new Everything(directory, { names, needs: ['shim'], diskBytes: 0, journal: true }),
  });
}

/** Cuts the power of these machines, and switches it on again. When it was cut, and what that took. */
async function cutPower(
  cluster: ChaosCluster,
  members: readonly Member[],
  random: Random,
): Promise<{ readonly atMs: number; readonly loss: Loss }> {
  const { surroundings } = cluster;
  if (!(surroundings instanceof Everything)) throw new Error('the cluster was started elsewhere');
  for (const member of members) member.signal('SIGSTOP'); // at one moment, as far as one can
  const atMs = performance.now();
  await Promise.all(members.map((member) => member.hold()));
  const losses = members
    .filter(({ options }) => options.role !== 'proxy')
    .map(({ name, options }) =>
      losePower(options.folder, surroundings.journalOf(name), surroundings.keptOf(name), random),
    );
  for (const member of members) member.start();
  const sum = (field: keyof Loss): number => losses.reduce((total, loss) => total + loss[field], 0);
  return { atMs, loss: { bytes: sum('bytes'), names: sum('names') } };
}

async function underLoad(options: PowerLossOptions, random: Random): Promise<Verdict> {
  const { times, fsync, say } = options;
  const cluster = await start(options);
  return verified(cluster, options, async (load, failures) => {
    let bytes = 0;
    let names = 0;
    for (let time = 1; time <= times && failures.length === 0; time++) {
      await delay(random.between(...LOAD_MS));
      const servers = cluster.withRole('server');
      const first = random.between(0, 2);
      const one = random.chance(0.5);
      const some = servers.filter((_, at) => (at === first) === one);
      const members = fsync === 'always' ? cluster.members : some;
      const record = load.gaps.begin(`power of ${members === some ? 'some servers' : 'everything'}`);
      const { loss } = await cutPower(cluster, members, random);
      bytes += loss.bytes;
      names += loss.names;
      await cluster.untilWhole();
      const wholeMs = performance.now();
      await eventually('writes go on', () => load.gaps.allAcknowledgedSince(wholeMs) || undefined);
      say(`${time} of ${times}: ${describeFault(record)}; lost ${loss.bytes} bytes, ${loss.names} names`);
      for (const { name, how } of cluster.takeDeaths()) failures.push(`${name} ended by itself: ${how}`);
    }
    return [`fsync ${fsync}: ${times} power failures took ${bytes} bytes and ${names} names that were not synced`];
  });
}

/** One client that counts a key of its own up, and remembers when each value was acknowledged. */
class CountingWriter {
  readonly key: string;
  readonly acknowledged: { readonly value: number; readonly atMs: number }[] = [];
  private readonly client: BareClient;
  private value = 0;
  private running = true;
  private readonly done: Promise<void>;

  constructor(at: number, host: string, port: number) {
    this.key = `counting:${at}`;
    this.client = new BareClient(this.key, () => ({ host, port }));
    this.done = this.write();
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.done;
    this.client.close();
  }

  private async write(): Promise<void> {
    while (this.running && (await this.client.untilConnected())) {
      const value = ++this.value;
      await new Promise<void>((resolve) =>
        this.client.pipeline([['SET', this.key, String(value)]], (_, reply) => {
          if (reply === 'OK') this.acknowledged.push({ value, atMs: performance.now() });
          resolve();
        }),
      );
      await delay(WRITER_PAUSE_MS);
    }
  }
}

/** How old, at the moment of the failure, the oldest acknowledged write was that is lost when all lose power. */
async function measureWindow(options: PowerLossOptions, random: Random): Promise<Verdict> {
  const cluster = await start(options);
  const windows: number[] = [];
  try {
    const [proxy] = cluster.withRole('proxy');
    if (proxy === undefined) throw new Error('the cluster has no proxy');
    const { host, port } = proxy.options;
    for (let time = 1; time <= options.times; time++) {
      const writers = Array.from({ length: WRITERS }, (_, at) => new CountingWriter(at, host, port));
      await delay(random.between(...LOAD_MS));
      const stopping = Promise.all(writers.map((writer) => writer.stop()));
      const { atMs, loss } = await cutPower(cluster, cluster.members, random);
      await stopping;
      await cluster.untilWhole();
      const reader = new BareClient('reader', () => ({ host, port }));
      let windowMs = 0;
      for (const { key, acknowledged } of writers) {
        const found = Number(await eventually('keys can be read', () => readKey(reader, key)));
        const [oldest] = acknowledged.filter(({ value }) => value > found);
        if (oldest !== undefined) windowMs = Math.max(windowMs, atMs - oldest.atMs);
      }
      reader.close();
      windows.push(windowMs);
      options.say(`${time}: lost ${loss.bytes} bytes; the oldest lost write was ${windowMs.toFixed(0)} ms old`);
    }
    await cluster.equalChecksums();
  } finally {
    await cluster.stop();
  }
  const longest = Math.max(...windows);
  return {
    summary: [
      `fsync everysec, all at once: what was lost had been acknowledged at most ${longest.toFixed(0)} ms before (at most ${WINDOW_MS_MAX})`,
    ],
    failures:
      longest > WINDOW_MS_MAX ? [`a write acknowledged ${longest.toFixed(0)} ms before the failure is lost`] : [],
  };
}

async function readKey(client: BareClient, key: string): Promise<string | undefined> {
  await client.untilConnected();
  return new Promise((resolve) =>
    client.pipeline([['GET', key]], (_, reply) =>
      resolve(reply === undefined || reply instanceof ErrorReply ? undefined : String(reply ?? 0)),
    ),
  );
}
