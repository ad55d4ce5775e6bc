/** The view of one attempt at an operation: what it reads, what it logs, and what it leaves behind. */
import { expect } from 'chai';
import { ClientError } from '../../../shared/errors.js';
import type { View } from '../../../server/execution/view.js';
import { PARTITION_WIDE, type Group } from '../../../server/replication/mutation.js';
import { Encoding, RowType } from '../../../server/storage/row.js';
import { Attempts, bytes, START_MS } from './primary.js';

const put = (view: View, key: string, text: string, expireAtMs = 0): void => {
  const value = bytes(text);
  view.put(bytes(key), null, {
    type: RowType.string,
    encoding: Encoding.raw,
    expireAtMs,
    size: 0,
    bytes: value.length,
    large: false,
    value,
  });
};

/** A large row with these elements, each its own value. */
const putLarge = (view: View, key: string, sortKeys: readonly string[]): void => {
  const row = view.put(bytes(key), null, {
    type: RowType.hash,
    encoding: Encoding.hashtable,
    expireAtMs: 0,
    size: sortKeys.length,
    bytes: 0,
    large: true,
    value: bytes(''),
  });
  for (const sortKey of sortKeys) view.putElement(bytes(key), row, bytes(sortKey), bytes(`value ${sortKey}`));
};

const text = (view: View, key: string): string | null => view.row(bytes(key))?.value.latin1Slice() ?? null;

const elementsOf = (
  view: View,
  key: string,
  range: { gte?: string; lt?: string; reverse?: boolean; limit?: number } = {},
): string[] => {
  const { gte = null, lt = null, reverse = false, limit = 1_000 } = range;
  return view
    .elements(bytes(key), view.row(bytes(key))!, {
      gte: gte === null ? null : bytes(gte),
      lt: lt === null ? null : bytes(lt),
      reverse,
      limit,
    })
    .map(({ sortKey }) => sortKey.latin1Slice());
};

/** All keys by scanning in steps of `count`; how many each step brought. */
const scanAll = (attempts: Attempts, count: number): { keys: string[]; steps: number[] } => {
  const keys: string[] = [];
  const steps: number[] = [];
  for (let from: { slot: number; hash: number } | null = { slot: 0, hash: 0 }; from !== null; ) {
    const at: { slot: number; hash: number } = from;
    const page = attempts.run((view) => view.scan(at, count));
    keys.push(...page.keys.map(({ key }) => key.latin1Slice()));
    steps.push(page.keys.length);
    from = page.next;
  }
  return { keys, steps };
};

/** What groups write, without the expiry index: the space of each key, and `-` where it is deleted. */
const spaces = (groups: readonly Group[]): string[] =>
  groups.flatMap(({ writes }) =>
    writes.map(
      ({ key, value }) => `${key.charCodeAt(0) === 2 ? 'garbage' : key.charAt(9)}${value === null ? '-' : ''}`,
    ),
  );

