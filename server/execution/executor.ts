/**
 * Executes operations at the primary in arrival order against the head state (design: section 5). The
 * writes of one turn of the event loop form one mutation. A result leaves once everything it depends on
 * is committed; until then it is held by decree. An operation that needs what is not in memory waits
 * for a fetch; behind it waits only its own connection.
 */
import { ClientError, invariant } from '../../shared/errors.js';
import type { Environment } from '../../shared/environment.js';
import { limits } from '../../shared/limits.js';
import type { OperationArgument, OperationResult } from '../../shared/operations/operation.js';
import {
  Status,
  type Message,
  type RequestMessage,
  type RetryReason,
  type SettleMessage,
} from '../../shared/wire/messages.js';
import type { Origin } from '../../shared/wire/network.js';
import type { Annotation, SessionChange } from '../replication/mutation.js';
import { executors } from '../rows/index.js';
import { READS_TOO_MUCH } from '../rows/whole-reads.js';
import { ScriptEngine } from '../scripting/engine.js';
import { type ScriptRun, Suspended } from '../scripting/script-run.js';
import type { Store } from '../storage/store.js';
import { Broker } from './broker.js';
import { Attempt, IDS_PER_MUTATION, type Gathering } from './attempt.js';
import { Fetching } from './fetching.js';
import type { Head } from './head.js';
import { MissingEntry } from './point-reads.js';
import { HeldReplies, type ReplyHost } from './held-replies.js';
import { MutationBuilder, type MutationParts } from './mutation-builder.js';
import { Missing } from './range.js';
import { Interests } from './interests.js';
import { Publications } from './publications.js';
import { Request } from './request.js';
import { RunningScript } from './running-script.js';
import { SessionKeeper } from './session-keeper.js';
import { remember } from './remembering.js';
import { RESULT_NOT_KEPT, type ConnectionState, type Sessions } from './sessions.js';
import type { View, PartitionFacts } from './view.js';
import { Waiters } from './waiters.js';

/** What the executor asks of its partition. */
export interface ExecutorHost extends ReplyHost {
  /** Read the clock and the lease afresh. */
  canExecute(): boolean;
  /** Not null: too few members; writes are refused with this reason, to be repeated. */
  refusesWrites(): RetryReason | null;
  /** Not null: a disk is too full for writes, or for those that grow; refused with this client error. */
  refusesForSpace(grows: boolean): string | null;
  hasRoom(): boolean;
  /** Mutations prepared and not committed. */
  inFlight(): number;
  nextDecree(): number;
  /** Prepares; returns the decree. */
  prepare(parts: MutationParts): number;
  isConnected(boot: string): boolean;
  store: Store;
  fail(error: Error): void;
}

const NOT_KEPT_TEXT =
  'UNKNOWN its result: the command was executed once, its server was lost, and the result was too large to be kept';
const UNKNOWN_OPERATION = 'ERR unknown operation; the server is older than the proxy';

export class Executor {
  private readonly environment: Environment;
  private readonly host: ExecutorHost;
  private readonly head: Head;
  readonly sessions: Sessions;
  readonly keeper: SessionKeeper;
  private readonly broker: Broker;
  private readonly publications: Publications;
  private readonly attempt: Attempt;
  private queue: Request[] = [];
  private at = 0;
  /** Those that wait for a page; what waits behind them is in their connection's `blocked`. */
  private readonly fetching = new Set<Request>();
  private readonly fetches: Fetching<Request>;
  private readonly held: HeldReplies;
  private readonly waiters: Waiters;
  private readonly script: RunningScript;
  private readonly mutation = new MutationBuilder();
  private gathering: Gathering;
  private timeMs: number;
  /** Partition time as the last mutation carries it: a successor's time is not before it. */
  private loggedTimeMs: number;
  private lastSealed = 0;
  private seed: number;
  private scheduled = false;
  private stopped = false;
  /** Operations executed, for metrics. */
  executed = 0;

