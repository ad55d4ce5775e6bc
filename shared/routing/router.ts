/**
 * Routing, as the proxy and the native client use it: a request goes to the primary of the partition
 * of its slot, and is sent again, in order and under the same numbers, until it is answered or its
 * deadline passes.
 *
 *     submit ──> waiting (per partition, in order) ──send──> in flight (per server) ──reply──> outcome
 *                   ^                                            |
 *                   └── refused, connection lost, new primary ───┘   in their original order, in front
 *
 * Order: a connection's waiting requests at a partition are all younger than those in flight, and when
 * one of these has to come back, the younger ones come back with it. A server executes a connection's
 * requests in order, and refuses what is behind a refused one until that comes again.
 *
 * Outcomes: what was never sent, or was refused, or only reads, has certainly done nothing when its
 * deadline passes; anything else is unknown, and the partition is told that it will not be repeated.
 */
import type { ClusterView, Partition } from '../cluster.js';
import type { Environment, Timer } from '../environment.js';
import { limits } from '../limits.js';
import type { Operation, OperationArgument, OperationResult } from '../operations/operation.js';
import {
  Kind,
  Manner,
  Status,
  type Message,
  type ReplyMessage,
  type RetryReason,
  type SettledMessage,
} from '../wire/messages.js';
import type { Network, Origin } from '../wire/network.js';
import { ConnectionPool } from './connection-pool.js';
import { MetaLink } from './meta-link.js';
import { Request, type Completion, type RoutedConnection } from './request.js';
import { concernsConnection, concernsSession } from './refusals.js';
import type { RouterOptions } from './router-options.js';
import { RoutingTable, type RoutedPartition, type RoutedTable } from './routing-table.js';
import { ServerLink, takeAll } from './server-link.js';
import { TableWaits } from './table-waits.js';

const TICK_MS = 100;

export class Router {
  /** Counters for metrics and INFO. */
  readonly counts = { resent: 0, refused: 0, unknown: 0, expired: 0, lateReplies: 0 };
  private readonly environment: Environment;
  private readonly network: Network;
  private readonly options: RouterOptions;
  private readonly deadlineMs: number;
  readonly meta: MetaLink;
  readonly routes = new RoutingTable();
  private readonly links = new Map<string, ServerLink>();
  private readonly connections = new ConnectionPool();
  private readonly tableWaits = new TableWaits();
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

  /** Calls back once meta has told of the table's partitions, or when it has not for as long as a request waits. */
  whenKnown(table: RoutedTable, run: () => void): void {
    this.tableWaits.add(table, this.now, this.deadlineMs, run);
  }

  connect(onDrain: () => void): RoutedConnection {
    return this.connections.take(onDrain);
  }

  /** The client is gone. What it submitted still runs; the completions are still told. */
  release(connection: RoutedConnection): void {
    this.connections.release(connection);
  }

  /** Queues one operation for the partition of `slot`. The completion is told within this call only when there is no such partition. */
  submit(
    table: RoutedTable,
    slot: number,
    connection: RoutedConnection,
    db: number,
    operation: Operation,
    completion: Completion,
    manner = 0,
  ): void {
    const partition = table.bySlot[slot] ?? null;
    if (partition === null)
      completion.onOutcome(Status.retry, `table '${table.name}' has no partition for slot ${slot} yet`);
    else this.submitTo(partition, connection, db, operation, completion, manner);
  }

  /** `manner`: bits of `Manner`. */
  submitTo(
    partition: RoutedPartition,
    connection: RoutedConnection,
    db: number,
    operation: Operation,
    completion: Completion,
    manner = 0,
  ): Request {
    const deadline = (manner & Manner.waits) !== 0 ? Number.POSITIVE_INFINITY : this.now + this.deadlineMs;
    const request = new Request(partition, connection, db, operation, deadline, completion, manner);
    connection.outstanding += 1;
    if (partition.waiting.length === 0 && !partition.suspended) {
      const link = this.linkOf(partition);
      const ready = link !== null && partition.session.link === link && !link.full;
      if (ready && this.mayStart(link) && this.transmit(link, request)) return request;
    }
    this.enqueue(partition, request);
    return request;
  }

