/** Puts a proxy together: its network, and the listener for Redis clients. */
import { hostname } from 'node:os';
import { Proxy } from '../../proxy/proxy.js';
import { DEFAULT_TABLE } from '../../shared/cluster.js';
import { systemEnvironment as environment } from '../../shared/environment.js';
import type { Origin } from '../../shared/wire/network.js';
import { nameBoot } from './boot.js';
import type { RunningRole } from './lifecycle.js';
import { addressOf, completed, nameOf, networkOf, type Surroundings } from './surroundings.js';

export async function startProxy({ settings, logger, hub, shutdown }: Surroundings): Promise<RunningRole> {
  const self: Origin = { node: nameOf('proxy', settings), boot: nameBoot(null), role: 'proxy' };
  const log = logger.child({ node: self.node, boot: self.boot });
  const network = networkOf(self, settings, log, hub);
  const { host: metaHost, port: metaPort } = addressOf(settings.meta);
  const proxy = new Proxy(
    environment,
    network,
    {
      host: settings.host,
      port: settings.port,
      metaHost,
      metaPort,
      table: DEFAULT_TABLE,
      requirepass: settings.requirepass,
      maxClients: settings.maxclients,
      clusterEnabled: settings.clusterEnabled,
      ...(settings.advertise === '' ? {} : { advertise: settings.advertise }),
      heartbeatMs: settings.metaHeartbeatMs,
      machine: hostname(),
      deadlineMs: settings.requestTimeoutMs,
      hooks: { shutdown },
    },
    log,
  );
  await network.start();
  await completed((done) => proxy.start(done));
  log.info({ port: proxy.port }, 'proxy runs');
  return {
    name: 'proxy',
    stop: (done) => proxy.stop(() => void network.close().then(() => done(null), done)),
  };
}
