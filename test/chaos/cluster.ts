/**
 * A cluster whose processes one can do anything to: each is started by this process, as `tulpar run` with a
 * configuration of its own, where the surroundings say (a network namespace, a file system of a bounded size, the
 * disk shim). What `tulpar local` would do for it, starting again what dies, is done by member.ts.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChecksumRow } from '../../meta/checksums.js';
import type { ClusterStatus, NodeRow, PartitionRow } from '../../meta/admin.js';
import type { Role } from '../../shared/cluster.js';
import { options as optionTable, type Settings } from '../../shared/config/options.js';
import { eventually } from '../cluster/condition.js';
import { atExit } from '../cluster/exit.js';
import { freePort } from '../cluster/sockets.js';
import { type Death, Member } from './member.js';

const MEMORY_EVERY_MS = 250;
const READY_MS = 60_000;
const WHOLE_MS = 120_000;

/** Where a member lives, besides in this machine. */
export interface Surroundings {
  /** Its address, which nobody else has, or undefined for 127.0.0.1 and free ports. */
  addressOf(name: string): string | undefined;
  /** Words before its command line. */
  prefixOf(name: string): readonly string[];
  /** What it sees in its environment; `folder` is all that it keeps. */
  environmentOf(name: string, role: Role, folder: string): Readonly<Record<string, string>>;
  /** Called before the first start of a member, with its folder, which exists. */
  prepare(name: string, role: Role, folder: string): void;
  /** Called when no process runs any more, and once more than needed at most. */
  remove(): void;
}

export const plainSurroundings: Surroundings = {
  addressOf: () => undefined,
  prefixOf: () => [],
  environmentOf: () => ({}),
  prepare: () => undefined,
  remove: () => undefined,
};

export interface ChaosClusterOptions {
  readonly servers?: number;
  readonly proxies?: number;
  readonly settings?: Partial<Settings>;
  /** Given the folder of the cluster. */
  readonly surroundings?: (directory: string) => Surroundings;
}

export class ChaosCluster {
  readonly directory: string;
  readonly members: readonly Member[];
  readonly metaAddress: string;
  readonly clusterId: string;
  readonly secret: string;
  private readonly http: string;
  readonly surroundings: Surroundings;
  private readonly sampler: NodeJS.Timeout;
  private readonly forget: () => void;

  private constructor(
    directory: string,
    identity: { clusterId: string; secret: string; meta: string; http: string },
    members: readonly Member[],
    surroundings: Surroundings,
  ) {
    this.directory = directory;
    this.clusterId = identity.clusterId;
    this.secret = identity.secret;
    this.metaAddress = identity.meta;
    this.http = identity.http;
    this.members = members;
    this.surroundings = surroundings;
    this.sampler = setInterval(() => {
      for (const member of this.members) member.sampleMemory();
    }, MEMORY_EVERY_MS);
    this.forget = atExit(() => this.abandon());
  }

