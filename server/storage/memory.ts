/**
 * The in-memory twin of the LevelDB store, for tests and the simulator. A MemoryDisk outlives the factories
 * (processes) that use it, as a real disk does. It behaves like the real one where that is inconvenient: a
 * write is visible only when it has called back, and a crash may lose what was not synced: the newest writes,
 * and only whole ones, as LevelDB's own log guarantees.
 */
import type { Environment } from '../../shared/environment.js';
import { OperatingError, invariant } from '../../shared/errors.js';
import { type DiskHooks, storeError } from './disk-faults.js';
import { fromBuffer, toBuffer } from './keys.js';
import { SortedEntries } from './sorted-entries.js';
import type { Callback, Entry, Range, Snapshot, Store, StoreFactory, Write } from './store.js';

/** How much of what was not synced a crash loses: nothing (the process died), all of it, or some of the newest (power failure). */
export type Loss = 'none' | 'all' | 'some';

/** What one write replaced: undone when a crash loses it. */
type Undo = readonly (readonly [key: string, previous: Buffer | undefined])[];

interface Contents {
  readonly entries: SortedEntries;
  /** Writes since the last sync, oldest first. */
  unsynced: Undo[];
  /** A write that failed: the next process may find it all the same, as LevelDB may have logged it. */
  doubtful: readonly Write[] | null;
}

export class MemoryDisk {
  readonly stores = new Map<string, Contents>();
  /** Stores set aside, with the reason. */
  readonly damaged = new Map<string, string>();
  /** Names whose next open says E_CORRUPT. */
  readonly corrupt = new Set<string>();
  readonly #locked = new Map<string, MemoryStoreFactory>();

