import { expect } from 'chai';
import { EntryMap } from '../../../server/execution/entry-map.js';
import { KeyspaceKeys, makeId } from '../../../server/storage/keys.js';

const keys = new KeyspaceKeys(makeId(0, 0));
const header = (n: number): string => keys.header(0, n, `key:${n}`);

/** Entries of 10 bytes each. */
function filled(count: number, decree = 0): EntryMap {
  const map = new EntryMap();
  for (let n = 0; n < count; n++) map.add(header(n), { value: null, decree, bytes: 10, used: false });
  return map;
}

function present(map: EntryMap, count: number): number {
  return Array.from({ length: count }, (_, n) => map.get(header(n))).filter((entry) => entry !== undefined).length;
}

describe('the entries of a head state', () => {
  it('are found by their keys, short ones too', () => {
    const map = filled(1_000);
    for (const key of ['', 'a', '\x00name']) map.add(key, { value: null, decree: 7, bytes: 1, used: false });
    expect(present(map, 1_000)).to.equal(1_000);
    expect(map.get('a')?.decree).to.equal(7);
    expect(map.get('b')).to.equal(undefined);
    expect(map.bytes).to.equal(10_003);
  });

  it('are evicted until they fit, and no further', () => {
    const map = filled(1_000);
    map.evict(4_000, 0, 1_000_000);
    expect([map.bytes, present(map, 1_000)]).to.deep.equal([4_000, 400]);
  });

  it('are looked at a few at a time, the next ones each time', () => {
    const map = filled(1_000);
    map.evict(0, 0, 100);
    expect(present(map, 1_000)).to.be.within(900, 999);
    for (let i = 0; i < 12; i++) map.evict(0, 0, 100);
    expect(map.bytes).to.equal(0);
  });

  it('stay while they are pinned, and for another round when they were used', () => {
    const map = filled(100, 5);
    map.get(header(3))!.used = true;
    map.evict(0, 4, 1_000);
    expect(present(map, 100)).to.equal(100);
    map.get(header(3))!.used = true;
    map.evict(10, 5, 164);
    expect(map.get(header(3))).to.not.equal(undefined);
    map.evict(0, 5, 164);
    expect(map.bytes).to.equal(0);
  });

  it('lie in many small maps, those of one row and those of many', () => {
    const spread = (all: readonly string[]): number => {
      const map = new EntryMap();
      for (const key of all) map.add(key, { value: null, decree: 0, bytes: 1, used: false });
      const parts = (map as unknown as { parts: Map<string, unknown>[] }).parts;
      return Math.max(...parts.map(({ size }) => size));
    };
    const numbers = Array.from({ length: 6_400 }, (_, n) => n);
    const members = numbers.map((n) => keys.element(0, 0, 'set', makeId(1, 0), `\x02member:${n}`));
    const positions = numbers.map((n) =>
      keys.element(0, 0, 'list', makeId(1, 0), String.fromCharCode(128, 0, 0, 0, n >> 8, n & 0xff)),
    );
    const rows = numbers.map((n) => keys.header(0, Math.imul(n, 0x9e3779b1) >>> 0, `user:${n}:name`));
    for (const all of [members, positions, rows]) expect(spread(all)).to.be.lessThan(400);
  });
});
