/** A whole command line against the table of commands: which row it names, and whether it has as many words as that asks for. */
import type { Command, CommandFacts } from './command.js';
import { commands } from './index.js';

const subcommands: ReadonlyMap<string, ReadonlyMap<string, Command>> = new Map(
  [...commands.values()].map(({ name, subcommands: rows = [] }) => [
    name,
    new Map(rows.map((row) => [row.name.slice(name.length + 1), row])),
  ]),
);

/**
 * `argv` begins with the command's name. A container's row where its subcommand is not named; null when there is no such
 * command, or no such subcommand of a container.
 */
export function commandOf(argv: readonly Buffer[]): Command | null {
  const command = commands.get(lowerCase(argv[0]));
  if (command?.subcommands === undefined || argv.length < 2) return command ?? null;
  return subcommands.get(command.name)?.get(lowerCase(argv[1])) ?? null;
}

/** `argc` counts the words that name the command. */
export function acceptsArity({ arity }: CommandFacts, argc: number): boolean {
  return arity >= 0 ? argc === arity : argc >= -arity;
}

function lowerCase(word: Buffer | undefined): string {
  return word?.latin1Slice().toLowerCase() ?? '';
}
