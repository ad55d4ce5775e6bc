/** The comparison of test/unit/rows with a real Redis, through a whole cluster: proxy, wire, replication, store. */
import { expect } from 'chai';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';
import { isInstalled } from '../cluster/processes.js';
import { type RedisServer, startRedisServer } from '../cluster/redis-server.js';
import { largeCollectionCommands, randomCollectionCommands, randomCommands } from '../unit/rows/random-commands.js';
import { RawConnection } from '../unit/rows/raw-connection.js';
import { scripts } from '../unit/rows/scripts.js';
import { isUnordered, ordered } from '../unit/rows/unordered.js';

describe('a cluster answers as Redis does', () => {
  let server: RedisServer;
  let cluster: LocalCluster;
  let redis: RawConnection;
  let ours: RawConnection;

  before(async function () {
    if (!isInstalled('redis-server')) this.skip();
    [server, cluster] = await Promise.all([startRedisServer(), startLocalCluster()]);
    [redis, ours] = await Promise.all([RawConnection.open(server.port), RawConnection.open(cluster.port)]);
  });

  after(async () => {
    if (!isInstalled('redis-server')) return;
    redis.close();
    ours.close();
    await Promise.all([server.stop(), cluster.stop()]);
  });

  async function compare(words: readonly string[]): Promise<void> {
    const [expected, answer] = await Promise.all([redis.send(words), ours.send(words)]);
    expect(ordered(words, answer), words.join(' ')).to.equal(ordered(words, expected));
  }

  for (const resp of ['2', '3']) {
    describe(`in RESP${resp}`, () => {
      beforeEach(async () => {
        for (const connection of [redis, ours]) {
          await connection.send(['HELLO', resp]);
          await connection.send(['SELECT', '0']);
          await connection.send(['FLUSHALL']);
        }
      });

      for (const [subject, lines] of Object.entries(scripts)) {
        it(subject, async () => {
          for (const words of lines) await compare(words);
        });
      }

      it('random commands', async () => {
        for (const words of randomCommands(Number(resp) * 1_001, 2_000)) await compare(words);
      });

      it('keys listed within transactions', async () => {
        const lines = `SET a 1|MULTI|KEYS *|COPY a b|KEYS \\\\b|SCAN 0 MATCH b COUNT 1000|DEL a b|KEYS *|SCAN x|EXEC
          SET a 1|MULTI|DEL a|KEYS *|SELECT 3|SET c 1|KEYS *|SCAN 0 COUNT 100|SELECT 0|KEYS *|EXEC`;
        for (const line of lines.split(/\n|\|/)) await compare(line.trim().split(' '));
      });

      it('watched keys', async () => {
        const lines = `WATCH a b|MULTI|GET a|EXEC|WATCH a|SET a 1|MULTI|SET a 2|EXEC|WATCH a|MULTI|SET a 2|GET a|EXEC
          WATCH a|SET a 3|UNWATCH|MULTI|GET a|EXEC|WATCH a|DISCARD|MULTI|DISCARD|SET a 4|MULTI|GET a|EXEC|WATCH a|FLUSHALL|MULTI|EXEC
          WATCH a|FLUSHALL|MULTI|SET a 1|EXEC|WATCH a|SELECT 5|SET a 1|MULTI|GET a|SELECT 0|GET a|EXEC|GET a|WATCH a|EXPIRE a 100|MULTI|EXEC
          WATCH a|SWAPDB 0 5|MULTI|EXEC|RPUSH l x y|WATCH l|LSET l 0 x|MULTI|EXEC|SADD s m|WATCH s|SADD s m|MULTI|EXEC|RESET`;
        for (const line of lines.split(/\n|\|/)) await compare(line.trim().split(' '));
        for (const connection of [redis, ours]) await connection.send(['HELLO', resp]);
      });

      it('transactions of random commands', async () => {
        const queued = randomCollectionCommands(Number(resp) * 1_007, 600);
        const random = randomCommands(Number(resp) * 1_009, 600);
        for (let at = 0; at < 600; at += 6) {
          // LCS alone looks at its keys before its options, ours after
          const words = [...queued.slice(at, at + 6), ...random.slice(at, at + 6)].filter(([name]) => name !== 'LCS');
          const watched = at % 4 === 0 ? [['WATCH', ...(words[0] as string[]).slice(1, 2)], words[1] as string[]] : [];
          for (const each of [...watched, ['MULTI'], ...words]) await compare(each);
          const [expected, answer] = await Promise.all([redis.send(['EXEC']), ours.send(['EXEC'])]);
          if (words.every((each) => !isUnordered(each))) expect(answer, words.join('; ')).to.equal(expected);
        }
      });

      it('random commands on collections', async () => {
        for (const words of randomCollectionCommands(Number(resp) * 1_003, 2_000)) await compare(words);
      });

      it('random commands on large collections', async () => {
        for (const words of largeCollectionCommands(Number(resp) * 1_005, 2_000)) await compare(words);
      });
    });
  }

  it('what scripts called and met, in INFO', async () => {
    const counted = async (connection: RawConnection): Promise<string[]> => {
      const sections = ['commandstats', 'errorstats', 'stats', 'memory'].map((name) => connection.send(['INFO', name]));
      // INFO asks, and the supervisor of a local cluster pings
      const wanted = /^(cmdstat_(?!info|ping)|errorstat_|total_error_replies|number_of_(cached|functions|libraries))/;
      const lines = (await Promise.all(sections)).join('').split('\r\n');
      return lines
        .filter((line) => wanted.test(line))
        .map((line) => line.replace(/usec=\d+,usec_per_call=[\d.]+,/, ''))
        .sort();
    };
    const failing = (code: string): string[] => ['EVAL', code, '1', 'k', 'x'];
    for (const words of [
      ['FLUSHALL'],
      ['SCRIPT', 'FLUSH'],
      ['SET', 'k', 'v'],
      ['CONFIG', 'RESETSTAT'],
      failing('redis.call("set", KEYS[1], 1) redis.call("expire", KEYS[1], 100) return redis.call("get", KEYS[1])'),
      failing('return redis.call("lpush", KEYS[1], 1)'),
      failing('return redis.pcall("lpush", KEYS[1], 1)'),
      failing('redis.pcall("lpush", KEYS[1], 1) return redis.pcall("get")'),
      failing('return redis.call("select", 99)'),
      failing('return redis.pcall("nosuch").err'),
      failing('return redis.error_reply("MY error")'),
      failing('error("boo")'),
      ['EVAL_RO', 'return redis.pcall("set", KEYS[1], 1)', '1', 'k'],
      ['SCRIPT', 'LOAD', 'return 1'],
      [
        'FUNCTION',
        'LOAD',
        'REPLACE',
        '#!lua name=counting\nredis.register_function("f", function() return redis.call("dbsize") end)',
      ],
      ['FCALL', 'f', '0'],
      ['MULTI'],
      failing('return redis.call("incr", KEYS[1])'),
      ['EXEC'],
    ])
      await compare(words);
    expect(await counted(ours)).to.deep.equal(await counted(redis));
  });
});
