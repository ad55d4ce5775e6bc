/**
 * maxmemory, its policy and its samples are the table's: CONFIG SET tells every partition its share, where it is logged,
 * and CONFIG GET asks, since another proxy may have set it. Logical bytes and what was evicted come from there, too.
 */
import { ErrorReply } from '../../shared/commands/reply.js';
import { limits } from '../../shared/limits.js';
import { memory, setMemoryLimits } from '../../shared/operations/memory.js';
import type { Call } from '../context.js';
import { askAll } from './ask-all.js';

export const TABLE_PARAMETERS: ReadonlySet<string> = new Set(['maxmemory', 'maxmemory-policy', 'maxmemory-samples']);

/** How long what the table said counts. */
const KNOWN_MS = 5_000;

export interface TableMemory {
  /** Logical bytes, with what an empty table counts as. */
  readonly used: number;
  readonly evicted: number;
}

type PartitionMemory = readonly [bytes: number, evicted: number, told: number, policy: string, samples: number];

/** Null when not all partitions answer. What they were told by other proxies is this one's configuration, too, then. */
export function askTableMemory(call: Call, done: (memory: TableMemory | null) => void): void {
  const { proxy } = call;
  askAll(call, memory(), (results) => {
    if (results instanceof ErrorReply) return done(null);
    const parts = results as unknown as readonly PartitionMemory[];
    const [first] = parts;
    if (first !== undefined) {
      const [, , told, policy, samples] = first;
      proxy.configuration.adopt({
        maxmemory: String(told),
        'maxmemory-policy': policy,
        'maxmemory-samples': String(samples),
      });
      for (const session of proxy.clients.all()) session.refreshSettings();
    }
    const used = parts.reduce((sum, [bytes]) => sum + bytes, limits.emptyTableBytes);
    const full = first !== undefined && first[2] > 0 && first[3] === 'noeviction' && used > first[2];
    proxy.configuration.outOfMemoryUntilMs = full ? proxy.clock.nowMs + KNOWN_MS : 0;
    done({
      used,
      evicted: parts.reduce((sum, [, evicted]) => sum + evicted, 0),
    });
  });
}

/** As the configuration has them now, and asks how much there is. Null: done. */
export function tellLimits(call: Call, done: (failure: ErrorReply | null) => void): void {
  const { configuration, table } = call.proxy;
  const told = Number(configuration.get('maxmemory'));
  const forRows = Math.max(1, Math.ceil((told - limits.emptyTableBytes) / Math.max(1, table.partitions.length)));
  const policy = configuration.get('maxmemory-policy');
  const samples = Number(configuration.get('maxmemory-samples'));
  const operation = setMemoryLimits(told === 0 ? 0 : forRows, policy, samples, told);
  askAll(call, operation, (results) => {
    if (results instanceof ErrorReply) done(results);
    else askTableMemory(call, () => done(null));
  });
}
