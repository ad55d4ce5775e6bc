import type { Seat } from '../../shared/cluster.js';

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
  /** Monotonic ms: when prepares were last repeated. */
  sentMs: number;
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
}
