/** Messages across proxies, and what becomes of subscriptions when a partition's primary is killed. */
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { ChaosCluster } from '../chaos/cluster.js';
import { eventually } from '../cluster/condition.js';
import { RespClient } from './resp-client.js';

const PARTITIONS = 2;

describe('pub/sub across proxies', function () {
  this.timeout(90_000);
  let cluster: ChaosCluster;
  let ports: readonly [number, number];
  const clients: { end(): void }[] = [];

  before(async () => {
    const settings = { partitions: PARTITIONS, multiKey: 'slot' } as const;
    cluster = await ChaosCluster.start({ proxies: 2, settings });
    const [first, second] = cluster.withRole('proxy').map(({ options }) => options.port);
    ports = [first ?? 0, second ?? 0];
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.end();
  });

  after(() => cluster.stop());

  async function client(proxy: 0 | 1): Promise<RespClient> {
    const opened = await RespClient.open(ports[proxy]);
    clients.push(opened);
    return opened;
  }

  function library(proxy: 0 | 1): Redis {
    const opened = new Redis(ports[proxy]);
    clients.push({ end: () => opened.disconnect() });
    return opened;
  }

  /** A subscription, or its end, has been confirmed. */
  async function confirmed(of: RespClient, word: string, channel: string): Promise<void> {
    of.send(`${word} ${channel}\r\n`);
    const isIt = (reply: unknown): boolean => Array.isArray(reply) && reply[0] === word && reply[1] === channel;
    await of.until(() => of.replies.some(isIt), `${word} ${channel}`);
  }

  it('delivers what is published anywhere after the confirmation, counts receivers everywhere, in one order', async () => {
    const [near, far, publisher] = [await client(0), await client(1), await client(1)];
    // channels of both partitions
    const channels = ['a', 'b', 'c', 'd'];
    for (const channel of channels) {
      await confirmed(near, 'subscribe', channel);
      await confirmed(far, 'subscribe', channel);
    }
    for (const channel of channels) expect(await publisher.command('publish', channel, 'x')).to.equal(2);
    await confirmed(far, 'psubscribe', '[ab]');
    expect(await publisher.command('publish', 'a', 'y')).to.equal(3);
    expect(await publisher.command('publish', 'c', 'y')).to.equal(2);
    expect(await publisher.command('pubsub', 'numsub', 'a', 'zz')).to.deep.equal(['a', 2, 'zz', 0]);
    expect(await publisher.command('pubsub', 'numpat')).to.equal(1);
    expect(((await publisher.command('pubsub', 'channels')) as string[]).sort()).to.deep.equal(channels);
    await confirmed(near, 'unsubscribe', 'a');
    expect(await publisher.command('publish', 'a', 'z')).to.equal(2);
    const messages = (of: RespClient): string[] =>
      of.replies
        .filter((reply) => ['message', 'pmessage'].includes((reply as string[])[0] ?? ''))
        .map((reply) => (reply as string[]).join(' '))
        // the partitions of a and of c are not one
        .sort();
    await far.until(() => messages(far).length === 9, 'nine messages');
    expect(messages(far)).to.deep.equal(
      [
        ...['a x', 'b x', 'c x', 'd x', 'a y', 'c y', 'a z'].map((text) => `message ${text}`),
        ...['a y', 'a z'].map((text) => `pmessage [ab] ${text}`),
      ].sort(),
    );
    await near.until(() => messages(near).length === 6, 'six messages');
    expect(messages(near)).to.deep.equal(
      ['a x', 'b x', 'c x', 'd x', 'a y', 'c y'].map((text) => `message ${text}`).sort(),
    );
  });

  it('has all clients see the messages of a channel in one order', async () => {
    const listeners = [library(0), library(1), library(1)];
    const heard = listeners.map((): string[] => []);
    for (const [index, listener] of listeners.entries()) {
      listener.on('message', (_channel, message: string) => heard[index]?.push(message));
      await listener.subscribe('order');
    }
    const count = 300;
    const publishers = [library(0), library(1)] as const;
    await Promise.all(
      Array.from({ length: count }, (_, index) => publishers[index % 2 === 0 ? 0 : 1].publish('order', String(index))),
    );
    await eventually('all messages', () => (heard.every(({ length }) => length === count) ? true : undefined));
    expect(heard[1]).to.deep.equal(heard[0]);
    expect(heard[2]).to.deep.equal(heard[0]);
  });

  it('delivers what scripts publish on channels of either partition, once what they wrote is there', async () => {
    const [listener, writer, reader] = [library(0), library(1), library(0)];
    const heard: string[] = [];
    const seen: Promise<string | null>[] = [];
    const told = (channel: string, key: string): void => {
      heard.push(`${channel} ${key}`);
      seen.push(reader.get(key));
    };
    listener.on('message', told);
    listener.on('pmessage', (_pattern, channel: string, key: string) => told(channel, key));
    const channels = ['a', 'b', 'c', 'd'];
    await listener.subscribe(...channels);
    await listener.psubscribe('pattern-*');
    const script =
      "redis.call('set', KEYS[1], 'there'); for _, name in ipairs(ARGV) do redis.call('publish', name, KEYS[1]) end";
    // keys of both partitions, too
    for (const key of ['{a}1', '{b}1', '{c}1', '{d}1'])
      await writer.eval(script, 1, key, ...channels, 'pattern-x', 'pattern-y');
    const expected = ['{a}1', '{b}1', '{c}1', '{d}1'].flatMap((key) =>
      [...channels, 'pattern-x', 'pattern-y'].map((channel) => `${channel} ${key}`),
    );
    await eventually('all messages', () => (heard.length >= expected.length ? true : undefined));
    expect(heard.toSorted()).to.deep.equal(expected.toSorted());
    expect(new Set(await Promise.all(seen))).to.deep.equal(new Set(['there']));
  });

  it('drops what a script published that failed at a key elsewhere', async () => {
    const [listener, writer] = [library(0), library(1)];
    const heard: string[] = [];
    listener.on('message', (channel: string, message: string) => heard.push(`${channel} ${message}`));
    await listener.subscribe('a', 'b', 'c', 'd');
    const script = (name: string): string =>
      `redis.call('publish', '${name}', 'x'); return redis.call('incr', '{${name}}count')`;
    for (const name of ['a', 'b', 'c', 'd']) expect(await writer.eval(script(name), 0)).to.equal(1);
    await eventually('all messages', () => (heard.length >= 4 ? true : undefined));
    await writer.publish('a', 'last');
    await writer.publish('b', 'last');
    await writer.publish('c', 'last');
    await writer.publish('d', 'last');
    await eventually('the last ones', () =>
      heard.filter((text) => text.endsWith('last')).length === 4 ? true : undefined,
    );
    expect(heard.slice(0, 4).toSorted()).to.deep.equal(['a x', 'b x', 'c x', 'd x']);
    expect(heard).to.have.length(8);
  });

  it('shows nobody a message before what its connection wrote earlier', async () => {
    const [listener, writer] = [library(0), library(1)];
    const reader = library(0);
    const seen: Promise<string | null>[] = [];
    listener.on('message', (_channel, key: string) => seen.push(reader.get(key)));
    await listener.subscribe('written');
    const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`);
    const pipeline = writer.pipeline();
    for (const key of keys) pipeline.set(key, 'there').publish('written', key);
    await pipeline.exec();
    await eventually('all messages', () => (seen.length === keys.length ? true : undefined));
    expect(new Set(await Promise.all(seen))).to.deep.equal(new Set(['there']));
  });

  it('refuses other commands to a RESP2 client that listens, and pushes to a RESP3 client that goes on', async () => {
    const two = await client(0);
    await two.command('subscribe', 'mode');
    expect(await two.command('get', 'x')).to.equal(
      "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
    );
    expect(await two.command('ping')).to.deep.equal(['pong', '']);
    expect(await two.command('reset')).to.equal('RESET');
    expect(await two.command('get', 'x')).to.equal(null);
    const three = createClient({ socket: { host: '127.0.0.1', port: ports[0] }, RESP: 3 });
    clients.push({ end: () => three.destroy() });
    await three.connect();
    const heard: string[] = [];
    await three.subscribe('mode', (message) => heard.push(message));
    expect(await three.publish('mode', 'one')).to.equal(1);
    await three.sPublish('mode', 'not this');
    expect(await three.get('x')).to.equal(null);
    await eventually('the message', () => (heard.length > 0 ? true : undefined));
    expect(heard).to.deep.equal(['one']);
  });

  it('tells of keys wherever they are written, with a setting that holds for all proxies', async () => {
    const [listener, writer] = [library(0), library(1)];
    const events: string[] = [];
    listener.on('pmessage', (_pattern, channel: string, key: string) => events.push(`${channel} ${key}`));
    await writer.config('SET', 'notify-keyspace-events', 'Elg');
    expect(await library(0).config('GET', 'notify-keyspace-events')).to.deep.equal(['notify-keyspace-events', 'glE']);
    await listener.psubscribe('__keyevent@0__:*');
    for (const key of ['a', 'b', 'c', 'd']) {
      await writer.lpush(key, 'x');
      await writer.lpop(key);
    }
    await eventually('twelve events', () => (events.length === 12 ? true : undefined));
    expect(events.filter((event) => event.endsWith(' a'))).to.deep.equal(
      ['lpush', 'lpop', 'del'].map((event) => `__keyevent@0__:${event} a`),
    );
    await writer.config('SET', 'notify-keyspace-events', '');
  });

  it('tells a client that what it has read, or prefixes of it, is written by others, and of nothing else', async () => {
    const writer = library(1);
    const [reader, broadcast] = [await client(0), await client(1)];
    const invalidation = (key: string): string => `>2\r\n$10\r\ninvalidate\r\n*1\r\n$${key.length}\r\n${key}\r\n`;
    const told = (of: RespClient): number => of.raw.split('invalidate').length - 1;
    await writer.mset('{1}x', '1', '{1}y', '1');
    await writer.set('d', '1');
    reader.send(
      'HELLO 3\r\nCLIENT TRACKING ON NOLOOP\r\nMGET {1}x {1}y\r\nGET d\r\nSET own 1\r\nGET own\r\nSET own 2\r\n',
    );
    reader.send('PING ready\r\n');
    await reader.until(() => reader.raw.includes('ready'), 'all replies');
    broadcast.send('HELLO 3\r\nCLIENT TRACKING ON BCAST PREFIX d PREFIX {1}\r\nPING ready\r\n');
    await broadcast.until(() => broadcast.raw.includes('ready'), 'all replies');
    await writer.set('{1}x', '2');
    await writer.set('unread', '2');
    await writer.set('d', '2');
    await writer.set('d', '3');
    await reader.until(() => told(reader) === 2, 'what was written');
    await broadcast.until(() => told(broadcast) === 3, 'what was written');
    for (const key of ['{1}x', 'd']) {
      expect(reader.raw).to.contain(invalidation(key));
      expect(broadcast.raw).to.contain(invalidation(key));
    }
    reader.send('PING settled\r\n');
    await reader.until(() => reader.raw.includes('settled'), 'a reply');
    expect(told(reader)).to.equal(2);
  });

  it('keeps subscriptions when the primaries of all partitions are killed', async () => {
    const [listener, publisher] = [library(0), library(1)];
    const heard = new Set<string>();
    listener.on('message', (channel: string, message: string) => heard.add(`${channel} ${message}`));
    listener.on('pmessage', (_pattern, channel: string, message: string) => heard.add(`${channel} ${message}`));
    await listener.subscribe('a', 'b', 'c', 'd');
    await listener.psubscribe('e*');
    const reader = await client(1);
    reader.send('HELLO 3\r\nCLIENT TRACKING ON\r\nGET cached\r\nPING ready\r\n');
    await reader.until(() => reader.raw.includes('ready'), 'all replies');
    const before = await cluster.partitions();
    const names = new Set(before.map(({ primary }) => primary));
    for (const name of names) if (name !== null) cluster.member(name).signal('SIGKILL');
    // what is published before the subscriptions are known to the successors may be lost, later ones are not
    for (const channel of ['a', 'b', 'c', 'd', 'e1', 'e2', 'e3']) {
      await eventually(`a message on ${channel}`, async () => {
        const receivers = await publisher.publish(channel, 'again').catch(() => 0);
        return receivers > 0 && heard.has(`${channel} again`) ? true : undefined;
      });
    }
    await reader.until(() => reader.raw.includes('>2\r\n$10\r\ninvalidate\r\n_\r\n'), 'all to be invalidated');
    const ballots = (await cluster.partitions()).map(({ ballot }) => ballot);
    expect(ballots.every((ballot, index) => ballot > (before[index]?.ballot ?? 0))).to.equal(true);
    await cluster.untilWhole();
  });

  it('forgets the clients of a proxy that is killed', async () => {
    const [listener, publisher] = [library(0), library(1)];
    listener.on('error', () => undefined);
    await listener.subscribe('gone');
    expect(await publisher.publish('gone', 'x')).to.equal(1);
    cluster.withRole('proxy')[0]?.signal('SIGKILL');
    listener.disconnect();
    await eventually('nobody listens', async () => ((await publisher.publish('gone', 'x')) === 0 ? true : undefined));
  });
});
