/** The cluster protocol, with clients that speak it, over a table whose keys of one command must share a slot. */
import { execFile, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Cluster, Redis } from 'ioredis';
import { createCluster } from 'redis';
import { eventually } from '../cluster/condition.js';
import { atExit } from '../cluster/exit.js';
import { type LocalCluster, projectFolder, startLocalCluster } from '../cluster/local-cluster.js';
import { isInstalled, stopChild } from '../cluster/processes.js';
import { ask, freePort } from '../cluster/sockets.js';

const run = promisify(execFile);

describe('the cluster protocol', () => {
  let cluster: LocalCluster;
  let client: Redis;

  before(async () => {
    cluster = await startLocalCluster({
      flags: ['--partitions', '4', '--multi-key', 'slot', '--cluster-enabled', 'yes'],
    });
    client = new Redis(cluster.port);
  });

  after(async () => {
    await client.quit();
    await cluster.stop();
  });

  it('gives every slot to a node with an address where it can be reached', async () => {
    const slots = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
    expect(slots.map(([from, to]) => [from, to])).to.deep.equal([[0, 16_383]]);
    const [[, , [host, port, id]]] = slots as [(typeof slots)[number]];
    expect([host, port]).to.deep.equal(['127.0.0.1', cluster.port]);
    expect(await client.cluster('MYID')).to.equal(id);
    expect(await client.call('CLUSTER', 'NODES')).to.equal(
      `${id} 127.0.0.1:${cluster.port}@${cluster.port + 10_000} myself,master - 0 0 1 connected 0-16383\n`,
    );
    expect(String(await client.cluster('INFO'))).to.include('cluster_state:ok\r\n');
    expect(await client.info('cluster')).to.include('cluster_enabled:1');
  });

  it('knows the slots of keys, and which keys they have', async () => {
    const slot = await client.cluster('KEYSLOT', 'user:{42}');
    expect(slot).to.equal(8_000);
    await client.mset('a{42}', '1', 'b{42}', '2');
    expect(await client.cluster('COUNTKEYSINSLOT', 8_000)).to.equal(2);
    expect(((await client.cluster('GETKEYSINSLOT', 8_000, 10)) as string[]).toSorted()).to.deep.equal([
      'a{42}',
      'b{42}',
    ]);
    expect(await client.cluster('COUNTKEYSINSLOT', 7_999)).to.equal(0);
  });

  it('refuses keys in several slots as Redis does, and what would move slots', async () => {
    const refusal = (promise: Promise<unknown>): Promise<string> =>
      promise.then(String, (error: unknown) => (error as Error).message);
    expect(await refusal(client.rename('a', 'b'))).to.equal("CROSSSLOT Keys in request don't hash to the same slot");
    expect(await refusal(client.call('CLUSTER', 'MEET', '127.0.0.1', '1'))).to.match(
      /^ERR CLUSTER MEET is not supported/,
    );
    expect(await client.readonly()).to.equal('OK');
    expect(await client.call('ASKING')).to.equal('OK');
  });

  it('holds functions that may write while CLIENT PAUSE WRITE lasts, and lets the others pass', async () => {
    const body = '() return redis.call("get", "paused") end';
    const library = [
      '#!lua name=paused',
      `redis.register_function('may_write', function${body})`,
      `redis.register_function{function_name = 'reads', callback = function${body}, flags = {'no-writes'}}`,
    ].join('\n');
    await client.call('FUNCTION', 'LOAD', library);
    await client.set('paused', 'there');
    const other = client.duplicate();
    await client.call('CLIENT', 'PAUSE', '100000', 'WRITE');
    expect(await other.fcall('reads', 0)).to.equal('there');
    const held = other.fcall('may_write', 1, 'paused');
    await eventually('it waits', async () =>
      (await client.info('clients')).includes('blocked_clients:1') ? true : undefined,
    );
    await client.call('CLIENT', 'UNPAUSE');
    expect(await held).to.equal('there');
    await other.quit();
  });

  it('runs a script without keys where its first key belongs, in its place among the commands of its connection', async () => {
    const commands = client.pipeline();
    for (let i = 0; i < 40; i++) {
      commands.set(`roam:${i}`, 'before');
      commands.eval(
        `return redis.call('append', 'roam:' .. ARGV[1], '+' .. redis.call('get', 'roam:' .. ARGV[1]))`,
        0,
        i,
      );
      commands.get(`roam:${i}`);
    }
    const replies = (await commands.exec()) ?? [];
    expect(replies.filter(([error]) => error !== null)).to.deep.equal([]);
    expect(new Set(replies.map(([, reply]) => reply))).to.deep.equal(new Set(['OK', 13, 'before+before']));
  });

  it('refuses a script keys of several partitions, whatever it catches, and one in a transaction a key elsewhere', async () => {
    const refusal = (promise: Promise<unknown>): Promise<string> =>
      promise.then(String, (error: unknown) => (error as Error).message);
    // slots 12182 and 5061
    const both = "local first = redis.pcall('get', 'foo'); return redis.call('get', 'bar')";
    expect(await refusal(client.eval(both, 0))).to.match(
      /^ERR Script attempted to access a non local key in a cluster node/,
    );
    const caught = "local ok = pcall(redis.call, 'set', 'foo', 'x'); return {ok, redis.call('get', 'foo')}";
    expect(await client.eval(caught, 0)).to.deep.equal([1, 'x']);
    const [, reply] = (await client.multi().set('bar', '1').eval("return redis.call('get', 'foo')", 0).exec()) ?? [];
    expect(String(reply?.[0])).to.include('non local key');
  });

  it('runs a script with random keys at last somewhere, or says that its keys are elsewhere', async () => {
    for (let i = 0; i < 30; i++) {
      const outcome = await client.eval("return redis.call('incr', 'random:' .. math.random(1000000))", 0).then(
        () => 'done',
        (error: unknown) => (error as Error).message,
      );
      if (outcome !== 'done') expect(outcome).to.match(/non local key/);
    }
  });

  it('serves ioredis as a cluster', async () => {
    const nodes = new Cluster([{ host: '127.0.0.1', port: cluster.port }]);
    for (let i = 0; i < 50; i++) await nodes.set(`key:${i}`, String(i));
    const values = await Promise.all(Array.from({ length: 50 }, (_, i) => nodes.get(`key:${i}`)));
    expect(values).to.deep.equal(Array.from({ length: 50 }, (_, i) => String(i)));
    await nodes.quit();
  });

  it('serves node-redis as a cluster', async () => {
    const nodes = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${cluster.port}` }] });
    await nodes.connect();
    for (let i = 0; i < 20; i++) await nodes.set(`other:${i}`, String(i));
    expect(await nodes.get('other:7')).to.equal('7');
    await nodes.close();
  });

  it('serves redis-cli -c', async function () {
    if (!isInstalled('redis-cli')) this.skip();
    const port = String(cluster.port);
    const { stdout } = await run('redis-cli', ['-c', '-p', port, 'SET', 'far', 'away']);
    expect(stdout.trim()).to.equal('OK');
    const checked = await run('redis-cli', ['--cluster', 'check', `127.0.0.1:${port}`]);
    expect(checked.stdout).to.include('All 16384 slots covered');
  });

  it('shares the slots out among proxies, of which each serves all; redis-benchmark --cluster takes them', async function () {
    if (!isInstalled('redis-benchmark')) this.skip();
    const file = join(cluster.directory, 'config', 'second.json');
    const first = JSON.parse(readFileSync(join(cluster.directory, 'config', 'proxy.json'), 'utf8')) as object;
    const second = { ...first, node: 'second', port: await freePort(), dir: join(cluster.directory, 'second') };
    writeFileSync(file, JSON.stringify(second));
    const child = spawn('node', [join(projectFolder, 'dist/cli/main.js'), 'run', '--config', file], {
      stdio: 'ignore',
    });
    const forget = atExit(() => child.kill('SIGKILL'));
    try {
      const shares = await eventually('both proxies have slots', async () => {
        const slots = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
        return new Set(slots.map(([, , [, port]]) => port)).size === 2 ? slots : undefined;
      });
      expect(shares.map(([from, to]) => [from, to])).to.have.deep.members([
        [0, 4_095],
        [4_096, 8_191],
        [8_192, 12_287],
        [12_288, 16_383],
      ]);
      await eventually('the second proxy serves', async () =>
        (await ask(second.port, 'SET near by').catch(() => '')) === '+OK' ? true : undefined,
      );
      const load = ['-n', '200', '-c', '4', '-t', 'set,get', '-q'];
      const measured = await run('redis-benchmark', ['--cluster', '-p', String(cluster.port), ...load]);
      expect(measured.stdout).to.match(/GET: [\d.]+ requests per second/);
    } finally {
      await stopChild(child);
      forget();
    }
  });
});
