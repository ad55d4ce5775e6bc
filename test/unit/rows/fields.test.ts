import { expect } from 'chai';
import { ClientError } from '../../../shared/errors.js';
import { limits } from '../../../shared/limits.js';
import * as codes from '../../../shared/operations/codes.js';
import * as operations from '../../../shared/operations/fields.js';
import { Check, type CheckAndSet, type Field } from '../../../shared/operations/fields.js';
import type { OperationResult } from '../../../shared/operations/operation.js';
import { FakePartition } from './fake-view.js';

const key = Buffer.from('row');
const bytes = (text: string): Buffer => Buffer.from(text);
const field = (sortKey: string, value: string, ttlMs = 0): Field => ({
  sortKey: bytes(sortKey),
  value: bytes(value),
  ttlMs,
});

/** Nested results with Buffers as text. */
function readable(result: OperationResult): unknown {
  if (Buffer.isBuffer(result)) return result.toString();
  return Array.isArray(result) ? result.map(readable) : result;
}

/** Sizes below and above what a header packs. */
const sizes = { 'a packed row': 3, 'a row that spills by count': 200, 'a row that spills by bytes': 20 };

for (const [kind, size] of Object.entries(sizes)) {
  const padding = kind.endsWith('bytes') ? 'x'.repeat(100) : '';
  const name = (index: number): string => `f${String(index).padStart(4, '0')}`;
  const value = (index: number): string => `v${index}${padding}`;

  describe(`fields of ${kind}`, () => {
    let partition: FakePartition;
    const run = (operation: Parameters<FakePartition['execute']>[0]): unknown => readable(partition.execute(operation));
    const get = (sortKey: string): unknown => run(operations.fieldGet(key, bytes(sortKey)));
    const scan = (range: Partial<operations.FieldRange>): unknown =>
      run(operations.fieldScan(key, { from: null, to: null, limit: 1_000, reverse: false, ...range }));

    beforeEach(() => {
      partition = new FakePartition();
      const fields = Array.from({ length: size }, (_, index) => field(name(size - 1 - index), value(size - 1 - index)));
      expect(run(operations.fieldSet(key, fields))).to.equal(size);
      const row = partition.view(0).peek(key);
      expect(row?.large).to.equal(size > 3);
      expect(row?.size).to.equal(size);
      expect(row?.bytes).to.equal(fields.reduce((sum, { sortKey, value: v }) => sum + sortKey.length + v.length, 0));
    });

    it('are read one by one and together', () => {
      expect(get(name(1))).to.equal(value(1));
      expect(get('absent')).to.equal(null);
      const wanted = [bytes(name(2)), bytes('absent'), bytes(name(0))];
      expect(run(operations.fieldMultiGet(key, wanted))).to.deep.equal([value(2), null, value(0)]);
      expect(run(operations.fieldMultiGet(bytes('no row'), wanted))).to.deep.equal([null, null, null]);
      expect(run(operations.fieldCount(key))).to.equal(size);
    });

    it('are overwritten without being counted again', () => {
      expect(run(operations.fieldSet(key, [field(name(1), 'other'), field('new', 'v'), field('new', 'w')]))).to.equal(
        1,
      );
      expect(get(name(1))).to.equal('other');
      expect(get('new')).to.equal('w');
      expect(run(operations.fieldCount(key))).to.equal(size + 1);
    });

    it('vanish with the row when the last is removed', () => {
      const all = Array.from({ length: size }, (_, index) => bytes(name(index)));
      expect(run(operations.fieldRemove(key, [bytes('absent'), ...all.slice(1)]))).to.equal(size - 1);
      expect(run(operations.fieldCount(key))).to.equal(1);
      expect(run(operations.fieldRemove(key, [all[0]!, all[0]!]))).to.equal(1);
      expect(partition.view(0).peek(key)).to.equal(null);
      expect(run(operations.fieldRemove(key, all))).to.equal(0);
    });

    it('expire one by one', () => {
      run(operations.fieldSet(key, [field(name(0), 'short', 1_000), field('brief', 'v', 500)]));
      expect(run(operations.fieldTimeToLive(key, bytes(name(0))))).to.equal(1_000);
      expect(run(operations.fieldTimeToLive(key, bytes(name(1))))).to.equal(-1);
      expect(run(operations.fieldTimeToLive(key, bytes('absent')))).to.equal(-2);
      partition.nowMs += 1_000;
      expect(get(name(0))).to.equal(null);
      expect(run(operations.fieldTimeToLive(key, bytes(name(0))))).to.equal(-2);
      expect(run(operations.fieldCount(key))).to.equal(size - 1);
      expect(run(operations.fieldRemove(key, [bytes('brief')]))).to.equal(0);
      expect(run(operations.fieldSet(key, [field(name(0), 'again')]))).to.equal(1);
      expect(get(name(0))).to.equal('again');
      expect(run(operations.fieldCount(key))).to.equal(size);
    });

    it('count as integers', () => {
      expect(run(operations.fieldIncrement(key, bytes('n'), 5, 0))).to.equal(5);
      expect(run(operations.fieldIncrement(key, bytes('n'), -7n, 1_000))).to.equal(-2);
      expect(run(operations.fieldIncrement(key, bytes('n'), 1, 0))).to.equal(-1);
      expect(run(operations.fieldTimeToLive(key, bytes('n')))).to.equal(1_000);
      expect(run(operations.fieldIncrement(key, bytes('big'), 2n ** 63n - 1n, 0))).to.equal(2n ** 63n - 1n);
      expect(() => run(operations.fieldIncrement(key, bytes('big'), 1, 0))).to.throw(ClientError, 'would overflow');
      expect(() => run(operations.fieldIncrement(key, bytes(name(0)), 1, 0))).to.throw(ClientError, 'not an integer');
    });

    it('are scanned in order, from and to, in pages, forwards and in reverse', () => {
      const flat = (indexes: number[]): string[] => indexes.flatMap((index) => [name(index), value(index)]);
      const all = Array.from({ length: size }, (_, index) => index);
      expect(scan({})).to.deep.equal([null, flat(all)]);
      expect(scan({ reverse: true })).to.deep.equal([null, flat(all.toReversed())]);
      expect(scan({ from: bytes(name(1)), to: bytes(name(2)) })).to.deep.equal([null, flat([1])]);
      for (const reverse of [false, true]) {
        const met: string[] = [];
        let range: Partial<operations.FieldRange> = { limit: 2, reverse };
        for (;;) {
          const [next, items] = scan(range) as [string | null, string[]];
          met.push(...items);
          if (next === null) break;
          range = reverse ? { ...range, to: bytes(next) } : { ...range, from: bytes(next) };
        }
        expect(met).to.deep.equal(flat(reverse ? all.toReversed() : all));
      }
    });

    it('move with the row when it is copied or renamed', () => {
      const copied = bytes('copied');
      expect(run(codes.copy(key, copied, 3, false))).to.equal(true);
      expect(readable(partition.execute(operations.fieldGet(copied, bytes(name(1))), 3))).to.equal(value(1));
      run(codes.rename(key, copied, false));
      expect(run(operations.fieldCount(copied))).to.equal(size);
      expect(run(operations.fieldCount(key))).to.equal(0);
      const [here] = partition.execute(codes.digestValues([copied])) as Buffer[];
      const [there] = partition.execute(codes.digestValues([copied]), 3) as Buffer[];
      expect(here).to.deep.equal(there);
    });
  });
}

