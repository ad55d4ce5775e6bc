/**
 * A learner's side of learning. Every attempt is a new stay: what an earlier stay logged is never replayed
 * into it. With a snapshot, the copy is written to a store of its own beside the old one; mutations that
 * are committed meanwhile are only logged. Once the copy is complete and synced it replaces the old store
 * in one step, and what was logged meanwhile is applied from the log, page by page.
 */
import { crc32 } from 'node:zlib';
import { sameSeat, type Seat } from '../../shared/cluster.js';
import { limits } from '../../shared/limits.js';
import {
  Kind,
  type LearnBeginMessage,
  type LearnChunkMessage,
  type LearnPlanMessage,
  type Message,
} from '../../shared/wire/messages.js';
import { PrepareList, type Prepared } from '../replication/prepare-list.js';
import { toBuffer } from '../storage/keys.js';
import type { Store, Write } from '../storage/store.js';
import { APPLIED_KEY, encodeApplied } from './applier.js';
import { copyName, newStayName, storeName } from './names.js';
import type { Partition } from './partition.js';
import { loadState } from './state.js';

/** How often what the teacher waits for is repeated. */
const REPEAT_MS = 1_000;
const CATCH_UP_BYTES = 8 * 1024 * 1024;

interface Copying {
  readonly teacher: Seat;
  readonly attempt: number;
  snapshotDecree: number;
  copy: Store | null;
  nextChunk: number;
  writing: boolean;
  /** What it told the teacher it holds; null: not yet. */
  committed: number | null;
  /** The copy is complete: what was logged meanwhile is being applied ... */
  catchingUp: boolean;
  /** ... and now it is: it may be proposed. */
  ready: boolean;
  saidMs: number;
}

export class Learning {
  private readonly partition: Partition;
  private current: Copying | null = null;
  /** The store is being replaced, or what was logged meanwhile is being applied: commits are only logged. */
  installing = false;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  /** True when the mutation is taken care of here: it will be applied from the log. */
  onCommit(_entry: Prepared): boolean {
    if (!this.installing) return false;
    const { list } = this.partition.replica;
    list.trim(list.committed, limits.retainedBytes / 2, limits.retainedMutations);
    return true;
  }

  /** The replica is a learner no more (or never was): nothing to abandon once installed. */
  onNoLearner(): void {
    const { current } = this;
    if (current === null || this.partition.replica.role === 'secondary') return;
    this.abandon(current, null);
  }

  onMessage(from: Seat, message: Message): void {
    if (message[0] === Kind.learnBegin) {
      this.onBegin(from, message as unknown as LearnBeginMessage);
      return;
    }
    const { current } = this;
    if (current === null || !sameSeat(current.teacher, from) || message[2] !== current.attempt) return;
    if (message[0] === Kind.learnPlan) this.onPlan(current, message as unknown as LearnPlanMessage);
    else if (message[0] === Kind.learnChunk) this.onChunk(current, message as unknown as LearnChunkMessage);
  }

  private onBegin(from: Seat, message: LearnBeginMessage): void {
    const [, , attempt, ballot] = message;
    const { partition } = this;
    const { replica } = partition;
    if (this.current?.attempt === attempt && sameSeat(this.current.teacher, from)) {
      // repeated: the answer may have been lost
      this.sendState(this.current);
      return;
    }
    if (
      ballot < replica.ballot ||
      replica.role === 'primary' ||
      (replica.role === 'secondary' && ballot === replica.ballot)
    ) {
      partition.host.send(from.node, [
        Kind.learnFailed,
        partition.id,
        attempt,
        `it is ${replica.role} of ballot ${replica.ballot}`,
      ]);
      return;
    }
    if (this.installing) {
      // one step of an earlier attempt is still under way: the teacher repeats
      if (this.current !== null) this.abandon(this.current, 'a newer attempt');
      return;
    }
    this.current = {
      teacher: from,
      attempt,
      snapshotDecree: 0,
      copy: null,
      nextChunk: 0,
      writing: false,
      committed: null,
      catchingUp: false,
      ready: false,
      saidMs: 0,
    };
    replica.leave();
    partition.applier.whenApplied(() =>
      this.newStay((committed) => {
        if (this.current?.attempt !== attempt) return;
        replica.startLearning(from, attempt, ballot, new PrepareList(committed));
        this.current.committed = committed;
        this.sendState(this.current);
      }),
    );
  }

