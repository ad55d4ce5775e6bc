/**
 * Every message between processes: a msgpack array whose first element is its kind. Frames carry
 * arrays of such messages (see framing.ts). Kinds are on the wire: numbers are explicit and never reused.
 *
 * Replies and answers are messages of their own; nothing blocks on a connection.
 */
import type { ClusterView, Configuration, NodeInfo, Proposal, ReplicaReport, Seat, UserChange } from '../cluster.js';
import type { Operation, OperationResult } from '../operations/operation.js';
import type { Topic } from '../operations/pubsub.js';

export const PROTOCOL_VERSION = 1;

export const Kind = {
  // 0 belongs to the two ends of a connection: see peer.ts
  // proxy or native client <-> server
  request: 1,
  reply: 2,
  // 3 was a message of its own for giving up: see settle
  sessionOpen: 4,
  sessionOpened: 5,
  settle: 6,
  settled: 7,
  publication: 8,
  invalidation: 9,
  // server <-> server, replication
  prepare: 10,
  prepareAck: 11,
  prepareReject: 12,
  beacon: 13,
  beaconAck: 14,
  // server <-> server, learning
  learnBegin: 20,
  learnState: 21,
  learnPlan: 22,
  learnPage: 23,
  learnPageAck: 24,
  learnFailed: 25,
  learnReady: 26,
  // anybody <-> meta
  register: 30,
  registered: 31,
  heartbeat: 32,
  heartbeatAck: 33,
  view: 34,
  propose: 35,
  proposeResult: 36,
  addLearner: 37,
  checksum: 38,
  checksumResult: 39,
  handOver: 40,
  changeUsers: 41,
  usersChanged: 42,
} as const;

/**
 * `session`, `connection` and `sequence` name the request for life, so that a repeated request can be
 * recognised; `acknowledged`: every sequence of this connection up to it has been answered to the client.
 * `id` is the sender's handle for the reply: another one with every sending, and always a greater one.
 */
export type RequestMessage = [
  kind: 1,
  id: number,
  partition: number,
  rangeVersion: number,
  session: number,
  connection: number,
  sequence: number,
  acknowledged: number,
  db: number,
  operation: Operation,
  /** Bits of `Manner`; absent: none. */
  manner?: number,
];

/** How an operation is to be executed. */
export const Manner = {
  /** When it finds nothing it waits. */
  waits: 1,
  /** The sender is to be told of the next write to each row that it looks up. */
  tracks: 2,
  /** What it looks up does not count as accessed. */
  leavesNoTrace: 4,
} as const;

/** How a request ended. */
export const Status = {
  /** `value` is the result. */
  ok: 0,
  /** The client's error, its exact Redis text in `value`. Nothing was changed. */
  clientError: 1,
  /** Not executed and may be tried again, here or elsewhere; `value` is a code of RetryReason. */
  retry: 2,
  /** It may or may not have been executed. `value` is a text. */
  unknown: 3,
  /** It has found nothing, and waits at the partition's primary. The answer follows. `value`: the arguments to repeat it with, or null. */
  waiting: 4,
} as const;

export type ReplyMessage = [kind: 2, id: number, status: number, value: OperationResult];

/** Why a server refused before execution. */
export type RetryReason =
  | 'not-primary'
  /** It waited, or was being read for, when its primary ended: what was sent after it may have been executed before. */
  | 'deposed'
  | 'wrong-range'
  | 'no-such-partition'
  | 'not-enough-replicas'
  | 'stopping'
  /** The session never was, or has expired: nothing that was sent under it will be executed any more. */
  | 'unknown-session'
  /** The sender has not settled with this primary yet, or not since its connection broke. */
  | 'not-settled'
  /** A request that was sent earlier on the same connection was refused: it comes first. */
  | 'behind-refused'
  /** Its sender said that this sending must not be executed any more. */
  | 'fenced';

/** The sender's boot wants a session at this partition. Repeated until it is answered; a boot has one at a time. */
export type SessionOpenMessage = [kind: 4, partition: number];
/** Its opening is committed. `session`: the decree of the mutation that opened it, so that no name comes twice. */
export type SessionOpenedMessage = [kind: 5, partition: number, session: number];

/**
 * Nothing that was sent under an id up to `fence` may be executed any more, and of the connections named everything up to
 * the sequence that follows has been answered to the client or given up. `fresh`: the sender has taken back what it had sent
 * and not yet seen answered, and sends it again from here on: the first message on every connection, and to every new primary.
 */
export type SettleMessage = [
  kind: 6,
  partition: number,
  session: number,
  number: number,
  fence: number,
  fresh: boolean,
  answered: number[],
];
/** What the settle messages of the session up to `number` said is committed. */
export type SettledMessage = [kind: 7, partition: number, session: number, number: number];

/**
 * To a proxy that said it wants it (shared/operations/pubsub.ts): `topic` is a channel or a shard channel. Relayed: to the
 * proxy that sent a script, which publishes it where the channel belongs.
 */
export type PublicationMessage = [
  kind: 8,
  partition: number,
  topic: typeof Topic.channel | typeof Topic.shardChannel | typeof Topic.relayed,
  channel: Buffer,
  message: Buffer,
];

/**
 * Keys that have changed, to a proxy that tracks them or prefixes of theirs; null: all may have. `connection`: by which of
 * the receiver's own they were changed, 0: none.
 */
export type InvalidationMessage = [kind: 9, partition: number, keys: Buffer[] | null, connection: number];

