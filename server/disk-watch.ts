/**
 * Watermarks (design: section 7): how full this server's disk is, and those of the servers that follow it, so that a
 * write is refused before it is executed rather than fail on one of the replicas. Followers say theirs with every
 * acknowledgement of a beacon; it counts for as long as they are members. Nothing is remembered: when there is space
 * again, the next look lifts the refusal.
 */
import type { Configuration } from '../shared/cluster.js';
import type { Logger } from '../shared/logging.js';
import type { DiskSpace } from './storage/disk-space.js';
import type { Callback } from './storage/store.js';

/** On the wire as the index in `STATES`. `soft`: nothing may grow; `hard`: nothing is written for a client. */
export type DiskState = 'ok' | 'soft' | 'hard';
const STATES: readonly DiskState[] = ['ok', 'soft', 'hard'];

export class DiskWatch {
  space: DiskSpace = { freeBytes: 0, sizeBytes: 0 };
  private own = 0;
  private readonly peers = new Map<string, number>();
  /** Anybody's is not ok: asked for every write. */
  private pressed = false;
  private readonly softBytes: number;
  private readonly hardBytes: number;
  private readonly logger: Logger;

  constructor(softBytes: number, hardBytes: number, logger: Logger) {
    this.softBytes = softBytes;
    this.hardBytes = hardBytes;
    this.logger = logger;
  }

  get state(): DiskState {
    return STATES[this.own]!;
  }

  /** What this server tells those it follows. */
  get code(): number {
    return this.own;
  }

  look(space: (done: Callback<DiskSpace>) => void): void {
    space((error, found) => {
      // Unknown is not full: the next look may tell.
      if (error !== null || found === undefined) return this.logger.warn({ err: error }, 'the free space is unknown');
      this.space = found;
      const code = found.freeBytes < this.hardBytes ? 2 : found.freeBytes < this.softBytes ? 1 : 0;
      if (code !== this.own) this.logger.warn({ state: STATES[code], freeBytes: found.freeBytes }, 'disk space');
      this.own = code;
      this.judge();
    });
  }

  heard(node: string, code: number): void {
    if (this.peers.get(node) === code) return;
    this.peers.set(node, code);
    this.judge();
  }

  /** Of this server and the members that follow it. */
  worst({ secondaries }: Configuration): DiskState {
    if (!this.pressed) return 'ok';
    let worst = this.own;
    for (const { node } of secondaries) worst = Math.max(worst, this.peers.get(node) ?? 0);
    return STATES[worst] ?? 'hard';
  }

  private judge(): void {
    this.pressed = this.own > 0 || [...this.peers.values()].some((code) => code > 0);
  }
}
