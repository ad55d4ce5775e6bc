/**
 * An open-loop load: so many operations a second are due whether the earlier ones were answered or not, and a latency
 * counts from when an operation was due. A system that stalls cannot make itself look good by being asked less.
 */
import { performance } from 'node:perf_hooks';
import { eventually } from '../cluster/condition.js';
import { Connection, ErrorReply } from './connection.js';
import { keyName, Values } from './fill.js';
import { Latencies } from './latencies.js';
import type { Random } from './random.js';

const TICK_MS = 2;

export interface OpenLoadOptions {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly perSecond: number;
  /** As fill.ts names them. */
  readonly keys: number;
  readonly valueBytes: number;
  /** The part of the operations that read (0.5); the others write. */
  readonly reading?: number;
}

export class OpenLoad {
  latencies = new Latencies();
  readonly errors = new Map<string, number>();
  private readonly options: OpenLoadOptions;
  private readonly random: Random;
  private readonly connections: readonly Connection[];
  private readonly values: Values;
  private readonly timer: NodeJS.Timeout;
  private dueMs = performance.now();
  private unanswered = 0;

  private constructor(options: OpenLoadOptions, random: Random, connections: readonly Connection[]) {
    this.options = options;
    this.random = random;
    this.connections = connections;
    this.values = new Values(options.valueBytes);
    this.timer = setInterval(() => this.sendDue(), TICK_MS);
  }

  static async start(options: OpenLoadOptions, random: Random): Promise<OpenLoad> {
    const opening = Array.from({ length: options.connections }, () => Connection.open(options.host, options.port));
    return new OpenLoad(options, random, await Promise.all(opening));
  }

  /** What was measured since the last call. */
  takeLatencies(): Latencies {
    const taken = this.latencies;
    this.latencies = new Latencies();
    return taken;
  }

  /** Sends no more, and waits for what was sent. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await eventually('everything is answered', () => (this.unanswered === 0 ? true : undefined));
    for (const connection of this.connections) connection.end();
  }

  private sendDue(): void {
    const { perSecond, keys, reading = 0.5 } = this.options;
    const nowMs = performance.now();
    for (; this.dueMs <= nowMs; this.dueMs += 1_000 / perSecond) {
      const index = this.random.between(0, keys - 1);
      const key = keyName(index);
      const words = this.random.chance(reading) ? ['GET', key] : ['SET', key, this.values.at(index)];
      const { dueMs } = this;
      this.unanswered++;
      this.random.pick(this.connections).send(words, (reply) => {
        this.unanswered--;
        if (reply === undefined) this.count('connection lost');
        else if (reply instanceof ErrorReply) this.count(reply.text);
        else this.latencies.add(performance.now() - dueMs);
      });
    }
  }

  private count(error: string): void {
    this.errors.set(error, (this.errors.get(error) ?? 0) + 1);
  }
}
