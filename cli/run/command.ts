/** `tulpar run`: one process of a cluster, in any set of roles. */
import type { Command } from 'commander';
import { addSettings, readSettings } from '../program-options.js';

export function addRun(program: Command): void {
  const command = program.command('run').description('one process of a cluster, in any set of roles');
  addSettings(command).action(async (given: Readonly<Record<string, unknown>>) => {
    const settings = readSettings(given);
    const { run } = await import('./process.js');
    await run(settings);
  });
}
