/** What a user does with `tulpar local`: connect with any client, stop it, kill it, start it again. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { eventually } from '../cluster/condition.js';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';
import { isInstalled } from '../cluster/processes.js';
import { freePort } from '../cluster/sockets.js';

const run = promisify(execFile);

async function writeKeys(port: number, keys: number): Promise<void> {
  const client = new Redis(port);
  await Promise.all(Array.from({ length: keys }, (_, i) => client.set(`key:${i}`, `value ${i}`)));
  await client.quit();
}

async function expectKeys(port: number, keys: number): Promise<void> {
  const client = new Redis(port);
  const values = await client.mget(Array.from({ length: keys }, (_, i) => `key:${i}`));
  expect(values).to.deep.equal(Array.from({ length: keys }, (_, i) => `value ${i}`));
  await client.quit();
}

describe('a local cluster', () => {
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

describe('a local cluster that is started again', () => {
  let directory: string;
  let cluster: LocalCluster | undefined;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'tulpar-'));
  });

  after(async () => {
    await cluster?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('finds its data after a clean stop', async () => {
    const port = await freePort();
    cluster = await startLocalCluster({ port, directory });
    await writeKeys(port, 500);
    await cluster.stop();
    expect(cluster.processes()).to.deep.equal([]);
    cluster = await startLocalCluster({ port, directory });
    await expectKeys(port, 500);
  });

  it('finds its data after every process was killed', async () => {
    const { port, processes } = cluster as LocalCluster;
    await writeKeys(port, 1_000);
    const killed = processes();
    // The supervisor first, so that it restarts nobody.
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    await eventually('all are gone', () => (processes().length === 0 ? true : undefined));
    cluster = await startLocalCluster({ port, directory });
    await expectKeys(port, 1_000);
  });
});
