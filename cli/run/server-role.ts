/** Puts a server together: its disk, its network. */
import { openServerDisk } from '../../server/disk.js';
import { Server } from '../../server/server.js';
import { systemEnvironment as environment } from '../../shared/environment.js';
import { freePort } from '../free-port.js';
import type { Origin } from '../../shared/wire/network.js';
import { nameBoot } from './boot.js';
import type { RunningRole } from './lifecycle.js';
import { claimFolder } from './owner.js';
import { addressOf, completed, describe, folderOf, nameOf, networkOf, type Surroundings } from './surroundings.js';

export async function startServer({ settings, logger, hub, fail }: Surroundings): Promise<RunningRole> {
  const dir = folderOf('server', settings);
  const node = nameOf('server', settings);
  claimFolder(dir, { cluster: settings.clusterId, node });
  const self: Origin = { node, boot: nameBoot(dir), role: 'server' };
  const log = logger.child({ node: self.node, boot: self.boot });
  // Known before it listens: it listens only once its replicas are there to answer, and registers just before.
  const port = settings.wirePort === 0 ? await freePort(settings.host) : settings.wirePort;
  const network = networkOf(self, settings, log, hub, { host: settings.host, port });
  const { host: metaHost, port: metaPort } = addressOf(settings.meta);
  const server = new Server(
    environment,
    network,
    {
      describe: (state) => describe(self, settings, port, state),
      metaHost,
      metaPort,
      leaseMs: settings.leaseMs,
      graceMs: settings.graceMs,
      beaconMs: settings.beaconMs,
      metaLeaseMs: settings.metaLeaseMs,
      metaHeartbeatMs: settings.metaHeartbeatMs,
      cacheBytes: settings.cacheBytes,
      learnBytesPerSecond: settings.learnBytesPerSecond,
      diskSoftBytes: settings.diskSoftBytes,
      diskHardBytes: settings.diskHardBytes,
      openDisk: openServerDisk(environment, {
        dir,
        fsync: settings.fsync,
        cacheBytes: settings.cacheBytes,
        threads: settings.threads,
        startFreeBytes: Math.floor(settings.diskHardBytes / 2),
        onMended: (store, cut) => log.warn({ store, cut }, 'the end of a store was lost with the power'),
        onWaiting: (freeBytes) => log.error({ dir, freeBytes }, 'the disk is full: waiting for space before it starts'),
      }),
      onFatal: fail,
    },
    log,
  );
  await completed((done) => server.start(done));
  await network.start();
  log.info({ wire: port, dir }, 'server runs');
  return { name: 'server', stop: (done, alone) => server.stop(done, alone) };
}
