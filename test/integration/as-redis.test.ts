/** The comparison of test/unit/rows with a real Redis, through a whole cluster: proxy, wire, replication, store. */
import { expect } from 'chai';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';
import { isInstalled } from '../cluster/processes.js';
import { type RedisServer, startRedisServer } from '../cluster/redis-server.js';
import { largeCollectionCommands, randomCollectionCommands, randomCommands } from '../unit/rows/random-commands.js';
import { RawConnection } from '../unit/rows/raw-connection.js';
import { scripts } from '../unit/rows/scripts.js';
import { ordered } from '../unit/rows/unordered.js';

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

      it('random commands on lists and sets', async () => {
        for (const words of randomCollectionCommands(Number(resp) * 1_003, 2_000)) await compare(words);
      });

      it('random commands on large lists and sets', async () => {
        for (const words of largeCollectionCommands(Number(resp) * 1_005, 2_000)) await compare(words);
      });
    });
  }
});
