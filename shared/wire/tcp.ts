/**
 * The network of real processes: one listener, and a connection to every node that somebody sends to. Nodes of the same process are
 * reached through the Hub. Connections are made on demand: the first send to a node that has an address dials it, and so
 * does every send after a failure, at most as often as the growing delay between attempts allows.
 */
import * as net from 'node:net';
import type { Environment, Timer } from '../environment.js';
import { OperatingError } from '../errors.js';
import { limits } from '../limits.js';
import type { Logger } from '../logging.js';
import { FramePool } from './framing.js';
import { Link, type LinkEvents, type LinkOptions } from './link.js';
import { Hub, MemoryNetwork } from './memory.js';
import type { Message } from './messages.js';
import type { Network, Origin } from './network.js';
import { Peer } from './peer.js';
import { RefusalLog } from './refusal-log.js';

export interface TcpOptions {
  readonly environment: Environment;
  readonly self: Origin;
  /** Processes of different clusters refuse each other. */
  readonly cluster: string;
  /** Whoever does not know it is refused; empty: none. */
  readonly secret: string;
  /** Absent: nobody can connect to us. Port 0: a free one. */
  readonly listen?: { readonly host: string; readonly port: number };
  readonly logger: Logger;
  /** Nodes of this process. */
  readonly hub?: Hub;
}