  constructor(
    environment: Environment,
    host: ExecutorHost,
    head: Head,
    sessions: Sessions,
    facts: PartitionFacts,
    times: { readonly nowMs: number; readonly loggedMs: number },
  ) {
    this.environment = environment;
    this.host = host;
    this.head = head;
    this.sessions = sessions;
    this.broker = new Broker(new Interests(facts.id, host));
    this.publications = new Publications(this.broker.interests, () => host.committed());
    this.attempt = new Attempt(head, facts, this.broker, ScriptEngine.of(environment, host));
    this.fetches = new Fetching(host, head, this.attempt, (request) => this.resume(request));
    this.held = new HeldReplies(host);
    this.waiters = new Waiters(host, this.held, this.attempt, {
      execute: (request) => this.execute(request),
      isFetching: (request) => this.fetching.has(request),
      isStopped: () => this.stopped,
    });
    this.script = new RunningScript(environment, host, {
      canExecute: () => host.canExecute(),
      resume: (request, goOn) => this.nextSlice(request, goOn),
      takeWaiting: () => this.takeWaiting(),
    });
    this.timeMs = times.nowMs;
    this.loggedTimeMs = times.loggedMs;
    this.seed = Math.floor(environment.random() * 0xffffffff);
    this.gathering = { decree: host.nextDecree(), nextIndex: 0 };
    const keeperHost = {
      decree: () => this.gathering.decree,
      log: (change: SessionChange) => {
        this.mutation.sessions.push(change);
        this.kick();
      },
      tell: (to: Origin, message: Message, decree: number) => this.held.tell(to, message, decree),
      isConnected: (boot: string) => host.isConnected(boot),
    };
    this.keeper = new SessionKeeper(sessions, keeperHost, environment.monotonicMs());
  }

  get waiting(): number {
    return this.queue.length - this.at;
  }

  /** From a proxy. Executed when this turn's input has been read. */
  submit(from: Origin, message: RequestMessage): void {
    const [, id, , , name, connection, sequence, acknowledged, db, operation, manner = 0] = message;
    const session = this.keeper.find(from, name);
    if (session === undefined) {
      this.host.reply(from, id, Status.retry, 'unknown-session' satisfies RetryReason);
      return;
    }
    const state = session.connection(connection);
    state.raiseFloor(acknowledged);
    const executor = executors[operation[0]];
    if (executor === undefined) {
      this.host.reply(from, id, Status.clientError, UNKNOWN_OPERATION);
      return;
    }
    if (this.script.answers(from, id, state, operation)) return;
    const args = operation.slice(1) as OperationArgument[];
    const sender = { from, id, sequence, state };
    this.queue.push(new Request(sender, db, executor, args, manner));
    this.kick();
  }

  /** An operation of the server's own (sweeping): `done` once it has been executed. */
  internal(db: number, execute: (view: View) => void, done: () => void): void {
    this.queue.push(Request.internal(db, execute, done));
    this.kick();
  }

  /** A mutation without writes, for something that every replica does at the same decree. */
  annotate(annotation: Annotation): void {
    this.mutation.annotations.push(annotation);
    this.kick();
  }

  /** Refused before it came here. What its connection sent behind it must not overtake it. */
  refuseEarly(from: Origin, message: RequestMessage, reason: RetryReason): void {
    const [, id, , , name, connection, sequence] = message;
    this.keeper.find(from, name)?.connection(connection).refuse(sequence);
    this.host.reply(from, id, Status.retry, reason);
  }

  /** Runs at the end of this turn; called too when a lease or room has come back. */
  kick(): void {
    if (this.scheduled || this.stopped || (this.waiting === 0 && this.mutation.empty)) return;
    this.scheduled = true;
    this.environment.defer(() => {
      this.scheduled = false;
      this.run();
    });
  }

