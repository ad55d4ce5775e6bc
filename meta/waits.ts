/** What the guardian waits for, by partition, and for how long it has; each is logged when it begins, changes and ends. */
import type { Environment } from '../shared/environment.js';
import type { Logger } from '../shared/logging.js';
import type { Decision } from './decisions/guardian.js';
import { describeCopy, type Recovery } from './decisions/recovery.js';

type Wait = Extract<Decision, { kind: 'wait' }>;
export type Waiting = Wait & { readonly waitingMs: number };

export class Waits {
  private readonly environment: Pick<Environment, 'monotonicMs'>;
  private readonly logger: Logger;
  private waiting: readonly Wait[] = [];
  /** By partition: monotonic ms when its waiting began. */
  private readonly sinceMs = new Map<number, number>();

  constructor(environment: Pick<Environment, 'monotonicMs'>, logger: Logger) {
    this.environment = environment;
    this.logger = logger;
  }

  list(): readonly Waiting[] {
    return this.waiting.map((wait) => ({ ...wait, waitingMs: this.waitedMs(wait.partition) }));
  }

  private waitedMs(partition: number): number {
    const nowMs = this.environment.monotonicMs();
    return Math.round(nowMs - (this.sinceMs.get(partition) ?? nowMs));
  }

  /** `copiesOf`: what is known of a partition's members, of its last and of earlier ballots, for the log. */
  note(waiting: readonly Wait[], copiesOf: (partition: number) => Recovery['members']): void {
    const before = new Set(this.waiting.map((wait) => JSON.stringify(wait)));
    const waits = new Set(waiting.map(({ partition }) => partition));
    for (const partition of this.sinceMs.keys()) {
      if (waits.has(partition)) continue;
      this.logger.info({ partition, waitedMs: this.waitedMs(partition) }, 'partition waits no more');
      this.sinceMs.delete(partition);
    }
    this.waiting = waiting;
    for (const wait of waiting) {
      const { partition } = wait;
      if (!this.sinceMs.has(partition)) this.sinceMs.set(partition, this.environment.monotonicMs());
      if (before.has(JSON.stringify(wait))) continue;
      const known = copiesOf(partition).map(
        ({ node, state, copy }) => `${node}: ${state}${copy === null ? '' : ` (${describeCopy(copy)})`}`,
      );
      this.logger.warn({ ...wait, known }, 'partition has no primary');
    }
  }
}
