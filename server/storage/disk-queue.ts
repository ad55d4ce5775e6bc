/**
 * Admission to libuv's thread pool, one per server process. The pool runs file and LevelDB jobs first come,
 * first served; a LevelDB write may stall in it for as long as a compaction takes. A dozen of those and an
 * fdatasync of the log, which every client waits for, sits behind them. So all jobs pass here: fewer are let in
 * than the pool has threads, urgent ones first, and each less urgent kind leaves threads free for the others.
 */
import { invariant } from '../../shared/errors.js';

/** In order of urgency. */
export const Priority = { log: 0, read: 1, apply: 2, background: 3 } as const;
export type Priority = (typeof Priority)[keyof typeof Priority];

/** Called with what to call, once, when the job is over. */
export type DiskJob = (finished: () => void) => void;

/** How many threads a kind of job leaves to the more urgent ones, and the least it gets. */
const LEFT_FREE: readonly number[] = [0, 2, 4, 6];

export class DiskQueue {
  readonly #ceilings: readonly number[];
  readonly #waiting: readonly DiskJob[][] = [[], [], [], []];
  #running = 0;

  /** `atOnce`: jobs let in at the same time; at most the size of the thread pool (UV_THREADPOOL_SIZE). */
  constructor(atOnce: number) {
    invariant(Number.isInteger(atOnce) && atOnce >= 1, 'a disk queue lets at least one job in');
    this.#ceilings = LEFT_FREE.map((left) => Math.max(1, atOnce - left));
  }

  /** Jobs let in and not finished. */
  get running(): number {
    return this.#running;
  }

  /** Jobs that wait. */
  get waiting(): number {
    return this.#waiting.reduce((sum, jobs) => sum + jobs.length, 0);
  }

  /** Starts `job` now or when a thread is free for its kind; jobs of one priority start in order. */
  run(priority: Priority, job: DiskJob): void {
    if (this.#running < this.#ceilings[priority]! && this.#waiting[priority]!.length === 0) this.#start(job);
    else this.#waiting[priority]!.push(job);
  }

  #start(job: DiskJob): void {
    this.#running++;
    let over = false;
    job(() => {
      invariant(!over, 'a disk job finishes once');
      over = true;
      this.#running--;
      this.#startWaiting();
    });
  }

  #startWaiting(): void {
    for (let priority = 0; priority < this.#waiting.length; priority++) {
      const jobs = this.#waiting[priority]!;
      while (jobs.length > 0 && this.#running < this.#ceilings[priority]!) this.#start(jobs.shift()!);
    }
  }
}
