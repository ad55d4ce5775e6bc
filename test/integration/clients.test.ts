/** Clients as people use them, with their defaults, against a local cluster. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';
import { isInstalled } from '../cluster/processes.js';

const run = promisify(execFile);

describe('a cluster with clients', () => {
  let cluster: LocalCluster;

  before(async () => {
    cluster = await startLocalCluster();
  });

  after(() => cluster.stop());

  it('serves ioredis with its defaults', async () => {
    const client = new Redis(cluster.port);
    expect(await client.set('ioredis', 'yes')).to.equal('OK');
    expect(await client.get('ioredis')).to.equal('yes');
    expect(await client.incr('ioredis counter')).to.equal(1);
    const pipelined = await client.pipeline().set('p', 1).incr('p').del('p').get('p').exec();
    expect(pipelined?.map(([, reply]) => reply)).to.deep.equal(['OK', 2, 1, null]);
    await client.quit();
  });

  it('serves node-redis with its defaults', async () => {
    const client = createClient({ url: `redis://127.0.0.1:${cluster.port}` });
    await client.connect();
    expect(await client.set('node-redis', 'yes', { expiration: { type: 'EX', value: 100 } })).to.equal('OK');
    expect(await client.get('node-redis')).to.equal('yes');
    expect(await client.ttl('node-redis')).to.be.within(90, 100);
    await client.close();
  });

  it('serves redis-cli and redis-benchmark', async function () {
    if (!isInstalled('redis-benchmark')) this.skip();
    const port = String(cluster.port);
    expect((await run('redis-cli', ['-p', port, 'SET', 'cli', 'yes'])).stdout).to.equal('OK\n');
    expect((await run('redis-cli', ['-p', port, '--raw', 'GET', 'cli'])).stdout).to.equal('yes\n');
    const benchmark = await run('redis-benchmark', ['-p', port, '-t', 'set,get,incr', '-n', '2000', '-q']);
    expect(benchmark.stdout).to.match(/SET: .*requests per second/);
    expect(benchmark.stdout).to.match(/INCR: .*requests per second/);
    expect(benchmark.stderr).to.equal('');
  });
});
