/**
 * INFO, with Redis 7.0's sections and fields: what exists here has its true value, of this proxy's process
 * or of the table; what does not exist here (forks, replication offsets) is 0 or what an idle Redis says.
 */
import { mergeCounts } from '../../shared/commands/databases.js';
import { VerbatimReply } from '../../shared/commands/reply.js';
import { counts } from '../../shared/operations/codes.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { Status } from '../../shared/wire/messages.js';
import { LATER, type Call, type ProxyContext, type SessionHandler } from '../context.js';
import { outcomeError } from '../pending.js';
import { cpuFields, memoryFields } from './info-process.js';
import { fewestReplicas } from './keyspace.js';
import { REDIS_VERSION } from './redis-version.js';
import { askTableMemory, type TableMemory } from './table-memory.js';
import { askTableStatistics, type TableStatistics } from './table-statistics.js';

type Fields = readonly (readonly [name: string, value: string | number])[];

/** What sections need to know beyond the context. */
interface Facts {
  readonly proxy: ProxyContext;
  readonly wallMs: number;
  readonly uptimeS: number;
  /** By database; null where the section was not asked for. */
  readonly keyspace: ReadonlyMap<number, { keys: number; expires: number }> | null;
  /** Null where it was not asked for, or partitions are away. */
  readonly memory: TableMemory | null;
  /** The same. */
  readonly counted: TableStatistics | null;
}

const zeros = (names: string): Fields => names.split(' ').map((name) => [name, 0] as const);

function server({ proxy, wallMs, uptimeS }: Facts): Fields {
  return [
    ['redis_version', REDIS_VERSION],
    ['redis_git_sha1', '00000000'],
    ['redis_git_dirty', 0],
    ['redis_build_id', '0'],
    ['redis_mode', proxy.cluster === null ? 'standalone' : 'cluster'],
    ['os', `${process.platform === 'linux' ? 'Linux' : process.platform} ${process.arch}`],
    ['arch_bits', 64],
    ['monotonic_clock', 'POSIX clock_gettime'],
    ['multiplexing_api', 'epoll'],
    ['atomicvar_api', 'c11-builtin'],
    ['gcc_version', '0.0.0'],
    ['process_id', process.pid],
    ['process_supervised', 'no'],
    ['run_id', proxy.runId],
    ['tcp_port', proxy.port],
    ['server_time_usec', Math.round(wallMs * 1000)],
    ['uptime_in_seconds', uptimeS],
    ['uptime_in_days', Math.floor(uptimeS / 86_400)],
    ['hz', proxy.configuration.get('hz')],
    ['configured_hz', proxy.configuration.get('hz')],
    ['lru_clock', Math.floor(wallMs / 1000) & 0xff_ffff],
    ['executable', process.execPath],
    ['config_file', ''],
    ['io_threads_active', 0],
  ];
}

function clients({ proxy }: Facts): Fields {
  const sessions = proxy.clients.all();
  return [
    ['connected_clients', sessions.length],
    ['cluster_connections', 0],
    ['maxclients', proxy.configuration.settings.maxClients],
    ['client_recent_max_input_buffer', Math.max(0, ...sessions.map((session) => session.queryBytes))],
    ['client_recent_max_output_buffer', Math.max(0, ...sessions.map((session) => session.outputBytes))],
    ['blocked_clients', proxy.clients.blocked],
    ['tracking_clients', proxy.messaging.tracking.counts.clients],
    ['clients_in_timeout_table', 0],
  ];
}

function persistence({ wallMs }: Facts): Fields {
  return [
    ...zeros('loading async_loading current_cow_peak current_cow_size current_cow_size_age'),
    ['current_fork_perc', '0.00'],
    ...zeros('current_save_keys_processed current_save_keys_total rdb_changes_since_last_save rdb_bgsave_in_progress'),
    ['rdb_last_save_time', Math.floor(wallMs / 1000)],
    ['rdb_last_bgsave_status', 'ok'],
    ['rdb_last_bgsave_time_sec', -1],
    ['rdb_current_bgsave_time_sec', -1],
    ...zeros('rdb_saves rdb_last_cow_size rdb_last_load_keys_expired rdb_last_load_keys_loaded'),
    ...zeros('aof_enabled aof_rewrite_in_progress aof_rewrite_scheduled'),
    ['aof_last_rewrite_time_sec', -1],
    ['aof_current_rewrite_time_sec', -1],
    ['aof_last_bgrewrite_status', 'ok'],
    ...zeros('aof_rewrites aof_rewrites_consecutive_failures'),
    ['aof_last_write_status', 'ok'],
    ...zeros('aof_last_cow_size module_fork_in_progress module_fork_last_cow_size'),
  ];
}