describe('a view', () => {
  it('shows its own writes, what earlier mutations wrote and what the store holds, in that order', () => {
    const attempts = new Attempts();
    attempts.run((view) => put(view, 'a', 'first'));
    expect(attempts.run((view) => text(view, 'a'))).to.equal('first');
    attempts.apply();
    expect(attempts.run((view) => text(view, 'a'))).to.equal('first');
    attempts.run((view) => {
      put(view, 'a', 'second');
      expect(text(view, 'a')).to.equal('second');
    });
    expect(attempts.run((view) => text(view, 'a'))).to.equal('second');
  });

  it('drops the writes of an operation that failed', () => {
    const attempts = new Attempts();
    attempts.run((view) => put(view, 'a', 'first'));
    expect(() =>
      attempts.run((view) => {
        put(view, 'a', 'second');
        view.remove(bytes('a'));
        put(view, 'b', 'new');
        throw new ClientError('ERR no');
      }),
    ).to.throw(ClientError);
    expect(attempts.run((view) => [text(view, 'a'), text(view, 'b'), view.count().keys])).to.deep.equal([
      'first',
      null,
      1,
    ]);
    expect(attempts.mutations.length).to.equal(1);
  });

  it('logs an expired row that it meets as deleted', () => {
    const attempts = new Attempts();
    attempts.run((view) => put(view, 'a', 'x', START_MS + 100));
    attempts.nowMs += 99;
    expect(attempts.run((view) => text(view, 'a'))).to.equal('x');
    expect(attempts.mutations.length).to.equal(1);
    attempts.nowMs += 1;
    expect(attempts.run((view) => text(view, 'a'))).to.equal(null);
    expect(attempts.mutations.length).to.equal(2);
    expect(spaces(attempts.last)).to.deep.equal(['H-', 'X-']);
    expect(attempts.last[0]).to.include({ keysDelta: -1, expiresDelta: -1 });
    expect(attempts.run((view) => view.count())).to.deep.equal({ keys: 0, expires: 0 });
  });

  it('logs it too when the operation ends in an error, which may tell of it', () => {
    const attempts = new Attempts();
    attempts.run((view) => put(view, 'a', 'x', START_MS + 100));
    attempts.run((view) => put(view, 'b', 'x', START_MS + 100));
    attempts.nowMs += 100;
    expect(() =>
      attempts.run((view) => {
        if (view.row(bytes('a')) !== null) return;
        put(view, 'a', 'new');
        put(view, 'b', 'new');
        throw new ClientError('ERR no such key');
      }),
    ).to.throw(ClientError);
    expect(spaces(attempts.last)).to.deep.equal(['H-', 'X-', 'H-', 'X-']);
    expect(attempts.run((view) => view.count())).to.deep.equal({ keys: 0, expires: 0 });
  });

  it('replaces an expired row by a new one in one write, and counts it once', () => {
    const attempts = new Attempts();
    attempts.run((view) => put(view, 'a', 'x', START_MS + 100));
    attempts.nowMs += 100;
    attempts.run((view) => put(view, 'a', 'y', START_MS + 900));
    expect(spaces(attempts.last)).to.deep.equal(['H', 'X-', 'X']);
    expect(attempts.run((view) => view.count())).to.deep.equal({ keys: 1, expires: 1 });
  });

  it('gives the same randomness and the same ids at every attempt', () => {
    const attempts = new Attempts();
    attempts.run((view) => putLarge(view, 'h', ['a', 'b']));
    attempts.apply();
    const drawn: number[][] = [];
    const versions: string[] = [];
    attempts.run((view) => {
      drawn.push([view.random(), view.random()]);
      put(view, 'n', 'x');
      versions.push(view.row(bytes('n'))!.version);
      elementsOf(view, 'h');
    });
    expect(drawn.length, 'it missed a page').to.equal(2);
    expect(drawn[0]).to.deep.equal(drawn[1]);
    expect(versions[0]).to.equal(versions[1]);
  });

  it('never gives two rows the same version', () => {
    const attempts = new Attempts();
    const versions = attempts.run((view) => {
      put(view, 'a', '1');
      put(view, 'b', '1');
      return [view.row(bytes('a'))!.version, view.row(bytes('b'))!.version];
    });
    attempts.run((view) => put(view, 'a', '2'));
    versions.push(attempts.run((view) => view.row(bytes('a'))!.version));
    expect(new Set(versions).size).to.equal(3);
  });

  it('keeps the version of a row that is changed', () => {
    const attempts = new Attempts();
    attempts.run((view) => put(view, 'a', '1'));
    const before = attempts.run((view) => view.row(bytes('a'))!);
    attempts.run((view) => void view.put(bytes('a'), view.row(bytes('a')), { ...before, value: bytes('2') }));
    expect(attempts.run((view) => view.row(bytes('a'))!)).to.include({ version: before.version });
  });
});

