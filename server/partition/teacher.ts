/**
 * A primary's side of learning (design: section 6). A learner that is nearly up to date gets only the
 * mutations it lacks, from memory; another gets a snapshot of the store at a known decree, in bounded,
 * checksummed, throttled chunks, while prepares after that decree go to its log already. The primary
 * proposes it once it has installed what it copied and holds everything committed.
 */
import { crc32 } from 'node:zlib';
import { sameSeat, type Seat } from '../../shared/cluster.js';
import { limits } from '../../shared/limits.js';
import { Kind, type LearnChunkAckMessage, type LearnStateMessage, type Message } from '../../shared/wire/messages.js';
import { toBuffer, everything } from '../storage/keys.js';
import type { Entry, Snapshot } from '../storage/store.js';
import { APPLIED_KEY, decodeApplied } from './applier.js';
import type { Partition } from './partition.js';

/** An attempt in which nothing moves for this long is given up; meta asks again. */
const ATTEMPT_TIMEOUT_MS = 15_000;
const BEGIN_REPEAT_MS = 1_000;

interface Lesson {
  readonly seat: Seat;
  readonly attempt: number;
  stage: 'begun' | 'snapshot' | 'catching-up';
  movedMs: number;
  begunMs: number;
  snapshot: Snapshot | null;
  /** Where the next page begins. */
  from: Buffer;
  sentChunks: number;
  ackedChunks: number;
  reading: boolean;
  sentAll: boolean;
  /** When the throttle lets the next chunk go. */
  nextChunkMs: number;
  /** Mutations above this are needed and must stay in memory. */
  pinned: number;
}

export class Teaching {
  private readonly partition: Partition;
  private readonly lessons = new Map<string, Lesson>();

  constructor(partition: Partition) {
    this.partition = partition;
  }

  nodes(): string[] {
    return [...this.lessons.keys()];
  }

  /** Mutations above this may still be needed by a learner whose snapshot is being taken. */
  pinnedDecree(): number {
    let pinned = Number.POSITIVE_INFINITY;
    for (const lesson of this.lessons.values()) pinned = Math.min(pinned, lesson.pinned);
    return pinned;
  }

  /** Meta asks; a repetition for the same seat changes nothing. */
  begin(seat: Seat): void {
    const { partition } = this;
    const known = this.lessons.get(seat.node);
    if (known !== undefined && sameSeat(known.seat, seat)) return;
    if (partition.replica.configuration.secondaries.some((member) => sameSeat(member, seat))) return;
    if (known !== undefined) this.end(known, 'another boot');
    if (partition.host.learners.count >= limits.learnersPerServer) return;
    const now = this.now();
    const lesson: Lesson = {
      seat,
      attempt: 1 + Math.floor(partition.host.environment.random() * 0x7ffffffe),
      stage: 'begun',
      movedMs: now,
      begunMs: 0,
      snapshot: null,
      from: toBuffer(everything.gte),
      sentChunks: 0,
      ackedChunks: 0,
      reading: false,
      sentAll: false,
      nextChunkMs: 0,
      pinned: Number.POSITIVE_INFINITY,
    };
    this.lessons.set(seat.node, lesson);
    partition.host.learners.count++;
    partition.logger.info({ learner: seat.node, attempt: lesson.attempt }, 'teaching a learner');
    this.sendBegin(lesson);
  }

  private sendBegin(lesson: Lesson): void {
    lesson.begunMs = this.now();
    const { partition } = this;
    partition.host.send(lesson.seat.node, [Kind.learnBegin, partition.id, lesson.attempt, partition.replica.ballot]);
  }

  onMessage(from: Seat, message: Message): void {
    const lesson = this.lessons.get(from.node);
    if (lesson === undefined || !sameSeat(lesson.seat, from) || message[2] !== lesson.attempt) return;
    lesson.movedMs = this.now();
    switch (message[0]) {
      case Kind.learnState:
        this.onState(lesson, message as unknown as LearnStateMessage);
        break;
      case Kind.learnChunkAck:
        lesson.ackedChunks = Math.max(lesson.ackedChunks, (message as unknown as LearnChunkAckMessage)[3] + 1);
        this.pump(lesson);
        break;
      case Kind.learnReady:
        lesson.stage = 'catching-up';
        this.partition.replica.learnerReady(lesson.seat.node, lesson.attempt);
        break;
      case Kind.learnFailed:
        this.end(lesson, String(message[3]));
        break;
      default:
    }
  }

