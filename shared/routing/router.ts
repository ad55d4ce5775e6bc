/**
 * Routing, as the proxy and the native client use it: a request goes to the primary of the partition
 * of its slot, and is sent again, in order and under the same numbers, until it is answered or its
 * deadline passes.
 *
 *     submit ──> waiting (per partition, in order) ──send──> in flight (per server) ──reply──> outcome
 *                   ^                                            |
 *                   └── refused, connection lost, new primary ───┘   in their original order, in front
 *
 * Order: a partition's waiting requests are all younger than its requests in flight, and when one of
 * these has to come back, all of them come back. A server executes a connection's requests in order
 * and refuses everything once it is no longer primary, so nothing overtakes.
 *
 * Outcomes: what was never sent, or was refused, or only reads, has certainly done nothing when its
 * deadline passes; anything else is unknown, and the server is told that it will not be repeated.
 */
import type { ClusterView, NodeInfo, Partition } from '../cluster.js';
import type { Environment, Timer } from '../environment.js';
import { limits } from '../limits.js';
import type { Operation, OperationResult } from '../operations/operation.js';
import { Kind, Status, type Message, type ReplyMessage } from '../wire/messages.js';
import type { Network, Origin } from '../wire/network.js';
import { MetaLink } from './meta-link.js';
import { operationBytes, Request, RoutedConnection, type Completion } from './request.js';
import { RoutingTable, type RoutedPartition, type RoutedTable } from './routing-table.js';
import { ServerLink } from './server-link.js';

/**
 * Whether a write whose answer was lost with its connection is sent again. True rests on servers
 * recognising (session, connection, sequence); with false such a write ends as unknown at once.
 */
export const RESEND_WRITES = true;

export interface RouterOptions {
  readonly metaHost: string;
  readonly metaPort: number;
  /** What meta is told about this process. */
  readonly describe: () => NodeInfo;
  /** True for operations that change nothing (by code): their outcome is never unknown. */
  readonly isReadOnly: (code: number) => boolean;
  /** From submission to the last moment of an answer. */
  readonly deadlineMs?: number;
  readonly heartbeatMs?: number;
  /** First pause after a refusal that no new configuration follows; doubles up to 16 times this. */
  readonly retryPauseMs?: number;
  readonly resendWrites?: boolean;
  readonly onRefused?: (reason: string) => void;
  /** After every view of the cluster. */
  readonly onView?: () => void;
}

const TICK_MS = 100;

export class Router {
  /** Counters for metrics and INFO. */
  readonly counts = { resent: 0, refused: 0, unknown: 0, expired: 0, lateReplies: 0 };
  private readonly environment: Environment;
  private readonly network: Network;
  private readonly options: RouterOptions;
  private readonly deadlineMs: number;
  private readonly resendWrites: boolean;
  private readonly meta: MetaLink;
  private readonly routes = new RoutingTable();
  private readonly links = new Map<string, ServerLink>();
  private readonly free: RoutedConnection[] = [];
  private lastConnection = 0;
  private lastId = 0;
  /** Coarse clock: read once a tick, so that submitting reads none. */
  private now: number;
  private timer: Timer | null = null;
  private stopped = false;

  constructor(environment: Environment, network: Network, options: RouterOptions) {
    this.environment = environment;
    this.network = network;
    this.options = options;
    this.deadlineMs = options.deadlineMs ?? 10_000;
    this.resendWrites = options.resendWrites ?? RESEND_WRITES;
    this.now = environment.monotonicMs();
    this.meta = new MetaLink(environment, network, {
      metaHost: options.metaHost,
      metaPort: options.metaPort,
      heartbeatMs: options.heartbeatMs ?? 1_000,
      describe: options.describe,
      onView: (view) => this.onView(view),
      onRefused: options.onRefused ?? (() => undefined),
    });
    network.onMessage = (from, message) => this.onMessage(from, message);
    network.onConnected = (peer) => this.onConnected(peer);
    network.onDisconnected = (peer) => this.onDisconnected(peer);
  }

  start(): void {
    this.meta.start();
    this.tick();
  }

  /** Everything still open ends: not executed, or unknown where it may have been. */
  stop(): void {
    this.stopped = true;
    this.meta.stop();
    this.timer?.cancel();
    for (const link of this.links.values()) this.recall(link, null);
    for (const partition of this.routes.partitions.values())
      this.failWaiting(partition, () => true, 'the proxy is stopping');
  }

  /** The handle of a table by name. Its `facts` are null while meta has not told of it. */
  table(name: string): RoutedTable {
    return this.routes.table(name);
  }

