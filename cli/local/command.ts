/** `tulpar local`: its flags. */
import type { Command } from 'commander';
import type { OptionName } from '../../shared/config/options.js';
import { addSettings } from '../program-options.js';

/** Where it differs from the table of options. */
export const DEFAULTS = { dir: './data/local', httpPort: 0 } as const;
/** What the supervisor decides for each process. */
export const DECIDED: readonly OptionName[] = [
  'roles',
  'node',
  'machine',
  'meta',
  'clusterId',
  'secret',
  'metaPort',
  'wirePort',
];

export function addLocal(program: Command): void {
  const command = program
    .command('local')
    .description('a whole cluster on this machine: meta, servers and a proxy, supervised');
  addSettings(command, DEFAULTS, DECIDED).action(async (given: Readonly<Record<string, unknown>>) => {
    const { local } = await import('./local.js');
    await local(given);
  });
}
