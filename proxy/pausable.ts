/**
 * What CLIENT PAUSE WRITE holds back: commands that write, and those that may, as Redis counts them. A script may unless
 * it says no-writes in its first line; of one that comes by its SHA-1 this is known when this proxy has loaded it.
 */
import { shaOf } from '../shared/commands/scripting.js';
import { flagsOf } from '../shared/commands/shebang.js';
import { ClientError } from '../shared/errors.js';
import { limits } from '../shared/limits.js';
import type { CatalogueEntry } from './catalogue.js';

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
