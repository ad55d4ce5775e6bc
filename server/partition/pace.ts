/**
 * How fast a server copies snapshots, as teacher or as learner: as fast as configured while it has nothing else to
 * do, slower when its event loop is late, since then clients wait. What it watches is how much later than planned
 * its regular turns come: that shows its own work, a processor that others use, and a disk that holds up calls alike.
 *
 *   late by more than LATE_MS on average over a second   half as fast
 *   late by less than EASY_MS                            a quarter faster
 *
 * It never falls below `limits.learnBytesPerSecondMin`: what is written meanwhile piles up in the learner's log, so a
 * copy that takes for ever is worse than one that is felt.
 */
import { limits } from '../../shared/limits.js';

const TURNS = 20;
const LATE_MS = 5;
const EASY_MS = 2.5;
/** Timers and reads take longer than planned where much goes on: as much is made up for, and no more, lest bursts are felt. */
const MAKE_UP_MS = 50;

export class Pace {
  private readonly ceiling: number;
  private readonly floor: number;
  private rate: number;
  private turns = 0;
  private lateMs = 0;

  /** 0: no limit. */
  constructor(ceilingBytesPerSecond: number) {
    this.ceiling = ceilingBytesPerSecond;
    this.floor = Math.min(ceilingBytesPerSecond, limits.learnBytesPerSecondMin);
    this.rate = this.floor;
  }

  get bytesPerSecond(): number {
    return this.rate;
  }

  /** A regular turn of the event loop came this much later than planned. */
  onTurn(lateMs: number): void {
    this.lateMs += lateMs;
    if (++this.turns < TURNS) return;
    const mean = this.lateMs / this.turns;
    this.turns = this.lateMs = 0;
    if (mean > LATE_MS) this.rate = Math.max(this.floor, this.rate / 2);
    else if (mean < EASY_MS) this.rate = Math.min(this.ceiling, this.rate * 1.25);
  }

  /** When the next may go: `bytes` go now, were due at `dueMs`, and `sharers` copy at once. Being a little late is made up for. */
  next(dueMs: number, nowMs: number, bytes: number, sharers: number): number {
    return Math.max(dueMs, nowMs - MAKE_UP_MS) + this.msFor(bytes, sharers);
  }

  /** How long `bytes` take, while `sharers` copy at once. */
  msFor(bytes: number, sharers: number): number {
    return this.rate === 0 ? 0 : (bytes * 1_000 * Math.max(1, sharers)) / this.rate;
  }
}
