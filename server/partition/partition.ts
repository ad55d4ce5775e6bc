/**
 * One replica of one partition on this server: joins the pure core to log, store, executor, teacher and
 * learner. What decides is in server/replication and server/execution; this file wires.
 */
import { isDamage } from '../../shared/errors.js';
import type { Configuration, Partition as PartitionInfo, ReplicaReport, Seat, Table } from '../../shared/cluster.js';
import { KeyedHash } from '../../shared/keyed-hash.js';
import { limits } from '../../shared/limits.js';
import type { Logger } from '../../shared/logging.js';
import {
  Kind,
  Status,
  type HeartbeatReport,
  type Message,
  type PrepareAckMessage,
  type PrepareMessage,
  type PrepareRejectMessage,
  type RequestMessage,
  type RetryReason,
  type SessionOpenMessage,
  type SettleMessage,
} from '../../shared/wire/messages.js';
import type { Origin } from '../../shared/wire/network.js';
import { Executor, type ExecutorHost } from '../execution/executor.js';
import { Head } from '../execution/head.js';
import { PointReads } from '../execution/point-reads.js';
import {
  encodeMutation,
  MutationKind,
  mutationTimeMs,
  type Annotation,
  type Mutation,
} from '../replication/mutation.js';
import { PrepareList, type Prepared } from '../replication/prepare-list.js';
import { Replica } from '../replication/replica.js';
import type { ReplicaEffects } from '../replication/effects.js';
import type { Store } from '../storage/store.js';
import { Applier, type AppliedState, type ApplierHost } from './applier.js';
import { checksum } from './checksum.js';
import type { PartitionHost, PartitionIdentity } from './host.js';
import { Learning } from './learner.js';
import { storeName } from './names.js';
import { replay } from './replay.js';
import type { StoredState } from './state.js';
import { Evictor } from './evictor.js';
import { Sweeper } from './sweeper.js';
import { Teaching } from './teacher.js';

const REPLAY_BYTES = 64 * 1024 * 1024;
/** More than this on its way to a node: nothing is repeated to it. */
const BUSY_BYTES = 64 * 1024;

const DISK_NEARLY_FULL = 'OOM command not allowed: the disk of a partition server is nearly full';
const DISK_FULL = 'OOM command not allowed: the disk of a partition server is full';

export class Partition {
  readonly id: number;
  /** As meta told last; null until it has. */
  identity: PartitionIdentity | null;
  readonly replica: Replica;
  readonly host: PartitionHost;
  readonly logger: Logger;
  store: Store;
  applier: Applier;
  stay: string;
  executor: Executor | null = null;
  private readonly teaching: Teaching;
  private readonly learning: Learning;
  private readonly sweeper: Sweeper;
  private readonly evictor: Evictor;
  private head: Head | null = null;
  /** What proxies sent while the new primary gets ready. */
  private early: { from: Origin; message: RequestMessage | SessionOpenMessage | SettleMessage }[] = [];
  private flushing = false;
  private closed = false;

  constructor(
    host: PartitionHost,
    id: number,
    identity: PartitionIdentity | null,
    store: Store,
    loaded: StoredState,
    stay: string,
  ) {
    this.id = id;
    this.identity = identity;
    this.host = host;
    this.logger = host.logger.child({ partition: this.id });
    this.store = store;
    this.stay = loaded.applied?.stay ?? stay;
    const applied: AppliedState = loaded.applied ?? {
      decree: 0,
      stay: this.stay,
      ballot: 0,
      contentBallot: 0,
      timeMs: 0,
      table: identity?.table.id ?? 0,
    };
    this.applier = this.newApplier(store, { ...loaded, applied });
    this.replica = new Replica(
      {
        partition: this.id,
        self: host.self,
        windowBytes: limits.preparedBytes,
        ...host.timing,
        minReplicas: () => this.identity?.table.minReplicas ?? Number.POSITIVE_INFINITY,
        replicas: () => this.identity?.table.replicas ?? Number.POSITIVE_INFINITY,
      },
      this.effects(),
      { ballot: applied.ballot, list: new PrepareList(applied.decree) },
    );
    this.teaching = new Teaching(this);
    this.learning = new Learning(this);
    this.sweeper = new Sweeper(this);
    this.evictor = new Evictor(this);
  }

  newApplier(store: Store, loaded: StoredState & { applied: AppliedState }): Applier {
    return new Applier(this.host.environment, store, this.applierHost(), { ...loaded, state: loaded.applied });
  }

