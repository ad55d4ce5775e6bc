/**
 * How fast a server copies snapshots, as teacher or as learner: as fast as configured while nobody feels it, slower
 * when its event loop is later than it is without copying, since then clients wait. What it watches is how much later
 * than planned its regular turns come: that shows its own work, a processor that others use, and a disk that holds up
 * calls alike. What is usual here it learns while nothing is copied, so that a busy machine is not taken for a copy
 * that is felt, nor a copy that is felt for a busy machine.
 *
 * Of each second's turns the two latest do not count: they come from a pause of the machine or a collection now and then, and
 * would make any copy look as if it were felt. Of the others,
 *
 *   on average later than half more than usual, and a millisecond      three quarters as fast
 *   no later than a quarter more than usual, and half a millisecond    a tenth faster
 *
 * It never falls below `limits.learnBytesPerSecondMin`, and goes as fast as configured, felt or not, when
 * `limits.learnHurryBytes` were written meanwhile: that piles up in the learner's log, and a copy that ends too late
 * begins anew.
 */
import { limits } from '../../shared/limits.js';

const TURNS = 20;
const TURNS_COUNTED = 18;
/** What is usual until something is known; a learner often has just started. */
const USUAL_MS = 1;
/** What is later than this is not taken for usual: a server that is so busy should not copy fast. */
const USUAL_MAX_MS = 5;
const USUAL_WEIGHT = 0.1;
/** Timers and reads take longer than planned where much goes on: as much is made up for, and no more, lest bursts are felt. */
const MAKE_UP_MS = 50;

export class Pace {
  private readonly ceiling: number;
  private readonly floor: number;
  private rate: number;
  private usualMs = USUAL_MS;
  /** Of this second, in any order. */
  private lateMs: number[] = [];
  /** The mean of the last second. */
  private lastMs = 0;
  private copying = false;

  /** 0: no limit. */
  constructor(ceilingBytesPerSecond: number) {
    this.ceiling = ceilingBytesPerSecond;
    this.floor = Math.min(ceilingBytesPerSecond, limits.learnBytesPerSecondMin);
    this.rate = this.floor;
  }

  get bytesPerSecond(): number {
    return this.rate;
  }

  /** For logs. */
  get facts(): { readonly bytesPerSecond: number; readonly usualLateMs: number; readonly lateMs: number } {
    const [usualLateMs, lateMs] = [this.usualMs, this.lastMs].map((ms) => Math.round(ms * 100) / 100);
    return { bytesPerSecond: Math.round(this.rate), usualLateMs: usualLateMs ?? 0, lateMs: lateMs ?? 0 };
  }

  /** A regular turn of the event loop came this much later than planned, while something was copied or not. */
  onTurn(lateMs: number, copying: boolean): void {
    if (copying !== this.copying) {
      this.copying = copying;
      this.lateMs = [];
    }
    this.lateMs.push(lateMs);
    if (this.lateMs.length < TURNS) return;
    const counted = this.lateMs.sort((one, other) => one - other).slice(0, TURNS_COUNTED);
    const mean = counted.reduce((sum, each) => sum + each, 0) / TURNS_COUNTED;
    this.lateMs = [];
    this.lastMs = mean;
    if (!copying) this.usualMs += (Math.min(mean, USUAL_MAX_MS) - this.usualMs) * USUAL_WEIGHT;
    else if (mean > this.usualMs * 1.5 + 1) this.rate = Math.max(this.floor, this.rate * 0.75);
    else if (mean < this.usualMs * 1.25 + 0.5) this.rate = Math.min(this.ceiling, this.rate * 1.1);
  }

  /**
   * When the next may go: `bytes` go now, were due at `dueMs`, and `sharers` copy at once. Being a little late is made
   * up for. `writtenBytes`: what was written since the snapshot was taken.
   */
  next(dueMs: number, nowMs: number, bytes: number, sharers: number, writtenBytes: number): number {
    const rate = writtenBytes > limits.learnHurryBytes ? this.ceiling : this.rate;
    return Math.max(dueMs, nowMs - MAKE_UP_MS) + msAt(rate, bytes, sharers);
  }

  /** How long `bytes` take, while `sharers` copy at once. */
  msFor(bytes: number, sharers: number): number {
    return msAt(this.rate, bytes, sharers);
  }
}

function msAt(rate: number, bytes: number, sharers: number): number {
  return rate === 0 ? 0 : (bytes * 1_000 * Math.max(1, sharers)) / rate;
}