/** One mutation, to be logged. `committed`: everything up to it is committed. `body`: see server/replication/mutation.ts. */
export type PrepareMessage = [
  kind: 10,
  partition: number,
  ballot: number,
  decree: number,
  committed: number,
  attempt: number,
  body: Buffer,
];
/** Everything up to `decree` is in the sender's log at the configured durability. `attempt`: learning attempt, 0 for a member. */
export type PrepareAckMessage = [
  kind: 11,
  partition: number,
  ballot: number,
  decree: number,
  attempt: number,
  disk: number,
];
/** The prepare was refused: its ballot is older than `ballot`, or `next` is the decree the sender expects (a gap). */
export type PrepareRejectMessage = [kind: 12, partition: number, ballot: number, next: number, attempt: number];
/** `sentAt` is the sender's monotonic clock and comes back unchanged. */
export type BeaconMessage = [
  kind: 13,
  sentAt: number,
  partitions: [partition: number, ballot: number, committed: number][],
];
/** `disk`: how full the sender's is, see server/disk-watch.ts. */
export type BeaconAckMessage = [
  kind: 14,
  sentAt: number,
  partitions: [partition: number, ballot: number][],
  disk: number,
];

/** Primary to learner: begin an attempt. The learner answers with what it has. */
export type LearnBeginMessage = [kind: 20, partition: number, attempt: number, ballot: number];
/**
 * `committed`: the last decree it holds that is certainly committed; -1: it may not learn yet, and waits for its turn.
 * `ballot`: the highest its contents were logged under.
 */
export type LearnStateMessage = [kind: 21, partition: number, attempt: number, committed: number, ballot: number];
/** `snapshotDecree` 0: no snapshot comes, mutations follow from the learner's committed decree. */
export type LearnPlanMessage = [kind: 22, partition: number, attempt: number, snapshotDecree: number];
/** `page`: see server/partition/page.ts; the last one is empty. */
export type LearnPageMessage = [
  kind: 23,
  partition: number,
  attempt: number,
  index: number,
  last: boolean,
  crc: number,
  page: Buffer,
];
/**
 * `next`: the page that the learner needs next; it has written those before. Said again when none comes. `loggedBytes`:
 * what was committed since the snapshot and awaits its end in the learner's log.
 */
export type LearnPageAckMessage = [kind: 24, partition: number, attempt: number, next: number, loggedBytes: number];
export type LearnFailedMessage = [kind: 25, partition: number, attempt: number, reason: string];

/** Learner to primary: what was copied is installed; from now on it may be proposed. */
export type LearnReadyMessage = [kind: 26, partition: number, attempt: number];

export type RegisterMessage = [kind: 30, info: NodeInfo, replicas: ReplicaReport[]];
/** `error` is a text, empty when accepted. */
export type RegisteredMessage = [kind: 31, error: string];
export type HeartbeatMessage = [kind: 32, sentAt: number, report: HeartbeatReport];
export type HeartbeatAckMessage = [kind: 33, sentAt: number];
export type ViewMessage = [kind: 34, view: ClusterView];
export type ProposeMessage = [kind: 35, id: number, proposal: Proposal];
/** `accepted`, and in either case the configuration now in force. */
export type ProposeResultMessage = [kind: 36, id: number, accepted: boolean, configuration: Configuration];
/** Meta asks the primary of `ballot` to teach `seat`. */
export type AddLearnerMessage = [kind: 37, partition: number, ballot: number, seat: Seat];
/** Meta asks the primary for a checksum of every replica at one decree; each replica answers to meta. */
export type ChecksumMessage = [kind: 38, partition: number, id: number];
export type ChecksumResultMessage = [
  kind: 39,
  partition: number,
  id: number,
  decree: number,
  checksum: string,
  entries: number,
];

/** Meta asks the primary of `ballot` to hand over to its secondary `to`. */
export type HandOverMessage = [kind: 40, partition: number, ballot: number, to: string];

/** A proxy asks meta to change users. `id` is the proxy's handle for the answer. */
export type ChangeUsersMessage = [kind: 41, id: number, change: UserChange];
/** It is durable, and the view that tells of it was sent before this; or `error`, the client's, not empty. `count`: users changed. */
export type UsersChangedMessage = [kind: 42, id: number, error: string, count: number];

/** The table of sessions of one partition. `bytes`: of the results in it. */
export interface SessionsSize {
  readonly sessions: number;
  readonly connections: number;
  readonly results: number;
  readonly bytes: number;
}

/** Sent by servers with every heartbeat; proxies send an empty list. */
export interface HeartbeatReport {
  readonly replicas: readonly {
    readonly partition: number;
    readonly ballot: number;
    /** As in its `ReplicaReport`: registration is a while ago, and a replica moves on. */
    readonly contentBallot: number;
    readonly end: number;
    readonly role: ReplicaRole;
    readonly committed: number;
    readonly applied: number;
    /** Nodes this primary teaches. */
    readonly learners: readonly string[];
    readonly serving: boolean;
    /** A secondary: it hears the beacons of this ballot's primary. */
    readonly hears?: boolean;
    /** What a serving primary keeps for requests that may be repeated. */
    readonly sessions?: SessionsSize;
  }[];
  /** Free bytes of the data disk and its size; 0 where unknown. */
  readonly diskFreeBytes: number;
  readonly diskBytes: number;
  /** Damaged stores and log segments that lie set aside on its disk. */
  readonly setAside?: number;
}

export type ReplicaRole = 'primary' | 'secondary' | 'learner' | 'inactive';

export type Message = readonly [kind: number, ...fields: unknown[]];
