/**
 * The replication core: one replica of one partition, after PacificA (MSR-TR-2008-25; design: section 6).
 *
 * Pure: it takes messages, ticks, completions and the current monotonic time, and acts only through
 * ReplicaEffects. Roles and who may move them:
 *
 *   inactive ──meta's first configuration──▶ secondary / primary
 *   inactive ──primary's learnBegin──▶ learner ──meta accepts the primary's proposal──▶ secondary
 *   secondary ──meta (boot of primary dead), or itself after grace──▶ primary (reconciling ▶ serving)
 *   primary ──handed over: a configuration with this seat as secondary──▶ secondary
 *   any ──a configuration without this seat──▶ inactive
 *
 * What a primary does is in primary.ts, what secondaries and learners do in following.ts; here is who is what.
 * A restarted server is another seat and holds no role.
 */
import { type Configuration, sameSeat, type Seat } from '../../shared/cluster.js';
import { invariant } from '../../shared/errors.js';
import type {
  PrepareAckMessage,
  PrepareMessage,
  PrepareRejectMessage,
  ReplicaRole as Role,
} from '../../shared/wire/messages.js';
import type { ReplicaEffects, ReplicaOptions } from './effects.js';
import type { Follower } from './follower.js';
import { Following } from './following.js';
import type { PrepareList } from './prepare-list.js';
import { Primary } from './primary.js';
import { NEVER, type ReplicaState } from './types.js';

const NOBODY: ReadonlyMap<string, Follower> = new Map();

export class Replica {
  private readonly state: ReplicaState;
  private readonly following: Following;
  private primary: Primary | null = null;
  private lastTickMs = NEVER;

  constructor(options: ReplicaOptions, effects: ReplicaEffects, recovered: { ballot: number; list: PrepareList }) {
    const { partition } = options;
    this.state = {
      options,
      effects,
      role: 'inactive',
      ballot: recovered.ballot,
      configuration: { partition, ballot: 0, primary: null, secondaries: [], predecessorGone: false },
      list: recovered.list,
      attempt: 0,
      teacher: null,
      epoch: 0,
      broken: false,
    };
    this.following = new Following(this.state, (error) => this.fail(error));
  }

  get role(): Role {
    return this.state.role;
  }

  get ballot(): number {
    return this.state.ballot;
  }

  get configuration(): Configuration {
    return this.state.configuration;
  }

  get list(): PrepareList {
    return this.state.list;
  }

  get followers(): ReadonlyMap<string, Follower> {
    return this.primary?.followers ?? NOBODY;
  }

  /** What the log holds beyond the store, before any role is taken. */
  recovered(ballot: number, list: PrepareList): void {
    invariant(this.role === 'inactive', 'recovery comes first');
    this.state.ballot = Math.max(this.state.ballot, ballot);
    this.state.list = list;
    this.following.adopt();
  }

  // ---- configuration -------------------------------------------------------------------------

  /** From meta's view or as the answer to a proposal. Older ones change nothing. */
  onConfiguration(configuration: Configuration, nowMs: number): void {
    const { state } = this;
    if (state.broken || configuration.ballot <= state.configuration.ballot || configuration.ballot < state.ballot)
      return;
    const higher = configuration.ballot > state.ballot;
    state.configuration = configuration;
    state.ballot = configuration.ballot;
    const { self } = state.options;
    if (sameSeat(configuration.primary, self)) {
      if (this.primary !== null) this.primary.continue(nowMs);
      else this.becomePrimary(nowMs);
      return;
    }
    if (this.primary !== null) this.stepDown();
    if (configuration.secondaries.some((seat) => sameSeat(seat, self))) {
      const joined = state.role !== 'secondary';
      state.role = 'secondary';
      state.attempt = 0;
      state.teacher = null;
      this.following.follow(configuration.primary?.node ?? '');
      if (higher) this.following.adopt();
      if (joined) this.following.joined(nowMs);
      this.following.askForMissed();
      return;
    }
    // a learner belongs to no configuration: it goes on as long as its teacher is the primary
    if (state.role === 'learner' && sameSeat(state.teacher, configuration.primary)) {
      if (higher) this.following.adopt();
      return;
    }
    state.role = 'inactive';
    state.attempt = 0;
    state.teacher = null;
  }

  private becomePrimary(nowMs: number): void {
    const { state } = this;
    const serveNotBeforeMs = this.predecessorsOverMs(nowMs);
    state.role = 'primary';
    state.attempt = 0;
    state.teacher = null;
    this.primary = new Primary(state, serveNotBeforeMs, (error) => this.fail(error));
    this.primary.begin(nowMs);
  }

  /**
   * When no earlier primary can serve any more. A secondary knows from the leases it gave. Another (an administrator
   * chose it, or all members came back as new boots) gave none, or has forgotten it, and so waits out a grace period.
   */
  private predecessorsOverMs(nowMs: number): number {
    const { role, configuration, options } = this.state;
    if (configuration.predecessorGone) return NEVER;
    return role === 'secondary' ? this.following.leasesOverMs() : nowMs + options.graceMs;
  }

  private stepDown(): void {
    const { primary } = this;
    this.primary = null;
    this.state.role = 'inactive';
    this.following.adopt();
    primary?.end();
  }

