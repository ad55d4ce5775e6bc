/**
 * The meta role: one event loop around MetaState and the decisions. It answers registrations,
 * heartbeats and proposals, pushes views, and runs the guardian when something changed and on a tick.
 *
 *   message → change MetaState (in memory) → store.write → what the change allows to be said
 *
 * Time, network and store come in through the constructor and nothing here awaits: the simulator runs it as it is.
 */
import { DEFAULT_TABLE, type MultiKey, type NodeInfo, sameSeat, type Seat, type Table } from '../shared/cluster.js';
import type { Environment, Timer } from '../shared/environment.js';
import { OperatingError } from '../shared/errors.js';
import type { Logger } from '../shared/logging.js';
import {
  type ChangeUsersMessage,
  type ChecksumResultMessage,
  type HeartbeatMessage,
  type HeartbeatReport,
  Kind,
  type Message,
  type ProposeMessage,
  type RegisterMessage,
} from '../shared/wire/messages.js';
import type { Network, Origin } from '../shared/wire/network.js';
import { judgeForce } from './decisions/force.js';
import { type Decision, guard } from './decisions/guardian.js';
import { readHeartbeat } from './decisions/heartbeat.js';
import { judgeMove } from './decisions/move.js';
import { judge } from './decisions/proposals.js';
import { assess, type Recovery } from './decisions/recovery.js';
import { whyNotRegister } from './decisions/registration.js';
import { type PartitionSituation, seatState, type Situation } from './decisions/situation.js';
import { checkTable } from './decisions/tables.js';
import { Nodes } from './nodes.js';
import { Publisher } from './publisher.js';
import { type RecoveryRow, recoveryRows } from './recovery-report.js';
import { MetaState, type PartitionRecord, type TableSpec } from './state.js';
import type { StateStore } from './store/store.js';
import { Teaching } from './teaching.js';
import { changeUsers } from './users.js';
import { type Waiting, Waits } from './waits.js';

export interface MetaOptions {
  /** The default table is created once this many servers have registered. */
  readonly servers: number;
  readonly partitions: number;
  readonly multiKey: MultiKey;
  readonly replicas: number;
  readonly minReplicas: number;
  /** A server not heard of for this long no longer counts as alive. */
  readonly metaLeaseMs: number;
  /** How long a server that lost its seat is waited for before another one learns the partition. */
  readonly rejoinMs: number;
  readonly tickMs: number;
  /** 16 hex digits, unguessable: the key of a new table's header hash. */
  readonly newHashKey: () => string;
  /** The state could not be written: nothing may be decided any more; the process should end. */
  readonly onFatal: (error: Error) => void;
}

const MOVE_LOOK_MS = 20;

export class Meta {
  private readonly environment: Environment;
  private readonly network: Network;
  private readonly store: StateStore;
  private readonly options: MetaOptions;
  private readonly logger: Logger;
  /** What happened since this meta started, for its metrics. */
  readonly counts = { configurationChanges: 0, proposalsRefused: 0, registrationsRefused: 0 };

  private readonly state = new MetaState();
  private readonly nodes: Nodes;
  private readonly publisher: Publisher;
  private readonly teaching: Teaching;
  private readonly waits: Waits;
  private started = false;
  private stopped = false;
  private tick: Timer | null = null;

  private reviewQueued = false;
  private readonly checksumListeners = new Set<(from: Origin, message: ChecksumResultMessage) => void>();

  constructor(environment: Environment, network: Network, store: StateStore, options: MetaOptions, logger: Logger) {
    this.environment = environment;
    this.network = network;
    this.store = store;
    this.options = options;
    this.logger = logger;
    this.nodes = new Nodes(environment, this.state, options.metaLeaseMs);
    this.publisher = new Publisher(this.state, this.nodes, network, store, (error) => this.fail(error), logger);
    this.teaching = new Teaching(options.rejoinMs);
    this.waits = new Waits(environment, logger);
    network.onMessage = (from, message) => this.onMessage(from, message);
    network.onConnected = () => undefined; // whoever connects registers first
    network.onDisconnected = (peer) => this.onDisconnected(peer);
  }

