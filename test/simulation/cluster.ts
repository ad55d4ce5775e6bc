/** Meta, servers and routers as simulated processes: they can be killed at any event and started again on their disks. */
import type { NodeInfo, Role } from '../../shared/cluster.js';
import { silentLogger, type Logger } from '../../shared/logging.js';
import { Router } from '../../shared/routing/router.js';
import { Meta } from '../../meta/meta.js';
import { MemoryStateStore } from '../../meta/store/memory.js';
import type { ServerDisk } from '../../server/disk.js';
import { openSegmentLog } from '../../server/log/segments.js';
import { VirtualDisk, VirtualFiles } from '../../server/log/virtual-files.js';
import { isReadOnly } from '../../shared/operations/codes.js';
import { Server } from '../../server/server.js';
import { MemoryDisk, MemoryStoreFactory, type Loss } from '../../server/storage/memory.js';
import { Wires, type SimulatedNetwork } from './network.js';
import { SimulatedProxy } from './proxy.js';
import { ProcessEnvironment, type World } from './world.js';

const TIMING = { leaseMs: 2_000, graceMs: 2_600, beaconMs: 250, metaLeaseMs: 4_000, metaHeartbeatMs: 400 };
const GiB = 1024 ** 3;

interface Process {
  readonly environment: ProcessEnvironment;
  readonly network: SimulatedNetwork;
}

export interface SimulatedServer {
  readonly name: string;
  readonly log: VirtualDisk;
  readonly stores: MemoryDisk;
  running: (Process & { server: Server; files: VirtualFiles; factory: MemoryStoreFactory }) | null;
}

export interface ClusterOptions {
  readonly servers: number;
  readonly partitions: number;
  readonly routers: number;
  readonly logger?: Logger;
}

export class Cluster {
  readonly world: World;
  readonly wires: Wires;
  readonly servers: SimulatedServer[];
  readonly proxies: SimulatedProxy[] = [];
  meta: (Process & { meta: Meta }) | null = null;
  /** What a process died of by itself: always a finding. */
  readonly failures: string[] = [];
  private readonly metaRows = new Map<string, string>();
  private readonly options: ClusterOptions;
  private readonly logger: Logger;
  private boots = 0;

  constructor(world: World, options: ClusterOptions) {
    this.world = world;
    this.wires = new Wires(world);
    this.options = options;
    this.logger = options.logger ?? silentLogger;
    this.servers = Array.from({ length: options.servers }, (_, i) => ({
      name: `server-${i + 1}`,
      log: new VirtualDisk(),
      stores: new MemoryDisk(),
      running: null,
    }));
    this.startMeta();
    for (const server of this.servers) this.startServer(server);
    for (let i = 0; i < options.routers; i++) this.startRouter(`proxy-${i + 1}`);
  }

  get routers(): Router[] {
    return this.proxies.map(({ router }) => router);
  }

  private process(node: string, role: Role): Process {
    const environment = new ProcessEnvironment(this.world, this.world.between(-2_000, 2_000));
    this.boots++;
    const network = this.wires.join({ node, boot: `${this.boots}-sim`, role }, environment);
    return { environment, network };
  }

  private describe({ network }: Process, role: Role): (state: NodeInfo['state']) => NodeInfo {
    const { node, boot } = network.self;
    return (state) => ({ node, role, boot, host: 'sim', port: 1, machine: node, pid: this.boots, state });
  }

  startMeta(): void {
    if (this.meta !== null) return;
    const process = this.process('meta', 'meta');
    const { servers, partitions } = this.options;
    const meta = new Meta(
      process.environment,
      process.network,
      new MemoryStateStore(process.environment, this.metaRows),
      {
        servers,
        partitions,
        multiKey: partitions === 1 ? 'any' : 'slot',
        replicas: 3,
        minReplicas: 2,
        metaLeaseMs: TIMING.metaLeaseMs,
        rejoinMs: 2_000,
        tickMs: 500,
        newHashKey: () => '0123456789abcdef',
        onFatal: (error) => this.failures.push(`meta: ${error.message}`),
      },
      this.logger.child({ node: 'meta' }),
    );
    this.meta = { ...process, meta };
    meta.start((error) => {
      if (error !== null) this.failures.push(`meta: ${error.message}`);
    });
  }

  killMeta(): void {
    if (this.meta === null) return;
    this.kill(this.meta);
    this.meta = null;
  }

  startServer(of: SimulatedServer): void {
    if (of.running !== null) return;
    const process = this.process(of.name, 'server');
    const { environment, network } = process;
    const delayMs = (operation: string): number =>
      operation === 'sync' || operation === 'write' ? this.world.between(0.02, 2) : 0;
    const files = new VirtualFiles(environment, of.log, { delayMs });
    const factory = new MemoryStoreFactory(environment, of.stores, { delayMs });
    const server = new Server(
      environment,
      network,
      {
        ...TIMING,
        describe: this.describe(process, 'server'),
        metaHost: 'sim',
        metaPort: 1,
        cacheBytes: 8 * 1024 * 1024,
        learnBytesPerSecond: 0,
        diskSoftBytes: 0,
        diskHardBytes: 0,
        openDisk: (done) =>
          openSegmentLog({ files, environment, fsync: 'everysec' }, (error, opened) => {
            if (error !== null || opened === undefined) return done(error ?? new Error('no log'));
            const disk: ServerDisk = {
              stores: factory,
              opened,
              space: (told) => told(null, { freeBytes: 100 * GiB, sizeBytes: 200 * GiB }),
              close: (closed) => closed(null),
            };
            done(null, disk);
          }),
        onFatal: (error) => this.failures.push(`${of.name}: ${error.stack ?? error.message}`),
      },
      this.logger.child({ node: of.name, boot: network.self.boot }),
    );
    of.running = { ...process, server, files, factory };
    server.start((error) => {
      if (error !== null) this.failures.push(`${of.name}: ${error.message}`);
    });
  }

  killServer(of: SimulatedServer, loss: Loss = 'none'): void {
    const { running } = of;
    if (running === null) return;
    of.running = null;
    this.kill(running);
    running.files.crash(loss);
    running.factory.crash(loss);
  }

  private startRouter(node: string): void {
    const process = this.process(node, 'proxy');
    const router = new Router(process.environment, process.network, {
      metaHost: 'sim',
      metaPort: 1,
      describe: () => this.describe(process, 'proxy')('alive'),
      isReadOnly,
    });
    router.start();
    this.proxies.push(new SimulatedProxy(process.environment, router));
  }

  private kill({ environment, network }: Process): void {
    environment.dead = true;
    this.wires.leave(network);
  }
}
