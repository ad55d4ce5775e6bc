/** A load that knows what was acknowledged, and how long nothing was. */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** Clients that each write a value of its own under a key of its own, one after the other, until they are stopped. */
export class Writers {
  readonly acknowledged = new Map<string, string>();
  readonly errors: string[] = [];
  closed = 0;
  /** The longest time without any acknowledged write. */
  longestGapMs = 0;
  private lastMs = performance.now();
  private running = true;
  private readonly clients: Redis[];
  private readonly done: Promise<unknown>;

  constructor(port: number, count: number) {
    this.clients = Array.from({ length: count }, () => new Redis(port));
    for (const client of this.clients) client.on('close', () => (this.closed += this.running ? 1 : 0));
    this.done = Promise.all(this.clients.map((client, writer) => this.write(client, writer)));
  }

  /** From here on the longest gap is measured anew. */
  measure(): void {
    this.longestGapMs = 0;
    this.lastMs = performance.now();
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.done;
    await Promise.all(this.clients.map((client) => client.quit()));
  }

  private async write(client: Redis, writer: number): Promise<void> {
    for (let i = 0; this.running; i++) {
      const key = `writer:${writer}:${i}`;
      try {
        await client.set(key, `${writer}-${i}`);
        this.acknowledged.set(key, `${writer}-${i}`);
      } catch (error) {
        this.errors.push(String(error));
      }
      const nowMs = performance.now();
      this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.lastMs);
      this.lastMs = nowMs;
      await delay(2);
    }
  }
}
