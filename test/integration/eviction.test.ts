/** maxmemory: what is used stays below it, what goes follows the policy, and all proxies and primaries know of it. */
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { PartitionRow } from '../../meta/admin.js';
import { eventually } from '../cluster/condition.js';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';

describe('maxmemory', () => {
  let cluster: LocalCluster;
  let client: Redis;

  before(async () => {
    cluster = await startLocalCluster();
    client = new Redis(cluster.port);
  });

  beforeEach(async () => {
    await client.config('SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction');
    await client.flushall();
  });

  after(async () => {
    await client.quit();
    await cluster.stop();
  });

  async function figure(name: string): Promise<number> {
    return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await client.info())?.[1]);
  }

  async function allow(bytes: number, policy: string): Promise<number> {
    const limit = (await figure('used_memory')) + bytes;
    await client.config('SET', 'maxmemory', String(limit), 'maxmemory-policy', policy);
    return limit;
  }

  async function write(count: number, name: (i: number) => string, seconds?: number): Promise<void> {
    for (let from = 0; from < count; from += 500) {
      const pipeline = client.pipeline();
      for (let i = from; i < Math.min(count, from + 500); i++) {
        if (seconds === undefined) pipeline.set(name(i), 'x'.repeat(100));
        else pipeline.set(name(i), 'x'.repeat(100), 'EX', seconds + i);
      }
      await pipeline.exec();
    }
  }

  const below = (limit: number): Promise<number> =>
    eventually('what is used is below the limit', async () => {
      const used = await figure('used_memory');
      return used <= limit ? used : undefined;
    });

  it('refuses writes that grow without eviction, and takes reads and deletions', async () => {
    await client.set('kept', 'value');
    await client.config('SET', 'maxmemory', '1');
    const refused = await client.set('more', 'value').catch((error: unknown) => (error as Error).message);
    expect(refused).to.equal("OOM command not allowed when used memory > 'maxmemory'.");
    expect(await client.get('kept')).to.equal('value');
    expect(await client.del('kept')).to.equal(1);
    await client.config('SET', 'maxmemory', '0');
    expect(await client.set('more', 'value')).to.equal('OK');
  });

  it('refuses them, too, when nothing that the policy lets go is there', async () => {
    await write(200, (i) => `forever:${i}`);
    await client.config('SET', 'maxmemory', '1', 'maxmemory-policy', 'volatile-lru');
    const refused = await client.set('more', 'value').catch((error: unknown) => (error as Error).message);
    expect(refused).to.match(/^OOM /);
    expect(await client.dbsize()).to.equal(200);
  });

  for (const policy of [
    'allkeys-lru',
    'allkeys-lfu',
    'allkeys-random',
    'volatile-lru',
    'volatile-lfu',
    'volatile-random',
    'volatile-ttl',
  ]) {
    it(`keeps what is used below the limit: ${policy}`, async () => {
      const evictedBefore = await figure('evicted_keys');
      const limit = await allow(300_000, policy);
      await write(4_000, (i) => `k:${i}`, policy.startsWith('volatile') ? 10_000 : undefined);
      await below(limit);
      const keys = await client.dbsize();
      expect(keys).to.be.within(500, 3_500);
      expect((await figure('evicted_keys')) - evictedBefore).to.equal(4_000 - keys);
    });
  }

  it('lets only rows go that expire, where the policy says so, those first that expire first', async () => {
    await write(500, (i) => `forever:${i}`);
    const limit = await allow(200_000, 'volatile-ttl');
    await write(2_000, (i) => `soon:${i}`, 1_000);
    await below(limit);
    expect(await client.exists(...Array.from({ length: 500 }, (_, i) => `forever:${i}`))).to.equal(500);
    const last = await client.exists(...Array.from({ length: 100 }, (_, i) => `soon:${1_900 + i}`));
    const first = await client.exists(...Array.from({ length: 100 }, (_, i) => `soon:${i}`));
    expect([first, last]).to.deep.equal([0, 100]);
  });

  it('keeps what is accessed often', async () => {
    await client.config('SET', 'maxmemory-policy', 'allkeys-lfu');
    await client.set('often', 'x');
    for (let i = 0; i < 300; i++) await client.get('often');
    expect(Number(await client.object('FREQ', 'often'))).to.be.above(8);
    const limit = await allow(200_000, 'allkeys-lfu');
    await write(3_000, (i) => `k:${i}`);
    await below(limit);
    expect(await client.get('often')).to.equal('x');
  });

  it('is known to the next primary', async () => {
    const limit = await allow(200_000, 'allkeys-random');
    const [row] = await cluster.admin<PartitionRow[]>('partitions');
    const pid = cluster.nodes().get(row?.primary ?? '');
    if (pid === undefined) throw new Error('no process runs the primary');
    process.kill(pid, 'SIGKILL');
    expect(await client.config('GET', 'maxmemory')).to.deep.equal(['maxmemory', String(limit)]);
    await write(3_000, (i) => `k:${i}`);
    await below(limit);
    expect(await client.config('GET', 'maxmemory-policy')).to.deep.equal(['maxmemory-policy', 'allkeys-random']);
  });
});
