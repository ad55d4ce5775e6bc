/**
 * The proxy role: a RESP listener in front of the router. It holds no data; any number of proxies may
 * serve the same table.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { NodeInfo } from '../shared/cluster.js';
import { commands } from '../shared/commands/index.js';
import type { Environment } from '../shared/environment.js';
import { OperatingError } from '../shared/errors.js';
import type { Logger } from '../shared/logging.js';
import { isOnce, isReadOnly } from '../shared/operations/codes.js';
import { Router } from '../shared/routing/router.js';
import type { RoutedTable } from '../shared/routing/routing-table.js';
import type { Network } from '../shared/wire/network.js';
import { AclLog } from './acl-log.js';
import { Catalogue } from './catalogue.js';
import { ClientRegistry } from './client-registry.js';
import { handlers } from './commands/index.js';
import { ClusterMap } from './cluster-map.js';
import { Configuration } from './configuration.js';
import type { ProxyContext, ProxyHooks } from './context.js';
import { Dispatcher } from './dispatch.js';
import { LatencyMonitor } from './latency-monitor.js';
import { followUsers } from './permissions.js';
import { Messaging } from './messaging.js';
import { Session } from './session.js';
import { Slowlog } from './slowlog.js';
import { Statistics } from './statistics.js';
import { TurnClock } from './turn-clock.js';
import { Users } from './users.js';

export interface ProxyOptions {
  /** Where RESP clients connect. Port 0: any free one, see `port`. */
  readonly host: string;
  readonly port: number;
  readonly metaHost: string;
  readonly metaPort: number;
  /** The table that databases 0 to 15 are in. */
  readonly table: string;
  /** Empty: none is asked for. */
  readonly requirepass: string;
  /** Connections of clients at once; absent: Redis's default. */
  readonly maxClients?: number;
  /** Where clients reach this proxy; absent: `host`. */
  readonly advertise?: string;
  /** Clients may use the cluster protocol. */
  readonly clusterEnabled?: boolean;
  readonly heartbeatMs?: number;
  /** The machine this process is on, as meta is told. */
  readonly machine: string;
  readonly deadlineMs?: number;
  readonly hooks: ProxyHooks;
}

/** Once a second: idle clients, output limits, rates. */
const HOUSEKEEPING_MS = 1_000;
const BACKLOG = 511;

export class Proxy implements ProxyContext {
  readonly environment: Environment;
  readonly logger: Logger;
  readonly clock: TurnClock;
  readonly router: Router;
  readonly table: RoutedTable;
  readonly catalogue = new Catalogue([...commands.values()], handlers);
  readonly clients: ClientRegistry;
  readonly cluster: ClusterMap | null;
  readonly configuration: Configuration;
  readonly statistics = new Statistics();
  readonly slowlog = new Slowlog();
  readonly latency = new LatencyMonitor();
  readonly users: Users;
  readonly aclLog = new AclLog();
  readonly messaging: Messaging;
  readonly hooks: ProxyHooks;
  readonly runId = randomBytes(20).toString('hex');
  readonly startedAtMs: number;
  private readonly network: Network;
  private readonly options: ProxyOptions;
  private readonly dispatcher: Dispatcher;
  private readonly server: Server;
  private readonly dirty: Session[] = [];
  private flushQueued = false;
  private stopped = false;
  private listenerErrorAtMs = -HOUSEKEEPING_MS;
  private onReady: (() => void) | null = null;

