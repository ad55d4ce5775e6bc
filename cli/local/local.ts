/**
 * A whole cluster on this machine, for trying it out and for work. This process only supervises;
 * everything else is in child processes, and any of them may be killed.
 */
import { ClassicLevel } from 'classic-level';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Settings } from '../../shared/config/options.js';
import { OperatingError } from '../../shared/errors.js';
import { readSettings, version } from '../program-options.js';
import { DECIDED, DEFAULTS } from './command.js';
import { type Plan, plan, readStored } from './plan.js';
import { untilReady } from './readiness.js';
import { announce, withdraw } from './registry.js';
import { Supervisor } from './supervisor.js';

/** Longer than a start should take: then it says what it waits for. */
const EXPLAIN_AFTER_MS = 10_000;
const EXPLAIN_EVERY_MS = 10_000;
/** One Ctrl-C at `npm start` comes twice within milliseconds: from the terminal, and forwarded by npm. */
const SAME_SIGNAL_MS = 500;

export async function local(given: Readonly<Record<string, unknown>>): Promise<void> {
  // Where it is decides what else it is: the folder is read before the rest gets its defaults.
  const dir = resolve(readSettings(given, { ...DEFAULTS, multiKey: 'slot' }, DECIDED).dir);
  const lock = await lockFolder(dir);
  try {
    const stored = readStored(dir);
    const kept =
      stored === undefined ? {} : { servers: stored.servers, partitions: stored.partitions, multiKey: stored.multiKey };
    const settings = readSettings(given, { ...DEFAULTS, ...kept }, DECIDED);
    await supervise(settings, await plan(dir, settings, stored));
  } finally {
    await lock.close();
  }
}

/** Runs until it is told to stop. */
async function supervise(settings: Settings, cluster: Plan): Promise<void> {
  const startedMs = performance.now();
  const stop = new AbortController();
  let hopeless: OperatingError | null = null;
  const supervisor = new Supervisor(cluster, fileURLToPath(new URL('../main.js', import.meta.url)), settings.threads, {
    say,
    onShutdown: () => {
      say('a client sent SHUTDOWN');
      stop.abort();
    },
    onHopeless: (name, code, message) => {
      hopeless ??= new OperatingError(code, `${name}: ${message}`);
      stop.abort();
    },
  });
  let stoppedMs = 0;
  const onSignal = (): void => {
    if (stop.signal.aborted) return performance.now() - stoppedMs > SAME_SIGNAL_MS ? supervisor.kill() : undefined;
    say('stopping (again to kill)...');
    stoppedMs = performance.now();
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

  introduce(cluster, settings);
  supervisor.start();
  announce({ pid: process.pid, dir: cluster.dir, http: cluster.http, resp: cluster.resp, startedAtMs: Date.now() });
  try {
    let explainAtMs = startedMs + EXPLAIN_AFTER_MS;
    await untilReady(cluster.http, cluster.resp, stop.signal, (what) => {
      if (performance.now() < explainAtMs) return;
      explainAtMs = performance.now() + EXPLAIN_EVERY_MS;
      say(`waiting for ${what}`);
    });
    if (!stop.signal.aborted) {
      supervisor.ready();
      say(`ready after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s; Ctrl-C stops it`);
    }
    await untilAborted(stop.signal);
    await supervisor.stop();
  } finally {
    withdraw(process.pid);
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
  if (hopeless !== null) throw hopeless as OperatingError;
  say('stopped; the data stays');
}

function introduce(cluster: Plan, { servers, partitions, multiKey, fsync, requirepass }: Settings): void {
  const [host = '', port = ''] = cluster.resp.split(/:(?=\d+$)/);
  const password = requirepass === '' ? '' : ' --askpass';
  say(
    [
      `Tulpar ${version()}: ${servers} server${servers === 1 ? '' : 's'}, ${partitions} partition${partitions === 1 ? '' : 's'}, multi-key ${multiKey}, fsync ${fsync}`,
      `  clients   ${cluster.resp}   (redis-cli -h ${host} -p ${port}${password})`,
      `  admin     http://${cluster.http}   (tulpar admin nodes)`,
      `  wire      ${cluster.wires.map(({ name, address }) => `${name} ${address}`).join(', ')}`,
      `  data      ${cluster.dir}`,
      `  logs      ${join(cluster.dir, 'logs')}`,
      'starting...',
    ].join('\n'),
  );
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    // The listener alone would not keep the process alive when all children are gone.
    const alive = setInterval(() => undefined, 60_000);
    signal.addEventListener(
      'abort',
      () => {
        clearInterval(alive);
        resolve();
      },
      { once: true },
    );
  });
}

/** LevelDB's own lock file: the kernel lets go of it when this process dies, however it dies. */
async function lockFolder(dir: string): Promise<ClassicLevel> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const lock = new ClassicLevel(join(dir, 'lock'));
  try {
    await lock.open();
  } catch (error) {
    throw new OperatingError('E_LOCKED', `${dir} is in use by another tulpar local, or cannot be written`, {
      cause: error,
    });
  }
  return lock;
}

function say(text: string): void {
  console.log(text);
}
