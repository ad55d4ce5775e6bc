/** Sorted sets against a sorted array: the same changes to both, packed and large; that chance is even. */
import { expect } from 'chai';
import { Encoding } from '../../../server/storage/row.js';
import { limits } from '../../../shared/limits.js';
import { type CompactLimits, copy, digestValues, remove, rename } from '../../../shared/operations/codes.js';
import type { Operation, OperationResult } from '../../../shared/operations/operation.js';
import { Combination, setAdd } from '../../../shared/operations/sets.js';
import * as zsets from '../../../shared/operations/zsets.js';
import {
  Aggregate,
  byRank,
  byScore,
  byText,
  type ScoreBound,
  type ZsetRange,
} from '../../../shared/operations/zsets.js';
import { FakePartition } from './fake-view.js';
import { generator } from './random-numbers.js';

const key = Buffer.from('zset');
const other = Buffer.from('other');
const bytes = (text: string): Buffer => Buffer.from(text);
type Pair = readonly [member: string, score: number];

function pairs(result: OperationResult): Pair[] {
  const flat = result as readonly (Buffer | number | string)[];
  return Array.from({ length: flat.length / 2 }, (_, i) => [String(flat[2 * i]), Number(flat[2 * i + 1])]);
}

const inOrder = (a: Pair, b: Pair): number => a[1] - b[1] || Buffer.compare(bytes(a[0]), bytes(b[0]));
const scored = (members: Iterable<Pair>): zsets.ScoredMember[] =>
  [...members].map(([member, score]) => ({ member: bytes(member), score }));
const from = (score: number, exclusive = false): ScoreBound => ({ score, exclusive });

