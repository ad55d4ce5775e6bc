/** Watches how much memory the processes of a cluster have resident. */
import type { LocalCluster } from '../cluster/local-cluster.js';
import { residentBytes } from '../cluster/processes.js';

const megabyte = 1024 * 1024;
const sampleEveryMs = 200;

/** The largest resident size of each process, by node, since it was started. */
export class MemoryWatch {
  private readonly cluster: LocalCluster;
  private readonly peaks = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;

  constructor(cluster: LocalCluster) {
    this.cluster = cluster;
    this.timer = setInterval(() => this.sample(), sampleEveryMs);
  }

  /** Ends the watch: peaks in MB. */
  stop(): ReadonlyMap<string, number> {
    clearInterval(this.timer);
    this.sample();
    return this.peaks;
  }

  private sample(): void {
    for (const [node, pid] of this.cluster.nodes()) {
      const megabytes = residentBytes(pid) / megabyte;
      this.peaks.set(node, Math.max(this.peaks.get(node) ?? 0, megabytes));
    }
  }
}
