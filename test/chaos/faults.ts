/**
 * Every kind of fault, as a table: what it needs of the machine, what clients may notice of it besides latency, and how
 * it is done. A kind does its harm, lets it last, and undoes it; whoever runs it waits until the cluster is whole again.
 */
import { readdirSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChaosCluster } from './cluster.js';
import type { DiskFaults } from './disk-shim.js';
import type { Trouble } from './gaps.js';
import type { Member } from './member.js';
import type { Namespaces } from './namespaces.js';
import type { Random } from './random.js';
import type { Everything, Need } from './surroundings.js';

/** What a fault can work with. Roles are those of one partition, drawn by chance, when the fault began. */
export interface Scene {
  readonly cluster: ChaosCluster;
  readonly surroundings: Everything;
  readonly random: Random;
  readonly primary: Member;
  readonly secondaries: readonly Member[];
  readonly servers: readonly Member[];
  readonly meta: Member;
  readonly proxies: readonly Member[];
  /** Breaks all connections of clients, as they would see a network fail. */
  cutClients(): void;
}

export interface FaultKind {
  readonly name: string;
  readonly weight: number;
  readonly needs: readonly Need[];
  /** What a client may get besides successes; latency is always allowed. */
  readonly allows: readonly Trouble[];
  /** Processes may end by themselves, as they promise to when their disk fails. */
  readonly endsProcesses?: boolean;
  readonly run: (scene: Scene) => Promise<void>;
}

const BROKEN: readonly Trouble[] = ['connection lost', 'UNKNOWN'];
/** Several faults at once may leave nobody to ask for longer than a proxy tries. */
const MANY: readonly Trouble[] = ['UNKNOWN', 'refused'];
/** Below the lease of 2 s, by enough that beacons that were under way do not matter; and well above it and grace. */
const SHORT_MS = [200, 1_500] as const;
const LONG_MS = [3_500, 7_000] as const;
const LAST_MS = [1_000, 5_000] as const;
const FILL_LEAVES_BYTES = 64 * 1024;

const kill = (member: Member): void => member.signal('SIGKILL');

async function pause(members: readonly Member[], ms: number): Promise<void> {
  for (const member of members) member.signal('SIGSTOP');
  await delay(ms);
  for (const member of members) member.signal('SIGCONT');
}

async function wipe(member: Member): Promise<void> {
  await member.hold();
  for (const name of readdirSync(member.options.folder)) rmSync(join(member.options.folder, name), { recursive: true });
  member.start();
}

function networkOf(scene: Scene): Namespaces {
  if (scene.surroundings.network === null) throw new Error('this cluster has no namespaces');
  return scene.surroundings.network;
}

function whileNetwork(harm: (network: Namespaces, scene: Scene) => void): FaultKind['run'] {
  return async (scene) => {
    const network = networkOf(scene);
    harm(network, scene);
    await delay(scene.random.between(...LAST_MS));
    network.heal();
  };
}

/** Nothing passes between these two. */
function separate(network: Namespaces, one: Member, other: Member): void {
  network.drop(one.name, other.name);
  network.drop(other.name, one.name);
}

function isolate(network: Namespaces, scene: Scene, member: Member): void {
  for (const other of scene.cluster.members) if (other !== member) separate(network, member, other);
}

function whileDisk(choose: (scene: Scene) => Member, faults: (random: Random) => DiskFaults): FaultKind['run'] {
  return async (scene) => {
    const disk = scene.surroundings.disk(choose(scene).name);
    disk.set(faults(scene.random));
    await delay(scene.random.between(...LAST_MS));
    disk.set({});
  };
}

async function fill(scene: Scene, members: readonly Member[]): Promise<void> {
  const { surroundings, random } = scene;
  const leave = random.chance(0.5) ? FILL_LEAVES_BYTES : 0;
  for (const { options } of members) surroundings.fillDisk(options.folder, leave);
  await delay(random.between(...LAST_MS));
  for (const { options } of members) surroundings.freeDisk(options.folder);
}

const secondary = ({ random, secondaries }: Scene): Member => random.pick(secondaries);
const anyServer = ({ random, servers }: Scene): Member => random.pick(servers);

