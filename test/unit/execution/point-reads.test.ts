/** Reads that would hold up the event loop are fetched, and change nothing but the time they take. */
import { expect } from 'chai';
import { PointReads } from '../../../server/execution/point-reads.js';
import { append, exists, get, multiGet, multiSet, remove } from '../../../shared/operations/codes.js';
import { fieldMultiGet } from '../../../shared/operations/fields.js';
import { hashSet } from '../../../shared/operations/hashes.js';
import { listPush } from '../../../shared/operations/lists.js';
import { setAdd, setHas } from '../../../shared/operations/sets.js';
import { sort } from '../../../shared/operations/sorting.js';
import { Primary } from './primary.js';

const bytes = (text: string): Buffer => Buffer.from(text);
const [a, b] = [bytes('a'), bytes('b')] as const;
const put = (key: Buffer, value: string): ReturnType<typeof multiSet> => multiSet([key, bytes(value)]);

class Elsewhere extends PointReads {
  override get here(): boolean {
    return false;
  }
}

function bench(): { reads: PointReads; clock: { nowMs: number } } {
  const clock = { nowMs: 0 };
  return { reads: new PointReads(() => clock.nowMs), clock };
}

describe('where point reads are made', () => {
  it('is the event loop until one is slow, and again after a while, which grows while they stay slow', () => {
    const { reads, clock } = bench();
    const read = (ms: number): string => reads.make(() => ((clock.nowMs += ms), 'value'));
    expect(read(0.25)).to.equal('value');
    expect(reads.here).to.equal(true);
    const pauses: number[] = [];
    for (let i = 0; i < 7; i++) {
      read(5);
      const fromMs = clock.nowMs;
      while (!reads.here) clock.nowMs += 10;
      pauses.push(clock.nowMs - fromMs);
    }
    expect(pauses).to.deep.equal([100, 200, 400, 800, 1_600, 2_000, 2_000]);
    clock.nowMs += 60_000;
    read(5);
    const fromMs = clock.nowMs;
    while (!reads.here) clock.nowMs += 10;
    expect(clock.nowMs - fromMs).to.equal(100);
  });
});

describe('an operation whose row is on a slow disk', () => {
  /** Nothing of what was committed is in its memory. */
  const successor = ({ mutations }: Primary): Primary =>
    new Primary({ committed: mutations, reads: new Elsewhere(() => 0) });
  const slow = (): Primary => {
    const primary = new Primary();
    primary.now(put(a, '1'));
    primary.now(put(b, '2'));
    return successor(primary);
  };
  const settle = (primary: Primary): void => {
    while (primary.fetching > 0) primary.fetched();
    primary.turn();
  };

  it('waits for a fetch, and others go on meanwhile', () => {
    const primary = slow();
    const cold = primary.send(get(a), { connection: 1 });
    const behind = primary.send(get(b), { connection: 1 });
    primary.turn();
    const other = primary.send(put(bytes('c'), '3'), { connection: 2 });
    primary.turn().fetched(1).commit();
    expect(primary.value(other)).to.equal(true);
    expect(primary.answer(cold)).to.equal(undefined);
    settle(primary);
    expect([cold, behind].map((id) => String(primary.value(id)))).to.deep.equal(['1', '2']);
  });

  it('sees what was written while it was fetched, applied or not', () => {
    for (const applied of [false, true]) {
      const primary = slow();
      const cold = primary.send(append(a, bytes('x')), { connection: 1 });
      primary.turn();
      primary.send(put(a, 'new'), { connection: 2 });
      primary.turn().fetched(1).commit();
      if (applied) primary.apply();
      settle(primary);
      primary.commit();
      expect(primary.value(cold)).to.equal(4);
      const next = successor(primary);
      const read = next.send(get(a), { connection: 3 });
      next.turn();
      settle(next);
      expect(String(next.value(read))).to.equal('newx');
    }
  });

  it('is begun again once, when it looks up many elements', () => {
    const members = Array.from({ length: 300 }, (_, i) => bytes(`m${i}`));
    const fields = members.flatMap((member) => [member, member]);
    const primary = new Primary();
    primary.now(setAdd(a, members));
    primary.now(hashSet(b, null, fields));
    const next = successor(primary);
    const wanted = [...members.slice(0, 50), bytes('none')];
    for (const [operation, found] of [
      [setHas(a, wanted), (value: unknown) => (value as unknown[]).filter((each) => each === true).length],
      [fieldMultiGet(b, wanted), (value: unknown) => (value as unknown[]).filter((each) => each !== null).length],
    ] as const) {
      const id = next.send(operation, { connection: 1 });
      next.turn();
      // the row, then all elements
      next.fetched();
      next.turn();
      next.fetched();
      next.turn();
      expect(next.fetching).to.equal(0);
      expect(found(next.value(id))).to.equal(50);
    }
  });

  it('is begun again once for each of the patterns that SORT follows to other rows', () => {
    const members = Array.from({ length: 100 }, (_, i) => bytes(String(i)));
    const primary = new Primary();
    primary.now(listPush(a, true, false, members));
    primary.now(multiSet(members.flatMap((member) => [bytes(`w${String(member)}`), member])));
    const next = successor(primary);
    const patterns = { by: bytes('w*'), gets: [bytes('w*'), bytes('none*')], firstPattern: 'BY' } as const;
    const sorting = {
      key: a,
      asIs: false,
      settles: false,
      descending: true,
      alphabetic: false,
      start: 0,
      count: 100,
      ...patterns,
    };
    const id = next.send(sort(sorting), { connection: 1 });
    let fetches = 0;
    for (next.turn(); next.fetching > 0; next.turn()) {
      next.fetched();
      fetches++;
    }
    const values = next.value(id) as readonly (Buffer | null)[];
    expect(values.slice(0, 4).map((value) => value?.toString())).to.deep.equal(['99', undefined, '98', undefined]);
    // the list, its values, what it is sorted by, what is not there
    expect(fetches).to.be.at.most(5);
  });

  it('is begun again once, when it is on many rows', () => {
    const primary = slow();
    const ids = [
      primary.send(multiGet([a, b, bytes('none')]), { connection: 1 }),
      primary.send(exists([a, b, bytes('neither')]), { connection: 2 }),
    ];
    primary.turn();
    expect(primary.fetching).to.equal(2);
    primary.fetched();
    primary.turn();
    expect((primary.value(ids[0]!) as unknown[]).map(String)).to.deep.equal(['1', '2', 'null']);
    settle(primary);
    expect(primary.value(ids[1]!)).to.equal(2);
    const gone = primary.send(remove([a, b]), { connection: 3 });
    primary.turn();
    settle(primary);
    primary.commit();
    expect(primary.value(gone)).to.equal(2);
  });
});
