import type { Seat } from '../../shared/cluster.js';

/** Enough for a time-out at one a tick; a learner may lag for longer, and then the oldest count. */
const OWED_MAX = 512;

/** What a primary knows about one secondary or learner. */
export class Follower {
  readonly seat: Seat;
  /** Learning attempt; 0 for a secondary. */
  attempt: number;
  /** Everything up to here is in its log, prepared under the current ballot or committed. */
  acked: number;
  /** Prepares up to here were sent to it. */
  sent: number;
  /** A learner that has installed what it copied: once caught up it may be proposed. */
  ready = false;
  /** Monotonic ms: when the newest beacon that it acknowledged under the current ballot was sent. */
  leaseFromMs = Number.NEGATIVE_INFINITY;
  /** Monotonic ms: when it last showed life (joined, acknowledged a beacon). */
  aliveMs: number;
  /** Monotonic ms: when `acked` last advanced, or when there was nothing to acknowledge. */
  progressMs: number;
  /** What it has not acknowledged: at these times everything up to these decrees was there to be logged. Oldest first. */
  private owed: { readonly decree: number; atMs: number }[] = [];
  /** Monotonic ms: when prepares were last repeated. */
  sentMs: number;
  /** Rejects in a row that were below what it had acknowledged. */
  forgetful = 0;
  /** Bytes of bodies sent and not acknowledged. */
  inFlightBytes = 0;

  constructor(seat: Seat, attempt: number, from: number, nowMs: number) {
    this.seat = seat;
    this.attempt = attempt;
    this.acked = from;
    this.sent = from;
    this.aliveMs = nowMs;
    this.progressMs = nowMs;
    this.sentMs = nowMs;
  }

  /** Called now and then; `last` is the newest decree. */
  noteOwed(last: number, nowMs: number): void {
    while (this.owed.length > 0 && this.owed[0]!.decree <= this.acked) this.owed.shift();
    const newest = this.owed[this.owed.length - 1]?.decree ?? this.acked;
    if (last > newest && this.owed.length < OWED_MAX) this.owed.push({ decree: last, atMs: nowMs });
  }

  /** How long the oldest mutation that it has not acknowledged has waited for it. */
  owesForMs(nowMs: number): number {
    const oldest = this.owed.find(({ decree }) => decree > this.acked);
    return oldest === undefined ? 0 : nowMs - oldest.atMs;
  }

  /** It owes nothing that is older than this. */
  forgiveOwed(sinceMs: number): void {
    for (const entry of this.owed) entry.atMs = Math.max(entry.atMs, sinceMs);
  }

  /** What it had acknowledged counts no more: a new ballot. */
  beginAnew(acked: number, nowMs: number): void {
    this.acked = acked;
    this.sent = acked;
    this.inFlightBytes = 0;
    this.leaseFromMs = Number.NEGATIVE_INFINITY;
    this.progressMs = nowMs;
    this.owed = [];
  }
}
