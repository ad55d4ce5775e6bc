/**
 * A script that has had a slice of time and not come to its end. It keeps the attempt that it runs in, so nothing else is
 * executed at this partition until it ends; meanwhile everything else of the server goes on, beacons above all. After
 * the time that its client's proxy is configured with (busy-reply-threshold) others are told that the partition is busy,
 * as Redis tells them, and may end it.
 */
import { BUSY_FUNCTION, BUSY_SCRIPT } from '../../shared/commands/scripting.js';
import type { Environment, Timer } from '../../shared/environment.js';
import { Code } from '../../shared/operations/codes.js';
import type { Operation, OperationResult } from '../../shared/operations/operation.js';
import { Status } from '../../shared/wire/messages.js';
import type { Origin } from '../../shared/wire/network.js';
import type { ScriptRun } from '../scripting/script-run.js';
import type { ReplyHost } from './held-replies.js';
import type { Request } from './request.js';
import type { ConnectionState } from './sessions.js';

const UNKILLABLE =
  'UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.';
/** While its server may not execute, a script is looked at again after so much. */
const PAUSE_MS = 20;
/** Of proxies, and not of their clients. */
const NEVER_BUSY: ReadonlySet<number> = new Set([Code.listen]);

interface Around {
  canExecute(): boolean;
  resume(request: Request, goOn: () => void): void;
  /** Removes and returns those of other connections that wait to be executed. */
  takeWaiting(): Request[];
}

export class RunningScript {
  private readonly environment: Environment;
  private readonly host: ReplyHost;
  private readonly around: Around;
  private request: Request | null = null;
  private run: ScriptRun | null = null;
  private busy = false;
  private busyTimer: Timer | null = null;
  private beganMs = 0;

  constructor(environment: Environment, host: ReplyHost, around: Around) {
    this.environment = environment;
    this.host = host;
    this.around = around;
  }

  get runs(): boolean {
    return this.request !== null;
  }

  get connection(): ConnectionState | null {
    return this.request?.state ?? null;
  }

  /** `goOn` may call this again. */
  suspend(request: Request, run: ScriptRun, goOn: () => void): void {
    if (this.run !== run) {
      this.beganMs = this.environment.monotonicMs();
      const { busyAfterMs } = run.options;
      if (busyAfterMs > 0) this.busyTimer = this.environment.after(busyAfterMs, () => this.setBusy());
    }
    this.request = request;
    this.run = run;
    this.environment.after(0, () => this.goOn(goOn));
  }

  private goOn(goOn: () => void): void {
    const { request, run } = this;
    if (request === null || run === null) return;
    if (!this.around.canExecute()) {
      this.environment.after(PAUSE_MS, () => this.goOn(goOn));
      return;
    }
    this.request = null;
    this.around.resume(request, goOn);
    if (this.runs) return;
    this.end();
  }

  private end(): void {
    this.busyTimer?.cancel();
    this.busyTimer = null;
    this.busy = false;
    this.run = null;
  }

  private setBusy(): void {
    const { request } = this;
    if (request === null || request.from === null) return;
    this.busy = true;
    // its proxy tells those of its clients that need nothing of this partition, and gives it as long as it takes
    this.host.reply(request.from, request.id, Status.waiting, null);
    for (const { from, id } of this.around.takeWaiting())
      if (from !== null) this.host.reply(from, id, Status.clientError, this.busyText);
  }

  private get busyText(): string {
    return this.run?.options.globals === 'functions' ? BUSY_FUNCTION : BUSY_SCRIPT;
  }

  /** True: it has been answered, and is not executed. */
  answers(from: Origin, id: number, state: ConnectionState, [code, ...args]: Operation): boolean {
    if (code === Code.endScript) this.host.reply(from, id, Status.ok, this.kill(args[0] === true));
    else if (code === Code.scriptStatus && this.run !== null) this.host.reply(from, id, Status.ok, this.status());
    else if (this.busy && state !== this.connection && !NEVER_BUSY.has(code))
      this.host.reply(from, id, Status.clientError, this.busyText);
    else return false;
    return true;
  }

  /** True: it ends at its next slice; null: none runs; else what its client is told. */
  private kill(isFunction: boolean): true | string | null {
    const { run } = this;
    if (run === null) return null;
    if (run.calls.wrote) return UNKILLABLE;
    if (isFunction !== (run.options.globals === 'functions')) return this.busyText;
    run.end();
    return true;
  }

  /** What operations/scripts.ts says of `scriptStatus`. */
  private status(): OperationResult {
    const { run } = this;
    if (run === null) return null;
    const ms = Math.floor(this.environment.monotonicMs() - this.beganMs);
    const { name, globals, keys, args } = run.options;
    const command = run.calls.mayWrite ? 'fcall' : 'fcall_ro';
    return [name, ms, globals === 'functions', [command, name, String(keys.length), ...keys, ...args]];
  }

  /** Deposed: what ran and did not end; its writes are dropped. */
  stop(): Request | null {
    const { request } = this;
    this.request = null;
    this.end();
    return request;
  }
}
