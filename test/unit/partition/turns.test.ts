/** Who of a server's partitions may copy. */
import { expect } from 'chai';
import { Turns } from '../../../server/partition/turns.js';

describe('turns', () => {
  it('lets so many copy at once, and the others in the order in which they asked', () => {
    const turns = new Turns(2);
    const asked = (...names: string[]): string[] => names.filter((name) => turns.ask(name, 0));
    expect(asked('a', 'b', 'c', 'd')).to.deep.equal(['a', 'b']);
    expect(asked('a', 'b'), 'who has a turn keeps it').to.deep.equal(['a', 'b']);
    turns.leave('b');
    expect(asked('d', 'c'), 'c came first').to.deep.equal(['c']);
    turns.leave('a');
    expect(asked('e', 'd')).to.deep.equal(['d']);
    expect(turns.count).to.equal(2);
  });

  it('passes over who has stopped asking', () => {
    const turns = new Turns(1);
    expect(turns.ask('a', 0)).to.equal(true);
    expect(turns.ask('gone', 0)).to.equal(false);
    expect(turns.ask('b', 1_000)).to.equal(false);
    turns.leave('a');
    expect(turns.ask('b', 2_000), 'the one before it may ask yet').to.equal(false);
    expect(turns.ask('b', 6_000)).to.equal(true);
  });

  it('forgets who leaves while it waits', () => {
    const turns = new Turns(1);
    turns.ask('a', 0);
    turns.ask('b', 0);
    turns.leave('b');
    turns.leave('a');
    expect(turns.ask('c', 0)).to.equal(true);
  });
});