  /** Reads back the log of this stay: what is committed is applied, the rest is prepared. */
  recover(done: (error: Error | null) => void): void {
    const after = this.applier.applied;
    replay(this.host.log, this.id, this.stay, after, REPLAY_BYTES, (error, replayed) => {
      if (error !== null || replayed === undefined) return done(error ?? new Error('no replay'));
      const { replica } = this;
      const list = new PrepareList(after);
      for (const { decree, ballot, body } of replayed.records) list.put({ decree, ballot, body, decoded: null });
      while (list.committed < replayed.committed) this.applier.push(list.commitNext());
      replica.recovered(replayed.ballot, list);
      if (!replayed.more) done(null);
      else this.applier.whenApplied(() => this.recover(done));
    });
  }

  report(): ReplicaReport {
    const { applied, state } = this.applier;
    // while a copy is on its way, what it replaces is all that would be found after a crash
    if (this.learning.installing) return { partition: this.id, ballot: state.contentBallot, end: applied, applied };
    const { list } = this.replica;
    let ballot = state.contentBallot;
    for (let decree = Math.max(applied, list.base) + 1; decree <= list.last; decree++)
      ballot = Math.max(ballot, list.get(decree)?.ballot ?? 0);
    return { partition: this.id, ballot, end: Math.max(list.last, applied), applied };
  }

  heartbeat(): HeartbeatReport['replicas'][number] {
    const { ballot: contentBallot, end } = this.report();
    return {
      contentBallot,
      end,
      partition: this.id,
      ballot: this.replica.ballot,
      // its copy is not to be relied on before what it abandoned has been cleared away
      role: this.learning.installing && this.replica.role === 'inactive' ? 'learner' : this.replica.role,
      committed: this.replica.list.committed,
      applied: this.applier.applied,
      learners: this.teaching.nodes(),
      serving: this.executor !== null,
      hears: this.replica.hearsPrimary(this.host.environment.monotonicMs()),
      ...(this.executor === null ? {} : { sessions: this.executor.sessions.size }),
    };
  }

  // ---- effects of the core -----------------------------------------------------------------------

  private effects(): ReplicaEffects {
    const { host } = this;
    return {
      send: (node, message) => void host.send(node, message),
      busy: (node) => host.queuedBytes(node) > BUSY_BYTES,
      receiving: (node) => host.receiving(node),
      append: (entry, committed, done) => {
        const { decree, ballot, body } = entry;
        host.log.append({ partition: this.id, stay: this.stay, ballot, decree, committed, body }, (error) => {
          if (!this.closed) done(error);
        });
      },
      commit: (entry) => this.onCommit(entry),
      propose: (proposal) => host.propose(proposal),
      ballotStart: () =>
        this.encode(MutationKind.ballotStart, this.nowMs(), {
          groups: [],
          results: [],
          annotations: [],
          sessions: [],
        }),
      serving: (yes) => (yes ? this.startServing() : this.stopServing('not-primary')),
      flushSoon: () => this.flushSoon(),
      isGone: (seat) => host.isGone(seat),
      metaLeaseUntilMs: () => host.metaLeaseUntilMs(),
      warn: (node, what) => this.logger.warn({ member: node, what }, 'a follower misbehaves'),
      backlogged: () => this.applier.pendingBytes > limits.unappliedBytes,
      fail: (error) => this.fail(error),
    };
  }

  private flushSoon(): void {
    if (this.flushing) return;
    this.flushing = true;
    this.host.environment.defer(() => {
      this.flushing = false;
      if (!this.closed) this.replica.flush(this.host.environment.monotonicMs());
    });
  }

  private onCommit(entry: Prepared): void {
    if (!this.learning.onCommit(entry)) this.applier.push(entry);
    this.executor?.onCommitted(entry.decree);
  }

  private nowMs(): number {
    const last = this.replica.list.get(this.replica.list.last);
    const logged = last === undefined ? 0 : mutationTimeMs(last.body);
    return Math.max(Math.floor(this.host.environment.wallMs()), this.applier.state.timeMs, logged);
  }

  private encode(
    kind: Mutation['kind'],
    timeMs: number,
    parts: Pick<Mutation, 'groups' | 'results' | 'annotations' | 'sessions'>,
  ): Buffer {
    return encodeMutation({ kind, origin: 0, table: this.applier.state.table, partition: this.id, timeMs, ...parts });
  }

  private applierHost(): ApplierHost {
    return {
      onApplied: (decree) => {
        this.head?.onApplied(decree);
        this.trim();
        this.executor?.kick();
        if (this.replica.role !== 'primary') this.flushSoon();
      },
      onCheckpoint: (decree) => this.host.log.release(this.id, this.stay, decree),
      onAnnotation: (annotation, decree) => this.onAnnotation(annotation, decree),
      fail: (error) => this.fail(error),
    };
  }

