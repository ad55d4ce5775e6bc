/**
 * A few replicas of one partition in memory, for readable scenarios: the test holds back, drops and reorders messages
 * between any two, decides when an append is logged or fails, plays meta, and moves the clock.
 *
 *   const group = new Group().configure(1, 'a', ['b', 'c']);
 *   group.beat();              // beacons: a holds its lease and serves
 *   group.write('a', 'x');     // prepared
 *   group.settle();            // messages and log completions, until nothing moves
 */
import type { Configuration, Proposal, Seat } from '../../../shared/cluster.js';
import { invariant } from '../../../shared/errors.js';
import {
  Kind,
  type BeaconAckMessage,
  type BeaconMessage,
  type Message,
  type PrepareAckMessage,
  type PrepareMessage,
  type PrepareRejectMessage,
} from '../../../shared/wire/messages.js';
import type { ReplicaEffects, ReplicaOptions } from '../../../server/replication/effects.js';
import { decodeMutation, encodeMutation, MutationKind } from '../../../server/replication/mutation.js';
import { PrepareList, type Prepared } from '../../../server/replication/prepare-list.js';
import { Replica } from '../../../server/replication/replica.js';

export const timing = {
  leaseMs: 100,
  graceMs: 130,
  followerTimeoutMs: 75,
  stallTimeoutMs: 400,
  repeatMs: 25,
} as const;

export const PARTITION = 1;
const BALLOT_START = 'ballot-start';

interface Append {
  readonly entry: Prepared;
  /** Of the entry when it was appended: an entry's own ballot grows when it is prepared again. */
  readonly ballot: number;
  readonly done: (error: Error | null) => void;
}

interface Envelope {
  readonly from: Member;
  readonly to: string;
  readonly message: Message;
}

export class Member {
  readonly seat: Seat;
  readonly replica: Replica;
  /** False: appends wait until the test calls `log` or `failLog`. */
  logsAtOnce = true;
  appends: Append[] = [];
  /** What its log holds, as `text@ballot`. */
  readonly logged: string[] = [];
  readonly committed: string[] = [];
  readonly proposals: Proposal[] = [];
  readonly failures: string[] = [];
  readonly warnings: string[] = [];
  serving = false;
  backlogged = false;
  /** Nodes to which much is queued and has not left yet. */
  readonly busyTo = new Set<string>();
  /** Nodes from which something large is on its way in. */
  readonly receivingFrom = new Set<string>();
  running = true;
  metaLeaseUntilMs = 0;
  flushDue = false;

  constructor(group: Group, seat: Seat, options: Partial<ReplicaOptions>) {
    this.seat = seat;
    const effects: ReplicaEffects = {
      send: (to, message) => void group.queue.push({ from: this, to, message }),
      append: (entry, _committed, done) => void this.appends.push({ entry, ballot: entry.ballot, done }),
      commit: (entry) => void this.committed.push(textOf(entry.body)),
      propose: (proposal) => void this.proposals.push(proposal),
      ballotStart: () => bodyOf(BALLOT_START),
      serving: (yes) => {
        this.serving = yes;
      },
      flushSoon: () => {
        this.flushDue = true;
      },
      isGone: (other) => group.gone.has(`${other.node}/${other.boot}`),
      metaLeaseUntilMs: () => this.metaLeaseUntilMs,
      busy: (node) => this.busyTo.has(node),
      receiving: (node) => this.receivingFrom.has(node),
      backlogged: () => this.backlogged,
      warn: (node, what) => void this.warnings.push(`${node}: ${what}`),
      fail: (error) => void this.failures.push(error.message),
    };
    this.replica = new Replica(
      {
        partition: PARTITION,
        self: seat,
        minReplicas: () => 2,
        replicas: () => 3,
        windowBytes: 1 << 20,
        ...timing,
        ...options,
      },
      effects,
      { ballot: 0, list: new PrepareList(0) },
    );
  }