  private run(): void {
    if (this.stopped || !this.host.canExecute()) return;
    const wall = Math.floor(this.environment.wallMs());
    if (wall > this.timeMs) this.timeMs = wall;
    while (!this.script.runs && this.at < this.queue.length && this.host.hasRoom() && !this.sessions.full) {
      const request = this.queue[this.at]!;
      this.at++;
      this.handle(request);
      if (this.waiters.waits.anyReady) this.waiters.serve();
      if (this.mutation.full || this.gathering.nextIndex >= IDS_PER_MUTATION / 2) this.seal();
    }
    this.sealIfIdle();
    if (this.at === this.queue.length) {
      this.queue = [];
      this.at = 0;
    } else if (this.at > 1024 && this.at * 2 > this.queue.length) {
      this.queue = this.queue.slice(this.at);
      this.at = 0;
    }
  }

  private handle(request: Request): void {
    const { from } = request;
    const state = request.presentState();
    if (from === null || state === null) {
      if (this.host.refusesWrites() === null && this.host.refusesForSpace(false) === null) this.execute(request);
      else this.end(request);
      return;
    }
    if (this.waiters.waits.size > 0) this.waiters.replace(state);
    if (state.blocked !== null) state.blocked.push(request);
    else if (this.isSettled(request, from, state) || this.isRefused(request, from, state)) this.end(request);
    else this.execute(request);
  }

  /** It needs no execution: nobody waits for it, or it was executed and its first answer counts. */
  private isSettled({ id, sequence, tracks }: Request, from: Origin, state: ConnectionState): boolean {
    if (sequence <= state.floor) return true;
    const kept = state.results.get(sequence);
    // a read that no later write of its connection logged may as well be made again
    if (kept === undefined || kept.decree === 0) return false;
    if (kept.status === RESULT_NOT_KEPT) this.held.answer(from, id, Status.unknown, NOT_KEPT_TEXT, kept.decree);
    else this.held.answer(from, id, kept.status, kept.value, kept.decree);
    // nobody knows whether what it read then has changed
    if (tracks) this.held.tell(from, this.broker.interests.everything(), kept.decree);
    return true;
  }

  private isRefused({ id, sequence, write, denyoom }: Request, from: Origin, state: ConnectionState): boolean {
    const { session } = state;
    let reason: RetryReason | null = null;
    if (session.ended) reason = 'unknown-session';
    else if (id <= session.fence) reason = 'fenced';
    else if (!session.settled) reason = 'not-settled';
    else if (state.refused !== 0 && sequence > state.refused) reason = 'behind-refused';
    else if (write) reason = this.host.refusesWrites();
    if (reason !== null) {
      state.refuse(sequence);
      this.host.reply(from, id, Status.retry, reason);
      return true;
    }
    if (sequence === state.refused) state.refused = 0;
    const full = write ? this.host.refusesForSpace(denyoom) : null;
    if (full !== null) this.host.reply(from, id, Status.clientError, full);
    return full !== null;
  }

  private execute(request: Request): void {
    const { attempt } = this;
    if (request.nowMs === 0) {
      request.nowMs = this.timeMs;
      this.seed = (this.seed + 0x9e3779b9) | 0;
      request.seed = this.seed;
    }
    this.head.use(request.entries);
    this.broker.sender = request.from;
    this.broker.reads = !request.write;
    attempt.leavesNoTrace = request.leavesNoTrace;
    const view = attempt.begin(request.db, request.nowMs, request.seed, this.gathering, request.pages);
    this.proceed(request, view, null);
  }

