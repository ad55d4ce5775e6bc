/**
 * The replication core: one replica of one partition, after PacificA (MSR-TR-2008-25; design: section 6).
 *
 * Pure: it takes messages, ticks, completions and the current monotonic time, and acts only through
 * ReplicaEffects. Roles and who may move them:
 *
 *   inactive ──meta's first configuration──▶ secondary / primary
 *   inactive ──primary's learnBegin──▶ learner ──meta accepts the primary's proposal──▶ secondary
 *   secondary ──meta (boot of primary dead), or itself after grace──▶ primary (reconciling ▶ serving)
 *   any ──a configuration without this seat──▶ inactive
 *
 * `ballot` is the highest seen: nothing of a lower one is accepted. `matched` says how far this
 * replica's list equals the primary's under that ballot, `logged` how far that is in the log; only
 * `logged` is acknowledged. A restarted server is another seat and holds no role.
 */
import { type Configuration, type Proposal, type ReplicaRole as Role, sameSeat, type Seat } from './types.js';
import { invariant } from '../../shared/errors.js';
import { Kind, type PrepareAckMessage, type PrepareMessage, type PrepareRejectMessage } from '../../shared/wire/messages.js';
import type { ReplicaEffects, ReplicaOptions } from './effects.js';
import { Follower } from './follower.js';
import { MutationKind, mutationKind } from './mutation.js';
import { PrepareList, type Prepared } from './prepare-list.js';

const NEVER = Number.NEGATIVE_INFINITY;

export class Replica {
  role: Role = 'inactive';
  ballot: number;
  configuration: Configuration;
  list: PrepareList;
  /** Learning attempt this replica is the learner of; 0: none. */
  attempt = 0;
  /** The node that teaches this learner. */
  teacher: Seat | null = null;

  private readonly options: ReplicaOptions;
  private readonly effects: ReplicaEffects;

  // as a follower
  private matched: number;
  private logged: number;
  private lastBeaconMs = NEVER;
  private lastBeaconFrom: Seat | null = null;
  /** This ballot's beacons are refused for good: grace ran out. */
  private gaveUpBallot = 0;
  private ackOwed = false;
  private rejectOwed = false;
  private leader = '';

  // as primary
  readonly followers = new Map<string, Follower>();
  /** Secondaries whose acknowledgement commit and lease need: of the configuration and of the pending proposal. */
  private required: Follower[] = [];
  private selfLogged = 0;
  private ballotStartDecree = 0;
  private reconciled = false;
  private serveNotBeforeMs = 0;
  private announced = false;
  private pending: { proposal: Proposal; sentMs: number } | null = null;

  /** Counts adoptions of a ballot: a log completion of an earlier one says nothing about this one. */
  private epoch = 0;
  private broken = false;
  private lastTickMs = NEVER;

  constructor(options: ReplicaOptions, effects: ReplicaEffects, recovered: { ballot: number; list: PrepareList }) {
    this.options = options;
    this.effects = effects;
    this.ballot = recovered.ballot;
    this.list = recovered.list;
    this.matched = this.list.committed;
    this.logged = this.list.committed;
    this.configuration = {
      partition: options.partition, ballot: 0, primary: null, secondaries: [], predecessorGone: false,
    };
  }

  // ---- configuration -------------------------------------------------------------------------