export class TcpNetwork implements Network {
  readonly self: Origin;
  onMessage: (from: Origin, message: Message) => void = () => undefined;
  onConnected: (peer: Origin) => void = () => undefined;
  onDisconnected: (peer: Origin) => void = () => undefined;
  readonly #options: TcpOptions;
  readonly #environment: Environment;
  readonly #logger: Logger;
  readonly #linkOptions: LinkOptions;
  readonly #hub: Hub;
  readonly #local: MemoryNetwork;
  readonly #refusals: RefusalLog;
  readonly #peers = new Map<string, Peer<Link>>();
  /** Inbound connections that have not said who they are. */
  readonly #strangers = new Set<Link>();
  #server: net.Server | null = null;
  #gathering: Link[] = [];
  #keepalive: Timer | null = null;
  #closed = false;
  readonly #linkEvents: LinkEvents = {
    onHello: (link, origin) => this.#onHello(link, origin),
    onReady: (link) => this.#onReady(link),
    onMessages: (link, messages) => this.#onMessages(link, messages),
    onClosed: (link, refusal, error) => this.#onClosed(link, refusal, error),
    onGathering: (link) => this.#onGathering(link),
  };

  constructor(options: TcpOptions) {
    this.self = options.self;
    this.#options = options;
    this.#environment = options.environment;
    this.#logger = options.logger;
    this.#linkOptions = { ...options, pool: new FramePool() };
    this.#hub = options.hub ?? new Hub(options.environment);
    this.#local = new MemoryNetwork(options.self, this.#hub);
    this.#refusals = new RefusalLog(options.environment, options.logger);
  }

  /** Listens and joins the hub. Rejects with E_LISTEN. The three handlers are set before. */
  async start(): Promise<void> {
    if (this.#options.listen !== undefined) await this.#listen(this.#options.listen.host, this.#options.listen.port);
    this.#local.onMessage = this.onMessage;
    this.#local.onConnected = this.onConnected;
    this.#local.onDisconnected = this.onDisconnected;
    this.#local.start();
    this.#keepAliveLater(this.#environment.monotonicMs());
  }

  /** Where it listens; 0 when it does not. */
  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  setAddress(node: string, host: string, port: number): void {
    if (node === this.self.node) return;
    const peer = this.#peer(node);
    if (peer.address?.host === host && peer.address.port === port) return;
    peer.address = { host, port };
    const tried = peer.dialing !== null || peer.waiting !== null || peer.wanted;
    peer.failedAttempts = 0;
    peer.waiting?.cancel();
    peer.waiting = null;
    const stale = peer.dialing;
    peer.dialing = null;
    stale?.close('');
    if (tried) this.#dial(peer);
  }

  send(node: string, message: Message): boolean {
    if (this.#closed) return false;
    const peer = this.#peers.get(node);
    const link = peer?.link() ?? null;
    if (link !== null) return this.#sendOn(link, message);
    if (this.#hub.has(node)) return this.#local.send(node, message);
    if (peer !== undefined) {
      peer.wanted = true;
      this.#dial(peer);
    }
    return false;
  }

  queuedBytes(node: string): number {
    return this.#peers.get(node)?.queuedBytes() ?? 0;
  }

  receiving(node: string): boolean {
    return this.#peers.get(node)?.receiving() ?? false;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#keepalive?.cancel();
    await this.#local.close();
    for (const peer of this.#peers.values()) {
      peer.waiting?.cancel();
      peer.dialing?.close('');
      for (const link of peer.links) link.end();
    }
    for (const link of this.#strangers) link.close('');
    const server = this.#server;
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  // --- what links say ---

  #onHello(link: Link, origin: Origin): string | null {
    const peer = this.#peers.get(origin.node);
    if (link.side === 'dialer' && peer?.dialing !== link) return `'${origin.node}' is not who was dialed`;
    if (peer?.isOver(origin.boot) === true) return `boot ${origin.boot} of ${origin.node} is over`;
    return null;
  }

  #onReady(link: Link): void {
    this.#strangers.delete(link);
    const origin = link.peer!;
    const peer = this.#peer(origin.node);
    if (peer.dialing === link) peer.dialing = null;
    peer.waiting?.cancel();
    peer.waiting = null;
    peer.failedAttempts = 0;
    peer.wanted = false;
    const replaced =
      peer.origin !== null && peer.origin.boot !== origin.boot && peer.links.size > 0 ? peer.origin : null;
    const stale = replaced === null ? [] : [...peer.links];
    for (const each of stale) peer.drop(each);
    peer.become(origin);
    peer.links.add(link);
    for (const each of stale) each.close('');
    if (replaced !== null) this.onDisconnected(replaced);
    if (peer.links.size > 1) return;
    this.#logger.debug({ peer: origin.node, boot: origin.boot, dialed: link.side === 'dialer' }, 'connected');
    this.onConnected(origin);
  }

  #onMessages(link: Link, messages: readonly Message[]): void {
    const origin = link.peer!;
    const peer = this.#peer(origin.node);
    for (const message of messages) {
      if (this.#closed) return;
      if (peer.accepts(link, message)) this.onMessage(origin, message);
    }
  }

  #onClosed(link: Link, refusal: string, error: Error | null): void {
    this.#strangers.delete(link);
    if (refusal !== '') this.#refusals.note(link.peer?.node ?? link.remote, refusal);
    if (link.side === 'dialer') this.#dialEnded(link, error);
    const peer = link.peer === null ? undefined : this.#peers.get(link.peer.node);
    if (peer === undefined || !peer.links.has(link)) return;
    const used = peer.drop(link);
    if (this.#closed || (!used && peer.links.size > 0)) return;
    this.#logger.debug({ peer: peer.node, boot: link.peer!.boot }, 'disconnected');
    // Whoever was talked to is likely to be wanted again.
    if (used && peer.links.size === 0) {
      peer.wanted = true;
      this.#dialLater(peer);
    }
    this.onDisconnected(link.peer!);
    if (peer.links.size > 0) this.onConnected(link.peer!);
  }

  #onGathering(link: Link): void {
    if (this.#gathering.push(link) > 1) return;
    this.#environment.defer(() => {
      const links = this.#gathering;
      this.#gathering = [];
      for (const each of links) each.flush();
    });
  }

  // --- sending ---

  #sendOn(link: Link, message: Message): boolean {
    try {
      link.send(message);
      return true;
    } catch (error) {
      // A message that is too large is lost like any other that does not arrive; the rest goes on.
      if (!(error instanceof OperatingError)) throw error;
      this.#logger.error({ peer: link.peer?.node, error: error.message }, 'a message was not sent');
      return false;
    }
  }

  #keepAliveLater(lastMs: number): void {
    this.#keepalive = this.#environment.after(limits.keepaliveMs, () => {
      const nowMs = this.#environment.monotonicMs();
      // What arrived while this process stood still has not been read yet.
      const stoodStill = nowMs - lastMs > 2 * limits.keepaliveMs;
      for (const peer of this.#peers.values()) {
        for (const link of peer.links) {
          if (stoodStill) link.excuseSilence(nowMs);
          link.keepAlive(nowMs);
        }
      }
      this.#keepAliveLater(nowMs);
    });
  }

  // --- connecting ---

  #peer(node: string): Peer<Link> {
    let peer = this.#peers.get(node);
    if (peer === undefined) this.#peers.set(node, (peer = new Peer(node)));
    return peer;
  }

  #listen(host: string, port: number): Promise<void> {
    const server = net.createServer((socket) => this.#accept(socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        reject(new OperatingError('E_LISTEN', `cannot listen on ${host}:${port}: ${error.message}`, { cause: error }));
      });
      server.listen({ host, port }, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => this.#logger.error({ error: error.message }, 'the wire listener failed'));
        resolve();
      });
    });
  }

  #accept(socket: net.Socket): void {
    const remote = socket.remoteAddress ?? 'somebody';
    if (this.#closed || this.#strangers.size >= limits.strangers) {
      this.#refusals.note(remote, 'too many connections that have not said who they are');
      socket.on('error', () => undefined); // it is being closed anyway
      socket.destroy();
      return;
    }
    this.#strangers.add(new Link(socket, 'listener', remote, this.#linkOptions, this.#linkEvents));
  }

  #dial(peer: Peer<Link>): void {
    const { address } = peer;
    if (this.#closed || address === null || peer.dialing !== null || peer.waiting !== null || peer.links.size > 0)
      return;
    peer.wanted = false;
    const socket = net.connect(address.port, address.host);
    peer.dialing = new Link(socket, 'dialer', `${address.host}:${address.port}`, this.#linkOptions, this.#linkEvents);
  }

  /** An attempt that led to nothing; one that succeeded is not `dialing` any more. */
  #dialEnded(link: Link, error: Error | null): void {
    for (const peer of this.#peers.values()) {
      if (peer.dialing !== link) continue;
      peer.dialing = null;
      peer.failedAttempts++;
      this.#logger.debug({ peer: peer.node, address: link.remote, error: error?.message }, 'not connected');
      this.#dialLater(peer);
    }
  }

  #dialLater(peer: Peer<Link>): void {
    if (this.#closed || peer.waiting !== null) return;
    const delayMs = Math.min(limits.redialMsLast, limits.redialMsFirst * 2 ** peer.failedAttempts);
    peer.waiting = this.#environment.after(delayMs * (1 - this.#environment.random() / 2), () => {
      peer.waiting = null;
      if (peer.wanted) this.#dial(peer);
    });
  }
}
