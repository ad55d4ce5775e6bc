/**
 * One simulated process: its clocks and timers. It can die (nothing it scheduled happens any more) and be stopped for a
 * while, as by SIGSTOP: everything that would happen in it waits, while its clocks go on.
 */
import type { Environment, Timer } from '../../shared/environment.js';
import type { Event, World } from './world.js';

/** A timer never fires early, nor at the very instant that it was set: sums of fractions are not exact. */
const TICK_MS = 0.001;
const EPOCH_MS = 1_700_000_000_000;

export class ProcessEnvironment implements Environment {
  readonly name: string;
  dead = false;
  paused = false;
  /** What waits for the end of the pause. */
  backlog: Event[] = [];
  /** How far its wall clock is off; faults change it. */
  wallOffsetMs: number;
  private readonly world: World;
  private readonly startedMs: number;
  /** What its monotonic clock shows after one true millisecond. */
  private readonly rate: number;

  constructor(world: World, name: string, clock: { wallOffsetMs: number; rate: number }) {
    this.world = world;
    this.name = name;
    this.startedMs = world.nowMs - world.between(0, 1e6);
    this.wallOffsetMs = clock.wallOffsetMs;
    this.rate = clock.rate;
  }

  monotonicMs(): number {
    return (this.world.nowMs - this.startedMs) * this.rate;
  }

  wallMs(): number {
    return EPOCH_MS + this.world.nowMs + this.wallOffsetMs;
  }

  after(delayMs: number, run: () => void): Timer {
    return this.world.schedule(Math.max(0, delayMs) / this.rate + TICK_MS, this, run);
  }

  defer(run: () => void): void {
    this.world.schedule(0, this, run);
  }

  random(): number {
    return this.world.random();
  }

  pause(): void {
    this.paused = true;
  }

  /** What waited happens now: in the order it was due, or, as an event loop may have it, timers before messages. */
  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    let { backlog } = this;
    this.backlog = [];
    if (this.world.chance(0.5))
      backlog = [...backlog.filter((event) => !event.input), ...backlog.filter((event) => event.input)];
    for (const event of backlog) {
      this.world.schedule(0, this, () => {
        if (!event.cancelled) event.run();
      });
    }
  }
}