  /** An attempt, or the next slice of its script. */
  private proceed(request: Request, view: View, script: ScriptRun | null): void {
    const { attempt } = this;
    let status: number = Status.ok;
    let value: OperationResult;
    try {
      value = script === null ? request.execute(view, request.args) : script.advance();
    } catch (thrown) {
      if (thrown instanceof Suspended) {
        const { run } = thrown;
        this.script.suspend(request, run, () => this.proceed(request, view, run));
        return;
      }
      if (thrown instanceof Missing || thrown instanceof MissingEntry) {
        this.fetch(request, thrown);
        return;
      }
      if (!(thrown instanceof ClientError)) {
        this.host.fail(thrown instanceof Error ? thrown : new Error(String(thrown)));
        return;
      }
      status = Status.clientError;
      value = thrown.message;
      attempt.keepExpiriesOnly();
    }
    const waits = request.awaits !== null && this.waiters.goesOn(request, request.awaits, status, value);
    const wrote = this.commit(request);
    if (wrote === null) return;
    if (request.tracks) this.track(request);
    this.executed++;
    this.end(request);
    if (waits) return this.waiters.wait(request, view);
    if (request.awaits !== null) this.waiters.end(request);
    const { from, state } = request;
    const { dependency } = attempt;
    const { publications } = this.broker;
    if (publications !== null) this.publications.add(publications, dependency);
    if (from === null || state === null) return;
    remember(state, request.sequence, status, value, wrote ? this.gathering.decree : 0, this.mutation.results);
    this.held.answer(from, request.id, status, value, state.inOrder(dependency));
  }

  private nextSlice(request: Request, goOn: () => void): void {
    this.head.use(request.entries);
    this.broker.sender = request.from;
    goOn();
    if (this.script.runs) return;
    if (this.waiters.waits.anyReady) this.waiters.serve();
    this.run();
    this.kick();
  }

  /** What clients are told that a script keeps the partition busy. */
  private takeWaiting(): Request[] {
    const waiting = this.queue.slice(this.at);
    const script = this.script.connection;
    this.queue = waiting.filter(({ from, state }) => from === null || state === script);
    this.at = 0;
    return waiting.filter(({ from, state }) => from !== null && state !== script);
  }

  settle(from: Origin, message: SettleMessage): void {
    const [, , name, , fence] = message;
    this.keeper.settle(from, message);
    const fenced = ({ state, id }: Request): boolean => state?.session.id === name && id <= fence;
    for (const { id } of this.waiters.waits.take(fenced)) this.host.reply(from, id, Status.retry, 'fenced');
  }

  tick(nowMs: number): void {
    this.keeper.tick(nowMs);
    this.broker.interests.forgetUnless((boot) => this.sessions.ofBoot(boot) !== undefined);
    this.kick();
  }

  onDisconnected(boot: string): void {
    this.keeper.onDisconnected(boot);
    // they come again over the next connection, if there is one
    this.waiters.waits.take((wait) => wait.from?.boot === boot);
  }

  private end(request: Request): void {
    this.fetches.end(request);
    request.done?.();
  }

  /**
   * Moves the operation's writes into the mutation: false when it has none. Who saw a row as expired depends on its
   * deletion or, where that is not logged, on a partition time from which on it stays expired; a read that may log
   * neither is refused like a write, and null returned: no successor whose clock is behind may see the row again.
   */
  private commit(request: Request): boolean | null {
    const { attempt, loggedTimeMs } = this;
    const { expiredMs } = attempt;
    const reason = expiredMs === 0 || request.write ? null : this.host.refusesWrites();
    if (reason !== null) {
      if (expiredMs > loggedTimeMs) {
        this.refuseExpired(request, reason);
        return null;
      }
      attempt.dependOn(this.lastSealed);
      return false;
    }
    // a disk that is too full for deletions still takes the time
    const mayWrite = request.write || expiredMs === 0 || this.host.refusesForSpace(false) === null;
    const { changedKeyspaces } = attempt;
    if (mayWrite && this.mutation.add(attempt)) {
      if (this.broker.interests.tracking) this.invalidate(request, changedKeyspaces);
      if (this.waiters.waits.size > 0) this.waiters.wake(changedKeyspaces);
      return true;
    }
    if (expiredMs > loggedTimeMs) {
      this.mutation.marksTime = true;
      attempt.dependOn(this.gathering.decree);
    } else if (expiredMs !== 0) attempt.dependOn(this.lastSealed);
    return false;
  }

