/**
 * A learner's side of learning. Every attempt is a new stay: what an earlier stay logged is never replayed
 * into it. With a snapshot, the copy is written to a store of its own beside the old one; mutations that
 * are committed meanwhile are only logged. Once the copy is complete and synced it replaces the old store
 * in one step, and what was logged meanwhile is applied from the log, page by page (catch-up.ts).
 *
 * Pages come in order of their keys, so LevelDB puts them into files that need no compaction.
 */
import { sameSeat, type Seat } from '../../shared/cluster.js';
import { limits } from '../../shared/limits.js';
import {
  Kind,
  type LearnBeginMessage,
  type LearnPageMessage,
  type LearnPlanMessage,
  type Message,
} from '../../shared/wire/messages.js';
import { PrepareList, type Prepared } from '../replication/prepare-list.js';
import { toBuffer } from '../storage/keys.js';
import type { Store, Write } from '../storage/store.js';
import { APPLIED_KEY, encodeApplied } from './applier.js';
import { catchUp } from './catch-up.js';
import { copyName, newStayName, storeName } from './names.js';
import { decodePage } from './page.js';
import type { Partition } from './partition.js';
import { loadState } from './state.js';

/** How often what the teacher waits for is repeated. */
const REPEAT_MS = 1_000;
/** For the turns of this server. */
const nameOf = ({ id }: Partition): string => String(id);

interface Copying {
  readonly teacher: Seat;
  readonly attempt: number;
  snapshotDecree: number;
  copy: Store | null;
  /** Pages that came, and pages that are in the copy. */
  receivedPages: number;
  writtenPages: number;
  writing: boolean;
  /** When the pace lets the next page be written. */
  nextPageMs: number;
  /** Committed since the snapshot, and only logged. */
  loggedBytes: number;
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
  /** The newest attempt that was begun, whatever became of it. */
  private newest: { readonly teacher: Seat; readonly attempt: number } | null = null;
  /** The store is being replaced, or what was logged meanwhile is being applied: commits are only logged. */
  installing = false;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  /** True when the mutation is taken care of here: it will be applied from the log. */
  onCommit(entry: Prepared): boolean {
    if (!this.installing) return false;
    if (this.current !== null) this.current.loggedBytes += entry.body.length;
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
    else if (message[0] === Kind.learnPage) this.onPage(current, message as unknown as LearnPageMessage);
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
    // late: to begin it again would give up what a newer attempt, or a proposal after it, counts on
    if (this.newest !== null && sameSeat(this.newest.teacher, from) && attempt < this.newest.attempt) return;
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
    if (partition.host.disk() === 'hard') {
      partition.host.send(from.node, [Kind.learnFailed, partition.id, attempt, 'its disk is full']);
      return;
    }
    if (!partition.host.learners.ask(nameOf(partition), partition.host.environment.monotonicMs())) {
      partition.host.send(from.node, [Kind.learnState, partition.id, attempt, -1, 0]);
      return;
    }
    const current: Copying = {
      teacher: from,
      attempt,
      snapshotDecree: 0,
      copy: null,
      receivedPages: 0,
      writtenPages: 0,
      writing: false,
      nextPageMs: 0,
      loggedBytes: 0,
      committed: null,
      catchingUp: false,
      ready: false,
      saidMs: 0,
    };
    this.current = current;
    this.newest = { teacher: from, attempt };
    replica.leave();
    partition.applier.whenApplied(() =>
      this.newStay((committed) => {
        // a configuration in between ends it, and the teacher's repetition begins the same attempt again
        if (this.current !== current) return;
        replica.startLearning(from, attempt, ballot, new PrepareList(committed));
        current.committed = committed;
        this.sendState(current);
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
    this.partition.host.learners.leave(nameOf(this.partition));
    this.say(current);
  }

  /** Messages get lost with their connection: what the teacher waits for is said again and again. */
  tick(nowMs: number): void {
    const { current, partition } = this;
    if (partition.replica.leaveGoneTeacher()) this.onNoLearner();
    if (current === null || partition.replica.role !== 'learner') return;
    if (current.loggedBytes > limits.learnLogBytes && !current.catchingUp)
      return this.abandon(current, `it cannot catch up: ${current.loggedBytes} bytes were written while it copied`);
    if (current.copy !== null && partition.host.disk() === 'hard') return this.abandon(current, 'its disk is full');
    if (nowMs - current.saidMs < REPEAT_MS) return;
    current.saidMs = nowMs;
    this.say(current);
  }

  private say(current: Copying): void {
    const { partition } = this;
    if (current.ready) partition.host.send(current.teacher.node, [Kind.learnReady, partition.id, current.attempt]);
    else if (current.copy === null) this.sendState(current);
    else if (!current.writing && this.waitingPages.length === 0) this.acknowledge(current);
  }

  private acknowledge({ teacher, attempt, writtenPages, loggedBytes }: Copying): void {
    this.partition.host.send(teacher.node, [Kind.learnPageAck, this.partition.id, attempt, writtenPages, loggedBytes]);
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
        else this.writePages(current);
      });
    });
  }

  private waitingPages: LearnPageMessage[] = [];

  /** One that is not due comes again: it was sent twice, or one before it was lost. */
  private onPage(current: Copying, message: LearnPageMessage): void {
    if (current.snapshotDecree === 0 || message[3] !== current.receivedPages) return;
    if (this.waitingPages.length >= limits.learnWindowPages) return;
    current.receivedPages++;
    this.waitingPages.push(message);
    this.writePages(current);
  }

  private writePages(current: Copying): void {
    const { partition } = this;
    const { host } = partition;
    const { copy } = current;
    const message = this.waitingPages[0];
    if (copy === null || message === undefined || current.writing || this.current !== current) return;
    current.writing = true;
    const now = host.environment.monotonicMs();
    if (now < current.nextPageMs) {
      host.environment.after(current.nextPageMs - now, () => this.written(current));
      return;
    }
    this.waitingPages.shift();
    const [, , , , last, crc, page] = message;
    let writes: Write[];
    try {
      writes = decodePage({ bytes: page, crc });
    } catch (error) {
      current.writing = false;
      return this.abandon(current, (error as Error).message);
    }
    if (last) {
      const { ballot } = partition.replica;
      const { timeMs, table } = partition.applier.state;
      const { snapshotDecree: decree } = current;
      const applied = { decree, stay: partition.stay, ballot, contentBallot: ballot, timeMs, table };
      writes.push({ key: toBuffer(APPLIED_KEY), value: encodeApplied(applied) });
    }
    current.nextPageMs = host.pace.next(current.nextPageMs, now, page.length, host.learners.count, current.loggedBytes);
    copy.write(writes, last, (error) => {
      if (error !== null && this.current === current) {
        current.writing = false;
        return this.abandon(current, error.message);
      }
      current.writtenPages++;
      if (this.current === current) this.acknowledge(current);
      if (last && this.current === current) {
        current.writing = false;
        this.install(current, copy);
      } else this.written(current);
    });
  }

  private written(current: Copying): void {
    current.writing = false;
    if (this.current === current) this.writePages(current);
    else this.discard(current);
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

  private catchUp(current: Copying): void {
    catchUp(this.partition, () => {
      this.installing = false;
      if (this.current === current) this.becomeReady(current);
    });
  }

  private abandon(current: Copying, reason: string | null): void {
    if (this.current === current) {
      this.current = null;
      this.waitingPages = [];
    }
    const { partition } = this;
    partition.host.learners.leave(nameOf(partition));
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