  /** Meta's answer: the configuration in force, whether it is the proposed one or not. */
  onProposalAnswer(configuration: Configuration, nowMs: number): void {
    if (configuration.ballot > this.configuration.ballot) this.onConfiguration(configuration, nowMs);
    else this.primary?.onRefused(configuration.ballot);
  }

  /** Belongs to nobody any more, until it is taught; with a list given, what it had prepared is forgotten. */
  leave(list: PrepareList | null = null): void {
    const { state } = this;
    invariant(state.role !== 'primary', 'a primary leaves by configuration only');
    state.role = 'inactive';
    state.attempt = 0;
    state.teacher = null;
    if (list !== null) state.list = list;
    this.following.adopt();
  }

  /** A learner whose teacher's boot is over learns no more, and says so: what it holds may be needed. True: it was one. */
  leaveGoneTeacher(): boolean {
    const { role, teacher, effects } = this.state;
    if (role !== 'learner' || teacher === null || !effects.isGone(teacher)) return false;
    this.leave();
    return true;
  }

  /** Begins (again) as a learner whose list starts after `list.committed`. */
  startLearning(teacher: Seat, attempt: number, ballot: number, list: PrepareList): void {
    const { state } = this;
    invariant(state.role !== 'primary', 'a primary does not learn');
    state.role = 'learner';
    state.teacher = teacher;
    state.attempt = attempt;
    state.ballot = Math.max(state.ballot, ballot);
    state.list = list;
    this.following.follow(teacher.node);
    this.following.adopt();
  }

  // ---- as primary ----------------------------------------------------------------------------

  /** Prepares a mutation at the next decree and returns that decree. Only while it may execute (see canExecute). */
  prepare(body: Buffer, decoded: unknown): number {
    invariant(this.primary !== null, 'only a primary prepares');
    return this.primary.prepare(body, decoded);
  }

  /** May execute operations at this instant. Read the clock afresh for it. */
  canExecute(nowMs: number): boolean {
    return !this.state.broken && this.primary !== null && this.primary.canExecute(nowMs);
  }

  /** Enough members for writes. */
  get writable(): boolean {
    return this.primary?.writable ?? false;
  }

  /** As primary: it lacks no member. */
  get whole(): boolean {
    return this.primary?.whole ?? false;
  }

  /** True when this replica should be in its server's beacons. */
  get beating(): boolean {
    return this.primary !== null && !this.state.broken;
  }

  onPrepareAck(from: Seat, message: PrepareAckMessage, nowMs: number): void {
    this.primary?.onPrepareAck(from, message, nowMs);
  }

  onPrepareReject(from: Seat, message: PrepareRejectMessage, nowMs: number): void {
    this.primary?.onPrepareReject(from, message, nowMs);
  }

  onBeaconAck(from: Seat, ballot: number, sentMs: number, nowMs: number): void {
    this.primary?.onBeaconAck(from, ballot, sentMs, nowMs);
  }

  /** Stops executing and lets a secondary take over; false when that cannot be done now (see primary.ts). */
  handOver(to: string | null, nowMs: number): boolean {
    return this.primary?.handOver(to, nowMs) ?? false;
  }

  get handingOver(): boolean {
    return this.primary?.handingOver ?? false;
  }

  /** Meta may have made a member of this node already. */
  isProposed(node: string): boolean {
    return this.primary?.isProposed(node) ?? false;
  }

  addLearner(seat: Seat, attempt: number, from: number, nowMs: number): void {
    this.primary?.addLearner(seat, attempt, from, nowMs);
  }

  forgetLearner(node: string): void {
    this.primary?.forgetLearner(node);
  }

  learnerReady(node: string, attempt: number): void {
    this.primary?.learnerReady(node, attempt);
  }

  removeLearner(node: string, attempt: number): void {
    this.primary?.removeLearner(node, attempt);
  }

  /** A connection to this node came (back): what was sent may be lost. */
  onReconnected(node: string): void {
    this.primary?.onReconnected(node);
  }

  /** A secondary that hears its primary's beacons. */
  hearsPrimary(nowMs: number): boolean {
    return this.role === 'secondary' && this.following.hears(nowMs);
  }

  // ---- as follower ---------------------------------------------------------------------------

  /** True when the beacon is acknowledged: the sender's lease goes on. */
  onBeacon(from: Seat, ballot: number, committed: number, nowMs: number): boolean {
    return this.following.onBeacon(from, ballot, committed, nowMs);
  }

  onPrepare(from: Seat, message: PrepareMessage): void {
    this.following.onPrepare(from, message);
  }

  // ---- time ----------------------------------------------------------------------------------

  /** Sends what this turn's input made due. */
  flush(nowMs: number): void {
    if (this.primary !== null) this.primary.maybeServe(nowMs);
    else this.following.flush();
  }

  tick(nowMs: number): void {
    if (this.state.broken) return;
    const paused = nowMs - this.lastTickMs > this.state.options.repeatMs;
    this.lastTickMs = nowMs;
    if (paused) {
      this.primary?.forgive(nowMs);
      this.following.forgive(nowMs);
    }
    if (this.primary !== null) this.primary.tick(nowMs);
    else if (this.role === 'secondary') this.following.tick(nowMs);
    if (this.following.owes) this.state.effects.flushSoon();
  }

  private fail(error: Error): void {
    if (this.state.broken) return;
    this.state.broken = true;
    this.primary?.end();
    this.state.effects.fail(error);
  }
}
