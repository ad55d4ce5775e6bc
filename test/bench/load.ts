/** Compiles the load generator (load.c) on first use and runs it. */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectFolder } from '../cluster/local-cluster.js';
import { isInstalled } from '../cluster/processes.js';

export type LoadMode = 'set' | 'get' | 'incr' | 'mixed' | 'setwait' | 'fill';

export interface LoadOptions {
  readonly port: number;
  readonly mode: LoadMode;
  readonly connections?: number;
  readonly pipeline?: number;
  readonly seconds?: number;
  readonly keys?: number;
  readonly valueBytes?: number;
  /** Replicas that WAIT asks for, in mode `setwait`. */
  readonly replicas?: number;
}

/** What load.c prints. Latencies are of a round trip of one pipeline. */
export interface LoadResult {
  readonly operations: number;
  readonly seconds: number;
  readonly operationsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly errors: number;
  readonly firstError: string;
  readonly misses: number;
  readonly lostConnections: number;
}

const run = promisify(execFile);

/** The program's path; its name holds a hash of the source, so a changed source is compiled anew. */
function loadProgram(): string {
  const source = join(projectFolder, 'test/bench/load.c');
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12);
  const folder = join(projectFolder, '.cache');
  const program = join(folder, `load-${hash}`);
  if (existsSync(program)) return program;
  if (!isInstalled('cc'))
    throw new Error('a C compiler is needed for the load generator (Debian: apt-get install gcc libc6-dev)');
  mkdirSync(folder, { recursive: true });
  execFileSync('cc', ['-O2', '-Wall', '-o', `${program}.new`, source], { stdio: ['ignore', 'inherit', 'inherit'] });
  renameSync(`${program}.new`, program);
  return program;
}

/** Runs one load to its end. Rejects when a connection was lost; error replies are only counted. */
export async function applyLoad(options: LoadOptions): Promise<LoadResult> {
  const flags = Object.entries(options).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
  const { stdout } = await run(loadProgram(), flags);
  return JSON.parse(stdout) as LoadResult;
}
