/**
 * A file system in memory for the log: the simulator's disk. It outlives the VirtualFiles (processes) that use it. A power failure
 * takes what was not synced: written bytes and names alike, all of them or some, with the tail torn anywhere and pages in it missing.
 */
import type { Environment } from '../../shared/environment.js';
import { invariant } from '../../shared/errors.js';
import type { Loss } from '../storage/memory.js';
import type { Callback } from '../storage/store.js';
import type { LogFile, LogFiles } from './files.js';

const PAGE_BYTES = 4096;

export interface VirtualDiskOptions {
  /** How long an operation takes; absent: until the end of the turn. */
  readonly delayMs?: (operation: string) => number;
  /** An error to fail this operation with; null: it succeeds. */
  readonly fail?: (operation: string, name: string) => Error | null;
  /** How many of `bytes` a write takes; absent: all. */
  readonly shortWrite?: (bytes: number) => number;
}

interface Content {
  bytes: Buffer;
  length: number;
  /** How much of it is on stable storage: a log is only appended to. */
  synced: number;
}

export class VirtualDisk {
  names = new Map<string, Content>();
  /** Names as they are on stable storage. */
  #syncedNames = new Map<string, Content>();

  syncNames(): void {
    this.#syncedNames = new Map(this.names);
  }

  /** The bytes of a file as a process sees them. */
  read(name: string): Buffer {
    const content = this.names.get(name);
    invariant(content !== undefined, `there is a file ${name}`);
    return content.bytes.subarray(0, content.length);
  }

  /** Puts a file there, synced: for tests that damage one. */
  put(name: string, bytes: Buffer): void {
    const content = { bytes: Buffer.from(bytes), length: bytes.length, synced: bytes.length };
    this.names.set(name, content);
    this.#syncedNames.set(name, content);
  }

  lose(loss: Loss, environment: Environment): void {
    if (loss === 'none') return;
    const keep = (): boolean => loss === 'some' && environment.random() < 0.5;
    const names = new Map(this.#syncedNames);
    // Name changes reach the disk in order: up to some point.
    for (const [name, content] of this.names) {
      if (this.#syncedNames.get(name) === content) continue;
      if (!keep()) break;
      names.set(name, content);
    }
    for (const name of this.#syncedNames.keys()) if (!this.names.has(name) && keep()) names.delete(name);
    for (const content of names.values()) loseBytes(content, loss, environment);
    this.names = names;
    this.syncNames();
  }
}

/** What is not synced is cut anywhere, and some of the pages before the cut never arrived. */
function loseBytes(content: Content, loss: Loss, environment: Environment): void {
  const { synced, length } = content;
  const cut = loss === 'all' ? synced : synced + Math.floor(environment.random() * (length - synced + 1));
  const bytes = Buffer.from(content.bytes.subarray(0, cut));
  for (let page = Math.ceil(synced / PAGE_BYTES) * PAGE_BYTES; page < cut; page += PAGE_BYTES) {
    if (environment.random() < 0.1) bytes.fill(0, page, Math.min(page + PAGE_BYTES, cut));
  }
  content.bytes = bytes;
  content.length = cut;
  content.synced = cut;
}

/** One process's view of a virtual disk. */
export class VirtualFiles implements LogFiles {
  readonly disk: VirtualDisk;
  readonly environment: Environment;
  readonly options: VirtualDiskOptions;
  #crashed = false;

  constructor(environment: Environment, disk: VirtualDisk = new VirtualDisk(), options: VirtualDiskOptions = {}) {
    this.environment = environment;
    this.disk = disk;
    this.options = options;
  }

  /** The process dies: nothing calls back any more. 'none': only the process, the operating system keeps what it has. */
  crash(loss: Loss): void {
    this.#crashed = true;
    this.disk.lose(loss, this.environment);
  }

  list(done: Callback<{ name: string; bytes: number }[]>): void {
    this.perform('list', '', done, () =>
      [...this.disk.names].map(([name, content]) => ({ name, bytes: content.length })),
    );
  }

  create(name: string, done: Callback<LogFile>): void {
    this.perform('create', name, done, () => {
      if (this.disk.names.has(name)) throw new Error(`${name} exists`);
      const content: Content = { bytes: Buffer.alloc(0), length: 0, synced: 0 };
      this.disk.names.set(name, content);
      return new VirtualFile(this, name, content);
    });
  }

  open(name: string, done: Callback<LogFile>): void {
    this.perform('open', name, done, () => new VirtualFile(this, name, this.#content(name)));
  }

  rename(from: string, to: string, done: Callback): void {
    this.perform('rename', from, done, () => {
      this.disk.names.set(to, this.#content(from));
      this.disk.names.delete(from);
    });
  }

  remove(name: string, done: Callback): void {
    this.perform('remove', name, done, () => {
      this.#content(name);
      this.disk.names.delete(name);
    });
  }

  syncDirectory(done: Callback): void {
    this.perform('syncDirectory', '', done, () => this.disk.syncNames());
  }

  /** Does `action` after the time it takes, unless the process has died by then. */
  perform<T>(operation: string, name: string, done: Callback<T>, action: () => T): void {
    const run = (): void => {
      if (this.#crashed) return;
      const failure = this.options.fail?.(operation, name) ?? null;
      if (failure !== null) return done(failure);
      done(null, action());
    };
    const delayMs = this.options.delayMs?.(operation) ?? 0;
    if (delayMs > 0) this.environment.after(delayMs, run);
    else this.environment.defer(run);
  }

  #content(name: string): Content {
    const content = this.disk.names.get(name);
    invariant(content !== undefined, `there is a file ${name}`);
    return content;
  }
}

class VirtualFile implements LogFile {
  readonly #files: VirtualFiles;
  readonly #name: string;
  readonly #content: Content;

  constructor(files: VirtualFiles, name: string, content: Content) {
    this.#files = files;
    this.#name = name;
    this.#content = content;
  }

  write(buffer: Buffer, from: number, to: number, position: number, done: Callback<number>): void {
    this.#files.perform('write', this.#name, done, () => {
      const count = this.#files.options.shortWrite?.(to - from) ?? to - from;
      const content = this.#content;
      if (position + count > content.bytes.length) {
        const larger = Buffer.alloc(Math.max(position + count, content.bytes.length * 2));
        content.bytes.copy(larger, 0, 0, content.length);
        content.bytes = larger;
      }
      buffer.copy(content.bytes, position, from, from + count);
      content.length = Math.max(content.length, position + count);
      return count;
    });
  }

  sync(done: Callback): void {
    // What was written before the call; a write beside it may or may not be included.
    const length = this.#content.length;
    this.#files.perform('sync', this.#name, done, () => {
      this.#content.synced = Math.max(this.#content.synced, Math.min(length, this.#content.length));
    });
  }

  read(buffer: Buffer, position: number, done: Callback<number>): void {
    this.#files.perform('read', this.#name, done, () =>
      position >= this.#content.length
        ? 0
        : this.#content.bytes.copy(buffer, 0, position, Math.min(this.#content.length, position + buffer.length)),
    );
  }

  truncate(bytes: number, done: Callback): void {
    this.#files.perform('truncate', this.#name, done, () => {
      this.#content.length = Math.min(bytes, this.#content.length);
      this.#content.synced = Math.min(bytes, this.#content.synced);
    });
  }

  close(done: Callback): void {
    this.#files.perform('close', this.#name, done, () => undefined);
  }
}
