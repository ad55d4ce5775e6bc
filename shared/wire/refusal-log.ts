/** Says who was refused and why, but not a thousand times: a scanner or a misconfigured process tries again and again. */
import type { Environment } from '../environment.js';
import { limits } from '../limits.js';
import type { Logger } from '../logging.js';

/** Peers remembered; when there are more, all are forgotten. */
const PEERS_MAX = 1_000;

export class RefusalLog {
  readonly #environment: Environment;
  readonly #logger: Logger;
  readonly #loggedAt = new Map<string, number>();

  constructor(environment: Environment, logger: Logger) {
    this.#environment = environment;
    this.#logger = logger;
  }

  note(peer: string, reason: string): void {
    const nowMs = this.#environment.monotonicMs();
    const before = this.#loggedAt.get(peer);
    if (before !== undefined && nowMs - before < limits.refusalLogMs) return;
    if (this.#loggedAt.size >= PEERS_MAX) this.#loggedAt.clear();
    this.#loggedAt.set(peer, nowMs);
    this.#logger.warn({ peer, reason }, 'connection refused');
  }
}
