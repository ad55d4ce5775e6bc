/**
 * Virtual time. One queue of events, ordered by time and then by the order they were scheduled in, drives
 * everything; all randomness comes from one seed. A run is a function of its seed.
 *
 * Most events are due at once (work deferred to the end of a turn): they wait in a plain queue beside the heap.
 */
import type { Timer } from '../../shared/environment.js';
import type { ProcessEnvironment } from './process.js';

/** How often a condition that is waited for is looked at. */
const LOOK_MS = 10;

export class Event implements Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  /** The process that it happens in; null: outside of all. */
  readonly process: ProcessEnvironment | null;
  /** A message that arrives, rather than a timer or deferred work. */
  readonly input: boolean;
  cancelled = false;

  constructor(atMs: number, order: number, process: ProcessEnvironment | null, input: boolean, run: () => void) {
    this.atMs = atMs;
    this.order = order;
    this.process = process;
    this.input = input;
    this.run = run;
  }

  cancel(): void {
    this.cancelled = true;
  }
}

export class World {
  nowMs = 0;
  events = 0;
  /** Called after every event with the process that it happened in: the place for invariants. */
  afterEvent: (process: ProcessEnvironment) => void = () => undefined;
  private readonly heap: Event[] = [];
  /** Due now, in order. */
  private soon: Event[] = [];
  private soonAt = 0;
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

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  between(low: number, high: number): number {
    return low + this.random() * (high - low);
  }

  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!;
  }

  at(delayMs: number, run: () => void): Timer {
    return this.schedule(delayMs, null, run);
  }

  schedule(delayMs: number, process: ProcessEnvironment | null, run: () => void, input = false): Event {
    if (delayMs > 0) {
      const event = new Event(this.nowMs + delayMs, this.order++, process, input, run);
      this.push(event);
      return event;
    }
    const event = new Event(this.nowMs, this.order++, process, input, run);
    this.soon.push(event);
    return event;
  }

  /** Mixes something that happened into the trace hash. */
  note(what: number): void {
    this.trace = Math.imul(this.trace ^ what, 0x01000193);
  }

  get traceHash(): string {
    return (this.trace >>> 0).toString(16).padStart(8, '0');
  }

  /** Runs until virtual time `untilMs`. */
  run(untilMs: number): void {
    for (let next = this.next(untilMs); next !== null; next = this.next(untilMs)) {
      if (next.cancelled) continue;
      const { process } = next;
      if (process === null) next.run();
      else if (process.dead) continue;
      else if (process.paused) {
        process.backlog.push(next);
        continue;
      } else {
        next.run();
        this.afterEvent(process);
      }
      this.events++;
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /** Runs until the condition holds, which is looked at now and then; false: it did not within `boundMs`. */
  runUntil(condition: () => boolean, boundMs: number): boolean {
    const endMs = this.nowMs + boundMs;
    while (!condition()) {
      if (this.nowMs >= endMs) return false;
      this.run(this.nowMs + LOOK_MS);
    }
    return true;
  }

  /** Takes the next event off the queues and moves time to it; null when there is none until `untilMs`. */
  private next(untilMs: number): Event | null {
    const top = this.heap[0];
    const first = this.soon[this.soonAt];
    if (first !== undefined && (top === undefined || before(first, top))) {
      this.soonAt++;
      if (this.soonAt === this.soon.length) {
        this.soon = [];
        this.soonAt = 0;
      }
      return first;
    }
    if (top === undefined || top.atMs > untilMs) return null;
    this.pop();
    this.nowMs = top.atMs;
    return top;
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
