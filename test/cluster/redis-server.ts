/** A stock redis-server as a peer: for benchmarks, and so that our expectations of Redis are Redis's. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './condition.js';
import { atExit } from './exit.js';
import { isInstalled, stopChild } from './processes.js';
import { ask, freePort } from './sockets.js';

export interface RedisServer {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a redis-server on a free port in a temporary folder, without snapshots; `flags` are redis-server's own. */
export async function startRedisServer(flags: readonly string[] = []): Promise<RedisServer> {
  if (!isInstalled('redis-server')) {
    throw new Error('redis-server is not installed (Debian: apt-get install redis-server)');
  }
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'redis-'));
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', ''];
  const child = spawn('redis-server', [...fixed, ...flags], { stdio: 'ignore' });
  const forget = atExit(() => child.kill('SIGKILL'));
  await eventually('redis-server answers', async () => ((await ask(port, 'PING')) === '+PONG' ? true : undefined));
  return {
    port,
    pid: child.pid as number,
    async stop() {
      await stopChild(child);
      forget();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/**
 * A master with two replicas and append-only files: with `WAIT 2` after a write, what a Redis user runs for Tulpar's
 * guarantee of three copies. The first of the three is the master.
 */
export async function startReplicatedRedis(appendfsync: string): Promise<readonly RedisServer[]> {
  const durable = ['--appendonly', 'yes', '--appendfsync', appendfsync, '--repl-diskless-sync-delay', '0'];
  const master = await startRedisServer(durable);
  const replicaOf = [...durable, '--replicaof', `127.0.0.1 ${master.port}`];
  const replicas = [await startRedisServer(replicaOf), await startRedisServer(replicaOf)];
  await eventually('both replicas are online', async () => {
    const online = (await ask(master.port, 'INFO replication')).match(/state=online/g) ?? [];
    return online.length === replicas.length ? true : undefined;
  });
  return [master, ...replicas];
}