  lock(name: string, owner: MemoryStoreFactory): boolean {
    if (this.#locked.has(name)) return false;
    this.#locked.set(name, owner);
    return true;
  }

  unlock(name: string): void {
    this.#locked.delete(name);
  }

  unlockAll(owner: MemoryStoreFactory): void {
    for (const [name, holder] of this.#locked) if (holder === owner) this.#locked.delete(name);
  }

  isLocked(name: string): boolean {
    return this.#locked.has(name);
  }

  /** Of all keys and values. */
  get bytes(): number {
    let bytes = 0;
    for (const { entries } of this.stores.values()) {
      entries.walk('', '\xff', false, (key, value) => {
        bytes += key.length + value.length;
        return true;
      });
    }
    return bytes;
  }

  lose(loss: Loss, environment: Environment): void {
    for (const contents of this.stores.values()) {
      const { doubtful } = contents;
      contents.doubtful = null;
      if (doubtful !== null && environment.random() < 0.5) apply(contents, doubtful, false);
      const unsynced = contents.unsynced;
      const kept =
        loss === 'none'
          ? unsynced.length
          : loss === 'all'
            ? 0
            : Math.floor(environment.random() * (unsynced.length + 1));
      for (const undo of unsynced.splice(kept).reverse()) {
        for (const [key, previous] of undo) {
          if (previous === undefined) contents.entries.delete(key);
          else contents.entries.set(key, previous);
        }
      }
      // What the crash left is what the next process finds on the disk.
      contents.unsynced = [];
    }
  }
}

export class MemoryStoreFactory implements StoreFactory {
  readonly disk: MemoryDisk;
  readonly #environment: Environment;
  readonly #hooks: DiskHooks;
  #crashed = false;

  constructor(environment: Environment, disk: MemoryDisk = new MemoryDisk(), hooks: DiskHooks = {}) {
    this.#environment = environment;
    this.disk = disk;
    this.#hooks = hooks;
  }

  open(name: string, done: Callback<Store>): void {
    this.perform('open', name, done, () => {
      if (!this.disk.lock(name, this)) {
        throw new OperatingError('E_LOCKED', `store ${name} is open in another process`);
      }
      if (this.disk.corrupt.has(name)) {
        this.disk.unlock(name);
        throw new OperatingError('E_CORRUPT', `store ${name} cannot be opened`);
      }
      let contents = this.disk.stores.get(name);
      if (contents === undefined) {
        contents = { entries: new SortedEntries(), unsynced: [], doubtful: null };
        this.disk.stores.set(name, contents);
      }
      return new MemoryStore(name, contents, this);
    });
  }

  list(done: Callback<string[]>): void {
    this.perform('list', '', done, () => [...this.disk.stores.keys()].sort());
  }

  destroy(name: string, done: Callback): void {
    this.perform('destroy', name, done, () => {
      this.#expectClosed(name);
      this.disk.stores.delete(name);
      this.disk.corrupt.delete(name);
    });
  }

  replace(from: string, to: string, done: Callback): void {
    this.perform('replace', to, done, () => {
      this.#expectClosed(from);
      this.#expectClosed(to);
      const contents = this.disk.stores.get(from);
      if (contents === undefined) throw new OperatingError('E_DISK', `there is no store ${from}`);
      contents.unsynced = [];
      this.disk.stores.set(to, contents);
      this.disk.stores.delete(from);
      this.disk.corrupt.delete(to);
    });
  }

  setAside(name: string, reason: string, done: Callback): void {
    // An open one too: a folder can be renamed while its files are open, and a replica that finds damage does so.
    this.perform('setAside', name, done, () => {
      this.disk.unlock(name);
      this.disk.stores.delete(name);
      this.disk.corrupt.delete(name);
      let n = 1;
      while (this.disk.damaged.has(`${name}.damaged-${n}`)) n++;
      this.disk.damaged.set(`${name}.damaged-${n}`, reason);
    });
  }

  /** The process dies: nothing calls back any more, and of what was not synced `loss` is gone. Open a new factory on the disk. */
  crash(loss: Loss): void {
    this.#crashed = true;
    this.disk.unlockAll(this);
    this.disk.lose(loss, this.#environment);
  }

  /** Does `action` after the time it takes, unless the process has died by then. */
  perform<T>(operation: string, name: string, done: Callback<T>, action: () => T, bytes = 0): void {
    const run = (): void => {
      if (this.#crashed) return;
      const fault = this.#hooks.fault?.(operation, name, bytes) ?? null;
      if (fault !== null) return done(storeError(fault, operation, name));
      let value: T;
      try {
        value = action();
      } catch (error) {
        if (!(error instanceof OperatingError)) throw error;
        return done(error);
      }
      done(null, value);
    };
    const delayMs = this.#hooks.delayMs?.(operation, name, bytes) ?? 0;
    if (delayMs > 0) this.#environment.after(delayMs, run);
    else this.#environment.defer(run);
  }

  /** What a read on the calling thread meets. */
  faultNow(operation: string, name: string): void {
    const fault = this.#hooks.fault?.(operation, name, 0) ?? null;
    if (fault !== null) throw storeError(fault, operation, name);
  }

  #expectClosed(name: string): void {
    if (this.disk.isLocked(name)) throw new OperatingError('E_LOCKED', `store ${name} is open`);
  }
}

class MemoryStore implements Store {
  readonly cheapReads = true;
  readonly #name: string;
  readonly #contents: Contents;
  readonly #factory: MemoryStoreFactory;
  /** Writes under way, in order: each takes effect only after those before it. */
  readonly #writing: { finished: boolean; finish: () => void }[] = [];
  #underWay = 0;
  #closed: Callback | null = null;
  #failure: Error | null = null;

  constructor(name: string, contents: Contents, factory: MemoryStoreFactory) {
    this.#name = name;
    this.#contents = contents;
    this.#factory = factory;
  }

  getSync(key: Buffer): Buffer | undefined {
    if (this.#closed !== null) throw this.#closedError();
    this.#factory.faultNow('getSync', this.#name);
    return this.#contents.entries.get(fromBuffer(key));
  }

  getMany(keys: readonly Buffer[], done: Callback<(Buffer | undefined)[]>): void {
    const entries = this.#contents.entries;
    this.#perform('getMany', done, () => keys.map((key) => entries.get(fromBuffer(key))));
  }

  /** Read at the call: what it says then is the state as of the call, without a copy of everything. */
  range(range: Range, done: Callback<Entry[]>): void {
    const found = page(this.#contents.entries, range);
    this.#perform('range', done, () => found);
  }

  write(writes: readonly Write[], sync: boolean, done: Callback): void {
    const turn = { finished: false, finish: (): void => undefined };
    this.#writing.push(turn);
    this.#perform(
      'write',
      (error) => {
        turn.finish = () => {
          if (error !== null && this.#failure === null) {
            this.#failure = error;
            this.#contents.doubtful = writes;
          }
          if (this.#failure !== null) return done(this.#failure);
          apply(this.#contents, writes, sync);
          done(null);
        };
        turn.finished = true;
        while (this.#writing[0]?.finished === true) this.#writing.shift()!.finish();
      },
      () => undefined,
      writes.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0),
    );
  }

  snapshot(): Snapshot {
    if (this.#closed !== null) throw this.#closedError();
    const entries = this.#contents.entries.copy();
    let open = true;
    return {
      range: (range, done) => {
        invariant(open, 'a closed snapshot is not read');
        this.#perform('range', done, () => page(entries, range));
      },
      get: (key, done) => {
        invariant(open, 'a closed snapshot is not read');
        this.#perform('get', done, () => entries.get(fromBuffer(key)));
      },
      close: () => void (open = false),
    };
  }

  close(done: Callback): void {
    invariant(this.#closed === null, 'a store is closed once');
    this.#closed = done;
    if (this.#underWay === 0) this.#finishClose(done);
  }

  #perform<T>(operation: string, done: Callback<T>, action: () => T, bytes = 0): void {
    if (this.#closed !== null) {
      const error = this.#closedError();
      return this.#factory.perform(
        operation,
        this.#name,
        () => done(error),
        () => undefined,
      );
    }
    this.#underWay++;
    this.#factory.perform<T>(
      operation,
      this.#name,
      (error, value) => {
        if (error !== null) done(error);
        else done(null, value as T);
        this.#underWay--; // only now: `done` may close the store
        if (this.#underWay === 0 && this.#closed !== null) this.#finishClose(this.#closed);
      },
      action,
      bytes,
    );
  }

  #finishClose(done: Callback): void {
    this.#factory.perform<void>('close', this.#name, done, () => this.#factory.disk.unlock(this.#name));
  }

  #closedError(): OperatingError {
    return new OperatingError('E_CLOSED', `store ${this.#name} is closed`);
  }
}

function apply(contents: Contents, writes: readonly Write[], sync: boolean): void {
  const { entries } = contents;
  const undo: [string, Buffer | undefined][] = [];
  for (const write of writes) {
    const key = fromBuffer(write.key);
    undo.push([key, entries.get(key)]);
    if (write.value === null) entries.delete(key);
    else entries.set(key, write.value);
  }
  if (sync) contents.unsynced = [];
  else contents.unsynced.push(undo.reverse());
}

function page(entries: SortedEntries, range: Range): Entry[] {
  const found: Entry[] = [];
  let bytes = 0;
  if (range.limit <= 0) return found;
  entries.walk(fromBuffer(range.gte), fromBuffer(range.lt), range.reverse === true, (key, value) => {
    found.push({ key: toBuffer(key), value });
    bytes += key.length + value.length;
    return found.length < range.limit && bytes < range.limitBytes;
  });
  return found;
}
