import { expect } from 'chai';
import { NeverWritten } from '../../../server/execution/never-written.js';
import { KeyspaceKeys, makeId } from '../../../server/storage/keys.js';
import { RowType } from '../../../server/storage/row.js';
import { remove } from '../../../shared/operations/codes.js';
import { setAdd, setHas, setRemove } from '../../../shared/operations/sets.js';
import { bytes, Primary } from './primary.js';

const keys = new KeyspaceKeys(makeId(0, 0));
const version = (n: number): string => makeId(n, 0);
const member = (n: number): Buffer => Buffer.from(`\x02member:${n}`);

function add(known: NeverWritten, of: string, sortKey: Buffer): void {
  const prefix = keys.elements(0, 0, 'row', of);
  known.add(of, prefix + sortKey.latin1Slice(), prefix.length);
}

/** How many of the members from `from` on are said never to have been written. */
function never(known: NeverWritten, of: string, from: number, count: number): number {
  return Array.from({ length: count }, (_, n) => known.has(of, member(from + n))).filter(Boolean).length;
}

describe('what was never written to a row', () => {
  it('is known of rows that began here, and nothing that was written is among it, however much that is', () => {
    const known = new NeverWritten(1 << 20);
    known.begin(version(1), RowType.set);
    for (let n = 0; n < 100_000; n++) {
      if (n % 20_000 === 0) expect(never(known, version(1), n, 1_000), `behind ${n}`).to.be.greaterThan(900);
      add(known, version(1), member(n));
    }
    expect(never(known, version(1), 0, 100_000)).to.equal(0);
    expect(never(known, version(1), 1_000_000, 10_000)).to.be.greaterThan(9_000);
  });

  it('is not known of others, of lists, and of elements of other kinds', () => {
    const known = new NeverWritten(1 << 20);
    known.begin(version(1), RowType.set);
    known.begin(version(2), RowType.list);
    expect(never(known, version(2), 0, 10)).to.equal(0);
    expect(never(known, version(3), 0, 10)).to.equal(0);
    expect(known.has(version(1), Buffer.from('\x01\x00\x00\x00\x00\x00\x07'))).to.equal(false);
  });

  it('is forgotten with the row, and of those that did not grow for longest when there is no room', () => {
    const known = new NeverWritten(8 * 512);
    for (let n = 1; n <= 9; n++) known.begin(version(n), RowType.set);
    expect(never(known, version(1), 0, 10)).to.equal(0);
    expect(never(known, version(2), 0, 10)).to.equal(10);
    known.end(version(5));
    known.begin(version(10), RowType.set);
    expect(never(known, version(2), 0, 10)).to.equal(10);
    // more than fits
    known.begin(version(11), RowType.set);
    for (let n = 0; n < 10_000; n++) add(known, version(11), member(n));
    for (const each of [2, 9, 10, 11]) expect(never(known, version(each), 100_000, 10)).to.equal(0);
    known.begin(version(12), RowType.set);
    expect(never(known, version(12), 0, 10)).to.equal(10);
  });

  describe('in the head state', () => {
    const key = bytes('set');
    const members = (from: number): Buffer[] => Array.from({ length: 100 }, (_, n) => bytes(`member ${from + n}`));

    /** A set of 100 members, and what counts the reads of the store. */
    function built(): { primary: Primary; reads: () => number } {
      const primary = new Primary();
      primary.now(setAdd(key, members(0)));
      primary.apply();
      const { store } = primary;
      const getSync = store.getSync.bind(store);
      let reads = 0;
      store.getSync = (asked) => {
        reads++;
        return getSync(asked);
      };
      return { primary, reads: () => reads };
    }

    it('saves looking up each new member of a growing set', () => {
      const { primary, reads } = built();
      for (let from = 100; from < 2_000; from += 100) {
        expect(primary.now(setAdd(key, members(from)))).to.equal(100);
        primary.apply();
      }
      expect(reads()).to.be.lessThan(200);
      expect(primary.now(setAdd(key, members(950)))).to.equal(0);
    });

    it('begins anew with the row, and members that were removed are absent', () => {
      const { primary } = built();
      primary.now(setRemove(key, members(0).slice(0, 50)));
      const present = primary.now(setHas(key, members(0))) as boolean[];
      expect(present.filter(Boolean).length).to.equal(50);
      primary.now(remove([key]));
      primary.now(setAdd(key, members(1_000)));
      expect(primary.now(setHas(key, members(0)))).to.deep.equal(members(0).map(() => false));
      expect(primary.now(setHas(key, members(1_000)))).to.deep.equal(members(0).map(() => true));
    });

    it('is not taken to be known by a successor', () => {
      const { primary } = built();
      const successor = new Primary({ committed: primary.mutations });
      expect(successor.now(setHas(key, members(0)), { connection: 2 })).to.deep.equal(members(0).map(() => true));
      expect(successor.now(setAdd(key, members(50)), { connection: 2 })).to.equal(50);
    });
  });
});
