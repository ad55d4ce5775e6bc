/**
 * A replica while it follows a primary, as secondary or learner: it logs what it is sent, acknowledges what is
 * logged, answers beacons, and proposes itself once it has heard none for the grace period.
 *
 * `matched` says how far its list equals the primary's under the current ballot, `logged` how far that is in the
 * log; only `logged` is acknowledged.
 */
import { sameSeat, type Seat } from '../../shared/cluster.js';
import { Kind, type PrepareMessage } from '../../shared/wire/messages.js';
import { MutationKind, mutationKind } from './mutation.js';
import type { Prepared } from './prepare-list.js';
import { NEVER, type ReplicaState } from './types.js';

export class Following {
  private readonly state: ReplicaState;
  private readonly fail: (error: Error) => void;
  private matched: number;
  private logged: number;
  private lastBeaconMs = NEVER;
  /** The ballot of the last beacon that was acknowledged. */
  private heardBallot = 0;
  /** Whom this replica gave a lease, and when it last did: one a primary, as several may hold theirs still. */
  private leases: { readonly primary: Seat; atMs: number }[] = [];
  /** This ballot's beacons are refused for good: grace ran out. */
  private gaveUpBallot = 0;
  /** The ballot that grace runs for. */
  private graceBallot = 0;
  private pendingSinceMs = NEVER;
  private ackOwed = false;
  private rejectOwed = false;
  /** The highest ballot of a prepare that came before the configuration that it belongs to. */
  private missedBallot = 0;
  /** The node that acknowledgements go to. */
  private leader = '';

  constructor(state: ReplicaState, fail: (error: Error) => void) {
    this.state = state;
    this.fail = fail;
    this.matched = state.list.committed;
    this.logged = state.list.committed;
  }

  /** A new ballot, or a new list: nothing above what is committed is known to equal the primary's. */
  adopt(): void {
    this.state.epoch++;
    this.matched = this.state.list.committed;
    this.logged = this.state.list.committed;
  }

  follow(leader: string): void {
    this.leader = leader;
  }

  /** The new primary's first prepares overtook meta's word of it: they are wanted again now, not in time. */
  askForMissed(): void {
    if (this.missedBallot !== this.state.ballot) return;
    this.rejectOwed = true;
    this.state.effects.flushSoon();
  }

  /** Grace begins now. */
  joined(nowMs: number): void {
    this.graceBallot = this.state.ballot;
    this.lastBeaconMs = nowMs;
  }

  /**
   * When the lease of every earlier primary is over: it needed this secondary's acknowledgement, so a grace period after
   * the last one; at once where that primary is gone for good. More than one may count: a primary that was lost, and
   * its successor that died before it served.
   */
  leasesOverMs(): number {
    const { effects, options } = this.state;
    let over = NEVER;
    for (const { primary, atMs } of this.leases) {
      if (!effects.isGone(primary)) over = Math.max(over, atMs + options.graceMs);
    }
    return over;
  }

  private renewLease(primary: Seat, nowMs: number): void {
    const lease = this.leases.find((known) => sameSeat(known.primary, primary));
    if (lease !== undefined) lease.atMs = nowMs;
    else {
      this.leases = this.leases.filter(({ atMs }) => nowMs - atMs <= this.state.options.graceMs);
      this.leases.push({ primary, atMs: nowMs });
    }
  }

  get owes(): boolean {
    return this.ackOwed;
  }

  /** After a pause of this process: beacons lie unread, so grace is put off (which only delays a proposal). */
  forgive(nowMs: number): void {
    this.lastBeaconMs = Math.max(this.lastBeaconMs, nowMs - this.state.options.graceMs / 2);
  }

  /** It heard a beacon of this ballot's primary within the grace period: it would not propose itself. */
  hears(nowMs: number): boolean {
    const { ballot, options } = this.state;
    return this.heardBallot === ballot && this.gaveUpBallot !== ballot && nowMs - this.lastBeaconMs <= options.graceMs;
  }

  /** True when the beacon is acknowledged: the sender's lease goes on. */
  onBeacon(from: Seat, ballot: number, committed: number, nowMs: number): boolean {
    if (!this.follows(from, ballot)) return false;
    if (ballot === this.gaveUpBallot) return false;
    this.joined(nowMs);
    this.heardBallot = ballot;
    this.renewLease(from, nowMs);
    this.commitUpTo(committed);
    return true;
  }