  /** What is applied stays in memory for followers that were away briefly, within limits. */
  private trim(): void {
    const until = Math.min(this.applier.applied, this.teaching.pinnedDecree());
    this.replica.list.trim(until, this.host.retainedBytesPerPartition(), limits.retainedMutations);
  }

  /** The log needs room: everything applied is made durable, so that it can drop segments. */
  checkpoint(): void {
    if (!this.learning.installing) this.applier.checkpoint(null, this.replica.ballot, () => undefined);
  }

  // ---- serving -------------------------------------------------------------------------------------

  private startServing(): void {
    const { environment } = this.host;
    this.applier.whenApplied(() => {
      const { applier, identity } = this;
      if (this.closed || this.replica.role !== 'primary' || this.executor !== null || identity === null) return;
      const { info, table } = identity;
      this.head = new Head(
        this.store,
        this.host.cacheBytesPerPartition(),
        applier.currentKeyspaces,
        applier.counts.copy(),
        applier.applied,
        new PointReads(() => environment.monotonicMs()),
      );
      this.head.settings = applier.settings;
      this.executor = new Executor(
        environment,
        this.executorHost(),
        this.head,
        applier.sessions.copy(),
        {
          id: this.id,
          slots: { from: info.fromSlot, to: info.toSlot },
          multiKey: table.multiKey,
          syncsWrites: this.host.log.syncsWrites,
          hash: new KeyedHash(table.hashKey),
        },
        { nowMs: this.nowMs(), loggedMs: applier.state.timeMs },
      );
      this.logger.info({ ballot: this.replica.ballot, decree: this.replica.list.last }, 'serving as primary');
      const { early } = this;
      this.early = [];
      for (const { from, message } of early) this.fromProxy(from, message);
      this.sweeper.start(this.executor, this.head);
      this.evictor.start(this.executor, this.head, { from: info.fromSlot, to: info.toSlot });
    });
  }

  private stopServing(reason: RetryReason): void {
    this.sweeper.stop();
    this.evictor.stop();
    this.teaching.stop();
    this.executor?.stop(reason);
    this.executor = null;
    this.head = null;
    this.refuseEarly(reason);
    this.logger.info({ ballot: this.replica.ballot }, 'no longer primary');
  }

  private refuseEarly(reason: RetryReason): void {
    const { early } = this;
    this.early = [];
    for (const { from, message } of early)
      if (message[0] === Kind.request) this.host.reply(from, message[1], Status.retry, reason);
  }

  private executorHost(): ExecutorHost {
    const { host, replica } = this;
    const { environment } = host;
    return {
      canExecute: () => replica.canExecute(environment.monotonicMs()),
      refusesWrites: () => (replica.writable ? null : 'not-enough-replicas'),
      refusesForSpace: (grows) => {
        const state = host.worstDisk(replica.configuration);
        if (state === 'hard') return DISK_FULL;
        if (!grows) return null;
        return state === 'soft' ? DISK_NEARLY_FULL : this.evictor.refusal();
      },
      hasRoom: () =>
        replica.list.uncommittedBytes < limits.preparedBytes &&
        replica.list.uncommitted < limits.preparedMutations &&
        this.applier.pendingBytes < limits.unappliedBytes,
      inFlight: () => replica.list.uncommitted,
      committed: () => replica.list.committed,
      nextDecree: () => replica.list.last + 1,
      prepare: (parts) => {
        const { table } = this.applier.state;
        const mutation = { kind: MutationKind.data, origin: 0, table, partition: this.id, ...parts };
        return replica.prepare(encodeMutation(mutation), mutation);
      },
      reply: (to, id, status, value) => host.reply(to, id, status, value),
      tell: (to, message) => host.tell(to, message),
      isConnected: (boot) => host.isConnected(boot),
      store: this.store,
      fail: (error) => this.fail(error),
    };
  }

  /** From a proxy or native client, in the order in which its connection brings it. Not primary: only requests are answered. */
  fromProxy(from: Origin, message: RequestMessage | SessionOpenMessage | SettleMessage): void {
    const { executor, host } = this;
    if (executor === null) {
      if (this.replica.role === 'primary' && this.early.length < limits.waitingOperations) {
        this.early.push({ from, message });
        return;
      }
      // all of it, and what settles too: nothing that comes later may overtake what is refused
      this.refuseEarly('not-primary');
      if (message[0] === Kind.request) host.reply(from, message[1], Status.retry, 'not-primary');
    } else if (message[0] === Kind.sessionOpen) executor.keeper.open(from, message);
    else if (message[0] === Kind.settle) executor.settle(from, message);
    else if (message[3] !== this.identity?.info.rangeVersion) executor.refuseEarly(from, message, 'wrong-range');
    else executor.submit(from, message);
  }