describe('fields', () => {
  let partition: FakePartition;
  beforeEach(() => {
    partition = new FakePartition();
  });

  it('are refused on a row of another type, and strings on theirs', () => {
    partition.execute(codes.set(key, bytes('v')));
    expect(() => partition.execute(operations.fieldGet(key, key))).to.throw(ClientError, /^WRONGTYPE /);
    expect(() => partition.execute(operations.fieldSet(key, [field('f', 'v')]))).to.throw(ClientError, /^WRONGTYPE /);
    partition.execute(operations.fieldSet(bytes('fields'), [field('f', 'v')]));
    expect(() => partition.execute(codes.get(bytes('fields')))).to.throw(ClientError, /^WRONGTYPE /);
    expect(partition.execute(codes.multiGet([bytes('fields')]))).to.deep.equal([null]);
    expect(partition.execute(codes.type(bytes('fields')))).to.equal('hash');
  });

  it('of a large row stay large when it shrinks, with true counts', () => {
    const many = Array.from({ length: 100 }, (_, index) => field(`f${index}`, 'v'));
    partition.execute(operations.fieldSet(key, many));
    partition.execute(
      operations.fieldRemove(
        key,
        many.slice(0, 98).map(({ sortKey }) => sortKey),
      ),
    );
    const row = partition.view(0).peek(key);
    expect([row?.large, row?.size, row?.bytes]).to.deep.equal([true, 2, 8]);
  });

  it('keep the expiry of their row', () => {
    partition.execute(operations.fieldSet(key, [field('f', 'v')]));
    partition.execute(codes.expire(key, codes.Expiry.relative, 5_000, 0));
    partition.execute(
      operations.fieldSet(
        key,
        Array.from({ length: 100 }, (_, index) => field(`g${index}`, 'v')),
      ),
    );
    expect(partition.execute(codes.timeToLive(key))).to.equal(5_000);
  });

  it('are set when a check on another holds, and only then', () => {
    const attempt = (change: Partial<CheckAndSet>): unknown =>
      readable(
        partition.execute(
          operations.fieldCheckAndSet(key, {
            check: Check.absent,
            checkSortKey: bytes('c'),
            operand: Buffer.alloc(0),
            setSortKey: bytes('s'),
            value: bytes('v'),
            ttlMs: 0,
            ...change,
          }),
        ),
      );
    expect(attempt({ check: Check.present })).to.deep.equal([false, null]);
    expect(attempt({ check: Check.notEqual, operand: bytes('x') })).to.deep.equal([false, null]);
    expect(attempt({ setSortKey: bytes('c'), value: bytes('m') })).to.deep.equal([true, null]);
    expect(attempt({})).to.deep.equal([false, 'm']);
    const outcomes = (operand: string): boolean[] =>
      [
        Check.present,
        Check.equal,
        Check.notEqual,
        Check.less,
        Check.lessOrEqual,
        Check.greater,
        Check.greaterOrEqual,
      ].map((check) => (attempt({ check, operand: bytes(operand) }) as [boolean])[0]);
    expect(outcomes('m')).to.deep.equal([true, true, false, false, true, false, true]);
    expect(outcomes('n')).to.deep.equal([true, false, true, true, true, false, false]);
    expect(outcomes('a')).to.deep.equal([true, false, true, false, false, true, true]);
    expect(attempt({ check: Check.equal, operand: bytes('m'), setSortKey: bytes('c'), value: null })).to.deep.equal([
      true,
      'm',
    ]);
    expect(readable(partition.execute(operations.fieldGet(key, bytes('c'))))).to.equal(null);
  });

  it('of all rows are met by a full scan, strings left out', () => {
    partition.execute(codes.set(bytes('string'), bytes('v')));
    const expected = new Map<string, number>();
    for (let row = 0; row < 30; row++) {
      const size = row === 7 ? 100 : 2;
      expected.set(`row${row}`, size);
      partition.execute(
        operations.fieldSet(
          bytes(`row${row}`),
          Array.from({ length: size }, (_, index) => field(`f${index}`, 'v')),
        ),
      );
    }
    const met = new Map<string, number>();
    let cursor = 0;
    do {
      const [next, rows] = partition.execute(operations.fullScan(cursor, 4, 10)) as [
        number,
        [Buffer, Buffer | null, Buffer[]][],
      ];
      for (const [rowKey, more, items] of rows) {
        const rest =
          more === null
            ? []
            : (
                partition.execute(
                  operations.fieldScan(rowKey, { from: more, to: null, limit: 1_000, reverse: false }),
                ) as [null, Buffer[]]
              )[1];
        met.set(rowKey.toString(), (items.length + rest.length) / 2);
      }
      cursor = next;
    } while (cursor !== 0);
    expect([...met].sort()).to.deep.equal([...expected].sort());
  });

  it('too big for one page are spread over several', () => {
    const big = 'x'.repeat(limits.scanBytes / 2);
    partition.execute(operations.fieldSet(key, [field('a', big), field('b', big), field('c', big)]));
    const range = { from: null, to: null, limit: 10, reverse: false };
    const [next, items] = partition.execute(operations.fieldScan(key, range)) as [Buffer, Buffer[]];
    expect(items).to.have.lengthOf(4);
    const [end, rest] = partition.execute(operations.fieldScan(key, { ...range, from: next })) as [null, Buffer[]];
    expect(end).to.equal(null);
    expect(rest).to.have.lengthOf(2);
  });
});
