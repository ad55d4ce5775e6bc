/** `tulpar run`: one process of a cluster, in any set of roles. */
import type { Command } from 'commander';
import { systemEnvironment } from '../../shared/environment.js';
import { createLogger } from '../../shared/logging.js';
import { Hub } from '../../shared/wire/memory.js';
import { addSettings, readSettings } from '../program-options.js';
import { Lifecycle } from './lifecycle.js';
import { startRole } from './roles.js';
import { hasThreads, runAgainWithThreads } from './thread-pool.js';

export function addRun(program: Command): void {
  addSettings(program.command('run').description('one process of a cluster, in any set of roles')).action(run);
}

async function run(given: Readonly<Record<string, unknown>>): Promise<void> {
  const settings = readSettings(given);
  if (settings.roles.includes('server') && !hasThreads(settings.threads)) return runAgainWithThreads(settings.threads);
  const logger = createLogger(settings.logLevel, {});
  const lifecycle = new Lifecycle(logger);
  const hub = new Hub(systemEnvironment);
  const shutdown = (): void => lifecycle.shutdown();
  // In the order of the table: meta first, then who registers with it.
  await lifecycle.run(
    settings.roles.map((role) => (fail) => startRole(role, { settings, logger, hub, fail, shutdown })),
  );
}
