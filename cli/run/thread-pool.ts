/**
 * What a process must be given before any module of ours runs: the number of libuv's threads, on which LevelDB and the
 * log work, and how V8 and malloc deal with memory. A process that was not given it starts itself again with it.
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

/**
 * By itself V8 lets the old space grow to several times of what lives in it before it collects (measured: 340 MB for 65):
 * a server's budget is for what lives. Little does, so collecting it more often costs little.
 */
const FRUGAL_HEAP: readonly string[] = ['--heap-growing-percent=50'];

export function heapFlags({ roles, cacheBytes }: Pick<Settings, 'roles' | 'cacheBytes'>): readonly string[] {
  const isServer = roles.includes('server');
  const roomy = roles.includes('proxy') || (isServer && cacheBytes >= ROOMY_CACHE_BYTES);
  return [...(roomy ? ROOMY_HEAP : []), ...(isServer ? FRUGAL_HEAP : [])];
}

/** Each thread that reads a table would keep freed memory of its own: malloc makes up to eight arenas a core. */
const MALLOC_ARENAS = 2;

export function startVariables(threads: number): Record<string, string> {
  const { MALLOC_ARENA_MAX = String(MALLOC_ARENAS) } = processEnvironment();
  return { UV_THREADPOOL_SIZE: String(threads), MALLOC_ARENA_MAX };
}

/** True when this process has the threads it should have, or a supervisor is responsible for it. */
export function hasThreads(threads: number): boolean {
  return process.send !== undefined || processEnvironment()['UV_THREADPOOL_SIZE'] === String(threads);
}

/** Runs this same command line in a child with that many threads, and ends as it ends. */
export function runAgainWithThreads(settings: Settings): void {
  const child = spawn(process.execPath, [...process.execArgv, ...heapFlags(settings), ...process.argv.slice(1)], {
    env: { ...processEnvironment(), ...startVariables(settings.threads) },
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
