/** What others see of a script beside its reply, here and in Redis: MONITOR, CLIENT TRACKING, ACL LOG. */
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';
import { isInstalled } from '../cluster/processes.js';
import { type RedisServer, startRedisServer } from '../cluster/redis-server.js';
import { RespClient } from './resp-client.js';

/** What is seen at the server of that port. */
type Story = (port: number) => Promise<unknown>;

async function open(port: number, ...lines: string[]): Promise<RespClient> {
  const client = await RespClient.open(port);
  for (const line of lines) await send(client, line);
  return client;
}

/** What arrives up to the answer to the ECHO behind the line, without it. */
async function send(client: RespClient, line: string): Promise<string> {
  const from = client.raw.length;
  client.send(`${line}\r\necho "end of ${from}"\r\n`);
  const end = `$${`end of ${from}`.length}\r\nend of ${from}\r\n`;
  await client.until(() => client.raw.slice(from).includes(end), `the reply to ${line}`);
  return client.raw.slice(from).replace(end, '');
}

/** One behind the other, with nothing between them. */
const together = (...lines: string[]): string => lines.join('\r\n');

const monitored: Story = async (port) => {
  const monitor = await open(port, 'hello 2');
  monitor.send('monitor\r\n');
  await monitor.until(() => monitor.raw.endsWith('+OK\r\n'), 'MONITOR');
  const from = monitor.raw.length;
  const client = await open(port, 'select 3');
  await send(
    client,
    `eval "redis.call('SET', KEYS[1], 'a b') redis.pcall('incr', KEYS[1]) return redis.pcall('get')" 1 k`,
  );
  await send(client, `eval "redis.call('select', 5) redis.call('config', 'get', 'x')" 0`);
  await send(client, `eval "redis.call('select', 5) return redis.call('GET', 'k')" 0`);
  await send(client, together('multi', `eval "return redis.call('incr', 'n')" 0`, 'exec'));
  await send(client, 'ping the-end');
  await monitor.until(() => monitor.raw.includes('the-end'), 'the last command');
  monitor.end();
  client.end();
  return monitor.raw
    .slice(from)
    .split('\r\n')
    .filter((line) => line.includes('lua]'))
    .map((line) => line.replace(/^\+[\d.]+ /, ''));
};

/** A client tracks what its scripts read; what others write later it is told. */
const tracked =
  (mode: string, lines: readonly string[], written: readonly string[]): Story =>
  async (port) => {
    const other = await open(port, 'mset a 1 b 2 c 3');
    const client = await open(port, 'hello 3', `client tracking on ${mode}`);
    const from = client.raw.length;
    const seen: string[] = [];
    for (const line of lines) seen.push(await send(client, line));
    for (const line of written) await send(other, line);
    await send(other, 'set last 1');
    await send(client, together('client caching yes', 'get last'));
    await send(other, 'set last 2');
    await client.until(() => client.raw.slice(from).includes('\r\nlast\r\n'), 'the last invalidation');
    other.end();
    client.end();
    return [...client.raw.slice(from).matchAll(/invalidate\r\n\*1\r\n\$\d+\r\n(.*)\r\n/g)]
      .map(([, key]) => key)
      .toSorted();
  };

const denied: Story = async (port) => {
  const admin = new Redis(port, '127.0.0.1');
  await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>pw', '~a*', '&a*', '+@all', '-incr');
  await admin.call('ACL', 'LOG', 'RESET');
  const client = await open(port, 'auth limited pw');
  const replies = [];
  for (const call of ["'incr', 'a'", "'get', 'b'", "'publish', 'c', 'x'", "'get', 'ab'"])
    replies.push((await send(client, `eval "return redis.call(${call})" 0`)).replace(/[0-9a-f]{40}/, 'sha'));
  const entries = (await admin.call('ACL', 'LOG')) as unknown[][];
  await admin.call('ACL', 'DELUSER', 'limited');
  admin.disconnect();
  client.end();
  // reason, context, object, user
  return [replies, entries.map((entry) => [entry[1], entry[3], entry[5], entry[7], entry[9]])];
};

const read = `eval "redis.call('get', 'a') return redis.call('strlen', 'b')" 2 a b`;
const readC = `eval "return redis.call('get', 'c')" 1 c`;
const stories: Readonly<Record<string, Story>> = {
  'MONITOR shows what scripts call': monitored,
  'what scripts read is tracked': tracked('', [read], ['set a 5', 'set b 5', 'set c 5']),
  'declared keys that were not read are not': tracked('', [`eval "return 1" 1 a`], ['set a 5']),
  'those of a read-only script are': tracked('', [`eval_ro "return 1" 1 a`], ['set a 5']),
  'what a script writes after having read it changes at once': tracked(
    '',
    [`eval "redis.call('get', 'a') redis.call('set', 'a', 7)" 1 a`],
    [],
  ),
  'what it reads after having written it does not': tracked(
    '',
    [`eval "redis.call('set', 'a', 7) redis.call('get', 'a')" 1 a`],
    ['set a 5'],
  ),
  'what scripts of a transaction read is tracked': tracked('', [together('multi', read, 'exec')], ['set b 5']),
  'what a transaction writes behind its script changes at once': tracked(
    '',
    [together('multi', read, 'mset a 9 b 9', 'exec')],
    [],
  ),
  'with OPTIN only where that is asked for': tracked(
    'optin',
    [read, together('client caching yes', readC)],
    ['set a 5', 'set c 5'],
  ),
  'ACL LOG tells what scripts were refused': denied,
};

describe('what others see of a script', () => {
  let redis: RedisServer;
  let cluster: LocalCluster;

  before(async function () {
    if (!isInstalled('redis-server')) this.skip();
    [redis, cluster] = await Promise.all([startRedisServer(), startLocalCluster()]);
  });

  after(async () => {
    if (!isInstalled('redis-server')) return;
    await Promise.all([redis.stop(), cluster.stop()]);
  });

  it('undeclared keys that scripts read are tracked as those declared, as in Redis 7.2', async () => {
    const line = `eval "return redis.call('get', 'a')" 0`;
    expect(await tracked('', [line], ['set a 5'])(cluster.port)).to.deep.equal(['a', 'last']);
  });

  for (const [name, story] of Object.entries(stories)) {
    it(name, async () => {
      const theirs = await story(redis.port);
      expect(await story(cluster.port)).to.deep.equal(theirs);
    }).timeout(20_000);
  }
});
