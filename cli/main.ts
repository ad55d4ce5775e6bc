#!/usr/bin/env node
/** The `tulpar` executable: `run` is one process of a cluster, `local` a whole one, `admin` asks a running one. */
import { Command, CommanderError } from 'commander';
import { OperatingError } from '../shared/errors.js';
import { addAdmin } from './admin/commands.js';
import { addLocal } from './local/command.js';
import { version } from './program-options.js';
import { addRun } from './run/command.js';

const program = new Command('tulpar')
  .description('A persistent, strongly consistent key-value cluster that any Redis client can use')
  .version(version())
  .configureOutput({ outputError: () => undefined }) // errors are printed once, below
  .exitOverride();
addRun(program);
addLocal(program);
addAdmin(program);
for (const command of everyCommand(program)) command.copyInheritedSettings(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...everyCommand(child)]);
}

/** Prints what went wrong; the exit code that goes with it. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0; // --help, --version
    if (error.code === 'commander.help') return 1; // the help was printed, since no command was named
    console.error(`tulpar: E_CONFIG: ${error.message.replace(/^error: /, '')}`);
  } else if (error instanceof OperatingError) {
    console.error(`tulpar: ${error.code}: ${error.message}`);
  } else {
    console.error(error);
  }
  return 1;
}
