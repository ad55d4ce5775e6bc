/**
 * Where a point read is made that misses the rows in memory. On the event loop's thread it costs a few microseconds as
 * long as LevelDB or the operating system has the block; from a disk it costs milliseconds, in which nobody is served
 * (measured: half of the reads of a store that is not cached took 50 µs, a tenth more than 2 ms, some 20 to 80 ms; through
 * the thread pool each costs about 50 µs more). So reads are made here until one was slow; for a while they are
 * fetched off the thread then, and for longer each time that the first ones made here again are slow too.
 * 2,500 random reads of a cold store held the loop up for 700 to 830 ms in all, and so for 16 ms, in the same time.
 */
const SLOW_MS = 1;
const AWAY_MS_FIRST = 100;
const AWAY_MS_LAST = 2_000;

/** Thrown through operations when entries must be fetched first. */
export class MissingEntry {
  readonly keys: readonly string[];
  constructor(keys: readonly string[]) {
    this.keys = keys;
  }
}

export class PointReads {
  private readonly nowMs: () => number;
  private awayMs = 0;
  private awayUntilMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  /** May the next one be made on this thread? */
  get here(): boolean {
    return this.nowMs() >= this.awayUntilMs;
  }

  /** Makes a read on this thread. */
  make<T>(read: () => T): T {
    const beganMs = this.nowMs();
    const value = read();
    const nowMs = this.nowMs();
    if (nowMs - beganMs > SLOW_MS) {
      const soonAgain = beganMs - this.awayUntilMs < this.awayMs;
      this.awayMs = soonAgain ? Math.min(AWAY_MS_LAST, this.awayMs * 2) : AWAY_MS_FIRST;
      this.awayUntilMs = nowMs + this.awayMs;
    }
    return value;
  }
}