  /** From meta's view or as the answer to a proposal. Older ones change nothing. */
  onConfiguration(configuration: Configuration, nowMs: number): void {
    if (this.broken || configuration.ballot <= this.configuration.ballot || configuration.ballot < this.ballot) return;
    const wasPrimary = this.role === 'primary';
    const higher = configuration.ballot > this.ballot;
    this.configuration = configuration;
    this.ballot = configuration.ballot;
    this.pending = null;
    const { self } = this.options;
    if (sameSeat(configuration.primary, self)) {
      if (wasPrimary) this.keepPrimary(nowMs);
      else this.becomePrimary(nowMs);
      return;
    }
    if (wasPrimary) this.stepDown();
    if (configuration.secondaries.some((seat) => sameSeat(seat, self))) {
      const joined = this.role !== 'secondary';
      this.role = 'secondary';
      this.attempt = 0;
      this.teacher = null;
      this.leader = configuration.primary?.node ?? '';
      if (higher) this.adopt();
      if (joined) this.lastBeaconMs = nowMs;
      return;
    }
    // a learner belongs to no configuration: it goes on as long as its teacher is the primary
    if (this.role === 'learner' && sameSeat(this.teacher, configuration.primary)) {
      if (higher) this.adopt();
      return;
    }
    this.role = 'inactive';
    this.attempt = 0;
    this.teacher = null;
    this.leader = '';
  }

  private adopt(): void {
    this.epoch++;
    this.matched = this.list.committed;
    this.logged = this.list.committed;
  }

  private becomePrimary(nowMs: number): void {
    this.role = 'primary';
    this.attempt = 0;
    this.teacher = null;
    this.followers.clear();
    this.reconciled = false;
    this.announced = false;
    // An earlier primary's lease needed this replica's acknowledgement: it is over a lease after the last one.
    const from = this.lastBeaconFrom;
    this.serveNotBeforeMs = from === null || this.effects.isGone(from) ? NEVER : this.lastBeaconMs + this.options.graceMs;
    this.setFollowers(nowMs);
    this.prepareAgain();
    this.ballotStartDecree = this.list.last + 1;
    this.prepare(this.effects.ballotStart(), null);
  }

  /** The same primary under a new ballot: what is not committed is prepared again under it. */
  private keepPrimary(nowMs: number): void {
    this.setFollowers(nowMs);
    this.prepareAgain();
    this.tryCommit();
  }

  private stepDown(): void {
    this.role = 'inactive';
    this.followers.clear();
    this.required = [];
    this.reconciled = false;
    this.adopt();
    if (this.announced) {
      this.announced = false;
      this.effects.serving(false);
    }
  }

  private setFollowers(nowMs: number): void {
    this.epoch++;
    const { committed } = this.list;
    this.selfLogged = committed;
    const wanted = this.configuration.secondaries;
    for (const [node, follower] of this.followers) {
      if (follower.attempt === 0 && !wanted.some((seat) => sameSeat(seat, follower.seat))) this.followers.delete(node);
    }
    for (const seat of wanted) {
      const known = this.followers.get(seat.node);
      if (known !== undefined && sameSeat(known.seat, seat)) {
        known.attempt = 0;
        // its log holds everything committed (a learner was proposed with that): the rest is prepared again
        known.acked = Math.min(known.acked, committed);
      } else this.followers.set(seat.node, new Follower(seat, 0, committed, nowMs));
    }
    for (const follower of this.followers.values()) {
      follower.acked = Math.min(follower.acked, committed);
      follower.sent = follower.acked;
      follower.inFlightBytes = 0;
      follower.leaseFromMs = NEVER;
      follower.progressMs = nowMs;
    }
    this.setRequired();
  }

  private setRequired(): void {
    this.required = [];
    const seats = [...this.configuration.secondaries, ...(this.pending?.proposal.secondaries ?? [])];
    for (const follower of this.followers.values()) {
      if (seats.some((seat) => sameSeat(seat, follower.seat))) this.required.push(follower);
    }
  }

  private prepareAgain(): void {
    for (let decree = this.list.committed + 1; decree <= this.list.last; decree++) {
      const entry = this.list.get(decree);
      invariant(entry !== undefined, `uncommitted decree ${decree} is in memory`);
      entry.ballot = this.ballot;
      this.append(entry);
    }
    for (const follower of this.followers.values()) this.pump(follower);
  }

  // ---- primary: two-phase commit ---------------------------------------------------------------

