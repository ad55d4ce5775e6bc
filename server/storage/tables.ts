/**
 * How many tables a store has, against how many LevelDB may keep open: whether point reads are as cheap as they look.
 *
 * LevelDB counts every point read that passed by a table without finding its key, and compacts that table after one such
 * read for each 16 KiB of it. Where reads and writes are spread over a large store that never ends: what has just been
 * written moves down through all levels, and what it overlaps is rewritten with it, while LevelDB holds the lock that
 * every read needs to remove a hundred files. Measured with 2 GB, 1,000 random reads and 500 random writes a second: 56 MB
 * rewritten a second. Reads through iterators count by the megabyte: 5 MB a second, at half the processor time. By
 * themselves they cost more, as they look into every level, and not on the calling thread. So they are for stores that
 * have more tables than may be open: a point read opens one there anyway (120 us instead of 30).
 */
import { readdir } from 'node:fs';

const TABLE = /\.(ldb|sst)$/;
/** Of the files that LevelDB may have open, it keeps these for other purposes; and it takes no fewer than so many. */
const OTHER_FILES = 10;
const OPEN_TABLES_MIN = 64;

export class Tables {
  private readonly directory: string;
  private readonly openMax: number;
  private readonly recountBytes: number;
  private count = 0;
  private writtenBytes = 0;

  /** `recountBytes`: what is written between counts; a write buffer of this size makes a table. */
  constructor(directory: string, openFiles: number, recountBytes: number) {
    this.directory = directory;
    this.openMax = Math.max(OPEN_TABLES_MIN, openFiles - OTHER_FILES);
    this.recountBytes = recountBytes;
  }

  get mayAllBeOpen(): boolean {
    return this.count <= this.openMax;
  }

  /** Where the directory cannot be listed the former number stays: whoever reads will learn what is wrong with it. */
  recount(done?: () => void): void {
    readdir(this.directory, (error, names) => {
      if (error === null) this.count = names.reduce((count, name) => count + Number(TABLE.test(name)), 0);
      done?.();
    });
  }

  wrote(bytes: number): void {
    this.writtenBytes += bytes;
    if (this.writtenBytes < this.recountBytes) return;
    this.writtenBytes = 0;
    this.recount();
  }
}
