/**
 * LevelDB and the log work on libuv's threads, whose number is read from the environment when the first
 * is needed: before any module of ours runs. A process that was not given it starts itself again with it.
 */
import { spawn } from 'node:child_process';
import type { Settings } from '../../shared/config/options.js';
import { processEnvironment } from '../../shared/config/process-environment.js';

/**
 * Room for young objects, in MiB: those of a proxy live for a few milliseconds, a server's until they are applied, and
 * in V8's default of 16 many are copied twice before they die, up to a third of a busy process's time. It costs up to
 * three times as much resident memory, so a server that is to be small does without.
 */
const ROOMY_HEAP: readonly string[] = ['--max-semi-space-size=32'];
const ROOMY_CACHE_BYTES = 128 * 1024 * 1024;

export function heapFlags({ roles, cacheBytes }: Pick<Settings, 'roles' | 'cacheBytes'>): readonly string[] {
  return roles.includes('proxy') || (roles.includes('server') && cacheBytes >= ROOMY_CACHE_BYTES) ? ROOMY_HEAP : [];
}

/** True when this process has the threads it should have, or a supervisor is responsible for it. */
export function hasThreads(threads: number): boolean {
  return process.send !== undefined || processEnvironment()['UV_THREADPOOL_SIZE'] === String(threads);
}

/** Runs this same command line in a child with that many threads, and ends as it ends. */
export function runAgainWithThreads(settings: Settings): void {
  const child = spawn(process.execPath, [...process.execArgv, ...heapFlags(settings), ...process.argv.slice(1)], {
    env: { ...processEnvironment(), UV_THREADPOOL_SIZE: String(settings.threads) },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'], // the channel: it ends when this process is killed
  });
  const stop = (): void => void child.kill('SIGTERM');
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.off('SIGTERM', stop);
    process.kill(process.pid, signal);
  });
}
