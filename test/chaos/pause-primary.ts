/**
 * A primary that is stopped for much longer than its lease and then goes on, while clients hold on to it: it must not
 * answer a read with what has been overwritten since, nor execute anything, until it holds a lease again.
 *
 * Beside the load of verified.ts there is one writer, which counts a register up through whoever is primary, and in
 * each round a client pinned to the primary of that moment, which keeps reading the register and writing to a field of
 * its own: before the stop, into the socket while the server is stopped, and after it goes on.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../../shared/client/connect.js';
import type { TulparTable } from '../../shared/client/table.js';
import { DEFAULT_TABLE } from '../../shared/cluster.js';
import { OperatingError } from '../../shared/errors.js';
import { eventually } from '../cluster/condition.js';
import { isStopped } from '../cluster/processes.js';
import { ChaosCluster } from './cluster.js';
import { PinnedClient } from './pinned-client.js';
import { describeFault, type Verdict } from './report.js';
import { verified, type VerifiedOptions } from './verified.js';

export interface PausePrimaryOptions extends VerifiedOptions {
  readonly times: number;
  readonly pauseSeconds: number;
}

const ROW = 'pause-primary';
const REGISTER = 'register';
const BEFORE_MS = 1_000;
const AFTER_MS = 3_000;
const EVERY_MS = 20;
/** How long requests are put into the stopped server's socket. */
const QUEUEING_MS = 4_000;

/** Counts the register up for as long as it runs, and knows what was acknowledged. */
class Writer {
  /** The last value that was acknowledged. */
  acknowledged = 0;
  readonly errors: string[] = [];
  private running = true;
  private readonly done: Promise<void>;

  constructor(table: TulparTable) {
    this.done = this.write(table);
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.done;
  }

  private async write(table: TulparTable): Promise<void> {
    for (let value = 1; this.running; value++) {
      try {
        await table.set(ROW, REGISTER, String(value));
        this.acknowledged = value;
      } catch (error) {
        if (!(error instanceof OperatingError)) throw error;
        this.errors.push(error.message);
      }
      await delay(EVERY_MS / 4);
    }
  }
}

interface Round {
  /** Pinned requests that were unanswered when the server went on. */
  queued: number;
  /** Answered before the stop. */
  before: number;
  /** Successes after the server went on, by a server that is not the primary any more. */
  readonly late: string[];
  readonly stale: string[];
}

export async function pausePrimary(options: PausePrimaryOptions): Promise<Verdict> {
  const { times, pauseSeconds, say } = options;
  const cluster = await ChaosCluster.start();
  return verified(cluster, options, async (load, failures) => {
    const { metaAddress, clusterId, secret } = cluster;
    const normal = await connect({ meta: [metaAddress], clusterId, secret });
    const writer = new Writer(normal.table(DEFAULT_TABLE));
    let queued = 0;
    for (let time = 1; time <= times; time++) {
      await cluster.untilWhole();
      const record = load.gaps.begin('pause primary');
      const round = await aRound(cluster, writer, pauseSeconds * 1_000);
      queued += round.queued;
      say(
        `${time} of ${times}: ${describeFault(record)}; ${round.queued} requests waited in the stopped server's socket`,
      );
      failures.push(...round.stale.slice(0, 3), ...round.late.slice(0, 3));
      if (round.before === 0 || round.queued === 0) failures.push('nothing was asked of the stopped server');
      for (const [trouble, count] of record.troubles)
        failures.push(`${count} x ${trouble}: ${record.samples.get(trouble) ?? ''}`);
    }
    await writer.stop();
    await normal.close();
    failures.push(...writer.errors.slice(0, 3));
    for (const { name, how } of cluster.takeDeaths()) failures.push(`${name} ended by itself: ${how}`);
    return [
      `${times} stops of ${pauseSeconds} s: ${queued} requests waited in stopped servers' sockets, the register reached ${writer.acknowledged}`,
    ];
  });
}

async function aRound(cluster: ChaosCluster, writer: Writer, pauseMs: number): Promise<Round> {
  const [partition] = await cluster.partitions();
  const primary = cluster.member(partition?.primary ?? '');
  const pinned = await PinnedClient.connect(cluster, DEFAULT_TABLE, 2 * pauseMs);
  const table = pinned.client.table(DEFAULT_TABLE);
  const round: Round = { queued: 0, before: 0, late: [], stale: [] };
  // What is asked from here on reaches the server after it went on. What it had executed and its secondaries had logged
  // before it stood still is committed: that may be answered late, and truthfully.
  let stopped = false;
  let resumed = false;
  let outstanding = 0;
  const pending: Promise<void>[] = [];
  const ended = (what: string, askedAfterStop: boolean): void => {
    if (resumed && askedAfterStop)
      round.late.push(`${primary.name} answered ${what} after it was stopped and had lost its partition`);
    else if (!resumed) round.before++;
  };
  const ask = async (): Promise<void> => {
    const { acknowledged } = writer;
    outstanding++;
    try {
      const readAfterStop = stopped;
      const value = Number((await table.get(ROW, REGISTER)) ?? 0);
      if (value < acknowledged)
        round.stale.push(
          `a read at ${primary.name} gave ${value} when ${acknowledged} had been acknowledged before it`,
        );
      ended(`a read with ${value}`, readAfterStop);
      const writtenAfterStop = stopped;
      await table.set(ROW, `pinned to ${primary.name}`, String(acknowledged));
      ended('a write', writtenAfterStop);
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error; // refused or unknown: as it should be
    } finally {
      outstanding--;
    }
  };
  const askFor = async (ms: number): Promise<void> => {
    for (const untilMs = performance.now() + ms; performance.now() < untilMs; await delay(EVERY_MS))
      pending.push(ask());
  };
  await askFor(BEFORE_MS);
  primary.signal('SIGSTOP');
  await eventually(`${primary.name} stands still`, () => isStopped(primary.pid ?? 0) || undefined);
  stopped = true;
  await askFor(Math.min(QUEUEING_MS, pauseMs));
  await delay(Math.max(0, pauseMs - QUEUEING_MS));
  const [row] = await cluster.partitions();
  round.queued = outstanding;
  resumed = row?.primary !== primary.name; // otherwise nobody took over, and it may go on
  primary.signal('SIGCONT');
  await askFor(AFTER_MS);
  await pinned.close();
  await Promise.all(pending);
  return round;
}
