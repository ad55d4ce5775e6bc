/** MIGRATE between a cluster and a real redis-server, both ways. */
import { expect } from 'chai';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';
import { isInstalled } from '../cluster/processes.js';
import { type RedisServer, startRedisServer } from '../cluster/redis-server.js';
import { RespClient } from './resp-client.js';

describe('MIGRATE', function () {
  this.timeout(60_000);
  let cluster: LocalCluster;
  let redis: RedisServer;
  let ours: RespClient;
  let theirs: RespClient;

  before(async function () {
    if (!isInstalled('redis-server')) this.skip();
    cluster = await startLocalCluster();
    redis = await startRedisServer();
    ours = await RespClient.open(cluster.port);
    theirs = await RespClient.open(redis.port);
  });

  after(async () => {
    if (!isInstalled('redis-server')) return;
    ours.end();
    theirs.end();
    await cluster.stop();
    await redis.stop();
  });

  it('moves keys with their expiry to a Redis, and from there', async () => {
    await ours.command('SET', 'text', 'value', 'PX', '100000');
    await ours.command('RPUSH', 'list', 'a', 'b');
    const keys = ['KEYS', 'text', 'list', 'absent'];
    expect(await ours.command('MIGRATE', '127.0.0.1', String(redis.port), '', '3', '5000', ...keys)).to.equal('OK');
    expect(await ours.command('EXISTS', 'text', 'list')).to.equal(0);
    await theirs.command('SELECT', '3');
    expect(await theirs.command('LRANGE', 'list', '0', '-1')).to.deep.equal(['a', 'b']);
    expect(await theirs.command('PTTL', 'text')).to.be.within(1, 100_000);
    const back = ['127.0.0.1', String(cluster.port), 'list', '0', '5000'];
    expect(await theirs.command('MIGRATE', ...back)).to.equal('OK');
    expect(await ours.command('LRANGE', 'list', '0', '-1')).to.deep.equal(['a', 'b']);
  });

  it('replaces what is there only when asked to, and copies', async () => {
    await ours.command('SET', 'here', 'new');
    await theirs.command('SET', 'here', 'old');
    const target = ['127.0.0.1', String(redis.port), 'here', '3', '5000'];
    expect(await ours.command('MIGRATE', ...target)).to.equal(
      '-ERR Target instance replied with error: BUSYKEY Target key name already exists.',
    );
    expect(await ours.command('GET', 'here')).to.equal('new');
    expect(await ours.command('MIGRATE', ...target, 'COPY', 'REPLACE')).to.equal('OK');
    expect(await theirs.command('GET', 'here')).to.equal('new');
    expect(await ours.command('GET', 'here')).to.equal('new');
  });

  it('says what went wrong, and when there is nothing to move', async () => {
    expect(await ours.command('MIGRATE', '127.0.0.1', '1', 'absent', '0', '100')).to.equal('NOKEY');
    await ours.command('SET', 'stays', '1');
    expect(await ours.command('MIGRATE', '127.0.0.1', '1', 'stays', '0', '100')).to.match(/^-IOERR /);
    const wrong = ['127.0.0.1', String(redis.port), 'stays', '0', '1000', 'AUTH2', 'nobody', 'x'];
    expect(await ours.command('MIGRATE', ...wrong)).to.match(/^-ERR Target instance replied with error: WRONGPASS /);
    expect(await ours.command('GET', 'stays')).to.equal('1');
  });
});
