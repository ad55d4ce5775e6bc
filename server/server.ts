/**
 * The server role: the replicas of one process, with what they share: the log, beacons, the link to meta,
 * watermarks of the disk. Messages come in here and go to their partition.
 */
import {
  type ClusterView,
  isLaterBoot,
  members,
  type NodeInfo,
  type Partition as PartitionInfo,
  sameSeat,
  type Seat,
  type Table,
} from '../shared/cluster.js';
import type { Environment, Timer } from '../shared/environment.js';
import { limits } from '../shared/limits.js';
import type { Logger } from '../shared/logging.js';
import type { OperationResult } from '../shared/operations/operation.js';
import {
  type AddLearnerMessage,
  type BeaconAckMessage,
  type BeaconMessage,
  type ChecksumMessage,
  type HandOverMessage,
  type HeartbeatAckMessage,
  Kind,
  type Message,
  type ProposeResultMessage,
  type RegisteredMessage,
  type RequestMessage,
  type SettleMessage,
  Status,
  type ViewMessage,
} from '../shared/wire/messages.js';
import type { Network, Origin } from '../shared/wire/network.js';
import { Beacons } from './beacons.js';
import { DiskWatch } from './disk-watch.js';
import { handOverAll } from './departure.js';
import { cacheShares, type OpenDisk, type ServerDisk } from './disk.js';
import { META_NODE, MetaLink } from './meta-link.js';
import type { PartitionHost, Timing } from './partition/host.js';
import { newStayName, storeName } from './partition/names.js';
import { Pace } from './partition/pace.js';
import { Partition } from './partition/partition.js';
import { reopenReplicas } from './partition/reopening.js';
import { loadState } from './partition/state.js';
import { Turns } from './partition/turns.js';

export interface ServerOptions {
  readonly describe: (state: NodeInfo['state']) => NodeInfo;
  readonly metaHost: string;
  readonly metaPort: number;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly beaconMs: number;
  readonly metaLeaseMs: number;
  readonly metaHeartbeatMs: number;
  readonly cacheBytes: number;
  readonly learnBytesPerSecond: number;
  /** Free bytes of the data disk below which growth, and below which every write is refused. */
  readonly diskSoftBytes: number;
  readonly diskHardBytes: number;
  readonly openDisk: OpenDisk;
  /** The process must end: log or store failed, or a bug. */
  readonly onFatal: (error: Error) => void;
}

const TICK_MS = 50;
const CARE_MS = 1_000;

export class Server {
  private readonly environment: Environment;
  private readonly network: Network;
  private readonly options: ServerOptions;
  private readonly logger: Logger;
  private readonly self: Seat;
  /** By id. */
  readonly partitions = new Map<number, Partition>();
  private readonly opening = new Set<number>();
  private readonly pace: Pace;
  readonly teachers = new Turns(limits.teachingPerServer);
  readonly learners = new Turns(limits.learningPerServer);
  private lastTickMs: number | null = null;
  private readonly beacons: Beacons;
  private readonly meta: MetaLink;
  private disk: ServerDisk | null = null;
  private readonly diskWatch: DiskWatch;
  private setAside = 0;
  private readonly tables = new Map<number, Table>();
  private readonly known = new Map<number, PartitionInfo>();
  private readonly nodes = new Map<string, NodeInfo>();
  /** Who is connected: node and boot. */
  private readonly boots = new Map<string, string>();
  private timers: Timer[] = [];
  private begun = false;
  private stopped = false;
  private dead = false;

  constructor(environment: Environment, network: Network, options: ServerOptions, logger: Logger) {
    this.environment = environment;
    this.network = network;
    this.options = options;
    this.logger = logger;
    this.pace = new Pace(options.learnBytesPerSecond);
    this.self = { node: network.self.node, boot: network.self.boot };
    this.diskWatch = new DiskWatch(options.diskSoftBytes, options.diskHardBytes, logger);
    this.beacons = new Beacons(environment, this.partitions, this.diskWatch, options.beaconMs, (node, message) =>
      network.send(node, message),
    );
    this.meta = new MetaLink(environment, network, {
      host: options.metaHost,
      port: options.metaPort,
      heartbeatMs: options.metaHeartbeatMs,
      leaseMs: options.metaLeaseMs,
      describe: options.describe,
      replicas: () => [...this.partitions.values()].map((partition) => partition.report()),
      report: () => ({
        replicas: [...this.partitions.values()].map((partition) => partition.heartbeat()),
        diskFreeBytes: this.diskWatch.space.freeBytes,
        diskBytes: this.diskWatch.space.sizeBytes,
        setAside: this.setAside,
      }),
      onAway: (forMs) =>
        logger.warn({ forMs, roles: this.roles() }, 'meta does not answer; roles stay as they are until it is back'),
      onRefused: (reason) => logger.warn({ reason }, 'meta refused the registration'),
    });
    // from the first connection on: who connects while the disk is still being opened is not announced again
    network.onMessage = (from, message) => this.onMessage(from, message);
    network.onConnected = (peer) => this.onConnected(peer);
    network.onDisconnected = (peer) => this.onDisconnected(peer);
  }