const kills: readonly FaultKind[] = [
  { name: 'kill primary', weight: 4, needs: [], allows: [], run: async ({ primary }) => kill(primary) },
  { name: 'kill secondary', weight: 3, needs: [], allows: [], run: async (scene) => kill(secondary(scene)) },
  { name: 'kill meta', weight: 2, needs: [], allows: [], run: async ({ meta }) => kill(meta) },
  {
    name: 'kill proxy',
    weight: 2,
    needs: [],
    allows: BROKEN,
    run: async ({ random, proxies }) => kill(random.pick(proxies)),
  },
  {
    name: 'kill primary again and again',
    weight: 1,
    needs: [],
    allows: MANY,
    run: async ({ random, primary }) => {
      for (let times = random.between(2, 4); times > 0; times--) {
        kill(primary);
        await delay(random.between(100, 1_500));
      }
    },
  },
  {
    name: 'kill primary and meta',
    weight: 1,
    needs: [],
    allows: MANY,
    run: async ({ primary, meta }) => [primary, meta].forEach(kill),
  },
  {
    name: 'kill two servers',
    weight: 1,
    needs: [],
    allows: MANY,
    run: async (scene) => [scene.primary, secondary(scene)].forEach(kill),
  },
  { name: 'kill all servers', weight: 1, needs: [], allows: MANY, run: async ({ servers }) => servers.forEach(kill) },
  {
    name: 'kill everything',
    weight: 1,
    needs: [],
    allows: [...BROKEN, 'refused'],
    run: async ({ cluster }) => cluster.members.forEach(kill),
  },
  { name: 'wipe secondary', weight: 1, needs: [], allows: [], run: (scene) => wipe(secondary(scene)) },
  { name: 'wipe primary', weight: 1, needs: [], allows: [], run: ({ primary }) => wipe(primary) },
];

const pauses: readonly FaultKind[] = [
  {
    name: 'pause primary shortly',
    weight: 2,
    needs: [],
    allows: [],
    run: ({ random, primary }) => pause([primary], random.between(...SHORT_MS)),
  },
  {
    name: 'pause primary beyond its lease',
    weight: 3,
    needs: [],
    allows: [],
    run: ({ random, primary }) => pause([primary], random.between(...LONG_MS)),
  },
  {
    name: 'pause secondary shortly',
    weight: 2,
    needs: [],
    allows: [],
    run: (scene) => pause([secondary(scene)], scene.random.between(...SHORT_MS)),
  },
  {
    name: 'pause secondary beyond the lease',
    weight: 2,
    needs: [],
    allows: [],
    run: (scene) => pause([secondary(scene)], scene.random.between(...LONG_MS)),
  },
  {
    name: 'pause secondary again and again',
    weight: 1,
    needs: [],
    allows: [],
    run: async (scene) => {
      const flapping = secondary(scene);
      for (let times = scene.random.between(3, 6); times > 0; times--) {
        await pause([flapping], scene.random.between(...SHORT_MS));
        await delay(scene.random.between(50, 500));
      }
    },
  },
  {
    name: 'pause meta',
    weight: 1,
    needs: [],
    allows: [],
    run: ({ random, meta }) => pause([meta], random.between(...LONG_MS)),
  },
  {
    name: 'pause proxy',
    weight: 1,
    needs: [],
    allows: [],
    run: ({ random, proxies }) => pause([random.pick(proxies)], random.between(...SHORT_MS)),
  },
  {
    name: 'pause all servers',
    weight: 1,
    needs: [],
    allows: MANY,
    run: ({ random, servers }) => pause(servers, random.between(...LONG_MS)),
  },
  {
    name: 'pause everything',
    weight: 1,
    needs: [],
    allows: MANY,
    run: ({ random, cluster }) => pause(cluster.members, random.between(...LONG_MS)),
  },
];

