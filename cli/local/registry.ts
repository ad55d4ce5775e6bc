/**
 * Which local clusters of this user run on this machine, so that `tulpar admin` finds the last started
 * one without being told. One small file a cluster, in a folder that only this user can write.
 */
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { OperatingError } from '../../shared/errors.js';

export interface RunningCluster {
  /** Of the supervisor. */
  readonly pid: number;
  readonly dir: string;
  /** Meta's HTTP listener, HOST:PORT. */
  readonly http: string;
  /** For Redis clients, HOST:PORT. */
  readonly resp: string;
  readonly startedAtMs: number;
}

export function announce(cluster: RunningCluster): void {
  writeFileSync(fileOf(cluster.pid), `${JSON.stringify(cluster)}\n`, { mode: 0o600 });
}

export function withdraw(pid: number): void {
  rmSync(fileOf(pid), { force: true });
}

/** Undefined when none runs. Files of supervisors that are gone are removed. */
export function lastStarted(): RunningCluster | undefined {
  const running: RunningCluster[] = [];
  for (const file of readdirSync(folder())) {
    const path = join(folder(), file);
    const cluster = JSON.parse(readFileSync(path, 'utf8')) as RunningCluster;
    if (isRunning(cluster.pid)) running.push(cluster);
    else rmSync(path, { force: true });
  }
  return running.sort((a, b) => b.startedAtMs - a.startedAtMs)[0];
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function fileOf(pid: number): string {
  return join(folder(), `${pid}.json`);
}

function folder(): string {
  const { uid } = userInfo();
  const path = join(tmpdir(), `tulpar-${uid}`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  if (!found.isDirectory() || (uid >= 0 && found.uid !== uid)) {
    throw new OperatingError('E_REFUSED', `${path} belongs to somebody else`);
  }
  chmodSync(path, 0o700);
  return path;
}