  private onState(lesson: Lesson, message: LearnStateMessage): void {
    if (lesson.stage !== 'begun') return;
    const [, , attempt, committed, ballot] = message;
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
      partition.host.send(lesson.seat.node, [Kind.learnPlan, partition.id, attempt, 0]);
      partition.replica.addLearner(lesson.seat, attempt, committed, this.now());
      partition.host.beaconSoon();
      return;
    }
    lesson.stage = 'snapshot';
    lesson.pinned = partition.applier.applied;
    const snapshot = partition.store.snapshot();
    lesson.snapshot = snapshot;
    snapshot.get(toBuffer(APPLIED_KEY), (error, value) => {
      if (this.lessons.get(lesson.seat.node) !== lesson) return;
      if (error !== null || value === undefined) return this.end(lesson, error?.message ?? 'nothing is applied yet');
      const { decree } = decodeApplied(value);
      partition.logger.info({ learner: lesson.seat.node, decree }, 'sending a snapshot');
      partition.host.send(lesson.seat.node, [Kind.learnPlan, partition.id, attempt, decree]);
      partition.replica.addLearner(lesson.seat, attempt, decree, this.now());
      partition.host.beaconSoon();
      lesson.pinned = Number.POSITIVE_INFINITY;
      this.pump(lesson);
    });
  }

  /** Reads and sends the next chunk if window, link and throttle allow. */
  private pump(lesson: Lesson): void {
    const { partition } = this;
    if (lesson.stage !== 'snapshot' || lesson.snapshot === null || lesson.reading || lesson.sentAll) return;
    if (lesson.sentChunks - lesson.ackedChunks >= limits.learnWindowChunks) return;
    if (this.now() < lesson.nextChunkMs || partition.host.queuedBytes(lesson.seat.node) > limits.linkQueueBytes) return;
    lesson.reading = true;
    const page = {
      gte: lesson.from,
      lt: toBuffer(everything.lt),
      limit: limits.learnChunkEntries,
      limitBytes: limits.learnChunkBytes,
      background: true,
    };
    lesson.snapshot.range(page, (error, entries) => {
      lesson.reading = false;
      if (this.lessons.get(lesson.seat.node) !== lesson) return;
      if (error !== null || entries === undefined) return this.end(lesson, error?.message ?? 'no entries');
      this.sendChunk(lesson, entries);
      this.pump(lesson);
    });
  }

  private sendChunk(lesson: Lesson, entries: Entry[]): void {
    const { partition } = this;
    const flat: Buffer[] = [];
    let bytes = 0;
    let crc = 0;
    for (const { key, value } of entries) {
      flat.push(key, value);
      crc = crc32(value, crc32(key, crc));
      bytes += key.length + value.length;
    }
    const last = entries.length === 0;
    const index = lesson.sentChunks++;
    partition.host.send(lesson.seat.node, [Kind.learnChunk, partition.id, lesson.attempt, index, last, crc, flat]);
    if (last) {
      lesson.sentAll = true;
      lesson.snapshot?.close();
      lesson.snapshot = null;
    } else lesson.from = Buffer.concat([entries[entries.length - 1]!.key, ZERO]);
    const { learnBytesPerSecond } = partition.host;
    if (learnBytesPerSecond > 0) {
      lesson.nextChunkMs = Math.max(this.now(), lesson.nextChunkMs) + (bytes * 1000) / learnBytesPerSecond;
    }
  }

  tick(nowMs: number): void {
    for (const lesson of this.lessons.values()) {
      const follower = this.partition.replica.followers.get(lesson.seat.node);
      if (this.partition.host.isGone(lesson.seat)) this.end(lesson, 'its server restarted');
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
    this.partition.logger.warn({ learner: lesson.seat.node, reason }, 'gave up teaching');
  }

  private forget(lesson: Lesson): void {
    lesson.snapshot?.close();
    lesson.snapshot = null;
    if (this.lessons.delete(lesson.seat.node)) this.partition.host.learners.count--;
  }

  stop(): void {
    for (const lesson of this.lessons.values()) this.forget(lesson);
  }

  private now(): number {
    return this.partition.host.environment.monotonicMs();
  }
}

const ZERO = Buffer.alloc(1);
