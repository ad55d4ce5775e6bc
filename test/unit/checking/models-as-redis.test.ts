/** The models against a real redis-server: what one client sees of it must be explained by them, reply by reply. */
import { expect } from 'chai';
import { checkHistory } from '../../checking/check.js';
import { Exchange } from '../../checking/exchange.js';
import { History, type Operation } from '../../checking/history.js';
import { Traffic } from '../../checking/traffic.js';
import { ReplyReader } from '../../simulation/reply-reader.js';
import { generator, pick } from './random-history.js';
import { redisBeside } from '../rows/redis-beside.js';

/** Edges that the traffic does not come by, on few keys of all types. */
const EDGES = [
  'GETRANGE k 0 -100',
  'GETRANGE k -2 -5',
  'GETRANGE k -100 1',
  'SETRANGE k 3 xy',
  'SETRANGE k 0 ',
  'SET k abc',
  'SET k 12',
  'INCR k',
  'DECRBY k 20',
  'APPEND k z',
  'LTRIM k 1 -5',
  'LTRIM k -2 -1',
  'LRANGE k -3 1',
  'LRANGE k 2 1',
  'LPUSH k a b a',
  'RPUSHX k a',
  'LREM k -1 a',
  'LREM k 2 a',
  'LPOP k 0',
  'RPOP k 2',
  'LINSERT k AFTER a c',
  'LSET k 5 x',
  'LSET k -1 x',
  'LINDEX k -2',
  'LMOVE k k LEFT RIGHT',
  'LMOVE k j RIGHT LEFT',
  'RPOPLPUSH j k',
  'SADD j a b c',
  'SMOVE j k a',
  'SPOP j 2',
  'SPOP j',
  'SINTERSTORE k j j',
  'SUNION k j',
  'HSET k f 1 g 2',
  'HINCRBY k f 5',
  'HINCRBY k g x',
  'HDEL k f g',
  'HSETNX k f 1',
  'HGETALL k',
  'ZADD k 1 a 1 b 2 c',
  'ZADD k GT CH 0 a 3 b',
  'ZADD k NX 9 a 9 d',
  'ZINCRBY k 0.5 a',
  'ZRANGE k -2 -1 WITHSCORES',
  'ZPOPMAX k 2',
  'ZREVRANK k a',
  'ZSCORE k a',
  'MSET k 1 j 2',
  'MSETNX k 1 i 2',
  'MGET k j i',
  'RENAME k j',
  'RENAMENX k i',
  'COPY j k',
  'COPY j k REPLACE',
  'EXISTS k k j',
  'TYPE k',
  'EXPIRE k 100',
  'PEXPIRE k 5 NX',
  'PEXPIRE k 50000 XX',
  'PERSIST k',
  'TTL k',
  'PTTL j',
  'GETEX k PX 40000',
  'GETEX k PERSIST',
  'SET k v XX GET',
  'SET k v NX GET',
  'SET k v KEEPTTL',
  'GETDEL k',
  'GETSET j w',
  'DEL k',
  'DEL j k i',
  'FLUSHDB',
];

describe('the models', () => {
  const redis = redisBeside();

  async function record(commands: Iterable<readonly string[]>): Promise<Operation[]> {
    const history = new History();
    for (const words of commands) {
      const exchange = new Exchange(history, 'client', words, performance.now());
      for (const request of exchange.requests) {
        const reader = new ReplyReader();
        reader.push(await redis.send(request));
        exchange.onReply(reader.next() ?? null, performance.now());
      }
    }
    return history.all();
  }

  for (const seed of [1, 2, 3]) {
    it(`explain what Redis answers to the traffic of seed ${seed}`, async () => {
      const random = generator(seed);
      const options = { families: 4, commandsPerFamily: [50, 150] as const, supported: () => true, waitMs: 2 };
      const traffic = new Traffic({ random, ...options, prefix: `${seed}` });
      const history = await record(Array.from({ length: 3_000 }, () => traffic.next('client')));
      expect(checkHistory(history, { clockSkewMs: 50 }).failures.map(({ explanation }) => explanation)).to.deep.equal(
        [],
      );
    });

    it(`explain what Redis answers to edge cases, drawn with seed ${seed}`, async () => {
      const random = generator(seed);
      const drawn = Array.from({ length: 4_000 }, () => pick(random, EDGES).split(' '));
      const history = await record([['FLUSHALL'], ...drawn]);
      expect(checkHistory(history, { clockSkewMs: 50 }).failures.map(({ explanation }) => explanation)).to.deep.equal(
        [],
      );
    });
  }
});
