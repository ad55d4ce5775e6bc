/** The native client against a cluster of processes, several partitions, with servers killed under it. */
import { expect } from 'chai';
import type { PartitionRow } from '../../meta/admin.js';
import { Check, connect, localCluster, type TulparClient, type TulparTable } from '../../shared/client/index.js';
import { eventually } from '../cluster/condition.js';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';
import { ask } from '../cluster/sockets.js';

describe('the native client on a cluster', () => {
  let cluster: LocalCluster;
  let client: TulparClient;
  let table: TulparTable;

  before(async () => {
    cluster = await startLocalCluster({ flags: ['--partitions', '4', '--multi-key', 'slot'] });
    client = await connect(localCluster(cluster.directory));
    table = client.table('default');
  });

  after(async () => {
    await client.close();
    await cluster.stop();
  });

  it('reads what it wrote, field by field', async () => {
    expect(await table.set('user:1', 'name', 'Ada')).to.equal(true);
    expect(String(await table.get('user:1', 'name'))).to.equal('Ada');
    expect(await table.incr('user:1', 'visits', 2n ** 62n)).to.equal(2n ** 62n);
    expect(await table.incr('user:1', 'visits', 1)).to.equal(2n ** 62n + 1n);
    expect(await table.set('user:1', 'session', 'x', { ttlSeconds: 100 })).to.equal(true);
    expect((await table.ttl('user:1', 'session'))?.ttlMs).to.be.within(1, 100_000);
    const lock = { check: Check.absent, checkSortKey: 'lock', value: 'mine' } as const;
    expect(await table.checkAndSet('user:1', lock)).to.deep.equal({ done: true, current: null });
    expect(await table.checkAndSet('user:1', lock)).to.deep.equal({ done: false, current: Buffer.from('mine') });
    expect(await table.sortKeyCount('user:1')).to.equal(4);
    expect(await table.multiDel('user:1', ['lock', 'session', 'none'])).to.equal(2);
  });

  it('shares rows with Redis clients', async () => {
    expect(await ask(cluster.port, 'TYPE user:1')).to.equal('+hash');
    expect(await ask(cluster.port, 'GET user:1')).to.match(/^-WRONGTYPE /);
    expect(await ask(cluster.port, 'SET text value')).to.equal('+OK');
    const refusal = await table.get('text', 'name').catch((error: Error) => error.message);
    expect(refusal).to.match(/^WRONGTYPE /);
    expect(await ask(cluster.port, 'DEL user:1')).to.equal(':1');
    expect(await table.get('user:1', 'name')).to.equal(null);
  });

  it('scans a hash key with thousands of fields in order, and everything in all partitions', async () => {
    const names = Array.from({ length: 3_000 }, (_, index) => String(10_000 + index));
    for (let i = 0; i < names.length; i += 500) {
      await table.multiSet(
        'large',
        names.slice(i, i + 500).map((sortKey) => ({ sortKey, value: `v${sortKey}` })),
      );
    }
    await Promise.all(Array.from({ length: 200 }, (_, row) => table.set(`row:${row}`, 'a', 'b')));
    const found: string[] = [];
    for await (const { sortKey, value } of table.hashScan('large')) {
      expect(String(value)).to.equal(`v${String(sortKey)}`);
      found.push(String(sortKey));
    }
    expect(found).to.deep.equal(names);
    const counts = new Map<string, number>();
    for await (const { hashKey } of table.fullScan())
      counts.set(String(hashKey), (counts.get(String(hashKey)) ?? 0) + 1);
    expect(counts.get('large')).to.equal(3_000);
    expect([...counts.keys()].filter((key) => key.startsWith('row:'))).to.have.lengthOf(200);
  });

  it('goes on when a primary is killed, and counts nothing twice', async () => {
    const [partition] = await cluster.admin<PartitionRow[]>('partitions');
    const pid = cluster.nodes().get(partition?.primary ?? '');
    expect(pid, 'the primary is a supervised process').to.be.a('number');
    let total = 0;
    for (let round = 0; round < 20; round++) {
      const increments = Array.from({ length: 50 }, (_, key) => table.incr(`counter:${key}`, 'n'));
      if (round === 5) process.kill(pid as number, 'SIGKILL');
      await Promise.all(increments);
      total += increments.length;
    }
    const values = await Promise.all(Array.from({ length: 50 }, (_, key) => table.get(`counter:${key}`, 'n')));
    expect(values.reduce((sum, value) => sum + Number(value), 0)).to.equal(total);
    await eventually(
      'three replicas everywhere',
      async () => {
        const rows = await cluster.admin<PartitionRow[]>('partitions');
        return rows.every((row) => row.primary !== null && row.secondaries.length === 2) ? true : undefined;
      },
      60_000,
    );
  });

  it('is told why when the cluster refuses it', async () => {
    const stranger = connect({ ...localCluster(cluster.directory), secret: 'wrong', deadlineMs: 1_000 });
    const error = await stranger.then(
      () => null,
      (refusal: Error) => refusal,
    );
    expect(error).to.have.property('code', 'E_META');
    expect(error?.message).to.match(/wrong secret/);
  });
});
