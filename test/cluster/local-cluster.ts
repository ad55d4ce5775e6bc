/** A cluster of its own for a test or a tool: `tulpar local` on free ports in a temporary folder, as a user runs it. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { processEnvironment } from '../../shared/config/process-environment.js';
import { eventually } from './condition.js';
import { atExit } from './exit.js';
import { commandLine, processTree, stopChild } from './processes.js';
import { ask, freePort } from './sockets.js';

/** The top of the checkout; compiled tests live in dist/test/cluster. */
export const projectFolder = resolve(import.meta.dirname, '../../..');

export interface LocalCluster {
  /** Where clients connect. */
  readonly port: number;
  readonly directory: string;
  /** The supervisor; everything else descends from it. */
  readonly pid: number;
  /** Everything it printed so far. */
  output(): string;
  /** The processes of the cluster at this moment. */
  processes(): number[];
  /** The supervised processes that live, by name: `meta`, `server-1`, ..., `proxy`. */
  nodes(): ReadonlyMap<string, number>;
  /** Meta's admin API, which `tulpar admin` shows: `nodes`, `tables`, `partitions`, `checksums`. */
  admin<Rows>(listing: string): Promise<Rows>;
  /** Stops it cleanly; removes its data if it was this module that chose the folder. */
  stop(): Promise<void>;
}

export interface LocalClusterOptions {
  readonly port?: number;
  /** Kept when given. */
  readonly directory?: string;
  /** More flags of `tulpar local`. */
  readonly flags?: readonly string[];
  readonly readyMs?: number;
  /** Variables that its processes see, besides those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts a cluster and waits until it answers a read of its whole keyspace. */
export async function startLocalCluster(options: LocalClusterOptions = {}): Promise<LocalCluster> {
  const port = options.port ?? (await freePort());
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'tulpar-'));
  const main = join(projectFolder, 'dist/cli/main.js');
  if (!existsSync(main)) throw new Error(`${main} is missing: run \`npm run build\``);
  const flags = ['local', '--port', String(port), '--dir', directory, ...(options.flags ?? [])];
  const child = spawn(process.execPath, ['--enable-source-maps', main, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...processEnvironment(), ...options.environment },
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-200_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const killAll = (): void => {
    for (const pid of processTree(child.pid ?? 0)) process.kill(pid, 'SIGKILL');
  };
  const forget = atExit(killAll);
  const stop = async (): Promise<void> => {
    await stopChild(child);
    forget();
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
  };
  try {
    await eventually(
      'the cluster is ready',
      async () => {
        if (child.exitCode !== null || child.signalCode !== null) return true;
        return (await ask(port, 'DBSIZE')).startsWith(':') ? true : undefined;
      },
      options.readyMs ?? 60_000,
    );
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('the cluster ended while it started');
  } catch (error) {
    await stop();
    throw new Error(`cannot start a local cluster; it said:\n${output}`, { cause: error });
  }
  const pid = child.pid as number;
  const processes = (): number[] => processTree(pid);
  return {
    port,
    directory,
    pid,
    output: () => output,
    processes,
    async admin<Rows>(listing: string) {
      const { ports } = JSON.parse(readFileSync(join(directory, 'cluster.json'), 'utf8')) as {
        ports: { http: number };
      };
      const response = await fetch(`http://127.0.0.1:${ports.http}/api/${listing}`);
      if (!response.ok) throw new Error(`meta answered ${response.status} to ${listing}: ${await response.text()}`);
      return (await response.json()) as Rows;
    },
    nodes: () => new Map(processes().flatMap((each) => (each === pid ? [] : nodeOf(each)))),
    stop,
  };
}

/** The supervisor starts each node as `tulpar run --config DIR/config/NAME.json`. */
function nodeOf(pid: number): [name: string, pid: number][] {
  const words = commandLine(pid);
  const config = words[words.indexOf('--config') + 1];
  return words.includes('run') && config?.endsWith('.json') ? [[basename(config, '.json'), pid]] : [];
}
