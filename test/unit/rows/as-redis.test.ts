/**
 * Data commands against a real redis-server: the same commands, and every reply equal byte for
 * byte in RESP2 and RESP3. The clocks differ by milliseconds, so commands that tell times are compared where
 * these are far away.
 */
import { expect } from 'chai';
import { OnePartition } from './one-partition.js';
import { randomCollectionCommands, randomCommands } from './random-commands.js';
import { largeStreamCommands, randomStreamCommands, withoutTimes } from './random-stream-commands.js';
import { scripts } from './scripts.js';
import { streamScripts } from './stream-scripts.js';
import { ordered } from './unordered.js';
import { redisBeside } from './redis-beside.js';

describe('data commands answer as Redis does', () => {
  const redis = redisBeside();

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

      for (const [subject, lines] of Object.entries(streamScripts)) {
        it(subject, () => expectSame(lines));
      }

      for (const seed of [9, 10]) {
        it(`random commands on streams of seed ${seed}`, () => expectSame(randomStreamCommands(seed, 4_000)));
        it(`random commands on large streams of seed ${seed}`, () => expectSame(largeStreamCommands(seed, 4_000)));
      }

      async function expectSame(lines: readonly (readonly string[])[]): Promise<void> {
        for (const words of lines) {
          const reply = withoutTimes(words, await redis.send([...words]));
          expect(withoutTimes(words, ours.send(words)), words.join(' ')).to.equal(reply);
        }
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
