/** One seed: a safety phase under faults, then everything heals, and must converge, make progress and agree. */
import { silentLogger } from '../../shared/logging.js';
import { administer } from './administrator.js';
import { Cluster, soundParts, type Parts } from './cluster.js';
import { converged, compareReplicas, describe, serving } from './convergence.js';
import { AllowedLoss, Invariants } from './invariants.js';
import { applyLimits, drawPlan, type Plan, type Wishes } from './plan.js';
import { plantNamed } from './plants.js';
import { Scene } from './scene.js';
import { storyLogger, tellMessages } from './story.js';
import { drawWorkload, Workload } from './workload.js';
import { World } from './world.js';

export interface RunOptions extends Wishes {
  readonly seed: number;
  /** A readable line for everything that happens. */
  readonly tell?: (line: string) => void;
  /** Tell of every message that is sent, too. */
  readonly messages?: boolean;
  /** The name of a planted bug. */
  readonly plant?: string;
}

export interface RunResult {
  readonly traceHash: string;
  readonly events: number;
  readonly operations: number;
  readonly acknowledged: number;
  /** Objects with too many unknown outcomes to be checked exactly. */
  readonly undecided: number;
  /** By kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly virtualMs: number;
  /** It ended early with a loss that its fsync mode allows: what. */
  readonly loss?: string;
}

const READY_MS = 30_000;
/** Longer than every time-out of the product: of a lesson (15 s), of a client (10 s), of a silent link (7 s). */
const SETTLE_MS = 60_000;
const PROGRESS_OPERATIONS = 50;
/** Wall clocks are up to two seconds off, either way. */
const CLOCK_SKEW_MS = 4_100;
const DAY_MS = 86_400_000;

/** Throws at the first violation, with seed and time in the message. */
export function runSeed(options: RunOptions): RunResult {
  const world = new World(options.seed);
  const plant = options.plant === undefined ? null : plantNamed(options.plant);
  const plan = drawPlan(world, { ...plant?.wishes, ...options });
  const restoreLimits = applyLimits(plan);
  const takeOut = plant?.patch?.();
  const tell = (line: string): void => options.tell?.(`${world.nowMs.toFixed(1).padStart(9)} ${line}`);
  try {
    if (options.tell !== undefined) tell(`plan ${JSON.stringify(plan)}`);
    return new Run(world, plan, options, { ...soundParts, ...plant?.parts }, tell).result();
  } catch (error) {
    const where = `seed ${options.seed} at ${world.nowMs.toFixed(1)} ms (trace ${world.traceHash})`;
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  } finally {
    restoreLimits();
    takeOut?.();
  }
}

class Run {
  private readonly world: World;
  private readonly plan: Plan;
  private readonly cluster: Cluster;
  private readonly scene: Scene;
  private readonly tell: (line: string) => void;
  private workload: Workload | null = null;
  private undecided = 0;

  constructor(world: World, plan: Plan, options: RunOptions, parts: Parts, tell: (line: string) => void) {
    this.world = world;
    this.plan = plan;
    this.tell = tell;
    const logger = options.tell === undefined ? silentLogger : storyLogger(tell);
    this.cluster = new Cluster(world, plan, logger, parts);
    const invariants = new Invariants(this.cluster);
    world.afterEvent = (process) => invariants.after(process);
    if (options.messages === true) tellMessages(this.cluster, tell);
    this.scene = new Scene(world, this.cluster, invariants, (text) => tell(`fault ${text}`));
  }

  result(): RunResult {
    let loss: string | null = null;
    try {
      this.drive();
    } catch (error) {
      if (!(error instanceof AllowedLoss)) throw error;
      loss = error.message;
    }
    const { world, scene } = this;
    const operations = this.workload?.history.operations ?? [];
    return {
      traceHash: world.traceHash,
      events: world.events,
      operations: operations.length,
      acknowledged: answered(operations),
      undecided: this.undecided,
      faults: scene.counts,
      virtualMs: world.nowMs,
      ...(loss === null ? {} : { loss }),
    };
  }

  private drive(): void {
    const { world, plan, cluster, scene } = this;
    this.expect(() => serving(cluster), READY_MS, 'the cluster did not become ready');
    const steps = plan.faults.some(({ kind }) => kind.name === 'clock-step');
    const workload = new Workload(
      cluster,
      drawWorkload(world, {
        clockSkewMs: CLOCK_SKEW_MS + (steps ? 2 * DAY_MS : 0),
        severalPartitions: plan.partitions > 1,
        ...(plan.clients === null ? {} : { clients: plan.clients }),
      }),
    );
    this.workload = workload;
    const { operations } = workload.history;
    runFaults(world, plan, scene);
    this.tell('everything heals');
    heal(scene);
    administer(cluster, (text) => scene.say('chosen by the administrator', text));
    this.expect(
      () => converged(cluster) && !cluster.servers.some(({ disk }) => disk.stuck),
      SETTLE_MS,
      'no convergence',
    );
    const before = answered(operations);
    this.expect(() => answered(operations) > before + PROGRESS_OPERATIONS, SETTLE_MS, 'clients make no progress');
    workload.stop();
    this.expect(() => workload.idle, SETTLE_MS, 'clients are stuck');
    let finished = false;
    workload.finish(() => (finished = true));
    this.expect(() => finished, SETTLE_MS, 'the final reads did not return');
    this.undecided = workload.check();
    this.expect(() => converged(cluster), SETTLE_MS, 'no convergence');
    this.expect(compareReplicas(cluster), SETTLE_MS, 'replicas were not compared');
  }

  private expect(condition: () => boolean, boundMs: number, otherwise: string): void {
    if (!this.world.runUntil(condition, boundMs)) throw new Error(`${otherwise}: ${describe(this.cluster)}`);
  }
}

function answered(operations: readonly { readonly outcome: string }[]): number {
  let count = 0;
  for (const { outcome } of operations) if (outcome === 'ok') count++;
  return count;
}

function runFaults(world: World, plan: Plan, scene: Scene): void {
  const untilMs = world.nowMs + plan.faultMs;
  const total = plan.faults.reduce((sum, { weight }) => sum + weight, 0);
  const next = (): void => {
    if (world.nowMs > untilMs) return;
    let dice = world.random() * total;
    const drawn = plan.faults.find(({ weight }) => (dice -= weight) < 0) ?? plan.faults.at(-1)!;
    const what = drawn.kind.begin(scene);
    if (what !== null) scene.say(drawn.kind.name, what);
    world.at(world.between(10, 2 * plan.faultEveryMs), next);
  };
  world.at(world.between(0, 2_000), next);
  world.run(untilMs);
}

function heal(scene: Scene): void {
  scene.heal();
  const { cluster } = scene;
  cluster.wires.conditions.calm = true;
  cluster.startMeta();
  for (const server of cluster.servers) {
    server.disk.heal();
    cluster.startServer(server);
  }
}
