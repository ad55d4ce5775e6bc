/**
 * How a router stays known to meta and learns of the cluster: it registers whenever a connection to
 * meta comes up, sends heartbeats, and hands on the views that meta pushes. While meta is away the
 * last view stays in force: traffic does not need meta.
 */
import type { ClusterView, NodeInfo, UserChange } from '../cluster.js';
import type { Environment, Timer } from '../environment.js';
import {
  Kind,
  type Message,
  type RegisteredMessage,
  type UsersChangedMessage,
  type ViewMessage,
} from '../wire/messages.js';
import type { Network, Origin } from '../wire/network.js';
import { UserChanges, type UsersChanged } from './user-changes.js';

export const META_NODE = 'meta';

export interface MetaLinkOptions {
  readonly metaHost: string;
  readonly metaPort: number;
  readonly heartbeatMs: number;
  /** What this process says about itself; asked at every registration. */
  readonly describe: () => NodeInfo;
  readonly onView: (view: ClusterView) => void;
  /** Meta refused the registration; it is tried again. */
  readonly onRefused: (reason: string) => void;
}

export class MetaLink {
  /** Told of every view before `onView` is: who needs users sets this. */
  onUsers: (view: ClusterView) => void = () => undefined;
  private readonly environment: Environment;
  private readonly network: Network;
  private readonly options: MetaLinkOptions;
  private readonly userChanges: UserChanges;
  private registered = false;
  private timer: Timer | null = null;

  constructor(environment: Environment, network: Network, options: MetaLinkOptions) {
    this.environment = environment;
    this.network = network;
    this.options = options;
    this.userChanges = new UserChanges(environment, (message) => this.registered && network.send(META_NODE, message));
  }

  start(): void {
    this.network.setAddress(META_NODE, this.options.metaHost, this.options.metaPort);
    this.beat();
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  onConnected(peer: Origin): void {
    if (peer.node === META_NODE) this.register();
  }

  onDisconnected(peer: Origin): void {
    if (peer.node !== META_NODE) return;
    this.registered = false;
    this.userChanges.onDisconnected();
  }

  /** True when the message was meta's and has been dealt with. */
  onMessage(message: Message): boolean {
    if (message[0] === Kind.view) {
      const [, view] = message as unknown as ViewMessage;
      this.onUsers(view);
      this.options.onView(view);
      return true;
    }
    if (message[0] === Kind.registered) {
      const [, error] = message as unknown as RegisteredMessage;
      this.registered = error === '';
      if (error !== '') this.options.onRefused(error);
      return true;
    }
    if (message[0] === Kind.usersChanged) {
      this.userChanges.onAnswer(message as unknown as UsersChangedMessage);
      return true;
    }
    return message[0] === Kind.heartbeatAck;
  }

  changeUsers(change: UserChange, done: UsersChanged): void {
    this.userChanges.ask(change, done);
  }

  private register(): void {
    this.network.send(META_NODE, [Kind.register, this.options.describe(), []]);
  }

  /** Sending is also what makes the network connect. */
  private beat(): void {
    if (this.registered) {
      const report = { replicas: [], diskFreeBytes: 0, diskBytes: 0 };
      this.network.send(META_NODE, [Kind.heartbeat, this.environment.monotonicMs(), report]);
    } else {
      this.register();
    }
    this.timer = this.environment.after(this.options.heartbeatMs, () => this.beat());
  }
}
