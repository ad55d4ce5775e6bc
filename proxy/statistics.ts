/** What INFO, LATENCY HISTOGRAM and CONFIG RESETSTAT count, by command and for the whole proxy. */

/** Values fall into buckets of an eighth of a power of two: 12 % exact, and one array increment a command. */
const SUBBUCKETS = 8;
const BUCKETS = 32 * SUBBUCKETS;

export class Histogram {
  private counts: Uint32Array | null = null;
  total = 0;

  add(usec: number): void {
    this.counts ??= new Uint32Array(BUCKETS);
    const index = bucketOf(usec);
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.total += 1;
  }

  reset(): void {
    this.counts = null;
    this.total = 0;
  }

  /** Upper bound of the bucket in which the percentile lies, in microseconds. */
  percentile(percent: number): number {
    if (this.counts === null) return 0;
    const wanted = Math.max(1, Math.ceil((this.total * percent) / 100));
    let seen = 0;
    for (let index = 0; index < BUCKETS; index += 1) {
      seen += this.counts[index] ?? 0;
      if (seen >= wanted) return upperBound(index);
    }
    return upperBound(BUCKETS - 1);
  }

  /** Cumulative counts below powers of two of microseconds, from the first that is not empty to the one that has all. */
  cumulative(): [usec: number, count: number][] {
    const result: [number, number][] = [];
    if (this.counts === null) return result;
    let seen = 0;
    for (let power = 0; power < 32; power += 1) {
      const before = seen;
      for (let sub = 0; sub < SUBBUCKETS; sub += 1) seen += this.counts[power * SUBBUCKETS + sub] ?? 0;
      if (seen > before) result.push([2 ** power, seen]);
      if (seen === this.total) break;
    }
    return result;
  }
}

/** Power 0 holds up to 1 µs, power p what is in (2^(p-1), 2^p]. */
function bucketOf(usec: number): number {
  const value = Math.min(Math.max(1, Math.ceil(usec)), 2 ** 31);
  if (value === 1) return SUBBUCKETS - 1;
  const power = 32 - Math.clz32(value - 1);
  const below = 2 ** (power - 1);
  return power * SUBBUCKETS + Math.min(SUBBUCKETS - 1, Math.floor(((value - below - 1) * SUBBUCKETS) / below));
}

function upperBound(index: number): number {
  const power = Math.floor(index / SUBBUCKETS);
  if (power === 0) return 1;
  const below = 2 ** (power - 1);
  return below + (((index % SUBBUCKETS) + 1) * below) / SUBBUCKETS;
}

export class CommandStatistics {
  calls = 0;
  usec = 0;
  /** Refused before execution: arity, authentication. */
  rejected = 0;
  failed = 0;
  readonly latency = new Histogram();

  executed(usec: number, failed: boolean): void {
    this.calls += 1;
    this.usec += usec;
    if (failed) this.failed += 1;
    this.latency.add(usec);
  }

  reset(): void {
    this.calls = 0;
    this.usec = 0;
    this.rejected = 0;
    this.failed = 0;
    this.latency.reset();
  }
}

/** Redis keeps this many kinds of error apart; an attacker may not grow the table without end. */
const ERROR_KINDS_MAX = 128;

export class Statistics {
  connections = 0;
  rejectedConnections = 0;
  commands = 0;
  inputBytes = 0;
  outputBytes = 0;
  errorReplies = 0;
  reads = 0;
  writes = 0;
  /** By first word of the error. */
  readonly errors = new Map<string, number>();
  /** Per second, over the last sampling. */
  readonly rate = { commands: 0, inputBytes: 0, outputBytes: 0 };
  private sampled = { atMs: 0, commands: 0, inputBytes: 0, outputBytes: 0 };

  error(text: string): void {
    this.errorReplies += 1;
    const end = text.indexOf(' ');
    const kind = end < 0 ? text : text.slice(0, end);
    const known = this.errors.get(kind);
    if (known !== undefined || this.errors.size < ERROR_KINDS_MAX) this.errors.set(kind, (known ?? 0) + 1);
  }

  /** Called about once a second. */
  sample(nowMs: number): void {
    const { commands, inputBytes, outputBytes } = this;
    const seconds = (nowMs - this.sampled.atMs) / 1000;
    if (seconds > 0) {
      this.rate.commands = (commands - this.sampled.commands) / seconds;
      this.rate.inputBytes = (inputBytes - this.sampled.inputBytes) / seconds;
      this.rate.outputBytes = (outputBytes - this.sampled.outputBytes) / seconds;
    }
    this.sampled = { atMs: nowMs, commands, inputBytes, outputBytes };
  }

  reset(): void {
    this.connections = 0;
    this.rejectedConnections = 0;
    this.commands = 0;
    this.inputBytes = 0;
    this.outputBytes = 0;
    this.errorReplies = 0;
    this.reads = 0;
    this.writes = 0;
    this.errors.clear();
    this.sampled = { atMs: this.sampled.atMs, commands: 0, inputBytes: 0, outputBytes: 0 };
  }
}