for (const [kind, size] of [
  ['a packed sorted set', 10],
  ['a large sorted set', 200],
  ['a sorted set with a tree of counts', 1_500],
] as const) {
  describe(`members of ${kind}`, () => {
    let partition: FakePartition;
    let model: Map<string, number>;
    const run = (operation: Operation): OperationResult => partition.execute(operation);
    const range = (by: ZsetRange): Pair[] => pairs(run(zsets.zsetRange(key, by, true)));
    const sorted = (): Pair[] => [...model].sort(inOrder);

    /** Scores of few values, so that members with equal ones are the rule. */
    const score = (random: () => number): number => Math.floor(random() * 50) / 4 - 3;

    function expectEqual(): void {
      const expected = sorted();
      expect(range(byRank(0, -1))).to.deep.equal(expected);
      expect(run(zsets.zsetSize(key))).to.equal(model.size);
      const row = partition.view(0).peek(key);
      expect(row?.bytes ?? 0).to.equal([...model.keys()].join('').length + 8 * model.size);
      const step = Math.max(1, Math.floor(model.size / 20));
      for (let rank = 0; rank < expected.length; rank += step) {
        const [member, own] = expected[rank]!;
        expect(run(zsets.zsetRank(key, bytes(member), false)), member).to.deep.equal([rank, own]);
        expect(run(zsets.zsetRank(key, bytes(member), true))).to.deep.equal([model.size - 1 - rank, own]);
        expect(range(byRank(rank, rank + 2))).to.deep.equal(expected.slice(rank, rank + 3));
        expect(range(byRank(rank, rank + 2, true))).to.deep.equal(expected.toReversed().slice(rank, rank + 3));
      }
      const wanted = [...model.keys(), 'absent'];
      expect(run(zsets.zsetScores(key, wanted.map(bytes)))).to.deep.equal(
        wanted.map((each) => model.get(each) ?? null),
      );
    }

    beforeEach(() => {
      partition = new FakePartition();
      const random = generator(size);
      partition.random = generator(size + 1);
      model = new Map(Array.from({ length: size }, (_, i) => [`m${i}`, score(random)]));
      expect(run(zsets.zsetAdd(key, null, 0, scored(model)))).to.deep.equal([size, 0]);
      expect(partition.view(0).peek(key)?.large).to.equal(size > limits.packedElements);
    });

    it('are what was added, in order', () => expectEqual());

    it('take any changes, one after the other', () => {
      const random = generator(3);
      for (let i = 0; i < 300; i++) {
        const member = `m${Math.floor(random() * size * 1.5)}`;
        const what = random();
        if (what < 0.6) {
          const next = score(random);
          const old = model.get(member);
          const expected = [old === undefined ? 1 : 0, old !== undefined && old !== next ? 1 : 0];
          expect(run(zsets.zsetAdd(key, null, 0, scored([[member, next]])))).to.deep.equal(expected);
          model.set(member, next);
        } else if (what < 0.8) {
          const next = (model.get(member) ?? 0) + 0.25;
          expect(run(zsets.zsetIncrement(key, null, 0, bytes(member), 0.25))).to.equal(next);
          model.set(member, next);
        } else {
          expect(run(zsets.zsetRemove(key, [bytes(member)]))).to.equal(model.delete(member) ? 1 : 0);
        }
      }
      expectEqual();
    });

    it('are added in masses, and removed until none is left', () => {
      const random = generator(5);
      for (let round = 0; round < 2; round++) {
        const added = Array.from({ length: size }, (_, i): Pair => [`n${round}-${i}`, score(random)]);
        run(zsets.zsetAdd(key, null, 0, scored(added)));
        for (const [member, own] of added) model.set(member, own);
        expectEqual();
      }
      const all = [...model.keys()];
      for (let at = 0; at < all.length; at += size) {
        const gone = all.slice(at, at + size);
        expect(run(zsets.zsetRemove(key, gone.map(bytes)))).to.equal(gone.length);
        for (const member of gone) model.delete(member);
        expectEqual();
      }
      expect(partition.view(0).peek(key)).to.equal(null);
    });

    it('are found by score', () => {
      for (const [least, most] of [
        [-3, 100],
        [0, 0],
        [0.1, 5.5],
        [5, 4],
        [-Infinity, Infinity],
      ] as const) {
        for (const exclusive of [false, true]) {
          const expected = sorted().filter(([, own]) =>
            exclusive ? own > least && own < most : own >= least && own <= most,
          );
          const [min, max] = [from(least, exclusive), from(most, exclusive)];
          expect(range(byScore(min, max))).to.deep.equal(expected);
          expect(run(zsets.zsetCount(key, byScore(min, max)))).to.equal(expected.length);
          for (const [offset, limit] of [
            [0, 3],
            [2, 5],
            [Math.floor(size / 2), 4],
            [size - 1, 4],
            [1, -1],
          ] as const) {
            for (const reverse of [false, true]) {
              const walked = reverse ? expected.toReversed() : expected;
              const page = walked.slice(offset, limit < 0 ? undefined : offset + limit);
              expect(range(byScore(min, max, { reverse, offset, limit }))).to.deep.equal(page);
            }
          }
        }
      }
    });

    it('are found by text', () => {
      for (const member of model.keys()) model.set(member, 7);
      run(zsets.zsetAdd(key, null, 0, scored(model)));
      const all = sorted().map(([member]) => member);
      for (const [min, max, within] of [
        ['-', '+', () => true],
        ['[m3', '(m5', (text: string) => text >= 'm3' && text < 'm5'],
        ['(m3', '[m5', (text: string) => text > 'm3' && text <= 'm5'],
        ['+', '-', () => false],
        ['[m5', '[m3', () => false],
      ] as const) {
        const expected = all.filter(within);
        expect(range(byText(bytes(min), bytes(max))).map(([member]) => member)).to.deep.equal(expected);
        expect(run(zsets.zsetCount(key, byText(bytes(min), bytes(max))))).to.equal(expected.length);
        const walk = { reverse: true, offset: 2, limit: 3 };
        expect(range(byText(bytes(min), bytes(max), walk)).map(([member]) => member)).to.deep.equal(
          expected.toReversed().slice(2, 5),
        );
      }
    });

    for (const [share, first, last] of [
      ['few', 0.4, 0.5],
      ['most', 0.1, 0.9],
      ['the first', 0, 0.3],
      ['all', 0, 1],
    ] as const) {
      it(`are removed by ranges: ${share}`, () => {
        const [start, end] = [Math.floor(first * size), Math.floor(last * size)];
        const gone = sorted().slice(start, end);
        expect(run(zsets.zsetRemoveRange(key, byRank(start, end - 1)))).to.equal(gone.length);
        for (const [member] of gone) model.delete(member);
        expectEqual();
        run(zsets.zsetAdd(key, null, 0, scored([['again', 1]])));
        model.set('again', 1);
        expectEqual();
        const above = sorted().filter(([, own]) => own > 1);
        expect(run(zsets.zsetRemoveRange(key, byScore(from(1, true), from(Infinity))))).to.equal(above.length);
        for (const [member] of above) model.delete(member);
        expectEqual();
      });
    }

    it('are popped from both ends', () => {
      for (const count of [1, 3, Math.floor(size / 3)]) {
        for (const highest of [false, true]) {
          const expected = (highest ? sorted().reverse() : sorted()).slice(0, count);
          expect(pairs(run(zsets.zsetPop(key, highest, count)))).to.deep.equal(expected);
          for (const [member] of expected) model.delete(member);
        }
      }
      expectEqual();
      expect(pairs(run(zsets.zsetPop(key, false, size)))).to.have.lengthOf(model.size);
      expect(partition.view(0).peek(key)).to.equal(null);
    });

    it('are met as a whole by a walk, whatever is added and removed meanwhile', () => {
      const met = new Map<string, number>();
      const staying = [...model].filter((_, i) => i % 3 === 0);
      const leaving = [...model.keys()].filter((_, i) => i % 3 !== 0);
      const random = generator(11);
      let cursor = 0;
      let steps = 0;
      do {
        const [next, found] = run(zsets.zsetScan(key, cursor, 20, null, null)) as [number, OperationResult];
        for (const [member, own] of pairs(found)) met.set(member, own);
        cursor = next;
        run(zsets.zsetRemove(key, [bytes(leaving[Math.floor(random() * leaving.length)]!)]));
        run(zsets.zsetAdd(key, null, 0, scored([[`new${steps}`, 1]])));
        steps++;
      } while (cursor !== 0);
      for (const [member, own] of staying) expect(met.get(member), member).to.equal(own);
      expect(steps).to.be.below(size);
    });

    it('are chosen at random, each as often as any other', () => {
      const texts = (result: OperationResult): string[] => (result as readonly Buffer[]).map(String);
      const seen = new Map<string, number>();
      const rounds = size <= 200 ? 20 : 1;
      for (let i = 0; i < rounds; i++) {
        for (const member of texts(run(zsets.zsetRandom(key, -size, false))))
          seen.set(member, (seen.get(member) ?? 0) + 1);
      }
      let chiSquare = 0;
      for (const member of model.keys()) chiSquare += ((seen.get(member) ?? 0) - rounds) ** 2 / rounds;
      expect([...model.keys()]).to.include.members([...seen.keys()]);
      expect(chiSquare).to.be.below(size - 1 + 6 * Math.sqrt(2 * (size - 1)));
      for (const count of [1, 5, size - 1, size + 1]) {
        const given = texts(run(zsets.zsetRandom(key, count, false)));
        expect(new Set(given).size).to.equal(Math.min(count, size));
        expect([...model.keys()]).to.include.members(given);
      }
      for (const [member, own] of pairs(run(zsets.zsetRandom(key, 3, true)))) expect(model.get(member)).to.equal(own);
    });

    it('are copied and renamed with their ranks', () => {
      run(copy(key, other, 0, false));
      expect(pairs(run(zsets.zsetRange(other, byRank(0, -1), true)))).to.deep.equal(sorted());
      const [a, b] = run(digestValues([key, other])) as readonly Buffer[];
      expect(a).to.deep.equal(b);
      run(remove([key]));
      run(rename(other, key, false));
      expectEqual();
    });

    it('are combined with those of others, and of sets', () => {
      const second = new Map(Array.from({ length: size }, (_, i) => [`m${i + Math.floor(size / 2)}`, i]));
      run(zsets.zsetAdd(other, null, 0, scored(second)));
      const expected = new Map([
        [Combination.union, [...new Set([...model.keys(), ...second.keys()])]],
        [Combination.intersection, [...model.keys()].filter((member) => second.has(member))],
        [Combination.difference, [...model.keys()].filter((member) => !second.has(member))],
      ]);
      for (const [combination, members] of expected) {
        const weighs = combination !== Combination.difference;
        const weights = weighs ? [2, 1] : null;
        const of = { combination, keys: [key, other], weights, aggregate: Aggregate.sum, refusal: null };
        const wanted = members.map((member): Pair => {
          const sum = 2 * (model.get(member) ?? 0) + (second.get(member) ?? 0);
          return [member, weighs ? sum : (model.get(member) ?? 0)];
        });
        expect(pairs(run(zsets.zsetCombine(of)))).to.deep.equal(wanted.sort(inOrder));
        expect(run(zsets.zsetCombineStore(bytes('to'), null, of))).to.equal(wanted.length);
        expect(pairs(run(zsets.zsetRange(bytes('to'), byRank(0, -1), true)))).to.deep.equal(wanted);
      }
      expect(run(zsets.zsetCommonCount(0, null, [key, other]))).to.equal(
        expected.get(Combination.intersection)!.length,
      );
      run(setAdd(bytes('set'), [...second.keys()].map(bytes)));
      expect(run(zsets.zsetCommonCount(0, null, [key, bytes('set')]))).to.equal(
        expected.get(Combination.intersection)!.length,
      );
      run(zsets.zsetRangeStore(key, other, byRank(0, 4), null));
      model = new Map([...second].slice(0, 5));
      expectEqual();
    });
  });
}