  /** The oldest append that waits is in the log. */
  log(): void {
    const append = this.appends.shift();
    invariant(append !== undefined, `${this.seat.node} appends something`);
    this.logged.push(`${textOf(append.entry.body)}@${append.ballot}`);
    append.done(null);
  }

  failLog(): void {
    for (const { done } of this.appends.splice(0)) done(new Error('the disk is broken'));
  }

  /** What it holds, committed or not. */
  get prepared(): string[] {
    const { list } = this.replica;
    return Array.from({ length: list.last - list.base }, (_, i) => textOf(list.get(list.base + 1 + i)!.body));
  }

  get newestProposal(): Proposal {
    const proposal = this.proposals[this.proposals.length - 1];
    invariant(proposal !== undefined, `${this.seat.node} proposed something`);
    return proposal;
  }
}

export class Group {
  nowMs = 1_000;
  queue: Envelope[] = [];
  /** Boots that meta has declared dead, as `node/boot`. */
  readonly gone = new Set<string>();
  readonly members = new Map<string, Member>();
  private readonly held = new Set<string>();
  private readonly options: Partial<ReplicaOptions>;

  constructor(options: Partial<ReplicaOptions> = {}) {
    this.options = options;
  }

  /** The member called `name`, made when first asked for. */
  member(name: string): Member {
    let member = this.members.get(name);
    if (member === undefined) {
      member = new Member(this, seat(name), this.options);
      this.members.set(name, member);
    }
    return member;
  }

  configuration(
    ballot: number,
    primary: string,
    secondaries: readonly string[],
    predecessorGone = false,
  ): Configuration {
    return {
      partition: PARTITION,
      ballot,
      primary: seat(primary),
      secondaries: secondaries.map(seat),
      predecessorGone: predecessorGone || ballot === 1,
    };
  }

  /** Meta's decision reaches everybody in it, or only those of `to`; then everything settles. */
  configure(ballot: number, primary: string, secondaries: readonly string[], to?: readonly string[]): this {
    for (const name of to ?? [primary, ...secondaries]) {
      const { replica, running } = this.member(name);
      if (running) replica.onConfiguration(this.configuration(ballot, primary, secondaries), this.nowMs);
    }
    return this.settle();
  }

  /** Configures `primary` with these secondaries, and it serves. */
  serve(primary: string, secondaries: readonly string[]): this {
    return this.configure(1, primary, secondaries).beat();
  }

  /** Meta answers the member's proposal with the configuration that is then in force. */
  answer(name: string, configuration: Configuration): this {
    this.member(name).replica.onProposalAnswer(configuration, this.nowMs);
    return this.settle();
  }

  write(primary: string, text: string): number {
    return this.member(primary).replica.prepare(bodyOf(text), null);
  }

  /** A learner that has copied everything up to what the primary has committed. */
  learner(primary: string, name: string, attempt = 1): this {
    const teacher = this.member(primary);
    const { replica } = this.member(name);
    const { committed } = teacher.replica.list;
    replica.startLearning(teacher.seat, attempt, teacher.replica.ballot, new PrepareList(committed));
    teacher.replica.addLearner(seat(name), attempt, committed, this.nowMs);
    return this.settle();
  }

  canExecute(name: string): boolean {
    return this.member(name).replica.canExecute(this.nowMs);
  }

  /** Who may execute operations at this instant. */
  get primaries(): string[] {
    return [...this.members].filter(([name, { running }]) => running && this.canExecute(name)).map(([name]) => name);
  }

  // ---- messages ----------------------------------------------------------------------------------

  /** Messages between the two, either way, stay in the queue. */
  hold(a: string, b: string): this {
    this.held.add(`${a}>${b}`).add(`${b}>${a}`);
    return this;
  }

  release(a: string, b: string): this {
    this.held.delete(`${a}>${b}`);
    this.held.delete(`${b}>${a}`);
    return this;
  }

  /** What waits between the two is lost. */
  drop(a: string, b: string): this {
    this.queue = this.queue.filter(
      ({ from, to }) => !((from.seat.node === a && to === b) || (from.seat.node === b && to === a)),
    );
    return this;
  }

