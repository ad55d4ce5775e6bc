import type { Environment } from '../../shared/environment.js';
import type { StateChange, StateStore } from './store.js';

/** The rows outlive the store, as a disk outlives a process: give the same map to the next boot. */
export class MemoryStateStore implements StateStore {
  private readonly environment: Pick<Environment, 'defer'>;
  private readonly rows: Map<string, string>;

  constructor(environment: Pick<Environment, 'defer'>, rows: Map<string, string> = new Map()) {
    this.environment = environment;
    this.rows = rows;
  }

  load(done: (error: Error | null, rows: Map<string, string>) => void): void {
    this.environment.defer(() => done(null, new Map(this.rows)));
  }

  write(changes: readonly StateChange[], done: (error: Error | null) => void): void {
    this.environment.defer(() => {
      for (const { key, value } of changes) {
        if (value === null) this.rows.delete(key);
        else this.rows.set(key, value);
      }
      done(null);
    });
  }

  close(done: (error: Error | null) => void): void {
    this.environment.defer(() => done(null));
  }
}
