import { expect } from 'chai';
import { KeyedHash } from '../../../shared/keyed-hash.js';

/** Of the bytes 0, 1, ... n-1 with the key 0, 1, ... 7: published test values of HalfSipHash-1-3 (Linux, siphash_kunit.c). */
const published = [
  0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6, 0x577999b1,
  0xc839caed, 0xe4fa32cf, 0x959246ee, 0x6b28096c, 0x66dd9cd6, 0x16658a7c, 0xd0257b04, 0x8b31d501, 0x2b1cd04b,
  0x06712339, 0x522aca67, 0x911bb605, 0x90a65f0e,
];

describe('keyed hash', () => {
  it('is HalfSipHash-1-3', () => {
    const hash = new KeyedHash('0001020304050607');
    for (const [length, expected] of published.entries()) {
      expect(hash.of(Buffer.from(Array.from({ length }, (_, i) => i)))).to.equal(expected);
    }
  });

  it('does not depend on where in memory the bytes lie', () => {
    const hash = new KeyedHash('fedcba9876543210');
    const bytes = Buffer.from('xxxa key of some lengthyyy');
    expect(hash.of(bytes.subarray(3, 23))).to.equal(hash.of(Buffer.from('a key of some length')));
  });

  it('depends on the key', () => {
    expect(new KeyedHash('0000000000000000').of(Buffer.from('a'))).to.not.equal(
      new KeyedHash('0000000000000001').of(Buffer.from('a')),
    );
    expect(() => new KeyedHash('123')).to.throw(/16 hex digits/);
  });
});