  /** What is applied is synced under a new stay; the log of the old one is over. */
  private newStay(done: (committed: number) => void): void {
    const { partition } = this;
    const old = partition.stay;
    const stay = newStayName(partition.host);
    partition.applier.checkpoint(stay, partition.replica.ballot, () => {
      partition.stay = stay;
      partition.host.log.forget(partition.id, old);
      done(partition.applier.applied);
    });
  }

  private sendState({ teacher, attempt, committed }: Copying): void {
    const { partition } = this;
    if (committed === null) return;
    const { contentBallot } = partition.applier.state;
    partition.host.send(teacher.node, [Kind.learnState, partition.id, attempt, committed, contentBallot]);
  }

  private becomeReady(current: Copying): void {
    current.ready = true;
    this.say(current);
  }

  /** Messages get lost with their connection: what the teacher waits for is said again and again. */
  tick(nowMs: number): void {
    const { current, partition } = this;
    if (current === null || partition.replica.role !== 'learner' || nowMs - current.saidMs < REPEAT_MS) return;
    current.saidMs = nowMs;
    this.say(current);
  }

  private say(current: Copying): void {
    if (current.ready) {
      const { partition } = this;
      partition.host.send(current.teacher.node, [Kind.learnReady, partition.id, current.attempt]);
    } else if (current.catchingUp) this.sendState(current);
  }

  private onPlan(current: Copying, message: LearnPlanMessage): void {
    const [, id, attempt, snapshotDecree] = message;
    const { partition } = this;
    if (current.snapshotDecree !== 0 || current.copy !== null || this.installing) return;
    if (snapshotDecree === 0) {
      this.becomeReady(current);
      return;
    }
    current.snapshotDecree = snapshotDecree;
    this.installing = true;
    partition.logger.info({ teacher: current.teacher.node, decree: snapshotDecree }, 'copying a snapshot');
    // prepares after the snapshot follow at once: they belong to a stay of their own
    partition.host.log.forget(partition.id, partition.stay);
    partition.stay = newStayName(partition.host);
    partition.replica.startLearning(
      current.teacher,
      attempt,
      partition.replica.ballot,
      new PrepareList(snapshotDecree),
    );
    const name = copyName(id);
    partition.host.stores.destroy(name, (error) => {
      if (error !== null) return partition.host.fatal(error);
      partition.host.stores.open(name, (failed, copy) => {
        if (failed !== null || copy === undefined) return partition.host.fatal(failed ?? new Error('no store'));
        current.copy = copy;
        if (this.current !== current) this.abandon(current, null);
        else this.writeChunks(current);
      });
    });
  }

  private waitingChunks: LearnChunkMessage[] = [];

  private onChunk(current: Copying, message: LearnChunkMessage): void {
    if (this.waitingChunks.length >= 2 * limits.learnWindowChunks)
      return this.abandon(current, 'more chunks than the window');
    this.waitingChunks.push(message);
    this.writeChunks(current);
  }

  private writeChunks(current: Copying): void {
    const { partition } = this;
    const { copy } = current;
    const message = this.waitingChunks[0];
    if (copy === null || message === undefined || current.writing || this.current !== current) return;
    this.waitingChunks.shift();
    const [, , attempt, index, last, crc, entries] = message;
    if (index !== current.nextChunk) return this.abandon(current, `chunk ${index} where ${current.nextChunk} was due`);
    current.nextChunk++;
    const writes: Write[] = [];
    let sum = 0;
    for (let i = 0; i + 1 < entries.length; i += 2) {
      const key = entries[i]!;
      const value = entries[i + 1]!;
      sum = crc32(value, crc32(key, sum));
      writes.push({ key, value });
    }
    if (sum !== crc) return this.abandon(current, `chunk ${index} arrived damaged`);
    if (last) {
      const { ballot } = partition.replica;
      const { timeMs, table } = partition.applier.state;
      const { snapshotDecree: decree } = current;
      const applied = { decree, stay: partition.stay, ballot, contentBallot: ballot, timeMs, table };
      writes.push({ key: toBuffer(APPLIED_KEY), value: encodeApplied(applied) });
    }
    current.writing = true;
    copy.write(writes, last, (error) => {
      current.writing = false;
      if (this.current !== current) return this.discard(current);
      if (error !== null) return this.abandon(current, error.message);
      partition.host.send(current.teacher.node, [Kind.learnChunkAck, partition.id, attempt, index]);
      if (last) this.install(current, copy);
      else this.writeChunks(current);
    });
  }

