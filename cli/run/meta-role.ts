/** Puts meta together: its state on disk, its network, its HTTP listener. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Admin } from '../../meta/admin.js';
import { MetaHttp } from '../../meta/http.js';
import { Meta } from '../../meta/meta.js';
import { LevelStateStore } from '../../meta/store/level.js';
import { systemEnvironment as environment } from '../../shared/environment.js';
import type { Origin } from '../../shared/wire/network.js';
import { nameBoot } from './boot.js';
import type { RunningRole } from './lifecycle.js';
import { claimFolder } from './owner.js';
import { completed, describe, folderOf, networkOf, type Surroundings } from './surroundings.js';

const META_NODE = 'meta';
const META_TICK_MS = 200;

export async function startMeta({ settings, logger, hub, fail }: Surroundings): Promise<RunningRole> {
  const dir = folderOf('meta', settings);
  claimFolder(dir, { cluster: settings.clusterId, node: META_NODE });
  const self: Origin = { node: META_NODE, boot: nameBoot(dir), role: 'meta' };
  const log = logger.child({ node: self.node, boot: self.boot });
  const network = networkOf(self, settings, log, hub, { host: settings.host, port: settings.metaPort });
  const meta = new Meta(
    environment,
    network,
    new LevelStateStore(join(dir, 'state')),
    {
      servers: settings.servers,
      partitions: settings.partitions,
      multiKey: settings.multiKey,
      replicas: settings.replicas,
      minReplicas: settings.minReplicas,
      metaLeaseMs: settings.metaLeaseMs,
      rejoinMs: settings.rejoinMs,
      tickMs: META_TICK_MS,
      newHashKey: () => randomBytes(8).toString('hex'),
      onFatal: fail,
    },
    log,
  );
  await completed((done) => meta.start(done));
  await network.start();
  const http = new MetaHttp(
    meta,
    new Admin(environment, meta, describe(self, settings, network.port, 'alive'), settings.requestTimeoutMs),
    log,
  );
  const httpPort = await new Promise<number>((resolve, reject) => {
    http.listen(settings.host, settings.httpPort, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
  log.info({ wire: network.port, http: httpPort, dir }, 'meta runs');
  return {
    name: 'meta',
    stop: (done) => http.close(() => void network.close().then(() => meta.stop(done), done)),
  };
}
