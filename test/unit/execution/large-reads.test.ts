/** Operations that read much: in pieces, one such operation at a time, up to a limit; small limits stand for large data. */
import { expect } from 'chai';
import { limits } from '../../../shared/limits.js';
import { get, increment, set } from '../../../shared/operations/codes.js';
import { listPush, listRange } from '../../../shared/operations/lists.js';
import { setAdd, setCombine, Combination } from '../../../shared/operations/sets.js';
import { bytes, Primary } from './primary.js';

const [a, b, other] = [bytes('a'), bytes('b'), bytes('other')];
const count = 300;
const values = Array.from({ length: count }, (_, i) => bytes(`value ${String(i).padStart(4, '0')}`));
const before: typeof limits = { ...limits };

/** Two large lists and a counter in the store. */
function filled(): Primary {
  const primary = new Primary({ slowFetches: true });
  for (const key of [a, b]) primary.now(listPush(key, false, false, values));
  primary.now(set(other, bytes('0')));
  return primary.apply();
}

const whole = (key: Buffer): ReturnType<typeof listRange> => listRange(key, 0, -1);

describe('an operation that reads much', () => {
  beforeEach(() => void Object.assign(limits, { fetchRangeEntries: 50, largeRead: 100 }));
  afterEach(() => void Object.assign(limits, before));

  it('reads it in pieces, between which others are served, and is begun again once', () => {
    const primary = filled();
    const id = primary.send(whole(a), { connection: 1 });
    primary.turn();
    const { executed } = primary.executor;
    for (let piece = 0; piece < count / 50; piece++) {
      expect(primary.fetching).to.equal(1);
      expect(primary.answer(id)).to.equal(undefined);
      expect(String(primary.value(sent(primary)))).to.equal('0');
      primary.fetched();
    }
    expect(primary.fetching).to.equal(0);
    expect(primary.value(id)).to.deep.equal(values);
    expect(primary.executor.executed - executed).to.equal(count / 50 + 1);
  });

  it('sees as a whole what was written between two pieces', () => {
    const primary = filled();
    const id = primary.send(whole(a), { connection: 1 });
    primary.turn().fetched();
    // at both ends: of what was read already, and of what was not
    primary.send(listPush(a, true, false, [bytes('first')]), { connection: 2 });
    primary.send(listPush(a, false, false, [bytes('last')]), { connection: 2 });
    primary.turn().commit().apply();
    while (primary.fetching > 0) primary.fetched();
    const seen = (primary.value(id) as Buffer[]).map(String);
    expect(seen.length).to.equal(count + 2);
    expect(new Set(seen)).to.include('first').and.to.include('last');
  });

  it('waits while another one reads, and goes on when that is done', () => {
    const primary = filled();
    const first = primary.send(whole(a), { connection: 1 });
    const second = primary.send(whole(b), { connection: 2 });
    primary.turn();
    for (let piece = 0; piece < count / 50; piece++) {
      expect(primary.fetching, 'one at a time').to.equal(1);
      primary.fetched();
    }
    expect(primary.value(first)).to.deep.equal(values);
    expect(primary.answer(second)).to.equal(undefined);
    while (primary.fetching > 0) primary.fetched();
    expect(primary.value(second)).to.deep.equal(values);
  });

  it('lets the next one go on, too, when it was given up meanwhile', () => {
    const primary = filled();
    const first = primary.send(whole(a), { connection: 1 });
    primary.turn();
    primary.settle({ fence: first });
    const second = primary.send(whole(b), { connection: 2 });
    primary.turn();
    while (primary.fetching > 0) primary.fetched();
    expect(primary.value(second)).to.deep.equal(values);
  });

  it('is refused before anything is read where it would be more than one may', () => {
    Object.assign(limits, { operationEntries: count - 1 });
    const primary = filled();
    const id = primary.send(whole(a), { connection: 1 });
    primary.turn();
    expect(primary.fetching).to.equal(0);
    expect(String(primary.value(id))).to.match(/^ERR the command reads more than \d+ elements at once/);
  });

  it('is refused where that turns out on the way, by its bytes', () => {
    Object.assign(limits, { operationBytes: 2_000 });
    const primary = filled();
    const id = primary.send(whole(a), { connection: 1 });
    primary.turn();
    while (primary.fetching > 0) primary.fetched();
    expect(String(primary.value(id))).to.match(/^ERR the command reads more than/);
    expect(primary.now(increment(other, 1))).to.equal(1);
  });

  it('intersects a large set with a small one in as many fetches as the small one needs', () => {
    const primary = new Primary({ slowFetches: true });
    primary.now(setAdd(a, values));
    primary.now(
      setAdd(b, [...values.slice(0, 80), ...values.map((value) => bytes(`${String(value)} else`)).slice(0, 20)]),
    );
    primary.apply();
    const id = primary.send(setCombine(Combination.intersection, [a, b]), { connection: 1 });
    let fetches = 0;
    for (primary.turn(); primary.fetching > 0; primary.fetched()) fetches++;
    expect((primary.value(id) as Buffer[]).length).to.equal(80);
    expect(fetches).to.be.at.most(4);
  });

  function sent(primary: Primary): number {
    const id = primary.send(get(other), { connection: 3 });
    primary.turn();
    return id;
  }
});
