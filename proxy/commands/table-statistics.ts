/** What INFO tells that partitions count: rows that expired, and what scripts called there. Added up over the table. */
import { ErrorReply } from '../../shared/commands/reply.js';
import { statistics } from '../../shared/operations/statistics.js';
import type { Call } from '../context.js';
import { askAll } from './ask-all.js';

/** What a command was called by scripts. */
export interface ScriptedCalls {
  calls: number;
  usec: number;
  rejected: number;
  failed: number;
}

export interface TableStatistics {
  readonly expired: number;
  readonly scripts: number;
  readonly scriptBytes: number;
  readonly libraries: number;
  readonly functions: number;
  readonly commands: ReadonlyMap<string, ScriptedCalls>;
  /** Those that scripts met and did not pass on. */
  readonly errors: ReadonlyMap<string, number>;
}

type PartitionStatistics = readonly [
  expired: number,
  scripts: number,
  scriptBytes: number,
  libraries: number,
  functions: number,
  commands: readonly (readonly [name: string, calls: number, usec: number, rejected: number, failed: number])[],
  errors: readonly (readonly [kind: string, count: number])[],
];

/** Null when not all partitions answer. */
export function askTableStatistics(call: Call, done: (found: TableStatistics | null) => void): void {
  askAll(call, statistics(), (results) => {
    done(results instanceof ErrorReply ? null : sum(results as unknown as readonly PartitionStatistics[]));
  });
}

function sum(parts: readonly PartitionStatistics[]): TableStatistics {
  const commands = new Map<string, ScriptedCalls>();
  const errors = new Map<string, number>();
  for (const [, , , , , called, failures] of parts) {
    for (const [name, calls, usec, rejected, failed] of called) {
      const all = commands.get(name) ?? { calls: 0, usec: 0, rejected: 0, failed: 0 };
      all.calls += calls;
      all.usec += usec;
      all.rejected += rejected;
      all.failed += failed;
      commands.set(name, all);
    }
    for (const [kind, count] of failures) errors.set(kind, (errors.get(kind) ?? 0) + count);
  }
  // a script or library that is loaded is known to every partition
  const most = (of: (part: PartitionStatistics) => number): number => Math.max(0, ...parts.map(of));
  return {
    expired: parts.reduce((total, [expired]) => total + expired, 0),
    scripts: most(([, scripts]) => scripts),
    scriptBytes: most(([, , bytes]) => bytes),
    libraries: most(([, , , libraries]) => libraries),
    functions: most(([, , , , functions]) => functions),
    commands,
    errors,
  };
}
