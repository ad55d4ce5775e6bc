/** MEMORY, of the table and of the proxy's process; MEMORY USAGE is a data command of its own. */
import { DoubleReply, MapReply, OK, type Reply, VerbatimReply } from '../../shared/commands/reply.js';
import { getHeapStatistics } from 'node:v8';
import { LATER, type SessionHandler } from '../context.js';
import { help } from './help.js';
import { countKeys } from './info.js';
import { memoryFigures } from './info-process.js';
import { askTableMemory, type TableMemory } from './table-memory.js';

const doctor: SessionHandler = () =>
  new VerbatimReply(
    'txt',
    'Values are on the disks of the partition servers; this proxy keeps none. Its own memory is in INFO memory, that of servers in their metrics.\n',
  );

const mallocStats: SessionHandler = () =>
  new VerbatimReply(
    'txt',
    `${Object.entries(getHeapStatistics())
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n')}\n`,
  );

const purge: SessionHandler = () => OK;

const stats: SessionHandler = (call) => {
  const finish = call.later();
  countKeys(
    call,
    (databases) => {
      const keys = [...databases.values()].reduce((sum, database) => sum + database.keys, 0);
      askTableMemory(call, (memory) => finish(report(keys, [...databases.keys()], memory)));
    },
    finish,
  );
  return LATER;
};

function report(keys: number, databases: readonly number[], memory: TableMemory | null): Reply {
  const { used, rss, peak, startup } = memoryFigures(memory);
  const dataset = used - startup;
  const percent = (part: number, whole: number): DoubleReply => new DoubleReply(whole === 0 ? 0 : (part / whole) * 100);
  const perDatabase = new MapReply([
    'overhead.hashtable.main',
    0,
    'overhead.hashtable.expires',
    0,
    'overhead.hashtable.slot-to-keys',
    0,
  ]);
  return new MapReply([
    'peak.allocated',
    peak,
    'total.allocated',
    used,
    'startup.allocated',
    startup,
    'replication.backlog',
    0,
    'clients.slaves',
    0,
    'clients.normal',
    0,
    'cluster.links',
    0,
    'aof.buffer',
    0,
    'lua.caches',
    0,
    'functions.caches',
    0,
    ...databases.flatMap((db): Reply[] => [`db.${db}`, perDatabase]),
    'overhead.total',
    startup,
    'keys.count',
    keys,
    'keys.bytes-per-key',
    keys === 0 ? 0 : Math.floor(dataset / keys),
    'dataset.bytes',
    dataset,
    'dataset.percentage',
    percent(dataset, used),
    'peak.percentage',
    percent(used, peak),
    'allocator.allocated',
    used,
    'allocator.active',
    rss,
    'allocator.resident',
    rss,
    'allocator-fragmentation.ratio',
    new DoubleReply(1),
    'allocator-fragmentation.bytes',
    0,
    'allocator-rss.ratio',
    new DoubleReply(1),
    'allocator-rss.bytes',
    0,
    'rss-overhead.ratio',
    new DoubleReply(1),
    'rss-overhead.bytes',
    0,
    'fragmentation',
    new DoubleReply(rss / used),
    'fragmentation.bytes',
    rss - used,
  ]);
}

export const memoryHandlers = {
  'memory|doctor': doctor,
  'memory|malloc-stats': mallocStats,
  'memory|purge': purge,
  'memory|stats': stats,
  'memory|help': help,
} satisfies Record<string, SessionHandler>;