  /** What waits from one to the other, in the order of its arrival. */
  waiting(from: string, to: string): Message[] {
    return this.queue
      .filter((letter) => letter.from.seat.node === from && letter.to === to)
      .map(({ message }) => message);
  }

  /** The process does nothing any more; what it had sent is still under way. */
  kill(name: string): this {
    this.member(name).running = false;
    return this;
  }

  /** Messages, log completions and flushes, until nothing moves but what is held back. */
  settle(): this {
    for (let moved = true, turns = 0; moved; turns++) {
      invariant(turns < 10_000, 'messages come to an end');
      moved = false;
      for (const member of this.members.values()) {
        if (!member.running) continue;
        for (; member.logsAtOnce && member.appends.length > 0; moved = true) member.log();
        if (member.flushDue) {
          member.flushDue = false;
          member.replica.flush(this.nowMs);
          moved = true;
        }
      }
      const at = this.queue.findIndex(({ from, to }) => !this.held.has(`${from.seat.node}>${to}`));
      const [letter] = at < 0 ? [] : this.queue.splice(at, 1);
      if (letter === undefined) continue;
      moved = true;
      const { running } = this.member(letter.to);
      if (running) this.deliver(letter.from.seat, letter.to, letter.message);
    }
    return this;
  }

  deliver(from: Seat, to: string, message: Message): void {
    const { replica, seat: self } = this.member(to);
    if (message[0] === Kind.prepare) replica.onPrepare(from, message as unknown as PrepareMessage);
    else if (message[0] === Kind.prepareAck)
      replica.onPrepareAck(from, message as unknown as PrepareAckMessage, this.nowMs);
    else if (message[0] === Kind.prepareReject)
      replica.onPrepareReject(from, message as unknown as PrepareRejectMessage, this.nowMs);
    else if (message[0] === Kind.beacon) {
      const [, sentAt, entries] = message as unknown as BeaconMessage;
      for (const [id, ballot, committed] of entries) {
        if (!replica.onBeacon(from, ballot, committed, this.nowMs)) continue;
        this.queue.push({
          from: this.member(self.node),
          to: from.node,
          message: [Kind.beaconAck, sentAt, [[id, ballot]]],
        });
      }
    } else {
      const [, sentAt, entries] = message as unknown as BeaconAckMessage;
      for (const [, ballot] of entries) replica.onBeaconAck(from, ballot, sentAt, this.nowMs);
    }
  }

  // ---- time --------------------------------------------------------------------------------------

  /** Every primary sends its beacons. */
  beat(): this {
    for (const member of this.members.values()) {
      const { replica, running } = member;
      if (!running || !replica.beating) continue;
      for (const to of replica.followers.keys()) {
        const message: BeaconMessage = [Kind.beacon, this.nowMs, [[PARTITION, replica.ballot, replica.list.committed]]];
        this.queue.push({ from: member, to, message });
      }
    }
    return this.settle();
  }

  /** Time passes in small steps: each with ticks, and, unless told otherwise, beacons. */
  pass(ms: number, options: { beacons?: boolean } = {}): this {
    const end = this.nowMs + ms;
    while (this.nowMs < end) {
      this.nowMs = Math.min(end, this.nowMs + 10);
      this.tick();
      if (options.beacons !== false) this.beat();
    }
    return this;
  }

  tick(): this {
    for (const { replica, running } of this.members.values()) if (running) replica.tick(this.nowMs);
    return this.settle();
  }
}

export function seat(name: string): Seat {
  return { node: name, boot: '1-boot' };
}

export function bodyOf(text: string): Buffer {
  const kind = text === BALLOT_START ? MutationKind.ballotStart : MutationKind.data;
  return encodeMutation({
    kind,
    origin: 0,
    table: 1,
    partition: PARTITION,
    timeMs: 0,
    groups: [],
    results: [],
    annotations: [[text]],
    sessions: [],
  });
}

function textOf(body: Buffer): string {
  return String(decodeMutation(body).annotations[0]?.[0]);
}