  private track({ from }: Request): void {
    if (from === null) return;
    const keys: string[] = [];
    this.attempt.rows((_, key) => keys.push(key));
    const forgotten = this.broker.interests.tracked.add(from, keys);
    if (forgotten !== null) this.held.tell(from, this.broker.interests.invalidation(forgotten, 0), 0);
  }

  /** Whoever may have cached what was written is told once that is committed. What expired has no writer. */
  private invalidate({ from, state, write }: Request, all: boolean): void {
    const keys: string[] = [];
    this.attempt.rows((_, key, __, changed) => {
      if (changed) keys.push(key);
    });
    const { interests } = this.broker;
    for (const [proxy, written] of interests.concerned(all ? null : keys)) {
      const connection = write && proxy.boot === from?.boot ? (state?.connection ?? 0) : 0;
      this.held.tell(proxy, interests.invalidation(written, connection), this.gathering.decree);
    }
  }

  private refuseExpired(request: Request, reason: RetryReason): void {
    this.end(request);
    const { from, state, id, sequence } = request;
    if (from === null || state === null) return;
    state.refuse(sequence);
    this.host.reply(from, id, Status.retry, reason);
  }

  /**
   * While mutations are under way, the next one gathers: fewer, larger ones cost everybody less (a system call and
   * a wake-up each at every member), and what waits would have waited for the log anyway.
   */
  private sealIfIdle(): void {
    // what a script that has not ended writes gets its ids from the mutation that is gathered
    if (this.script.runs) return;
    if (this.host.inFlight() < limits.mutationsInFlight) this.seal();
  }

  private seal(): void {
    if (this.mutation.empty) return;
    const { timeMs } = this;
    const decree = this.host.prepare(this.mutation.take(timeMs));
    this.loggedTimeMs = timeMs;
    this.lastSealed = decree;
    invariant(decree === this.gathering.decree, 'a mutation gets the decree its ids were made from');
    this.gathering = { decree: decree + 1, nextIndex: 0 };
  }

  onCommitted(decree: number): void {
    this.held.onCommitted(decree);
    this.publications.onCommitted(decree);
    this.sealIfIdle();
    if (this.waiting > 0) this.kick();
  }

  // ---- fetching --------------------------------------------------------------------------------

  private fetch(request: Request, missing: Missing | MissingEntry): void {
    if (missing instanceof MissingEntry) this.fetches.entry(request, missing.keys);
    else if (!this.fetches.page(request, missing.page)) {
      this.end(request);
      if (request.from !== null) this.host.reply(request.from, request.id, Status.clientError, READS_TOO_MUCH);
      return;
    }
    if (request.state !== null) request.state.blocked = [];
    this.fetching.add(request);
  }

  private resume(request: Request): void {
    this.queue = [request, ...this.unblock(request), ...this.queue.slice(this.at)];
    this.at = 0;
    this.run();
    this.kick();
  }

  /** The fetch is over; returns what waited behind it. */
  private unblock(request: Request): Request[] {
    this.fetching.delete(request);
    const behind = (request.state?.blocked ?? []) as Request[];
    if (request.state !== null) request.state.blocked = null;
    return behind;
  }

  // ---- end -------------------------------------------------------------------------------------

  /** Deposed: what was not executed is refused, what was executed and not committed is answered by the successor. */
  stop(reason: RetryReason): void {
    this.stopped = true;
    this.fetches.stop();
    const refuse = ({ from, id }: Request, why: RetryReason): void => {
      if (from !== null) this.host.reply(from, id, Status.retry, why);
    };
    // of the queue nothing was executed, and nothing that came after it
    for (const request of this.queue.slice(this.at)) refuse(request, reason);
    const script = this.script.stop();
    if (script !== null) refuse(script, 'deposed');
    for (const request of this.fetching)
      for (const each of [request, ...this.unblock(request)]) refuse(each, 'deposed');
    for (const wait of this.waiters.waits.take(() => true)) refuse(wait, 'deposed');
    this.queue = [];
    this.at = 0;
    this.held.clear();
    this.publications.clear();
  }
}