  constructor(environment: Environment, network: Network, options: ProxyOptions, logger: Logger) {
    this.environment = environment;
    this.network = network;
    this.options = options;
    this.logger = logger;
    this.hooks = options.hooks;
    this.startedAtMs = environment.wallMs();
    this.clock = new TurnClock(environment);
    this.clients = new ClientRegistry(environment, this.clock);
    this.configuration = new Configuration({
      requirepass: options.requirepass,
      bind: options.host,
      port: String(options.port),
      'cluster-enabled': options.clusterEnabled === true ? 'yes' : 'no',
      ...(options.maxClients === undefined ? {} : { maxclients: String(options.maxClients) }),
    });
    this.router = new Router(environment, network, {
      metaHost: options.metaHost,
      metaPort: options.metaPort,
      describe: () => this.describe(),
      isReadOnly,
      ...(options.deadlineMs === undefined ? {} : { deadlineMs: options.deadlineMs }),
      ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
      onRefused: (reason) => logger.warn({ reason }, 'meta refused this proxy'),
      onView: () => this.onView(),
      isOnce,
      onIntroduced: (partition) => this.messaging.onIntroduced(partition),
      onTold: (message) => this.messaging.onTold(message),
    });
    this.users = new Users(environment, options.requirepass);
    followUsers(this);
    this.table = this.router.table(options.table);
    this.cluster =
      options.clusterEnabled === true
        ? new ClusterMap(this.router.routes.nodes, this.table, () => this.describe())
        : null;
    this.messaging = new Messaging(this);
    this.configuration.onChange = () => this.onConfigured();
    this.onConfigured();
    this.dispatcher = new Dispatcher(this);
    this.server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) => this.onConnection(socket));
    this.server.on('error', (error) => this.onListenerError(error));
  }

  private onConfigured(): void {
    this.messaging.tracking.limit = this.configuration.settings.trackingKeysMax;
  }

  /** Without file descriptors every attempt to connect fails: one line a second is enough. */
  private onListenerError(error: Error): void {
    const now = this.environment.monotonicMs();
    if (now - this.listenerErrorAtMs < HOUSEKEEPING_MS) return;
    this.listenerErrorAtMs = now;
    this.logger.error({ error: error.message }, 'the RESP listener cannot accept clients');
  }

  /** The port that is listened on. */
  get port(): number {
    const address = this.server.address();
    return address !== null && typeof address === 'object' ? address.port : this.options.port;
  }

  private describe(): NodeInfo {
    const { self } = this.network;
    return {
      node: self.node,
      role: 'proxy',
      boot: self.boot,
      host: this.options.advertise ?? this.options.host,
      port: this.port,
      machine: this.options.machine,
      pid: process.pid,
      state: 'alive',
    };
  }

  /** Listens, registers at meta, and calls back when every slot of the table has a partition. Error E_LISTEN. */
  start(done: (error: Error | null) => void): void {
    const failed = (error: Error): void => {
      const { host, port } = this.options;
      done(
        new OperatingError('E_LISTEN', `cannot listen for Redis clients on ${host}:${port}: ${error.message}`, {
          cause: error,
        }),
      );
    };
    this.server.once('error', failed);
    this.server.listen({ host: this.options.host, port: this.options.port, backlog: BACKLOG }, () => {
      this.server.removeListener('error', failed);
      this.onReady = () => done(null);
      this.router.start();
      this.housekeeping();
      this.onView();
    });
  }

  private onView(): void {
    this.messaging.onView();
    const ready = this.onReady;
    if (ready === null || !this.table.complete) return;
    this.onReady = null;
    ready();
  }

  /** Takes no more clients, closes those there are, and calls back when the port is free. */
  stop(done: () => void): void {
    this.stopped = true;
    this.onReady = null;
    this.router.stop();
    this.flush();
    for (const session of this.clients.all()) session.closeAfterReplies();
    this.server.close(() => done());
    // What has been written has been handed to the kernel; who does not read does not hold us up.
    this.environment.after(100, () => {
      for (const session of this.clients.all()) session.destroy();
    });
  }

  private onConnection(socket: Socket): void {
    this.statistics.connections += 1;
    if (this.clients.count >= this.configuration.settings.maxClients || this.stopped) {
      this.statistics.rejectedConnections += 1;
      socket.on('error', () => socket.destroy());
      socket.end('-ERR max number of clients reached\r\n', () => socket.destroy());
      return;
    }
    this.clients.add(new Session(this.clients.nextId(), socket, this, this.dispatcher));
  }

  flushLater(session: Session): void {
    this.dirty.push(session);
    if (this.flushQueued) return;
    this.flushQueued = true;
    this.environment.defer(() => this.flush());
  }

  private flush(): void {
    this.flushQueued = false;
    const { dirty } = this;
    // Flushing may close sessions, never queue another; still only what is there now is looked at.
    const count = dirty.length;
    for (let index = 0; index < count; index += 1) dirty[index]?.flush();
    dirty.splice(0, count);
  }

  private housekeeping(): void {
    const now = this.clock.nowMs;
    const { idleTimeoutS } = this.configuration.settings;
    this.statistics.sample(now);
    for (const session of this.clients.all()) {
      session.checkOutputLimit();
      const idle = idleTimeoutS > 0 && session.pendingReplies === 0 && now - session.lastActiveMs > idleTimeoutS * 1000;
      if (idle) session.destroy();
    }
    if (!this.stopped) this.environment.after(HOUSEKEEPING_MS, () => this.housekeeping());
  }
}
