/**
 * A native client on real sockets: a network of its own, that nobody connects to, and a router on it. To meta it
 * is one more proxy, without a listener.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { NodeInfo } from '../cluster.js';
import { systemEnvironment } from '../environment.js';
import { OperatingError } from '../errors.js';
import { type Logger, silentLogger } from '../logging.js';
import { isReadOnly } from '../operations/codes.js';
import { Router } from '../routing/router.js';
import { TcpNetwork } from '../wire/tcp.js';
import { TulparClient } from './client.js';

export interface ConnectOptions {
  /** Address of meta's wire listener as HOST:PORT; one for now. */
  readonly meta: readonly string[];
  /** As the cluster is configured; these are the defaults of `tulpar run`. */
  readonly clusterId?: string;
  readonly secret?: string;
  /** From a call to the last moment of its answer; also for connecting. */
  readonly deadlineMs?: number;
  readonly logger?: Logger;
}

const DEFAULT_DEADLINE_MS = 10_000;

/** How to connect to the cluster that `tulpar local` keeps in this folder: its id, secret and meta's port. */
export function localCluster(directory: string): ConnectOptions {
  const { clusterId, secret, ports } = JSON.parse(readFileSync(join(directory, 'cluster.json'), 'utf8')) as {
    clusterId: string;
    secret: string;
    ports: { meta: number };
  };
  return { meta: [`127.0.0.1:${ports.meta}`], clusterId, secret };
}

/** Passes everything on, and remembers why the last connection was refused: the caller wants to know. */
class Refusals implements Logger {
  last = '';
  readonly #inner: Logger;

  constructor(inner: Logger) {
    this.#inner = inner;
  }

  debug(fields: object, message: string): void {
    this.#inner.debug(fields, message);
  }
  info(fields: object, message: string): void {
    this.#inner.info(fields, message);
  }
  error(fields: object, message: string): void {
    this.#inner.error(fields, message);
  }
  child(fields: Record<string, unknown>): Logger {
    return this.#inner.child(fields);
  }
  warn(fields: object, message: string): void {
    if ('reason' in fields && typeof fields.reason === 'string') this.last = `: ${fields.reason}`;
    this.#inner.warn(fields, message);
  }
}

/** Resolves once meta has told of the cluster. Rejects with E_ARGUMENT, E_META or E_REFUSED. */
export async function connect(options: ConnectOptions): Promise<TulparClient> {
  const { host, port } = metaAddress(options.meta);
  const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
  const refusals = new Refusals(options.logger ?? silentLogger);
  const random = randomBytes(4).toString('hex');
  const node = `client-${process.pid}-${random}`;
  const boot = `${systemEnvironment.wallMs()}-${random}`;
  const network = new TcpNetwork({
    environment: systemEnvironment,
    self: { node, boot, role: 'proxy' },
    cluster: options.clusterId ?? 'tulpar',
    secret: options.secret ?? '',
    logger: refusals,
  });
  const describe = (): NodeInfo => ({
    node,
    boot,
    role: 'proxy',
    host: '',
    port: 0,
    machine: hostname(),
    pid: process.pid,
    state: 'alive',
  });
  let onView = (): void => undefined;
  let onRefused = (_reason: string): void => undefined;
  const router = new Router(systemEnvironment, network, {
    metaHost: host,
    metaPort: port,
    describe,
    isReadOnly,
    deadlineMs,
    onView: () => onView(),
    onRefused: (reason) => onRefused(reason),
  });
  const client = new TulparClient(systemEnvironment, router, { deadlineMs, release: () => network.close() });
  try {
    await network.start();
    await new Promise<void>((resolve, reject) => {
      const timer = systemEnvironment.after(deadlineMs, () => {
        const why = `meta at ${host}:${port} did not tell of the cluster within ${deadlineMs} ms${refusals.last}`;
        reject(new OperatingError('E_META', why, { retry: true }));
      });
      onRefused = (reason) => {
        timer.cancel();
        reject(new OperatingError('E_REFUSED', `meta at ${host}:${port} refused this client: ${reason}`));
      };
      onView = () => {
        timer.cancel();
        resolve();
      };
      router.start();
    });
  } catch (error) {
    await client.close();
    throw error;
  }
  onRefused = () => undefined;
  onView = () => client.onView();
  return client;
}

function metaAddress(addresses: readonly string[]): { host: string; port: number } {
  const [address] = addresses;
  const parts = address === undefined || addresses.length !== 1 ? null : /^\[?(.+?)\]?:(\d+)$/.exec(address);
  if (parts === null)
    throw new OperatingError('E_ARGUMENT', `meta must be one HOST:PORT, not '${addresses.join(', ')}'`);
  return { host: parts[1] ?? '', port: Number(parts[2]) };
}