  /** The copy replaces the store: from here on there is no way back to the old one. */
  private install(current: Copying, copy: Store): void {
    const { partition } = this;
    const { stores } = partition.host;
    const fail = (error: Error | null): void => partition.host.fatal(error ?? new Error('a store is missing'));
    current.copy = null;
    current.catchingUp = true;
    partition.applier.close();
    copy.close((error) => {
      if (error !== null) return fail(error);
      partition.store.close((unclosed) => {
        if (unclosed !== null) return fail(unclosed);
        stores.replace(copyName(partition.id), storeName(partition.id), (unreplaced) => {
          if (unreplaced !== null) return fail(unreplaced);
          stores.open(storeName(partition.id), (unopened, store) => {
            if (unopened !== null || store === undefined) return fail(unopened);
            loadState(store, (unread, loaded) => {
              if (unread !== null || loaded === undefined || loaded.applied === null) return fail(unread);
              partition.store = store;
              partition.applier = partition.newApplier(store, { ...loaded, applied: loaded.applied });
              partition.logger.info({ decree: loaded.applied.decree }, 'snapshot installed');
              this.catchUp(current);
            });
          });
        });
      });
    });
  }

  /** Applies what was committed since the snapshot: from memory where it is still there, else from the log. */
  private catchUp(current: Copying): void {
    const { partition } = this;
    const { list } = partition.replica;
    const next = partition.applier.state.decree + 1;
    if (next > list.committed || list.get(next) !== undefined) {
      for (let decree = next; decree <= list.committed; decree++) partition.applier.push(list.get(decree)!);
      this.installing = false;
      if (this.current === current) this.becomeReady(current);
      return;
    }
    const page = new Map<number, Prepared>();
    let bytes = 0;
    partition.host.log.read(
      partition.id,
      partition.stay,
      next,
      ({ decree, ballot, body }) => {
        if (decree > list.committed) return true;
        if (!page.has(decree)) bytes += body.length;
        page.set(decree, { decree, ballot, body, decoded: null });
        return bytes < CATCH_UP_BYTES;
      },
      (error) => {
        if (error !== null) return partition.fail(error);
        for (let decree = next; page.has(decree); decree++) partition.applier.push(page.get(decree)!);
        partition.applier.whenApplied(() => this.catchUp(current));
      },
    );
  }

  private abandon(current: Copying, reason: string | null): void {
    if (this.current === current) {
      this.current = null;
      this.waitingChunks = [];
    }
    const { partition } = this;
    if (reason !== null) {
      partition.logger.warn({ reason }, 'learning failed');
      partition.host.send(current.teacher.node, [Kind.learnFailed, partition.id, current.attempt, reason]);
    }
    if (current.snapshotDecree === 0) return;
    if (!current.writing) this.discard(current);
  }

  /** The half-made copy goes; the old store is as it was, but its stay's log is forgotten: it starts from what is applied. */
  private discard(current: Copying): void {
    const { copy } = current;
    if (copy === null) return;
    current.copy = null;
    const { partition } = this;
    copy.close(() =>
      partition.host.stores.destroy(copyName(partition.id), () => {
        if (partition.replica.role === 'learner' || partition.replica.role === 'inactive') {
          partition.replica.leave(new PrepareList(partition.applier.applied));
          this.newStay(() => {
            this.installing = false;
          });
        }
      }),
    );
  }
}
