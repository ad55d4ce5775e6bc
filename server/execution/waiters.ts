/**
 * What the executor does about operations that wait (waits.ts keeps them): lets them wait, wakes them when a row is
 * written, and executes them again, at once and in the order of coming, as Redis does after a command.
 *
 * The proxy is told with what arguments a wait goes on, once everything those depend on is committed, and repeats it
 * with these: what `$` meant to XREAD BLOCK is so still at a successor. A proxy that was not told has nothing to repeat
 * it by; then the wait begins at the successor, and nobody can tell.
 */
import { limits } from '../../shared/limits.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { Status } from '../../shared/wire/messages.js';
import type { RowType } from '../storage/row.js';
import type { Attempt } from './attempt.js';
import type { Awaiting } from './awaiting.js';
import type { HeldReplies, ReplyHost } from './held-replies.js';
import type { Request } from './request.js';
import type { ConnectionState } from './sessions.js';
import type { View } from './view.js';
import { Waits } from './waits.js';

interface Executing {
  execute(request: Request): void;
  isFetching(request: Request): boolean;
  isStopped(): boolean;
}

const TOO_MANY_WAIT = 'ERR too many clients wait for something at this partition';

export class Waiters {
  readonly waits = new Waits<Request>();
  private readonly host: ReplyHost;
  private readonly held: HeldReplies;
  private readonly attempt: Attempt;
  private readonly executing: Executing;
  /** The row for which waits are being served. */
  private serving: string | null = null;

  constructor(host: ReplyHost, held: HeldReplies, attempt: Attempt, executing: Executing) {
    this.host = host;
    this.held = held;
    this.attempt = attempt;
    this.executing = executing;
  }

  /** Whether one that has just been executed waits (on). */
  goesOn(request: Request, awaits: Awaiting, status: number, value: OperationResult): boolean {
    return status === Status.ok ? value === null : !awaits.mindsRemoval && this.isSpurious(request, awaits);
  }

  /** It found nothing: from now on writes to the rows it looked up make it try again. */
  wait(request: Request, view: View): void {
    request.renew();
    const { from, awaits } = request;
    if (from === null || awaits === null || this.waits.has(request)) return;
    if (this.waits.size >= limits.waits) {
      this.host.reply(from, request.id, Status.clientError, TOO_MANY_WAIT);
      return;
    }
    const rows: string[] = [];
    this.attempt.rows((db, key) => rows.push(Waits.row(db, key)));
    this.waits.add(request, rows);
    if (awaits.resume !== null) request.args = awaits.resume(view, request.args);
    const resumed = awaits.resume === null ? null : request.args;
    this.held.answer(from, request.id, Status.waiting, resumed, this.attempt.dependency);
  }

  /** It has its answer. */
  end(request: Request): void {
    if (request.fetches > 0) this.waits.wakeOthers(request);
    this.waits.remove(request);
  }

  /** After an operation that wrote. */
  wake(changedKeyspaces: boolean): void {
    if (changedKeyspaces) this.waits.wakeAll();
    else
      this.attempt.rows((db, key, row, changed) => {
        if (changed) this.waits.wake(Waits.row(db, key), row !== null);
      });
  }

  serve(): void {
    for (let ready = this.waits.takeReady(); ready !== null; ready = this.waits.takeReady()) {
      this.serving = ready.row;
      // nothing is left, or who came first is still reading what it takes; then its end wakes the others
      let left = true;
      for (const request of ready.waiting) {
        if (this.executing.isStopped() || !this.waits.has(request)) continue;
        const takes = request.awaits?.takes === true;
        if (takes && !left) continue;
        request.presentState();
        this.executing.execute(request);
        if (!takes || !this.waits.has(request)) continue;
        if (this.executing.isFetching(request) || this.typeHere(ready.row) === null) left = false;
      }
      this.serving = null;
    }
  }

  /** The same request again, or one after it: what its connection waited for is over. */
  replace(state: ConnectionState): void {
    const wait = this.waits.of(state);
    if (wait !== undefined) this.waits.remove(wait);
  }

  /** An error because what was written is of another type concerns nobody who waits; one about its other keys does. */
  private isSpurious(request: Request, awaits: Awaiting): boolean {
    return this.serving !== null && this.waits.has(request) && this.typeHere(this.serving) !== awaits.type;
  }

  /** What the operation executed last saw of a row: its type, null when it is absent. */
  private typeHere(name: string): RowType | null {
    let type: RowType | null = null;
    this.attempt.rows((db, key, row) => {
      if (row !== null && Waits.row(db, key) === name) ({ type } = row);
    });
    return type;
  }
}
