/**
 * Which commands a selector allows: one byte a command or subcommand, and whether commands that do not exist yet are
 * allowed too. Its description names categories where they describe it best and then single commands, chosen as Redis
 * chooses them, so that ACL LIST and ACL GETUSER say the same here.
 */
import { commands } from '../commands/index.js';
import type { Command } from '../commands/command.js';
import { aclCategories } from './categories.js';

interface Numbered {
  /** `get`, or `client|list`. */
  readonly name: string;
  readonly categories: readonly string[];
  readonly number: number;
  readonly isSubcommand: boolean;
  readonly subcommands: readonly Numbered[];
}

/** Every command in the order of the table, subcommands behind their container. */
const numbered: Numbered[] = [];
const byName = new Map<string, Numbered>();
for (const command of commands.values()) enumerate(command, false);
const byCategory = new Map(
  aclCategories.map((name) => [name, numbered.filter(({ categories }) => categories.includes(name))]),
);

function enumerate(command: Command, isSubcommand: boolean): Numbered {
  const subcommands: Numbered[] = [];
  const { name, categories } = command;
  const entry: Numbered = { name, categories, number: numbered.length, isSubcommand, subcommands };
  numbered.push(entry);
  byName.set(name, entry);
  for (const row of command.subcommands ?? []) subcommands.push(enumerate(row, true));
  return entry;
}

/** What is wrong with a modifier. */
export type ModifierError = 'unknown-command' | 'syntax' | 'argument-of-subcommand';

export class CommandSet {
  /** Everything, without exception: then nothing else needs to be looked at. */
  all = false;
  /** Commands that a later version brings, too. */
  private future = false;
  private allowed = new Uint8Array(numbered.length);
  /** By number of a command that is not allowed as a whole: the first arguments with which it is. */
  private readonly firstArguments = new Map<number, readonly string[]>();

  copy(): CommandSet {
    const copy = new CommandSet();
    copy.all = this.all;
    copy.future = this.future;
    copy.allowed = this.allowed.slice();
    for (const [number, list] of this.firstArguments) copy.firstArguments.set(number, list);
    return copy;
  }

  /** `first`: the argument behind the command's name. */
  allows(name: string, first: Buffer | undefined): boolean {
    if (this.all) return true;
    const number = byName.get(name)?.number;
    if (number === undefined) return this.future;
    if (this.allowed[number] === 1) return true;
    const list = this.firstArguments.get(number);
    if (list === undefined || first === undefined) return false;
    const given = first.toString('latin1').toLowerCase();
    return list.some((argument) => argument.toLowerCase() === given);
  }

  /** `+@all` and `-@all`. */
  setAll(allow: boolean): void {
    this.allowed.fill(allow ? 1 : 0);
    this.all = allow;
    this.future = allow;
    this.firstArguments.clear();
  }

  /** False when there is no such category. */
  setCategory(category: string, allow: boolean): boolean {
    const entries = byCategory.get(category);
    for (const entry of entries ?? []) this.change(entry, allow);
    return entries !== undefined;
  }

  /** A container brings its subcommands along. */
  private change(entry: Numbered, allow: boolean): void {
    for (const { number } of [entry, ...entry.subcommands]) this.allowed[number] = allow ? 1 : 0;
    this.firstArguments.delete(entry.number);
    if (!allow) this.all = false;
  }

  /** `name`, or `container|subcommand`, or with `allow` also `name|first argument`. */
  setCommand(name: string, allow: boolean): ModifierError | null {
    const entry = byName.get(name.toLowerCase());
    if (entry !== undefined) {
      this.change(entry, allow);
      return null;
    }
    const bar = name.lastIndexOf('|');
    if (!allow || bar < 0) return 'unknown-command';
    const command = byName.get(name.slice(0, bar).toLowerCase());
    const argument = name.slice(bar + 1);
    if (command === undefined) return 'unknown-command';
    if (command.isSubcommand) return 'argument-of-subcommand';
    if (argument === '') return 'syntax';
    if (command.subcommands.length > 0) return 'unknown-command';
    const list = this.firstArguments.get(command.number) ?? [];
    if (!list.some((known) => known.toLowerCase() === argument.toLowerCase()))
      this.firstArguments.set(command.number, [...list, argument]);
    return null;
  }

  /** As modifiers that make it from nothing: `+@all` or `-@all` first. */
  describe(): string {
    const rules = [this.future ? '+@all' : '-@all'];
    const described = new CommandSet();
    described.setAll(this.future);
    const left = this.copy();
    const applied = new Set<string>();
    for (let best = left.bestCategory(applied); best !== null; best = left.bestCategory(applied)) {
      described.setCategory(best, !this.future);
      left.setCategory(best, this.future);
      applied.add(best);
      rules.push(`${this.future ? '-' : '+'}@${best}`);
    }
    for (const entry of numbered) {
      const allowed = this.allowed[entry.number] === 1;
      if (allowed !== (described.allowed[entry.number] === 1)) {
        described.change(entry, allowed);
        rules.push(`${allowed ? '+' : '-'}${entry.name}`);
      }
      for (const argument of this.firstArguments.get(entry.number) ?? [])
        if (!allowed) rules.push(`+${entry.name}|${argument}`);
    }
    return rules.join(' ');
  }

  /**
   * The category of which most commands are as they would be made by naming it: with the fewest exceptions, then with
   * the most commands. Null when none has more of these than exceptions.
   */
  private bestCategory(applied: ReadonlySet<string>): string | null {
    let best: string | null = null;
    let fewestDifferent = Number.POSITIVE_INFINITY;
    let mostSame = 0;
    for (const [name, entries] of byCategory) {
      if (applied.has(name)) continue;
      const on = entries.reduce((count, { number }) => count + (this.allowed[number] ?? 0), 0);
      const off = entries.length - on;
      const [same, different] = this.future ? [off, on] : [on, off];
      const better = different < fewestDifferent || (different === fewestDifferent && same > mostSame);
      if (same <= different || !better) continue;
      best = name;
      fewestDifferent = different;
      mostSame = same;
    }
    return best;
  }
}

/** Commands and subcommands of a category, in the order of the table; null when there is no such category. */
export function commandsOf(category: string): readonly string[] | null {
  return byCategory.get(category.toLowerCase())?.map(({ name }) => name) ?? null;
}