  /** The table's partitions by range. */
  partitions(table: RoutedTable): readonly RoutedPartition[] {
    return table.partitions;
  }

  /** Null while meta has not told of the slot's partition. */
  partitionOf(table: RoutedTable, slot: number): RoutedPartition | null {
    return table.bySlot[slot] ?? null;
  }

  connect(onDrain: () => void): RoutedConnection {
    const used = this.free.pop();
    if (used !== undefined) {
      used.released = false;
      used.onDrain = onDrain;
      return used;
    }
    this.lastConnection += 1;
    return new RoutedConnection(this.lastConnection, onDrain);
  }

  /** The client is gone. What it submitted still runs; the completions are still told. */
  release(connection: RoutedConnection): void {
    if (connection.released) return;
    connection.released = true;
    connection.onDrain = () => undefined;
    if (connection.outstanding === 0) this.free.push(connection);
  }

  /** Queues one operation for the partition of `slot`. The completion is told within this call only when there is no such partition. */
  submit(
    table: RoutedTable,
    slot: number,
    connection: RoutedConnection,
    db: number,
    operation: Operation,
    completion: Completion,
  ): void {
    const partition = table.bySlot[slot] ?? null;
    if (partition === null)
      completion.onOutcome(Status.retry, `table '${table.name}' has no partition for slot ${slot} yet`);
    else this.submitTo(partition, connection, db, operation, completion);
  }

  submitTo(
    partition: RoutedPartition,
    connection: RoutedConnection,
    db: number,
    operation: Operation,
    completion: Completion,
  ): void {
    const lane = connection.lane(partition.facts.id);
    const request = new Request(
      partition,
      connection,
      lane,
      db,
      operation,
      operationBytes(operation),
      this.now + this.deadlineMs,
      completion,
    );
    connection.outstanding += 1;
    if (partition.waiting.length === 0 && !partition.suspended) {
      const link = this.linkOf(partition);
      if (link !== null && !link.full && this.mayStart(link) && this.transmit(link, request)) return;
    }
    this.enqueue(partition, request);
  }

  private enqueue(partition: RoutedPartition, request: Request): void {
    partition.waiting.push(request);
    partition.waitingBytes += request.bytes;
    const link = this.linkOf(partition);
    const crowded =
      partition.waiting.length > limits.waitingRequestsPerPartition ||
      partition.waitingBytes > limits.waitingBytesPerPartition;
    if ((crowded || link?.full === true) && !partition.blocked.has(request.connection)) {
      partition.blocked.add(request.connection);
      request.connection.congestedBy += 1;
    }
    if (link !== null && link.full) link.stalled.add(partition);
    else if (link !== null && !this.mayStart(link)) this.pace(link, partition);
    else if (partition.waiting.length === 1) this.reach(partition);
  }

  /** The connection to the partition's primary, when there is one and it is to the boot that holds the seat. */
  private linkOf(partition: RoutedPartition): ServerLink | null {
    const primary = partition.facts.configuration.primary;
    if (primary === null) return null;
    const link = this.links.get(primary.node);
    return link !== undefined && link.boot === primary.boot ? link : null;
  }

  /** Makes the network connect to the primary: any message does, and this one says nothing. */
  private reach(partition: RoutedPartition): void {
    const primary = partition.facts.configuration.primary;
    if (primary !== null && !this.links.has(primary.node))
      this.network.send(primary.node, [Kind.giveUp, partition.id, 0, 0]);
  }

  private transmit(link: ServerLink, request: Request): boolean {
    this.lastId = this.lastId === 0xffff_ffff ? 1 : this.lastId + 1;
    const { partition, lane } = request;
    const sent = this.network.send(link.node, [
      Kind.request,
      this.lastId,
      partition.facts.id,
      partition.facts.rangeVersion,
      request.connection.id,
      request.sequence,
      lane.acknowledged,
      request.db,
      request.operation,
    ]);
    if (!sent) return false;
    request.id = this.lastId;
    link.add(request);
    return true;
  }

  private mayStart(link: ServerLink): boolean {
    return link.mayStart(this.lastId + 1, this.atEndOfTurn);
  }

  private readonly atEndOfTurn = (run: () => void): void => this.environment.defer(run);

  private pace(link: ServerLink, partition: RoutedPartition): void {
    if (link.paced.size === 0) {
      this.environment.after(limits.burstWaitMs, () => {
        if (link.paced.size === 0) return;
        link.release();
        this.resumePaced(link);
      });
    }
    link.paced.add(partition);
  }