  /** Resolves once every partition is whole and served. Leaves nothing behind when it rejects. */
  static async start(options: ChaosClusterOptions = {}): Promise<ChaosCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'tulpar-chaos-'));
    const surroundings = options.surroundings?.(directory) ?? plainSurroundings;
    const cluster = await ChaosCluster.lay(directory, surroundings, options);
    try {
      for (const member of cluster.members) member.start();
      await cluster.untilWhole(READY_MS);
    } catch (error) {
      cluster.abandon();
      throw error;
    }
    return cluster;
  }

  private static async lay(
    directory: string,
    surroundings: Surroundings,
    { servers = 3, proxies = 1, settings = {} }: ChaosClusterOptions,
  ): Promise<ChaosCluster> {
    for (const folder of ['config', 'logs']) mkdirSync(join(directory, folder));
    const clusterId = `chaos-${randomBytes(6).toString('hex')}`;
    const secret = randomBytes(24).toString('hex');
    const metaHost = surroundings.addressOf('meta') ?? '127.0.0.1';
    const metaPort = await freePort();
    const httpPort = await freePort();
    const meta = `${metaHost}:${metaPort}`;
    const members: Member[] = [];
    const add = async (name: string, role: Role): Promise<void> => {
      const folder = join(directory, name);
      mkdirSync(folder);
      surroundings.prepare(name, role, folder);
      const host = surroundings.addressOf(name) ?? '127.0.0.1';
      const port = role === 'meta' ? metaPort : await freePort();
      const configFile = join(directory, 'config', `${name}.json`);
      const listeners = { meta: { metaPort, httpPort }, server: { wirePort: port }, proxy: { port } }[role];
      const own = { clusterId, secret, meta, host, servers, node: name, machine: name, dir: folder, roles: [role] };
      writeFileSync(configFile, JSON.stringify({ ...settings, ...own, ...listeners }, null, 2), { mode: 0o600 });
      members.push(
        new Member({
          name,
          role,
          host,
          port,
          folder,
          configFile,
          logFile: join(directory, 'logs', `${name}.log`),
          cacheBytes: settings.cacheBytes ?? optionTable.cacheBytes.default,
          threads: settings.threads ?? optionTable.threads.default,
          prefix: surroundings.prefixOf(name),
          environment: surroundings.environmentOf(name, role, folder),
        }),
      );
    };
    await add('meta', 'meta');
    for (let i = 1; i <= servers; i++) await add(`server-${i}`, 'server');
    for (let i = 1; i <= proxies; i++) await add(`proxy-${i}`, 'proxy');
    const identity = { clusterId, secret, meta, http: `${metaHost}:${httpPort}` };
    return new ChaosCluster(directory, identity, members, surroundings);
  }

  member(name: string): Member {
    const found = this.members.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no process is called ${name}`);
    return found;
  }

  withRole(role: Role): readonly Member[] {
    return this.members.filter((member) => member.options.role === role);
  }

  /** Meta's admin API: `partitions`, `status`, `checksums`, ... Rejects while meta does not answer. */
  async admin<Answer>(path: string, timeoutMs = 2_000): Promise<Answer> {
    const response = await fetch(`http://${this.http}/api/${path}`, { signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`meta answered ${response.status} to ${path}: ${await response.text()}`);
    return (await response.json()) as Answer;
  }

  partitions(): Promise<PartitionRow[]> {
    return eventually('meta lists the partitions', () => this.admin<PartitionRow[]>('partitions'));
  }

  /**
   * Waits until every process runs, meta knows it as the one that runs, and every partition has all its replicas and a
   * primary that serves. What meta knows of a process that was killed a moment ago does not count.
   */
  async untilWhole(deadlineMs = WHOLE_MS): Promise<void> {
    let last = 'no answer of meta';
    try {
      await eventually(
        'every partition is whole and served',
        async () => {
          const [status, nodes] = await Promise.all([
            this.admin<ClusterStatus>('status'),
            this.admin<NodeRow[]>('nodes'),
          ]);
          const strange = this.members.filter(
            ({ name, pid }) => !nodes.some((row) => row.node === name && row.pid === pid && row.state === 'alive'),
          );
          last = `${JSON.stringify(status)}, not known as they run: ${strange.map(({ name }) => name).join(', ') || 'none'}`;
          return status.ready && strange.length === 0 ? true : undefined;
        },
        deadlineMs,
      );
    } catch (error) {
      throw new Error(`the cluster is not whole after ${deadlineMs} ms: ${last}`, { cause: error });
    }
  }

  /**
   * Checksums of every replica, once all of a partition were taken at one decree. Rejects when two differ.
   * Ask when no load runs.
   */
  async equalChecksums(replicas = 3): Promise<ChecksumRow[]> {
    const rows = await eventually(
      'the checksums of every replica at one decree',
      async () => {
        const found = await this.admin<ChecksumRow[]>('checksums', 60_000);
        const partitions = byPartition(found);
        const complete = [...partitions.values()].every(
          (group) => group.length === replicas && new Set(group.map(({ decree }) => decree)).size === 1,
        );
        return partitions.size > 0 && complete ? found : undefined;
      },
      WHOLE_MS,
    );
    for (const [partition, group] of byPartition(rows)) {
      if (new Set(group.map(({ checksum }) => checksum)).size !== 1)
        throw new Error(`the replicas of partition ${partition} differ: ${JSON.stringify(group)}`);
    }
    return rows;
  }

  /** Who ended without anybody here causing it, since the last call. */
  takeDeaths(): Death[] {
    return this.members.flatMap((member) => member.deaths.splice(0));
  }

  /** Largest resident size of each process so far, in bytes. */
  memory(): ReadonlyMap<string, number> {
    return new Map(this.members.map((member) => [member.name, member.memoryMax]));
  }

  async stop(): Promise<void> {
    for (const role of ['proxy', 'server', 'meta'] as const)
      await Promise.all(this.withRole(role).map((member) => member.stop()));
    this.remove();
  }

  /** Everything at once and without waiting: also what happens when this process is interrupted. */
  private abandon(): void {
    for (const member of this.members) member.killNow();
    this.remove();
  }

  private remove(): void {
    clearInterval(this.sampler);
    this.forget();
    this.surroundings.remove();
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function byPartition(rows: readonly ChecksumRow[]): Map<number, ChecksumRow[]> {
  const groups = new Map<number, ChecksumRow[]>();
  for (const row of rows) groups.set(row.partition, [...(groups.get(row.partition) ?? []), row]);
  return groups;
}
