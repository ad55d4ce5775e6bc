/**
 * A replica while it is primary: two-phase commit, the lease, and proposals about its followers (design: section 6).
 * It lives from one role change to the next; under a new ballot of the same primary it goes on.
 */
import { type Proposal, sameSeat, type Seat } from '../../shared/cluster.js';
import { invariant } from '../../shared/errors.js';
import {
  Kind,
  type PrepareAckMessage,
  type PrepareMessage,
  type PrepareRejectMessage,
} from '../../shared/wire/messages.js';
import { Follower } from './follower.js';
import type { Prepared } from './prepare-list.js';
import type { ReplicaState } from './types.js';

/** A follower that logs less than this is as good as stuck: 10 MB a second. */
const SLOWEST_BYTES_PER_MS = 10_000;
/** So many rejects in a row below what it acknowledged cannot be late or repeated messages: it has forgotten what it logged. */
const FORGETFUL_REJECTS = 16;

export class Primary {
  /** By node: secondaries, and learners that already get prepares. */
  readonly followers = new Map<string, Follower>();
  private readonly state: ReplicaState;
  private readonly fail: (error: Error) => void;
  private readonly serveNotBeforeMs: number;
  /** Secondaries whose acknowledgement commit and lease need: of the configuration and of the pending proposal. */
  private required: Follower[] = [];
  private selfLogged = 0;
  private ballotStartDecree = Number.POSITIVE_INFINITY;
  private reconciled = false;
  private announced = false;
  private pending: { proposal: Proposal; sentMs: number } | null = null;
  /** It has stopped executing, so that this secondary can take over: once that holds everything, meta is asked. */
  private successor: { readonly seat: Seat; readonly sinceMs: number } | null = null;

  /** `serveNotBeforeMs`: until then an earlier primary may hold a lease. */
  constructor(state: ReplicaState, serveNotBeforeMs: number, fail: (error: Error) => void) {
    this.state = state;
    this.serveNotBeforeMs = serveNotBeforeMs;
    this.fail = fail;
  }

  /** A new primary: everything not committed is prepared again, and a ballot-start ends it. */
  begin(nowMs: number): void {
    this.setFollowers(nowMs);
    this.prepareAgain();
    this.ballotStartDecree = this.state.list.last + 1;
    this.prepare(this.state.effects.ballotStart(), null);
  }

  /** The same primary under a new ballot: what is not committed is prepared again under it. */
  continue(nowMs: number): void {
    this.pending = null;
    this.successor = null;
    this.setFollowers(nowMs);
    this.prepareAgain();
    this.tryCommit();
  }

  /** It is primary no more, or its log failed. */
  end(): void {
    if (!this.announced) return;
    this.announced = false;
    this.state.effects.serving(false);
  }

  private setFollowers(nowMs: number): void {
    this.state.epoch++;
    const { committed } = this.state.list;
    this.selfLogged = committed;
    const wanted = this.state.configuration.secondaries;
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
    for (const follower of this.followers.values()) follower.beginAnew(Math.min(follower.acked, committed), nowMs);
    this.setRequired();
  }

  private setRequired(): void {
    this.required = [];
    const seats = [...this.state.configuration.secondaries, ...(this.pending?.proposal.secondaries ?? [])];
    for (const follower of this.followers.values()) {
      if (seats.some((seat) => sameSeat(seat, follower.seat))) this.required.push(follower);
    }
  }

  private prepareAgain(): void {
    for (let decree = this.state.list.committed + 1; decree <= this.state.list.last; decree++) {
      const entry = this.state.list.get(decree);
      invariant(entry !== undefined, `uncommitted decree ${decree} is in memory`);
      entry.ballot = this.state.ballot;
      this.append(entry);
    }
    for (const follower of this.followers.values()) this.pump(follower);
  }

  /** Prepares a mutation at the next decree and returns that decree. Only while it may execute (see canExecute). */
  prepare(body: Buffer, decoded: unknown): number {
    invariant(this.pending?.proposal.handover !== true, 'who hands over prepares nothing more');
    const entry: Prepared = { decree: this.state.list.last + 1, ballot: this.state.ballot, body, decoded };
    this.state.list.put(entry);
    this.append(entry);
    for (const follower of this.followers.values()) this.pump(follower);
    return entry.decree;
  }

  private append(entry: Prepared): void {
    const { epoch, list, effects } = this.state;
    effects.append(entry, list.committed, (error) => {
      if (error !== null) this.fail(error);
      else if (epoch === this.state.epoch) {
        this.selfLogged = entry.decree;
        this.tryCommit();
      }
    });
  }

