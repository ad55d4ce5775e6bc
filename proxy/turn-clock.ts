/**
 * The time of this event-loop turn: one reading of the monotonic clock serves all commands that begin
 * or end in it. Durations of commands (slow log, statistics) are that exact and no more.
 */
import type { Environment } from '../shared/environment.js';

export class TurnClock {
  private readonly environment: Environment;
  private time = 0;
  private stale = true;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  /** Monotonic milliseconds. */
  get nowMs(): number {
    if (this.stale) {
      this.time = this.environment.monotonicMs();
      this.stale = false;
      this.environment.defer(this.expire);
    }
    return this.time;
  }

  private readonly expire = (): void => {
    this.stale = true;
  };
}
