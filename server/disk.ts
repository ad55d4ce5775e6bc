/** The disk of a real server: one folder with its stores and its log, held by a lock. */
import { mkdir, readdir } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../shared/environment.js';
import { OperatingError } from '../shared/errors.js';
import { limits } from '../shared/limits.js';
import { DirectoryFiles } from './log/files.js';
import type { FsyncMode, OpenedLog } from './log/log.js';
import { openSegmentLog } from './log/segments.js';
import { partitionOfStore } from './partition/names.js';
import { DiskQueue } from './storage/disk-queue.js';
import { diskSpace, type DiskSpace } from './storage/disk-space.js';
import { openLevelFactory } from './storage/level-factory.js';
import { mendLogs } from './storage/level-log.js';
import type { Callback, Store, StoreFactory } from './storage/store.js';

export interface ServerDisk {
  readonly stores: StoreFactory;
  readonly opened: OpenedLog;
  space(done: Callback<DiskSpace>): void;
  /** Damaged stores and log segments that lie set aside; absent: nobody counts them. */
  setAside?(done: Callback<number>): void;
  /** Releases the lock; stores and log are closed before. */
  close(done: Callback): void;
}

export type OpenDisk = (done: Callback<ServerDisk>) => void;

export interface DiskOptions {
  readonly dir: string;
  readonly fsync: FsyncMode;
  /** For all of this server's caches; see cacheShares. */
  readonly cacheBytes: number;
  /** Threads of libuv's pool. */
  readonly threads: number;
  /** Opening the disk takes some of it (LevelDB rewrites its log): with less free, it waits for more ... */
  readonly startFreeBytes: number;
  /** ... and says so, once. */
  readonly onWaiting: (freeBytes: number) => void;
  /** A power failure had taken writes from the end of a store; they are read back from the mutation log. */
  readonly onMended: (store: string, cut: string) => void;
}

const MiB = 1024 * 1024;
/** Stands for the whole folder: who has it open owns log and stores. */
const LOCK = 'lock';

/** LevelDB's files, which it maps into memory while they are open. */
const FILE_BYTES = 2 * MiB;

export interface CacheShares {
  readonly blockBytes: number;
  readonly writeBufferBytes: number;
  readonly rowBytes: number;
  readonly openFiles: number;
}

/**
 * How the cache budget is divided: LevelDB's blocks, its write buffers (two a store), the primaries' rows. Files that
 * LevelDB has open are mapped, so what was read of them counts as resident: their number follows the budget, too,
 * though opening one again costs a read on the way.
 */
export function cacheShares(cacheBytes: number): CacheShares {
  return {
    openFiles: Math.min(1_000, Math.max(32, Math.floor(cacheBytes / FILE_BYTES))),
    blockBytes: Math.min(32 * MiB, Math.max(2 * MiB, Math.floor(cacheBytes * 0.3))),
    writeBufferBytes: Math.min(8 * MiB, Math.max(MiB, Math.floor(cacheBytes / 16))),
    rowBytes: Math.max(2 * MiB, Math.floor(cacheBytes * 0.4)),
  };
}

export function openServerDisk(environment: Environment, options: DiskOptions): OpenDisk {
  return (done) => {
    waitForSpace(environment, options, (error) =>
      error === null ? openWithSpace(environment, options, done) : done(error),
    );
  };
}

/**
 * A server that a full disk ended is started again by its supervisor: it comes back by itself once there is space,
 * rather than end again and again half way through opening.
 */
function waitForSpace(environment: Environment, options: DiskOptions, done: Callback): void {
  let told = false;
  const look = (): void => {
    diskSpace(options.dir, (error, space) => {
      if (error !== null || space === undefined) return done(error ?? new Error('no space'));
      if (space.freeBytes >= options.startFreeBytes) return done(null);
      if (!told) options.onWaiting(space.freeBytes);
      told = true;
      environment.after(limits.diskWaitMs, look);
    });
  };
  mkdir(options.dir, { recursive: true }, (error) => (error === null ? look() : done(error)));
}

function openWithSpace(environment: Environment, options: DiskOptions, done: Callback<ServerDisk>): void {
  const queue = new DiskQueue(Math.max(2, options.threads - 2));
  const { blockBytes, writeBufferBytes, openFiles } = cacheShares(options.cacheBytes);
  const directory = join(options.dir, 'stores');
  openLevelFactory({ directory, queue, cacheBytes: blockBytes, writeBufferBytes, openFiles }, (error, stores) => {
    if (error !== null || stores === undefined) return done(error ?? new Error('no stores'));
    openLock(stores, (locked, lock) => {
      if (locked !== null || lock === undefined) return done(locked ?? new Error('no lock'));
      const fail = (failed: Error | null): void => lock.close(() => done(failed ?? new Error('no log')));
      stores.list((unlisted, names) => {
        if (unlisted !== null || names === undefined) return fail(unlisted);
        const files = new DirectoryFiles(join(options.dir, 'log'), queue);
        const replicas = names.filter((name) => partitionOfStore(name) !== null);
        const expected = replicas.length > 0;
        mendStores(directory, replicas, options, (unmended) => {
          if (unmended !== null) return fail(unmended);
          openSegmentLog({ files, environment, fsync: options.fsync, expected }, (failed, opened) => {
            if (failed === null && opened !== undefined) done(null, disk(options.dir, stores, opened, lock));
            else fail(failed);
          });
        });
      });
    });
  });
}

/** Nothing is in it, so one that a power failure left half made is made again; who finds it damaged has locked it. */
function openLock(stores: StoreFactory, done: Callback<Store>): void {
  stores.open(LOCK, (error, lock) => {
    if (!(error instanceof OperatingError) || error.code !== 'E_CORRUPT') return done(error, lock);
    stores.destroy(LOCK, (undestroyed) => {
      if (undestroyed === null) stores.open(LOCK, done);
      else done(undestroyed);
    });
  });
}

/** After a power failure: see level-log.ts. Only now, as the lock is held. */
function mendStores(directory: string, names: readonly string[], options: DiskOptions, done: Callback): void {
  const [name, ...rest] = names;
  if (name === undefined) return done(null);
  mendLogs(join(directory, name), (error, cut) => {
    if (error !== null) return done(error);
    if (typeof cut === 'string') options.onMended(name, cut);
    mendStores(directory, rest, options, done);
  });
}

function disk(dir: string, stores: StoreFactory, opened: OpenedLog, lock: Store): ServerDisk {
  return {
    stores,
    opened,
    space: (done) => diskSpace(dir, done),
    setAside: (done) => countSetAside([join(dir, 'stores'), join(dir, 'log')], 0, done),
    close: (done) => lock.close(done),
  };
}

function countSetAside(directories: readonly string[], before: number, done: Callback<number>): void {
  const [directory, ...rest] = directories;
  if (directory === undefined) return done(null, before);
  readdir(directory, (error, names) => {
    if (error !== null) return done(error);
    countSetAside(rest, before + names.filter((name) => SET_ASIDE.test(name)).length, done);
  });
}

/** `partition-1.damaged-2`, `0000000000000007.damaged`. */
const SET_ASIDE = /\.damaged(-|$)/;