  /** Prepares a mutation at the next decree and returns that decree. Only while it may execute (see canExecute). */
  prepare(body: Buffer, decoded: unknown): number {
    invariant(this.role === 'primary', 'only a primary prepares');
    const entry: Prepared = { decree: this.list.last + 1, ballot: this.ballot, body, decoded };
    this.list.put(entry);
    this.append(entry);
    for (const follower of this.followers.values()) this.pump(follower);
    return entry.decree;
  }

  private append(entry: Prepared): void {
    const { epoch } = this;
    this.effects.append(entry, this.list.committed, (error) => {
      if (error !== null) this.fail(error);
      else if (epoch === this.epoch) this.onLogged(entry);
    });
  }

  private onLogged(entry: Prepared): void {
    if (this.role === 'primary') {
      this.selfLogged = entry.decree;
      this.tryCommit();
      return;
    }
    if (this.list.get(entry.decree) !== entry && entry.decree > this.list.base) return;
    this.logged = Math.max(this.logged, Math.min(entry.decree, this.matched));
    this.oweAck();
  }

  /** Sends a follower what it lacks, within its window. */
  private pump(follower: Follower): void {
    const { list } = this;
    while (follower.sent < list.last && follower.inFlightBytes < this.options.windowBytes) {
      const entry = list.get(follower.sent + 1);
      if (entry === undefined) return; // trimmed: the driver restarts a learner, a secondary is dropped by time-out
      follower.sent++;
      follower.inFlightBytes += entry.body.length;
      const message: PrepareMessage = [
        Kind.prepare, this.options.partition, this.ballot, entry.decree, list.committed, follower.attempt, entry.body,
      ];
      this.effects.send(follower.seat.node, message);
    }
  }

  onPrepareAck(from: Seat, message: PrepareAckMessage, nowMs: number): void {
    const [, , ballot, decree, attempt] = message;
    if (this.role !== 'primary' || ballot !== this.ballot) return;
    const follower = this.followers.get(from.node);
    if (follower === undefined || !sameSeat(follower.seat, from) || follower.attempt !== attempt) return;
    follower.aliveMs = nowMs;
    if (decree <= follower.acked) return;
    invariant(decree <= this.list.last, `${from.node} acknowledged decree ${decree}, never prepared`);
    for (let d = follower.acked + 1; d <= decree; d++) follower.inFlightBytes -= this.list.get(d)?.body.length ?? 0;
    if (follower.inFlightBytes < 0) follower.inFlightBytes = 0;
    follower.acked = decree;
    follower.sent = Math.max(follower.sent, decree);
    follower.progressMs = nowMs;
    this.tryCommit();
    this.pump(follower);
  }

  onPrepareReject(from: Seat, message: PrepareRejectMessage, nowMs: number): void {
    const [, , ballot, next, attempt] = message;
    if (this.role !== 'primary' || ballot > this.ballot) return; // meta will tell of the higher ballot
    const follower = this.followers.get(from.node);
    if (follower === undefined || !sameSeat(follower.seat, from) || follower.attempt !== attempt || ballot < this.ballot) return;
    follower.aliveMs = nowMs;
    if (next <= this.list.base) return;
    follower.sent = Math.max(follower.acked, next - 1);
    follower.inFlightBytes = 0;
    this.pump(follower);
  }

  /** Commits what every required member has logged. */
  private tryCommit(): void {
    if (this.role !== 'primary' || !this.enoughMembers()) return;
    let target = this.selfLogged;
    for (const follower of this.required) target = Math.min(target, follower.acked);
    while (this.list.committed < target) this.effects.commit(this.list.commitNext());
    if (!this.reconciled && this.list.committed >= this.ballotStartDecree) {
      this.reconciled = true;
      this.effects.flushSoon();
    }
  }

  private enoughMembers(): boolean {
    const proposed = this.pending === null ? Number.POSITIVE_INFINITY : this.pending.proposal.secondaries.length;
    return 1 + Math.min(this.configuration.secondaries.length, proposed) >= this.options.minReplicas();
  }