describe('elements of a large row', () => {
  const large = (): Attempts => {
    const attempts = new Attempts();
    attempts.run((view) => putLarge(view, 'h', ['b', 'd', 'f', 'h']));
    attempts.apply();
    attempts.run((view) => {
      const row = view.row(bytes('h'))!;
      view.putElement(bytes('h'), row, bytes('c'), bytes('overlay'));
      view.putElement(bytes('h'), row, bytes('d'), bytes('overlay'));
      view.removeElement(bytes('h'), row, bytes('f'));
    });
    return attempts;
  };

  it('are merged from store, overlay and own writes, without what was deleted', () => {
    const attempts = large();
    expect(attempts.run((view) => elementsOf(view, 'h'))).to.deep.equal(['b', 'c', 'd', 'h']);
    attempts.run((view) => {
      const row = view.row(bytes('h'))!;
      view.removeElement(bytes('h'), row, bytes('b'));
      view.putElement(bytes('h'), row, bytes('z'), bytes('own'));
      expect(elementsOf(view, 'h')).to.deep.equal(['c', 'd', 'h', 'z']);
      expect(String(view.element(bytes('h'), row, bytes('z')))).to.equal('own');
      expect(view.element(bytes('h'), row, bytes('b'))).to.equal(null);
    });
    expect(attempts.apply().run((view) => elementsOf(view, 'h'))).to.deep.equal(['c', 'd', 'h', 'z']);
  });

  it('come in either direction, between bounds, as many as asked for', () => {
    const attempts = large();
    const ask = (range: Parameters<typeof elementsOf>[2]): string[] =>
      attempts.run((view) => elementsOf(view, 'h', range));
    expect(ask({ reverse: true })).to.deep.equal(['h', 'd', 'c', 'b']);
    expect(ask({ gte: 'c', lt: 'h' })).to.deep.equal(['c', 'd']);
    expect(ask({ gte: 'c', lt: 'h', reverse: true })).to.deep.equal(['d', 'c']);
    expect(ask({ limit: 2 })).to.deep.equal(['b', 'c']);
    expect(ask({ limit: 2, reverse: true })).to.deep.equal(['h', 'd']);
  });

  it('come complete over many pages of which most is deleted', () => {
    const attempts = new Attempts();
    const all = Array.from({ length: 500 }, (_, i) => String(1_000 + i));
    attempts.run((view) => putLarge(view, 'h', all));
    attempts.apply();
    attempts.run((view) => {
      const row = view.row(bytes('h'))!;
      for (const sortKey of all.slice(3, 480)) view.removeElement(bytes('h'), row, bytes(sortKey));
    });
    const left = [...all.slice(0, 3), ...all.slice(480)];
    expect(attempts.run((view) => elementsOf(view, 'h', { limit: 10 }))).to.deep.equal(left.slice(0, 10));
    expect(attempts.run((view) => elementsOf(view, 'h', { limit: 22, reverse: true }))).to.deep.equal(
      left.toReversed().slice(0, 22),
    );
  });

  it('become garbage when the row is replaced or removed: one record, whatever their number', () => {
    const attempts = large();
    attempts.run((view) => put(view, 'h', 'small'));
    expect(spaces(attempts.last)).to.deep.equal(['H', 'garbage']);
    const [record] = attempts.last.flatMap(({ writes }) => writes.filter(({ key }) => key.charCodeAt(0) === 2));
    const stored = attempts.primary.stored('E');
    expect(stored.length).to.equal(4);
    for (const key of stored) expect(key.startsWith(record!.value!.latin1Slice())).to.equal(true);
    attempts.run((view) => putLarge(view, 'h', ['x']));
    expect(
      attempts.run((view) => elementsOf(view, 'h')),
      'the old ones are not seen again',
    ).to.deep.equal(['x']);
    attempts.run((view) => void view.remove(bytes('h')));
    expect(spaces(attempts.last)).to.deep.equal(['H-', 'garbage']);
  });
});

describe('a flush', () => {
  it('empties one database, in one write, and everything depends on it', () => {
    const attempts = new Attempts();
    for (const db of [0, 1]) attempts.run((view) => put(view, 'a', `in ${db}`), db);
    attempts.apply();
    attempts.run((view) => view.flush(), 0);
    expect(attempts.last.map(({ slot, writes }) => [slot, writes.length])).to.deep.equal([[PARTITION_WIDE, 2]]);
    expect(attempts.run((view) => [text(view, 'a'), view.count().keys, text(view.inDatabase(1), 'a')])).to.deep.equal([
      null,
      0,
      'in 1',
    ]);
    expect(attempts.attempt.dependency).to.equal(3);
    attempts.run((view) => put(view, 'a', 'again'));
    expect(attempts.run((view) => [text(view, 'a'), view.count().keys])).to.deep.equal(['again', 1]);
  });

  it('and a swap exchange whole databases with their counts', () => {
    const attempts = new Attempts();
    attempts.run((view) => put(view, 'a', 'zero'), 0);
    attempts.run((view) => put(view, 'a', 'one'), 1);
    attempts.run((view) => put(view, 'b', 'one'), 1);
    attempts.run((view) => view.swapDatabases(0, 1));
    expect(attempts.run((view) => [text(view, 'a'), view.count().keys, view.inDatabase(1).count().keys])).to.deep.equal(
      ['one', 2, 1],
    );
    attempts.apply();
    attempts.run((view) => view.flush(), 0);
    expect(attempts.run((view) => [text(view, 'a'), text(view.inDatabase(1), 'a')])).to.deep.equal([null, 'zero']);
  });
});

