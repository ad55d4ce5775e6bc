import { expect } from 'chai';
import { InvariantError } from '../../../shared/errors.js';
import { PrepareList, type Prepared } from '../../../server/replication/prepare-list.js';

const mutation = (decree: number, ballot = 1, bytes = 10): Prepared => ({
  decree,
  ballot,
  body: Buffer.alloc(bytes),
  decoded: null,
});

/** Decrees 1 to `last` of 10 bytes, of which the first are committed. */
function listOf(last: number, committed = 0): PrepareList {
  const list = new PrepareList(0);
  for (let decree = 1; decree <= last; decree++) list.put(mutation(decree));
  while (list.committed < committed) list.commitNext();
  return list;
}

describe('the prepare list', () => {
  it('begins after what is committed', () => {
    const list = new PrepareList(41);
    expect([list.base, list.committed, list.last]).to.deep.equal([41, 41, 41]);
    expect(list.get(41)).to.equal(undefined);
    list.put(mutation(42));
    expect(list.last).to.equal(42);
  });

  it('has no gaps', () => {
    const list = listOf(2);
    expect(() => list.put(mutation(4))).to.throw(InvariantError, 'gap');
    expect(list.last).to.equal(2);
  });

  it('replaces what is not committed by the same or a higher ballot', () => {
    const list = listOf(3, 1);
    const again = mutation(2, 5, 30);
    list.put(again);
    expect(list.get(2)).to.equal(again);
    expect(list.last).to.equal(3);
    expect([list.uncommittedBytes, list.bytes]).to.deep.equal([40, 50]);
    list.put(mutation(2, 5, 1));
    expect([list.uncommittedBytes, list.bytes]).to.deep.equal([11, 21]);
  });

  it('refuses a lower ballot at the same decree', () => {
    const list = listOf(1);
    list.put(mutation(1, 5));
    expect(() => list.put(mutation(1, 4))).to.throw(InvariantError, 'ballot 5 replaced by 4');
  });

  it('never changes what is committed', () => {
    const list = listOf(3, 2);
    expect(() => list.put(mutation(2, 9))).to.throw(InvariantError, 'committed');
    expect(() => list.truncateAbove(1)).to.throw(InvariantError, 'committed');
    expect(list.last).to.equal(3);
  });

  it('commits in order, and only what is prepared', () => {
    const list = listOf(2);
    expect([list.commitNext().decree, list.commitNext().decree]).to.deep.equal([1, 2]);
    expect(list.uncommittedBytes).to.equal(0);
    expect(() => list.commitNext()).to.throw(InvariantError, 'before it is prepared');
    expect(list.committed).to.equal(2);
  });

  it('drops what is above a ballot-start', () => {
    const list = listOf(5, 2);
    list.truncateAbove(3);
    expect([list.last, list.uncommitted, list.uncommittedBytes, list.bytes]).to.deep.equal([3, 1, 10, 30]);
    expect(list.get(4)).to.equal(undefined);
    list.put(mutation(4, 2));
    expect(list.last).to.equal(4);
  });

  it('forgets committed mutations only, and only beyond what is to be kept', () => {
    const list = listOf(10, 6);
    list.trim(10, 1_000, 100);
    expect(list.base, 'within the limits').to.equal(0);
    list.trim(4, 0, 0);
    expect(list.base, 'not above the given decree').to.equal(4);
    list.trim(10, 0, 0);
    expect(list.base, 'not above what is committed').to.equal(6);
    expect([list.last, list.bytes, list.uncommittedBytes]).to.deep.equal([10, 40, 40]);
    expect([list.get(6), list.get(7)?.decree, list.get(10)?.decree]).to.deep.equal([undefined, 7, 10]);
  });

  it('keeps as many bytes as it may', () => {
    const list = listOf(10, 10);
    list.trim(10, 35, 100);
    expect([list.base, list.bytes]).to.deep.equal([7, 30]);
    const other = listOf(10, 10);
    other.trim(10, 1_000, 4);
    expect([other.base, other.bytes]).to.deep.equal([6, 40]);
  });

  it('stays itself through many rounds of preparing, committing and trimming', () => {
    const list = new PrepareList(0);
    for (let decree = 1; decree <= 10_000; decree++) {
      list.put(mutation(decree));
      if (decree % 3 === 0) list.put(mutation(decree, 2));
      if (decree > 5) list.commitNext();
      list.trim(list.committed, 0, 20);
      expect(list.last).to.equal(decree);
      expect(list.last - list.base).to.be.at.most(20);
    }
    for (let decree = list.base + 1; decree <= list.last; decree++) expect(list.get(decree)?.decree).to.equal(decree);
    expect(list.bytes).to.equal(10 * (list.last - list.base));
    list.truncateAbove(list.committed);
    expect([list.last, list.uncommittedBytes]).to.deep.equal([9_995, 0]);
  });
});
