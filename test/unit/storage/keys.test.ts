import { expect } from 'chai';
import * as keys from '../../../server/storage/keys.js';

const keyspaceId = keys.makeId(0x0102_0304_0506, 7);
const space = new keys.KeyspaceKeys(keyspaceId);
const every = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
const within = (key: string, range: keys.StringRange): boolean => key >= range.gte && key < range.lt;

describe('store keys', () => {
  it('are read back as they were built, whatever bytes they hold', () => {
    const version = keys.makeId(2 ** 48 - 1, 65535);
    expect(keys.parseHeaderKey(keys.toBuffer(space.header(16383, 0xfedcba98, every)))).to.deep.equal({
      keyspace: keyspaceId,
      slot: 16383,
      hash: 0xfedcba98,
      key: keys.toBuffer(every),
    });
    expect(keys.parseElementKey(keys.toBuffer(space.element(1, 2, every, version, every)))).to.deep.equal({
      keyspace: keyspaceId,
      slot: 1,
      hash: 2,
      key: keys.toBuffer(every),
      version,
      sortKey: keys.toBuffer(every),
    });
    expect(keys.parseExpiryKey(keys.toBuffer(space.expiry(1_900_000_000_000, 1, 0xffffffff, '')))).to.deep.equal({
      keyspace: keyspaceId,
      expireAtMs: 1_900_000_000_000,
      slot: 1,
      hash: 0xffffffff,
      key: Buffer.alloc(0),
    });
    expect(keys.parseCountKey(keys.toBuffer(space.count(4097)))).to.deep.equal({ keyspace: keyspaceId, slot: 4097 });
    expect(keys.parseGarbageKey(keys.toBuffer(keys.garbageKey(version)))).to.equal(version);
    expect(keys.parseId(version)).to.deep.equal({ decree: 2 ** 48 - 1, index: 65535 });
    expect(keys.parseId(keyspaceId)).to.deep.equal({ decree: 0x0102_0304_0506, index: 7 });
    expect(keys.decodeCount(keys.encodeCount({ keys: 2 ** 40, expires: 3, bytes: 2 ** 45 + 1 }))).to.deep.equal({
      keys: 2 ** 40,
      expires: 3,
      bytes: 2 ** 45 + 1,
    });
  });

  it('order as latin1 strings as their bytes do', () => {
    const some = [
      space.header(0, 0, ''),
      space.header(0, 0xffffffff, 'a'),
      space.header(1, 0, every),
      space.header(256, 0x80, '\xff'),
      space.element(3, 4, 'ab', keyspaceId, 'x'),
      space.expiry(5, 6, 7, 'k'),
      space.count(9),
      keys.metaKey('applied'),
      keys.garbageKey(keyspaceId),
    ];
    const byText = some.slice().sort((a, b) => (a < b ? -1 : 1));
    const byBytes = some.slice().sort((a, b) => Buffer.compare(keys.toBuffer(a), keys.toBuffer(b)));
    expect(byText).to.deep.equal(byBytes);
    for (const key of some) expect(within(key, keys.everything)).to.equal(true);
  });

  it('of headers are in order of slot, hash, key', () => {
    const order = [
      space.header(1, 5, 'z'),
      space.header(2, 0, ''),
      space.header(2, 3, 'b'),
      space.header(2, 3, 'ba'),
      space.header(2, 0x80000000, 'a'),
      space.header(300, 0, 'a'),
    ];
    expect(order.slice().sort()).to.deep.equal(order);
    const range = space.headersFrom(2, 3, 300);
    expect(order.map((key) => within(key, range))).to.deep.equal([false, false, true, true, true, true]);
    expect(order.map((key) => within(key, space.slots('H', 2, 2)))).to.deep.equal([
      false,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it('of the elements of one version of a row, and no others, share its prefix', () => {
    const versions = [keys.makeId(1, 0), keys.makeId(1, 1)] as const;
    const range = keys.prefixRange(space.elements(1, 2, 'key', versions[0]));
    expect(within(space.element(1, 2, 'key', versions[0], ''), range)).to.equal(true);
    expect(within(space.element(1, 2, 'key', versions[0], '\xff\xff'), range)).to.equal(true);
    expect(within(space.element(1, 2, 'key', versions[1], ''), range)).to.equal(false);
    expect(within(space.element(1, 2, 'key' + versions[0], versions[0], ''), range)).to.equal(false);
    const sortKeys = ['', '\x00', '\x00\x01', 'a', 'b', '\xff'].map((sortKey) =>
      space.element(1, 2, 'key', versions[0], sortKey),
    );
    expect(sortKeys.slice().sort()).to.deep.equal(sortKeys);
  });

  it('of expired rows come before those that live', () => {
    const range = space.expiredAt(1000);
    expect(within(space.expiry(1000, 16383, 0xffffffff, every), range)).to.equal(true);
    expect(within(space.expiry(1001, 0, 0, ''), range)).to.equal(false);
  });

  it('have a successor that nothing with the prefix reaches', () => {
    expect(keys.successor('a\xff\xff')).to.equal('b');
    expect(keys.successor('ab')).to.equal('ac');
    expect(() => keys.successor('\xff')).to.throw(/invariant/);
  });

  it('are refused in the wrong space or cut short', () => {
    const header = keys.toBuffer(space.header(1, 2, 'k'));
    const element = keys.toBuffer(space.element(1, 2, 'key', keyspaceId, ''));
    expect(() => keys.parseElementKey(header)).to.throw(/invariant/);
    expect(() => keys.parseHeaderKey(keys.toBuffer(keys.metaKey('x')))).to.throw(/invariant/);
    for (let end = 0; end < element.length; end++)
      expect(() => keys.parseElementKey(element.subarray(0, end))).to.throw(/invariant/);
    expect(keys.spaceOf(header)).to.deep.equal({ keyspace: keyspaceId, space: 'H' });
    expect(keys.spaceOf(keys.toBuffer(keys.metaKey('applied')))).to.equal(null);
  });
});
