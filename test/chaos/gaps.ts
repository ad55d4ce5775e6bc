/**
 * How long clients went without success: per partition the time between one acknowledged write and the next, and the
 * longest of these for each fault. And which answers they got that were not successes.
 */
import { performance } from 'node:perf_hooks';

export type Trouble = 'connection lost' | 'UNKNOWN' | 'refused';

export interface FaultRecord {
  readonly kind: string;
  longestGapMs: number;
  readonly troubles: Map<Trouble, number>;
  /** One of each trouble, in its words. */
  readonly samples: Map<Trouble, string>;
}

export class Gaps {
  readonly faults: FaultRecord[] = [];
  /** Before the first fault: what clients suffer without any. */
  readonly calm = newRecord('none');
  private present = this.calm;
  private readonly lastMs: number[];

  constructor(partitions: number) {
    this.lastMs = Array.from({ length: partitions }, () => performance.now());
  }

  /** From now on what happens is this fault's doing. */
  begin(kind: string): FaultRecord {
    this.present = newRecord(kind);
    this.faults.push(this.present);
    return this.present;
  }

  acknowledged(partition: number, nowMs: number): void {
    const gapMs = nowMs - (this.lastMs[partition] ?? nowMs);
    this.lastMs[partition] = nowMs;
    if (gapMs > this.present.longestGapMs) this.present.longestGapMs = gapMs;
  }

  /** True when every partition acknowledged a write after that moment. */
  allAcknowledgedSince(momentMs: number): boolean {
    return this.lastMs.every((lastMs) => lastMs > momentMs);
  }

  trouble(kind: Trouble, text: string): void {
    const { troubles, samples } = this.present;
    troubles.set(kind, (troubles.get(kind) ?? 0) + 1);
    if (!samples.has(kind)) samples.set(kind, text);
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function newRecord(kind: string): FaultRecord {
  return { kind, longestGapMs: 0, troubles: new Map(), samples: new Map() };
}
