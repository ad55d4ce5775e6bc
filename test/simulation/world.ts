/**
 * Virtual time. One queue of events, ordered by time and then by the order they were scheduled in, drives
 * everything; all randomness comes from one seed. A run is a function of its seed.
 */
import type { Environment, Timer } from '../../shared/environment.js';

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

export class World {
  nowMs = 0;
  events = 0;
  /** Called after every event: the place for invariants. */
  afterEvent: () => void = () => undefined;
  private readonly heap: Event[] = [];
  private order = 0;
  private state: number;
  private trace = 0x811c9dc5;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** Uniform in [0, 1) (mulberry32). */
  random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  between(low: number, high: number): number {
    return low + this.random() * (high - low);
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!;
  }

  at(delayMs: number, run: () => void): Timer {
    const event: Event = { atMs: this.nowMs + Math.max(0, delayMs), order: this.order++, run, cancelled: false };
    this.push(event);
    return { cancel: () => void (event.cancelled = true) };
  }

  /** Mixes something that happened into the trace hash. */
  note(text: string): void {
    for (let i = 0; i < text.length; i++) this.trace = Math.imul(this.trace ^ text.charCodeAt(i), 0x01000193);
  }

  get traceHash(): string {
    return (this.trace >>> 0).toString(16).padStart(8, '0');
  }

  /** Runs until virtual time `untilMs`, or until `done` says so. */
  run(untilMs: number, done: () => boolean = () => false): void {
    for (let next = this.heap[0]; next !== undefined && next.atMs <= untilMs && !done(); next = this.heap[0]) {
      this.pop();
      this.nowMs = next.atMs;
      if (next.cancelled) continue;
      this.events++;
      next.run();
      this.afterEvent();
    }
    if (!done()) this.nowMs = Math.max(this.nowMs, untilMs);
  }

  private push(event: Event): void {
    const { heap } = this;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!before(event, heap[up]!)) break;
      heap[at] = heap[up]!;
      at = up;
    }
    heap[at] = event;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** One process's view of the world: once it has died, nothing it scheduled happens any more. */
export class ProcessEnvironment implements Environment {
  dead = false;
  private readonly world: World;
  private readonly startedMs: number;
  /** How far its wall clock is off. */
  wallOffsetMs: number;

  constructor(world: World, wallOffsetMs: number) {
    this.world = world;
    this.startedMs = world.nowMs - world.between(0, 1e6);
    this.wallOffsetMs = wallOffsetMs;
  }

  monotonicMs(): number {
    return this.world.nowMs - this.startedMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.world.nowMs + this.wallOffsetMs;
  }

  after(delayMs: number, run: () => void): Timer {
    return this.world.at(delayMs, () => {
      if (!this.dead) run();
    });
  }

  defer(run: () => void): void {
    this.after(0, run);
  }

  random(): number {
    return this.world.random();
  }
}
