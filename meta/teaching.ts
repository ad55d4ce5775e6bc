/**
 * What meta remembers between two looks of the guardian, so that it neither asks twice for the same
 * learner nor copies a partition elsewhere while a server merely restarts, and asks less and less often for
 * one that fails again and again. Lost with the process, which only delays.
 */
import { type Configuration, members, sameSeat, type Seat } from '../shared/cluster.js';
import type { HeartbeatReport } from '../shared/wire/messages.js';
import { type Conduct, failed, joined } from './decisions/conduct.js';

/** A primary that was asked lists its learner in its heartbeats; if it does not by then, it is asked again. */
const ASK_AGAIN_MS = 3_000;

export class Teaching {
  private readonly rejoinMs: number;
  private readonly asks = new Map<number, { ballot: number; node: string; atMs: number }[]>();
  private readonly left = new Map<number, Map<string, number>>();
  private readonly conduct = new Map<number, Map<string, Conduct>>();

  constructor(rejoinMs: number) {
    this.rejoinMs = rejoinMs;
  }

  asked(partition: number, ballot: number, node: string, atMs: number): void {
    const asks = this.asks.get(partition) ?? [];
    this.asks.set(partition, [...asks.filter((ask) => ask.node !== node), { ballot, node, atMs }]);
  }

  askedLately({ partition, ballot }: Configuration, nowMs: number): string[] {
    const asks = this.asks.get(partition) ?? [];
    return asks.filter((ask) => ask.ballot === ballot && nowMs - ask.atMs < ASK_AGAIN_MS).map((ask) => ask.node);
  }

  /** `isDead`: of a seat whose boot is over, which says nothing about how the server behaves. */
  reconfigured(before: Configuration, after: Configuration, isDead: (seat: Seat) => boolean, nowMs: number): void {
    const left = this.left.get(after.partition) ?? new Map<string, number>();
    const now = new Set(members(after).map((seat) => seat.node));
    for (const { node } of members(before)) if (!now.has(node)) left.set(node, nowMs);
    for (const [node, atMs] of left) if (now.has(node) || nowMs - atMs > this.rejoinMs) left.delete(node);
    this.left.set(after.partition, left);
    for (const seat of members(before)) {
      if (!now.has(seat.node) && !isDead(seat)) this.note(after.partition, seat.node, failed, nowMs);
    }
    for (const seat of members(after)) {
      if (!members(before).some((other) => sameSeat(other, seat))) this.note(after.partition, seat.node, joined, nowMs);
    }
  }

  /** A learner that its primary taught under this ballot, and teaches no more, though it is no member. */
  reported(configuration: Configuration, before: HeartbeatReport | null, now: HeartbeatReport, nowMs: number): void {
    const { partition, ballot } = configuration;
    const learnersOf = (report: HeartbeatReport | null): readonly string[] | undefined =>
      report?.replicas.find((each) => each.partition === partition && each.ballot === ballot && each.role === 'primary')
        ?.learners;
    const still = learnersOf(now);
    if (still === undefined) return;
    for (const node of learnersOf(before) ?? []) {
      const isMember = members(configuration).some((seat) => seat.node === node);
      if (!isMember && !still.includes(node)) this.note(partition, node, failed, nowMs);
    }
  }

  private note(
    partition: number,
    node: string,
    change: (before: Conduct | undefined, nowMs: number) => Conduct,
    nowMs: number,
  ): void {
    const ofPartition = this.conduct.get(partition) ?? new Map<string, Conduct>();
    ofPartition.set(node, change(ofPartition.get(node), nowMs));
    this.conduct.set(partition, ofPartition);
  }

  leftLately(partition: number, nowMs: number): string[] {
    return [...(this.left.get(partition) ?? [])]
      .filter(([, atMs]) => nowMs - atMs < this.rejoinMs)
      .map(([node]) => node);
  }

  resting(partition: number, nowMs: number): string[] {
    return [...(this.conduct.get(partition) ?? [])]
      .filter(([, { restUntilMs }]) => nowMs < restUntilMs)
      .map(([node]) => node);
  }
}
