/** What the admin API shows and does, without HTTP: rows for people and programs, the same for both. */
import { members, type MultiKey, type NodeInfo, type Role, type Seat } from '../shared/cluster.js';
import type { Environment } from '../shared/environment.js';
import { OperatingError } from '../shared/errors.js';
import type { HeartbeatReport, SessionsSize } from '../shared/wire/messages.js';
import { type ChecksumRow, Checksums } from './checksums.js';
import type { Meta } from './meta.js';
import type { Waiting } from './waits.js';
import { consequences, type RecoveryRow } from './recovery-report.js';
import type { PartitionRecord, TableSpec } from './state.js';

export interface NodeRow {
  readonly node: string;
  readonly role: Role;
  readonly address: string;
  readonly pid: number;
  readonly boot: string;
  readonly state: string;
  /** Of a server's data disk; null for others. */
  readonly diskFreeBytes: number | null;
  /** Damaged stores and log segments that lie set aside on a server's disk: for an administrator to look at and remove. */
  readonly setAside: number | null;
}

export interface TableRow {
  readonly table: string;
  readonly id: number;
  readonly partitions: number;
  readonly multiKey: MultiKey;
  readonly replicas: number;
  readonly minReplicas: number;
}

export interface PartitionRow {
  readonly table: string;
  readonly partition: number;
  readonly slots: readonly [from: number, to: number];
  readonly ballot: number;
  readonly primary: string | null;
  readonly secondaries: readonly string[];
  readonly learners: readonly string[];
  /** `starting`: its primary lives and does not serve yet. `waiting`: it has none; `recovery` says what it waits for. */
  readonly state: 'serving' | 'starting' | 'waiting';
  /** As the primary said in its last heartbeat; null when there is none. */
  readonly committed: number | null;
  /** How much it keeps for requests that may be repeated; null while it does not serve. */
  readonly sessions: SessionsSize | null;
}

/** Whether the cluster can be used, and what it waits for when not. */
export interface ClusterStatus {
  /** Every partition has all its replicas and a primary that serves, and a proxy is there. */
  readonly ready: boolean;
  readonly partitions: number;
  readonly serving: number;
  readonly full: number;
  readonly waiting: readonly Waiting[];
}

export class Admin {
  private readonly meta: Meta;
  private readonly self: NodeInfo;
  private readonly checksumTimeoutMs: number;
  private readonly gatherer: Checksums;

  constructor(environment: Environment, meta: Meta, self: NodeInfo, checksumTimeoutMs: number) {
    this.meta = meta;
    this.self = self;
    this.checksumTimeoutMs = checksumTimeoutMs;
    this.gatherer = new Checksums(environment, meta);
  }

  private diskOf(role: Role, seat: Seat): Pick<NodeRow, 'diskFreeBytes' | 'setAside'> {
    const heartbeat = role === 'server' ? this.meta.heartbeatOf(seat) : null;
    if (heartbeat === null) return { diskFreeBytes: null, setAside: null };
    return { diskFreeBytes: heartbeat.diskFreeBytes, setAside: heartbeat.setAside ?? 0 };
  }

  nodes(): NodeRow[] {
    const infos = [this.self, ...this.meta.listNodes()];
    const rank: Record<Role, number> = { meta: 0, server: 1, proxy: 2 };
    return infos
      .map(({ node, role, host, port, pid, boot, state }) => ({
        node,
        role,
        address: `${host}:${port}`,
        pid,
        boot,
        state,
        ...this.diskOf(role, { node, boot }),
      }))
      .sort((a, b) => rank[a.role] - rank[b.role] || a.node.localeCompare(b.node));
  }

  tables(): TableRow[] {
    const counts = new Map<number, number>();
    for (const { partition } of this.meta.partitions())
      counts.set(partition.table, (counts.get(partition.table) ?? 0) + 1);
    return this.meta.tables().map(({ id, name, multiKey, replicas, minReplicas }) => ({
      table: name,
      id,
      partitions: counts.get(id) ?? 0,
      multiKey,
      replicas,
      minReplicas,
    }));
  }

  partitions(): PartitionRow[] {
    const names = this.tableNames();
    const waiting = new Set(this.meta.waitingFor().map(({ partition }) => partition));
    return this.meta.partitions().map((record) => {
      const { id, table, fromSlot, toSlot, configuration } = record.partition;
      const report = this.primaryReport(record);
      return {
        table: names.get(table) ?? '',
        partition: id,
        slots: [fromSlot, toSlot],
        ballot: configuration.ballot,
        primary: configuration.primary?.node ?? null,
        secondaries: configuration.secondaries.map((seat) => seat.node),
        learners: report?.learners ?? [],
        state: this.isServing(record) ? 'serving' : waiting.has(id) ? 'waiting' : 'starting',
        committed: report?.committed ?? null,
        sessions: report?.sessions ?? null,
      };
    });
  }

  status(): ClusterStatus {
    const replicas = new Map(this.meta.tables().map((table) => [table.id, table.replicas]));
    const records = this.meta.partitions();
    const serving = records.filter((record) => this.isServing(record)).length;
    const full = records.filter(
      ({ partition }) => members(partition.configuration).length >= (replicas.get(partition.table) ?? 1),
    ).length;
    const hasProxy = this.meta.listNodes().some((info) => info.role === 'proxy' && info.state === 'alive');
    return {
      ready: records.length > 0 && serving === records.length && full === records.length && hasProxy,
      partitions: records.length,
      serving,
      full,
      waiting: this.meta.waitingFor(),
    };
  }

  isServing(record: PartitionRecord): boolean {
    const report = this.primaryReport(record);
    return report?.serving === true && report.ballot === record.partition.configuration.ballot;
  }

  /** What is known of partitions that wait, member by member. */
  recovery(): RecoveryRow[] {
    return this.meta.recoveries();
  }

  createTable(spec: TableSpec, done: (error: Error | null) => void): void {
    this.meta.createTable(spec, done);
  }

  dropTable(name: string, done: (error: Error | null) => void): void {
    this.meta.dropTable(name, done);
  }

  recover(partition: number, node: string, forced: boolean, done: (error: Error | null) => void): void {
    const wait = this.meta.waitingFor().find((waiting) => waiting.partition === partition);
    const recovery = this.meta.assess(partition);
    if (!forced && recovery !== null) {
      const text =
        wait === undefined
          ? `partition ${partition} does not wait for an administrator`
          : `partition ${partition}: ${wait.reason} (${wait.nodes.join(', ')}); ${consequences(recovery, node)}; repeat with force`;
      return done(new OperatingError('E_REFUSED', text));
    }
    this.meta.recover(partition, node, done);
  }

  movePrimary(partition: number, node: string, done: (error: Error | null) => void): void {
    this.meta.movePrimary(partition, node, done);
  }

  checksums(table: string | null, done: (rows: ChecksumRow[]) => void): void {
    const names = this.tableNames();
    const subjects = this.meta
      .partitions()
      .map(({ partition }) => ({ table: names.get(partition.table) ?? '', partition: partition.id }))
      .filter((subject) => table === null || subject.table === table);
    this.gatherer.collect(subjects, this.checksumTimeoutMs, done);
  }

  private tableNames(): Map<number, string> {
    return new Map(this.meta.tables().map((table) => [table.id, table.name]));
  }

  private primaryReport({ partition }: PartitionRecord): HeartbeatReport['replicas'][number] | undefined {
    const { primary } = partition.configuration;
    if (primary === null) return undefined;
    return this.meta
      .heartbeatOf(primary)
      ?.replicas.find((replica) => replica.partition === partition.id && replica.role === 'primary');
  }
}
