/**
 * A proxy in the simulation: the real sessions, dispatch and router, over sockets in memory instead of a listener.
 * What a client writes arrives in the proxy's own time (a proxy that stands still reads nothing); what the proxy
 * writes is with the client at once.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { AclLog } from '../../proxy/acl-log.js';
import { Catalogue } from '../../proxy/catalogue.js';
import { ClientRegistry } from '../../proxy/client-registry.js';
import { handlers } from '../../proxy/commands/index.js';
import { Configuration } from '../../proxy/configuration.js';
import type { ProxyContext, ProxyHooks } from '../../proxy/context.js';
import { Dispatcher } from '../../proxy/dispatch.js';
import { LatencyMonitor } from '../../proxy/latency-monitor.js';
import { followUsers } from '../../proxy/permissions.js';
import { Messaging } from '../../proxy/messaging.js';
import { Session } from '../../proxy/session.js';
import { Slowlog } from '../../proxy/slowlog.js';
import { Statistics } from '../../proxy/statistics.js';
import { TurnClock } from '../../proxy/turn-clock.js';
import { Users } from '../../proxy/users.js';
import { commands } from '../../shared/commands/index.js';
import type { Environment } from '../../shared/environment.js';
import { silentLogger, type Logger } from '../../shared/logging.js';
import type { Router } from '../../shared/routing/router.js';
import type { RoutedTable } from '../../shared/routing/routing-table.js';

const STOPPED_ERROR = 'a simulated proxy was asked to shut down';

export class SimulatedProxy implements ProxyContext {
  readonly environment: Environment;
  readonly clock: TurnClock;
  readonly logger: Logger = silentLogger;
  readonly router: Router;
  readonly table: RoutedTable;
  readonly catalogue = new Catalogue([...commands.values()], handlers);
  readonly cluster = null;
  readonly clients: ClientRegistry;
  readonly configuration = new Configuration({ requirepass: '', bind: 'sim', port: '1' });
  readonly statistics = new Statistics();
  readonly slowlog = new Slowlog();
  readonly latency = new LatencyMonitor();
  readonly users: Users;
  readonly aclLog = new AclLog();
  readonly messaging: Messaging;
  readonly hooks: ProxyHooks = {
    shutdown: () => {
      throw new Error(STOPPED_ERROR);
    },
  };
  readonly runId = '0'.repeat(40);
  readonly startedAtMs: number;
  readonly port = 1;
  dead = false;
  private readonly dispatcher: Dispatcher;
  private readonly sockets = new Set<ClientSocket>();

  constructor(environment: Environment, router: Router) {
    this.environment = environment;
    this.router = router;
    this.table = router.table('default');
    this.startedAtMs = environment.wallMs();
    // Read afresh every time: an event at the end of every turn would be most of all events.
    this.clock = new TurnClock({ ...alwaysNow(environment), defer: (run) => run() });
    this.clients = new ClientRegistry(environment, this.clock);
    this.users = new Users(environment, '');
    followUsers(this);
    this.messaging = new Messaging(this);
    this.dispatcher = new Dispatcher(this);
  }

  /** `onText`: what the proxy wrote; `onClose`: no answer will come any more. */
  connect(onText: (text: string) => void, onClose: () => void): ClientSocket {
    const socket = new ClientSocket(this.environment, onText, () => {
      this.sockets.delete(socket);
      onClose();
    });
    this.sockets.add(socket);
    this.clients.add(new Session(this.clients.nextId(), socket as unknown as Socket, this, this.dispatcher));
    return socket;
  }

  /** The process has died: its clients see their connections closed. */
  killed(): void {
    this.dead = true;
    for (const socket of this.sockets) socket.broken();
  }

  flushLater(session: Session): void {
    session.flush();
  }
}

function alwaysNow(environment: Environment): Environment {
  return {
    monotonicMs: () => environment.monotonicMs(),
    wallMs: () => environment.wallMs(),
    after: (delayMs, run) => environment.after(delayMs, run),
    defer: (run) => environment.defer(run),
    random: () => environment.random(),
  };
}

/** As much of a socket as a session uses, with the client's end of it. */
export class ClientSocket extends EventEmitter {
  readonly remoteAddress = 'sim';
  readonly remotePort = 1;
  readonly localAddress = 'sim';
  readonly localPort = 1;
  readonly writableLength = 0;
  closed = false;
  private readonly environment: Environment;
  private readonly onText: (text: string) => void;
  private readonly onClosed: () => void;
  private readonly arriving: Buffer[] = [];
  private paused = false;

  constructor(environment: Environment, onText: (text: string) => void, onClosed: () => void) {
    super();
    this.environment = environment;
    this.onText = onText;
    this.onClosed = onClosed;
  }

  // --- the client's end

  send(text: string): void {
    this.arriving.push(Buffer.from(text, 'latin1'));
    this.environment.defer(() => this.arrive());
  }

  /** The client goes away without waiting for answers. */
  hangUp(): void {
    this.close();
    this.environment.defer(() => this.emit('close'));
  }

  /** The proxy is gone. */
  broken(): void {
    this.close();
  }

  private arrive(): void {
    while (!this.paused) {
      const chunk = this.arriving.shift();
      if (chunk === undefined) return;
      this.emit('data', chunk);
    }
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.onClosed();
  }

  // --- the session's end

  write(piece: string | Buffer): boolean {
    if (!this.closed) this.onText(typeof piece === 'string' ? piece : piece.latin1Slice());
    return true;
  }

  end(done: () => void): void {
    this.close();
    done();
  }

  destroy(): void {
    this.close();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.environment.defer(() => this.arrive());
  }

  isPaused(): boolean {
    return this.paused;
  }

  setNoDelay(): void {
    // nothing is delayed here
  }

  setKeepAlive(): void {
    // nor does it grow old
  }

  cork(): void {
    // pieces are delivered as they come
  }

  uncork(): void {
    // likewise
  }
}
