/** Damage to a server's files, of the kinds a disk does: the server says what, sets it aside and learns again, by itself. */
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { NodeRow, PartitionRow } from '../../meta/admin.js';
import type { ChecksumRow } from '../../meta/checksums.js';
import { eventually } from '../cluster/condition.js';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';

const KEYS = 300;
const valueOf = (key: number): string => `${key}-`.repeat(50);

describe('a damaged disk', () => {
  let folder: string;
  let cluster: LocalCluster;
  let redis: Redis;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tulpar-damaged-'));
    cluster = await startLocalCluster({ directory: join(folder, 'cluster'), flags: ['--fsync', 'always'] });
    redis = new Redis(cluster.port);
    for (let key = 0; key < KEYS; key++) await redis.set(`key:${key}`, valueOf(key));
  });

  after(async () => {
    redis.disconnect();
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const partition = async (): Promise<PartitionRow> => (await cluster.admin<PartitionRow[]>('partitions'))[0]!;
  const whole = (): Promise<PartitionRow> =>
    eventually(
      'the partition has three members',
      async () => {
        const row = await partition();
        return row.primary !== null && row.secondaries.length === 2 && row.learners.length === 0 ? row : undefined;
      },
      30_000,
    );
  const flip = (file: string, offset: number): void => {
    const descriptor = openSync(file, 'r+');
    const byte = Buffer.alloc(1);
    readSync(descriptor, byte, 0, 1, offset);
    byte[0]! ^= 0x55;
    writeSync(descriptor, byte, 0, 1, offset);
    closeSync(descriptor);
  };
  const setAside = async (node: string): Promise<number> =>
    (await cluster.admin<NodeRow[]>('nodes')).find((row) => row.node === node)?.setAside ?? -1;

  for (const [what, damage] of [
    [
      "LevelDB's manifest",
      (stores: string): void => {
        const store = join(stores, 'partition-1');
        flip(join(store, readdirSync(store).find((name) => name.startsWith('MANIFEST'))!), 8);
      },
    ],
    [
      'the log before its synced end',
      (_stores: string, log: string): void => {
        const [oldest] = readdirSync(log)
          .filter((name) => name.endsWith('.log') && statSync(join(log, name)).size > 1_000)
          .sort();
        flip(join(log, oldest!), 200);
      },
    ],
    [
      'all of the log, removed',
      (_stores: string, log: string): void => {
        for (const name of readdirSync(log)) rmSync(join(log, name));
      },
    ],
  ] as const) {
    it(`(${what}) is set aside, and the replica learns again by itself (20)`, async () => {
      const row = await whole();
      const node = row.secondaries[0]!;
      const before = await setAside(node);
      const pid = cluster.nodes().get(node)!;
      const { boot } = (await cluster.admin<NodeRow[]>('nodes')).find((each) => each.node === node)!;
      for (let key = 0; key < KEYS; key += 3) await redis.set(`key:${key}`, valueOf(key));
      damage(join(cluster.directory, node, 'stores'), join(cluster.directory, node, 'log'));
      process.kill(pid, 'SIGKILL');
      await eventually('another boot', async () => {
        const now = (await cluster.admin<NodeRow[]>('nodes')).find((each) => each.node === node);
        return now?.state === 'alive' && now.boot !== boot ? true : undefined;
      });
      await whole();
      await eventually('it tells what it set aside', async () => ((await setAside(node)) > before ? true : undefined));
      for (let key = 0; key < KEYS; key++) expect(await redis.get(`key:${key}`)).to.equal(valueOf(key));
      const sums = await cluster.admin<ChecksumRow[]>('checksums');
      expect(sums).to.have.length(3);
      expect(new Set(sums.map(({ checksum }) => checksum)).size).to.equal(1);
    });
  }
});
