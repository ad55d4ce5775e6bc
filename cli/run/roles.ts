/**
 * Puts each role together from its settings: its network, its disk, its listener. The only place where
 * the roles meet; in one process they reach each other through the hub.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Admin } from '../../meta/admin.js';
import { MetaHttp } from '../../meta/http.js';
import { DEFAULT_TABLE, Meta } from '../../meta/meta.js';
import { LevelStateStore } from '../../meta/store/level.js';
import { Proxy } from '../../proxy/proxy.js';
import { openServerDisk } from '../../server/disk.js';
import { Server } from '../../server/server.js';
import type { NodeInfo, Role } from '../../shared/cluster.js';
import type { Settings } from '../../shared/config/options.js';
import { systemEnvironment as environment } from '../../shared/environment.js';
import type { Logger } from '../../shared/logging.js';
import type { Hub } from '../../shared/wire/memory.js';
import type { Origin } from '../../shared/wire/network.js';
import { TcpNetwork } from '../../shared/wire/tcp.js';
import { freePort } from '../free-port.js';
import { nameBoot } from './boot.js';
import type { RunningRole } from './lifecycle.js';

const META_NODE = 'meta';
const META_TICK_MS = 200;

/** What the roles of a process share. */
export interface Surroundings {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly hub: Hub;
  readonly fail: (error: Error) => void;
  /** A client asked for the end of it all. */
  readonly shutdown: () => void;
}

export function startRole(role: Role, surroundings: Surroundings): Promise<RunningRole> {
  return { meta: startMeta, server: startServer, proxy: startProxy }[role](surroundings);
}

async function startMeta({ settings, logger, hub, fail }: Surroundings): Promise<RunningRole> {
  const dir = folderOf('meta', settings);
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

async function startServer({ settings, logger, hub, fail }: Surroundings): Promise<RunningRole> {
  const dir = folderOf('server', settings);
  const self: Origin = { node: nameOf('server', settings), boot: nameBoot(dir), role: 'server' };
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
      }),
      onFatal: fail,
    },
    log,
  );
  await completed((done) => server.start(done));
  await network.start();
  log.info({ wire: port, dir }, 'server runs');
  return { name: 'server', stop: (done) => server.stop(done) };
}

async function startProxy({ settings, logger, hub, shutdown }: Surroundings): Promise<RunningRole> {
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

function networkOf(
  self: Origin,
  settings: Settings,
  logger: Logger,
  hub: Hub,
  listen?: { host: string; port: number },
): TcpNetwork {
  const { clusterId: cluster, secret } = settings;
  return new TcpNetwork({
    environment,
    self,
    cluster,
    secret,
    logger,
    hub,
    ...(listen === undefined ? {} : { listen }),
  });
}

function describe(self: Origin, settings: Settings, port: number, state: NodeInfo['state']): NodeInfo {
  const { advertise, host, machine } = settings;
  return { ...self, host: advertise === '' ? host : advertise, port, machine, pid: process.pid, state };
}

/** With one role a process bears the name it was given; with several each role needs its own. */
function nameOf(role: Role, { roles, node }: Settings): string {
  return roles.length === 1 ? node : `${node}-${role}`;
}

function folderOf(role: Role, { roles, dir }: Settings): string {
  return roles.length === 1 ? dir : join(dir, role);
}

function addressOf(address: string): { host: string; port: number } {
  const [host = '', port = ''] = address.split(/:(?=\d+$)/);
  return { host, port: Number(port) };
}

function completed(run: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => run((error) => (error === null ? resolve() : reject(error))));
}
