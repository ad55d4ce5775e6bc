/** Long strings as bits, against a walk bit by bit: wherever the value begins in memory. */
import { expect } from 'chai';
import * as bits from '../../../shared/operations/bits.js';
import { BitOperator, BitUnit } from '../../../shared/operations/bits.js';
import { get, set } from '../../../shared/operations/codes.js';
import { FakePartition } from './fake-view.js';
import { generator } from './random-numbers.js';

const key = Buffer.from('key');
const other = Buffer.from('other');
const to = Buffer.from('to');

/** Bytes that begin `shift` bytes behind a word's beginning. */
function shifted(length: number, shift: number, byte: () => number): Buffer {
  const bytes = Buffer.from(new ArrayBuffer(length + shift)).subarray(shift);
  for (let i = 0; i < length; i++) bytes[i] = byte();
  return bytes;
}

const bitAt = (value: Buffer, position: number): number => (value[position >> 3]! >> (7 - (position & 7))) & 1;

describe('bits of long strings', () => {
  let partition: FakePartition;

  beforeEach(() => {
    partition = new FakePartition();
  });

  for (const shift of [0, 1, 2, 3]) {
    it(`are counted within any range, ${shift} bytes off`, () => {
      const random = generator(shift + 1);
      const value = shifted(1_001, shift, () => Math.floor(random() * 256));
      partition.execute(set(key, value));
      for (let i = 0; i < 300; i++) {
        const [start = 0, end = 0] = [random(), random()].map((part) => Math.floor(part * 8_008)).sort((a, b) => a - b);
        let expected = 0;
        for (let position = start; position <= end; position++) expected += bitAt(value, position);
        const range = { start, end, unit: BitUnit.bit };
        expect(partition.execute(bits.bitCount(key, range, null)), `${start} to ${end}`).to.equal(expected);
      }
    });

    it(`are found within any range, ${shift} bytes off`, () => {
      const random = generator(shift + 5);
      for (const [bit, filling] of [
        [1, 0],
        [0, 0xff],
      ] as const) {
        // Few bits differ, so that whole words are passed over.
        const value = shifted(1_001, shift, () => (random() < 0.005 ? Math.floor(random() * 256) : filling));
        partition.execute(set(key, value));
        for (let i = 0; i < 300; i++) {
          const [start = 0, end = 0] = [random(), random()].map((x) => Math.floor(x * 8_008)).sort((a, b) => a - b);
          let expected = start;
          while (expected <= end && bitAt(value, expected) !== bit) expected++;
          const range = { start, end, unit: BitUnit.bit };
          const found = partition.execute(bits.bitPosition(key, bit, range, null));
          expect(found, `${bit} from ${start} to ${end}`).to.equal(expected > end ? -1 : expected);
        }
      }
    });

    it(`are combined, ${shift} bytes off and longer than a chunk`, () => {
      const random = generator(shift + 9);
      const byte = (): number => Math.floor(random() * 256);
      const a = shifted(150_003, shift, byte);
      const b = shifted(100_001, 3 - shift, byte);
      partition.execute(set(key, a));
      partition.execute(set(other, b));
      for (const [operator, combine] of [
        [BitOperator.and, (x: number, y: number) => x & y],
        [BitOperator.or, (x: number, y: number) => x | y],
        [BitOperator.xor, (x: number, y: number) => x ^ y],
        [BitOperator.not, (x: number) => ~x & 0xff],
      ] as const) {
        const keys = operator === BitOperator.not ? [key] : [key, other];
        expect(partition.execute(bits.bitCombine(operator, to, keys))).to.equal(a.length);
        const expected = Buffer.from(a.map((x, i) => combine(x, b[i] ?? 0)));
        expect(expected.equals(partition.execute(get(to)) as Buffer), `operator ${operator}`).to.equal(true);
        expect(a.equals(partition.execute(get(key)) as Buffer), 'what is read stays as it is').to.equal(true);
      }
    });
  }

  it('that are all alike have none of the other kind', () => {
    const whole = { start: 0, end: null, unit: BitUnit.byte };
    partition.execute(set(key, Buffer.alloc(100_000)));
    expect(partition.execute(bits.bitPosition(key, 1, whole, null))).to.equal(-1);
    partition.execute(set(key, Buffer.alloc(100_000, 0xff)));
    expect(partition.execute(bits.bitPosition(key, 0, whole, null))).to.equal(800_000);
    expect(partition.execute(bits.bitPosition(key, 0, { ...whole, end: -1 }, null))).to.equal(-1);
  });
});
