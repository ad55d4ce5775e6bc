/**
 * What the router keeps for a request and for the connection it came from. A request has its numbers
 * (connection, partition, sequence) for life, however often it is sent, so that a server can recognise
 * a repetition; `id` names one sending of it and is renewed with each, and always grows, so that the late
 * answer to an earlier sending finds nobody, and a fence (see PartitionSession) can name all earlier ones.
 */
import type { Operation, OperationResult } from '../operations/operation.js';
import { Kind, Manner, type Message } from '../wire/messages.js';
import type { RoutedPartition } from './routing-table.js';

/**
 * Told once how a request ended. `status` is one of Status:
 * - ok: `value` is the result;
 * - clientError: `value` is the exact Redis error text;
 * - retry: certainly not executed; `value` is a sentence that says why;
 * - unknown: it may or may not have been executed; `value` is a sentence that says why.
 */
export interface Completion {
  onOutcome(status: number, value: OperationResult): void;
  /** Its script runs for long: it keeps its partition busy, and has no deadline any more. */
  onBusy?(): void;
}

/** The order of one connection's requests at one partition. */
export class Lane {
  readonly partition: number;
  readonly connection: number;
  private lastSequence = 0;
  /** Every sequence up to this has been answered. */
  acknowledged = 0;
  /** What of that the partition was told, in a request or otherwise: now, and when it was last looked at. */
  told = 0;
  toldAtLook = -1;
  /** It is among those that are looked at (see PartitionSession). */
  listed = false;
  /** Answered above `acknowledged`: a read may be answered before an earlier write commits. */
  private answeredAbove: Set<number> | null = null;

  constructor(partition: number, connection: number) {
    this.partition = partition;
    this.connection = connection;
  }

  next(): number {
    this.lastSequence += 1;
    return this.lastSequence;
  }

  answered(sequence: number): void {
    if (sequence !== this.acknowledged + 1) {
      this.answeredAbove ??= new Set();
      this.answeredAbove.add(sequence);
      return;
    }
    this.acknowledged = sequence;
    const above = this.answeredAbove;
    if (above === null || above.size === 0) return;
    while (above.delete(this.acknowledged + 1)) this.acknowledged += 1;
  }
}

/**
 * One client connection as the router and the servers know it. Made by `Router.connect`; see ConnectionPool.
 */
export class RoutedConnection {
  readonly id: number;
  /** Called when `congested` turns false. */
  onDrain: () => void;
  /** Queues that asked this connection to stop sending. */
  congestedBy = 0;
  /** Requests not yet answered. */
  outstanding = 0;
  released = false;
  private readonly lanes = new Map<number, Lane>();
  private lastLane: Lane | null = null;

  constructor(id: number, onDrain: () => void) {
    this.id = id;
    this.onDrain = onDrain;
  }

  /** While true the owner should submit no more (what it submits still is accepted). */
  get congested(): boolean {
    return this.congestedBy > 0;
  }

  lane(partition: number): Lane {
    const last = this.lastLane;
    if (last !== null && last.partition === partition) return last;
    let lane = this.lanes.get(partition);
    if (lane === undefined) {
      lane = new Lane(partition, this.id);
      this.lanes.set(partition, lane);
    }
    this.lastLane = lane;
    return lane;
  }
}

export class Request {
  /** Handle of the last sending; 0: it was never sent. */
  id = 0;
  /** True once an earlier sending may have been executed without an answer reaching us. */
  unsure = false;
  readonly partition: RoutedPartition;
  readonly connection: RoutedConnection;
  readonly lane: Lane;
  readonly sequence: number;
  readonly db: number;
  /** As a wait goes on with it, once the server has said so. */
  operation: Operation;
  readonly bytes: number;
  /** Monotonic ms, as of the router's coarse clock. */
  deadline: number;
  /** Bits of `Manner`. While the server may let it wait until it finds something it has no deadline. */
  manner: number;
  /** The server said that it waits. */
  parked = false;
  readonly completion: Completion;

  constructor(
    partition: RoutedPartition,
    connection: RoutedConnection,
    db: number,
    operation: Operation,
    deadline: number,
    completion: Completion,
    manner: number,
  ) {
    this.partition = partition;
    this.connection = connection;
    this.lane = connection.lane(partition.facts.id);
    this.sequence = this.lane.next();
    this.db = db;
    this.operation = operation;
    this.bytes = operationBytes(operation);
    this.deadline = deadline;
    this.completion = completion;
    this.manner = manner;
  }

  get waits(): boolean {
    return (this.manner & Manner.waits) !== 0;
  }

  get tracks(): boolean {
    return (this.manner & Manner.tracks) !== 0;
  }

  /** A sending of it under this id. */
  message(id: number): Message {
    const { facts, session } = this.partition;
    const message: [kind: number, ...fields: unknown[]] = [
      Kind.request,
      id,
      facts.id,
      facts.rangeVersion,
      session.id,
      this.connection.id,
      this.sequence,
      this.lane.acknowledged,
      this.db,
      this.operation,
    ];
    if (this.manner !== 0) message.push(this.manner);
    return message;
  }

  sent(id: number): void {
    this.id = id;
    this.lane.told = this.lane.acknowledged;
  }
}

/** About what an operation weighs in memory and on the wire. */
function operationBytes(operation: readonly unknown[]): number {
  let bytes = 48;
  for (let index = 1; index < operation.length; index += 1) {
    const argument = operation[index];
    if (typeof argument === 'number') bytes += 8;
    else if (Buffer.isBuffer(argument) || typeof argument === 'string') bytes += argument.length + 16;
    else if (Array.isArray(argument)) bytes += operationBytes(argument);
    else bytes += 8;
  }
  return bytes;
}
