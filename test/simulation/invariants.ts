/** The invariants of design section 6, looked at after every event. */
import { crc32 } from 'node:zlib';
import { members, sameSeat } from '../../shared/cluster.js';
import type { Partition } from '../../server/partition/partition.js';
import type { Cluster } from './cluster.js';

export class Invariants {
  /** What was committed first at each decree, by partition: a checksum of the body. */
  private readonly committed = new Map<number, number[]>();
  private readonly seen = new WeakMap<Partition, number>();
  private readonly cluster: Cluster;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  check(): void {
    if (this.cluster.failures.length > 0) throw new Error(this.cluster.failures.join('\n'));
    const acting = new Map<number, string>();
    for (const { name, running } of this.cluster.servers) {
      if (running === null) continue;
      for (const partition of running.server.partitions.values()) {
        const { replica, id } = partition;
        if (replica.canExecute(running.environment.monotonicMs())) {
          const other = acting.get(id);
          if (other !== undefined)
            throw new Error(`partition ${id}: ${other} and ${name} are primary at the same instant`);
          acting.set(id, name);
          this.checkMembers(partition);
        }
        this.checkCommitted(name, partition);
      }
    }
  }

  /** committed(any member) is prepared by every member of the acting primary's configuration. */
  private checkMembers(primary: Partition): void {
    const { configuration, list } = primary.replica;
    for (const seat of members(configuration)) {
      const running = this.cluster.servers.find(({ name }) => name === seat.node)?.running;
      if (running === null || running === undefined || !sameSeat(running.network.self, seat)) continue;
      const member = running.server.partitions.get(primary.id);
      if (member === undefined)
        throw new Error(`${seat.node} is a member of partition ${primary.id} and does not have it`);
      if (member.replica.list.last < list.committed) {
        throw new Error(
          `partition ${primary.id}: ${list.committed} is committed, ${seat.node} has prepared only ${member.replica.list.last}`,
        );
      }
      const { role, ballot } = member.replica;
      if (role === 'secondary' && ballot === primary.replica.ballot && member.replica.list.committed > list.last) {
        throw new Error(
          `partition ${primary.id}: ${seat.node} committed ${member.replica.list.committed}, its primary has prepared ${list.last}`,
        );
      }
    }
  }

  /** Every replica commits the same mutation at a decree. */
  private checkCommitted(name: string, partition: Partition): void {
    const {
      id,
      replica: { list },
    } = partition;
    const from = Math.max(this.seen.get(partition) ?? list.base, list.base);
    if (from >= list.committed) return;
    let known = this.committed.get(id);
    if (known === undefined) {
      known = [];
      this.committed.set(id, known);
    }
    for (let decree = from + 1; decree <= list.committed; decree++) {
      const entry = list.get(decree);
      if (entry === undefined) continue;
      const sum = crc32(entry.body);
      if (known[decree] === undefined) known[decree] = sum;
      else if (known[decree] !== sum)
        throw new Error(`partition ${id}: ${name} committed something else at decree ${decree}`);
    }
    this.seen.set(partition, list.committed);
  }
}
