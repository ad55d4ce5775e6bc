import { expect } from 'chai';
import { Counts } from '../../../server/execution/counts.js';
import { decodeKeyspaces, encodeKeyspaces, Head, initialKeyspaces } from '../../../server/execution/head.js';
import type { Row } from '../../../server/execution/view.js';
import { KeyspaceKeys, makeId, toBuffer } from '../../../server/storage/keys.js';
import { encodeHeader } from '../../../server/storage/row-header.js';
import { Primary } from './primary.js';

const keys = new KeyspaceKeys(makeId(0, 0));
const element = (n: number): string => keys.element(0, 0, 'row', makeId(1, 0), String(n).padStart(6, '0'));
const header = (n: number): string => keys.header(0, n, 'row');
const value = (text: string): Buffer => Buffer.from(text);
const STEP_BYTES = 32 * 1024;

const row: Row = {
  type: 1,
  encoding: 1,
  version: makeId(1, 0),
  expireAtMs: 0,
  modifiedAtMs: 0,
  modified: '12345678',
  origin: 0,
  accessedAtS: 0,
  frequency: 5,
  size: 0,
  bytes: 1,
  large: false,
  value: Buffer.from('v'),
};

/** A head of its own on a store that counts how often it is read. */
function headOn(cacheBytes: number): {
  head: Head;
  reads: () => number;
  put: (key: string, bytes: Buffer | null) => void;
} {
  const primary = new Primary();
  let reads = 0;
  const { store } = primary;
  const counting = {
    ...store,
    getSync: (key: Buffer): Buffer | undefined => {
      reads++;
      return store.getSync(key);
    },
  };
  return {
    head: new Head(counting, cacheBytes, initialKeyspaces(), new Counts(), 0),
    reads: () => reads,
    put: (key, bytes) => {
      store.write([{ key: toBuffer(key), value: bytes }], false, () => undefined);
      primary.turn();
    },
  };
}

