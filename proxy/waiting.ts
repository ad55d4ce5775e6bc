/**
 * A client that waits (BLPOP and the like). Its operation waits at the partition's primary; time-outs, CLIENT UNBLOCK
 * and the end of the connection make the router ask once more, without waiting: only that answer says for certain that
 * nothing was taken meanwhile.
 */
import type { KeyedCommand } from '../shared/commands/command.js';
import { ErrorReply, NullArrayReply } from '../shared/commands/reply.js';
import type { Environment, Timer } from '../shared/environment.js';
import type { OperationResult } from '../shared/operations/operation.js';
import type { Request } from '../shared/routing/request.js';
import type { Router } from '../shared/routing/router.js';
import { Status } from '../shared/wire/messages.js';
import type { CatalogueEntry } from './catalogue.js';
import type { Dispatcher } from './dispatch.js';
import { keysOf } from './keys.js';
import { outcomeReply, Pending } from './pending.js';
import type { Session } from './session.js';

/** More and Node's timers fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;
const UNBLOCKED = 'UNBLOCKED client unblocked via CLIENT UNBLOCK';

interface Around {
  readonly environment: Environment;
  readonly router: Router;
  readonly clock: { readonly nowMs: number };
}

export class PendingWait extends Pending {
  private readonly around: Around;
  private request: Request | null = null;
  private timer: Timer | null = null;
  /** The client is told this when nothing came; null: it still waits. */
  private ending: 'timeout' | 'error' | null = null;

  constructor(
    dispatcher: Dispatcher,
    session: Session,
    entry: CatalogueEntry,
    args: readonly Buffer[],
    around: Around,
  ) {
    super(dispatcher, session, entry, args, around.clock.nowMs);
    this.around = around;
  }

  /** `ms`: 0 waits for ever, and so does what is more than a timer can count. */
  start(request: Request, ms: number): void {
    if (this.done) return;
    this.request = request;
    this.session.beginWait(this);
    if (ms > 0 && ms <= TIMER_MS_MAX) this.timer = this.around.environment.after(ms, () => this.stop('timeout'));
  }

  /** Nothing more is waited for. */
  stop(ending: 'timeout' | 'error'): void {
    if (this.ending !== null || this.request === null) return;
    this.ending = ending;
    this.timer?.cancel();
    this.around.router.endWait(this.request);
  }

  onOutcome(status: number, value: OperationResult): void {
    if (this.request?.tracks === true) this.dispatcher.remember(this.session, keysOf(this.entry, this.args));
    this.timer?.cancel();
    // refused to the end, it was never looked at: that there is nothing would be a guess
    const nothing = status === Status.ok && value === null;
    const untouched = nothing || status === Status.retry;
    // the time it waited is no slowness
    this.startedAtMs = this.around.clock.nowMs;
    if (untouched && this.ending === 'error') this.finish(new ErrorReply(UNBLOCKED));
    else if (nothing && this.ending === 'timeout') this.finish(new NullArrayReply());
    else this.finish(outcomeReply(this.entry.command as KeyedCommand, status, value, this.args, this.context));
    if (this.request !== null) this.session.endWait();
  }
}
