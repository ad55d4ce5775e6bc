/** What SORT does beside its answers, which scripts.ts compares with Redis's: large lists, patterns, tables by slot. */
import { expect } from 'chai';
import { ClientError } from '../../../shared/errors.js';
import { limits } from '../../../shared/limits.js';
import { executors } from '../../../server/rows/index.js';
import { sort, type Sorting } from '../../../shared/operations/sorting.js';
import { FakeView } from './fake-view.js';
import { OnePartition } from './one-partition.js';

const plain: Sorting = {
  key: Buffer.from('l'),
  by: null,
  asIs: false,
  settles: false,
  gets: [],
  descending: false,
  alphabetic: false,
  start: 0,
  count: -1,
  firstPattern: null,
};

describe('SORT', () => {
  it('sorts a large list by what lies under other keys', () => {
    const ours = new OnePartition();
    const count = 2_000;
    const members = Array.from({ length: count }, (_, i) => String(i));
    ours.send(['RPUSH', 'l', ...members]);
    for (const member of members) ours.send(['HSET', `h_${member}`, 'w', String((Number(member) * 7) % count)]);
    const weights = ours.reply(['SORT', 'l', 'BY', 'h_*->w', 'GET', 'h_*->w']) as readonly Buffer[];
    expect(weights.map(Number)).to.deep.equal(members.map(Number));
    expect(ours.send(['SORT', 'l', 'BY', 'h_*->w', 'STORE', 'd'])).to.equal(`:${count}\r\n`);
    // 7 * 1143 is 1 more than 4 times 2000.
    expect(ours.send(['LINDEX', 'd', '1'])).to.equal('$4\r\n1143\r\n');
  });

  it('refuses numbers that overflow or vanish', () => {
    const ours = new OnePartition();
    for (const number of ['1e400', '-1e400', '1e-400']) {
      ours.send(['DEL', 'l']);
      ours.send(['RPUSH', 'l', number]);
      expect(ours.send(['SORT', 'l'])).to.equal("-ERR One or more scores can't be converted into double\r\n");
    }
  });

  it('refuses more keys to look up than it may', () => {
    const ours = new OnePartition();
    ours.send(['RPUSH', 'l', ...Array.from({ length: 1_000 }, () => '1')]);
    const gets = Array.from({ length: Math.ceil(limits.sortLookUps / 1_000) }, () => ['GET', '#']).flat();
    expect(ours.send(['SORT', 'l', ...gets])).to.match(/^-ERR SORT with more than/);
  });

  for (const pattern of ['BY', 'GET'] as const) {
    it(`refuses ${pattern} patterns where keys must share a slot`, () => {
      const { partition } = new OnePartition();
      const view = new (class extends FakeView {
        override readonly multiKey = 'slot';
      })(partition, 0);
      const [code, ...args] = sort({ ...plain, firstPattern: pattern });
      const run = (): unknown => executors[code]!.execute(view, args);
      expect(run).to.throw(ClientError, `ERR ${pattern} option of SORT denied in Cluster mode.`);
    });
  }
});
