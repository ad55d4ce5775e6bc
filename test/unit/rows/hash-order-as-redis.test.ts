/** Small hashes are told in the order in which their fields came, as Redis's listpacks are: side by side with a real redis-server. */
import { expect } from 'chai';
import { OnePartition } from './one-partition.js';
import { redisBeside } from './redis-beside.js';
import { generator } from './random-numbers.js';

describe('the order of fields, beside Redis', () => {
  const redis = redisBeside();
  const reads = ['HGETALL', 'HKEYS', 'HVALS', 'DUMP'];

  async function expectEqual(ours: OnePartition, key: string, context: string): Promise<void> {
    for (const read of reads)
      expect(ours.send([read, key]), `${read} ${context}`).to.equal(await redis.send([read, key]));
    const scan = ['HSCAN', key, '0', 'COUNT', '1000'];
    expect(ours.send(scan), `HSCAN ${context}`).to.equal(await redis.send(scan));
  }

  it('survives changes, removals and additions', async () => {
    const ours = new OnePartition();
    await redis.send(['FLUSHALL']);
    const random = generator(1);
    const below = (bound: number): number => Math.floor(random() * bound);
    for (let i = 0; i < 300; i++) {
      const field = `f${below(12)}`;
      const words = [
        ['HSET', 'h', field, String(i)],
        ['HSET', 'h', field, String(i), `f${below(12)}`, 'x'],
        ['HDEL', 'h', field, `f${below(12)}`],
        ['HINCRBY', 'h', `n${below(3)}`, '1'],
        ['HSETNX', 'h', field, 'first'],
      ][below(5)]!;
      expect(ours.send(words)).to.equal(await redis.send(words));
      await expectEqual(ours, 'h', `after ${words.join(' ')} (${i})`);
    }
    for (const words of [
      ['COPY', 'h', 'copy'],
      ['RENAME', 'h', 'renamed'],
    ])
      expect(ours.send(words)).to.equal(await redis.send(words));
    await expectEqual(ours, 'copy', 'of a copy');
    await expectEqual(ours, 'renamed', 'of a renamed hash');
  });

  it('is kept by hashes that have spilled, while Redis has a listpack', async () => {
    const ours = new OnePartition();
    await redis.send(['FLUSHALL']);
    for (let i = 0; i < 500; i += 5) {
      const pairs = Array.from({ length: 5 }, (_, n) => [`f${((i + n) * 7919) % 1000}`, String(i + n)]).flat();
      expect(ours.send(['HSET', 'h', ...pairs])).to.equal(await redis.send(['HSET', 'h', ...pairs]));
    }
    for (const words of [
      ['HSET', 'h', 'f0', 'changed'],
      ['HINCRBY', 'h', 'f919', '5'],
    ])
      expect(ours.send(words)).to.equal(await redis.send(words));
    await expectEqual(ours, 'h', 'of 500 fields');
  });

  it('is that of a payload restored', async () => {
    const ours = new OnePartition();
    await redis.send(['FLUSHALL']);
    const words = ['HSET', 'h', 'z', '1', 'b', 'x'.repeat(60), 'a', '-70000', 'y', ''];
    expect(ours.send(words)).to.equal(await redis.send(words));
    const dump = await redis.send(['DUMP', 'h']);
    const payload = Buffer.from(dump.slice(dump.indexOf('\r\n') + 2, -2), 'latin1');
    const restore = ['RESTORE', 'again', '0', payload];
    expect(ours.send(restore)).to.equal(await redis.send(restore));
    await expectEqual(ours, 'again', 'of what was restored');
  });
});
