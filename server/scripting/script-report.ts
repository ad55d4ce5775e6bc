/**
 * What the proxy of a script's client has to know of its run beside its result: what it called (MONITOR), which keys it read
 * (CLIENT TRACKING), what its user may not do (ACL LOG). Nothing of it is kept where nobody asks.
 */
import type { Denial } from '../../shared/acl/check.js';
import { positionsOfKeys, wordsOf } from '../../shared/commands/key-positions.js';
import type { CommandFacts } from '../../shared/commands/command.js';
import { limits } from '../../shared/limits.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { Mark, ReportOf } from '../../shared/operations/scripts.js';

export class ScriptReport {
  private readonly asked: number;
  private bytes = 0;
  private readonly calls: OperationResult[] = [];
  /** Read, and not written behind that; by the key in latin1. */
  private readonly fresh = new Map<string, Buffer>();
  /** Read, and written behind that. */
  private readonly stale = new Map<string, Buffer>();
  private readonly denials: OperationResult[] = [];

  /** `asked`: bits of `ReportOf`. */
  constructor(asked: number) {
    this.asked = asked;
  }

  /** `argv`: with the words that name the command. */
  executed(command: CommandFacts, db: number, argv: readonly Buffer[]): void {
    if (this.asked === 0) return;
    if ((this.asked & ReportOf.calls) !== 0 && isShown(command)) {
      this.bytes += argv.reduce((sum, word) => sum + word.length, argv.length);
      if (this.bytes <= limits.scriptReportBytes) this.calls.push([db, ...argv]);
    }
    if ((this.asked & ReportOf.reads) !== 0) this.noteKeys(command, argv.slice(wordsOf(command)));
  }

  denied({ reason, object }: Denial): void {
    this.denials.push([reason, typeof object === 'string' ? Buffer.from(object, 'latin1') : object]);
  }

  private noteKeys(command: CommandFacts, args: readonly Buffer[]): void {
    const reads = command.flags.includes('readonly');
    for (const position of positionsOfKeys(command, args)) {
      const key = args[position]!;
      const name = key.latin1Slice();
      if (reads) {
        this.stale.delete(name);
        this.fresh.set(name, key);
      } else if (this.fresh.delete(name)) this.stale.set(name, key);
    }
  }

  /** A result with what there is to say. */
  with(result: OperationResult): OperationResult {
    const { calls, fresh, stale, denials } = this;
    if (calls.length + fresh.size + stale.size + denials.length === 0) return result;
    return [Mark.report, [calls, [...fresh.values()], [...stale.values()], denials], result];
  }
}

const isShown = ({ flags }: CommandFacts): boolean => !flags.includes('admin') && !flags.includes('skip_monitor');
