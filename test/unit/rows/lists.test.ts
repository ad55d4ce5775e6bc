/** Lists against an array: the same changes to both, packed and large, and the same values afterwards. */
import { expect } from 'chai';
import type { OperationResult } from '../../../shared/operations/operation.js';
import * as lists from '../../../shared/operations/lists.js';
import { copy, digestValues, remove, rename } from '../../../shared/operations/codes.js';
import { limits } from '../../../shared/limits.js';
import { FakePartition } from './fake-view.js';

const key = Buffer.from('list');
const other = Buffer.from('other');

const bytes = (text: string): Buffer => Buffer.from(text);
const texts = (result: OperationResult): string[] => (result as readonly Buffer[]).map(String);

describe('lists', () => {
  for (const [kind, length] of [
    ['a packed list', 10],
    ['a large list', 600],
  ] as const) {
    describe(kind, () => {
      let partition: FakePartition;
      let model: string[];

      const values = (of: Buffer = key): string[] => texts(partition.execute(lists.listRange(of, 0, -1)));
      const row = (of: Buffer = key): ReturnType<ReturnType<FakePartition['view']>['peek']> =>
        partition.view(0).peek(of);

      function expectEqual(): void {
        expect(values()).to.deep.equal(model);
        expect(partition.execute(lists.listLength(key))).to.equal(model.length);
        expect(row()?.bytes ?? 0).to.equal(model.join('').length);
        const { elements } = partition.stored(0, key);
        expect(elements, 'nothing is left behind').to.equal(row()?.large === true ? model.length : 0);
      }

      beforeEach(() => {
        partition = new FakePartition();
        model = Array.from({ length }, (_, i) => `v${i}`);
        // Half of it in front, so that positions are not those of one end.
        const half = model.length / 2;
        partition.execute(lists.listPush(key, false, false, model.slice(half).map(bytes)));
        partition.execute(lists.listPush(key, true, false, model.slice(0, half).reverse().map(bytes)));
        expect(row()?.large).to.equal(length > limits.packedElements);
      });

      it('gives back what was pushed at both ends', () => expectEqual());

      it('pops at both ends, one and several', () => {
        expect(String(partition.execute(lists.listPop(key, true, null)))).to.equal(model.shift());
        expect(String(partition.execute(lists.listPop(key, false, null)))).to.equal(model.pop());
        expect(texts(partition.execute(lists.listPop(key, true, 3)))).to.deep.equal(model.splice(0, 3));
        expect(texts(partition.execute(lists.listPop(key, false, 3)))).to.deep.equal(model.splice(-3).reverse());
        expectEqual();
      });

      it('is gone when the last value is popped', () => {
        expect(texts(partition.execute(lists.listPop(key, false, 1_000)))).to.deep.equal(model.reverse());
        expect(row()).to.equal(null);
      });

      it('has a value at every index', () => {
        for (let i = 0; i < length; i++) {
          expect(String(partition.execute(lists.listGet(key, i)))).to.equal(model[i]);
          expect(String(partition.execute(lists.listGet(key, i - length)))).to.equal(model[i]);
        }
      });

      it('inserts near the head, near the tail and in the middle', () => {
        for (const at of [0, 1, length / 2, length - 2, length - 1]) {
          const pivot = `v${at}`;
          partition.execute(lists.listInsert(key, true, bytes(pivot), bytes(`before-${at}`)));
          model.splice(model.indexOf(pivot), 0, `before-${at}`);
          partition.execute(lists.listInsert(key, false, bytes(pivot), bytes(`after-${at}`)));
          model.splice(model.indexOf(pivot) + 1, 0, `after-${at}`);
          expectEqual();
        }
      });

      for (const [where, at] of [
        ['near the head', [0, 2, 3]],
        ['near the tail', [length - 4, length - 2, length - 1]],
        ['all over', [0, length / 2, length - 1]],
        ['in the middle', [length / 2]],
      ] as const) {
        it(`closes up where values are removed ${where}`, () => {
          for (const index of at) {
            partition.execute(lists.listSet(key, index, bytes('gone')));
            model[index] = 'gone';
          }
          expectEqual();
          expect(partition.execute(lists.listRemove(key, 0, bytes('gone')))).to.equal(at.length);
          model = model.filter((value) => value !== 'gone');
          expectEqual();
        });
      }

      it('removes the last equal values only', () => {
        for (const index of [1, 4, 8]) partition.execute(lists.listSet(key, index, bytes('x')));
        expect(partition.execute(lists.listRemove(key, -2, bytes('x')))).to.equal(2);
        expect(partition.execute(lists.listFind(key, bytes('x'), 1, 0, 0))).to.deep.equal([1]);
      });

      for (const [start, end] of [
        [1, -2],
        [4, 5],
        [0, 0],
        [-1, -1],
        [5, 2],
      ] as const) {
        it(`is trimmed to ${start} to ${end}`, () => {
          partition.execute(lists.listTrim(key, start, end));
          model = end === -1 ? model.slice(start) : model.slice(start, end + 1);
          expectEqual();
          partition.execute(lists.listPush(key, true, false, [bytes('first')]));
          model.unshift('first');
          expectEqual();
        });
      }

      it('turns around: a value goes from one end to the other', () => {
        for (let i = 0; i < 5; i++) {
          partition.execute(lists.listMove(key, key, true, false));
          model.push(model.shift()!);
          expectEqual();
        }
      });

      it('is copied and renamed with its values', () => {
        partition.execute(copy(key, other, 0, false));
        expect(values(other)).to.deep.equal(model);
        const [a, b] = partition.execute(digestValues([key, other])) as readonly Buffer[];
        expect(a).to.deep.equal(b);
        partition.execute(remove([key]));
        partition.execute(rename(other, key, false));
        expectEqual();
      });

      it('takes any changes, one after the other', () => {
        let state = 7;
        const below = (bound: number): number => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
          return Math.floor((state / 2 ** 32) * bound);
        };
        for (let i = 0; i < 300; i++) {
          const at = below(model.length);
          const value = `n${i}`;
          switch (below(5)) {
            case 0:
              partition.execute(lists.listInsert(key, true, bytes(model[at]!), bytes(value)));
              model.splice(model.indexOf(model[at]!), 0, value);
              break;
            case 1:
              partition.execute(lists.listSet(key, at, bytes(value)));
              model[at] = value;
              break;
            case 2:
              partition.execute(lists.listRemove(key, 1, bytes(model[at]!)));
              model.splice(model.indexOf(model[at]!), 1);
              break;
            case 3:
              partition.execute(lists.listPush(key, true, false, [bytes(value), bytes(`${value}b`)]));
              model.unshift(`${value}b`, value);
              break;
            default:
              partition.execute(lists.listPush(key, false, false, [bytes(value)]));
              model.push(value);
          }
        }
        expectEqual();
      });
    });
  }

  it('have equal digests when they are equal, packed or large', () => {
    const partition = new FakePartition();
    partition.execute(lists.listPush(key, false, false, ['a', 'b'].map(bytes)));
    const long = Array.from({ length: 100 }, (_, i) => bytes(String(i)));
    partition.execute(lists.listPush(other, false, false, ['a', 'b'].map(bytes)));
    partition.execute(lists.listPush(other, false, false, long));
    partition.execute(lists.listPop(other, false, 100));
    expect(partition.view(0).peek(other)?.large).to.equal(true);
    const [a, b] = partition.execute(digestValues([key, other])) as readonly Buffer[];
    expect(a).to.deep.equal(b);
  });
});
