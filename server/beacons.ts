/**
 * Leases between servers: one beacon per pair of servers and interval carries every partition that one is
 * primary of and the other follows; the answer names those whose lease goes on (design: section 6). The whole
 * list travels each time: an entry is three numbers.
 */
import type { Environment, Timer } from '../shared/environment.js';
import { Kind, type BeaconAckMessage, type BeaconMessage, type Message } from '../shared/wire/messages.js';
import type { Origin } from '../shared/wire/network.js';
import type { DiskWatch } from './disk-watch.js';
import type { Partition } from './partition/partition.js';

export class Beacons {
  private readonly environment: Environment;
  private readonly partitions: ReadonlyMap<number, Partition>;
  private readonly send: (node: string, message: Message) => boolean;
  private readonly disk: DiskWatch;
  private readonly intervalMs: number;
  private timer: Timer | null = null;
  private soon = false;
  private stopped = false;

  constructor(
    environment: Environment,
    partitions: ReadonlyMap<number, Partition>,
    disk: DiskWatch,
    intervalMs: number,
    send: (node: string, message: Message) => boolean,
  ) {
    this.environment = environment;
    this.partitions = partitions;
    this.disk = disk;
    this.intervalMs = intervalMs;
    this.send = send;
  }

  start(): void {
    if (this.stopped) return;
    this.sendAll();
    this.timer = this.environment.after(this.intervalMs, () => this.start());
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  /** At the end of this turn: somebody waits for a lease. */
  sendSoon(): void {
    if (this.soon || this.stopped) return;
    this.soon = true;
    this.environment.defer(() => {
      this.soon = false;
      if (!this.stopped) this.sendAll();
    });
  }

  private sendAll(): void {
    const byNode = new Map<string, BeaconMessage[2]>();
    for (const { id, replica } of this.partitions.values()) {
      if (!replica.beating) continue;
      for (const { seat } of replica.followers.values()) {
        let entries = byNode.get(seat.node);
        if (entries === undefined) {
          entries = [];
          byNode.set(seat.node, entries);
        }
        entries.push([id, replica.ballot, replica.list.committed]);
      }
    }
    const now = this.environment.monotonicMs();
    for (const [node, entries] of byNode) this.send(node, [Kind.beacon, now, entries]);
  }

  onBeacon(from: Origin, message: BeaconMessage): void {
    const [, sentAt, entries] = message;
    const now = this.environment.monotonicMs();
    const acknowledged: BeaconAckMessage[2] = [];
    for (const [id, ballot, committed] of entries) {
      if (this.partitions.get(id)?.replica.onBeacon(from, ballot, committed, now)) acknowledged.push([id, ballot]);
    }
    if (acknowledged.length > 0) this.send(from.node, [Kind.beaconAck, sentAt, acknowledged, this.disk.code]);
  }

  onBeaconAck(from: Origin, message: BeaconAckMessage): void {
    const [, sentAt, entries, disk] = message;
    this.disk.heard(from.node, disk);
    for (const [id, ballot] of entries) this.partitions.get(id)?.onBeaconAck(from, ballot, sentAt);
  }
}