  // ---- start and stop ------------------------------------------------------------------------------

  start(done: (error: Error | null) => void): void {
    this.options.openDisk((error, disk) => {
      if (error !== null || disk === undefined) return done(error ?? new Error('no disk'));
      this.disk = disk;
      const { recovered, setAside } = disk.opened;
      for (const name of setAside) this.logger.error({ segment: name }, 'a damaged log segment was set aside');
      reopenReplicas(disk, this.host(), (failed, replicas) => {
        if (failed !== null || replicas === undefined) return done(failed ?? new Error('no replicas'));
        for (const partition of replicas) this.partitions.set(partition.id, partition);
        for (const { partition, stay } of recovered) {
          if (this.partitions.get(partition)?.stay !== stay) disk.opened.log.forget(partition, stay);
        }
        // Every replica in doubt has been set aside by now: the next start must not doubt those that learn from here on.
        disk.opened.acknowledgeDamage((unacknowledged) => {
          if (unacknowledged !== null) return done(unacknowledged);
          this.begin();
          done(null);
        });
      });
    });
  }

  private begin(): void {
    this.begun = true;
    this.meta.start();
    this.beacons.start();
    this.repeat(TICK_MS, () => this.tick());
    this.repeat(CARE_MS, () => this.care());
    this.repeat(limits.diskLookMs, () => this.lookAtDisk());
    this.lookAtDisk();
  }

  private repeat(everyMs: number, run: () => void): void {
    const slot = this.timers.length;
    const again = (): void => {
      this.timers[slot] = this.environment.after(everyMs, () => {
        if (this.stopped) return;
        run();
        again();
      });
    };
    again();
  }

  /**
   * `leave`: the cluster goes on without this server, so it first hands over what it is primary of. Else the whole
   * cluster stops, and its configurations stay as they are: the next start then compares all of their members.
   */
  stop(done: (error: Error | null) => void, leave = true): void {
    if (leave && this.begun && !this.dead)
      handOverAll(this.environment, this.partitions, this.options.leaseMs, () => this.end(done, true));
    else this.end(done, leave);
  }

  private end(done: (error: Error | null) => void, leave: boolean): void {
    this.stopped = true;
    this.beacons.stop();
    for (const timer of this.timers) timer.cancel();
    const { disk } = this;
    if (disk === null) return done(null);
    // from here on nothing is acknowledged or answered: successors may begin at once, and primaries go on without it
    this.meta.stop(leave);
    const partitions = [...this.partitions.values()];
    const closeNext = (): void => {
      const partition = partitions.pop();
      if (partition !== undefined) return partition.close(closeNext);
      disk.opened.log.close((error) =>
        disk.close((failed) => void this.network.close().then(() => done(error ?? failed), done)),
      );
    };
    closeNext();
  }

  // ---- messages ------------------------------------------------------------------------------------

  private onConnected(peer: Origin): void {
    this.boots.set(peer.node, peer.boot);
    if (!this.begun) return;
    if (peer.node === META_NODE) this.meta.onConnected();
    for (const partition of this.partitions.values()) partition.replica.onReconnected(peer.node);
  }

  private onDisconnected(peer: Origin): void {
    if (peer.node === META_NODE) this.meta.onDisconnected();
    if (this.boots.get(peer.node) === peer.boot) this.boots.delete(peer.node);
    for (const partition of this.partitions.values()) partition.onProxyDisconnected(peer.boot);
  }