  // ---- primary: lease and service --------------------------------------------------------------

  /** True when, at this instant, nobody else can be primary. Read the clock afresh for it. */
  holdsLease(nowMs: number): boolean {
    if (this.required.length === 0) return nowMs < this.effects.metaLeaseUntilMs();
    for (const follower of this.required) {
      if (nowMs >= follower.leaseFromMs + this.options.leaseMs) return false;
    }
    return true;
  }

  /** May execute operations (reads; writes too where `enough` members are there). */
  canExecute(nowMs: number): boolean {
    return this.announced && !this.broken && this.holdsLease(nowMs);
  }

  get writable(): boolean {
    return this.enoughMembers();
  }

  /** True when this replica should be in its primary's beacons. */
  get beating(): boolean {
    return this.role === 'primary' && !this.broken;
  }

  /** `sentMs` is when the beacon that is answered here was sent, on this server's clock. */
  onBeaconAck(from: Seat, ballot: number, sentMs: number, nowMs: number): void {
    if (this.role !== 'primary' || ballot !== this.ballot) return;
    const follower = this.followers.get(from.node);
    if (follower === undefined || !sameSeat(follower.seat, from)) return;
    follower.leaseFromMs = Math.max(follower.leaseFromMs, sentMs);
    follower.aliveMs = nowMs;
    if (!this.announced) this.maybeServe(nowMs);
  }

  private maybeServe(nowMs: number): void {
    if (this.announced || !this.reconciled || this.broken) return;
    if (nowMs < this.serveNotBeforeMs || !this.holdsLease(nowMs)) return;
    this.announced = true;
    this.effects.serving(true);
  }

  // ---- follower --------------------------------------------------------------------------------

  /** True when the beacon is acknowledged: the sender's lease goes on. */
  onBeacon(from: Seat, ballot: number, committed: number, nowMs: number): boolean {
    if (!this.follows(from, ballot)) return false;
    if (ballot === this.gaveUpBallot) return false;
    this.lastBeaconMs = nowMs;
    this.lastBeaconFrom = from;
    this.commitUpTo(committed);
    return true;
  }

  onPrepare(from: Seat, message: PrepareMessage): void {
    const [, , ballot, decree, committed, attempt, body] = message;
    if (ballot < this.ballot) {
      this.effects.send(from.node, [Kind.prepareReject, this.options.partition, this.ballot, 0, attempt]);
      return;
    }
    if (this.role === 'learner' && attempt !== 0 && attempt !== this.attempt) return;
    if (this.role === 'secondary' && attempt !== 0) return;
    if (!this.follows(from, ballot)) return;
    this.commitUpTo(committed);
    if (decree <= this.matched) {
      this.oweAck();
      return;
    }
    if (decree > this.matched + 1) {
      this.rejectOwed = true;
      this.effects.flushSoon();
      return;
    }
    this.matched = decree;
    const old = this.list.get(decree);
    if (mutationKind(body) === MutationKind.ballotStart) this.list.truncateAbove(decree);
    if (old !== undefined && old.ballot === ballot) {
      // prepared before under this very ballot, and logged then
      this.append(old);
      return;
    }
    const entry: Prepared = { decree, ballot, body, decoded: null };
    this.list.put(entry);
    this.append(entry);
    this.commitUpTo(committed);
  }

  /** Is `from` the primary to follow under `ballot`? Adopts a higher ballot of a primary that counts this replica in. */
  private follows(from: Seat, ballot: number): boolean {
    if (this.broken || ballot < this.ballot) return false;
    if (this.role === 'learner') {
      if (!sameSeat(this.teacher, from)) return false;
    } else if (this.role !== 'secondary') return false;
    else if (ballot === this.configuration.ballot && !sameSeat(this.configuration.primary, from)) return false;
    if (ballot > this.ballot) {
      this.ballot = ballot;
      this.adopt();
    }
    this.leader = from.node;
    return true;
  }

