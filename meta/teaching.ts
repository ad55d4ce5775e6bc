/**
 * What meta remembers between two looks of the guardian, so that it neither asks twice for the same
 * learner nor copies a partition elsewhere while a server merely restarts. Lost with the process, which only delays.
 */
import { type Configuration, members } from '../shared/cluster.js';

/** A primary that was asked lists its learner in its heartbeats; if it does not by then, it is asked again. */
const ASK_AGAIN_MS = 3_000;

export class Teaching {
  private readonly rejoinMs: number;
  private readonly asks = new Map<number, { ballot: number; node: string; atMs: number }[]>();
  private readonly left = new Map<number, Map<string, number>>();

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

  reconfigured(before: Configuration, after: Configuration, nowMs: number): void {
    const left = this.left.get(after.partition) ?? new Map<string, number>();
    const now = new Set(members(after).map((seat) => seat.node));
    for (const { node } of members(before)) if (!now.has(node)) left.set(node, nowMs);
    for (const [node, atMs] of left) if (now.has(node) || nowMs - atMs > this.rejoinMs) left.delete(node);
    this.left.set(after.partition, left);
  }

  leftLately(partition: number, nowMs: number): string[] {
    return [...(this.left.get(partition) ?? [])]
      .filter(([, atMs]) => nowMs - atMs < this.rejoinMs)
      .map(([node]) => node);
  }
}
