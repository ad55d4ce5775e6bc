/** One seed: a safety phase under faults, then everything heals and must converge. */
import type { Logger } from '../../shared/logging.js';
import { Cluster } from './cluster.js';
import { Invariants } from './invariants.js';
import { drawWorkload, Workload } from './workload.js';
import { World } from './world.js';

export interface RunOptions {
  readonly seed: number;
  readonly faultMs?: number;
  readonly partitions?: number;
  readonly logger?: Logger;
}

export interface RunResult {
  readonly traceHash: string;
  readonly events: number;
  readonly operations: number;
  readonly acknowledged: number;
  readonly faults: number;
  readonly virtualMs: number;
}

const SETTLE_MS = 60_000;
/** Wall clocks are up to two seconds off, either way. */
const CLOCK_SKEW_MS = 4_100;

export function runSeed(options: RunOptions): RunResult {
  const world = new World(options.seed);
  const cluster = new Cluster(world, {
    servers: 3 + Math.floor(world.random() * 2),
    partitions: options.partitions ?? 1,
    routers: 2,
    ...(options.logger === undefined ? {} : { logger: options.logger }),
  });
  const invariants = new Invariants(cluster);
  world.afterEvent = () => invariants.check();
  try {
    return drive(world, cluster, options);
  } catch (error) {
    throw new Error(`seed ${options.seed} at ${world.nowMs.toFixed(1)} ms: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function drive(world: World, cluster: Cluster, options: RunOptions): RunResult {
  const ready = (): boolean => serving(cluster, options.partitions ?? 1);
  world.run(20_000, ready);
  if (!ready()) throw new Error('the cluster did not become ready');
  const workload = new Workload(
    cluster,
    drawWorkload(world, { clockSkewMs: CLOCK_SKEW_MS, severalPartitions: (options.partitions ?? 1) > 1 }),
  );
  const faultsUntilMs = world.nowMs + (options.faultMs ?? 40_000);
  let faults = 0;
  const nextFault = (): void => {
    if (world.nowMs > faultsUntilMs) return;
    fault(world, cluster);
    faults++;
    world.at(world.between(50, 4_000), nextFault);
  };
  world.at(world.between(0, 2_000), nextFault);
  world.run(faultsUntilMs);
  // heal
  cluster.wires.heal();
  cluster.startMeta();
  for (const server of cluster.servers) cluster.startServer(server);
  world.run(world.nowMs + SETTLE_MS, () => converged(cluster, options.partitions ?? 1));
  if (!converged(cluster, options.partitions ?? 1)) throw new Error(`no convergence: ${describe(cluster)}`);
  workload.stop();
  world.run(world.nowMs + SETTLE_MS, () => workload.idle);
  if (!workload.idle) throw new Error('clients are stuck');
  let finished = false;
  workload.finish(() => (finished = true));
  world.run(world.nowMs + SETTLE_MS, () => finished);
  if (!finished) throw new Error('the final reads did not return');
  workload.check();
  const acknowledged = workload.history.operations.filter(({ outcome }) => outcome === 'ok').length;
  return {
    traceHash: world.traceHash,
    events: world.events,
    operations: workload.history.operations.length,
    acknowledged,
    faults,
    virtualMs: world.nowMs,
  };
}

function fault(world: World, cluster: Cluster): void {
  const server = world.pick(cluster.servers);
  const other = world.pick(cluster.servers);
  const dice = world.random();
  if (dice < 0.35) {
    cluster.killServer(server);
    world.at(world.between(1, 6_000), () => cluster.startServer(server));
  } else if (dice < 0.45) {
    cluster.killMeta();
    world.at(world.between(1, 8_000), () => cluster.startMeta());
  } else if (dice < 0.6 && server !== other) {
    cluster.wires.partition(server.name, other.name);
    world.at(world.between(100, 8_000), () => cluster.wires.heal());
  } else if (dice < 0.7) {
    cluster.wires.partition(server.name, 'meta');
    world.at(world.between(100, 8_000), () => cluster.wires.heal());
  } else if (dice < 0.8) {
    for (const { name } of cluster.servers) if (name !== server.name) cluster.wires.partition(server.name, name);
    world.at(world.between(100, 8_000), () => cluster.wires.heal());
  } else if (dice < 0.95) {
    cluster.wires.breakBetween(server.name, world.pick([other.name, 'meta', 'proxy-1', 'proxy-2']));
  } else {
    for (const each of cluster.servers) {
      cluster.killServer(each);
      world.at(world.between(1, 5_000), () => cluster.startServer(each));
    }
  }
}

function serving(cluster: Cluster, partitions: number): boolean {
  let count = 0;
  for (const { running } of cluster.servers) {
    if (running === null) continue;
    for (const partition of running.server.partitions.values()) if (partition.executor !== null) count++;
  }
  return count === partitions;
}

/** Every partition serves with all its replicas, and they hold the same. */
function converged(cluster: Cluster, partitions: number): boolean {
  let complete = 0;
  for (const { running } of cluster.servers) {
    if (running === null) return false;
    for (const { executor, replica } of running.server.partitions.values()) {
      if (
        executor !== null &&
        replica.configuration.secondaries.length === 2 &&
        replica.canExecute(running.environment.monotonicMs())
      )
        complete++;
    }
  }
  return complete === partitions;
}

function describe(cluster: Cluster): string {
  return cluster.servers
    .map(({ name, running }) => {
      if (running === null) return `${name}: down`;
      const replicas = [...running.server.partitions.values()].map(
        ({ id, replica, executor }) =>
          `${id} ${replica.role} ballot ${replica.ballot} (${replica.configuration.ballot}) ${replica.list.committed}/${replica.list.last} serving ${executor !== null} secondaries ${replica.configuration.secondaries.length}`,
      );
      return `${name}: ${replicas.join('; ')}`;
    })
    .join(' | ');
}
