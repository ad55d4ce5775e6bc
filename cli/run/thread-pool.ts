/**
 * LevelDB and the log work on libuv's threads, whose number is read from the environment when the first
 * is needed: before any module of ours runs. A process that was not given it starts itself again with it.
 */
import { spawn } from 'node:child_process';
import type { Role } from '../../shared/cluster.js';
import { processEnvironment } from '../../shared/config/process-environment.js';

/**
 * Room for young objects of a proxy, in MiB: its requests and replies live for a few milliseconds, and in V8's default
 * of 16 many are copied twice before they die, which was up to a third of a busy proxy's time. Servers stay with the
 * default: theirs live until they are applied whatever the room, and their memory is promised to be small.
 */
const PROXY_HEAP_FLAGS: readonly string[] = ['--max-semi-space-size=32'];

export function heapFlags(roles: readonly Role[]): readonly string[] {
  return roles.includes('proxy') ? PROXY_HEAP_FLAGS : [];
}

/** True when this process has the threads it should have, or a supervisor is responsible for it. */
export function hasThreads(threads: number): boolean {
  return process.send !== undefined || processEnvironment()['UV_THREADPOOL_SIZE'] === String(threads);
}

/** Runs this same command line in a child with that many threads, and ends as it ends. */
export function runAgainWithThreads(threads: number, roles: readonly Role[]): void {
  const child = spawn(process.execPath, [...process.execArgv, ...heapFlags(roles), ...process.argv.slice(1)], {
    env: { ...processEnvironment(), UV_THREADPOOL_SIZE: String(threads) },
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
