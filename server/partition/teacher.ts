/**
 * A primary's side of learning (design: section 6). A learner that is nearly up to date gets only the
 * mutations it lacks, from memory; another gets a snapshot of the store at a known decree, in small
 * pages at the server's pace, while prepares after that decree go to its log already. The primary
 * proposes it once it has installed what it copied and holds everything committed.
 *
 *   begun ──learnState──▶ catching-up ──a configuration with the learner──▶ over
 *     └──learnState, when it is this one's turn──▶ snapshot ──learnReady──▶ catching-up
 *
 * Messages may be lost with a connection. Until they are answered, learnBegin and learnPlan are repeated; the learner
 * repeats which page it needs, and from there the same snapshot goes on. Another boot of either side begins anew.
 */
import { sameSeat, type Seat } from '../../shared/cluster.js';
import type { Timer } from '../../shared/environment.js';
import { limits } from '../../shared/limits.js';
import { Kind, type LearnPageAckMessage, type LearnStateMessage, type Message } from '../../shared/wire/messages.js';
import { everything, keyAfter, toBuffer } from '../storage/keys.js';
import type { Entry, Snapshot } from '../storage/store.js';
import { APPLIED_KEY, decodeApplied } from './applier.js';
import { encodePage } from './page.js';
import type { Partition } from './partition.js';

/** An attempt in which nothing moves for this long is given up; meta asks again. */
const ATTEMPT_TIMEOUT_MS = 15_000;
const BEGIN_REPEAT_MS = 1_000;
/** A page that is under way for this long, while the learner says that it waits for it, is lost. */
const LOST_MS = 1_500;
const PROGRESS_MS = 10_000;

interface Lesson {
  readonly seat: Seat;
  readonly attempt: number;
  /** For the turns of this server. */
  readonly name: string;
  stage: 'begun' | 'snapshot' | 'catching-up';
  movedMs: number;
  begunMs: number;
  snapshot: Snapshot | null;
  /** Of the snapshot; 0: there is none. */
  snapshotDecree: number;
  /** Where each page that the learner has not acknowledged begins, and the one to read next. */
  begins: Buffer[];
  ackedPages: number;
  /** The index of the page to read next is `ackedPages` plus this. */
  unackedPages: number;
  reading: boolean;
  sentAll: boolean;
  sentMs: number;
  sentBytes: number;
  /** What the learner says it logged since the snapshot. */
  loggedBytes: number;
  /** When the pace lets the next page go, and what wakes it up then. */
  nextPageMs: number;
  timer: Timer | null;
  progressMs: number;
  /** Mutations above this are needed and must stay in memory, until prepares are sent. */
  pinned: number;
}

export class Teaching {
  private readonly partition: Partition;
  private readonly lessons = new Map<string, Lesson>();
  /** They grow, so that a learner knows an earlier one. */
  private lastAttempt = 0;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  nodes(): string[] {
    return [...this.lessons.keys()];
  }

  /**
   * Mutations above this may still be needed by a learner: one whose snapshot is being taken, or one that lags, as long
   * as what is kept for it has a bound.
   */
  pinnedDecree(): number {
    let pinned = Number.POSITIVE_INFINITY;
    const { replica } = this.partition;
    const lagging = replica.list.bytes <= limits.learnerLagBytes;
    for (const lesson of this.lessons.values()) {
      pinned = Math.min(pinned, lesson.pinned);
      const follower = replica.followers.get(lesson.seat.node);
      if (lagging && follower !== undefined) pinned = Math.min(pinned, follower.acked);
    }
    return pinned;
  }

  /** Meta asks; a repetition for the same seat changes nothing. */
  begin(seat: Seat): void {
    const { partition } = this;
    const known = this.lessons.get(seat.node);
    if (known !== undefined && sameSeat(known.seat, seat)) return;
    if (partition.replica.configuration.secondaries.some((member) => sameSeat(member, seat))) return;
    // asked before meta learned that it is proposed: a lesson now would take away what it was proposed with
    if (partition.replica.isProposed(seat.node)) return;
    if (known !== undefined) this.end(known, 'another boot');
    if (partition.replica.whole) return;
    partition.replica.forgetLearner(seat.node);
    const now = this.now();
    const lesson: Lesson = {
      seat,
      attempt: ++this.lastAttempt,
      name: `${partition.id}:${seat.node}`,
      stage: 'begun',
      movedMs: now,
      begunMs: 0,
      snapshot: null,
      snapshotDecree: 0,
      begins: [toBuffer(everything.gte)],
      ackedPages: 0,
      unackedPages: 0,
      reading: false,
      sentAll: false,
      sentMs: 0,
      sentBytes: 0,
      loggedBytes: 0,
      nextPageMs: 0,
      timer: null,
      progressMs: now,
      pinned: Number.POSITIVE_INFINITY,
    };
    this.lessons.set(seat.node, lesson);
    partition.logger.info({ learner: seat.node, attempt: lesson.attempt }, 'teaching a learner');
    this.sendBegin(lesson);
  }