  private resumePaced(link: ServerLink): void {
    const paced = [...link.paced];
    link.paced.clear();
    for (const partition of paced) this.flush(partition);
  }

  /** Sends what waits, as far as the server has room. */
  private flush(partition: RoutedPartition): void {
    if (
      partition.suspended ||
      (partition.waiting.length === 0 && partition.givenUp.size === 0 && partition.blocked.size === 0)
    )
      return;
    const link = this.linkOf(partition);
    if (link === null) return this.reach(partition);
    for (const [connection, sequence] of partition.givenUp) {
      if (!this.network.send(link.node, [Kind.giveUp, partition.id, connection.id, sequence])) return;
      partition.givenUp.delete(connection);
    }
    const { waiting } = partition;
    if (waiting.length > 0 && !link.full && !this.mayStart(link)) return this.pace(link, partition);
    let count = 0;
    while (count < waiting.length && !link.full) {
      const request = waiting[count];
      if (request === undefined || !this.transmit(link, request)) break;
      partition.waitingBytes -= request.bytes;
      count += 1;
    }
    waiting.splice(0, count);
    if (link.full && (waiting.length > 0 || partition.blocked.size > 0)) link.stalled.add(partition);
    this.unblock(partition);
  }

  private unblock(partition: RoutedPartition): void {
    if (partition.blocked.size === 0) return;
    if (
      partition.waiting.length > limits.waitingRequestsPerPartition / 2 ||
      partition.waitingBytes > limits.waitingBytesPerPartition / 2
    )
      return;
    if (this.linkOf(partition)?.full === true) return;
    const blocked = [...partition.blocked];
    partition.blocked.clear();
    for (const connection of blocked) {
      connection.congestedBy -= 1;
      if (connection.congestedBy === 0) connection.onDrain();
    }
  }

  private onMessage(from: Origin, message: Message): void {
    if (message[0] === Kind.reply) this.onReply(from, message as unknown as ReplyMessage);
    else this.meta.onMessage(message);
  }

  private onReply(from: Origin, [, id, status, value]: ReplyMessage): void {
    const link = this.links.get(from.node);
    const request = link?.inFlight.get(id);
    if (link === undefined || request === undefined) {
      this.counts.lateReplies += 1;
      return;
    }
    const mayStart = link.answered(id);
    if (status === Status.retry) return this.onRefusal(link, request);
    link.remove(request);
    request.partition.refusals = 0;
    this.finish(request, status, value);
    if (mayStart && link.paced.size > 0) this.resumePaced(link);
    if (link.stalled.size > 0 && !link.full) this.resumeStalled(link);
  }

  private resumeStalled(link: ServerLink): void {
    const stalled = [...link.stalled];
    link.stalled.clear();
    for (const partition of stalled) this.flush(partition);
  }

  private onRefusal(link: ServerLink, refused: Request): void {
    const { partition } = refused;
    this.counts.refused += 1;
    this.suspend(partition);
    this.recall(link, partition, refused);
  }

  private suspend(partition: RoutedPartition): void {
    partition.suspended = true;
    const pause = (this.options.retryPauseMs ?? 25) * 2 ** Math.min(partition.refusals, 4);
    partition.refusals += 1;
    const { facts } = partition;
    this.environment.after(pause, () => {
      // A newer configuration has resumed it already; then this pause is somebody else's.
      if (!partition.suspended || partition.facts !== facts || this.stopped) return;
      partition.suspended = false;
      this.flush(partition);
    });
  }

  /**
   * Takes requests in flight at `link` back to the front of their queues, in their order; all
   * partitions' when `only` is null. `refused` is one that the server said it did not execute.
   */
  private recall(link: ServerLink, only: RoutedPartition | null, refused?: Request): void {
    const taken = new Map<RoutedPartition, Request[]>();
    const abandoned: Request[] = [];
    for (const request of link.take(only)) {
      if (request !== refused) request.unsure = true;
      request.id = 0;
      if (request.unsure && !this.resendWrites && !this.options.isReadOnly(request.operation[0])) {
        abandoned.push(request);
        continue;
      }
      this.counts.resent += 1;
      const list = taken.get(request.partition);
      if (list === undefined) taken.set(request.partition, [request]);
      else list.push(request);
    }
    for (const [partition, list] of taken) {
      for (const request of list) partition.waitingBytes += request.bytes;
      partition.waiting = list.concat(partition.waiting);
    }
    // Last, because whoever is told may submit at once.
    for (const request of abandoned) this.abandon(request, 'the connection to its server was lost before the answer');
  }

