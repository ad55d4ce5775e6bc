/** What tells whether tokens were lost or doubled must itself notice it. */
import { expect } from 'chai';
import { Ledger } from '../../chaos/ledger.js';

describe('a ledger of tokens', () => {
  const filled = (): Ledger => {
    const ledger = new Ledger();
    for (const token of ['a', 'b', 'c', 'd']) ledger.handIn(token);
    for (const token of ['a', 'b']) ledger.answered(token, 'ok');
    ledger.answered('c', 'refused');
    return ledger;
  };

  it('is content when each acknowledged token came out or is still there, whatever became of unknown ones', () => {
    const ledger = filled();
    ledger.take('a', 'one');
    expect(ledger.settle(['b'])).to.deep.equal([]);
    const other = filled();
    expect(other.settle(['d', 'a', 'b'])).to.deep.equal([]);
  });

  it('notices what is lost, unless a lost reply may have held it', () => {
    const ledger = filled();
    ledger.take('a', 'one');
    expect(ledger.settle([])).to.have.length(1);
    const excused = filled();
    excused.lostReply(1);
    excused.take('a', 'one');
    expect(excused.settle([])).to.deep.equal([]);
    const notAll = filled();
    notAll.lostReply(1);
    expect(notAll.settle([])).to.have.length(1);
  });

  it('notices what came out twice, was refused, or was never handed in', () => {
    const twice = filled();
    twice.take('a', 'one');
    twice.take('a', 'two');
    expect(twice.settle(['b'])).to.deep.equal(['a was taken twice, by one and by two']);
    const kept = filled();
    kept.take('a', 'one');
    expect(kept.settle(['a', 'b'])).to.deep.equal(['a was taken twice, by one and by the end']);
    const refused = filled();
    refused.take('c', 'one');
    expect(refused.settle(['a', 'b'])).to.deep.equal(['one took c, which was refused']);
    const invented = filled();
    expect(invented.settle(['a', 'b', 'x'])).to.deep.equal(['the end took x, which nobody handed in']);
  });
});
