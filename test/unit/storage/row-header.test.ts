import { expect } from 'chai';
import type { Row } from '../../../server/execution/view.js';
import { makeId } from '../../../server/storage/keys.js';
import { decodeHeader, encodeHeader } from '../../../server/storage/row-header.js';
import { Encoding, RowType } from '../../../server/storage/row.js';

const row: Row = {
  type: RowType.zset,
  encoding: Encoding.skiplist,
  version: makeId(2 ** 47, 0xfffe),
  expireAtMs: 2 ** 48 - 1,
  modifiedAtMs: 1_800_000_000_123,
  modified: 'modified',
  origin: 65535,
  accessedAtS: 2 ** 32 - 1,
  frequency: 255,
  size: 2 ** 48 - 1,
  bytes: 2 ** 47 + 1,
  large: true,
  value: Buffer.from('\x00value\xff', 'latin1'),
};

describe('row header', () => {
  it('is read back as it was written, at the ends of every field', () => {
    expect(decodeHeader(encodeHeader(row))).to.deep.equal(row);
    const least: Row = {
      ...row,
      type: RowType.string,
      expireAtMs: 0,
      modifiedAtMs: 0,
      origin: 0,
      accessedAtS: 0,
      frequency: 0,
      size: 0,
      bytes: 0,
      large: false,
      value: Buffer.alloc(0),
    };
    expect(decodeHeader(encodeHeader(least))).to.deep.equal(least);
    const big: Row = { ...row, value: Buffer.alloc(100_000, 7) };
    expect(decodeHeader(encodeHeader(big)).value.equals(big.value)).to.equal(true);
  });

  it('of a newer format, an unknown type or too few bytes is refused', () => {
    const bytes = encodeHeader(row);
    const changed = (at: number, value: number): Buffer => {
      const copy = Buffer.from(bytes);
      copy[at] = value;
      return copy;
    };
    for (const bad of [
      changed(0, 3),
      changed(0, 1),
      changed(0, 0),
      changed(1, 0),
      changed(1, 99),
      bytes.subarray(0, 51),
      Buffer.alloc(0),
    ]) {
      expect(() => decodeHeader(bad))
        .to.throw()
        .with.property('code', 'E_CORRUPT');
    }
  });
});
