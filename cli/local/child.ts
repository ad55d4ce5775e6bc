/**
 * One child process that is kept alive: forked as `tulpar run --config FILE`, started again when it
 * dies, at once the first time and then more slowly, up to once a second. It is told through its channel
 * when the whole cluster stops (SIGTERM would mean it alone, which hands over first); it ends by itself when the channel to its supervisor breaks.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { startVariables } from '../run/thread-pool.js';
import { processEnvironment } from '../../shared/config/process-environment.js';
import type { ChildPlan } from './plan.js';

/** Who lived this long had started well: its next death is the first again. */
const LIVED_WELL_MS = 5_000;
const RESTART_DELAYS_MS = [0, 100, 200, 400, 800, 1_000] as const;
/** A child that has not stopped by then is killed. */
const STOP_MS = 15_000;

/** What a child tells its supervisor. */
export type Report =
  | { readonly kind: 'ready' }
  /** A client sent SHUTDOWN: the whole cluster is to stop. */
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** What a supervisor tells its children. */
export interface StopOrder {
  readonly kind: 'stop';
}

export interface ChildEvents {
  readonly onShutdown: (child: Child) => void;
  /** It ended by itself, and is started again after `delayMs`. `failure`: what it said before. */
  readonly onDied: (
    child: Child,
    how: string,
    delayMs: number,
    failure: Extract<Report, { kind: 'failed' }> | null,
  ) => void;
}

export class Child {
  readonly plan: ChildPlan;
  private readonly executable: string;
  private readonly threads: number;
  private readonly events: ChildEvents;
  private process: ChildProcess | null = null;
  private deaths = 0;
  private stopping = false;
  private restart: NodeJS.Timeout | null = null;
  private onStopped: () => void = () => undefined;

  constructor(plan: ChildPlan, executable: string, threads: number, events: ChildEvents) {
    this.plan = plan;
    this.executable = executable;
    this.threads = threads;
    this.events = events;
  }

  start(): void {
    const log = openSync(this.plan.logFile, 'a', 0o600);
    const startedAtMs = performance.now();
    let failure: Extract<Report, { kind: 'failed' }> | null = null;
    const child = fork(this.executable, ['run', '--config', this.plan.configFile], {
      env: childEnvironment(this.threads),
      execArgv: [...process.execArgv, ...this.plan.heapFlags],
      stdio: ['ignore', log, log, 'ipc'],
      detached: true, // out of the terminal's group: Ctrl-C goes to the supervisor, which stops everybody in order
    });
    closeSync(log);
    this.process = child;
    child.on('message', (report: Report) => {
      if (report.kind === 'failed') failure = report;
      if (report.kind === 'shutdown') this.events.onShutdown(this);
    });
    child.on('error', (error) => {
      failure = { kind: 'failed', code: 'E_START', message: error.message };
    });
    child.on('exit', (code, signal) => {
      this.process = null;
      if (this.stopping) return this.onStopped();
      if (performance.now() - startedAtMs > LIVED_WELL_MS) this.deaths = 0;
      const delayMs = RESTART_DELAYS_MS[Math.min(this.deaths, RESTART_DELAYS_MS.length - 1)] ?? 0;
      this.deaths++;
      this.restart = setTimeout(() => this.start(), delayMs);
      this.events.onDied(this, signal === null ? `exited with ${code}` : `was killed by ${signal}`, delayMs, failure);
    });
  }

  stop(): Promise<void> {
    this.stopping = true;
    if (this.restart !== null) clearTimeout(this.restart);
    const { process: child } = this;
    if (child === null) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      this.onStopped = () => {
        clearTimeout(timer);
        resolve();
      };
      const order: StopOrder = { kind: 'stop' };
      if (child.connected) child.send(order, (error) => void (error === null ? undefined : child.kill('SIGTERM')));
      else child.kill('SIGTERM');
    });
  }

  kill(): void {
    this.stopping = true;
    this.process?.kill('SIGKILL');
  }
}

/** Its settings come from its file alone; the thread pool's size must be there before the process is. */
function childEnvironment(threads: number): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(processEnvironment())) {
    if (value !== undefined && !name.startsWith('TULPAR_')) environment[name] = value;
  }
  return { ...environment, ...startVariables(threads) };
}
