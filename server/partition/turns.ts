/**
 * Who may copy now: at most so many at once, the others in the order in which they first asked. There is nothing to
 * wake up: who waits asks again and again, and who has stopped asking is passed over.
 */

/** Who waits asks every second. */
const STALE_MS = 5_000;

export class Turns {
  private readonly limit: number;
  private readonly running = new Set<string>();
  /** Who waits, in order, and when it last asked. */
  private readonly waiting = new Map<string, number>();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** How many copy now. */
  get count(): number {
    return this.running.size;
  }

  /** True: it may copy, until it leaves. */
  ask(who: string, nowMs: number): boolean {
    if (this.running.has(who)) return true;
    this.waiting.set(who, nowMs);
    for (const [other, askedMs] of this.waiting) if (nowMs - askedMs > STALE_MS) this.waiting.delete(other);
    let free = this.limit - this.running.size;
    for (const other of this.waiting.keys()) {
      if (free-- <= 0) return false;
      if (other === who) break;
    }
    this.waiting.delete(who);
    this.running.add(who);
    return true;
  }

  leave(who: string): void {
    this.running.delete(who);
    this.waiting.delete(who);
  }
}
