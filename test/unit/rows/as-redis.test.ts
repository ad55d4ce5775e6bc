/**
 * Data commands against a real redis-server: the same commands, and every reply equal byte for
 * byte in RESP2 and RESP3. The clocks differ by milliseconds, so commands that tell times are compared where
 * these are far away.
 */
import { expect } from 'chai';
import { isInstalled } from '../../cluster/processes.js';
import { type RedisServer, startRedisServer } from '../../cluster/redis-server.js';
import { OnePartition } from './one-partition.js';
import { RawConnection } from './raw-connection.js';
import { randomCollectionCommands, randomCommands } from './random-commands.js';
import { scripts } from './scripts.js';
import { ordered } from './unordered.js';

describe('data commands answer as Redis does', () => {
  let server: RedisServer;
  let redis: RawConnection;

  before(async function () {
    if (!isInstalled('redis-server')) this.skip();
    server = await startRedisServer();
    redis = await RawConnection.open(server.port);
  });

  after(async () => {
    if (!isInstalled('redis-server')) return;
    redis.close();
    await server.stop();
  });

  for (const resp of [2, 3] as const) {
    describe(`in RESP${resp}`, () => {
      let ours: OnePartition;

      beforeEach(async () => {
        await redis.send(['HELLO', String(resp)]);
        await redis.send(['SELECT', '0']);
        await redis.send(['FLUSHALL']);
        await redis.send(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
        ours = new OnePartition();
        ours.resp = resp;
        ours.partition.nowMs = Date.now();
      });

      for (const [subject, lines] of Object.entries(scripts)) {
        it(subject, async () => {
          for (const words of lines) {
            expect(ordered(words, ours.send(words)), words.join(' ')).to.equal(ordered(words, await redis.send(words)));
          }
        });
      }

      for (const seed of [1, 2, 3, 4]) {
        it(`random commands of seed ${seed}`, async () => {
          for (const words of randomCommands(seed, 3_000)) {
            expect(ordered(words, ours.send(words)), words.join(' ')).to.equal(ordered(words, await redis.send(words)));
          }
        });
      }

      for (const seed of [5, 6, 7, 8]) {
        it(`random commands on collections of seed ${seed}`, async () => {
          for (const words of randomCollectionCommands(seed, 3_000)) {
            expect(ordered(words, ours.send(words)), words.join(' ')).to.equal(ordered(words, await redis.send(words)));
          }
        });
      }

      it('OBJECT FREQ and IDLETIME ask for the right eviction policy', async () => {
        await redis.send(['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu']);
        ours.lfu = true;
        for (const line of ['SET k v', 'OBJECT IDLETIME k', 'OBJECT IDLETIME nokey', 'OBJECT FREQ nokey']) {
          expect(ours.send(line.split(' ')), line).to.equal(await redis.send(line.split(' ')));
        }
      });
    });
  }
});
