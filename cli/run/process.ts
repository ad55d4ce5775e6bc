/** One process of a cluster, from its settings. */
import type { Settings } from '../../shared/config/options.js';
import { systemEnvironment } from '../../shared/environment.js';
import { createLogger } from '../../shared/logging.js';
import { Hub } from '../../shared/wire/memory.js';
import { Lifecycle } from './lifecycle.js';
import { startRole } from './roles.js';
import { hasThreads, runAgainWithThreads } from './thread-pool.js';

export async function run(settings: Settings): Promise<void> {
  if (settings.roles.includes('server') && !hasThreads(settings.threads)) return runAgainWithThreads(settings);
  const logger = createLogger(settings.logLevel, {});
  const lifecycle = new Lifecycle(logger);
  const hub = new Hub(systemEnvironment);
  const shutdown = (): void => lifecycle.shutdown();
  // In the order of the table: meta first, then who registers with it.
  await lifecycle.run(
    settings.roles.map((role) => (fail) => startRole(role, { settings, logger, hub, fail, shutdown })),
  );
}
