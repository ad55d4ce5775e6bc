/**
 * Which segments there should be, in the name of an empty file: `<oldest>-<newest>.range`. Without it a segment
 * that somebody deleted at either end of the log could not be told from one that was not needed any more, or from
 * one that never was. A name, since a rename is atomic and needs no room on a full disk.
 *
 * It names a segment as newest only once that and everything before it is synced, and is itself synced before
 * what it does not name any more is removed.
 */
import type { Callback } from '../storage/store.js';
import type { LogFiles } from './files.js';

export interface Range {
  readonly oldest: number;
  readonly newest: number;
}

const NAME = /^(\d{16})-(\d{16})\.range$/;

export function rangeName({ oldest, newest }: Range): string {
  return `${String(oldest).padStart(16, '0')}-${String(newest).padStart(16, '0')}.range`;
}

/** Null for other files. */
export function parseRange(name: string): Range | null {
  const match = NAME.exec(name);
  return match === null ? null : { oldest: Number(match[1]), newest: Number(match[2]) };
}

export class SegmentRange {
  readonly #files: LogFiles;
  #name: string | null;
  /** Changes wait for each other. */
  readonly #waiting: { readonly range: Range; readonly done: Callback }[] = [];
  #busy = false;

  /** `found`: as recovery found it; null: there is none yet. */
  constructor(files: LogFiles, found: Range | null) {
    this.#files = files;
    this.#name = found === null ? null : rangeName(found);
  }

  /** Not yet on stable storage when it calls back: that takes a sync of the directory. */
  set(range: Range, done: Callback): void {
    this.#waiting.push({ range, done });
    if (!this.#busy) this.#next();
  }

  #next(): void {
    const change = this.#waiting.shift();
    if (change === undefined) return;
    const { range, done } = change;
    const name = rangeName(range);
    const before = this.#name;
    this.#busy = true;
    const finish: Callback = (error) => {
      this.#busy = false;
      if (error === null) this.#name = name;
      done(error);
      if (!this.#busy) this.#next();
    };
    if (before === name) return finish(null);
    if (before !== null) return this.#files.rename(before, name, finish);
    this.#files.create(name, (error, file) => {
      if (error !== null || file === undefined) finish(error ?? new Error('no file'));
      else file.close(finish);
    });
  }
}