  private commitUpTo(committed: number): void {
    const target = Math.min(committed, this.list.last);
    // What a primary knows to be committed, every member logged; so up to `target` the contents agree.
    while (this.list.committed < target) this.effects.commit(this.list.commitNext());
    if (this.matched < this.list.committed) this.matched = this.list.committed;
    if (this.logged < this.list.committed && this.role === 'secondary') this.logged = this.list.committed;
  }

  private oweAck(): void {
    if (this.ackOwed) return;
    this.ackOwed = true;
    this.effects.flushSoon();
  }

  /** Sends what is owed: one acknowledgement for all that was logged in this turn. */
  flush(nowMs: number): void {
    if (this.role === 'primary') {
      this.maybeServe(nowMs);
      return;
    }
    if (this.broken || (this.role !== 'secondary' && this.role !== 'learner')) {
      this.ackOwed = this.rejectOwed = false;
      return;
    }
    const { partition } = this.options;
    if (this.rejectOwed) {
      this.rejectOwed = false;
      this.effects.send(this.leader, [Kind.prepareReject, partition, this.ballot, this.matched + 1, this.attempt]);
    }
    if (this.ackOwed && !this.effects.backlogged()) {
      this.ackOwed = false;
      this.effects.send(this.leader, [Kind.prepareAck, partition, this.ballot, this.logged, this.attempt, 0]);
    }
  }

  /** Belongs to nobody any more, until it is taught; with a list given, what it had prepared is forgotten. */
  leave(list: PrepareList | null = null): void {
    invariant(this.role !== 'primary', 'a primary leaves by configuration only');
    this.role = 'inactive';
    this.attempt = 0;
    this.teacher = null;
    if (list !== null) this.list = list;
    this.adopt();
  }

  // ---- learner ---------------------------------------------------------------------------------

  /** Begins (again) as a learner whose list starts after `list.committed`. */
  startLearning(teacher: Seat, attempt: number, ballot: number, list: PrepareList): void {
    invariant(this.role !== 'primary', 'a primary does not learn');
    this.role = 'learner';
    this.teacher = teacher;
    this.leader = teacher.node;
    this.attempt = attempt;
    this.ballot = Math.max(this.ballot, ballot);
    this.list = list;
    this.adopt();
  }

  /** Primary: prepares go to this learner from now on, starting after `from`. */
  addLearner(seat: Seat, attempt: number, from: number, nowMs: number): void {
    if (this.role !== 'primary') return;
    const follower = new Follower(seat, attempt, from, nowMs);
    this.followers.set(seat.node, follower);
    this.pump(follower);
  }

  /** Primary: the learner has installed what it copied. */
  learnerReady(node: string, attempt: number): void {
    const follower = this.followers.get(node);
    if (follower !== undefined && attempt !== 0 && follower.attempt === attempt) follower.ready = true;
  }

  removeLearner(node: string, attempt: number): void {
    const follower = this.followers.get(node);
    // once proposed, only meta's answer decides whether it belongs to the configuration
    if (follower === undefined || attempt === 0 || follower.attempt !== attempt || this.required.includes(follower)) return;
    this.followers.delete(node);
  }

  // ---- time --------------------------------------------------------------------------------------

  tick(nowMs: number): void {
    if (this.broken) return;
    this.forgivePause(nowMs);
    if (this.role === 'primary') this.tickPrimary(nowMs);
    else if (this.role === 'secondary') this.tickSecondary(nowMs);
    if (this.ackOwed) this.effects.flushSoon();
  }

  /**
   * After a pause of this process, what others sent lies unread in its sockets: they get another
   * chance before they count as lost. That only ever delays a proposal; leases are not touched.
   */
  private forgivePause(nowMs: number): void {
    const paused = nowMs - this.lastTickMs > this.options.repeatMs;
    this.lastTickMs = nowMs;
    if (!paused) return;
    this.lastBeaconMs = Math.max(this.lastBeaconMs, nowMs - this.options.graceMs / 2);
    for (const follower of this.followers.values()) {
      follower.aliveMs = Math.max(follower.aliveMs, nowMs - this.options.followerTimeoutMs / 2);
    }
  }

