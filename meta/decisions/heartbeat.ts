/** What a server's heartbeat says about configurations: which it has missed, and what it settles. */
import { members, type Seat, sameSeat } from '../../shared/cluster.js';
import type { HeartbeatReport } from '../../shared/wire/messages.js';
import type { MetaState } from '../state.js';

export interface HeartbeatReading {
  /** Partitions whose configuration in force did not reach the sender. */
  readonly missed: ReadonlySet<number>;
  /** Partitions that it serves as the primary in force: nobody before it does any more. */
  readonly settled: readonly number[];
  /** It takes itself for primary under a ballot that is over. */
  readonly deposed: boolean;
}

export function readHeartbeat(state: MetaState, from: Seat, report: HeartbeatReport): HeartbeatReading {
  const missed = new Set<number>();
  const settled: number[] = [];
  const ballots = new Map<number, number>();
  let deposed = false;
  for (const { partition, ballot, role, serving } of report.replicas) {
    const configuration = state.partitions.get(partition)?.partition.configuration;
    if (role === 'primary' && ballot !== configuration?.ballot) deposed = true;
    if (configuration === undefined) continue;
    ballots.set(partition, ballot);
    if (ballot < configuration.ballot && role !== 'inactive') missed.add(partition);
    const isPrimary = role === 'primary' && ballot === configuration.ballot && sameSeat(from, configuration.primary);
    if (isPrimary && serving) settled.push(partition);
  }
  for (const { partition } of state.partitions.values()) {
    const { configuration } = partition;
    const isMember = members(configuration).some((seat) => sameSeat(seat, from));
    if (isMember && (ballots.get(partition.id) ?? 0) < configuration.ballot) missed.add(partition.id);
  }
  return { missed, settled, deposed };
}
