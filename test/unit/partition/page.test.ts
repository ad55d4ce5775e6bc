/** A page of a snapshot on its way to a learner. */
import { expect } from 'chai';
import { decodePage, encodePage } from '../../../server/partition/page.js';

describe('a page of a snapshot', () => {
  const entries = [
    { key: Buffer.from('a'), value: Buffer.alloc(0) },
    { key: Buffer.from([0, 255]), value: Buffer.from('value\r\n') },
    { key: Buffer.alloc(0), value: Buffer.alloc(70_000, 7) },
  ];

  it('comes back as it was', () => {
    expect(decodePage(encodePage(entries))).to.deep.equal(entries);
    expect(decodePage(encodePage([]))).to.deep.equal([]);
  });

  it('is refused when a bit changed', () => {
    const page = encodePage(entries);
    for (const at of [0, 9, page.bytes.length - 1]) {
      const bytes = Buffer.from(page.bytes);
      bytes[at] = bytes[at]! ^ 1;
      expect(() => decodePage({ bytes, crc: page.crc })).to.throw(/damaged/);
    }
  });
});