  onPrepare(from: Seat, message: PrepareMessage): void {
    const [, , ballot, decree, committed, attempt, body] = message;
    if (ballot < this.state.ballot) {
      this.state.effects.send(from.node, [
        Kind.prepareReject,
        this.state.options.partition,
        this.state.ballot,
        0,
        attempt,
      ]);
      return;
    }
    if (this.state.role === 'learner' && attempt !== 0 && attempt !== this.state.attempt) return;
    if (this.state.role === 'secondary' && attempt !== 0) return;
    if (!this.follows(from, ballot)) {
      this.missedBallot = Math.max(this.missedBallot, ballot);
      return;
    }
    this.commitUpTo(committed);
    if (decree <= this.matched) {
      this.oweAck();
      return;
    }
    if (decree > this.matched + 1) {
      this.rejectOwed = true;
      this.state.effects.flushSoon();
      return;
    }
    this.matched = decree;
    const old = this.state.list.get(decree);
    if (mutationKind(body) === MutationKind.ballotStart) this.state.list.truncateAbove(decree);
    if (old !== undefined && old.ballot === ballot) {
      // prepared before under this very ballot, and logged then
      this.append(old);
      return;
    }
    const entry: Prepared = { decree, ballot, body, decoded: null };
    this.state.list.put(entry);
    this.append(entry);
    this.commitUpTo(committed);
  }

  private append(entry: Prepared): void {
    const { epoch, list, effects } = this.state;
    effects.append(entry, list.committed, (error) => {
      if (error !== null) this.fail(error);
      else if (epoch === this.state.epoch) this.onLogged(entry);
    });
  }

  private onLogged(entry: Prepared): void {
    const { list } = this.state;
    if (list.get(entry.decree) !== entry && entry.decree > list.base) return;
    this.logged = Math.max(this.logged, Math.min(entry.decree, this.matched));
    this.oweAck();
  }

  /** Is `from` the primary to follow under `ballot`? Adopts a higher ballot of a primary that counts this replica in. */
  private follows(from: Seat, ballot: number): boolean {
    if (this.state.broken || ballot < this.state.ballot) return false;
    if (this.state.role === 'learner') {
      if (!sameSeat(this.state.teacher, from)) return false;
    } else if (this.state.role !== 'secondary') return false;
    else if (ballot === this.state.configuration.ballot && !sameSeat(this.state.configuration.primary, from))
      return false;
    if (ballot > this.state.ballot) {
      this.state.ballot = ballot;
      this.adopt();
    }
    this.leader = from.node;
    return true;
  }

  private commitUpTo(committed: number): void {
    const target = Math.min(committed, this.state.list.last);
    // What a primary knows to be committed, every member logged; so up to `target` the contents agree.
    while (this.state.list.committed < target) this.state.effects.commit(this.state.list.commitNext());
    if (this.matched < this.state.list.committed) this.matched = this.state.list.committed;
    if (this.logged < this.state.list.committed && this.state.role === 'secondary')
      this.logged = this.state.list.committed;
  }

  private oweAck(): void {
    if (this.ackOwed) return;
    this.ackOwed = true;
    this.state.effects.flushSoon();
  }

  /** Sends what is owed: one acknowledgement for all that was logged in this turn. */
  flush(): void {
    const { role, broken } = this.state;
    if (broken || (role !== 'secondary' && role !== 'learner')) {
      this.ackOwed = this.rejectOwed = false;
      return;
    }
    const { partition } = this.state.options;
    if (this.rejectOwed) {
      this.rejectOwed = false;
      this.state.effects.send(this.leader, [
        Kind.prepareReject,
        partition,
        this.state.ballot,
        this.matched + 1,
        this.state.attempt,
      ]);
    }
    if (this.ackOwed && !this.state.effects.backlogged()) {
      this.ackOwed = false;
      this.state.effects.send(this.leader, [
        Kind.prepareAck,
        partition,
        this.state.ballot,
        this.logged,
        this.state.attempt,
        0,
      ]);
    }
  }

  tick(nowMs: number): void {
    const { partition, self, graceMs, repeatMs } = this.state.options;
    // silence under an earlier ballot is no fault of this one's primary, whose first beacon may be under way
    if (this.graceBallot !== this.state.ballot) this.joined(nowMs);
    if (nowMs - this.lastBeaconMs <= graceMs) return;
    // its beacons are behind a large mutation: not silence, and waiting longer is always safe
    if (this.state.effects.receiving(this.leader)) return this.forgive(nowMs);
    // from here on this ballot's primary gets no lease from us, whatever meta says
    this.gaveUpBallot = this.state.ballot;
    if (this.state.configuration.ballot !== this.state.ballot) return;
    if (nowMs - this.pendingSinceMs <= repeatMs) return;
    const others = this.state.configuration.secondaries.filter((seat) => !sameSeat(seat, self));
    this.pendingSinceMs = nowMs;
    this.state.effects.propose({
      partition,
      ballot: this.state.ballot,
      primary: self,
      secondaries: others,
      handover: false,
    });
  }
}