const networks: readonly FaultKind[] = [
  {
    name: 'cut connections of clients',
    weight: 1,
    needs: ['root'],
    allows: BROKEN,
    run: async (scene) => scene.cutClients(),
  },
  {
    name: 'cut connections of primary',
    weight: 2,
    needs: ['namespaces'],
    allows: [],
    run: async (scene) => networkOf(scene).cut(scene.primary.name),
  },
  {
    name: 'cut connections of meta',
    weight: 1,
    needs: ['namespaces'],
    allows: [],
    run: async (scene) => networkOf(scene).cut(scene.meta.name),
  },
  {
    name: 'drop primary to secondary',
    weight: 2,
    needs: ['namespaces', 'nft'],
    allows: [],
    run: whileNetwork((network, scene) => network.drop(scene.primary.name, secondary(scene).name)),
  },
  {
    name: 'drop secondary to primary',
    weight: 2,
    needs: ['namespaces', 'nft'],
    allows: [],
    run: whileNetwork((network, scene) => network.drop(secondary(scene).name, scene.primary.name)),
  },
  {
    name: 'drop secondary to secondary',
    weight: 1,
    needs: ['namespaces', 'nft'],
    allows: [],
    run: whileNetwork((network, { secondaries: [one, other] }) => {
      if (one !== undefined && other !== undefined) network.drop(one.name, other.name);
    }),
  },
  {
    name: 'drop primary to meta',
    weight: 1,
    needs: ['namespaces', 'nft'],
    allows: [],
    run: whileNetwork((network, { primary, meta }) => network.drop(primary.name, meta.name)),
  },
  {
    name: 'drop meta to primary',
    weight: 1,
    needs: ['namespaces', 'nft'],
    allows: [],
    run: whileNetwork((network, { primary, meta }) => network.drop(meta.name, primary.name)),
  },
  {
    name: 'isolate primary',
    weight: 2,
    needs: ['namespaces', 'nft'],
    allows: [],
    run: whileNetwork((network, scene) => isolate(network, scene, scene.primary)),
  },
  {
    name: 'isolate secondary',
    weight: 2,
    needs: ['namespaces', 'nft'],
    allows: [],
    run: whileNetwork((network, scene) => isolate(network, scene, secondary(scene))),
  },
  {
    name: 'isolate meta',
    weight: 1,
    needs: ['namespaces', 'nft'],
    allows: [],
    run: whileNetwork((network, scene) => isolate(network, scene, scene.meta)),
  },
  {
    name: 'separate all servers',
    weight: 1,
    needs: ['namespaces', 'nft'],
    allows: MANY,
    run: whileNetwork((network, { servers }) => {
      for (const one of servers) for (const other of servers) if (one !== other) network.drop(one.name, other.name);
    }),
  },
  {
    name: 'separate proxies from primary',
    weight: 1,
    needs: ['namespaces', 'nft'],
    allows: [],
    run: whileNetwork((network, { proxies, primary }) => {
      for (const proxy of proxies) separate(network, proxy, primary);
    }),
  },
  {
    name: 'lose packets of one server',
    weight: 1,
    needs: ['namespaces', 'nft'],
    allows: [],
    run: whileNetwork((network, scene) => network.lose(anyServer(scene).name, scene.random.between(2, 30))),
  },
  {
    name: 'slow link of one server',
    weight: 1,
    needs: ['namespaces', 'slow link'],
    allows: [],
    run: whileNetwork((network, scene) => network.slow(anyServer(scene).name, scene.random.between(200, 4_000))),
  },
];

const { EIO } = constants.errno;

const disks: readonly FaultKind[] = [
  {
    name: 'writes of primary fail',
    weight: 1,
    needs: ['shim'],
    allows: ['UNKNOWN'],
    endsProcesses: true,
    run: whileDisk(
      ({ primary }) => primary,
      () => ({ writeError: EIO }),
    ),
  },
  {
    name: 'writes of secondary fail',
    weight: 1,
    needs: ['shim'],
    allows: [],
    endsProcesses: true,
    run: whileDisk(secondary, () => ({ writeError: EIO })),
  },
  {
    name: 'fsync of primary fails',
    weight: 1,
    needs: ['shim'],
    allows: ['UNKNOWN'],
    endsProcesses: true,
    run: whileDisk(
      ({ primary }) => primary,
      () => ({ syncError: EIO }),
    ),
  },
  {
    name: 'fsync of secondary fails',
    weight: 1,
    needs: ['shim'],
    allows: [],
    endsProcesses: true,
    run: whileDisk(secondary, () => ({ syncError: EIO })),
  },
  {
    name: 'slow fsync of one server',
    weight: 2,
    needs: ['shim'],
    allows: [],
    run: whileDisk(anyServer, (random) => ({ syncDelayMs: random.between(20, 800) })),
  },
  {
    name: 'slow writes of one server',
    weight: 1,
    needs: ['shim'],
    allows: [],
    run: whileDisk(anyServer, (random) => ({ writeDelayMs: random.between(1, 60) })),
  },
  {
    name: 'short writes of one server',
    weight: 1,
    needs: ['shim'],
    allows: [],
    run: whileDisk(anyServer, (random) => ({ shortWrites: random.between(1, 5) })),
  },
  {
    name: 'disk of primary full',
    weight: 1,
    needs: ['tmpfs'],
    allows: MANY,
    endsProcesses: true,
    run: (scene) => fill(scene, [scene.primary]),
  },
  {
    name: 'disk of secondary full',
    weight: 1,
    needs: ['tmpfs'],
    allows: MANY,
    endsProcesses: true,
    run: (scene) => fill(scene, [secondary(scene)]),
  },
  {
    name: 'all disks full',
    weight: 1,
    needs: ['tmpfs'],
    allows: MANY,
    endsProcesses: true,
    run: (scene) => fill(scene, scene.servers),
  },
];

export const faultKinds: readonly FaultKind[] = [...kills, ...pauses, ...networks, ...disks];
