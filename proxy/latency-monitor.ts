/**
 * LATENCY: events that took at least `latency-monitor-threshold` milliseconds, one sample a second kept
 * (the worst). The proxy can vouch for one kind of event, `command`: how long a command took from its
 * arrival to its reply.
 */
const SAMPLES_MAX = 160;

export interface LatencySample {
  readonly atS: number;
  ms: number;
}

export interface LatencyEvent {
  readonly samples: LatencySample[];
  maxMs: number;
}

export class LatencyMonitor {
  readonly events = new Map<string, LatencyEvent>();

  add(name: string, ms: number, wallMs: number): void {
    const atS = Math.floor(wallMs / 1000);
    const rounded = Math.round(ms);
    let event = this.events.get(name);
    if (event === undefined) {
      event = { samples: [], maxMs: 0 };
      this.events.set(name, event);
    }
    event.maxMs = Math.max(event.maxMs, rounded);
    const last = event.samples.at(-1);
    if (last !== undefined && last.atS === atS) {
      last.ms = Math.max(last.ms, rounded);
      return;
    }
    event.samples.push({ atS, ms: rounded });
    if (event.samples.length > SAMPLES_MAX) event.samples.shift();
  }

  /** How many were forgotten; all when no names are given. */
  reset(names: readonly string[]): number {
    const wanted = names.length === 0 ? [...this.events.keys()] : names;
    return wanted.filter((name) => this.events.delete(name)).length;
  }
}
