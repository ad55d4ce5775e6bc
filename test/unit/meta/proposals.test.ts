import { expect } from 'chai';
import type { Proposal } from '../../../shared/cluster.js';
import { judge } from '../../../meta/decisions/proposals.js';
import { scenario, seat, textOf } from './scenario.js';

interface Asked {
  readonly by: string;
  readonly primary: string;
  readonly secondaries?: readonly string[];
  readonly ballot?: number;
  readonly handover?: boolean;
  readonly uncertain?: readonly string[];
}

/** The partition {a; b, c} at ballot 5, with d beside it. */
function outcome({ by, primary, secondaries = [], ballot = 5, handover = false, uncertain = [] }: Asked): string {
  const cluster = scenario()
    .server('a')
    .server('b')
    .server('c')
    .server('d', { boot: 'd2' })
    .partition({ primary: 'a', secondaries: ['b', 'c'], uncertain });
  const [partition] = cluster.partitions;
  if (partition === undefined) throw new Error('the scenario has a partition');
  const proposal: Proposal = {
    partition: 1,
    ballot,
    primary: seat(primary),
    secondaries: secondaries.map(seat),
    handover,
  };
  const judgement = judge(partition.record, cluster.servers, seat(by), proposal);
  if (!judgement.accepted) return judgement.reason;
  const { configuration } = judgement;
  const { primary: leader, predecessorGone } = configuration;
  return `ballot ${configuration.ballot}: ${leader === null ? '-' : textOf(leader)} [${configuration.secondaries.map(textOf).join(',')}]${predecessorGone ? '' : ' after grace'}`;
}

describe('proposals', () => {
  it('of an older ballot are refused', () => {
    expect(outcome({ by: 'a', primary: 'a', secondaries: ['b'], ballot: 4 })).to.equal('ballot 5 is in force, not 4');
  });

  describe('of the primary', () => {
    it('may drop a secondary', () => {
      expect(outcome({ by: 'a', primary: 'a', secondaries: ['b'] })).to.equal('ballot 6: a [b]');
    });

    it('may add a learner that is the newest boot of its server', () => {
      expect(outcome({ by: 'a', primary: 'a', secondaries: ['b', 'c', 'd:d2'] })).to.equal('ballot 6: a [b,c,d:d2]');
    });

    it('may not add a dead boot, or a server that never registered', () => {
      expect(outcome({ by: 'a', primary: 'a', secondaries: ['b', 'd:d1'] })).to.match(/dead or unknown/);
      expect(outcome({ by: 'a', primary: 'a', secondaries: ['b', 'x'] })).to.match(/dead or unknown/);
    });

    it('may hand over to a secondary once it has stopped', () => {
      expect(outcome({ by: 'a', primary: 'b', secondaries: ['a', 'c'], handover: true })).to.equal('ballot 6: b [a,c]');
      expect(outcome({ by: 'a', primary: 'b', secondaries: ['a', 'c'] })).to.match(/only when it hands over/);
    });

    it('may not hand over to a stranger', () => {
      expect(outcome({ by: 'a', primary: 'd:d2', secondaries: ['a'], handover: true })).to.equal(
        'only a secondary can take over',
      );
    });

    it('may not give one server two seats', () => {
      expect(outcome({ by: 'a', primary: 'a', secondaries: ['b', 'b'] })).to.equal('a server would have two seats');
    });

    it('does not make an earlier, lost primary certain to be gone', () => {
      expect(outcome({ by: 'a', primary: 'a', secondaries: ['b'], uncertain: ['c'] })).to.equal(
        'ballot 6: a [b] after grace',
      );
    });
  });

  describe('of a secondary', () => {
    it('may make it primary, without the old one', () => {
      expect(outcome({ by: 'b', primary: 'b', secondaries: ['c'] })).to.equal('ballot 6: b [c] after grace');
      expect(outcome({ by: 'b', primary: 'b', secondaries: [] })).to.equal('ballot 6: b [] after grace');
    });

    it('may not keep the old primary, add anybody, or choose another', () => {
      expect(outcome({ by: 'b', primary: 'b', secondaries: ['a', 'c'] })).to.match(/nobody else/);
      expect(outcome({ by: 'b', primary: 'b', secondaries: ['d:d2'] })).to.match(/nobody else/);
      expect(outcome({ by: 'b', primary: 'c', secondaries: ['b'] })).to.equal('a secondary proposes only itself');
    });
  });

  it('of anybody else are refused', () => {
    expect(outcome({ by: 'd:d2', primary: 'd:d2' })).to.equal('the proposer is no member');
    expect(outcome({ by: 'b:b0', primary: 'b:b0' })).to.equal('the proposer is an earlier boot');
  });
});
