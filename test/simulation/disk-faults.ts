/** What goes wrong with disks and with power. Losing what a server holds is done only where another copy remains. */
import type { Loss } from '../../server/storage/memory.js';
import type { SimulatedServer } from './cluster.js';
import type { FaultKind } from './faults.js';
import type { Scene } from './scene.js';

function losePower(scene: Scene, server: SimulatedServer): Loss {
  const loss = scene.world.pick<Loss>(['all', 'some', 'some']);
  if (scene.cluster.plan.fsync !== 'always') scene.invariants.forgive(server.name, true);
  scene.cluster.killServer(server, loss);
  scene.during([1, 6_000], () => scene.cluster.startServer(server));
  return loss;
}

/** With `always` nothing that counts is lost; else only one server at a time may lose what it did not sync. */
function mayLosePower(scene: Scene, server: SimulatedServer): boolean {
  return server.running !== null && (scene.cluster.plan.fsync === 'always' || scene.isExpendable(server));
}

/** Stops the server, does something to its disk, and starts it again later. */
function damage(scene: Scene, what: (server: SimulatedServer) => boolean): string | null {
  const server = scene.server();
  if (server.running === null || scene.troubles > 0 || !scene.isExpendable(server)) return null;
  scene.cluster.killServer(server);
  const done = what(server);
  if (done) scene.invariants.forgive(server.name, false);
  scene.during([1, 4_000], () => scene.cluster.startServer(server));
  return done ? server.name : null;
}

export const diskFaults: readonly FaultKind[] = [
  {
    name: 'slow-disk',
    weight: 0.7,
    begin: (scene) => {
      const { name, disk } = scene.server();
      const most = scene.world.between(5, 400);
      disk.slowMs = [most / 4, most];
      scene.during([500, 10_000], () => (disk.slowMs = null));
      return `${name}, up to ${most.toFixed(0)} ms`;
    },
  },
  {
    name: 'disk-stall',
    weight: 0.7,
    begin: (scene) => {
      const { world } = scene;
      const { name, disk } = scene.server();
      const ms = world.between(200, 10_000);
      disk.stalledUntilMs = world.nowMs + ms;
      return `${name} for ${ms.toFixed(0)} ms`;
    },
  },
  {
    name: 'disk-full',
    weight: 0.7,
    begin: (scene) => {
      const { name, disk } = scene.server();
      disk.space = scene.world.pick(['soft', 'hard', 'hard'] as const);
      scene.during([500, 8_000], () => (disk.space = 'enough'));
      return `${name}, ${disk.space} watermark`;
    },
  },
  {
    name: 'no-space',
    weight: 0.5,
    begin: (scene) => {
      const { name, disk } = scene.server();
      disk.space = 'none';
      disk.short = true;
      scene.during([50, 4_000], () => {
        disk.space = 'enough';
        disk.short = false;
      });
      return `${name}: writes fail with ENOSPC`;
    },
  },
  {
    name: 'short-writes',
    weight: 0.4,
    begin: (scene) => {
      const { name, disk } = scene.server();
      disk.short = true;
      scene.during([500, 8_000], () => (disk.short = false));
      return name;
    },
  },
  {
    name: 'io-error',
    weight: 0.5,
    begin: (scene) => {
      const server = scene.server();
      const { name, disk } = server;
      // a sync that fails loses what it should have written, as the power does
      disk.broken = mayLosePower(scene, server) ? scene.world.pick(['write', 'sync'] as const) : 'write';
      scene.during([50, 3_000], () => (disk.broken = null));
      return `${name}: every ${disk.broken} fails with EIO`;
    },
  },
  {
    name: 'power',
    weight: 1,
    begin: (scene) => {
      const server = scene.server();
      return mayLosePower(scene, server) ? `${server.name}, lost: ${losePower(scene, server)}` : null;
    },
  },
  {
    name: 'blackout',
    weight: 0.5,
    needs: 'always',
    begin: (scene) => {
      for (const server of scene.cluster.servers) if (server.running !== null) losePower(scene, server);
      return 'all servers lose their power';
    },
  },
  {
    // nearly always the end of a run: what was lost is allowed to be, within the window that invariants.ts knows
    name: 'blackout-unsynced',
    weight: 0.05,
    needs: 'everysec',
    begin: (scene) => {
      for (const server of scene.cluster.servers) if (server.running !== null) losePower(scene, server);
      return 'all servers lose their power, and what they had not synced';
    },
  },
  {
    name: 'corrupt-log',
    weight: 0.5,
    begin: (scene) => damage(scene, ({ disk }) => disk.corruptLog()),
  },
  {
    name: 'corrupt-store',
    weight: 0.3,
    begin: (scene) => damage(scene, ({ disk }) => disk.corruptStore()),
  },
  {
    name: 'wipe',
    weight: 0.3,
    begin: (scene) =>
      damage(scene, ({ disk }) => {
        disk.wipe();
        return true;
      }),
  },
];