  private onMessage(from: Origin, message: Message): void {
    if (!this.begun || this.stopped || this.dead) return; // before it begins, senders repeat
    switch (message[0]) {
      case Kind.request: {
        const request = message as unknown as RequestMessage;
        const partition = this.partitions.get(request[2]);
        if (partition === undefined) this.reply(from, request[1], Status.retry, 'no-such-partition');
        else partition.fromProxy(from, request);
        return;
      }
      case Kind.sessionOpen:
      case Kind.settle:
        this.partitions.get(message[1] as number)?.fromProxy(from, message as unknown as SettleMessage);
        return;
      case Kind.beacon:
        return this.beacons.onBeacon(from, message as unknown as BeaconMessage);
      case Kind.beaconAck:
        return this.beacons.onBeaconAck(from, message as unknown as BeaconAckMessage);
      case Kind.registered:
        return this.meta.onRegistered(message as unknown as RegisteredMessage);
      case Kind.heartbeatAck:
        return this.meta.onHeartbeatAck(message as unknown as HeartbeatAckMessage);
      case Kind.view:
        return this.onView((message as unknown as ViewMessage)[1]);
      case Kind.proposeResult: {
        const [, id, , configuration] = message as unknown as ProposeResultMessage;
        const { partition } = configuration;
        if (this.meta.settles(partition, id)) this.partitions.get(partition)?.onProposalAnswer(configuration);
        return;
      }
      case Kind.addLearner: {
        const [, id, ballot, seat] = message as unknown as AddLearnerMessage;
        const partition = this.partitions.get(id);
        if (partition?.replica.ballot === ballot) partition.teach(seat);
        return;
      }
      case Kind.handOver: {
        const [, id, ballot, to] = message as unknown as HandOverMessage;
        const partition = this.partitions.get(id);
        if (partition?.replica.ballot === ballot) partition.handOver(to);
        return;
      }
      case Kind.checksum: {
        const [, id, checksumId] = message as unknown as ChecksumMessage;
        this.partitions.get(id)?.startChecksum(checksumId, from.node);
        return;
      }
      default:
        this.toPartition(from, message);
    }
  }

  private toPartition(from: Origin, message: Message): void {
    const id = message[1];
    if (from.role !== 'server' || typeof id !== 'number') return;
    const partition = this.partitions.get(id);
    if (partition !== undefined) partition.onMessage(from, message);
    else if (message[0] === Kind.learnBegin)
      this.createPartition(id, () => this.partitions.get(id)?.onMessage(from, message));
  }

  private reply(to: Origin, id: number, status: number, value: OperationResult): void {
    this.tell(to, [Kind.reply, id, status, value]);
  }

  private tell(to: Origin, message: Message): void {
    // what another boot of this node would make of it is something else
    if (!this.stopped && this.boots.get(to.node) === to.boot) this.network.send(to.node, message);
  }

  // ---- the cluster -----------------------------------------------------------------------------------

  private onView(view: ClusterView): void {
    for (const node of view.nodes) {
      this.nodes.set(node.node, node);
      if (node.role === 'server' && node.node !== this.self.node)
        this.network.setAddress(node.node, node.host, node.port);
    }
    for (const table of view.tables) this.tables.set(table.id, table);
    for (const info of view.partitions) this.onPartition(info);
    if (!view.full) return;
    const existing = new Set(view.partitions.map(({ id }) => id));
    for (const id of [...this.known.keys(), ...this.partitions.keys()]) if (!existing.has(id)) this.dropPartition(id);
  }

  private onPartition(info: PartitionInfo): void {
    const before = this.known.get(info.id);
    if (before !== undefined && before.configuration.ballot > info.configuration.ballot) return;
    this.known.set(info.id, info);
    const table = this.tables.get(info.table);
    if (table === undefined) return;
    const partition = this.partitions.get(info.id);
    if (partition !== undefined) partition.onConfiguration(info, table);
    // Only a partition that never had data may begin empty; anybody else learns.
    else if (
      (info.configuration.ballot === 1 || info.configuration.unborn === true) &&
      members(info.configuration).some((seat) => sameSeat(seat, this.self))
    ) {
      this.createPartition(info.id, () => undefined);
    }
  }

  private createPartition(id: number, done: () => void): void {
    const { disk } = this;
    if (disk === null || this.opening.has(id)) return;
    this.opening.add(id);
    const fail = (error: Error | null): void => this.fatal(error ?? new Error('no store'));
    disk.stores.destroy(storeName(id), (undestroyed) => {
      if (undestroyed !== null) return fail(undestroyed);
      disk.stores.open(storeName(id), (error, store) => {
        if (error !== null || store === undefined) return fail(error);
        loadState(store, (unread, loaded) => {
          if (unread !== null || loaded === undefined) return fail(unread);
          this.opening.delete(id);
          const info = this.known.get(id);
          const table = info === undefined ? undefined : this.tables.get(info.table);
          const identity = info === undefined || table === undefined ? null : { info, table };
          const host = this.host();
          const partition = new Partition(host, id, identity, store, loaded, newStayName(host));
          this.partitions.set(id, partition);
          // the store says from now on whose it is
          partition.applier.checkpoint(null, 0, () => {
            const newest = this.known.get(id);
            if (newest !== undefined && table !== undefined) partition.onConfiguration(newest, table);
            done();
          });
        });
      });
    });
  }