  /** Loads the state; messages that come before that are dropped, their senders repeat them. */
  start(done: (error: Error | null) => void): void {
    this.store.load((error, rows) => {
      if (error !== null) return done(error);
      try {
        this.state.load(rows);
      } catch (cause) {
        return done(cause instanceof Error ? cause : new Error(String(cause)));
      }
      this.nodes.begin();
      this.started = true;
      this.logger.info(
        { tables: this.state.tables.size, partitions: this.state.partitions.size, servers: this.state.nodes.size },
        'meta state loaded',
      );
      this.scheduleTick();
      done(null);
    });
  }

  stop(done: (error: Error | null) => void): void {
    this.stopped = true;
    this.tick?.cancel();
    this.publisher.close(done);
  }

  private fail(error: Error): void {
    this.stopped = true;
    this.tick?.cancel();
    this.options.onFatal(error);
  }

  // --- what the admin API reads and asks

  tables(): Table[] {
    return [...this.state.tables.values()];
  }

  partitions(): PartitionRecord[] {
    return [...this.state.partitions.values()];
  }

  listNodes(): NodeInfo[] {
    return this.nodes.list();
  }

  /** The last heartbeat of exactly this boot. */
  heartbeatOf(seat: Seat): HeartbeatReport | null {
    return this.nodes.heartbeatOf(seat);
  }

  waitingFor(): readonly Waiting[] {
    return this.waits.list();
  }

  /** What is known of a partition's members and of other copies; null when there is no such partition. */
  assess(partition: number): Recovery | null {
    const situation = this.situation();
    const found = situation.partitions.find(({ record }) => record.partition.id === partition);
    return found === undefined ? null : assess(situation, found);
  }

  recoveries(): RecoveryRow[] {
    return this.waits.list().flatMap(({ partition: id, waitingMs }) => {
      const record = this.state.partitions.get(id);
      const recovery = record === undefined || record.partition.configuration.ballot === 0 ? null : this.assess(id);
      if (record === undefined || recovery === null) return [];
      return recoveryRows(recovery, {
        table: this.state.tables.get(record.partition.table)?.name ?? '',
        waitingMs,
        primary: record.partition.configuration.primary?.node ?? null,
        silentMs: (node) => this.nodes.silentMs(node),
        refusal: (node) => this.nodes.refusal(node),
      });
    });
  }

  createTable(spec: TableSpec, done: (error: Error | null, table?: Table) => void): void {
    if (!this.started) return done(notStarted());
    try {
      checkTable(spec);
    } catch (error) {
      return done(error instanceof Error ? error : new Error(String(error)));
    }
    if (this.state.tableNamed(spec.name) !== undefined) {
      return done(new OperatingError('E_REFUSED', `table ${spec.name} exists already`));
    }
    const table = this.state.createTable(spec, this.options.newHashKey());
    this.logger.info({ table: table.name, partitions: spec.partitions, multiKey: spec.multiKey }, 'table created');
    this.review();
    this.publisher.afterPersisted(() => done(null, table));
  }

  dropTable(name: string, done: (error: Error | null) => void): void {
    const table = this.state.tableNamed(name);
    if (table === undefined) return done(new OperatingError('E_REFUSED', `there is no table ${name}`));
    this.state.dropTable(table.id);
    this.logger.info({ table: name }, 'table dropped');
    this.publisher.afterPersisted(() => done(null));
  }

