/** Latencies in buckets 2 % apart, so that a run of any length takes the same memory. */
const GROWTH = 1.02;
const FIRST_MS = 0.01;

export class Latencies {
  private readonly buckets: number[] = [];
  count = 0;
  maxMs = 0;

  add(ms: number): void {
    const bucket = Math.max(0, Math.ceil(Math.log(ms / FIRST_MS) / Math.log(GROWTH)));
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
    this.count++;
    this.maxMs = Math.max(this.maxMs, ms);
  }

  addAll(others: Latencies): void {
    for (const [bucket, count] of others.buckets.entries())
      this.buckets[bucket] = (this.buckets[bucket] ?? 0) + (count ?? 0);
    this.count += others.count;
    this.maxMs = Math.max(this.maxMs, others.maxMs);
  }

  /** The upper end of the bucket that holds this fraction; 0 when there is none. */
  percentile(fraction: number): number {
    let left = fraction * this.count;
    for (const [bucket, count] of this.buckets.entries()) {
      left -= count ?? 0;
      if (left <= 0 && count !== undefined) return FIRST_MS * GROWTH ** bucket;
    }
    return 0;
  }

  describe(): string {
    const [p50, p99, p999] = [0.5, 0.99, 0.999].map((fraction) => this.percentile(fraction).toFixed(2));
    return `p50 ${p50} ms, p99 ${p99} ms, p99.9 ${p999} ms, max ${this.maxMs.toFixed(0)} ms (${this.count} operations)`;
  }
}
