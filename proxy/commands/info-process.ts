/** INFO's memory and CPU sections; MEMORY STATS uses the same figures. What is used is the table's, the rest this process's. */
import { totalmem } from 'node:os';
import { limits } from '../../shared/limits.js';
import type { ProxyContext } from '../context.js';
import type { TableMemory } from './table-memory.js';
import type { TableStatistics } from './table-statistics.js';

type Fields = readonly (readonly [name: string, value: string | number])[];

let peakBytes = 0;

export interface MemoryFigures {
  readonly used: number;
  readonly rss: number;
  readonly peak: number;
  readonly startup: number;
}

/** `memory` null: the table's is not known. */
export function memoryFigures(memory: TableMemory | null): MemoryFigures {
  const startup = limits.emptyTableBytes;
  const used = memory?.used ?? startup;
  peakBytes = Math.max(peakBytes, used);
  return { used, rss: process.memoryUsage.rss(), peak: peakBytes, startup };
}

/** As Redis prints bytes for people: 1.50M. */
export function humanBytes(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${bytes}B` : `${value.toFixed(2)}${units[unit] ?? ''}`;
}

const withHuman = (name: string, bytes: number): Fields => [
  [name, bytes],
  [`${name}_human`, humanBytes(bytes)],
];
const zeros = (names: string): Fields => names.split(' ').map((name) => [name, 0] as const);

interface Known {
  readonly proxy: ProxyContext;
  readonly memory: TableMemory | null;
  readonly counted: TableStatistics | null;
}

export function memoryFields({ proxy, memory, counted }: Known): Fields {
  const { used, rss, peak, startup } = memoryFigures(memory);
  const dataset = used - startup;
  const maxmemory = Number(proxy.configuration.get('maxmemory'));
  return [
    ...withHuman('used_memory', used),
    ...withHuman('used_memory_rss', rss),
    ...withHuman('used_memory_peak', peak),
    ['used_memory_peak_perc', `${((used / peak) * 100).toFixed(2)}%`],
    ['used_memory_overhead', startup],
    ['used_memory_startup', startup],
    ['used_memory_dataset', dataset],
    ['used_memory_dataset_perc', `${((dataset / used) * 100).toFixed(2)}%`],
    ['allocator_allocated', used],
    ['allocator_active', rss],
    ['allocator_resident', rss],
    ...withHuman('total_system_memory', totalmem()),
    ...zeros('used_memory_lua used_memory_vm_eval'),
    ['used_memory_lua_human', '0B'],
    ['used_memory_scripts_eval', counted?.scriptBytes ?? 0],
    ['number_of_cached_scripts', counted?.scripts ?? 0],
    ['number_of_functions', counted?.functions ?? 0],
    ['number_of_libraries', counted?.libraries ?? 0],
    ...zeros('used_memory_vm_functions used_memory_vm_total'),
    ['used_memory_vm_total_human', '0B'],
    ['used_memory_functions', 0],
    ...withHuman('used_memory_scripts', counted?.scriptBytes ?? 0),
    ...withHuman('maxmemory', maxmemory),
    ['maxmemory_policy', proxy.configuration.get('maxmemory-policy')],
    ['allocator_frag_ratio', '1.00'],
    ['allocator_frag_bytes', 0],
    ['allocator_rss_ratio', '1.00'],
    ['allocator_rss_bytes', 0],
    ['rss_overhead_ratio', '1.00'],
    ['rss_overhead_bytes', 0],
    ['mem_fragmentation_ratio', (rss / used).toFixed(2)],
    ['mem_fragmentation_bytes', rss - used],
    ...zeros('mem_not_counted_for_evict mem_replication_backlog mem_total_replication_buffers mem_clients_slaves'),
    [
      'mem_clients_normal',
      proxy.clients.all().reduce((sum, session) => sum + session.queryBytes + session.outputBytes, 0),
    ],
    ...zeros('mem_cluster_links mem_aof_buffer'),
    ['mem_allocator', 'v8'],
    ...zeros('active_defrag_running lazyfree_pending_objects lazyfreed_objects'),
  ];
}

export function cpuFields(): Fields {
  const { system, user } = process.cpuUsage();
  const seconds = (microseconds: number): string => (microseconds / 1e6).toFixed(6);
  return [
    ['used_cpu_sys', seconds(system)],
    ['used_cpu_user', seconds(user)],
    ['used_cpu_sys_children', '0.000000'],
    ['used_cpu_user_children', '0.000000'],
    ['used_cpu_sys_main_thread', seconds(system)],
    ['used_cpu_user_main_thread', seconds(user)],
  ];
}