  private dropPartition(id: number): void {
    this.known.delete(id);
    const partition = this.partitions.get(id);
    if (partition === undefined) return;
    this.partitions.delete(id);
    const { disk } = this;
    partition.close(() => {
      disk?.opened.log.forget(id, partition.stay);
      disk?.stores.destroy(storeName(id), (error) => {
        if (error !== null) this.logger.warn({ partition: id, err: error }, 'a dropped partition could not be removed');
      });
    });
  }

  /** By partition, for the logs. */
  private roles(): string[] {
    return [...this.partitions.values()].map(({ id, replica }) => `${id} ${replica.role}`);
  }

  private isGone(seat: Seat): boolean {
    const info = this.nodes.get(seat.node);
    if (info === undefined) return false;
    if (info.boot === seat.boot) return info.state === 'dead';
    return isLaterBoot(info.boot, seat.boot);
  }

  // ---- time --------------------------------------------------------------------------------------------

  private tick(): void {
    const now = this.environment.monotonicMs();
    const copying = this.teachers.count + this.learners.count > 0;
    if (this.lastTickMs !== null) this.pace.onTurn(now - this.lastTickMs - TICK_MS, copying);
    this.lastTickMs = now;
    for (const partition of this.partitions.values()) partition.tick(now);
  }

  private lookAtDisk(): void {
    const { disk } = this;
    if (disk !== null) this.diskWatch.look((done) => disk.space(done));
  }

  /** Once a second: log segments that nobody lets go, and what lies set aside. */
  private care(): void {
    const { disk } = this;
    if (disk === null) return;
    disk.setAside?.((error, count) => {
      if (error !== null) this.logger.warn({ err: error }, 'what is set aside cannot be counted');
      else this.setAside = count ?? 0;
    });
    const { count, pinned } = disk.opened.log.segments();
    if (count <= limits.segmentsPinned) return;
    for (const { partition, stay } of pinned) {
      const pinning = this.partitions.get(partition);
      if (pinning?.stay === stay) pinning.checkpoint();
      else if (!this.opening.has(partition)) disk.opened.log.forget(partition, stay);
    }
  }

  private fatal(error: Error): void {
    if (this.dead) return;
    this.dead = true;
    this.beacons.stop();
    this.options.onFatal(error);
  }

  private host(): PartitionHost {
    const { environment, network, options, self, logger, disk } = this;
    const { leaseMs, graceMs } = options;
    const timing: Timing = {
      leaseMs,
      graceMs,
      followerTimeoutMs: Math.floor(leaseMs * 0.75),
      stallTimeoutMs: 3 * leaseMs,
      repeatMs: Math.floor(leaseMs / 4),
    };
    const { rowBytes } = cacheShares(options.cacheBytes);
    if (disk === null) throw new Error('the disk is not open yet');
    return {
      environment,
      logger,
      self,
      log: disk.opened.log,
      stores: disk.stores,
      timing,
      pace: this.pace,
      teachers: this.teachers,
      learners: this.learners,
      retainedBytesPerPartition: () =>
        Math.min(limits.retainedBytes, Math.floor(options.cacheBytes / 4 / Math.max(1, this.partitions.size))),
      cacheBytesPerPartition: () => Math.floor(rowBytes / Math.max(1, this.partitions.size)),
      send: (node, message) => !this.stopped && network.send(node, message),
      queuedBytes: (node) => network.queuedBytes(node),
      receiving: (node) => network.receiving(node),
      reply: (to, id, status, value) => this.reply(to, id, status, value),
      tell: (to, message) => this.tell(to, message),
      isConnected: (boot) => [...this.boots.values()].includes(boot),
      propose: (proposal) => this.meta.propose(proposal),
      isGone: (seat) => this.isGone(seat),
      metaLeaseUntilMs: () => this.meta.leaseUntilMs,
      disk: () => this.diskWatch.state,
      worstDisk: (configuration) => this.diskWatch.worst(configuration),
      beaconSoon: () => this.beacons.sendSoon(),
      fatal: (error) => this.fatal(error),
    };
  }
}
