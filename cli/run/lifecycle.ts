/**
 * The life of one `tulpar run` process: starts its roles one after the other, stops them in the opposite
 * order, and ends with a code that says how it went.
 *
 * A process that a supervisor forked (it has an IPC channel) tells it when it is ready or why it failed,
 * leaves Ctrl-C to it, and ends at once when the channel breaks: no orphans on ports and locks.
 */
import { OperatingError } from '../../shared/errors.js';
import type { Logger } from '../../shared/logging.js';
import type { Report, StopOrder } from '../local/child.js';

/** A role that runs. */
export interface RunningRole {
  readonly name: string;
  /** `alone`: the rest of the cluster goes on without it. */
  stop(done: (error: Error | null) => void, alone: boolean): void;
}

/** Starts a role; `fail` ends the process when it cannot go on. */
export type StartRole = (fail: (error: Error) => void) => Promise<RunningRole>;

/** A role that does not stop by then is left to the kernel; everything acknowledged is safe. */
const STOP_MS = 10_000;

export class Lifecycle {
  private readonly logger: Logger;
  private readonly running: RunningRole[] = [];
  private stopping = false;
  private alone = true;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  async run(roles: readonly StartRole[]): Promise<void> {
    this.listen();
    try {
      for (const start of roles) {
        const role = await start((error) => this.fail(error));
        this.running.push(role);
        if (this.stopping) return await this.stop(this.alone);
      }
    } catch (error) {
      return this.fail(error);
    }
    report({ kind: 'ready' });
    this.logger.info({ pid: process.pid, roles: this.running.map((role) => role.name) }, 'ready');
  }

  /** The whole cluster is to stop: its supervisor sees to it, or, without one, only this process stops. */
  shutdown(): void {
    this.logger.info({}, 'a client sent SHUTDOWN');
    if (process.send === undefined) this.begin(true);
    else report({ kind: 'shutdown' });
  }

  private begin(alone: boolean): void {
    if (this.stopping) return;
    this.stopping = true;
    this.alone = alone;
    void this.stop(alone);
  }

  private listen(): void {
    const onSignal = (signal: NodeJS.Signals): void => {
      this.logger.info({ signal }, 'stopping');
      this.begin(true);
    };
    process.on('SIGTERM', onSignal);
    if (process.send === undefined) {
      process.on('SIGINT', onSignal);
    } else {
      process.on('SIGINT', () => undefined);
      process.on('message', (message: StopOrder) => {
        if (message.kind !== 'stop') return;
        this.logger.info({}, 'the whole cluster stops');
        this.begin(false);
      });
      process.on('disconnect', () => process.exit(1));
      if (!process.connected) process.exit(1); // the supervisor died while this process was still loading
    }
    process.on('uncaughtException', (error) => this.fail(error));
    process.on('unhandledRejection', (error) => this.fail(error));
  }

  private async stop(alone: boolean): Promise<void> {
    setTimeout(() => {
      this.logger.error({}, 'stopping took too long');
      process.exit(1);
    }, STOP_MS).unref();
    let code = 0;
    for (const role of this.running.reverse()) {
      const error = await new Promise<Error | null>((resolve) => role.stop(resolve, alone));
      if (error === null) continue;
      code = 1;
      this.logger.error({ role: role.name, error: error.message }, 'could not stop cleanly');
    }
    this.logger.info({}, 'stopped');
    process.exit(code);
  }

  /** Nothing is tried any more: what another process would do after a crash is what happens next. */
  private fail(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    const code = error instanceof OperatingError ? error.code : 'E_BUG';
    this.logger.error(
      { code, error: error.message, stack: error instanceof OperatingError ? undefined : error.stack },
      'cannot go on',
    );
    if (process.send === undefined) console.error(`tulpar: ${code}: ${error.message}`);
    report({ kind: 'failed', code, message: error.message }, () => process.exit(1));
  }
}

function report(message: Report, then: () => void = () => undefined): void {
  if (process.send === undefined || !process.connected) return then();
  process.send(message, undefined, {}, () => then());
}