function stats({ proxy, memory, counted }: Facts): Fields {
  const { statistics } = proxy;
  const scripted = [...(counted?.commands.values() ?? [])].reduce((sum, { calls }) => sum + calls, 0);
  const kept = [...(counted?.errors.values() ?? [])].reduce((sum, count) => sum + count, 0);
  const { subscriptions, tracking } = proxy.messaging;
  return [
    ['total_connections_received', statistics.connections],
    ['total_commands_processed', statistics.commands + scripted],
    ['instantaneous_ops_per_sec', Math.round(statistics.rate.commands)],
    ['total_net_input_bytes', statistics.inputBytes],
    ['total_net_output_bytes', statistics.outputBytes],
    ...zeros('total_net_repl_input_bytes total_net_repl_output_bytes'),
    ['instantaneous_input_kbps', (statistics.rate.inputBytes / 1024).toFixed(2)],
    ['instantaneous_output_kbps', (statistics.rate.outputBytes / 1024).toFixed(2)],
    ['instantaneous_input_repl_kbps', '0.00'],
    ['instantaneous_output_repl_kbps', '0.00'],
    ['rejected_connections', statistics.rejectedConnections],
    ...zeros('sync_full sync_partial_ok sync_partial_err'),
    ['expired_keys', counted?.expired ?? 0],
    ['expired_stale_perc', '0.00'],
    ...zeros('expired_time_cap_reached_count expire_cycle_cpu_milliseconds'),
    ['evicted_keys', memory?.evicted ?? 0],
    ...zeros('evicted_clients total_eviction_exceeded_time'),
    ...zeros('current_eviction_exceeded_time keyspace_hits keyspace_misses'),
    ['pubsub_channels', subscriptions.counts.channels],
    ['pubsub_patterns', subscriptions.counts.patterns],
    ['pubsubshard_channels', subscriptions.counts.shardChannels],
    ...zeros(
      'latest_fork_usec total_forks migrate_cached_sockets slave_expires_tracked_keys active_defrag_hits active_defrag_misses',
    ),
    ...zeros('active_defrag_key_hits active_defrag_key_misses total_active_defrag_time current_active_defrag_time'),
    ['tracking_total_keys', tracking.counts.keys],
    ['tracking_total_items', tracking.counts.items],
    ['tracking_total_prefixes', tracking.counts.prefixes],
    ...zeros('unexpected_error_replies'),
    ['total_error_replies', statistics.errorReplies + kept],
    ['dump_payload_sanitizations', 0],
    ['total_reads_processed', statistics.reads],
    ['total_writes_processed', statistics.writes],
    ...zeros('io_threaded_reads_processed io_threaded_writes_processed reply_buffer_shrinks reply_buffer_expands'),
  ];
}

function replication({ proxy }: Facts): Fields {
  return [
    ['role', 'master'],
    ['connected_slaves', fewestReplicas(proxy)],
    ['master_failover_state', 'no-failover'],
    ['master_replid', proxy.runId],
    ['master_replid2', '0'.repeat(40)],
    ['master_repl_offset', 0],
    ['second_repl_offset', -1],
    ['repl_backlog_active', 0],
    ['repl_backlog_size', proxy.configuration.get('repl-backlog-size')],
    ['repl_backlog_first_byte_offset', 0],
    ['repl_backlog_histlen', 0],
  ];
}

/** By clients and by scripts. */
function commandstats({ proxy, counted }: Facts): Fields {
  return [...proxy.catalogue.all()]
    .map(({ name, statistics }) => {
      const scripted = counted?.commands.get(name);
      return {
        name,
        calls: statistics.calls + (scripted?.calls ?? 0),
        usec: statistics.usec + (scripted?.usec ?? 0),
        rejected: statistics.rejected + (scripted?.rejected ?? 0),
        failed: statistics.failed + (scripted?.failed ?? 0),
      };
    })
    .filter(({ calls, rejected }) => calls > 0 || rejected > 0)
    .map(({ name, calls, usec, rejected, failed }) => {
      const each = calls === 0 ? 0 : usec / calls;
      return [
        `cmdstat_${name}`,
        `calls=${calls},usec=${usec},usec_per_call=${each.toFixed(2)},rejected_calls=${rejected},failed_calls=${failed}`,
      ];
    });
}

function errorsOf(proxy: ProxyContext, counted: TableStatistics | null): ReadonlyMap<string, number> {
  const errors = new Map(proxy.statistics.errors);
  for (const [kind, count] of counted?.errors ?? []) errors.set(kind, (errors.get(kind) ?? 0) + count);
  return errors;
}

function errorstats({ proxy, counted }: Facts): Fields {
  return [...errorsOf(proxy, counted)].map(([kind, count]) => [`errorstat_${kind}`, `count=${count}`]);
}

function latencystats({ proxy }: Facts): Fields {
  const { percentiles, latencyTracking } = proxy.configuration.settings;
  if (!latencyTracking) return [];
  return [...proxy.catalogue.all()]
    .filter(({ statistics }) => statistics.calls > 0)
    .map(({ name, statistics }) => [
      `latency_percentiles_usec_${name}`,
      percentiles.map((percent) => `p${percent}=${statistics.latency.percentile(percent).toFixed(3)}`).join(','),
    ]);
}

