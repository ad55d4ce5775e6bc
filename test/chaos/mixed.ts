/**
 * The chaos run proper: a load that goes on all the time, and one fault after the other, drawn from a seed. After each
 * the cluster must become whole by itself. At the end everything that clients saw must be explained, what was
 * acknowledged must be there, and the replicas must be equal.
 */
import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../cluster/condition.js';
import { ChaosCluster } from './cluster.js';
import { type FaultKind, faultKinds, type Scene } from './faults.js';
import type { FaultRecord } from './gaps.js';
import type { Load } from './load.js';
import type { Member } from './member.js';
import { Random } from './random.js';
import { describeFault, type Verdict } from './report.js';
import { Everything, type Need, unmetNeeds } from './surroundings.js';
import { verified } from './verified.js';

export interface MixedOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly servers: number;
  readonly proxies: number;
  readonly partitions: number;
  readonly clients: number;
  /** A client's mean pause between two pipelines. */
  readonly pauseMs: number;
  /** Kinds whose name contains one of these; all when empty. */
  readonly only: readonly string[];
  /** What not to use even where it could be had. */
  readonly without: readonly Need[];
  readonly say: (line: string) => void;
}

const DISK_BYTES = 512 * 2 ** 20;
/** Scaled to that disk. */
const SETTINGS = { diskSoftBytes: 64 * 2 ** 20, diskHardBytes: 16 * 2 ** 20, cacheBytes: 64 * 2 ** 20 };
const WHOLE_AGAIN_MS = 60_000;
const CALM_MS = 3_000;
const BETWEEN_MS = [200, 1_500] as const;

export async function mixed(options: MixedOptions): Promise<Verdict> {
  const { seed, minutes, say } = options;
  const random = new Random(seed);
  const unmet = new Map(unmetNeeds());
  for (const need of options.without) unmet.set(need, 'not wanted');
  const skipped = faultKinds.filter(({ needs }) => needs.some((need) => unmet.has(need)));
  for (const { name, needs } of skipped)
    say(`SKIPPED '${name}': ${needs.flatMap((need) => unmet.get(need) ?? []).join(', ')}`);
  const kinds = faultKinds
    .filter((kind) => !skipped.includes(kind))
    .filter(({ name }) => options.only.length === 0 || options.only.some((text) => name.includes(text)));
  if (kinds.length === 0) throw new Error('no kind of fault is left');
  const draws = new Draws(kinds, random.fork());

  const cluster = await startCluster(options, unmet);
  return verified(cluster, options, async (load, failures) => {
    await delay(CALM_MS);
    const endMs = performance.now() + minutes * 60_000;
    while (performance.now() < endMs && failures.length === 0) {
      const kind = draws.next();
      const record = load.gaps.begin(kind.name);
      const problem = await oneFault(cluster, load, kind, random);
      if (problem !== null) failures.push(problem);
      await delay(random.between(...BETWEEN_MS));
      say(describeFault(record));
      failures.push(...complaints(cluster, kind, record));
    }
    const seen = new Set(load.gaps.faults.map(({ kind }) => kind)).size;
    return [
      `${load.gaps.faults.length} faults of ${seen} kinds; ${kinds.length} kinds were possible, ${skipped.length} skipped`,
    ];
  });
}

function startCluster(
  { servers, proxies, partitions }: MixedOptions,
  unmet: ReadonlyMap<Need, string>,
): Promise<ChaosCluster> {
  const numbered = (role: string, count: number): string[] =>
    Array.from({ length: count }, (_, at) => `${role}-${at + 1}`);
  const names = ['meta', ...numbered('server', servers), ...numbered('proxy', proxies)];
  const wanted: readonly Need[] = ['namespaces', 'tmpfs', 'shim'];
  const needs = wanted.filter((need) => !unmet.has(need));
  return ChaosCluster.start({
    servers,
    proxies,
    settings: { ...SETTINGS, partitions, multiKey: 'slot' },
    surroundings: (directory) => new Everything(directory, { names, needs, diskBytes: DISK_BYTES }),
  });
}

/** Does one fault and waits until the cluster is whole and takes writes. What is wrong with it, or null. */
async function oneFault(cluster: ChaosCluster, load: Load, kind: FaultKind, random: Random): Promise<string | null> {
  await cluster.untilWhole(WHOLE_AGAIN_MS); // a busy machine alone may have cost it a member
  const row = random.pick(await cluster.partitions());
  const member = (name: string | null): Member => cluster.member(name ?? '');
  const { surroundings } = cluster;
  if (!(surroundings instanceof Everything)) throw new Error('the cluster was started elsewhere');
  const scene: Scene = {
    cluster,
    surroundings,
    random,
    primary: member(row.primary),
    secondaries: row.secondaries.map(member),
    servers: cluster.withRole('server'),
    meta: member('meta'),
    proxies: cluster.withRole('proxy'),
    cutClients: () => {
      for (const { options } of cluster.withRole('proxy'))
        execFileSync('ss', ['-K', '-t', 'dst', options.host, 'dport', '=', `:${options.port}`], { stdio: 'ignore' });
    },
  };
  try {
    await kind.run(scene);
    await cluster.untilWhole(WHOLE_AGAIN_MS);
    const wholeMs = performance.now();
    await eventually('every partition takes writes', () => load.gaps.allAcknowledgedSince(wholeMs) || undefined);
    return null;
  } catch (error) {
    return `after '${kind.name}': ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** What this fault brought clients that it should not have, and who ended by itself. */
function complaints(cluster: ChaosCluster, kind: FaultKind, record: FaultRecord): string[] {
  const found: string[] = [];
  for (const [trouble, count] of record.troubles) {
    if (!kind.allows.includes(trouble))
      found.push(`'${kind.name}' brought clients ${count} x ${trouble}: ${record.samples.get(trouble) ?? ''}`);
  }
  for (const { name, how } of cluster.takeDeaths())
    if (kind.endsProcesses !== true) found.push(`during '${kind.name}' ${name} ended by itself: ${how}`);
  return found;
}

/** Every kind once before any comes again, in an order by chance; then by weight. */
class Draws {
  private readonly first: FaultKind[];
  private readonly weighted: readonly FaultKind[];
  private readonly random: Random;

  constructor(kinds: readonly FaultKind[], random: Random) {
    this.random = random;
    this.weighted = kinds.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
    this.first = [...kinds];
  }

  next(): FaultKind {
    if (this.first.length === 0) return this.random.pick(this.weighted);
    const [kind] = this.first.splice(this.random.between(0, this.first.length - 1), 1);
    return kind ?? this.random.pick(this.weighted);
  }
}
