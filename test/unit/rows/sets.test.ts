/** Sets against JavaScript's: the same changes to both, packed and large; and that chance is even. */
import { expect } from 'chai';
import { limits } from '../../../shared/limits.js';
import { copy, digestValues, remove, rename } from '../../../shared/operations/codes.js';
import type { OperationResult } from '../../../shared/operations/operation.js';
import * as sets from '../../../shared/operations/sets.js';
import { FakePartition } from './fake-view.js';
import { generator } from './random-numbers.js';

const key = Buffer.from('set');
const other = Buffer.from('other');

const bytes = (text: string): Buffer => Buffer.from(text);
const texts = (result: OperationResult): string[] => (result as readonly Buffer[]).map(String);

describe('sets', () => {
  for (const [kind, size] of [
    ['a packed set', 10],
    ['a large set', 600],
  ] as const) {
    describe(kind, () => {
      let partition: FakePartition;
      let model: Set<string>;

      const members = (of: Buffer = key): string[] => texts(partition.execute(sets.setMembers(of)));

      function expectEqual(): void {
        expect(members()).to.have.members([...model]);
        expect(partition.execute(sets.setSize(key))).to.equal(model.size);
        const row = partition.view(0).peek(key);
        expect(row?.bytes ?? 0).to.equal([...model].join('').length);
        const { elements } = partition.stored(0, key);
        expect(elements, 'nothing is left behind').to.equal(row?.large === true ? 2 * model.size : 0);
        const wanted = [...model, 'absent'];
        const found = partition.execute(sets.setHas(key, wanted.map(bytes)));
        expect(found).to.deep.equal(wanted.map((member) => member !== 'absent'));
      }

      beforeEach(() => {
        partition = new FakePartition();
        partition.random = generator(size);
        model = new Set(Array.from({ length: size }, (_, i) => `m${i}`));
        const added = partition.execute(sets.setAdd(key, [...model, 'm0'].map(bytes)));
        expect(added).to.equal(size);
        expect(partition.view(0).peek(key)?.large).to.equal(size > limits.packedElements);
      });

      it('has what was added, once', () => expectEqual());

      it('takes any changes, one after the other', () => {
        const random = generator(3);
        for (let i = 0; i < 400; i++) {
          const member = `m${Math.floor(random() * size * 2)}`;
          if (random() < 0.5) {
            expect(partition.execute(sets.setAdd(key, [bytes(member)]))).to.equal(model.has(member) ? 0 : 1);
            model.add(member);
          } else {
            expect(partition.execute(sets.setRemove(key, [bytes(member)]))).to.equal(model.delete(member) ? 1 : 0);
          }
        }
        expectEqual();
      });

      for (const count of [1, 3, size / 2 + 1, size - 1]) {
        it(`pops ${count} at random`, () => {
          const popped = texts(partition.execute(sets.setPop(key, count)));
          expect(popped).to.have.lengthOf(count);
          for (const member of popped) expect(model.delete(member), member).to.equal(true);
          expectEqual();
          partition.execute(sets.setAdd(key, [bytes('new')]));
          model.add('new');
          expectEqual();
        });
      }

      it('is gone when all are popped', () => {
        expect(texts(partition.execute(sets.setPop(key, size)))).to.have.members([...model]);
        expect(partition.view(0).peek(key)).to.equal(null);
      });

      for (const count of [1, size / 10, size - 1, size, size + 1]) {
        it(`gives ${count} different members`, () => {
          const given = texts(partition.execute(sets.setRandom(key, count)));
          expect(new Set(given).size).to.equal(Math.min(count, size));
          expect([...model]).to.include.members(given);
        });
      }

      it('gives members that may be the same', () => {
        const given = texts(partition.execute(sets.setRandom(key, -3 * size)));
        expect(given).to.have.lengthOf(3 * size);
        expect([...model]).to.include.members(given);
      });

      for (const [way, draw] of [
        ['one', () => [String(partition.execute(sets.setRandom(key, null)))]],
        ['two', () => texts(partition.execute(sets.setRandom(key, 2)))],
        [
          'one popped and put back',
          () => {
            const popped = texts(partition.execute(sets.setPop(key, 1)));
            partition.execute(sets.setAdd(key, popped.map(bytes)));
            return popped;
          },
        ],
      ] as const) {
        it(`chooses evenly: ${way}`, () => {
          const seen = new Map<string, number>();
          const rounds = 20 * size;
          let drawn = 0;
          for (let i = 0; i < rounds; i++) {
            for (const member of draw()) {
              seen.set(member, (seen.get(member) ?? 0) + 1);
              drawn++;
            }
          }
          const mean = drawn / size;
          let chiSquare = 0;
          for (const member of model) chiSquare += ((seen.get(member) ?? 0) - mean) ** 2 / mean;
          // Mean size - 1, deviation sqrt(2 (size - 1)): six deviations are no accident.
          expect(chiSquare).to.be.below(size - 1 + 6 * Math.sqrt(2 * (size - 1)));
        });
      }

      it('is met as a whole by a walk, whatever is added and removed meanwhile', () => {
        const random = generator(11);
        const met = new Set<string>();
        const staying = [...model].filter((_, i) => i % 3 === 0);
        const leaving = [...model].filter((_, i) => i % 3 !== 0);
        let cursor = 0;
        let steps = 0;
        do {
          const [next, found] = partition.execute(sets.setScan(key, cursor, 7, null, null)) as [
            number,
            OperationResult,
          ];
          for (const member of texts(found)) met.add(member);
          cursor = next;
          for (let i = 0; i < 3; i++) {
            const member = leaving[Math.floor(random() * leaving.length)]!;
            partition.execute(sets.setRemove(key, [bytes(member)]));
            partition.execute(sets.setAdd(key, [bytes(`new${steps}-${i}`)]));
          }
          steps++;
        } while (cursor !== 0);
        expect([...met]).to.include.members(staying);
        expect(steps).to.be.below(size);
      });

      it('is copied and renamed with its members', () => {
        partition.execute(copy(key, other, 0, false));
        expect(members(other)).to.have.members([...model]);
        const [a, b] = partition.execute(digestValues([key, other])) as readonly Buffer[];
        expect(a).to.deep.equal(b);
        partition.execute(remove([key]));
        partition.execute(rename(other, key, false));
        expectEqual();
      });

      it('is combined with another', () => {
        const second = new Set(Array.from({ length: size }, (_, i) => `m${i + size / 2}`));
        partition.execute(sets.setAdd(other, [...second].map(bytes)));
        const { intersection, union, difference } = sets.Combination;
        const expected = new Map([
          [intersection, [...model].filter((member) => second.has(member))],
          [union, [...new Set([...model, ...second])]],
          [difference, [...model].filter((member) => !second.has(member))],
        ]);
        for (const [combination, wanted] of expected) {
          expect(texts(partition.execute(sets.setCombine(combination, [key, other])))).to.have.members(wanted);
          const to = bytes('to');
          expect(partition.execute(sets.setCombineStore(combination, to, [key, other]))).to.equal(wanted.length);
          expect(members(to)).to.have.members(wanted);
        }
        expect(partition.execute(sets.setCommonCount(0, [key, other]))).to.equal(size / 2);
        expect(partition.execute(sets.setCommonCount(2, [key, other]))).to.equal(2);
        expect(partition.execute(sets.setCombineStore(intersection, key, [key, other]))).to.equal(size / 2);
        model = new Set(expected.get(intersection));
        expectEqual();
      });
    });
  }

  it('are no intset any more beyond 512 integers', () => {
    const partition = new FakePartition();
    const encoding = (): number | undefined => partition.view(0).peek(key)?.encoding;
    partition.execute(
      sets.setAdd(
        key,
        Array.from({ length: 512 }, (_, i) => bytes(String(i))),
      ),
    );
    const before = encoding();
    partition.execute(sets.setAdd(key, [bytes('512')]));
    expect(encoding()).not.to.equal(before);
    partition.execute(sets.setPop(key, 500));
    expect(encoding()).not.to.equal(before);
  });
});