function keyspace({ keyspace: databases }: Facts): Fields {
  return [...(databases ?? [])]
    .sort(([a], [b]) => a - b)
    .map(([db, { keys, expires }]) => [`db${db}`, `keys=${keys},expires=${expires},avg_ttl=0`]);
}

interface Section {
  readonly title: string;
  /** False: only when asked for by name, by `all` or by `everything`. */
  readonly byDefault: boolean;
  readonly fields: (facts: Facts) => Fields;
}

const sections: Readonly<Record<string, Section>> = {
  server: { title: 'Server', byDefault: true, fields: server },
  clients: { title: 'Clients', byDefault: true, fields: clients },
  memory: { title: 'Memory', byDefault: true, fields: memoryFields },
  persistence: { title: 'Persistence', byDefault: true, fields: persistence },
  stats: { title: 'Stats', byDefault: true, fields: stats },
  replication: { title: 'Replication', byDefault: true, fields: replication },
  cpu: { title: 'CPU', byDefault: true, fields: cpuFields },
  modules: { title: 'Modules', byDefault: true, fields: () => [] },
  commandstats: { title: 'Commandstats', byDefault: false, fields: commandstats },
  errorstats: { title: 'Errorstats', byDefault: true, fields: errorstats },
  latencystats: { title: 'Latencystats', byDefault: false, fields: latencystats },
  cluster: {
    title: 'Cluster',
    byDefault: true,
    fields: ({ proxy }) => [['cluster_enabled', proxy.cluster === null ? 0 : 1]],
  },
  keyspace: { title: 'Keyspace', byDefault: true, fields: keyspace },
};

function chosen(args: readonly Buffer[]): Section[] {
  const names = new Set(
    args.length === 0 ? ['default'] : args.map((argument) => argument.toString('latin1').toLowerCase()),
  );
  const everything = names.has('all') || names.has('everything');
  return Object.entries(sections)
    .filter(([name, section]) => everything || names.has(name) || (names.has('default') && section.byDefault))
    .map(([, section]) => section);
}

function render(
  proxy: ProxyContext,
  wanted: readonly Section[],
  databases: Facts['keyspace'],
  memory: TableMemory | null,
  counted: TableStatistics | null,
): VerbatimReply {
  const wallMs = proxy.environment.wallMs();
  const facts: Facts = {
    proxy,
    wallMs,
    uptimeS: Math.floor((wallMs - proxy.startedAtMs) / 1000),
    keyspace: databases,
    memory,
    counted,
  };
  const parts = wanted.map(
    ({ title, fields }) =>
      `# ${title}\r\n${fields(facts)
        .map(([name, value]) => `${name}:${value}\r\n`)
        .join('')}`,
  );
  return new VerbatimReply('txt', parts.join('\r\n'));
}

/** Asks every partition how many keys it has. */
export function countKeys(
  call: Call,
  done: (databases: ReadonlyMap<number, { keys: number; expires: number }>) => void,
  failed: (error: ReturnType<typeof outcomeError>) => void,
): void {
  const { proxy, session } = call;
  const { partitions } = proxy.table;
  const results: OperationResult[] = [];
  let left = partitions.length;
  let failure: ReturnType<typeof outcomeError> | null = null;
  if (left === 0) return done(new Map());
  partitions.forEach((partition, index) => {
    proxy.router.submitTo(partition, session.routed, session.context.db, counts(), {
      onOutcome(status, value) {
        left -= 1;
        if (status === Status.ok) results[index] = value;
        else failure = outcomeError(status, value);
        if (left > 0) return;
        if (failure === null) done(mergeCounts(results));
        else failed(failure);
      },
    });
  });
}

const info: SessionHandler = (call) => {
  const { proxy } = call;
  const wanted = chosen(call.args);
  const includes = (...names: string[]): boolean => names.some((name) => wanted.includes(sections[name] as Section));
  const asksMemory = includes('memory', 'stats') && proxy.table.complete;
  const asksStatistics = includes('memory', 'stats', 'commandstats', 'errorstats') && proxy.table.complete;
  if (!includes('keyspace') && !asksStatistics) return render(proxy, wanted, null, null, null);
  const finish = call.later();
  // A proxy whose partitions are away still tells the rest: that is when INFO is asked for.
  const withKeys = (memory: TableMemory | null, counted: TableStatistics | null): void => {
    const end = (databases: Facts['keyspace']): void => finish(render(proxy, wanted, databases, memory, counted));
    if (includes('keyspace')) countKeys(call, end, () => end(null));
    else end(null);
  };
  const withStatistics = (memory: TableMemory | null): void => {
    if (asksStatistics) askTableStatistics(call, (counted) => withKeys(memory, counted));
    else withKeys(memory, null);
  };
  if (asksMemory) askTableMemory(call, withStatistics);
  else withStatistics(null);
  return LATER;
};

export const infoHandlers = { info } satisfies Record<string, SessionHandler>;
