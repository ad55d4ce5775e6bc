/** The embedded state store: a LevelDB of its own, a few rows, every write synced. */
import { ClassicLevel } from 'classic-level';
import { makeFolder, syncPath } from '../../shared/durable-files.js';
import { OperatingError } from '../../shared/errors.js';
import type { StateChange, StateStore } from './store.js';

export class LevelStateStore implements StateStore {
  private readonly directory: string;
  private readonly db: ClassicLevel<string, string>;

  constructor(directory: string) {
    this.directory = directory;
    this.db = new ClassicLevel<string, string>(directory, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  }

  load(done: (error: Error | null, rows: Map<string, string>) => void): void {
    this.readAll().then(
      (rows) => done(null, rows),
      (error: unknown) => done(this.explain(error), new Map()),
    );
  }

  write(changes: readonly StateChange[], done: (error: Error | null) => void): void {
    const batch = changes.map(({ key, value }) =>
      value === null ? ({ type: 'del', key } as const) : ({ type: 'put', key, value } as const),
    );
    this.db.batch(batch, { sync: true }).then(
      () => done(null),
      (error: unknown) => done(this.explain(error)),
    );
  }

  close(done: (error: Error | null) => void): void {
    this.db.close().then(
      () => done(null),
      (error: unknown) => done(this.explain(error)),
    );
  }

  private async readAll(): Promise<Map<string, string>> {
    const { directory } = this;
    await new Promise<void>((resolve, reject) => {
      makeFolder(directory, (error) => (error === null ? resolve() : reject(error)));
    });
    await this.db.open();
    // LevelDB's own names, which it does not sync before it writes to them
    await new Promise<void>((resolve, reject) => {
      syncPath(directory, (error) => (error === null ? resolve() : reject(error)));
    });
    return new Map(await this.db.iterator().all());
  }

  private explain(error: unknown): OperatingError {
    const cause = error instanceof Error ? error.cause : undefined;
    const locked = cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED';
    if (locked)
      return new OperatingError('E_LOCKED', `${this.directory} is in use by another process`, { cause: error });
    return new OperatingError('E_DISK', `meta's state in ${this.directory}: ${String(cause ?? error)}`, {
      cause: error,
    });
  }
}