  /** It waits no longer: asked again, it answers with what it finds now, or with what it had found already. */
  endWait(request: Request): void {
    request.manner &= ~Manner.waits;
    request.deadline = this.now + this.deadlineMs;
    const link = this.linkOf(request.partition);
    if (link?.inFlight.get(request.id) !== request) return;
    link.remove(request);
    request.unsure = true;
    this.putBack([request]);
    this.flush(request.partition);
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
    else if (link !== null && partition.session.link !== link) this.flush(partition);
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

  /** Makes the network connect to the primary: any message does. */
  private reach(partition: RoutedPartition): void {
    const primary = partition.facts.configuration.primary;
    if (primary !== null && !this.links.has(primary.node))
      this.network.send(primary.node, [Kind.sessionOpen, partition.id]);
  }

  /** Requests may go over this connection: there is a session, and what was sent before is taken back. */
  private introduce(partition: RoutedPartition, link: ServerLink): boolean {
    const { session } = partition;
    if (session.link === link) return true;
    if (session.id === 0) {
      if (session.mayOpen(link, this.environment.monotonicMs()))
        this.network.send(link.node, [Kind.sessionOpen, partition.id]);
      return false;
    }
    if (this.network.send(link.node, session.settleOn(link, this.lastId, this.now))) {
      if (partition.listening) this.options.onIntroduced?.(partition);
      return true;
    }
    session.link = null;
    return false;
  }

  private onSessionOpened(from: Origin, id: number, name: number): void {
    const partition = this.routes.partitions.get(id);
    if (partition === undefined || partition.session.id !== 0 || this.linkOf(partition)?.boot !== from.boot) return;
    partition.session.id = name;
    this.flush(partition);
  }

  /** The partition has forgotten the session, or never knew it: what may have run under it has no answer any more. */
  private onUnknownSession(partition: RoutedPartition): void {
    partition.session.lose();
    this.failWaiting(partition, (request) => request.unsure, 'its partition no longer knows this proxy');
    this.flush(partition);
  }

  private transmit(link: ServerLink, request: Request): boolean {
    this.lastId += 1;
    if (!this.network.send(link.node, request.message(this.lastId))) return false;
    request.sent(this.lastId);
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
    for (const partition of takeAll(link.paced)) this.flush(partition);
  }

  /** Sends what waits, as far as the server has room. */
  private flush(partition: RoutedPartition): void {
    if (partition.suspended || !partition.wantsPrimary) return;
    const link = this.linkOf(partition);
    if (link === null) return this.reach(partition);
    if (!this.introduce(partition, link)) return;
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
    for (const connection of takeAll(partition.blocked)) {
      connection.congestedBy -= 1;
      if (connection.congestedBy === 0) connection.onDrain();
    }
  }

  private onMessage(from: Origin, message: Message): void {
    if (message[0] === Kind.reply) this.onReply(from, message as unknown as ReplyMessage);
    else if (message[0] === Kind.sessionOpened) this.onSessionOpened(from, message[1] as number, message[2] as number);
    else if (message[0] === Kind.settled) {
      const [, id, name, number] = message as unknown as SettledMessage;
      this.routes.partitions.get(id)?.session.onSettled(name, number);
    } else if (message[0] === Kind.publication || message[0] === Kind.invalidation) this.options.onTold?.(message);
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
    if (status === Status.waiting) return link.park(request, value as OperationArgument[] | null);
    if (status === Status.retry) return this.onRefusal(link, request, value as RetryReason);
    link.remove(request);
    request.partition.refusals = 0;
    this.finish(request, status, value);
    if (mayStart && link.paced.size > 0) this.resumePaced(link);
    if (link.stalled.size > 0 && !link.full) this.resumeStalled(link);
  }

  private resumeStalled(link: ServerLink): void {
    for (const partition of takeAll(link.stalled)) this.flush(partition);
  }

  private onRefusal(link: ServerLink, refused: Request, reason: RetryReason): void {
    const { partition } = refused;
    this.counts.refused += 1;
    if (concernsConnection(reason)) {
      // the server refuses what this connection sent behind it; others' requests are answered where they are
      this.suspend(partition);
      this.putBack(link.takeFrom(refused));
      return;
    }
    if (!concernsSession(reason)) this.suspend(partition);
    this.recall(link, partition, refused, reason === 'deposed');
    if (reason === 'unknown-session') this.onUnknownSession(partition);
    else this.flush(partition);
  }

  private suspend(partition: RoutedPartition): void {
    if (partition.suspended) return;
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
   * partitions' when `only` is null. `refused` is one that the server said it did not execute, nor, unless `alone`,
   * anything that was sent after it before we settle again.
   */
  private recall(link: ServerLink, only: RoutedPartition | null, refused?: Request, alone = false): void {
    for (const { session } of only === null ? this.routes.partitions.values() : [only])
      if (session.link === link) session.link = null;
    const taken = link.take(only);
    for (const request of taken)
      if (request !== refused && (refused === undefined || alone || request.id < refused.id)) request.unsure = true;
    this.putBack(this.options.isOnce === undefined ? taken : this.endOnce(taken, this.options.isOnce));
  }

  /** Ends what must not be sent again; returns the others. */
  private endOnce(requests: readonly Request[], isOnce: (code: number) => boolean): Request[] {
    const ends = ({ unsure, operation }: Request): boolean => unsure && isOnce(operation[0]);
    const ended = requests.filter(ends);
    // their owners may submit others: not before these are back
    if (ended.length > 0)
      this.environment.defer(() => {
        for (const request of ended) this.abandon(request, 'its primary, or the connection to it, was lost');
      });
    return ended.length === 0 ? [...requests] : requests.filter((request) => !ends(request));
  }

  private putBack(requests: readonly Request[]): void {
    const taken = new Map<RoutedPartition, Request[]>();
    for (const request of requests) {
      this.counts.resent += 1;
      const list = taken.get(request.partition);
      if (list === undefined) taken.set(request.partition, [request]);
      else list.push(request);
    }
    for (const [partition, list] of taken) {
      for (const request of list) partition.waitingBytes += request.bytes;
      partition.waiting = list.concat(partition.waiting);
    }
  }

  private finish(request: Request, status: number, value: OperationResult): void {
    const { connection, lane } = request;
    lane.answered(request.sequence);
    if (!lane.listed) request.partition.session.list(lane);
    connection.outstanding -= 1;
    request.completion.onOutcome(status, value);
    this.connections.onAnswered(connection);
  }

  /** Ends a request that has no answer. */
  private abandon(request: Request, why: string): void {
    const [code] = request.operation;
    const mayHaveRun = request.unsure && (!this.options.isReadOnly(code) || this.options.isOnce?.(code) === true);
    if (request.unsure) request.partition.session.wantFence(request.id);
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
    this.tableWaits.look(this.now);
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
        const why = partition.whyWaiting(this.linkOf(partition) !== null, this.deadlineMs);
        this.failWaiting(partition, (request) => request.deadline <= this.now, why);
      }
      this.settle(partition);
      this.flush(partition);
    }
    this.tableWaits.look(this.now);
    if (!this.stopped) this.timer = this.environment.after(TICK_MS, () => this.tick());
  }

  /** Tells the partition what it has not been told yet. */
  private settle(partition: RoutedPartition): void {
    const { session } = partition;
    if (!session.owes || session.link === null) return;
    const message = session.due(this.now);
    if (message !== null) this.network.send(session.link.node, message);
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
}