describe('a scan', () => {
  const keys = Array.from({ length: 200 }, (_, i) => `key-${i}`);

  /** Some keys in the store, some in the overlay, some deleted since. */
  const mixed = (): { attempts: Attempts; left: string[] } => {
    const attempts = new Attempts();
    for (const key of keys.slice(0, 150)) attempts.run((view) => put(view, key, 'x'));
    attempts.apply();
    for (const key of keys.slice(150)) attempts.run((view) => put(view, key, 'x'));
    for (const key of keys.slice(100, 120)) attempts.run((view) => void view.remove(bytes(key)));
    return { attempts, left: [...keys.slice(0, 100), ...keys.slice(120)].sort() };
  };

  it('brings every live key once, from store and overlay, whatever the size of its steps', () => {
    for (const count of [1, 7, 64, 1_000]) {
      const { attempts, left } = mixed();
      const { keys: found, steps } = scanAll(attempts, count);
      expect(found.sort(), `COUNT ${count}`).to.deep.equal(left);
      expect(Math.max(...steps)).to.be.at.most(count + 1);
    }
  });

  it('leaves out what has expired', () => {
    const { attempts, left } = mixed();
    attempts.run((view) => put(view, keys[0]!, 'x', START_MS + 5));
    attempts.nowMs += 5;
    expect(scanAll(attempts, 10).keys.sort()).to.deep.equal(left.filter((key) => key !== keys[0]));
  });

  it('returns all keys of one hash together, more than asked for if need be', () => {
    const attempts = new Attempts();
    Object.assign(attempts.primary.facts.hash, { of: () => 7 });
    const tagged = keys.slice(0, 40).map((key) => `{t}${key}`);
    for (const key of tagged) attempts.run((view) => put(view, key, 'x'));
    attempts.run((view) => put(view, 'elsewhere', 'x'));
    attempts.apply();
    const { keys: found, steps } = scanAll(attempts, 3);
    expect(found.sort()).to.deep.equal(['elsewhere', ...tagged].sort());
    expect(steps.filter((step) => step > 0).sort((a, b) => a - b)).to.deep.equal([1, 40]);
  });

  it('depends on everything before it', () => {
    const attempts = new Attempts();
    attempts.run((view) => put(view, 'a', 'x'));
    attempts.run((view) => put(view, 'b', 'x'));
    attempts.run((view) => text(view, 'a'));
    expect(attempts.attempt.dependency).to.equal(1);
    attempts.run((view) => text(view, 'none'));
    expect(attempts.attempt.dependency, 'nobody ever wrote it').to.equal(0);
    attempts.run((view) => view.scan({ slot: 0, hash: 0 }, 10));
    expect(attempts.attempt.dependency).to.equal(2);
    attempts.run((view) => view.count());
    expect(attempts.attempt.dependency).to.equal(2);
  });

  it('and a random key see the same rows', () => {
    const { attempts, left } = mixed();
    for (let i = 0; i < 20; i++) {
      expect(left).to.include(attempts.run((view) => view.randomKey()?.latin1Slice()));
    }
    attempts.run((view) => view.flush());
    expect(attempts.run((view) => view.randomKey())).to.equal(null);
  });

  it('a random key is a live one though nearly all have expired', () => {
    const attempts = new Attempts();
    for (const key of keys) attempts.run((view) => put(view, key, 'x', key === 'key-77' ? 0 : START_MS + 1));
    attempts.nowMs += 1;
    expect(attempts.run((view) => view.randomKey()?.latin1Slice())).to.equal('key-77');
  });
});
