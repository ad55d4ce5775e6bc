import type { Configuration, Partition as PartitionInfo, Proposal, Seat, Table } from '../../shared/cluster.js';
import type { Environment } from '../../shared/environment.js';
import type { Logger } from '../../shared/logging.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import type { Message } from '../../shared/wire/messages.js';
import type { Origin } from '../../shared/wire/network.js';
import type { MutationLog } from '../log/log.js';
import type { StoreFactory } from '../storage/store.js';
import type { DiskState } from '../disk-watch.js';
import type { Pace } from './pace.js';
import type { Turns } from './turns.js';

/** What a partition's replica uses of its server. */
export interface PartitionHost {
  readonly environment: Environment;
  readonly logger: Logger;
  readonly self: Seat;
  readonly log: MutationLog;
  readonly stores: StoreFactory;
  readonly timing: Timing;
  readonly cacheBytesPerPartition: () => number;
  /** Applied mutations to keep in memory for followers that were away briefly. */
  readonly retainedBytesPerPartition: () => number;
  /** Of this server: how fast it copies, and which of its partitions may teach or learn a snapshot now. */
  readonly pace: Pace;
  readonly teachers: Turns;
  readonly learners: Turns;
  send(node: string, message: Message): boolean;
  queuedBytes(node: string): number;
  /** A large frame from this node is on its way in. */
  receiving(node: string): boolean;
  /** To a proxy, unless that very boot of it is gone. */
  reply(to: Origin, id: number, status: number, value: OperationResult): void;
  tell(to: Origin, message: Message): void;
  /** Is that very boot connected? */
  isConnected(boot: string): boolean;
  propose(proposal: Proposal): void;
  isGone(seat: Seat): boolean;
  metaLeaseUntilMs(): number;
  /** Of this server, by its watermarks. */
  disk(): DiskState;
  /** The worst of this server's and of those of the configuration's secondaries. */
  worstDisk(configuration: Configuration): DiskState;
  /** Beacons leave now rather than at their next turn: somebody waits for a lease. */
  beaconSoon(): void;
  /** Nothing in this process can be trusted any more. */
  fatal(error: Error): void;
}

export interface Timing {
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly followerTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly repeatMs: number;
}

export interface PartitionIdentity {
  readonly info: PartitionInfo;
  readonly table: Table;
}