  onProxyDisconnected(boot: string): void {
    this.early = this.early.filter(({ from }) => from.boot !== boot);
    this.executor?.onDisconnected(boot);
  }

  // ---- messages ------------------------------------------------------------------------------------

  onConfiguration(info: PartitionInfo, table: Table): void {
    const { configuration } = info;
    this.identity = { info, table };
    const before = this.replica.role;
    this.replica.onConfiguration(configuration, this.host.environment.monotonicMs());
    this.afterConfiguration(before);
  }

  onProposalAnswer(configuration: Configuration): void {
    const before = this.replica.role;
    this.replica.onProposalAnswer(configuration, this.host.environment.monotonicMs());
    this.afterConfiguration(before);
  }

  private afterConfiguration(before: string): void {
    const { role, ballot } = this.replica;
    if (role === 'primary') {
      this.teaching.onConfiguration();
      this.host.beaconSoon();
    } else if (before === 'primary') {
      this.refuseEarly('not-primary');
      this.teaching.stop();
    }
    if (role !== 'learner') this.learning.onNoLearner();
    if (role !== before) this.logger.info({ role, ballot }, 'role changed');
  }

  /** Prepares, acknowledgements and learning; `from` has been identified by its handshake. */
  onMessage(from: Seat, message: Message): void {
    const nowMs = this.host.environment.monotonicMs();
    switch (message[0]) {
      case Kind.prepare:
        this.replica.onPrepare(from, message as unknown as PrepareMessage);
        break;
      case Kind.prepareAck:
        this.replica.onPrepareAck(from, message as unknown as PrepareAckMessage, nowMs);
        // all that a new primary still lacks may be its lease
        if (this.executor === null) this.host.beaconSoon();
        break;
      case Kind.prepareReject:
        this.replica.onPrepareReject(from, message as unknown as PrepareRejectMessage, nowMs);
        break;
      case Kind.learnBegin:
      case Kind.learnPlan:
      case Kind.learnPage:
        this.learning.onMessage(from, message);
        break;
      case Kind.learnState:
      case Kind.learnPageAck:
      case Kind.learnReady:
      case Kind.learnFailed:
        this.teaching.onMessage(from, message);
        break;
      default:
        this.logger.warn({ kind: message[0], from: from.node }, 'unexpected message');
    }
  }

  onBeaconAck(from: Seat, ballot: number, sentMs: number): void {
    this.replica.onBeaconAck(from, ballot, sentMs, this.host.environment.monotonicMs());
    this.executor?.kick();
  }

  /** To the secondary at `to`, or to whichever is furthest; true when it has begun, or is under way. */
  handOver(to: string | null): boolean {
    const under = this.replica.handingOver;
    const began = this.replica.handOver(to, this.host.environment.monotonicMs());
    if (began && !under) this.logger.info({ to: to ?? 'whoever is furthest' }, 'handing over');
    return began;
  }

  teach(seat: Seat): void {
    if (this.replica.role === 'primary') this.teaching.begin(seat);
  }

  tick(nowMs: number): void {
    this.replica.tick(nowMs);
    this.teaching.tick(nowMs);
    this.learning.tick(nowMs);
    this.sweeper.tick();
    this.evictor.tick();
    this.executor?.tick(nowMs);
  }

  // ---- checksums -----------------------------------------------------------------------------------

  startChecksum(id: number, requester: string): void {
    this.executor?.annotate(['checksum', id, requester]);
  }

  private onAnnotation(annotation: Annotation, decree: number): void {
    const [name, id, requester] = annotation;
    if (name !== 'checksum' || this.learning.installing) return;
    checksum(this.store, (error, sum) => {
      if (this.closed || error !== null || sum === undefined) return;
      this.host.send(String(requester), [Kind.checksumResult, this.id, id, decree, sum.checksum, sum.entries]);
    });
  }

  // ---- end -----------------------------------------------------------------------------------------

  /** A bug stops the process; damage stops this replica, which learns again at its next start. */
  fail(error: Error): void {
    if (this.closed) return;
    this.logger.error({ err: error }, 'replica failed');
    if (!isDamage(error)) return this.host.fatal(error);
    if (this.executor !== null) this.stopServing('not-primary');
    this.host.stores.setAside(storeName(this.id), error.message, (failed) => this.host.fatal(failed ?? error));
  }

  close(done: () => void): void {
    if (this.executor !== null) this.stopServing('stopping');
    this.sweeper.stop();
    this.learning.onNoLearner();
    if (this.learning.installing) {
      this.closed = true;
      this.applier.close();
      this.store.close(() => done());
      return;
    }
    this.applier.checkpoint(null, this.replica.ballot, () => {
      this.closed = true;
      this.applier.close();
      this.store.close(() => done());
    });
  }
}
