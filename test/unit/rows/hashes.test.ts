/** Hashes against a Map: the same changes to both, packed and large; fields that expire; that chance is even. */
import { expect } from 'chai';
import { Encoding } from '../../../server/storage/row.js';
import { limits } from '../../../shared/limits.js';
import type * as operations from '../../../shared/operations/codes.js';
import { Expiry, ExpireFlag } from '../../../shared/operations/codes.js';
import * as fieldOperations from '../../../shared/operations/fields.js';
import * as hashes from '../../../shared/operations/hashes.js';
import { FieldOutcome, HashPart, HashSetFlag } from '../../../shared/operations/hashes.js';
import type { Operation, OperationResult } from '../../../shared/operations/operation.js';
import { FakePartition } from './fake-view.js';
import { generator } from './random-numbers.js';

const key = Buffer.from('hash');
const bytes = (text: string): Buffer => Buffer.from(text);
const texts = (result: OperationResult): (string | null)[] =>
  (result as readonly (Buffer | null)[]).map((each) => (each === null ? null : each.toString()));
const pairs = (entries: Iterable<readonly [string, string]>): Buffer[] => [...entries].flat().map(bytes);

for (const [kind, size] of [
  ['a packed hash', 10],
  ['a large hash', 600],
] as const) {
  describe(`fields of ${kind}`, () => {
    let partition: FakePartition;
    let model: Map<string, string>;
    let expiries: Map<string, number>;
    const run = (operation: Operation): OperationResult => partition.execute(operation);
    const live = (field: string): boolean => model.has(field) && (expiries.get(field) ?? Infinity) > partition.nowMs;

    function expectEqual(): void {
      const fields = [...model.keys()].filter(live);
      const all = texts(run(hashes.hashAll(key, HashPart.both)));
      const found = new Map(all.flatMap((field, i) => (i % 2 === 0 ? [[field, all[i + 1]] as const] : [])));
      expect(found).to.deep.equal(new Map(fields.map((field) => [field, model.get(field)])));
      expect(run(fieldOperations.fieldCount(key))).to.equal(fields.length);
      const wanted = [...model.keys(), 'absent'];
      expect(texts(run(fieldOperations.fieldMultiGet(key, wanted.map(bytes))))).to.deep.equal(
        wanted.map((field) => (live(field) ? model.get(field) : null)),
      );
      expect(run(hashes.hashExpireTimes(key, wanted.map(bytes)))).to.deep.equal(
        wanted.map((field) => (live(field) ? (expiries.get(field) ?? -1) : -2)),
      );
    }

    /** What is stored adds up, once a change has removed what has expired. */
    function expectNothingLeftBehind(): void {
      for (let i = 0; i * limits.expiredFields <= model.size; i++) {
        run(hashes.hashSet(key, null, [bytes('one more'), bytes('v')]));
      }
      model.set('one more', 'v');
      expiries.delete('one more');
      const fields = [...model].filter(([field]) => live(field));
      const row = partition.view(0).peek(key);
      expect(row?.size).to.equal(fields.length);
      expect(row?.bytes).to.equal(fields.flat().join('').length);
      const expiring = fields.filter(([field]) => expiries.has(field)).length;
      const expected = row?.large === true ? 2 * fields.length + expiring : 0;
      expect(partition.stored(0, key).elements).to.equal(expected);
    }

    beforeEach(() => {
      partition = new FakePartition();
      partition.random = generator(size);
      expiries = new Map();
      model = new Map(Array.from({ length: size }, (_, i) => [`f${i}`, `v${i}`]));
      expect(run(hashes.hashSet(key, null, pairs(model)))).to.equal(size);
      expect(partition.view(0).peek(key)?.large).to.equal(size > limits.packedElements);
    });

    it('are what was set', () => {
      expectEqual();
      expectNothingLeftBehind();
    });

    it('take any changes, expire and come back, one after the other', () => {
      const random = generator(3);
      for (let i = 0; i < 600; i++) {
        const field = `f${Math.floor(random() * size * 1.5)}`;
        const was = live(field);
        const what = random();
        partition.nowMs += Math.floor(random() * 20);
        const stillThere = live(field);
        if (what < 0.3) {
          expect(run(hashes.hashSet(key, null, [bytes(field), bytes(`w${i}`)]))).to.equal(stillThere ? 0 : 1);
          model.set(field, `w${i}`);
          expiries.delete(field);
        } else if (what < 0.5) {
          expect(run(fieldOperations.fieldRemove(key, [bytes(field)]))).to.equal(stillThere ? 1 : 0);
          model.delete(field);
          expiries.delete(field);
        } else if (what < 0.8) {
          const at = partition.nowMs + Math.floor(random() * 2_000) - 100;
          const past = at <= partition.nowMs;
          const outcome = stillThere ? (past ? FieldOutcome.removed : FieldOutcome.done) : FieldOutcome.noField;
          expect(run(hashes.hashExpire(key, Expiry.absolute, at, 0, [bytes(field)]))).to.deep.equal([outcome]);
          if (stillThere) expiries.set(field, at);
        } else if (what < 0.9) {
          const outcome = !stillThere
            ? FieldOutcome.noField
            : expiries.has(field)
              ? FieldOutcome.done
              : FieldOutcome.noExpiry;
          expect(run(hashes.hashPersist(key, [bytes(field)])), `${field} ${was}`).to.deep.equal([outcome]);
          if (stillThere) expiries.delete(field);
        } else {
          expect(texts(run(hashes.hashGetAndRemove(key, [bytes(field)])))).to.deep.equal([
            stillThere ? model.get(field) : null,
          ]);
          model.delete(field);
          expiries.delete(field);
        }
        if (i % 50 === 0) expectEqual();
      }
      expectEqual();
      expectNothingLeftBehind();
      partition.nowMs += 10_000;
      expectEqual();
      expectNothingLeftBehind();
      expectEqual();
    });

    it('are met as a whole by a walk, whatever is added and removed meanwhile', () => {
      const met = new Map<string, string>();
      const staying = [...model].filter((_, i) => i % 3 === 0);
      const leaving = [...model.keys()].filter((_, i) => i % 3 !== 0);
      const random = generator(11);
      let cursor = 0;
      let steps = 0;
      do {
        const [next, found] = run(hashes.hashScan(key, cursor, 7, null, null, false)) as [number, OperationResult];
        const flat = texts(found);
        for (let i = 0; i < flat.length; i += 2) met.set(flat[i]!, flat[i + 1]!);
        cursor = next;
        for (let i = 0; i < 3; i++) {
          run(fieldOperations.fieldRemove(key, [bytes(leaving[Math.floor(random() * leaving.length)]!)]));
          run(hashes.hashSet(key, null, pairs([[`new${steps}-${i}`, 'v']])));
        }
        steps++;
      } while (cursor !== 0);
      for (const [field, value] of staying) expect(met.get(field)).to.equal(value);
      expect(steps).to.be.below(size);
    });

    it('are chosen evenly, expired ones never', () => {
      const gone = [...model.keys()].filter((_, i) => i % 2 === 0);
      const left = new Set([...model.keys()].filter((_, i) => i % 2 === 1));
      for (const step of ['none has expired', 'half have']) {
        const from = step === 'half have' ? left : new Set(model.keys());
        const seen = new Map<string, number>();
        const rounds = 20 * from.size;
        for (let i = 0; i < rounds; i++) {
          const field = String(run(hashes.hashRandom(key, null, false)));
          seen.set(field, (seen.get(field) ?? 0) + 1);
        }
        let chiSquare = 0;
        for (const field of from) chiSquare += ((seen.get(field) ?? 0) - 20) ** 2 / 20;
        expect([...from]).to.include.members([...seen.keys()]);
        expect(chiSquare).to.be.below(from.size - 1 + 6 * Math.sqrt(2 * (from.size - 1)));
        for (const count of [1, 3, from.size, from.size + 5]) {
          const given = texts(run(hashes.hashRandom(key, count, false)));
          expect(new Set(given).size, step).to.equal(Math.min(count, from.size));
          expect([...from]).to.include.members(given as string[]);
        }
        expect(texts(run(hashes.hashRandom(key, -9, true)))).to.have.lengthOf(18);
        run(hashes.hashExpire(key, Expiry.relative, 100, 0, gone.map(bytes)));
        partition.nowMs += 100;
      }
    });

    it('expire by condition', () => {
      const expire = (ms: number, flags: number): OperationResult =>
        (run(hashes.hashExpire(key, Expiry.relative, ms, flags, [bytes('f1')])) as readonly OperationResult[])[0]!;
      expect(expire(100, ExpireFlag.ifSome)).to.equal(FieldOutcome.conditionFailed);
      expect(expire(100, ExpireFlag.ifGreater)).to.equal(FieldOutcome.conditionFailed);
      expect(expire(100, ExpireFlag.ifLess)).to.equal(FieldOutcome.done);
      expect(expire(100, ExpireFlag.ifNone)).to.equal(FieldOutcome.conditionFailed);
      expect(expire(200, ExpireFlag.ifGreater)).to.equal(FieldOutcome.done);
      expect(expire(150, ExpireFlag.ifLess | 0)).to.equal(FieldOutcome.done);
      expect(run(hashes.hashTimesToLive(key, ['f1', 'f2', 'no'].map(bytes)))).to.deep.equal([150, -1, -2]);
      expect(expire(0, 0)).to.equal(FieldOutcome.removed);
      expect(expire(100, 0)).to.equal(FieldOutcome.noField);
    });

    it('keep their expiry through increments, and lose it when they are set', () => {
      run(
        hashes.hashSet(
          key,
          null,
          pairs([
            ['n', '1'],
            ['m', '1'],
          ]),
        ),
      );
      run(hashes.hashExpire(key, Expiry.relative, 100, 0, ['n', 'm'].map(bytes)));
      run(fieldOperations.fieldIncrement(key, bytes('n'), 1, 0));
      run(hashes.hashIncrementFloat(key, bytes('n'), bytes('0.5'), null));
      run(hashes.hashSet(key, null, pairs([['m', '2']])));
      expect(run(hashes.hashTimesToLive(key, ['n', 'm'].map(bytes)))).to.deep.equal([100, -1]);
      expect(texts(run(hashes.hashGetAndExpire(key, Expiry.none, 0, ['n', 'no'].map(bytes))))).to.deep.equal([
        '2.5',
        null,
      ]);
      expect(run(hashes.hashTimesToLive(key, [bytes('n')]))).to.deep.equal([-1]);
    });

    it('are set all together or not at all', () => {
      const set = (flags: number, expiry: Expiry, ...names: string[]): OperationResult =>
        run(hashes.hashSetIf(key, null, flags, expiry, 100, pairs(names.map((name) => [name, 'x']))));
      expect(set(HashSetFlag.ifNone, Expiry.none, 'new', 'f1')).to.equal(false);
      expect(set(HashSetFlag.ifAll, Expiry.none, 'new', 'f1')).to.equal(false);
      expectEqual();
      expect(set(HashSetFlag.ifNone, Expiry.relative, 'new')).to.equal(true);
      expect(set(HashSetFlag.ifAll, Expiry.keep, 'new', 'f1')).to.equal(true);
      expect(run(hashes.hashTimesToLive(key, ['new', 'f1'].map(bytes)))).to.deep.equal([100, -1]);
    });
  });
}