  /** Sends a follower what it lacks, within its window. */
  private pump(follower: Follower): void {
    const { list } = this.state;
    while (follower.sent < list.last && follower.inFlightBytes < this.state.options.windowBytes) {
      const entry = list.get(follower.sent + 1);
      if (entry === undefined) return; // trimmed: the driver restarts a learner, a secondary is dropped by time-out
      follower.sent++;
      follower.inFlightBytes += entry.body.length;
      const message: PrepareMessage = [
        Kind.prepare,
        this.state.options.partition,
        this.state.ballot,
        entry.decree,
        list.committed,
        follower.attempt,
        entry.body,
      ];
      this.state.effects.send(follower.seat.node, message);
    }
  }

  onPrepareAck(from: Seat, message: PrepareAckMessage, nowMs: number): void {
    const [, , ballot, decree, attempt] = message;
    if (ballot !== this.state.ballot) return;
    const follower = this.followers.get(from.node);
    if (follower === undefined || !sameSeat(follower.seat, from) || follower.attempt !== attempt) return;
    follower.aliveMs = nowMs;
    if (decree <= follower.acked) return;
    invariant(decree <= this.state.list.last, `${from.node} acknowledged decree ${decree}, never prepared`);
    for (let d = follower.acked + 1; d <= decree; d++)
      follower.inFlightBytes -= this.state.list.get(d)?.body.length ?? 0;
    if (follower.inFlightBytes < 0) follower.inFlightBytes = 0;
    follower.acked = decree;
    follower.forgetful = 0;
    follower.sent = Math.max(follower.sent, decree);
    follower.progressMs = nowMs;
    this.tryCommit();
    this.pump(follower);
  }

  onPrepareReject(from: Seat, message: PrepareRejectMessage, nowMs: number): void {
    const [, , ballot, next, attempt] = message;
    if (ballot > this.state.ballot) return; // meta will tell of the higher ballot
    const follower = this.followers.get(from.node);
    if (
      follower === undefined ||
      !sameSeat(follower.seat, from) ||
      follower.attempt !== attempt ||
      ballot < this.state.ballot
    )
      return;
    follower.aliveMs = nowMs;
    if (next <= follower.acked && ++follower.forgetful === FORGETFUL_REJECTS) {
      this.state.effects.warn(from.node, `it acknowledged decree ${follower.acked} and now wants ${next}`);
    }
    if (follower.forgetful >= FORGETFUL_REJECTS || next <= this.state.list.base) return;
    follower.sent = Math.max(follower.acked, next - 1);
    follower.inFlightBytes = 0;
    this.pump(follower);
  }

  /** Commits what every required member has logged. */
  private tryCommit(): void {
    if (!this.enoughMembers()) return;
    let target = this.selfLogged;
    for (const follower of this.required) target = Math.min(target, follower.acked);
    while (this.state.list.committed < target) this.state.effects.commit(this.state.list.commitNext());
    if (!this.reconciled && this.state.list.committed >= this.ballotStartDecree) {
      this.reconciled = true;
      this.state.effects.flushSoon();
    }
    this.proposeSuccessor();
  }

  private enoughMembers(): boolean {
    const proposed = this.pending === null ? Number.POSITIVE_INFINITY : this.pending.proposal.secondaries.length;
    return 1 + Math.min(this.state.configuration.secondaries.length, proposed) >= this.state.options.minReplicas();
  }

  /** True when, at this instant, nobody else can be primary. Read the clock afresh for it. */
  holdsLease(nowMs: number): boolean {
    if (this.required.length === 0) return nowMs < this.state.effects.metaLeaseUntilMs();
    for (const follower of this.required) {
      if (nowMs >= follower.leaseFromMs + this.state.options.leaseMs) return false;
    }
    return true;
  }

  /** May execute operations (reads; writes too where `enough` members are there). */
  canExecute(nowMs: number): boolean {
    return this.announced && this.successor === null && !this.state.broken && this.holdsLease(nowMs);
  }

  /** It has as many members as it should: of two that learned for one place, the second is not needed any more. */
  get whole(): boolean {
    return 1 + this.state.configuration.secondaries.length >= this.state.options.replicas();
  }

  get writable(): boolean {
    return this.enoughMembers();
  }

  /** `sentMs` is when the beacon that is answered here was sent, on this server's clock. */
  onBeaconAck(from: Seat, ballot: number, sentMs: number, nowMs: number): void {
    if (ballot !== this.state.ballot) return;
    const follower = this.followers.get(from.node);
    if (follower === undefined || !sameSeat(follower.seat, from)) return;
    follower.leaseFromMs = Math.max(follower.leaseFromMs, sentMs);
    follower.aliveMs = nowMs;
    if (!this.announced) this.maybeServe(nowMs);
  }

  maybeServe(nowMs: number): void {
    if (this.announced || !this.reconciled || this.state.broken) return;
    if (nowMs < this.serveNotBeforeMs || !this.holdsLease(nowMs)) return;
    this.announced = true;
    this.state.effects.serving(true);
  }

