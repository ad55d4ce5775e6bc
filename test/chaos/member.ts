/**
 * One process of the cluster, kept alive as a supervisor would: started again at once when it dies, unless it is
 * held. It may run in a network namespace and with the disk shim before its system calls. It ends by itself when
 * this process ends (its channel breaks), however that happens.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { heapFlags, startVariables } from '../../cli/run/thread-pool.js';
import type { Role } from '../../shared/cluster.js';
import { processEnvironment } from '../../shared/config/process-environment.js';
import { projectFolder } from '../cluster/local-cluster.js';
import { residentBytes } from '../cluster/processes.js';

/** As the supervisor of `tulpar local` waits: at once the first time, then more slowly. */
const RESTART_DELAYS_MS = [0, 100, 200, 400, 800, 1_000] as const;
const LIVED_WELL_MS = 5_000;
const STOP_MS = 15_000;

export interface MemberOptions {
  readonly name: string;
  readonly role: Role;
  /** Where it listens: for the wire or, for a proxy, for Redis clients. */
  readonly host: string;
  readonly port: number;
  /** Everything that it keeps. */
  readonly folder: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly cacheBytes: number;
  readonly threads: number;
  /** Words before `node` that put it where it is to run, e.g. into a network namespace. */
  readonly prefix: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** An end that nobody here caused. */
export interface Death {
  readonly name: string;
  readonly how: string;
  readonly atMs: number;
}

export class Member {
  readonly options: MemberOptions;
  /** Ends that were not caused through this object. */
  readonly deaths: Death[] = [];
  memoryMax = 0;
  starts = 0;
  private child: ChildProcess | null = null;
  private held = false;
  private expectedEnd = false;
  private quickDeaths = 0;
  private restart: NodeJS.Timeout | null = null;
  private onExit: (() => void)[] = [];

  constructor(options: MemberOptions) {
    this.options = options;
  }

  get name(): string {
    return this.options.name;
  }

  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  start(): void {
    if (this.child !== null) return;
    this.held = false;
    this.expectedEnd = false;
    this.starts++;
    const { prefix, configFile, logFile, role, cacheBytes, threads, environment } = this.options;
    const log = openSync(logFile, 'a', 0o600);
    const startedAtMs = performance.now();
    const words = [
      ...prefix,
      process.execPath,
      '--enable-source-maps',
      ...heapFlags({ roles: [role], cacheBytes }),
      join(projectFolder, 'dist/cli/main.js'),
      'run',
      '--config',
      configFile,
    ];
    const child = spawn(words[0] as string, words.slice(1), {
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...withoutSettings(), ...environment, ...startVariables(threads) },
      detached: true, // Ctrl-C reaches this process only, which cleans up in order
    });
    closeSync(log);
    this.child = child;
    child.on('error', (error) => this.ended(`could not be started: ${error.message}`, startedAtMs));
    child.on('exit', (code, signal) => this.ended(signal === null ? `exit ${code}` : signal, startedAtMs));
  }

  /** Sends a signal; SIGKILL is followed by a new start unless the member is held. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    if (signal === 'SIGKILL') this.expectedEnd = true;
    this.child?.kill(signal);
  }

  /** Kills it, and keeps it down until `start`. Resolves when it is gone. */
  async hold(): Promise<void> {
    this.held = true;
    if (this.restart !== null) clearTimeout(this.restart);
    this.restart = null;
    if (this.child === null) return;
    const gone = new Promise<void>((resolve) => this.onExit.push(resolve));
    this.signal('SIGKILL');
    await gone;
  }

  /** Ends it as an administrator would; kills it when that takes too long. */
  async stop(): Promise<void> {
    this.held = true;
    this.expectedEnd = true;
    if (this.restart !== null) clearTimeout(this.restart);
    const { child } = this;
    if (child === null) return;
    const gone = new Promise<void>((resolve) => this.onExit.push(resolve));
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await gone;
    clearTimeout(force);
  }

  /** For the end of this process: nothing is waited for. */
  killNow(): void {
    this.held = true;
    this.child?.kill('SIGKILL');
  }

  sampleMemory(): void {
    if (this.pid !== null) this.memoryMax = Math.max(this.memoryMax, residentBytes(this.pid));
  }

  private ended(how: string, startedAtMs: number): void {
    if (this.child === null) return;
    this.child = null;
    const nowMs = performance.now();
    if (!this.expectedEnd) this.deaths.push({ name: this.name, how, atMs: nowMs });
    for (const tell of this.onExit.splice(0)) tell();
    if (this.held) return;
    if (nowMs - startedAtMs > LIVED_WELL_MS) this.quickDeaths = 0;
    const delayMs = RESTART_DELAYS_MS[Math.min(this.quickDeaths, RESTART_DELAYS_MS.length - 1)] ?? 0;
    this.quickDeaths++;
    this.restart = setTimeout(() => this.start(), delayMs);
  }
}

/** Its settings come from its file alone. */
function withoutSettings(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(processEnvironment())) {
    if (value !== undefined && !name.startsWith('TULPAR_')) environment[name] = value;
  }
  return environment;
}
