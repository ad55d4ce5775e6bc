/**
 * What the decisions look at: one moment of the cluster as meta sees it. Built by the role, or by a
 * test in a few lines; the decisions read it and return what should happen, and touch nothing.
 */
import type { NodeInfo, ReplicaReport, Seat, Table } from '../../shared/cluster.js';
import type { PartitionRecord } from '../state.js';

export interface ServerSituation {
  /** The newest boot. */
  readonly info: NodeInfo;
  /** This boot said that it stopped. */
  readonly stopped: boolean;
  /** Within its meta lease: also every server that a restarted meta has not heard of yet. */
  readonly alive: boolean;
  /** Registered with this run of meta: it can be talked to, and `reports` is what it has. */
  readonly present: boolean;
  readonly reports: ReadonlyMap<number, ReplicaReport>;
  /** Partitions in which it is anything but inactive; null before its first heartbeat. */
  readonly acting: ReadonlySet<number> | null;
}

export interface PartitionSituation {
  readonly record: PartitionRecord;
  /** Nodes that the primary teaches, or was just asked to. */
  readonly learners: readonly string[];
  /** Secondaries whose last heartbeats said that they hear the beacons of the primary in force. */
  readonly hearing: readonly string[];
  /** Nodes that lost their seat so recently that they are waited for. */
  readonly expected: readonly string[];
  /** Nodes that held this partition up again and again: they are not asked to learn it for now. */
  readonly resting: readonly string[];
}

export interface Situation {
  readonly tables: ReadonlyMap<number, Table>;
  readonly servers: ReadonlyMap<string, ServerSituation>;
  readonly partitions: readonly PartitionSituation[];
}

/** `dead`: this boot certainly serves nothing any more. `lost`: unheard of; it may be serving. */
export type SeatState = 'alive' | 'lost' | 'dead';

export function seatState(servers: ReadonlyMap<string, ServerSituation>, seat: Seat): SeatState {
  const server = servers.get(seat.node);
  // A seat is only ever given to a registered boot, so one that is not the newest is an older one.
  if (server === undefined) return 'lost';
  if (server.info.boot !== seat.boot || server.stopped) return 'dead';
  return server.alive ? 'alive' : 'lost';
}

export function seatOf(server: ServerSituation): Seat {
  return { node: server.info.node, boot: server.info.boot };
}
