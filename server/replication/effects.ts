import type { Proposal, Seat } from '../../shared/cluster.js';
import type { Message } from '../../shared/wire/messages.js';
import type { Prepared } from './prepare-list.js';

/** What the replication core makes happen. Nothing in here calls back synchronously. */
export interface ReplicaEffects {
  /** To a node; may be lost. */
  send(node: string, message: Message): void;
  /** True while much of what was sent to this node has not left yet: repeating it would only make it worse. */
  busy(node: string): boolean;
  /** True while something large from this node is on its way in, which beacons sent after it cannot overtake. */
  receiving(node: string): boolean;
  /** To the log; `done` once it is logged as the fsync mode asks, in order of the calls. */
  append(entry: Prepared, committed: number, done: (error: Error | null) => void): void;
  /** Committed, in order, each decree once. */
  commit(entry: Prepared): void;
  /** To meta; the answer comes as onProposalAnswer, or never. */
  propose(proposal: Proposal): void;
  /** The body of a ballot-start mutation. */
  ballotStart(): Buffer;
  /** The replica now serves as primary, or no longer does. */
  serving(yes: boolean): void;
  /** Calls flush() when this turn's input has been handled. */
  flushSoon(): void;
  /** True: meta knows that this boot is over for good. */
  isGone(seat: Seat): boolean;
  /** Until when meta will not give this server's partitions to others (monotonic ms). */
  metaLeaseUntilMs(): number;
  /** True while what is committed piles up unapplied: acknowledgements wait. */
  backlogged(): boolean;
  /** For whoever reads the logs: a follower behaves in a way that costs it something. */
  warn(node: string, what: string): void;
  /** Something that must not happen on healthy hardware: this replica stops taking part. */
  fail(error: Error): void;
}

export interface ReplicaOptions {
  readonly partition: number;
  readonly self: Seat;
  readonly minReplicas: () => number;
  /** As many members as there should be: no learner joins beyond. */
  readonly replicas: () => number;
  readonly leaseMs: number;
  readonly graceMs: number;
  /** A secondary that acknowledged no beacon for this long is dropped. */
  readonly followerTimeoutMs: number;
  /** A secondary that acknowledges beacons but has not logged a mutation after this long (and its size's share of time) is dropped. */
  readonly stallTimeoutMs: number;
  /** An unanswered proposal or an unacknowledged prepare is repeated after this. */
  readonly repeatMs: number;
  /** Prepares to one follower under way. */
  readonly windowBytes: number;
}
