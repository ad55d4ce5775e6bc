/**
 * HyperLogLogs beside a real redis-server: after every command the strings are the same, byte for byte, on the way
 * from empty to dense.
 */
import { expect } from 'chai';
import { packObservations } from '../../../shared/hyperloglog/observation.js';
import { selfTest } from '../../../shared/hyperloglog/self-test.js';
import { Sketch } from '../../../shared/hyperloglog/sketch.js';
import { get, set } from '../../../shared/operations/codes.js';
import * as sketches from '../../../shared/operations/hyperloglogs.js';
import { FakePartition } from './fake-view.js';
import { OnePartition } from './one-partition.js';
import { generator } from './random-numbers.js';
import { redisBeside } from './redis-beside.js';

describe('HyperLogLogs', () => {
  it('pass their self-test', () => expect(selfTest()).to.equal(null));

  it('are the same whether elements come together or one by one', () => {
    const random = generator(1);
    const elements = Array.from({ length: 3_000 }, () => Buffer.from(String(Math.floor(random() * 2_000))));
    const together = new FakePartition();
    const single = new FakePartition();
    const key = Buffer.from('key');
    together.execute(sketches.sketchAdd(key, packObservations(elements), 3_000));
    for (const element of elements) single.execute(sketches.sketchAdd(key, packObservations([element]), 3_000));
    expect(together.execute(get(key))).to.deep.equal(single.execute(get(key)));
  });

  it('that are damaged are told and stay as they are', () => {
    const partition = new FakePartition();
    const key = Buffer.from('key');
    const random = generator(7);
    const elements = Array.from({ length: 500 }, (_, i) => Buffer.from(`element ${i}`));
    partition.execute(sketches.sketchAdd(key, packObservations(elements), 3_000));
    const whole = Buffer.from(partition.execute(get(key)) as Buffer);
    let told = 0;
    for (let i = 0; i < 100; i++) {
      const damaged = Buffer.from(whole);
      damaged[5 + Math.floor(random() * (damaged.length - 5))]! ^= 1 << Math.floor(random() * 8);
      partition.execute(set(key, damaged));
      for (const operation of [
        sketches.sketchCount(key),
        sketches.sketchUnionCount([key, key]),
        sketches.sketchAdd(key, packObservations(elements.slice(0, 40)), 3_000),
        sketches.sketchMerge(Buffer.from('to'), [key], 3_000),
        sketches.sketchInspect(key, sketches.SketchFact.runs, null),
      ]) {
        try {
          partition.execute(operation);
        } catch (error) {
          expect((error as Error).message).to.equal('INVALIDOBJ Corrupted HLL object detected');
          told++;
        }
      }
    }
    expect(told).to.be.above(100);
  });

  it('keep registers to the last', () => {
    const sketch = Sketch.empty();
    sketch.becomeDense();
    expect(sketch.raise(16_383, 51, 3_000)).to.equal(true);
    expect(sketch.raise(16_383, 50, 3_000)).to.equal(false);
    expect(sketch.registers().at(-1)).to.equal(51);
    expect(sketch.bytes.length).to.equal(16 + 12_288);
  });

  describe('are those of Redis', () => {
    const redis = redisBeside();

    for (const seed of [1, 2, 3]) {
      it(`from sparse to dense and merged, seed ${seed}`, async () => {
        const ours = new OnePartition();
        const random = generator(seed);
        const same = async (...words: string[]): Promise<void> => {
          expect(ours.send(words), words.join(' ').slice(0, 200)).to.equal(await redis.send(words));
        };
        await redis.send(['FLUSHALL']);
        for (let i = 0; i < 120; i++) {
          const key = ['a', 'b', 'c'][Math.floor(random() * 3)]!;
          const count = Math.floor(random() ** 3 * 150);
          const element = (): string => `${'x'.repeat(Math.floor(random() * 20))}${Math.floor(random() * 10_000)}`;
          await same('PFADD', key, ...Array.from({ length: count }, element));
          await same('GET', key);
          if (i % 7 === 0) await same('PFCOUNT', key);
          if (i % 11 === 0) await same('PFCOUNT', 'a', 'b');
          if (i % 31 === 30) {
            await same('PFMERGE', 'm', 'a', 'b');
            await same('GET', 'm');
          }
        }
        await same('PFDEBUG', 'ENCODING', 'a');
      });
    }
  });
});