describe('the head state', () => {
  it('shows what mutations wrote over what the store holds', () => {
    const { head, put } = headOn(1 << 20);
    put(element(1), value('stored'));
    put(element(2), value('stored'));
    head.write(element(1), value('new'), 3, 1);
    head.write(element(2), null, 0, 2);
    expect(head.get(element(1))).to.include({ decree: 1 });
    expect(String(head.get(element(1)).value)).to.equal('new');
    expect([head.get(element(2)).value, head.get(element(3)).value]).to.deep.equal([null, null]);
    expect(head.lastDecree).to.equal(2);
  });

  it('gives headers decoded, whether read or written', () => {
    const { head, put } = headOn(1 << 20);
    put(header(1), encodeHeader(row));
    expect(head.get(header(1)).value).to.deep.equal(row);
    head.write(header(2), row, 45, 1);
    expect(head.get(header(2)).value).to.equal(row);
  });

  it('reads the store once for what it keeps, absent keys included', () => {
    const { head, reads, put } = headOn(1 << 20);
    put(element(1), value('v'));
    for (let i = 0; i < 3; i++) {
      head.get(element(1));
      head.get(element(2));
    }
    expect(reads()).to.equal(2);
  });

  it('does not keep large values beside the store', () => {
    const { head, reads, put } = headOn(1 << 24);
    put(element(1), Buffer.alloc(100_000));
    head.get(element(1));
    head.get(element(1));
    expect(reads()).to.equal(2);
    head.write(element(2), Buffer.alloc(100_000), 100_000, 1);
    head.onApplied(1);
    expect(head.inMemory(element(2))).to.equal(undefined);
  });

  it('keeps what is not applied, and lists it in ranges', () => {
    const { head } = headOn(1 << 20);
    head.write(element(1), value('a'), 1, 1);
    head.write(element(2), value('b'), 1, 2);
    head.write(element(5), value('c'), 1, 2);
    expect(head.overlayKeys(element(1), element(5)).sort()).to.deep.equal([element(1), element(2)]);
    head.onApplied(1);
    expect(head.overlayKeys(element(1), element(9)).sort()).to.deep.equal([element(2), element(5)]);
    head.onApplied(2);
    expect(head.overlayKeys(element(1), element(9))).to.deep.equal([]);
    expect(String(head.inMemory(element(1))?.value), 'it stays as a copy of the store').to.equal('a');
  });

  it('forgets indexes, garbage records and the like once they are applied', () => {
    const { head } = headOn(1 << 20);
    const index = keys.expiry(5, 0, 0, 'row');
    head.write(index, Buffer.alloc(0), 0, 1);
    expect(head.inMemory(index)?.decree).to.equal(1);
    head.onApplied(1);
    expect(head.inMemory(index)).to.equal(undefined);
  });

  it('keeps a row that a newer mutation wrote again', () => {
    const { head } = headOn(1 << 20);
    const index = keys.expiry(5, 0, 0, 'row');
    head.write(index, Buffer.alloc(0), 0, 1);
    head.write(index, null, 0, 2);
    head.onApplied(1);
    expect(head.overlayKeys(index, `${index}\xff`)).to.deep.equal([index]);
    expect(head.inMemory(index)).to.include({ value: null, decree: 2 });
  });

  it('holds for a fetch what was applied since it began, until the last of them ends', () => {
    const { head } = headOn(1 << 20);
    head.write(element(1), value('a'), 1, 1);
    head.onApplied(1);
    const first = head.beginFetch();
    head.write(element(2), value('b'), 1, 2);
    head.onApplied(2);
    const second = head.beginFetch();
    head.write(element(3), value('c'), 1, 3);
    head.onApplied(3);
    const overlay = (): string[] => head.overlayKeys(element(0), element(9)).sort();
    expect(overlay()).to.deep.equal([element(2), element(3)]);
    head.endFetch(first);
    expect(overlay()).to.deep.equal([element(3)]);
    head.endFetch(second);
    expect(overlay()).to.deep.equal([]);
  });

  it('stays within its budget, a step for looking apart', () => {
    const { head, put } = headOn(1 << 20);
    put(header(1), encodeHeader(row));
    for (let n = 0; n < 40_000; n++) head.get(header(n));
    let held = 0;
    for (let n = 0; n < 40_000; n++) if (head.inMemory(header(n)) !== undefined) held += 345 + header(n).length;
    expect(held).to.be.within((1 << 20) - STEP_BYTES, (1 << 20) + 2 * STEP_BYTES);
  });

  it('never evicts what is pinned, however little room there is', () => {
    const { head } = headOn(1_000);
    for (let n = 0; n < 5_000; n++) head.write(element(n), value(String(n)), 6, 1 + Math.floor(n / 100));
    const fetch = head.beginFetch();
    head.onApplied(50);
    for (let n = 10_000; n < 20_000; n++) head.get(element(n));
    for (let n = 0; n < 5_000; n++) expect(String(head.inMemory(element(n))?.value)).to.equal(String(n));
    head.endFetch(fetch);
    for (let n = 20_000; n < 40_000; n++) head.get(element(n));
    const left = Array.from({ length: 5_000 }, (_, n) => head.inMemory(element(n))).filter(Boolean).length;
    expect(left).to.be.lessThan(100);
  });

  it('gives what was used a second chance', () => {
    const { head } = headOn(1 << 20);
    head.get(header(0));
    for (let n = 1; n < 8_000; n++) {
      head.get(header(n));
      head.get(header(0));
    }
    expect(head.inMemory(header(0))).to.not.equal(undefined);
    expect(head.inMemory(header(1))).to.equal(undefined);
  });

  it('keeps what is read while a huge collection is written and looked through', () => {
    const { head, put } = headOn(1 << 20);
    const hot = [header(0), element(1_000_000)];
    put(hot[0]!, encodeHeader(row));
    put(hot[1]!, value('hot'));
    for (const key of hot) head.get(key);
    for (let n = 0; n < 20_000; n++) {
      head.get(element(n)); // nobody knows it yet
      head.write(element(n), value('new'), 3, 1 + n);
      if (n % 100 === 99) head.onApplied(1 + n);
    }
    for (const key of hot) expect(head.inMemory(key)).to.not.equal(undefined);
    const left = Array.from({ length: 20_000 }, (_, n) => head.inMemory(element(n))).filter(Boolean).length;
    expect(left, 'of elements half of the room').to.be.within(1_000, 1_400);
  });

  it('keeps written elements that were asked for before they were applied, however many others there are', () => {
    const { head } = headOn(1 << 20);
    for (let n = 0; n < 5_000; n++) head.write(element(n), value('v'), 1, 1);
    const asked = Array.from({ length: 50 }, (_, i) => element(100 * i));
    for (const key of asked) head.get(key);
    head.onApplied(1);
    for (const key of asked) expect(head.inMemory(key)).to.not.equal(undefined);
  });

  it('takes a new keyspace at once and forgets the counts of the old one', () => {
    const { head } = headOn(1 << 20);
    const ids = initialKeyspaces();
    head.counts.of(ids[0]!).add(5, 3, 1, 0);
    head.counts.of(ids[1]!).add(5, 2, 0, 0);
    const [first, ...others] = head.keyspaces;
    head.setKeyspaces([makeId(9, 0), ...ids.slice(1)], 9);
    expect(head.wideDecree).to.equal(9);
    expect(head.keyspaces[0]?.id).to.equal(makeId(9, 0));
    expect(head.keyspaces.slice(1)).to.deep.equal(others);
    expect(head.counts.of(first!.id).keys).to.equal(0);
    expect(head.counts.of(ids[1]!).keys).to.equal(2);
  });

  it('writes the keyspaces of its databases as they are read', () => {
    const ids = initialKeyspaces();
    expect(decodeKeyspaces(encodeKeyspaces(ids))).to.deep.equal(ids);
    expect(() => decodeKeyspaces(Buffer.alloc(5))).to.throw('16 databases');
  });

  it('has what is not in memory fetched, where the store says that point reads are not cheap', () => {
    const { store } = new Primary();
    const wide = Object.assign(Object.create(store) as typeof store, { cheapReads: false });
    const head = new Head(wide, STEP_BYTES, initialKeyspaces(), new Counts(), 0);
    expect(() => head.get(element(1)))
      .to.throw()
      .with.deep.property('keys', [element(1)]);
    head.keep(element(1), value('fetched'));
    expect(head.get(element(1)).value).to.deep.equal(value('fetched'));
    expect(head.expectedMin).to.equal(2);
  });
});

describe('counts', () => {
  it('add up by slot and find the slot of the nth row', () => {
    const counts = new Counts();
    const keyspace = counts.of('k');
    keyspace.add(3, 2, 1, 0);
    keyspace.add(700, 1, 0, 0);
    keyspace.add(16_383, 4, 4, 0);
    keyspace.add(3, -1, -1, 0);
    expect([keyspace.keys, keyspace.expires]).to.deep.equal([6, 4]);
    expect(keyspace.ofSlot(3)).to.deep.equal({ keys: 1, expires: 0, bytes: 0 });
    expect([0, 1, 2, 5, 6].map((index) => keyspace.slotOfIndex(index))).to.deep.equal([3, 700, 16_383, 16_383, -1]);
    const copy = counts.copy();
    copy.of('k').add(3, 1, 0, 0);
    expect([counts.of('k').keys, copy.of('k').keys]).to.deep.equal([6, 7]);
  });
});
