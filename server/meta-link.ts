/** A server's connection to meta: registers, sends heartbeats (their answers are the lease of a lone primary) and proposals. */
import type { NodeInfo, Proposal, ReplicaReport } from '../shared/cluster.js';
import type { Environment, Timer } from '../shared/environment.js';
import {
  Kind,
  type HeartbeatAckMessage,
  type HeartbeatReport,
  type Message,
  type RegisteredMessage,
} from '../shared/wire/messages.js';
import type { Network } from '../shared/wire/network.js';

export const META_NODE = 'meta';
/** The part of meta's lease that a server relies on: the rest covers clocks that run at different speeds. */
const LEASE_SHARE = 0.8;
/** How often it is said that meta does not answer. */
const AWAY_SAID_MS = 5_000;

export interface MetaLinkOptions {
  readonly host: string;
  readonly port: number;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  readonly describe: (state: NodeInfo['state']) => NodeInfo;
  readonly replicas: () => ReplicaReport[];
  readonly report: () => HeartbeatReport;
  readonly onRefused: (reason: string) => void;
  /** Meta has not answered a registration for this long. Told again and again. */
  readonly onAway: (forMs: number) => void;
}

export class MetaLink {
  /** Monotonic ms: until then meta gives none of this server's partitions to others. */
  leaseUntilMs = Number.NEGATIVE_INFINITY;
  private readonly environment: Environment;
  private readonly network: Network;
  private readonly options: MetaLinkOptions;
  private registered = false;
  private timer: Timer | null = null;
  /** Monotonic ms: since when it is not registered, and when that was said last. */
  private awaySinceMs: number | null = null;
  private saidMs = 0;
  private lastProposal = 0;
  /** By partition: the number of the newest proposal, or of its newest repetition. */
  private readonly newest = new Map<number, number>();
  private stopped = false;

  constructor(environment: Environment, network: Network, options: MetaLinkOptions) {
    this.environment = environment;
    this.network = network;
    this.options = options;
  }

  start(): void {
    this.network.setAddress(META_NODE, this.options.host, this.options.port);
    this.beat();
  }

  /** `leave`: tells meta that this boot ends, so that it need not be waited for. */
  stop(leave: boolean): void {
    this.stopped = true;
    this.timer?.cancel();
    if (leave) this.network.send(META_NODE, [Kind.register, this.options.describe('dead'), []]);
  }

  onConnected(): void {
    this.register();
  }

  onDisconnected(): void {
    this.registered = false;
  }

  onRegistered(message: RegisteredMessage): void {
    const [, error] = message;
    this.registered = error === '';
    if (this.registered) this.awaySinceMs = null;
    if (error !== '') this.options.onRefused(error);
  }

  onHeartbeatAck(message: HeartbeatAckMessage): void {
    this.leaseUntilMs = Math.max(this.leaseUntilMs, message[1] + this.options.leaseMs * LEASE_SHARE);
  }

  propose(proposal: Proposal): void {
    this.lastProposal++;
    this.newest.set(proposal.partition, this.lastProposal);
    this.send([Kind.propose, this.lastProposal, proposal]);
  }

  /**
   * Counts only as the answer to the newest repetition: while another one is under way, meta may accept that one
   * although it refused this (the learner registers in between), so its outcome is unknown still.
   */
  settles(partition: number, id: number): boolean {
    return this.newest.get(partition) === id;
  }

  private register(): void {
    if (!this.stopped) this.send([Kind.register, this.options.describe('alive'), this.options.replicas()]);
  }

  private beat(): void {
    if (this.registered) this.send([Kind.heartbeat, this.environment.monotonicMs(), this.options.report()]);
    else {
      this.register();
      this.noteAbsence();
    }
    this.timer = this.environment.after(this.options.heartbeatMs, () => this.beat());
  }

  private noteAbsence(): void {
    const nowMs = this.environment.monotonicMs();
    this.awaySinceMs ??= this.saidMs = nowMs;
    if (nowMs - this.saidMs < AWAY_SAID_MS) return;
    this.saidMs = nowMs;
    this.options.onAway(nowMs - this.awaySinceMs);
  }

  private send(message: Message): void {
    this.network.send(META_NODE, message);
  }
}
