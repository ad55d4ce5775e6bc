/**
 * The network of nodes that live in one process: of several roles run together, of tests, and of the simulator. A Hub joins them.
 * Messages are handed over as they are, Buffers shared: nobody changes a message once it is sent.
 */
import type { Environment } from '../environment.js';
import { invariant } from '../errors.js';
import type { Message } from './messages.js';
import type { Network, Origin } from './network.js';

/** Decides what becomes of a message: calls `deliver` once, now or later, or never. The simulator brings its own. */
export type Route = (from: Origin, to: Origin, message: Message, deliver: () => void) => void;

export class Hub {
  readonly #environment: Environment;
  readonly #route: Route | null;
  readonly #members = new Map<string, MemoryNetwork>();
  /** Pairs that cannot talk. */
  readonly #severed = new Set<string>();
  /** Grows when a pair is severed: what was under way then is lost. */
  readonly #epochs = new Map<string, number>();
  #queue: (() => void)[] = [];

  /** Without a route, messages arrive in order at the end of the turn. */
  constructor(environment: Environment, route: Route | null = null) {
    this.#environment = environment;
    this.#route = route;
  }

  has(node: string): boolean {
    return this.#members.has(node);
  }

  join(network: MemoryNetwork): void {
    const { node } = network.self;
    const older = this.#members.get(node);
    if (older !== undefined) this.leave(older);
    for (const other of this.#members.values()) {
      if (!this.#severed.has(pair(node, other.self.node))) this.#announce(network, other, true);
    }
    this.#members.set(node, network);
  }

  /** `silently`: as when a machine loses power, the others are told nothing. */
  leave(network: MemoryNetwork, silently = false): void {
    const { node } = network.self;
    if (this.#members.get(node) !== network) return;
    this.#members.delete(node);
    for (const other of this.#members.values()) {
      if (!silently && !this.#severed.has(pair(node, other.self.node)))
        this.#later(() => this.#tell(other, network, false));
    }
  }

  /** Cuts the connection of two nodes, until `restore`. */
  sever(a: string, b: string): void {
    const key = pair(a, b);
    if (this.#severed.has(key)) return;
    this.#severed.add(key);
    this.#epochs.set(key, (this.#epochs.get(key) ?? 0) + 1);
    const [one, other] = [this.#members.get(a), this.#members.get(b)];
    if (one !== undefined && other !== undefined) this.#announce(one, other, false);
  }

  restore(a: string, b: string): void {
    if (!this.#severed.delete(pair(a, b))) return;
    const [one, other] = [this.#members.get(a), this.#members.get(b)];
    if (one !== undefined && other !== undefined) this.#announce(one, other, true);
  }

  send(from: MemoryNetwork, node: string, message: Message): boolean {
    const to = this.#members.get(node);
    const key = pair(from.self.node, node);
    if (to === undefined || this.#members.get(from.self.node) !== from || this.#severed.has(key)) return false;
    const epoch = this.#epochs.get(key);
    const deliver = (): void => {
      if (this.#members.get(node) === to && this.#epochs.get(key) === epoch) to.onMessage(from.self, message);
    };
    if (this.#route === null) this.#later(deliver);
    else this.#route(from.self, to.self, message, deliver);
    return true;
  }

  #announce(one: MemoryNetwork, other: MemoryNetwork, connected: boolean): void {
    this.#later(() => this.#tell(one, other, connected));
    this.#later(() => this.#tell(other, one, connected));
  }

  #tell(whom: MemoryNetwork, about: MemoryNetwork, connected: boolean): void {
    if (this.#members.get(whom.self.node) !== whom) return;
    if (connected) whom.onConnected(about.self);
    else whom.onDisconnected(about.self);
  }

  #later(run: () => void): void {
    this.#queue.push(run);
    if (this.#queue.length > 1) return;
    this.#environment.defer(() => {
      const queue = this.#queue;
      this.#queue = [];
      for (const each of queue) each();
    });
  }
}

export class MemoryNetwork implements Network {
  readonly self: Origin;
  onMessage: (from: Origin, message: Message) => void = unset;
  onConnected: (peer: Origin) => void = () => undefined;
  onDisconnected: (peer: Origin) => void = () => undefined;
  readonly #hub: Hub;

  constructor(self: Origin, hub: Hub) {
    this.self = self;
    this.#hub = hub;
  }

  /** From now on the others can reach it. */
  start(): void {
    this.#hub.join(this);
  }

  setAddress(): void {
    // Everybody in the hub can be reached by name.
  }

  send(node: string, message: Message): boolean {
    return this.#hub.send(this, node, message);
  }

  queuedBytes(): number {
    return 0;
  }

  receiving(): boolean {
    return false;
  }

  close(): Promise<void> {
    this.#hub.leave(this);
    return Promise.resolve();
  }

  /** The process dies. `silently`: nobody is told. */
  crash(silently = false): void {
    this.#hub.leave(this, silently);
  }
}

function unset(): void {
  invariant(false, 'onMessage is set before a network starts');
}

function pair(a: string, b: string): string {
  return a < b ? `${a}\n${b}` : `${b}\n${a}`;
}
