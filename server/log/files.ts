/**
 * What the log needs of a file system, and no more: so small that the simulator has one too (virtual-files.ts) and
 * runs the real log on it. Jobs pass the server's disk queue; a write may do less than asked, as write(2) may.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { makeFolder } from '../../shared/durable-files.js';
import { syncDirectory } from '../storage/directory.js';
import { type DiskQueue, Priority } from '../storage/disk-queue.js';
import type { Callback } from '../storage/store.js';

export interface LogFile {
  /** Bytes of `buffer` from `from` to `to`, at `position` of the file. Calls back with how many were written. */
  write(buffer: Buffer, from: number, to: number, position: number, done: Callback<number>): void;
  /**
   * The same on the calling thread, where the file can: microseconds into the page cache, against two thread switches.
   * Returns how many bytes were written; throws. Not while a sync of the file is under way, which could hold it up.
   */
  writeNow?(buffer: Buffer, from: number, to: number, position: number): number;
  /** The file's data, and its size, are on stable storage when it calls back. */
  sync(done: Callback): void;
  /** Fills `buffer` from `position` on; calls back with how many bytes there were. */
  read(buffer: Buffer, position: number, done: Callback<number>): void;
  truncate(bytes: number, done: Callback): void;
  close(done: Callback): void;
}

/** One directory of files. */
export interface LogFiles {
  list(done: Callback<{ name: string; bytes: number }[]>): void;
  /** Fails when it exists. */
  create(name: string, done: Callback<LogFile>): void;
  open(name: string, done: Callback<LogFile>): void;
  rename(from: string, to: string, done: Callback): void;
  remove(name: string, done: Callback): void;
  /** Names created, renamed and removed so far are on stable storage when it calls back. */
  syncDirectory(done: Callback): void;
}

export class DirectoryFiles implements LogFiles {
  readonly #directory: string;
  readonly #queue: DiskQueue;

  constructor(directory: string, queue: DiskQueue) {
    this.#directory = directory;
    this.#queue = queue;
  }

  list(done: Callback<{ name: string; bytes: number }[]>): void {
    makeFolder(this.#directory, (failed) => {
      if (failed !== null) return done(failed);
      fs.readdir(this.#directory, (error, names) => {
        if (error !== null) return done(error);
        const found: { name: string; bytes: number }[] = [];
        const next = (at: number): void => {
          if (at === names.length) return done(null, found);
          fs.stat(path.join(this.#directory, names[at]!), (unknown, stats) => {
            if (unknown !== null && unknown.code !== 'ENOENT') return done(unknown);
            if (unknown === null) found.push({ name: names[at]!, bytes: stats.size });
            next(at + 1);
          });
        };
        next(0);
      });
    });
  }

  create(name: string, done: Callback<LogFile>): void {
    this.#open(name, 'wx+', done);
  }

  open(name: string, done: Callback<LogFile>): void {
    this.#open(name, 'r+', done);
  }

  rename(from: string, to: string, done: Callback): void {
    fs.rename(path.join(this.#directory, from), path.join(this.#directory, to), done);
  }

  remove(name: string, done: Callback): void {
    // Freeing the blocks of a large file can take long.
    this.#queue.run(Priority.background, (finished) => {
      fs.unlink(path.join(this.#directory, name), (error) => {
        finished();
        done(error);
      });
    });
  }

  syncDirectory(done: Callback): void {
    this.#queue.run(Priority.log, (finished) => {
      syncDirectory(this.#directory, (error) => {
        finished();
        done(error);
      });
    });
  }

  #open(name: string, flags: string, done: Callback<LogFile>): void {
    this.#queue.run(Priority.log, (finished) => {
      fs.open(path.join(this.#directory, name), flags, (error, descriptor) => {
        finished();
        if (error === null) done(null, new DescriptorFile(descriptor, this.#queue));
        else done(error);
      });
    });
  }
}

class DescriptorFile implements LogFile {
  readonly #descriptor: number;
  readonly #queue: DiskQueue;

  constructor(descriptor: number, queue: DiskQueue) {
    this.#descriptor = descriptor;
    this.#queue = queue;
  }

  write(buffer: Buffer, from: number, to: number, position: number, done: Callback<number>): void {
    this.#queue.run(Priority.log, (finished) => {
      fs.write(this.#descriptor, buffer, from, to - from, position, (error, written) => {
        finished();
        done(error, written);
      });
    });
  }

  writeNow(buffer: Buffer, from: number, to: number, position: number): number {
    return fs.writeSync(this.#descriptor, buffer, from, to - from, position);
  }

  sync(done: Callback): void {
    this.#queue.run(Priority.log, (finished) => {
      fs.fdatasync(this.#descriptor, (error) => {
        finished();
        done(error);
      });
    });
  }

  read(buffer: Buffer, position: number, done: Callback<number>): void {
    this.#queue.run(Priority.read, (finished) => {
      fs.read(this.#descriptor, buffer, 0, buffer.length, position, (error, bytesRead) => {
        finished();
        done(error, bytesRead);
      });
    });
  }

  truncate(bytes: number, done: Callback): void {
    fs.ftruncate(this.#descriptor, bytes, done);
  }

  close(done: Callback): void {
    fs.close(this.#descriptor, (error) => done(error ?? null));
  }
}

/**
 * Writes bytes `from` to `to` of `bytes`; `position` is that of byte 0. Goes on after a short write, which is how a full
 * disk begins to show; a write that takes nothing is an error.
 */
export function writeAll(
  file: LogFile,
  bytes: Buffer,
  from: number,
  to: number,
  position: number,
  done: Callback,
): void {
  if (from >= to) return done(null);
  file.write(bytes, from, to, position + from, (error, written = 0) => {
    if (error !== null) return done(error);
    if (written <= 0) return done(new Error(`the disk took none of ${to - from} bytes`));
    if (from + written >= to) return done(null);
    writeAll(file, bytes, from + written, to, position, done);
  });
}
