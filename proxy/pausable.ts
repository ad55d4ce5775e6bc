/**
 * What CLIENT PAUSE WRITE holds back: commands that write, and those that may, as Redis counts them. A script may unless
 * it says no-writes in its first line; of one that comes by its SHA-1 this is known when this proxy has loaded it. What
 * functions say is kept with their libraries, in the table: it is asked while there is a pause, so that it costs nothing else.
 */
import { saysNoWrites } from '../shared/commands/functions.js';
import { shaOf } from '../shared/commands/scripting.js';
import { flagsOf } from '../shared/commands/shebang.js';
import { ClientError } from '../shared/errors.js';
import { limits } from '../shared/limits.js';
import { libraries } from '../shared/operations/scripts.js';
import { Status } from '../shared/wire/messages.js';
import type { CatalogueEntry } from './catalogue.js';
import type { ProxyContext } from './context.js';
import type { Session } from './session.js';

export class Pausable {
  private readonly harmless = new Set<string>();

  /** SCRIPT LOAD and EVAL bring a script. */
  loads(text: Buffer | undefined): void {
    if (text === undefined || !writesNothing(text)) return;
    if (this.harmless.size >= limits.harmlessScripts) this.harmless.clear();
    this.harmless.add(shaOf(text));
  }

  mayWrite({ isWrite, command }: CatalogueEntry, args: readonly Buffer[]): boolean {
    if (isWrite) return true;
    if (!command.flags.includes('may_replicate')) return false;
    const [script] = args;
    if (script === undefined) return true;
    if (command.name === 'eval') return !writesNothing(script);
    if (command.name === 'evalsha') return !this.harmless.has(script.toString('latin1').toLowerCase());
    return true;
  }
}

function writesNothing(text: Buffer): boolean {
  try {
    return flagsOf(text).noWrites;
  } catch (error) {
    if (error instanceof ClientError) return false;
    throw error;
  }
}

/** Of a function: a name that nobody knows, and an answer that does not come, may write. */
export function whetherWrites(
  { router, table }: Pick<ProxyContext, 'router' | 'table'>,
  session: Session,
  name: Buffer,
  decided: (writes: boolean) => void,
): void {
  const [partition] = table.partitions;
  if (partition === undefined) return decided(true);
  router.submitTo(partition, session.routed, 0, libraries(), {
    onOutcome: (status, value) => decided(status !== Status.ok || !saysNoWrites(value, name.latin1Slice())),
  });
}