  private tickPrimary(nowMs: number): void {
    this.maybeServe(nowMs);
    for (const follower of this.followers.values()) {
      if (follower.acked >= this.list.last) follower.progressMs = follower.sentMs = nowMs;
      else if (nowMs - Math.max(follower.progressMs, follower.sentMs) > this.options.repeatMs) {
        follower.sentMs = nowMs;
        follower.sent = follower.acked;
        follower.inFlightBytes = 0;
        this.pump(follower);
      }
    }
    if (this.pending !== null) {
      if (nowMs - this.pending.sentMs > this.options.repeatMs) this.sendProposal(this.pending.proposal, nowMs);
      return;
    }
    const { secondaries } = this.configuration;
    const lost = secondaries.filter((seat) => this.isLost(seat, nowMs));
    if (lost.length > 0) {
      this.changeSecondaries(secondaries.filter((seat) => !lost.includes(seat)), nowMs);
      return;
    }
    for (const follower of this.followers.values()) {
      // only a learner that holds all that is committed: from here on commits wait for it too
      if (follower.attempt !== 0 && follower.ready && follower.acked >= this.list.committed) {
        this.changeSecondaries([...secondaries, follower.seat], nowMs);
        return;
      }
    }
  }

  private isLost(seat: Seat, nowMs: number): boolean {
    const follower = this.followers.get(seat.node);
    if (follower === undefined || this.effects.isGone(seat)) return true;
    if (nowMs - follower.progressMs > this.options.stallTimeoutMs) return true; // alive, but its disk is stuck
    return nowMs - follower.aliveMs > this.options.followerTimeoutMs;
  }

  private changeSecondaries(secondaries: readonly Seat[], nowMs: number): void {
    const { partition, self } = this.options;
    const proposal: Proposal = {
      partition, ballot: this.ballot, primary: self, secondaries, handover: false,
    };
    this.sendProposal(proposal, nowMs);
    this.setRequired();
  }

  private tickSecondary(nowMs: number): void {
    const { partition, self, graceMs, repeatMs } = this.options;
    if (nowMs - this.lastBeaconMs <= graceMs) return;
    // from here on this ballot's primary gets no lease from us, whatever meta says
    this.gaveUpBallot = this.ballot;
    if (this.configuration.ballot !== this.ballot) return;
    if (this.pending !== null && nowMs - this.pending.sentMs <= repeatMs) return;
    const others = this.configuration.secondaries.filter((seat) => !sameSeat(seat, self));
    this.sendProposal({ partition, ballot: this.ballot, primary: self, secondaries: others, handover: false }, nowMs);
  }

  private sendProposal(proposal: Proposal, nowMs: number): void {
    this.pending = { proposal, sentMs: nowMs };
    this.effects.propose(proposal);
  }

  /** Meta's answer: the configuration in force, whether it is the proposed one or not. */
  onProposalAnswer(configuration: Configuration, nowMs: number): void {
    if (configuration.ballot > this.configuration.ballot) this.onConfiguration(configuration, nowMs);
    else if (this.pending !== null && configuration.ballot === this.pending.proposal.ballot) {
      // refused and nothing changed (an invalid proposal): it may not be in force later either
      this.pending = null;
      this.setRequired();
      this.tryCommit();
    }
  }

  /** A connection to this node came (back): what was sent may be lost. */
  onReconnected(node: string): void {
    const follower = this.followers.get(node);
    if (this.role !== 'primary' || follower === undefined) return;
    follower.sent = follower.acked;
    follower.inFlightBytes = 0;
    this.pump(follower);
  }

  private fail(error: Error): void {
    if (this.broken) return;
    this.broken = true;
    if (this.announced) {
      this.announced = false;
      this.effects.serving(false);
    }
    this.effects.fail(error);
  }
}