  private sendBegin(lesson: Lesson): void {
    lesson.begunMs = this.now();
    const { partition } = this;
    partition.host.send(lesson.seat.node, [Kind.learnBegin, partition.id, lesson.attempt, partition.replica.ballot]);
  }

  private sendPlan({ seat, attempt, snapshotDecree }: Lesson): void {
    this.partition.host.send(seat.node, [Kind.learnPlan, this.partition.id, attempt, snapshotDecree]);
  }

  onMessage(from: Seat, message: Message): void {
    const lesson = this.lessons.get(from.node);
    if (lesson === undefined || !sameSeat(lesson.seat, from) || message[2] !== lesson.attempt) return;
    lesson.movedMs = this.now();
    switch (message[0]) {
      case Kind.learnState:
        this.onState(lesson, message as unknown as LearnStateMessage);
        break;
      case Kind.learnPageAck:
        lesson.loggedBytes = (message as unknown as LearnPageAckMessage)[4];
        this.onPageAck(lesson, (message as unknown as LearnPageAckMessage)[3]);
        break;
      case Kind.learnReady:
        lesson.stage = 'catching-up';
        this.closeSnapshot(lesson);
        this.partition.replica.learnerReady(lesson.seat.node, lesson.attempt);
        break;
      case Kind.learnFailed:
        this.end(lesson, String(message[3]));
        break;
      default:
    }
  }

  private onState(lesson: Lesson, message: LearnStateMessage): void {
    const [, , , committed, ballot] = message;
    if (committed < 0) return; // it waits for its turn
    if (lesson.stage !== 'begun') {
      if (lesson.pinned === Number.POSITIVE_INFINITY) this.sendPlan(lesson);
      return;
    }
    const { partition } = this;
    const { list } = partition.replica;
    const forced = partition.identity?.info.forced ?? [];
    const divergent = forced.find((choice) => ballot < choice.ballot && committed > choice.decree);
    if (divergent !== undefined) {
      const facts = { learner: lesson.seat.node, decree: committed, ballot, forcedAt: divergent.ballot };
      partition.logger.warn(
        facts,
        'a copy from before a forced recovery goes further than the one chosen; it learns again whole',
      );
    } else if (committed >= list.base && committed <= list.last) {
      lesson.stage = 'catching-up';
      return this.startPrepares(lesson, committed);
    }
    if (partition.host.teachers.ask(lesson.name, this.now())) this.takeSnapshot(lesson);
  }

  /** From `after` on the learner gets what is prepared. */
  private startPrepares(lesson: Lesson, after: number): void {
    const { partition } = this;
    this.sendPlan(lesson);
    partition.replica.addLearner(lesson.seat, lesson.attempt, after, this.now());
    partition.host.beaconSoon();
  }

  private takeSnapshot(lesson: Lesson): void {
    const { partition } = this;
    lesson.stage = 'snapshot';
    lesson.pinned = partition.applier.applied;
    const snapshot = partition.store.snapshot();
    lesson.snapshot = snapshot;
    snapshot.get(toBuffer(APPLIED_KEY), (error, value) => {
      if (this.lessons.get(lesson.seat.node) !== lesson) return;
      if (error !== null || value === undefined) return this.end(lesson, error?.message ?? 'nothing is applied yet');
      lesson.snapshotDecree = decodeApplied(value).decree;
      lesson.progressMs = this.now();
      partition.logger.info({ learner: lesson.seat.node, decree: lesson.snapshotDecree }, 'sending a snapshot');
      this.startPrepares(lesson, lesson.snapshotDecree);
      lesson.pinned = Number.POSITIVE_INFINITY;
      this.pump(lesson);
    });
  }

  private onPageAck(lesson: Lesson, next: number): void {
    if (lesson.stage !== 'snapshot' || next > lesson.ackedPages + lesson.unackedPages) return;
    if (next > lesson.ackedPages) {
      lesson.begins.splice(0, next - lesson.ackedPages);
      lesson.unackedPages -= next - lesson.ackedPages;
      lesson.ackedPages = next;
      if (lesson.sentAll && lesson.unackedPages === 0) this.closeSnapshot(lesson);
    } else if (next === lesson.ackedPages && lesson.unackedPages > 0 && !lesson.reading) {
      // it says again that it waits
      if (this.now() - lesson.sentMs > LOST_MS && !this.congested(lesson)) this.sendAgain(lesson);
    }
    this.pump(lesson);
  }

  private sendAgain(lesson: Lesson): void {
    this.partition.logger.info({ learner: lesson.seat.node, page: lesson.ackedPages }, 'pages were lost; sent again');
    lesson.begins.length = 1;
    lesson.unackedPages = 0;
    lesson.sentAll = false;
  }

