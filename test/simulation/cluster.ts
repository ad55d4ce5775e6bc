/** Meta, servers and proxies as simulated processes: they can be killed at any event and started again on their disks. */
import type { NodeInfo, Role } from '../../shared/cluster.js';
import type { Logger } from '../../shared/logging.js';
import { isReadOnly } from '../../shared/operations/codes.js';
import { Router } from '../../shared/routing/router.js';
import { Meta } from '../../meta/meta.js';
import { MemoryStateStore } from '../../meta/store/memory.js';
import type { StateStore } from '../../meta/store/store.js';
import type { ServerDisk } from '../../server/disk.js';
import type { MutationLog } from '../../server/log/log.js';
import { openSegmentLog } from '../../server/log/segments.js';
import { VirtualFiles } from '../../server/log/virtual-files.js';
import { Server } from '../../server/server.js';
import { MemoryStoreFactory, type Loss } from '../../server/storage/memory.js';
import { SimulatedDisk } from './disks.js';
import { Wires, type SimulatedNetwork } from './network.js';
import type { Plan } from './plan.js';
import { ProcessEnvironment } from './process.js';
import { SimulatedProxy } from './proxy.js';
import type { World } from './world.js';

export const timing = { leaseMs: 2_000, graceMs: 2_600, beaconMs: 250, metaLeaseMs: 4_000, metaHeartbeatMs: 400 };
export const minReplicas = 2;
/** The supervisor kills what does not end by itself. */
const STOP_MS = 8_000;

export interface Process {
  readonly environment: ProcessEnvironment;
  readonly network: SimulatedNetwork;
}

export interface RunningServer extends Process {
  readonly server: Server;
  readonly files: VirtualFiles;
  readonly factory: MemoryStoreFactory;
  /** By partition, what its log has said to be logged: decree to ballot. */
  readonly logged: Map<number, Map<number, number>>;
  started: boolean;
  stopping: boolean;
}

export interface SimulatedServer {
  readonly name: string;
  readonly disk: SimulatedDisk;
  running: RunningServer | null;
}

/** What a planted bug may replace. */
export interface Parts {
  readonly log: (log: MutationLog, environment: ProcessEnvironment) => MutationLog;
  readonly metaStore: (store: StateStore, environment: ProcessEnvironment) => StateStore;
  readonly timing: typeof timing;
}

export const soundParts: Parts = {
  log: (log) => log,
  metaStore: (store) => store,
  timing,
};

export class Cluster {
  readonly world: World;
  readonly wires: Wires;
  readonly plan: Plan;
  readonly servers: SimulatedServer[];
  /** Replaced by another object when it dies: its clients connect again. */
  readonly proxies: SimulatedProxy[] = [];
  meta: (Process & { readonly meta: Meta }) | null = null;
  /** What meta has on its disk. */
  readonly metaRows = new Map<string, string>();
  /** What a process died of by itself: always a finding. */
  readonly failures: string[] = [];
  readonly byEnvironment = new Map<ProcessEnvironment, SimulatedServer>();
  /** A server has opened its disk, and may have lost what it held in memory only. */
  onStarted: (server: SimulatedServer) => void = () => undefined;
  /** A server's disk failed: what was not synced may be gone with it. */
  onDiskFailed: (server: string) => void = () => undefined;
  private readonly proxyProcesses: Process[] = [];
  private readonly logger: Logger;
  private readonly parts: Parts;
  private boots = 0;

  constructor(world: World, plan: Plan, logger: Logger, parts: Parts) {
    this.world = world;
    this.plan = plan;
    this.logger = logger;
    this.parts = parts;
    this.wires = new Wires(world, plan.network);
    this.servers = Array.from({ length: plan.servers }, (_, i) => ({
      name: `server-${i + 1}`,
      disk: new SimulatedDisk(world, plan.disk),
      running: null,
    }));
    this.startMeta();
    for (const server of this.servers) this.startServer(server);
    for (let i = 0; i < plan.proxies; i++) this.startProxy(i);
  }

