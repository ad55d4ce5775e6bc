/**
 * What a seed's world is like. Each seed draws its own cluster, limits, speeds, and its own subset of fault kinds with its own
 * weights: a run with a few kinds at high rates reaches states that a run with a little of everything never sees.
 */
import { limits } from '../../shared/limits.js';
import type { FsyncMode } from '../../server/log/log.js';
import type { DiskProfile } from './disks.js';
import { faultKinds, type FaultKind } from './faults.js';
import type { NetworkProfile } from './links.js';
import type { World } from './world.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/** What a user may ask for; anything else is the seed's. */
export interface Wishes {
  readonly servers?: number;
  readonly partitions?: number;
  readonly clients?: number;
  readonly fsync?: FsyncMode;
  readonly faultMs?: number;
  /** Names of fault kinds: only these. */
  readonly only?: readonly string[];
  readonly hostile?: boolean;
  /** Anything else that is not left to the seed. */
  readonly given?: Partial<Plan>;
}

export interface Plan {
  readonly servers: number;
  readonly partitions: number;
  readonly proxies: number;
  /** Null: what the workload draws. */
  readonly clients: number | null;
  readonly fsync: FsyncMode;
  readonly deadlineMs: number;
  readonly network: NetworkProfile;
  readonly disk: DiskProfile;
  /** How much faster or slower a monotonic clock may run. */
  readonly drift: number;
  readonly segmentBytes: number;
  readonly cacheBytes: number;
  readonly learnBytesPerSecond: number;
  /** Of shared/limits.ts, in place of the defaults. */
  readonly limits: Partial<Record<keyof typeof limits, number>>;
  readonly faultMs: number;
  readonly faultEveryMs: number;
  readonly faults: readonly { readonly kind: FaultKind; readonly weight: number }[];
}

export function drawPlan(world: World, wishes: Wishes): Plan {
  const servers = wishes.servers ?? world.pick([3, 3, 3, 4, 4, 5]);
  const partitions = wishes.partitions ?? world.pick([1, 1, 2, 3]);
  const fsync = wishes.fsync ?? world.pick<FsyncMode>(['always', 'everysec', 'everysec', 'no']);
  const slowNetwork = world.chance(0.15);
  const hostile = wishes.hostile ?? world.chance(0.2);
  return {
    servers,
    partitions,
    proxies: world.integer(1, 2),
    clients: wishes.clients ?? null,
    fsync,
    deadlineMs: world.pick([2_000, 10_000, 10_000]),
    network: {
      delayMs: slowNetwork
        ? [2, 25]
        : world.pick([
            [0.05, 0.5],
            [0.05, 3],
          ] as const),
      resend: { chance: world.pick([0, 0.001, 0.01]), delayMs: [40, 400] },
      hostile: hostile
        ? { drop: world.between(0, 0.03), double: world.between(0, 0.03), overtake: world.between(0, 0.03) }
        : null,
      packed: world.chance(0.1),
    },
    disk: {
      writeMs: world.pick([
        [0.01, 0.1],
        [0.02, 2],
      ] as const),
      syncMs: world.pick([
        [0.1, 2],
        [1, 12],
      ] as const),
      softBytes: 64 * MiB,
      hardBytes: 32 * MiB,
    },
    drift: world.pick([0, 0, 0.001, 0.02]),
    segmentBytes: world.pick([4 * KiB, 64 * KiB, limits.segmentBytes]),
    cacheBytes: world.pick([32 * KiB, 256 * KiB, 8 * MiB]),
    learnBytesPerSecond: world.pick([0, 0, 1_000_000]),
    limits: drawLimits(world),
    faultMs: wishes.faultMs ?? 40_000,
    faultEveryMs: world.pick([500, 1_500, 1_500, 4_000]),
    faults: drawFaults(world, fsync, wishes.only),
    ...wishes.given,
  };
}

/** Nothing goes wrong by itself: for tests that drive a cluster step by step. */
export function calmPlan(servers: number, partitions: number): Plan {
  return {
    servers,
    partitions,
    proxies: 1,
    clients: null,
    fsync: 'everysec',
    deadlineMs: 10_000,
    network: { delayMs: [0.05, 3], resend: { chance: 0, delayMs: [0, 0] }, hostile: null, packed: false },
    disk: { writeMs: [0.02, 2], syncMs: [0.02, 2], softBytes: 64 * MiB, hardBytes: 32 * MiB },
    drift: 0,
    segmentBytes: limits.segmentBytes,
    cacheBytes: 8 * MiB,
    learnBytesPerSecond: 0,
    limits: {},
    faultMs: 0,
    faultEveryMs: 1_000,
    faults: [],
  };
}

/** Small ones, so that what takes large data to happen happens here too. */
function drawLimits(world: World): Plan['limits'] {
  const drawn: Plan['limits'] = {};
  if (world.chance(0.5)) Object.assign(drawn, { retainedMutations: 16 });
  if (world.chance(0.5)) Object.assign(drawn, { learnPageEntries: 3 });
  if (world.chance(0.3)) Object.assign(drawn, { preparedMutations: 4 });
  if (world.chance(0.3)) Object.assign(drawn, { applyDelayMs: 1_500 });
  if (world.chance(0.3)) Object.assign(drawn, { segmentsPinned: 2 });
  if (world.chance(0.3)) Object.assign(drawn, { fetchRangeEntries: 4, largeRead: 6, lookUpsHere: 2 });
  if (world.chance(0.3)) Object.assign(drawn, { mutationOperations: 1 });
  return drawn;
}

function drawFaults(world: World, fsync: FsyncMode, only: readonly string[] | undefined): Plan['faults'] {
  const possible = faultKinds.filter((kind) => kind.needs === undefined || kind.needs === fsync);
  if (only !== undefined) {
    const unknown = only.filter((name) => faultKinds.every((kind) => kind.name !== name));
    if (unknown.length > 0) throw new Error(`no fault kind is named ${unknown.join(', ')}`);
    return possible.filter(({ name }) => only.includes(name)).map((kind) => ({ kind, weight: kind.weight }));
  }
  const some = world.between(0.2, 0.9);
  const faults = possible.flatMap((kind) =>
    world.chance(some) ? [{ kind, weight: kind.weight * world.between(0.2, 2) }] : [],
  );
  return faults.length > 0 ? faults : [{ kind: possible[0]!, weight: 1 }];
}

/** Puts the plan's limits in force; the result puts the defaults back. */
export function applyLimits(plan: Plan): () => void {
  const table = limits as Record<string, number>;
  const defaults = { ...table };
  Object.assign(table, plan.limits);
  return () => void Object.assign(table, defaults);
}
