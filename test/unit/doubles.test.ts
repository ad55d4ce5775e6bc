import { expect } from 'chai';
import { formatDouble, parseBound, parseDouble } from '../../shared/doubles.js';

describe('doubles', () => {
  for (const [value, text] of [
    [3, '3'],
    [-0, '-0'],
    [0.1, '0.10000000000000001'],
    [1e16, '10000000000000000'],
    [1e17, '1e+17'],
    [2 ** 70, '1.1805916207174113e+21'],
    [0.0001, '0.0001'],
    [0.00001, '1.0000000000000001e-05'],
    [-1.5e300, '-1.5000000000000001e+300'],
    [5e-324, '4.9406564584124654e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    // exactly in the middle of two numbers of 17 digits: to the even one
    [1200000000000000.25, '1200000000000000.2'],
    [1200000000000000.75, '1200000000000000.8'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
  ] as const) {
    it(`are printed as C prints them: ${text}`, () => {
      expect(formatDouble(value)).to.equal(text);
      expect(Object.is(parseDouble(Buffer.from(text)), value)).to.equal(true);
    });
  }

  for (const [text, value] of [
    ['0x1p4', 16],
    ['0x.8', 0.5],
    ['+infinity', Infinity],
    ['.5', 0.5],
    ['5.', 5],
    ['0e5', 0],
  ] as const) {
    it(`are read as strtod reads them: ${text}`, () => {
      expect(parseDouble(Buffer.from(text))).to.equal(value);
    });
  }

  for (const text of ['', ' 1', '1 ', '.', '0x', '1e', 'nan', 'x', '1e400', '1e-400']) {
    it(`are not: '${text}'`, () => {
      expect(parseDouble(Buffer.from(text))).to.equal(null);
    });
  }

  it('as bounds may have spaces before them, overflow or be empty', () => {
    expect(['', ' 1', '1e400', '-1e400', '1e-400'].map(parseBound)).to.deep.equal([0, 1, Infinity, -Infinity, 0]);
    expect(['1 ', 'x', 'nan', ' '].map(parseBound)).to.deep.equal([null, null, null, null]);
  });
});
