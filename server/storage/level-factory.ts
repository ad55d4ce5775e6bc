/**
 * The stores of one server: folders in one directory. Renames that make or replace a store are followed by a
 * sync of the directory. Replacing takes two renames, since a directory cannot be renamed over a full one:
 *
 *   to -> to.replaced,  from -> to,  remove to.replaced
 *
 * A crash after the first leaves `to.replaced` without `to`, and opening the directory renames it back (the old
 * state); a crash after the second leaves both, and opening removes `to.replaced` (the new state).
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { makeFolder } from '../../shared/durable-files.js';
import { OperatingError, invariant } from '../../shared/errors.js';
import { syncDirectory, syncTree } from './directory.js';
import type { DiskQueue } from './disk-queue.js';
import { type LevelOptions, openLevelStore } from './level.js';
import type { Callback, Store, StoreFactory } from './store.js';

const REPLACED = '.replaced';
const REMOVED = '.removed';
const DAMAGED = /\.damaged-\d+$/;

export interface LevelFactoryOptions extends LevelOptions {
  /** Created when absent. */
  readonly directory: string;
  readonly queue: DiskQueue;
}

/** Ends replacements that a crash interrupted, then gives the factory. */
export function openLevelFactory(options: LevelFactoryOptions, done: Callback<StoreFactory>): void {
  const { directory } = options;
  const finish: Callback = (error) => {
    if (error === null) done(null, new LevelStoreFactory(options));
    else done(diskError(`the stores in ${directory} cannot be opened`, error));
  };
  makeFolder(directory, (error) => {
    if (error !== null) return finish(error);
    fs.readdir(directory, (unreadable, names) => {
      if (unreadable !== null) return finish(unreadable);
      const steps: Step[] = [];
      for (const name of names) {
        if (name.endsWith(REMOVED)) steps.push((next) => remove(path.join(directory, name), next));
        if (!name.endsWith(REPLACED)) continue;
        const store = name.slice(0, -REPLACED.length);
        steps.push((next) => endReplacement(directory, store, names.includes(store), next));
      }
      inOrder(steps, finish);
    });
  });
}

/**
 * What a new LevelDB begins with is not synced, and what it goes on with has no safe name yet: until then a power failure
 * would leave a store that names nothing.
 */
function named(folder: string, unopened: Error | null, store: Store | undefined, done: Callback<Store>): void {
  if (unopened !== null || store === undefined) return done(unopened ?? new Error('no store'));
  syncDirectory(folder, (error) => {
    if (error === null) done(null, store);
    else store.close(() => done(diskError(`the store ${folder} cannot be synced`, error)));
  });
}

class LevelStoreFactory implements StoreFactory {
  readonly #directory: string;
  readonly #options: LevelFactoryOptions;

  constructor(options: LevelFactoryOptions) {
    this.#directory = options.directory;
    this.#options = options;
  }

  open(name: string, done: Callback<Store>): void {
    const folder = this.#path(name);
    makeFolder(folder, (error) => {
      if (error !== null) done(diskError(`the store ${folder} cannot be made`, error));
      else
        openLevelStore(folder, this.#options, this.#options.queue, (unopened, store) =>
          named(folder, unopened, store, done),
        );
    });
  }

  list(done: Callback<string[]>): void {
    fs.readdir(this.#directory, { withFileTypes: true }, (error, entries) => {
      if (error !== null) return done(diskError(`${this.#directory} cannot be read`, error));
      done(
        null,
        entries
          .filter((entry) => entry.isDirectory() && isStoreName(entry.name))
          .map((entry) => entry.name)
          .sort(),
      );
    });
  }

  destroy(name: string, done: Callback): void {
    // Renamed first: a crash half way must not leave a folder that looks like a store with files missing.
    const doomed = this.#path(name) + REMOVED;
    const finish = finishing(`store ${name} cannot be removed`, done);
    remove(doomed, (stuck) => {
      if (stuck !== null) return finish(stuck);
      fs.rename(this.#path(name), doomed, (error) => {
        if (error !== null) return error.code === 'ENOENT' ? done(null) : finish(error);
        syncDirectory(this.#directory, (unsynced) => {
          if (unsynced !== null) return finish(unsynced);
          remove(doomed, finish);
        });
      });
    });
  }

  replace(from: string, to: string, done: Callback): void {
    const source = this.#path(from);
    const target = this.#path(to);
    const old = target + REPLACED;
    const finish = finishing(`store ${from} cannot replace ${to}`, done);
    const steps: Step[] = [
      (next) => syncTree(source, next),
      (next) =>
        fs.stat(target, (error) => {
          if (error !== null) return next(error.code === 'ENOENT' ? null : error);
          // A remnant of an earlier replacement would be in the way; with `target` present nobody needs it.
          inOrder(
            [
              (then) => remove(old, then),
              (then) => fs.rename(target, old, then),
              (then) => syncDirectory(this.#directory, then),
            ],
            next,
          );
        }),
      (next) => fs.rename(source, target, next),
      (next) => syncDirectory(this.#directory, next),
      (next) => remove(old, next),
    ];
    inOrder(steps, finish);
  }

  setAside(name: string, reason: string, done: Callback): void {
    const finish = finishing(`store ${name} cannot be set aside`, done);
    fs.readdir(this.#directory, (error, names) => {
      if (error !== null) return finish(error);
      let n = 1;
      while (names.includes(`${name}.damaged-${n}`)) n++;
      const aside = `${this.#path(name)}.damaged-${n}`;
      fs.rename(this.#path(name), aside, (failed) => {
        if (failed !== null) return finish(failed);
        // For whoever looks later. That it could not be written (a full disk) does not matter to the cluster.
        fs.writeFile(path.join(aside, 'WHY-SET-ASIDE.txt'), `${reason}\n`, () =>
          syncDirectory(this.#directory, finish),
        );
      });
    });
  }

  #path(name: string): string {
    invariant(isStoreName(name), `a store may be called ${name}`);
    return path.join(this.#directory, name);
  }
}

function isStoreName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]*$/.test(name) && !name.endsWith(REPLACED) && !name.endsWith(REMOVED) && !DAMAGED.test(name)
  );
}

type Step = (next: Callback) => void;

function endReplacement(directory: string, name: string, replaced: boolean, done: Callback): void {
  const target = path.join(directory, name);
  const old = target + REPLACED;
  if (replaced) return remove(old, done);
  inOrder([(next) => fs.rename(old, target, next), (next) => syncDirectory(directory, next)], done);
}

/** Removes a tree; fine when absent. */
function remove(directory: string, done: Callback): void {
  fs.rm(directory, { recursive: true, force: true }, (error) => done(error));
}

/** Until one fails. */
function inOrder(steps: readonly Step[], done: Callback, at = 0): void {
  if (at === steps.length) return done(null);
  steps[at]!((error) => {
    if (error !== null) return done(error);
    inOrder(steps, done, at + 1);
  });
}

function finishing(what: string, done: Callback): Callback {
  return (error) => done(error === null ? null : diskError(what, error));
}

function diskError(what: string, error: Error): OperatingError {
  return new OperatingError('E_DISK', `${what}: ${error.message}`, { cause: error });
}