describe('scores', () => {
  it('are ordered as numbers, also where they are extreme', () => {
    const partition = new FakePartition();
    const all = [-Infinity, -1.7976931348623157e308, -1e20, -1, -5e-324, 0, 5e-324, 0.1, 1, 2 ** 53, 1e300, Infinity];
    const members = all.map((score, i): Pair => [String.fromCharCode(122 - i), score]);
    for (const padding of [0, 200]) {
      for (let i = 0; i < padding; i++) members.push([`p${i}`, Infinity]);
      partition.execute(zsets.zsetAdd(key, null, 0, scored(members.toReversed())));
      const found = pairs(partition.execute(zsets.zsetRange(key, byRank(0, all.length - 2), true)));
      expect(found.map(([, score]) => score)).to.deep.equal(all.slice(0, -1));
    }
  });

  it('of -0 stay so where Redis keeps them so, in the place of 0', () => {
    const partition = new FakePartition();
    const many = Array.from({ length: 200 }, (_, i): Pair => [`m${i}`, i]);
    partition.execute(zsets.zsetAdd(key, null, 0, scored([...many, ['m', -0]])));
    expect(partition.execute(zsets.zsetScores(key, [bytes('m')]))).to.deep.equal(['-0']);
    expect(partition.execute(zsets.zsetRange(key, byRank(0, 1), true))).to.deep.equal([
      bytes('m'),
      '-0',
      bytes('m0'),
      0,
    ]);
    partition.execute(zsets.zsetAdd(other, null, 0, scored([['m', -0]])));
    expect(partition.execute(zsets.zsetScores(other, [bytes('m')]))).to.deep.equal([0]);
  });
});

