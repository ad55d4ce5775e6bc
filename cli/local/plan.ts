/**
 * What a local cluster consists of, written down in its folder when it is made, so that the next start
 * finds the same cluster: its id and secret, how many servers hold its data, who listens where.
 *
 *   DIR/cluster.json    this
 *   DIR/config/NAME.json   what the supervisor gives each process
 *   DIR/NAME/           what that process keeps
 *   DIR/logs/NAME.log   what it says
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MultiKey, Role } from '../../shared/cluster.js';
import type { Settings } from '../../shared/config/options.js';
import { OperatingError } from '../../shared/errors.js';
import { heapFlags } from '../run/thread-pool.js';
import { choosePort, isFree } from './ports.js';

/** What is kept of a cluster. */
export interface StoredCluster {
  readonly clusterId: string;
  readonly secret: string;
  readonly servers: number;
  readonly partitions: number;
  readonly multiKey: MultiKey;
  /** By `NAME` or, for meta's HTTP listener, `http`. */
  readonly ports: Readonly<Record<string, number>>;
}

export interface ChildPlan {
  readonly name: string;
  readonly role: Role;
  readonly configFile: string;
  readonly logFile: string;
  /** For V8. */
  readonly heapFlags: readonly string[];
}

export interface Plan {
  readonly dir: string;
  readonly resp: string;
  readonly http: string;
  /** Who listens where, for the person who started it. */
  readonly wires: readonly { readonly name: string; readonly address: string }[];
  readonly children: readonly ChildPlan[];
}

export function readStored(dir: string): StoredCluster | undefined {
  const path = join(dir, 'cluster.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as StoredCluster) : undefined;
}

/** Throws E_CONFIG for what cannot be changed about a cluster that has data, E_LISTEN when the clients' port is taken. */
export async function plan(dir: string, settings: Settings, stored: StoredCluster | undefined): Promise<Plan> {
  if (stored !== undefined) checkUnchanged(dir, settings, stored);
  const { host } = settings;
  if (settings.port !== 0 && !(await isFree(host, settings.port))) {
    throw new OperatingError('E_LISTEN', `port ${settings.port} on ${host} is taken; choose another with --port`);
  }
  const taken = new Set([settings.port]);
  const ports: Record<string, number> = {};
  const names = ['http', 'meta', ...serverNames(settings.servers), ...(settings.port === 0 ? ['proxy'] : [])];
  for (const name of names) {
    const wanted = name === 'http' && settings.httpPort !== 0 ? settings.httpPort : stored?.ports[name];
    ports[name] = await choosePort(host, wanted, `${dir} ${name}`, taken);
  }
  const cluster: StoredCluster = {
    clusterId: stored?.clusterId ?? `local-${randomBytes(6).toString('hex')}`,
    secret: stored?.secret ?? randomBytes(24).toString('hex'),
    servers: settings.servers,
    partitions: settings.partitions,
    multiKey: settings.multiKey,
    ports,
  };
  for (const folder of [dir, join(dir, 'config'), join(dir, 'logs')])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeJson(join(dir, 'cluster.json'), cluster);

  const port = settings.port === 0 ? (ports['proxy'] ?? 0) : settings.port;
  const children: ChildPlan[] = [];
  const add = (name: string, role: Role, own: Partial<Settings>): void => {
    const configFile = join(dir, 'config', `${name}.json`);
    const machines = { machine: name }; // on one machine, so that servers count as apart
    writeJson(configFile, {
      ...settings,
      ...machines,
      clusterId: cluster.clusterId,
      secret: cluster.secret,
      meta: `${settings.host}:${ports['meta']}`,
      roles: [role],
      node: name,
      dir: join(dir, name),
      ...own,
    });
    children.push({
      name,
      role,
      configFile,
      logFile: join(dir, 'logs', `${name}.log`),
      heapFlags: heapFlags({ roles: [role], cacheBytes: settings.cacheBytes }),
    });
  };
  add('meta', 'meta', { metaPort: ports['meta'] ?? 0, httpPort: ports['http'] ?? 0 });
  for (const name of serverNames(settings.servers)) add(name, 'server', { wirePort: ports[name] ?? 0 });
  add('proxy', 'proxy', { port });
  return {
    dir,
    resp: `${host}:${port}`,
    http: `${host}:${ports['http']}`,
    wires: ['meta', ...serverNames(settings.servers)].map((name) => ({ name, address: `${host}:${ports[name]}` })),
    children,
  };
}

function serverNames(servers: number): string[] {
  return Array.from({ length: servers }, (_, i) => `server-${i + 1}`);
}

function checkUnchanged(dir: string, settings: Settings, stored: StoredCluster): void {
  const refuse = (reason: string): never => {
    throw new OperatingError('E_CONFIG', `${reason} (another --dir makes another cluster)`);
  };
  if (settings.servers < stored.servers)
    refuse(`servers: the cluster in ${dir} has ${stored.servers}; ${settings.servers} would leave out replicas`);
  if (settings.partitions !== stored.partitions)
    refuse(`partitions: the cluster in ${dir} was made with ${stored.partitions}`);
  if (settings.multiKey !== stored.multiKey) refuse(`multiKey: the cluster in ${dir} was made with ${stored.multiKey}`);
}

/** Replaces the file whole: a start that is killed leaves the old one or the new one. */
function writeJson(path: string, content: object): void {
  const text = `${JSON.stringify(content, null, 2)}\n`;
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