  /** Makes `node` the only replica of a partition whose members do not come back. Loses what only they had. */
  recover(partition: number, node: string, done: (error: Error | null) => void): void {
    const judgement = judgeForce(this.situation(), partition, node);
    if ('refusal' in judgement) return done(new OperatingError('E_REFUSED', judgement.refusal));
    this.logger.warn({ partition, node, mayLose: judgement.losses }, 'an administrator forces a recovery');
    this.carryOut(judgement.decision);
    this.publisher.afterPersisted(() => done(null));
  }

  /** Asks a partition's primary to hand over to its secondary `node`; calls back once that is in force. */
  movePrimary(partition: number, node: string, done: (error: Error | null) => void): void {
    const judgement = judgeMove(this.situation(), partition, node);
    if ('refusal' in judgement) return done(new OperatingError('E_REFUSED', judgement.refusal));
    const { primary, ballot } = judgement;
    this.logger.info({ partition, primary, to: node }, 'asking the primary to hand over');
    const untilMs = this.now() + this.options.metaLeaseMs;
    const look = (): void => {
      const inForce = this.state.partitions.get(partition)?.partition.configuration;
      if (inForce?.primary?.node === node && inForce.ballot > ballot)
        return this.publisher.afterPersisted(() => done(null));
      if (inForce?.ballot === ballot && this.now() < untilMs) return void this.environment.after(MOVE_LOOK_MS, look);
      done(
        new OperatingError('E_REFUSED', `${primary} did not hand partition ${partition} over; try again`, {
          retry: true,
        }),
      );
    };
    this.publisher.afterPersisted(() => {
      this.network.send(primary, [Kind.handOver, partition, ballot, node]);
      look();
    });
  }

  /** Asks a partition's primary for checksums; every `ChecksumResultMessage` goes to the listeners. */
  askChecksum(primary: string, partition: number, id: number): boolean {
    return this.network.send(primary, [Kind.checksum, partition, id]);
  }

  onChecksumResult(listener: (from: Origin, message: ChecksumResultMessage) => void): () => void {
    this.checksumListeners.add(listener);
    return () => void this.checksumListeners.delete(listener);
  }

  // --- messages

  private onMessage(from: Origin, message: Message): void {
    if (!this.started || this.stopped) return;
    switch (message[0]) {
      case Kind.register:
        return this.onRegister(from, message as unknown as RegisterMessage);
      case Kind.heartbeat:
        return this.onHeartbeat(from, message as unknown as HeartbeatMessage);
      case Kind.propose:
        return this.onPropose(from, message as unknown as ProposeMessage);
      case Kind.changeUsers:
        return this.onChangeUsers(from, message as unknown as ChangeUsersMessage);
      case Kind.checksumResult:
        for (const listener of this.checksumListeners) listener(from, message as unknown as ChecksumResultMessage);
        return;
      default:
        this.logger.warn({ from: from.node, kind: message[0] }, 'a message that meta does not know was dropped');
    }
  }

  private onRegister(from: Origin, [, info, replicas]: RegisterMessage): void {
    const refusal = whyNotRegister(this.state, from, info, replicas);
    if (refusal !== null) {
      this.counts.registrationsRefused++;
      this.nodes.refuse(from.node, refusal);
      this.logger.warn({ peer: from.node, peerBoot: from.boot, reason: refusal }, 'registration refused');
      return this.publisher.afterPersisted(() => void this.network.send(from.node, [Kind.registered, refusal]));
    }
    const newBoot = this.nodes.get(info) === undefined;
    if (info.role === 'server') {
      const known = this.state.nodes.get(info.node);
      if (known === undefined || JSON.stringify(known.info) !== JSON.stringify(info))
        this.state.putNode({ ...info, state: info.state === 'dead' ? 'dead' : 'alive' });
    }
    this.nodes.register(info, replicas);
    if (newBoot || info.state === 'dead') {
      this.logger.info(
        { peer: info.node, role: info.role, peerBoot: info.boot, replicas: replicas.length },
        info.state === 'dead' ? 'stopped' : 'registered',
      );
    }
    const view = this.publisher.fullView();
    this.publisher.afterPersisted(() => {
      this.network.send(info.node, [Kind.registered, '']);
      this.network.send(info.node, [Kind.view, view]);
    });
    this.review();
  }

