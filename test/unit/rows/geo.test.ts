/** Searches around random positions, against measuring all members, and beside a real redis-server. */
import { expect } from 'chai';
import { cellAt, positionOf, scoreOf, STEPS } from '../../../shared/geo/geohash.js';
import { distanceWithin, type Shape } from '../../../shared/geo/shape.js';
import { type GeoSearch, geoSearch, Order } from '../../../shared/operations/geo.js';
import type { OperationResult } from '../../../shared/operations/operation.js';
import { zsetAdd } from '../../../shared/operations/zsets.js';
import { FakePartition } from './fake-view.js';
import { OnePartition } from './one-partition.js';
import { generator } from './random-numbers.js';
import { redisBeside } from './redis-beside.js';

const key = Buffer.from('key');

describe('positions', () => {
  it('come back from scores to within a metre', () => {
    const random = generator(1);
    for (let i = 0; i < 1_000; i++) {
      const given = { longitude: random() * 360 - 180, latitude: random() * 170 - 85 };
      const back = positionOf(scoreOf(cellAt(given, STEPS)));
      expect(Math.abs(back.longitude - given.longitude)).to.be.below(3e-6);
      expect(Math.abs(back.latitude - given.latitude)).to.be.below(2e-6);
      expect(scoreOf(cellAt(back, STEPS))).to.equal(scoreOf(cellAt(given, STEPS)));
    }
  });

  it('within a shape of up to some thousand kilometres are all found, once, nearest first', () => {
    const random = generator(2);
    const partition = new FakePartition();
    const members = Array.from({ length: 600 }, (_, i) => {
      const position = { longitude: random() * 358 - 179, latitude: random() * 160 - 80 };
      return { member: Buffer.from(`m${i}`), score: scoreOf(cellAt(position, STEPS)) };
    });
    partition.execute(zsetAdd(key, null, 0, members));
    for (let i = 0; i < 200; i++) {
      const middle = { longitude: random() * 300 - 150, latitude: random() * 120 - 60 };
      const size = 3e6 * random() ** 2;
      const shape: Shape =
        i % 2 === 0 ? { middle, radius: size } : { middle, width: size, height: 2 * size * random() };
      const within = members
        .flatMap(({ member, score }) => {
          const metres = distanceWithin(shape, positionOf(score));
          return metres === null ? [] : [{ member, metres }];
        })
        .sort((a, b) => a.metres - b.metres);
      const order = Order.nearest;
      const none = { member: null, shapeRefusal: null, refusal: null };
      const search: GeoSearch = { key, shape, order, count: 0, any: false, ...none };
      const found = partition.execute(geoSearch(search)) as readonly OperationResult[];
      expect(found.filter((_, n) => n % 3 === 0).map(String)).to.deep.equal(within.map(({ member }) => String(member)));
      const some = partition.execute(geoSearch({ ...search, count: 3, any: true })) as readonly OperationResult[];
      expect(some.length / 3).to.equal(Math.min(3, within.length));
    }
  });

  describe('as in Redis', () => {
    const redis = redisBeside();

    for (const seed of [1, 2]) {
      it(`are found, measured and printed, seed ${seed}`, async () => {
        const random = generator(seed);
        const ours = new OnePartition();
        const same = async (...words: string[]): Promise<void> => {
          expect(ours.send(words), words.join(' ')).to.equal(await redis.send(words));
        };
        const number = (range: number): string => String(random() * 2 * range - range);
        await redis.send(['FLUSHALL']);
        for (let i = 0; i < 300; i++) await same('GEOADD', 'g', number(180), number(85), `m${i}`);
        for (let i = 0; i < 50; i++) {
          const [a, b] = [`m${Math.floor(random() * 300)}`, `m${Math.floor(random() * 300)}`];
          await same('GEOPOS', 'g', a, b);
          await same('GEOHASH', 'g', a, b);
          await same('GEODIST', 'g', a, b, random() < 0.5 ? 'm' : 'mi');
        }
        for (let i = 0; i < 150; i++) {
          const size = String(10 ** (random() * 4.4));
          const shape =
            random() < 0.5 ? ['BYRADIUS', size, 'km'] : ['BYBOX', size, String(Number(size) * random()), 'km'];
          const order = ['ASC', 'DESC', 'WITHDIST'][Math.floor(random() * 3)]!;
          await same('GEOSEARCH', 'g', 'FROMLONLAT', number(180), number(85), ...shape, order);
          await same('GEOSEARCH', 'g', 'FROMMEMBER', `m${i}`, ...shape, 'WITHCOORD', 'WITHHASH', order);
          await same('GEOSEARCH', 'g', 'FROMMEMBER', `m${i}`, ...shape, 'COUNT', '5', 'ANY');
        }
      });
    }
  });
});