  /** Prepares go to this learner from now on, starting after `from`. */
  addLearner(seat: Seat, attempt: number, from: number, nowMs: number): void {
    invariant(!this.isProposed(seat.node), 'who may be a member already does not learn anew');
    const follower = new Follower(seat, attempt, from, nowMs);
    this.followers.set(seat.node, follower);
    this.pump(follower);
  }

  /** The learner has installed what it copied. */
  learnerReady(node: string, attempt: number): void {
    const follower = this.followers.get(node);
    if (follower !== undefined && attempt !== 0 && follower.attempt === attempt) follower.ready = true;
  }

  removeLearner(node: string, attempt: number): void {
    const follower = this.followers.get(node);
    // once proposed, only meta's answer decides whether it belongs to the configuration
    if (follower === undefined || attempt === 0 || follower.attempt !== attempt || this.required.includes(follower))
      return;
    this.followers.delete(node);
  }

  /** It is about to be taught anew: what it held in an earlier attempt counts no more. */
  forgetLearner(node: string): void {
    const follower = this.followers.get(node);
    if (follower === undefined || follower.attempt === 0) return;
    invariant(!this.required.includes(follower), 'who may be a member already does not learn anew');
    this.followers.delete(node);
  }

  tick(nowMs: number): void {
    this.maybeServe(nowMs);
    for (const follower of this.followers.values()) {
      follower.noteOwed(this.state.list.last, nowMs);
      if (follower.acked >= this.state.list.last) follower.progressMs = follower.sentMs = nowMs;
      else if (this.state.effects.busy(follower.seat.node)) follower.sentMs = nowMs;
      else if (nowMs - Math.max(follower.progressMs, follower.sentMs) > this.repeatAfterMs(follower)) {
        follower.sentMs = nowMs;
        follower.sent = follower.acked;
        follower.inFlightBytes = 0;
        this.pump(follower);
      }
    }
    if (this.successor !== null) this.superviseHandover(this.successor, nowMs);
    if (this.pending !== null) {
      if (nowMs - this.pending.sentMs > this.state.options.repeatMs) this.send(this.pending.proposal, nowMs);
      return;
    }
    if (this.successor !== null) return;
    const { secondaries } = this.state.configuration;
    const lost = this.toDrop(nowMs);
    if (lost.length > 0) {
      this.changeSecondaries(
        secondaries.filter((seat) => !lost.includes(seat)),
        nowMs,
      );
      return;
    }
    const learner = this.learnerToPropose(nowMs);
    if (learner !== null) this.changeSecondaries([...secondaries, learner.seat], nowMs);
  }

  /**
   * Only one that holds all that is committed: from here on commits wait for it too. What a new primary took over may have
   * been committed by its predecessor, all of it, so until that is committed again the learner must hold it all.
   * And none before earlier primaries have ended: it gave them no lease, so as the next primary it would not know to wait
   * for them.
   */
  private learnerToPropose(nowMs: number): Follower | null {
    if (nowMs < this.serveNotBeforeMs || this.whole) return null;
    const needed = this.reconciled ? this.state.list.committed : this.ballotStartDecree;
    for (const follower of this.followers.values()) {
      if (follower.attempt === 0) continue;
      if (this.state.effects.isGone(follower.seat)) this.followers.delete(follower.seat.node);
      else if (
        follower.ready &&
        follower.acked >= needed &&
        !this.isSilent(follower.seat, nowMs) &&
        !this.isSlow(follower.seat, nowMs)
      )
        return follower;
    }
    return null;
  }

  /** After a pause of this process: what followers sent lies unread, so they get another chance before they count as lost. */
  forgive(nowMs: number): void {
    for (const follower of this.followers.values()) {
      follower.aliveMs = Math.max(follower.aliveMs, nowMs - this.state.options.followerTimeoutMs / 2);
      follower.progressMs = Math.max(follower.progressMs, nowMs - this.state.options.stallTimeoutMs / 2);
      follower.forgiveOwed(nowMs - this.state.options.stallTimeoutMs / 2);
    }
  }

  /** What was sent arrives unless a connection broke; a large mutation takes its time to be read and logged. */
  private repeatAfterMs(follower: Follower): number {
    return this.state.options.repeatMs + follower.inFlightBytes / SLOWEST_BYTES_PER_MS;
  }

  /**
   * Secondaries to go on without: those that are gone or silent, since the lease needs them, and those that live and
   * do not log in time, the slowest first. Of the latter as many stay as writes need: dropping them would help nobody.
   */
  private toDrop(nowMs: number): Seat[] {
    const { secondaries } = this.state.configuration;
    const silent = secondaries.filter((seat) => this.isSilent(seat, nowMs));
    const slow = secondaries.filter((seat) => !silent.includes(seat) && this.isSlow(seat, nowMs));
    slow.sort((a, b) => this.owesForMs(b, nowMs) - this.owesForMs(a, nowMs));
    const spare = 1 + secondaries.length - silent.length - this.state.options.minReplicas();
    return [...silent, ...slow.slice(0, Math.max(0, spare))];
  }