describe('the encoding of sorted sets', () => {
  const encodingAfter = (...changes: Operation[]): number | undefined => {
    const partition = new FakePartition();
    for (const change of changes) partition.execute(change);
    return partition.view(0).peek(key)?.encoding;
  };
  const add = (count: number, compact: CompactLimits | null = null, padding = ''): Operation =>
    zsets.zsetAdd(key, compact, 0, scored(Array.from({ length: count }, (_, i): Pair => [`${padding}${i}`, i])));

  it('follows the number and the length of members, and is not taken back', () => {
    expect(encodingAfter(add(128))).to.equal(Encoding.listpack);
    expect(encodingAfter(add(129))).to.equal(Encoding.skiplist);
    expect(encodingAfter(add(1, [0, 64]))).to.equal(Encoding.skiplist);
    expect(encodingAfter(add(500, [1_000, 64]))).to.equal(Encoding.listpack);
    expect(encodingAfter(add(1, null, 'x'.repeat(63)))).to.equal(Encoding.listpack);
    expect(encodingAfter(add(1, null, 'x'.repeat(64)))).to.equal(Encoding.skiplist);
    expect(encodingAfter(add(129), zsets.zsetRemoveRange(key, byRank(1, -1)))).to.equal(Encoding.skiplist);
  });
});