  private congested(lesson: Lesson): boolean {
    return this.partition.host.queuedBytes(lesson.seat.node) > limits.linkQueueBytes;
  }

  /** Reads and sends the next page if window, link and pace allow. */
  private pump(lesson: Lesson): void {
    const { host } = this.partition;
    if (lesson.stage !== 'snapshot' || lesson.snapshotDecree === 0 || lesson.snapshot === null) return;
    if (lesson.reading || lesson.sentAll || lesson.timer !== null) return;
    if (lesson.unackedPages >= limits.learnWindowPages || this.congested(lesson)) return;
    const waitMs = lesson.nextPageMs - this.now();
    if (waitMs > 0) {
      lesson.timer = host.environment.after(waitMs, () => {
        lesson.timer = null;
        this.pump(lesson);
      });
      return;
    }
    lesson.reading = true;
    const page = {
      gte: lesson.begins[lesson.unackedPages]!,
      lt: toBuffer(everything.lt),
      limit: limits.learnPageEntries,
      limitBytes: limits.learnPageBytes,
      background: true,
    };
    lesson.snapshot.range(page, (error, entries) => {
      lesson.reading = false;
      if (this.lessons.get(lesson.seat.node) !== lesson || lesson.stage !== 'snapshot') return;
      if (error !== null || entries === undefined) return this.end(lesson, error?.message ?? 'no entries');
      this.sendPage(lesson, entries);
      this.pump(lesson);
    });
  }

  private sendPage(lesson: Lesson, entries: Entry[]): void {
    const { host, id } = this.partition;
    const now = this.now();
    const last = entries.length === 0;
    const index = lesson.ackedPages + lesson.unackedPages++;
    const { bytes, crc } = encodePage(entries);
    host.send(lesson.seat.node, [Kind.learnPage, id, lesson.attempt, index, last, crc, bytes]);
    lesson.sentMs = now;
    lesson.sentBytes += bytes.length;
    if (last) lesson.sentAll = true;
    else lesson.begins.push(keyAfter(entries[entries.length - 1]!.key));
    lesson.nextPageMs = host.pace.next(lesson.nextPageMs, now, bytes.length, host.teachers.count, lesson.loggedBytes);
    if (now - lesson.progressMs < PROGRESS_MS) return;
    lesson.progressMs = now;
    this.partition.logger.info(
      { learner: lesson.seat.node, sentBytes: lesson.sentBytes, ...host.pace.facts },
      'a snapshot is being copied',
    );
  }

  tick(nowMs: number): void {
    for (const lesson of this.lessons.values()) {
      const follower = this.partition.replica.followers.get(lesson.seat.node);
      if (this.partition.host.isGone(lesson.seat)) this.end(lesson, 'its server restarted');
      else if (this.partition.replica.whole) this.end(lesson, 'there are as many members as there should be');
      else if (lesson.stage === 'begun' && nowMs - lesson.begunMs > BEGIN_REPEAT_MS) this.sendBegin(lesson);
      else if (
        follower !== undefined &&
        follower.acked < this.partition.replica.list.base &&
        lesson.pinned === Number.POSITIVE_INFINITY
      ) {
        this.end(lesson, 'it fell behind what is kept in memory');
      } else if (nowMs - lesson.movedMs > ATTEMPT_TIMEOUT_MS) this.end(lesson, 'nothing moves');
      else this.pump(lesson);
    }
  }

  /** A learner that became a secondary needs no teacher. */
  onConfiguration(): void {
    for (const lesson of this.lessons.values()) {
      if (this.partition.replica.configuration.secondaries.some((seat) => sameSeat(seat, lesson.seat))) {
        this.forget(lesson);
        this.partition.logger.info({ learner: lesson.seat.node }, 'a learner became a secondary');
      }
    }
  }

  private end(lesson: Lesson, reason: string): void {
    this.forget(lesson);
    this.partition.replica.removeLearner(lesson.seat.node, lesson.attempt);
    const { seat, sentBytes } = lesson;
    this.partition.logger.warn({ learner: seat.node, reason, sentBytes }, 'gave up teaching');
  }

  private forget(lesson: Lesson): void {
    this.closeSnapshot(lesson);
    if (this.lessons.get(lesson.seat.node) === lesson) this.lessons.delete(lesson.seat.node);
  }

  /** The copy is over, one way or the other: another lesson has its turn. */
  private closeSnapshot(lesson: Lesson): void {
    lesson.timer?.cancel();
    lesson.timer = null;
    lesson.snapshot?.close();
    lesson.snapshot = null;
    this.partition.host.teachers.leave(lesson.name);
  }

  stop(): void {
    for (const lesson of this.lessons.values()) this.forget(lesson);
  }

  private now(): number {
    return this.partition.host.environment.monotonicMs();
  }
}
