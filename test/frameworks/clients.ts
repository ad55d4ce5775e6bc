/** ioredis and node-redis beyond GET and SET: each of their conveniences rests on something of Redis's. */
import { expect } from 'chai';
import type { Redis } from 'ioredis';
import { eventually } from '../cluster/condition.js';
import { ioredis, nodeRedis } from './connections.js';

export function clientPrograms(port: () => number): void {
  describe('ioredis', () => {
    let client: Redis;

    beforeEach(async () => {
      client = ioredis(port(), { db: 7, keyPrefix: 'io:' });
      await client.flushdb();
    });

    it('knows every type', async () => {
      expect(await client.hset('hash', { a: 1, b: 2 })).to.equal(2);
      expect(await client.hgetall('hash')).to.deep.equal({ a: '1', b: '2' });
      expect(await client.rpush('list', 1, 2, 3)).to.equal(3);
      expect(await client.lmove('list', 'list', 'LEFT', 'RIGHT')).to.equal('1');
      expect(await client.lrange('list', 0, -1)).to.deep.equal(['2', '3', '1']);
      expect(await client.sadd('set', 'x', 'y')).to.equal(2);
      expect((await client.smembers('set')).sort()).to.deep.equal(['x', 'y']);
      expect(await client.zadd('zset', 1, 'one', 2, 'two')).to.equal(2);
      expect(await client.zrange('zset', '0', '-1', 'WITHSCORES')).to.deep.equal(['one', '1', 'two', '2']);
      expect(await client.setbit('bits', 7, 1)).to.equal(0);
      expect(await client.getBuffer('bits')).to.deep.equal(Buffer.of(1));
      expect(await client.pfadd('sketch', 'a', 'b')).to.equal(1);
      expect(await client.geoadd('geo', 13.361389, 38.115556, 'Palermo')).to.equal(1);
      const id = await client.xadd('stream', '*', 'field', 'value');
      expect(await client.xrange('stream', '-', '+')).to.deep.equal([[id, ['field', 'value']]]);
    });

    it('streams SCANs, transactions and scripts of its own', async () => {
      await client.hset('hash', { a: 1 });
      const keys: string[] = [];
      for await (const page of client.scanStream({ match: 'io:*', count: 3 })) keys.push(...(page as string[]));
      expect(keys).to.include('io:hash');
      const results = await client.multi().set('n', 1).incr('n').lpush('n', 'x').exec();
      expect(results?.map(([error, value]) => error?.message ?? value)).to.deep.equal([
        'OK',
        2,
        'WRONGTYPE Operation against a key holding the wrong kind of value',
      ]);
      const scripted = ioredis(port(), {
        db: 7,
        scripts: { add: { numberOfKeys: 1, lua: "return redis.call('INCRBY', KEYS[1], ARGV[1]) + ARGV[2]" } },
      });
      const { add } = scripted as unknown as { add: (key: string, one: number, two: number) => Promise<number> };
      expect(await add.call(scripted, 'sum', 40, 2)).to.equal(42);
      expect(await add.call(scripted, 'sum', 40, 2)).to.equal(82);
    });

    it('waits in one connection for what another one pushes, and hears what it publishes', async () => {
      const other = ioredis(port(), { db: 7, keyPrefix: 'io:' });
      const waiting = other.blpop('queue', 20);
      await client.rpush('queue', 'task');
      expect(await waiting).to.deep.equal(['io:queue', 'task']);
      const heard: string[] = [];
      other.on('pmessage', (pattern: string, channel: string, text: string) =>
        heard.push(`${pattern} ${channel} ${text}`),
      );
      await other.psubscribe('news.*');
      expect(await client.publish('news.today', 'hello')).to.equal(1);
      await eventually('the message is there', () => (heard.length > 0 ? true : undefined));
      expect(heard).to.deep.equal(['news.* news.today hello']);
    });
  });

  describe('node-redis', () => {
    for (const RESP of [2, 3] as const) {
      it(`knows every type in RESP${RESP}`, async () => {
        const client = nodeRedis(port(), 8, RESP);
        await client.connect();
        await client.flushDb();
        expect(await client.hSet('hash', { a: '1', b: '2' })).to.equal(2);
        expect({ ...(await client.hGetAll('hash')) }).to.deep.equal({ a: '1', b: '2' });
        expect(await client.rPush('list', ['1', '2', '3'])).to.equal(3);
        expect(await client.lPos('list', '2')).to.equal(1);
        expect(await client.sAdd('set', ['x', 'y'])).to.equal(2);
        expect([...(await client.sMembers('set'))].sort()).to.deep.equal(['x', 'y']);
        await client.zAdd('zset', [
          { score: 1, value: 'one' },
          { score: 2.5, value: 'two' },
        ]);
        expect(await client.zRangeWithScores('zset', 0, -1)).to.deep.equal([
          { value: 'one', score: 1 },
          { value: 'two', score: 2.5 },
        ]);
        expect(await client.geoAdd('geo', { longitude: 13.361389, latitude: 38.115556, member: 'Palermo' })).to.equal(
          1,
        );
        const id = await client.xAdd('stream', '*', { field: 'value' });
        expect((await client.xRange('stream', '-', '+'))?.map((entry) => entry?.id)).to.deep.equal([id]);
        const found: string[] = [];
        for await (const keys of client.scanIterator({ COUNT: 2 })) found.push(...keys);
        expect(found.sort()).to.deep.equal(['geo', 'hash', 'list', 'set', 'stream', 'zset']);
        const replies = await client.multi().set('n', '1').incr('n').exec();
        expect(replies).to.deep.equal(['OK', 2]);
        expect(await client.eval('return {KEYS[1], ARGV[1]}', { keys: ['k'], arguments: ['v'] })).to.deep.equal([
          'k',
          'v',
        ]);
        await client.watch('n');
        await client.incr('n');
        const [outcome] = await Promise.allSettled([client.multi().get('n').exec()]);
        expect(outcome.status).to.equal('rejected');
      });
    }

    it('subscribes, and waits for what is pushed', async () => {
      const [client, other] = [nodeRedis(port(), 8), nodeRedis(port(), 8)];
      await Promise.all([client.connect(), other.connect()]);
      const waiting = other.blPop('queue', 20);
      await client.rPush('queue', 'task');
      expect(await waiting).to.deep.equal({ key: 'queue', element: 'task' });
      const heard: string[] = [];
      await other.subscribe('channel', (message) => void heard.push(message));
      expect(await client.publish('channel', 'hello')).to.equal(1);
      await eventually('the message is there', () => (heard.length > 0 ? true : undefined));
      await other.unsubscribe('channel');
    });
  });
}