  /** Names of all nodes. */
  get nodes(): string[] {
    return ['meta', ...this.servers.map(({ name }) => name), ...this.proxies.map((_, i) => `proxy-${i + 1}`)];
  }

  private process(node: string, role: Role): Process {
    const { world, plan } = this;
    const environment = new ProcessEnvironment(world, node, {
      wallOffsetMs: world.between(-2_000, 2_000),
      rate: 1 + world.between(-plan.drift, plan.drift),
    });
    this.boots++;
    const network = this.wires.join({ node, boot: `${this.boots}-sim`, role }, environment);
    return { environment, network };
  }

  private describe({ network }: Process, role: Role): (state: NodeInfo['state']) => NodeInfo {
    const { node, boot } = network.self;
    return (state) => ({ node, role, boot, host: 'sim', port: 1, machine: node, pid: this.boots, state });
  }

  // --- meta

  startMeta(): void {
    if (this.meta !== null) return;
    const process = this.process('meta', 'meta');
    const { environment, network } = process;
    const { servers, partitions } = this.plan;
    const store = this.parts.metaStore(new MemoryStateStore(environment, this.metaRows), environment);
    const onFatal = (error: Error): void => void this.failures.push(`meta: ${error.message}`);
    const meta = new Meta(
      environment,
      network,
      store,
      {
        servers,
        partitions,
        multiKey: partitions === 1 ? 'any' : 'slot',
        replicas: 3,
        minReplicas,
        metaLeaseMs: this.parts.timing.metaLeaseMs,
        rejoinMs: 2_000,
        tickMs: 500,
        newHashKey: () => '0123456789abcdef',
        onFatal,
      },
      this.logger.child({ node: 'meta' }),
    );
    this.meta = { ...process, meta };
    meta.start((error) => {
      if (error !== null) onFatal(error);
    });
  }

  killMeta(): void {
    if (this.meta === null) return;
    this.kill(this.meta);
    this.meta = null;
  }

  // --- servers

  startServer(of: SimulatedServer): void {
    if (of.running !== null) return;
    const process = this.process(of.name, 'server');
    const { environment, network } = process;
    const { disk } = of;
    const { plan, parts } = this;
    disk.errors = 0;
    const { delayMs, fault, storeFault } = disk;
    const files = new VirtualFiles(environment, disk.log, { delayMs, fault });
    const factory = new MemoryStoreFactory(environment, disk.stores, { delayMs, fault: storeFault });
    const logged: RunningServer['logged'] = new Map();
    const server = new Server(
      environment,
      network,
      {
        ...parts.timing,
        describe: this.describe(process, 'server'),
        metaHost: 'sim',
        metaPort: 1,
        cacheBytes: plan.cacheBytes,
        learnBytesPerSecond: plan.learnBytesPerSecond,
        diskSoftBytes: plan.disk.softBytes,
        diskHardBytes: plan.disk.hardBytes,
        openDisk: (done) =>
          openSegmentLog(
            { files, environment, fsync: plan.fsync, segmentBytes: plan.segmentBytes },
            (error, opened) => {
              if (error !== null || opened === undefined) return done(error ?? new Error('no log'));
              const simulated: ServerDisk = {
                stores: factory,
                opened: { ...opened, log: parts.log(noting(opened.log, logged), environment) },
                space: (told) => told(null, { freeBytes: disk.freeBytes(), sizeBytes: 4 * plan.disk.softBytes }),
                close: (closed) => closed(null),
              };
              done(null, simulated);
            },
          ),
        onFatal: (error) => this.onServerDied(of, environment, error),
      },
      this.logger.child({ node: of.name, boot: network.self.boot }),
    );
    of.running = { ...process, server, files, factory, logged, started: false, stopping: false };
    this.byEnvironment.set(environment, of);
    server.start((error) => {
      if (error !== null) return this.onServerDied(of, environment, error);
      if (of.running?.environment !== environment) return;
      of.running.started = true;
      this.onStarted(of);
    });
  }