  private isSilent(seat: Seat, nowMs: number): boolean {
    const follower = this.followers.get(seat.node);
    if (follower === undefined || this.state.effects.isGone(seat)) return true;
    if (follower.forgetful >= FORGETFUL_REJECTS) return true;
    // beacons cannot overtake a mutation that alone exceeds the window: it has the time that its size needs
    const largeBytes = Math.max(0, follower.inFlightBytes - 2 * this.state.options.windowBytes);
    return nowMs - follower.aliveMs > this.state.options.followerTimeoutMs + largeBytes / SLOWEST_BYTES_PER_MS;
  }

  /** Alive, but its disk is stuck, or it logs less than comes. */
  private isSlow(seat: Seat, nowMs: number): boolean {
    const inFlightBytes = this.followers.get(seat.node)?.inFlightBytes ?? 0;
    return this.owesForMs(seat, nowMs) > this.state.options.stallTimeoutMs + inFlightBytes / SLOWEST_BYTES_PER_MS;
  }

  private owesForMs(seat: Seat, nowMs: number): number {
    return this.followers.get(seat.node)?.owesForMs(nowMs) ?? 0;
  }

  /** True while meta may have made a member of this node, in whichever boot: the outcome of the proposal is unknown. */
  isProposed(node: string): boolean {
    return this.pending?.proposal.secondaries.some((proposed) => proposed.node === node) ?? false;
  }

  /**
   * Stops executing at once; `to` (a node; null: whoever is furthest) takes over once it has logged everything and meta
   * agrees. False when that cannot be done now: then nothing has changed.
   */
  handOver(to: string | null, nowMs: number): boolean {
    if (this.successor !== null) return true;
    if (!this.announced || this.pending !== null || !this.holdsLease(nowMs)) return false;
    // without meta's answer it could neither go on nor let go
    if (nowMs >= this.state.effects.metaLeaseUntilMs()) return false;
    const candidates = this.required.filter(
      ({ seat }) => !this.isSilent(seat, nowMs) && (to === null || seat.node === to),
    );
    const [best] = candidates.toSorted((a, b) => b.acked - a.acked);
    if (best === undefined) return false;
    this.successor = { seat: best.seat, sinceMs: nowMs };
    this.proposeSuccessor();
    return true;
  }

  get handingOver(): boolean {
    return this.successor !== null;
  }

  private proposeSuccessor(): void {
    const { list, configuration, options } = this.state;
    if (this.successor === null || this.pending !== null || list.committed < list.last) return;
    const { seat, sinceMs } = this.successor;
    const others = configuration.secondaries.filter((other) => !sameSeat(other, seat));
    const { partition, self } = options;
    const proposal: Proposal = {
      partition,
      ballot: this.state.ballot,
      primary: seat,
      secondaries: [self, ...others],
      handover: true,
    };
    this.send(proposal, sinceMs);
  }

  /** What was prepared does not commit: it goes on as primary. Once meta was asked, only its answer says who is. */
  private superviseHandover({ seat, sinceMs }: { seat: Seat; sinceMs: number }, nowMs: number): void {
    if (this.pending !== null) return;
    if (nowMs - sinceMs <= this.state.options.repeatMs && !this.isSilent(seat, nowMs)) return;
    this.successor = null;
    this.state.effects.warn(seat.node, 'it does not get everything in time and takes nothing over');
  }

  private changeSecondaries(secondaries: readonly Seat[], nowMs: number): void {
    const { partition, self } = this.state.options;
    const proposal: Proposal = {
      partition,
      ballot: this.state.ballot,
      primary: self,
      secondaries,
      handover: false,
    };
    this.send(proposal, nowMs);
    this.setRequired();
  }

  private send(proposal: Proposal, nowMs: number): void {
    this.pending = { proposal, sentMs: nowMs };
    this.state.effects.propose(proposal);
  }

  /** Meta refused and nothing changed (an invalid proposal): it will not be in force later either. */
  onRefused(ballot: number): void {
    if (this.pending?.proposal.ballot !== ballot) return;
    this.pending = null;
    this.successor = null;
    this.setRequired();
    this.tryCommit();
  }

  /** A connection to this node came (back): what was sent may be lost. */
  onReconnected(node: string): void {
    const follower = this.followers.get(node);
    if (follower === undefined) return;
    follower.sent = follower.acked;
    follower.inFlightBytes = 0;
    this.pump(follower);
  }
}