  /**
   * The acknowledgement is the lease of a primary that is alone, so it is withheld from one whose
   * ballot is over; instead the sender gets the configurations that it seems to have missed.
   */
  private onHeartbeat(from: Origin, [, sentAt, report]: HeartbeatMessage): void {
    const registration = this.nodes.get(from);
    if (registration === undefined || !registration.connected) {
      const reason = 'this boot is not registered; register again';
      return this.publisher.afterPersisted(() => void this.network.send(from.node, [Kind.registered, reason]));
    }
    const before = registration.heartbeat;
    this.nodes.heard(registration, report);
    for (const { partition } of report.replicas) {
      const configuration = this.state.partitions.get(partition)?.partition.configuration;
      if (configuration !== undefined && sameSeat(configuration.primary, from))
        this.teaching.reported(configuration, before, report, this.now());
    }
    const { missed, settled, deposed } = readHeartbeat(this.state, from, report);
    for (const partition of settled) this.state.settle(partition);
    const partitions = [...missed].flatMap((id) => this.state.partitions.get(id)?.partition ?? []);
    this.publisher.afterPersisted(() => {
      if (partitions.length > 0) {
        this.network.send(from.node, [Kind.view, { full: false, tables: [], partitions, nodes: [] }]);
      }
      if (!deposed) this.network.send(from.node, [Kind.heartbeatAck, sentAt]);
    });
    if (countLearners(report) !== countLearners(before)) this.review();
  }

  private onPropose(from: Origin, [, id, proposal]: ProposeMessage): void {
    const record = this.state.partitions.get(proposal.partition);
    if (record === undefined) return; // dropped: the full view has told the proposer
    const judgement = judge(record, this.nodes.servers(), { node: from.node, boot: from.boot }, proposal);
    if (judgement.accepted) {
      this.configure(judgement.configuration, judgement.uncertain, `proposed by ${from.node}`);
    } else {
      this.counts.proposalsRefused++;
      this.logger.info(
        { partition: proposal.partition, from: from.node, reason: judgement.reason },
        'proposal refused',
      );
    }
    const inForce =
      this.state.partitions.get(proposal.partition)?.partition.configuration ?? record.partition.configuration;
    this.publisher.afterPersisted(
      () => void this.network.send(from.node, [Kind.proposeResult, id, judgement.accepted, inForce]),
    );
    this.review();
  }

  private onChangeUsers(from: Origin, [, id, change]: ChangeUsersMessage): void {
    const { error, count } = changeUsers(this.state, change);
    this.logger.info({ from: from.node, kind: change.kind, count, error }, 'a client asked for a change of users');
    this.publisher.afterPersisted(() => void this.network.send(from.node, [Kind.usersChanged, id, error, count]));
  }

  private onDisconnected(peer: Origin): void {
    const registration = this.nodes.get(peer);
    if (registration !== undefined) registration.connected = false;
    this.review();
  }

  // --- decisions

  private scheduleTick(): void {
    this.tick = this.environment.after(this.options.tickMs, () => {
      this.decide();
      this.scheduleTick();
    });
  }

  /** Decides once more before this turn ends. */
  private review(): void {
    if (this.reviewQueued || !this.started) return;
    this.reviewQueued = true;
    this.environment.defer(() => {
      this.reviewQueued = false;
      this.decide();
    });
  }

  private decide(): void {
    if (this.stopped) return;
    this.nodes.forgetLongGoneProxies();
    this.createDefaultTable();
    // Before the configurations: a new primary must know that its predecessor's boot is dead, or it waits out a grace period.
    this.publisher.announceNodes();
    const decisions = guard(this.situation());
    for (const decision of decisions) this.carryOut(decision);
    // A new configuration may leave more to do at once: teaching whom the new primary lacks.
    if (decisions.some((decision) => decision.kind === 'configure')) this.review();
    this.waits.note(
      decisions.filter((decision) => decision.kind === 'wait'),
      (partition) => {
        const { members = [], earlier = [] } = this.assess(partition) ?? {};
        return [...members, ...earlier];
      },
    );
    this.publisher.persist();
  }