  /** Of a sick disk a server may die: the supervisor starts it again. Of anything else it may not. */
  private onServerDied(of: SimulatedServer, environment: ProcessEnvironment, error: Error): void {
    if (of.disk.errors === 0) {
      this.failures.push(`${of.name}: ${error.stack ?? error.message}`);
      return;
    }
    this.world.at(0, () => {
      if (of.running?.environment === environment) this.killServer(of);
    });
    this.world.at(this.world.between(500, 3_000), () => this.startServer(of));
  }

  killServer(of: SimulatedServer, loss: Loss = 'none'): void {
    const { running } = of;
    if (running === null) return;
    if (of.disk.errors > 0 && this.plan.fsync !== 'always') this.onDiskFailed(of.name);
    of.running = null;
    this.byEnvironment.delete(running.environment);
    this.kill(running, loss !== 'none');
    running.files.crash(loss);
    running.factory.crash(loss);
  }

  /** As SIGTERM does; `done` when it has ended, or was killed because it did not. */
  stopServer(of: SimulatedServer, done: () => void): void {
    const { running } = of;
    if (running === null || !running.started || running.stopping) return done();
    running.stopping = true;
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      if (of.running === running) this.killServer(of);
      done();
    };
    running.network.onClosed = () => void this.world.at(0, end);
    this.world.schedule(0, running.environment, () => running.server.stop(() => undefined));
    this.world.at(STOP_MS, end);
  }

  // --- proxies

  private startProxy(index: number): void {
    const process = this.process(`proxy-${index + 1}`, 'proxy');
    const router = new Router(process.environment, process.network, {
      metaHost: 'sim',
      metaPort: 1,
      describe: () => this.describe(process, 'proxy')('alive'),
      isReadOnly,
      deadlineMs: this.plan.deadlineMs,
    });
    router.start();
    this.proxies[index] = new SimulatedProxy(process.environment, router);
    this.proxyProcesses[index] = process;
  }

  /** Another boot of it begins some time later. */
  killProxy(index: number, forMs: number): void {
    const process = this.proxyProcesses[index];
    const proxy = this.proxies[index];
    if (process === undefined || proxy === undefined || proxy.dead) return;
    this.kill(process);
    proxy.killed();
    this.world.at(forMs, () => this.startProxy(index));
  }

  // --- processes

  /** The process that runs under this name at present. */
  processOf(node: string): Process | null {
    if (node === 'meta') return this.meta;
    if (node.startsWith('proxy-')) return this.proxyProcesses[Number(node.slice(6)) - 1] ?? null;
    return this.servers.find(({ name }) => name === node)?.running ?? null;
  }

  private kill({ environment, network }: Process, silently = false): void {
    environment.dead = true;
    environment.backlog = [];
    this.wires.leave(network, silently);
  }
}

/** Remembers what the log said to be logged: nothing else may be acknowledged. */
function noting(log: MutationLog, logged: RunningServer['logged']): MutationLog {
  const note = (partition: number, decree: number, ballot: number): void => {
    let ballots = logged.get(partition);
    if (ballots === undefined) logged.set(partition, (ballots = new Map()));
    ballots.set(decree, ballot);
    if (ballots.size > 8_192) for (const old of ballots.keys()) if (old < decree - 4_096) ballots.delete(old);
  };
  return {
    append: (record, done) =>
      log.append(record, (error) => {
        if (error === null) note(record.partition, record.decree, record.ballot);
        done(error);
      }),
    get syncsWrites() {
      return log.syncsWrites;
    },
    get pendingBytes() {
      return log.pendingBytes;
    },
    read: (...of) => log.read(...of),
    release: (...of) => log.release(...of),
    forget: (...of) => log.forget(...of),
    segments: () => log.segments(),
    sync: (done) => log.sync(done),
    close: (done) => log.close(done),
  };
}
