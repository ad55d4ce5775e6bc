/**
 * Everything that goes wrong, as a table: what it is called, how often it is drawn beside the others, what it does. `begin` returns
 * what it did, in words, or null when it is not possible now; what has to end ends by itself, or when everything heals.
 */
import type { FsyncMode } from '../../server/log/log.js';
import type { SimulatedServer } from './cluster.js';
import { diskFaults } from './disk-faults.js';
import type { Scene } from './scene.js';

export interface FaultKind {
  readonly name: string;
  readonly weight: number;
  /** Only where the log works so. */
  readonly needs?: FsyncMode;
  readonly begin: (scene: Scene) => string | null;
}

const DAY_MS = 86_400_000;

/** Packets from each of `from` to each of `to` vanish. */
function block(scene: Scene, from: readonly string[], to: readonly string[], ms: readonly [number, number]): void {
  const { wires } = scene.cluster;
  const ways = from.flatMap((a) => to.filter((b) => b !== a).map((b) => [a, b] as const));
  for (const [a, b] of ways) wires.block(a, b);
  scene.during(ms, () => {
    for (const [a, b] of ways) wires.unblock(a, b);
  });
}

function down(scene: Scene, server: SimulatedServer, ms: readonly [number, number]): void {
  scene.during(ms, () => scene.cluster.startServer(server));
}

function pause(scene: Scene, node: string, ms: readonly [number, number]): string | null {
  const process = scene.cluster.processOf(node);
  if (process === null || process.environment.dead || process.environment.paused) return null;
  process.environment.pause();
  scene.cluster.wires.silent(process.network);
  scene.during(ms, () => process.environment.resume());
  return `${node} stands still`;
}

export const faultKinds: readonly FaultKind[] = [
  // --- network
  {
    name: 'break',
    weight: 1,
    begin: (scene) => {
      const [a, b] = scene.two();
      return scene.cluster.wires.breakBetween(a, b) ? `${a} - ${b}` : null;
    },
  },
  {
    name: 'flap',
    weight: 0.5,
    begin: (scene) => {
      const [a, b] = scene.two();
      let ended = false;
      const again = (): void => {
        if (ended) return;
        scene.cluster.wires.breakBetween(a, b);
        scene.world.at(scene.world.between(20, 400), again);
      };
      again();
      scene.during([500, 5_000], () => (ended = true));
      return `${a} - ${b} again and again`;
    },
  },
  {
    name: 'one-way',
    weight: 1,
    begin: (scene) => {
      const [a, b] = scene.two();
      block(scene, [a], [b], [100, 12_000]);
      return `nothing of ${a} reaches ${b}`;
    },
  },
  {
    name: 'partition',
    weight: 1,
    begin: (scene) => {
      const [a, b] = scene.two();
      block(scene, [a, b], [a, b], [100, 12_000]);
      return `${a} | ${b}`;
    },
  },
  {
    name: 'deaf',
    weight: 0.5,
    begin: (scene) => {
      const { name } = scene.server();
      const outward = scene.world.chance(0.5);
      const others = scene.cluster.nodes;
      if (outward) block(scene, [name], others, [100, 9_000]);
      else block(scene, others, [name], [100, 9_000]);
      return outward ? `nobody hears ${name}` : `${name} hears nobody`;
    },
  },
  {
    name: 'isolate',
    weight: 1,
    begin: (scene) => {
      const { name } = scene.server();
      const all = scene.cluster.nodes;
      const from = scene.world.chance(0.5) ? all : all.filter((node) => node !== 'meta');
      block(scene, [name], from, [100, 9_000]);
      block(scene, from, [name], [100, 9_000]);
      return `${name} from ${from.length === all.length ? 'everybody' : 'everybody but meta'}`;
    },
  },
  {
    name: 'split',
    weight: 0.7,
    begin: (scene) => {
      const one = scene.cluster.nodes.filter(() => scene.world.chance(0.5));
      const other = scene.cluster.nodes.filter((node) => !one.includes(node));
      if (one.length === 0 || other.length === 0) return null;
      block(scene, one, other, [100, 9_000]);
      block(scene, other, one, [100, 9_000]);
      return `${one.join(' ')} | ${other.join(' ')}`;
    },
  },
  {
    name: 'slow-link',
    weight: 0.7,
    begin: (scene) => {
      const [a, b] = scene.two();
      const { conditions } = scene.cluster.wires;
      const ms = scene.world.between(20, 1_500);
      conditions.slow(a, b, ms);
      scene.during([200, 8_000], () => conditions.slow(a, b, 0));
      return `${a} > ${b} up to ${ms.toFixed(0)} ms`;
    },
  },
  // --- processes
  {
    name: 'kill',
    weight: 2,
    begin: (scene) => {
      const server = scene.server();
      if (server.running === null) return null;
      scene.cluster.killServer(server);
      down(scene, server, scene.world.chance(0.7) ? [1, 4_000] : [4_000, 15_000]);
      return server.name;
    },
  },
  {
    name: 'kill-all',
    weight: 0.3,
    begin: (scene) => {
      for (const server of scene.cluster.servers) {
        scene.cluster.killServer(server);
        down(scene, server, [1, 6_000]);
      }
      return 'all servers';
    },
  },
  {
    name: 'stop',
    weight: 0.7,
    begin: (scene) => {
      const server = scene.server();
      if (server.running?.started !== true || server.running.stopping) return null;
      scene.cluster.stopServer(server, () => down(scene, server, [1, 3_000]));
      return server.name;
    },
  },
  {
    name: 'kill-meta',
    weight: 0.7,
    begin: (scene) => {
      const { world, cluster } = scene;
      if (cluster.meta === null) return null;
      cluster.killMeta();
      scene.during(world.chance(0.8) ? [1, 4_000] : [8_000, 20_000], () => cluster.startMeta());
      return 'meta';
    },
  },
  {
    name: 'kill-proxy',
    weight: 0.5,
    begin: ({ world, cluster }) => {
      const index = world.integer(0, cluster.proxies.length - 1);
      if (cluster.proxies[index]!.dead) return null;
      cluster.killProxy(index, world.between(1, 1_500));
      return `proxy-${index + 1}`;
    },
  },
  {
    name: 'pause',
    weight: 1,
    begin: (scene) => pause(scene, scene.server().name, [20, 1_900]),
  },
  {
    name: 'freeze',
    weight: 1,
    begin: (scene) => pause(scene, scene.server().name, [2_000, 9_000]),
  },
  {
    name: 'pause-any',
    weight: 0.5,
    begin: (scene) => pause(scene, scene.world.pick(scene.cluster.nodes), [20, 9_000]),
  },
  // --- clocks
  {
    name: 'clock-step',
    weight: 0.5,
    begin: ({ world, cluster }) => {
      const node = world.pick(cluster.nodes);
      const process = cluster.processOf(node);
      if (process === null) return null;
      const stepMs = world.pick([-DAY_MS, DAY_MS, world.between(-30_000, 30_000)]);
      process.environment.wallOffsetMs += stepMs;
      return `${node} by ${(stepMs / 1000).toFixed(1)} s`;
    },
  },
  ...diskFaults,
];