describe('the encoding of hashes', () => {
  const encodingAfter = (...changes: Operation[]): number | undefined => {
    const partition = new FakePartition();
    for (const change of changes) partition.execute(change);
    return partition.view(0).peek(key)?.encoding;
  };
  const set = (count: number, compact: operations.CompactLimits | null = null, value = 'v'): Operation =>
    hashes.hashSet(key, compact, pairs(Array.from({ length: count }, (_, i) => [`f${i}`, value])));

  it('follows the number of fields', () => {
    expect(encodingAfter(set(512))).to.equal(Encoding.listpack);
    expect(encodingAfter(set(513))).to.equal(Encoding.hashtable);
    expect(encodingAfter(set(5, [4, 64]))).to.equal(Encoding.hashtable);
    expect(encodingAfter(set(600, [1_000, 64]))).to.equal(Encoding.listpack);
  });

  it('follows the length of fields and values', () => {
    expect(encodingAfter(set(1, null, 'x'.repeat(64)))).to.equal(Encoding.listpack);
    expect(encodingAfter(set(1, null, 'x'.repeat(65)))).to.equal(Encoding.hashtable);
    expect(encodingAfter(set(1, [512, 3], 'xxxx'))).to.equal(Encoding.hashtable);
  });

  it('stays a hashtable once it was one', () => {
    const shrink = fieldOperations.fieldRemove(
      key,
      Array.from({ length: 510 }, (_, i) => bytes(`f${i}`)),
    );
    expect(encodingAfter(set(513), shrink)).to.equal(Encoding.hashtable);
  });

  it('tells of fields that expire', () => {
    const expire = hashes.hashExpire(key, Expiry.relative, 100, 0, [bytes('f0')]);
    expect(encodingAfter(set(2), expire)).to.equal(Encoding.listpackex);
    expect(encodingAfter(set(600), expire)).to.equal(Encoding.hashtable);
  });
});