  private carryOut(decision: Decision): void {
    if (decision.kind === 'configure')
      this.configure(decision.configuration, decision.uncertain, decision.reason, decision.forcedFrom);
    if (decision.kind === 'teach') {
      const { partition, ballot, primary, seat } = decision;
      this.teaching.asked(partition, ballot, seat.node, this.now());
      this.logger.info({ partition, primary, learner: seat.node }, 'asking the primary to teach a learner');
      this.publisher.afterPersisted(() => void this.network.send(primary, [Kind.addLearner, partition, ballot, seat]));
    }
  }

  private configure(
    configuration: PartitionRecord['partition']['configuration'],
    uncertain: readonly Seat[],
    reason: string,
    forcedFrom?: number,
  ): void {
    const before = this.state.partitions.get(configuration.partition)?.partition.configuration;
    this.state.configure(configuration, uncertain, forcedFrom);
    this.counts.configurationChanges++;
    if (before !== undefined) {
      const servers = this.nodes.servers();
      const isDead = (seat: Seat): boolean => seatState(servers, seat) === 'dead';
      this.teaching.reconfigured(before, configuration, isDead, this.now());
    }
    this.logger.info(
      {
        partition: configuration.partition,
        ballot: configuration.ballot,
        primary: configuration.primary?.node,
        secondaries: configuration.secondaries.map((seat) => seat.node),
        predecessorGone: configuration.predecessorGone,
        reason,
      },
      'configuration changed',
    );
  }

  private createDefaultTable(): void {
    if (this.state.defaultCreated) return;
    const present = [...this.nodes.servers().values()].filter((server) => server.alive && server.present);
    if (present.length < this.options.servers) return;
    const replicas = Math.min(this.options.replicas, this.options.servers);
    this.state.createTable(
      {
        name: DEFAULT_TABLE,
        partitions: this.options.partitions,
        multiKey: this.options.multiKey,
        replicas,
        minReplicas: Math.min(this.options.minReplicas, replicas),
      },
      this.options.newHashKey(),
    );
    this.state.markDefaultCreated();
  }

  private situation(): Situation {
    const nowMs = this.now();
    const partitions: PartitionSituation[] = [];
    for (const record of this.state.partitions.values()) {
      const { id, configuration } = record.partition;
      const heartbeat = configuration.primary === null ? null : this.nodes.heartbeatOf(configuration.primary);
      const report = heartbeat?.replicas.find((replica) => replica.partition === id && replica.role === 'primary');
      partitions.push({
        record,
        learners: [...new Set([...(report?.learners ?? []), ...this.teaching.askedLately(configuration, nowMs)])],
        hearing: configuration.secondaries.flatMap((seat) => {
          const replicas = this.nodes.heartbeatOf(seat)?.replicas ?? [];
          const { ballot } = configuration;
          return replicas.some((each) => each.partition === id && each.ballot === ballot && each.hears === true)
            ? [seat.node]
            : [];
        }),
        expected: this.teaching.leftLately(id, nowMs),
        resting: this.teaching.resting(id, nowMs),
      });
    }
    return { tables: this.state.tables, servers: this.nodes.servers(), partitions };
  }

  private now(): number {
    return this.environment.monotonicMs();
  }
}

function countLearners(report: HeartbeatReport | null): number {
  return report?.replicas.reduce((sum, { learners }) => sum + learners.length, 0) ?? 0;
}

function notStarted(): OperatingError {
  return new OperatingError('E_META', 'meta has not loaded its state yet', { retry: true });
}
