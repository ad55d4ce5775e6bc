/**
 * Who is there, as this run of meta knows it: registrations, the latest heartbeats, and from these
 * who is alive. Nothing in here is persisted; what must not be forgotten of a server is in MetaState.
 */
import type { NodeInfo, NodeState, ReplicaReport, Seat } from '../shared/cluster.js';
import type { Environment } from '../shared/environment.js';
import type { HeartbeatReport } from '../shared/wire/messages.js';
import type { ServerSituation } from './decisions/situation.js';
import type { MetaState } from './state.js';

/** A proxy that has been gone this long is no longer listed. */
const PROXY_FORGOTTEN_MS = 60_000;
/**
 * Meta looks at its nodes on every tick. When it did not for this long, it stood still itself (it was stopped, or its machine
 * was): what its nodes sent meanwhile has not been read yet, and nobody may be taken for lost for it.
 */
const STOOD_STILL_MS = 1_000;
/** Nodes whose refusal is remembered for reports: names of strangers must not fill the memory. */
const REFUSALS_KEPT = 256;

export interface Registration {
  readonly info: NodeInfo;
  /** As it registered, and moved on with every heartbeat. */
  readonly reports: Map<number, ReplicaReport>;
  /** Of the connection it registered on; without it nothing is sent until it registers again. */
  connected: boolean;
  heardAtMs: number;
  heartbeat: HeartbeatReport | null;
}

export class Nodes {
  private readonly environment: Pick<Environment, 'monotonicMs'>;
  private readonly state: MetaState;
  /** Until then nobody can be blamed for silence: meta had not started, or it stood still. */
  private excusedUntilMs: number;
  private lookedAtMs: number;
  private readonly metaLeaseMs: number;
  private readonly registrations = new Map<string, Registration>();
  /** By node: why it was turned away last. */
  private readonly refusals = new Map<string, string>();

  constructor(environment: Pick<Environment, 'monotonicMs'>, state: MetaState, metaLeaseMs: number) {
    this.environment = environment;
    this.state = state;
    this.excusedUntilMs = environment.monotonicMs();
    this.lookedAtMs = this.excusedUntilMs;
    this.metaLeaseMs = metaLeaseMs;
  }

  /** The state is there: from now on its servers can be heard of. */
  begin(): void {
    this.excusedUntilMs = this.now();
  }

  refuse(node: string, reason: string): void {
    if (this.refusals.size < REFUSALS_KEPT) this.refusals.set(node, reason);
  }

  refusal(node: string): string | null {
    return this.refusals.get(node) ?? null;
  }

  register(info: NodeInfo, reports: readonly ReplicaReport[]): void {
    this.refusals.delete(info.node);
    if (this.get(info) !== undefined) this.excuseIfCutOff(info); // not one that restarted: that tells nothing of the others
    this.registrations.set(info.node, {
      info,
      reports: new Map(reports.map((report) => [report.partition, report])),
      connected: true,
      heardAtMs: this.now(),
      heartbeat: null,
    });
  }

  /** The registration of exactly this boot. */
  get(seat: Seat): Registration | undefined {
    const registration = this.registrations.get(seat.node);
    return registration?.info.boot === seat.boot ? registration : undefined;
  }

  heard(registration: Registration, heartbeat: HeartbeatReport): void {
    this.excuseIfCutOff(registration.info);
    registration.heardAtMs = this.now();
    registration.heartbeat = heartbeat;
    for (const { partition, contentBallot: ballot, end, applied } of heartbeat.replicas)
      registration.reports.set(partition, { partition, ballot, end, applied });
  }

  /** How long ago anything was heard of this node's newest boot; null: never in this run of meta. */
  silentMs(node: string): number | null {
    const registration = this.registrations.get(node);
    return registration === undefined ? null : this.now() - registration.heardAtMs;
  }

  heartbeatOf(seat: Seat): HeartbeatReport | null {
    return this.get(seat)?.heartbeat ?? null;
  }

  connected(): Registration[] {
    return [...this.registrations.values()].filter((registration) => registration.connected);
  }

  forgetLongGoneProxies(): void {
    for (const [node, { info, connected, heardAtMs }] of this.registrations) {
      if (info.role === 'proxy' && !connected && this.now() - heardAtMs > PROXY_FORGOTTEN_MS)
        this.registrations.delete(node);
    }
  }

  /** Every server that was ever registered. */
  servers(): Map<string, ServerSituation> {
    const servers = new Map<string, ServerSituation>();
    for (const { info } of this.state.nodes.values()) {
      const registration = this.get(info);
      servers.set(info.node, {
        info,
        stopped: info.state === 'dead',
        alive: this.isAlive(info),
        present: registration?.connected ?? false,
        reports: registration?.reports ?? new Map(),
        acting: actingIn(registration?.heartbeat ?? null),
      });
    }
    return servers;
  }

  /** Servers and proxies with their present state, as views and the admin API show them. */
  list(): NodeInfo[] {
    const infos = [...this.state.nodes.values()].map((record) => record.info);
    for (const { info } of this.registrations.values()) if (info.role === 'proxy') infos.push(info);
    return infos.map((info) => ({ ...info, state: this.stateOf(info) }));
  }

  private stateOf(info: NodeInfo): NodeState {
    if (info.state === 'dead') return 'dead';
    return this.isAlive(info) ? 'alive' : 'lost';
  }

  /** A meta that has just started, or just goes on, has heard of nobody: everyone it knows gets a full lease first. */
  private isAlive(info: NodeInfo): boolean {
    if (info.state === 'dead') return false;
    const nowMs = this.now();
    const heardAtMs = Math.max(this.get(info)?.heardAtMs ?? 0, this.excusedUntilMs);
    return nowMs - heardAtMs <= this.metaLeaseMs;
  }

  /** `info` is heard of again. Not one server was: more likely meta was cut off, and the others will be back like this one. */
  private excuseIfCutOff(info: NodeInfo): void {
    if (!this.isAlive(info) && this.nobodyIsAlive()) this.excusedUntilMs = this.now();
  }

  private nobodyIsAlive(): boolean {
    for (const { info } of this.state.nodes.values()) if (this.isAlive(info)) return false;
    return true;
  }

  private now(): number {
    const nowMs = this.environment.monotonicMs();
    if (nowMs - this.lookedAtMs > STOOD_STILL_MS) this.excusedUntilMs = nowMs;
    this.lookedAtMs = nowMs;
    return nowMs;
  }
}

function actingIn(heartbeat: HeartbeatReport | null): ReadonlySet<number> | null {
  if (heartbeat === null) return null;
  return new Set(heartbeat.replicas.flatMap(({ partition, role }) => (role === 'inactive' ? [] : [partition])));
}
