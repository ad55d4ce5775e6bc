/**
 * Every metric, as one table: the Prometheus names, helps and labels derive from it, and a name that is
 * not a row does not compile. Each role has a registry of its own; there is no global one, since
 * several roles may share a process.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Role } from './cluster.js';

interface MetricRow {
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
  readonly roles: readonly Role[];
}

const EVERY: readonly Role[] = ['meta', 'server', 'proxy'];

/** Counters end in `_total`; units are last in names, in base units (seconds, bytes). */
export const metrics = {
  tulpar_process_uptime_seconds: {
    type: 'gauge',
    help: 'Seconds since this process started',
    labels: [],
    roles: EVERY,
  },
  tulpar_process_resident_bytes: { type: 'gauge', help: 'Resident memory of this process', labels: [], roles: EVERY },
  tulpar_process_cpu_seconds: { type: 'gauge', help: 'CPU time used by this process', labels: [], roles: EVERY },
  tulpar_nodes: {
    type: 'gauge',
    help: 'Nodes that meta knows, by role and state',
    labels: ['role', 'state'],
    roles: ['meta'],
  },
  tulpar_tables: { type: 'gauge', help: 'Tables', labels: [], roles: ['meta'] },
  tulpar_partitions: { type: 'gauge', help: 'Partitions of a table', labels: ['table'], roles: ['meta'] },
  tulpar_partitions_serving: {
    type: 'gauge',
    help: 'Partitions of a table whose primary says that it serves',
    labels: ['table'],
    roles: ['meta'],
  },
  tulpar_partitions_full: {
    type: 'gauge',
    help: 'Partitions of a table that have all their replicas',
    labels: ['table'],
    roles: ['meta'],
  },
  tulpar_partitions_waiting: {
    type: 'gauge',
    help: 'Partitions without a primary for which meta waits for servers',
    labels: [],
    roles: ['meta'],
  },
  tulpar_sessions: {
    type: 'gauge',
    help: 'Proxies that the partitions of a table keep answers for, each counted at every partition',
    labels: ['table'],
    roles: ['meta'],
  },
  tulpar_session_connections: {
    type: 'gauge',
    help: 'Connections with answers that may be asked for again',
    labels: ['table'],
    roles: ['meta'],
  },
  tulpar_session_results: { type: 'gauge', help: 'Answers that are kept', labels: ['table'], roles: ['meta'] },
  tulpar_session_bytes: { type: 'gauge', help: 'Bytes of these answers', labels: ['table'], roles: ['meta'] },
  tulpar_disk_free_bytes: {
    type: 'gauge',
    help: 'Free space of the data disk of a server',
    labels: ['server'],
    roles: ['meta'],
  },
  tulpar_set_aside: {
    type: 'gauge',
    help: 'Damaged stores and log segments that lie set aside on the disk of a server',
    labels: ['server'],
    roles: ['meta'],
  },
  tulpar_configuration_changes_total: {
    type: 'counter',
    help: 'Configurations decided since this meta started',
    labels: [],
    roles: ['meta'],
  },
  tulpar_proposals_refused_total: {
    type: 'counter',
    help: 'Proposals of replicas that meta refused',
    labels: [],
    roles: ['meta'],
  },
  tulpar_registrations_refused_total: {
    type: 'counter',
    help: 'Registrations that meta refused',
    labels: [],
    roles: ['meta'],
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof metrics;
export type CounterName = {
  [Name in MetricName]: (typeof metrics)[Name]['type'] extends 'counter' ? Name : never;
}[MetricName];
export type GaugeName = Exclude<MetricName, CounterName>;

type Labels = Readonly<Record<string, string>>;

export class Metrics {
  private readonly registry = new Registry();
  private readonly counters = new Map<string, Counter>();
  private readonly gauges = new Map<string, Gauge>();

  constructor(role: Role) {
    for (const [name, row] of Object.entries<MetricRow>(metrics)) {
      if (!row.roles.includes(role)) continue;
      const configuration = { name, help: row.help, labelNames: [...row.labels], registers: [this.registry] };
      if (row.type === 'counter') this.counters.set(name, new Counter(configuration));
      else this.gauges.set(name, new Gauge(configuration));
    }
  }

  count(name: CounterName, by = 1): void {
    this.counters.get(name)?.inc(by);
  }

  set(name: GaugeName, value: number, labels: Labels = {}): void {
    this.gauges.get(name)?.set(labels, value);
  }

  /** To what was set for the same labels. */
  add(name: GaugeName, value: number, labels: Labels = {}): void {
    this.gauges.get(name)?.inc(labels, value);
  }

  /** Forgets all label values of a gauge, before it is set anew. */
  clear(name: GaugeName): void {
    this.gauges.get(name)?.reset();
  }

  /** Prometheus' text format, with the figures of the process refreshed. */
  async text(): Promise<string> {
    const { user, system } = process.cpuUsage();
    this.set('tulpar_process_uptime_seconds', process.uptime());
    this.set('tulpar_process_resident_bytes', process.memoryUsage.rss());
    this.set('tulpar_process_cpu_seconds', (user + system) / 1e6);
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }
}
