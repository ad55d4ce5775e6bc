/**
 * A file system in memory for the log: the simulator's disk. It outlives the VirtualFiles (processes) that use it. A power failure
 * takes what was not synced: written bytes and names alike, all of them or some, with the tail torn anywhere and pages in it missing.
 *
 * A sync that fails does what Linux does: the pages count as clean although they are not on the disk. They can be
 * read for as long as they stay in the cache, no later sync writes them, and they are gone with the power.
 */
import type { Environment } from '../../shared/environment.js';
import { invariant } from '../../shared/errors.js';
import { type DiskHooks, fileError } from '../storage/disk-faults.js';
import type { Loss } from '../storage/memory.js';
import type { Callback } from '../storage/store.js';
import type { LogFile, LogFiles } from './files.js';

const PAGE_BYTES = 4096;

/** One file: what a process sees of it, and what is on stable storage. */
class Content {
  length = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #durable: Buffer = Buffer.alloc(0);
  #durableLength = 0;
  /** Pages written since they were last synced lie in here. */
  #dirty = { from: Infinity, to: 0 };
  /** Of syncs that failed: read from the cache, not on the disk. */
  #suspect: { readonly from: number; readonly to: number }[] = [];

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  write(buffer: Buffer, from: number, to: number, position: number): void {
    const end = position + to - from;
    this.#bytes = roomFor(this.#bytes, this.length, end);
    if (position > this.length) this.#bytes.fill(0, this.length, position);
    buffer.copy(this.#bytes, position, from, to);
    this.length = Math.max(this.length, end);
    this.#dirty.from = Math.min(this.#dirty.from, position - (position % PAGE_BYTES));
    this.#dirty.to = Math.max(this.#dirty.to, end);
  }

  truncate(bytes: number): void {
    this.length = Math.min(bytes, this.length);
  }

  /** Of what was there when the file was `length` bytes long. */
  sync(length: number): void {
    const { from } = this.#dirty;
    const to = Math.min(this.#dirty.to, length, this.length);
    if (to > from) {
      this.#durable = roomFor(this.#durable, this.#durableLength, to);
      if (from > this.#durableLength) this.#durable.fill(0, this.#durableLength, from);
      this.#bytes.copy(this.#durable, from, from, to);
    }
    this.#durableLength = Math.min(length, this.length);
    this.#clean(length);
  }

  failSync(length: number): void {
    const to = Math.min(this.#dirty.to, length, this.length);
    if (to > this.#dirty.from) this.#suspect.push({ from: this.#dirty.from, to });
    this.#clean(length);
  }

  /** The cache lets go of pages that count as clean: what a failed sync did not write is seen to be missing. */
  evict(): void {
    for (const { from, to } of this.#suspect) {
      const end = Math.min(to, this.length);
      if (end <= from) continue;
      this.#bytes.fill(0, from, end);
      if (from < this.#durableLength) this.#durable.copy(this.#bytes, from, from, Math.min(end, this.#durableLength));
    }
    this.#suspect = [];
  }

  /** What is not synced is cut anywhere, and some of the pages before the cut never arrived. */
  lose(loss: 'all' | 'some', environment: Environment): void {
    const least = this.#durableLength;
    const cut = loss === 'all' ? least : least + Math.floor(environment.random() * (this.length - least + 1));
    const bytes = Buffer.alloc(Math.max(cut, 0));
    this.#durable.copy(bytes, 0, 0, Math.min(cut, least));
    if (loss === 'some') {
      for (let page = this.#dirty.from; page < Math.min(cut, this.length, this.#dirty.to); page += PAGE_BYTES) {
        const arrived = page + PAGE_BYTES <= least || environment.random() >= 0.1;
        if (arrived) this.#bytes.copy(bytes, page, page, Math.min(page + PAGE_BYTES, cut, this.length));
      }
    }
    this.put(bytes);
  }

  /** The content is this, and synced. */
  put(bytes: Buffer): void {
    this.#bytes = Buffer.from(bytes);
    this.#durable = Buffer.from(bytes);
    this.length = bytes.length;
    this.#durableLength = bytes.length;
    this.#dirty = { from: Infinity, to: 0 };
    this.#suspect = [];
  }

  #clean(upTo: number): void {
    const { to } = this.#dirty;
    this.#dirty = to > upTo ? { from: upTo - (upTo % PAGE_BYTES), to } : { from: Infinity, to: 0 };
  }
}

function roomFor(bytes: Buffer, used: number, needed: number): Buffer {
  if (needed <= bytes.length) return bytes;
  const larger = Buffer.alloc(Math.max(needed, bytes.length * 2));
  bytes.copy(larger, 0, 0, used);
  return larger;
}

export class VirtualDisk {
  names = new Map<string, Content>();
  /** Names as they are on stable storage ... */
  #syncedNames = new Map<string, Content>();
  /** ... and what has changed since, in order. */
  #changes: ((names: Map<string, Content>) => void)[] = [];

  /** Of all files. */
  get bytes(): number {
    let bytes = 0;
    for (const content of this.names.values()) bytes += content.length;
    return bytes;
  }

  syncNames(): void {
    this.#syncedNames = new Map(this.names);
    this.#changes = [];
  }

  create(name: string): Content {
    const content = new Content();
    this.#change((names) => void names.set(name, content));
    return content;
  }

  rename(from: string, to: string): void {
    const content = this.content(from);
    this.#change((names) => {
      names.set(to, content);
      names.delete(from);
    });
  }

  remove(name: string): void {
    this.content(name);
    this.#change((names) => void names.delete(name));
  }

  #change(change: (names: Map<string, Content>) => void): void {
    change(this.names);
    this.#changes.push(change);
  }

  /** The bytes of a file as a process sees them. */
  read(name: string): Buffer {
    return this.content(name).bytes;
  }

  content(name: string): Content {
    const content = this.names.get(name);
    invariant(content !== undefined, `there is a file ${name}`);
    return content;
  }

  /** Puts a file there, synced: for tests that damage one. */
  put(name: string, bytes: Buffer): void {
    const content = new Content();
    content.put(bytes);
    this.names.set(name, content);
    this.#syncedNames.set(name, content);
  }

  /** One byte of a file changes, on the disk as well as for its readers. The file's other bytes count as synced. */
  corrupt(name: string, offset: number): void {
    const bytes = Buffer.from(this.read(name));
    invariant(offset < bytes.length, 'a byte of the file');
    bytes[offset]! ^= 0x40;
    this.content(name).put(bytes);
  }

  /** 'none': only the process dies; even then the cache may let go of pages. */
  lose(loss: Loss, environment: Environment): void {
    if (loss === 'none') {
      for (const content of this.names.values()) if (environment.random() < 0.5) content.evict();
      return;
    }
    const names = new Map(this.#syncedNames);
    // Changes of names reach the disk in order: up to some point.
    const arrived = loss === 'all' ? 0 : Math.floor(environment.random() * (this.#changes.length + 1));
    for (const change of this.#changes.slice(0, arrived)) change(names);
    for (const content of names.values()) content.lose(loss, environment);
    this.names = names;
    this.syncNames();
  }
}

/** One process's view of a virtual disk. */
export class VirtualFiles implements LogFiles {
  readonly disk: VirtualDisk;
  readonly environment: Environment;
  readonly hooks: DiskHooks;
  #crashed = false;

  constructor(environment: Environment, disk: VirtualDisk = new VirtualDisk(), hooks: DiskHooks = {}) {
    this.environment = environment;
    this.disk = disk;
    this.hooks = hooks;
  }

  /** The process dies: nothing calls back any more. 'none': only the process, the operating system keeps what it has. */
  crash(loss: Loss): void {
    this.#crashed = true;
    this.disk.lose(loss, this.environment);
  }

  list(done: Callback<{ name: string; bytes: number }[]>): void {
    this.perform('list', '', 0, done, () =>
      [...this.disk.names].map(([name, content]) => ({ name, bytes: content.length })),
    );
  }

  create(name: string, done: Callback<LogFile>): void {
    this.perform('create', name, 0, done, () => {
      if (this.disk.names.has(name)) throw new Error(`${name} exists`);
      return new VirtualFile(this, name, this.disk.create(name));
    });
  }

  open(name: string, done: Callback<LogFile>): void {
    this.perform('open', name, 0, done, () => new VirtualFile(this, name, this.disk.content(name)));
  }

  rename(from: string, to: string, done: Callback): void {
    this.perform('rename', from, 0, done, () => this.disk.rename(from, to));
  }

  remove(name: string, done: Callback): void {
    this.perform('remove', name, 0, done, () => this.disk.remove(name));
  }

  syncDirectory(done: Callback): void {
    this.perform('syncDirectory', '', 0, done, () => this.disk.syncNames());
  }

  /**
   * Does `action` after the time it takes, unless the process has died by then. `failed` is what a failure leaves behind;
   * `action` gets how many bytes the disk takes.
   */
  perform<T>(
    operation: string,
    name: string,
    bytes: number,
    done: Callback<T>,
    action: (bytes: number) => T,
    failed: () => void = () => undefined,
  ): void {
    const run = (): void => {
      if (this.#crashed) return;
      const fault = this.hooks.fault?.(operation, name, bytes) ?? null;
      if (fault === null) return done(null, action(bytes));
      if (typeof fault === 'object') return done(null, action(Math.min(bytes, fault.shortBytes)));
      failed();
      done(fileError(fault, operation, name));
    };
    const delayMs = this.hooks.delayMs?.(operation, name, bytes) ?? 0;
    if (delayMs > 0) this.environment.after(delayMs, run);
    else this.environment.defer(run);
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
    const write = (count: number): number => {
      this.#content.write(buffer, from, from + count, position);
      return count;
    };
    // A write that fails may have written some of it.
    const failed = (): void => void write(Math.floor(this.#files.environment.random() * (to - from)));
    this.#files.perform('write', this.#name, to - from, done, write, failed);
  }

  sync(done: Callback): void {
    // What was written before the call; a write beside it may or may not be included.
    const { length } = this.#content;
    const sync = (): void => this.#content.sync(length);
    this.#files.perform('sync', this.#name, 0, done, sync, () => this.#content.failSync(length));
  }

  read(buffer: Buffer, position: number, done: Callback<number>): void {
    this.#files.perform('read', this.#name, buffer.length, done, () => {
      const { bytes } = this.#content;
      return position >= bytes.length ? 0 : bytes.copy(buffer, 0, position, position + buffer.length);
    });
  }

  truncate(bytes: number, done: Callback): void {
    this.#files.perform('truncate', this.#name, 0, done, () => this.#content.truncate(bytes));
  }

  close(done: Callback): void {
    this.#files.perform('close', this.#name, 0, done, () => undefined);
  }
}