  private finish(request: Request, status: number, value: OperationResult): void {
    const { connection } = request;
    request.lane.answered(request.sequence);
    connection.outstanding -= 1;
    request.completion.onOutcome(status, value);
    if (connection.released && connection.outstanding === 0) this.free.push(connection);
  }

  /** Ends a request that has no answer. */
  private abandon(request: Request, why: string): void {
    const mayHaveRun = request.unsure && !this.options.isReadOnly(request.operation[0]);
    if (request.unsure) {
      const { givenUp } = request.partition;
      givenUp.set(request.connection, Math.max(givenUp.get(request.connection) ?? 0, request.sequence));
    }
    if (mayHaveRun) this.counts.unknown += 1;
    this.finish(request, mayHaveRun ? Status.unknown : Status.retry, why);
  }

  private onConnected(peer: Origin): void {
    this.meta.onConnected(peer);
    if (peer.role !== 'server') return;
    const known = this.links.get(peer.node);
    if (known !== undefined) this.recall(known, null);
    this.links.set(peer.node, new ServerLink(peer.node, peer.boot));
    for (const partition of this.routes.partitions.values()) {
      if (partition.facts.configuration.primary?.node !== peer.node) continue;
      partition.suspended = false;
      this.flush(partition);
    }
  }

  private onDisconnected(peer: Origin): void {
    this.meta.onDisconnected(peer);
    const link = this.links.get(peer.node);
    if (link === undefined || link.boot !== peer.boot) return;
    this.links.delete(peer.node);
    this.recall(link, null);
  }

  private onView(view: ClusterView): void {
    this.routes.apply(view, {
      onServer: (node) => this.network.setAddress(node.node, node.host, node.port),
      onPartition: (partition, before) => this.onPartition(partition, before),
      onPartitionRemoved: (partition) => {
        for (const link of this.links.values()) this.recall(link, partition);
        this.failWaiting(partition, () => true, 'its partition no longer exists');
      },
    });
    this.options.onView?.();
  }

  /**
   * Requests in flight stay where they are only if the same seat went on serving. Another primary,
   * or the same one after ballots that we did not see (it may have been deposed in between and have
   * dropped its answers), gets everything again.
   */
  private onPartition(partition: RoutedPartition, before: Partition | null): void {
    if (before !== null) {
      const old = before.configuration;
      const now = partition.facts.configuration;
      const same = old.primary?.node === now.primary?.node && old.primary?.boot === now.primary?.boot;
      const link = old.primary === null ? undefined : this.links.get(old.primary.node);
      if (link !== undefined && !(same && now.ballot === old.ballot + 1)) this.recall(link, partition);
      partition.suspended = false;
      partition.refusals = 0;
    }
    this.flush(partition);
  }

  private tick(): void {
    this.now = this.environment.monotonicMs();
    for (const link of this.links.values()) {
      for (const request of link.expired(this.now)) {
        request.unsure = true;
        this.counts.expired += 1;
        this.abandon(request, `no answer within ${this.deadlineMs} ms`);
      }
      if (link.stalled.size > 0 && !link.full) this.resumeStalled(link);
    }
    for (const partition of this.routes.partitions.values()) {
      if (partition.waiting.length > 0) {
        this.failWaiting(partition, (request) => request.deadline <= this.now, this.whyWaiting(partition));
      }
      this.flush(partition);
    }
    if (!this.stopped) this.timer = this.environment.after(TICK_MS, () => this.tick());
  }

  private failWaiting(partition: RoutedPartition, ends: (request: Request) => boolean, why: string): void {
    const ended = partition.waiting.filter(ends);
    if (ended.length === 0) return;
    partition.waiting = partition.waiting.filter((request) => !ends(request));
    for (const request of ended) {
      partition.waitingBytes -= request.bytes;
      this.counts.expired += 1;
      this.abandon(request, why);
    }
    this.unblock(partition);
  }

  private whyWaiting(partition: RoutedPartition): string {
    const { primary } = partition.facts.configuration;
    const name = `partition ${partition.id} of table '${partition.table.name}'`;
    if (primary === null) return `${name} had no primary for ${this.deadlineMs} ms`;
    if (this.linkOf(partition) === null)
      return `the primary of ${name}, ${primary.node}, could not be reached for ${this.deadlineMs} ms`;
    return `${name} at ${primary.node} did not accept it for ${this.deadlineMs} ms`;
  }
}
