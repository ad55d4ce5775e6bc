/** A primary that lets a secondary take over while nothing has failed. Numbers in brackets: the replication checklist. */
import { expect } from 'chai';
import { Kind } from '../../../shared/wire/messages.js';
import { InvariantError } from '../../../shared/errors.js';
import { Group, PARTITION, seat, timing } from './group.js';

describe('a handover', () => {
  const serving = (): Group => {
    const group = new Group().serve('a', ['b', 'c']);
    group.member('a').metaLeaseUntilMs = 1e6;
    return group;
  };

  it('stops executing at once, and asks meta when the successor has logged everything', () => {
    const group = serving();
    const a = group.member('a');
    group.member('b').logsAtOnce = false;
    group.write('a', 'x');
    group.settle();
    expect(a.replica.handOver('b', group.nowMs)).to.equal(true);
    expect([group.canExecute('a'), a.proposals]).to.deep.equal([false, []]);
    group.member('b').log();
    group.settle();
    expect(a.proposals).to.deep.equal([
      { partition: PARTITION, ballot: 1, primary: seat('b'), secondaries: [seat('a'), seat('c')], handover: true },
    ]);
    expect(group.canExecute('a')).to.equal(false);
  });

  it('leaves two members that never serve at the same instant [1]', () => {
    const group = serving();
    group.member('a').replica.handOver('b', group.nowMs);
    for (const name of ['b', 'c', 'a']) {
      group.member(name).replica.onConfiguration(group.configuration(2, 'b', ['a', 'c'], true), group.nowMs);
      group.settle().beat();
      expect(group.primaries).to.have.length.at.most(1);
    }
    expect(group.primaries).to.deep.equal(['b']);
    expect(group.member('a').replica.role).to.equal('secondary');
    expect(group.member('a').committed).to.deep.equal(['ballot-start', 'ballot-start']);
  });

  it('is over in a few messages even when the first prepares overtake the configuration', () => {
    const group = serving();
    group.member('a').replica.handOver('b', group.nowMs);
    group.configure(2, 'b', ['a', 'c'], ['b', 'c']);
    expect(group.member('b').committed, 'a took no prepare as primary').to.deep.equal(['ballot-start']);
    group.configure(2, 'b', ['a', 'c'], ['a']);
    expect(group.member('b').committed).to.deep.equal(['ballot-start', 'ballot-start']);
  });

  it('that meta refused changes nothing: the primary goes on', () => {
    const group = serving();
    group.member('a').replica.handOver('b', group.nowMs);
    group.answer('a', group.configuration(1, 'a', ['b', 'c']));
    expect(group.canExecute('a')).to.equal(true);
    group.write('a', 'y');
    group.settle();
    expect(group.member('a').committed).to.deep.equal(['ballot-start', 'y']);
  });

  it('that meta does not answer keeps it from executing, as long as that takes [16]', () => {
    const group = serving();
    group.member('a').replica.handOver('b', group.nowMs);
    group.pass(20 * timing.leaseMs);
    expect(group.primaries).to.deep.equal([]);
    const { proposals } = group.member('a');
    expect(proposals.length, 'repeated').to.be.greaterThan(3);
    for (const proposal of proposals) expect(proposal).to.deep.equal(proposals[0]);
    expect(() => group.write('a', 'y')).to.throw(InvariantError);
  });

  it('is given up when the successor does not get everything in time', () => {
    const group = serving();
    group.member('b').logsAtOnce = false;
    group.write('a', 'x');
    group.settle().member('a').replica.handOver('b', group.nowMs);
    group.pass(timing.repeatMs + 20);
    expect([group.canExecute('a'), group.member('a').proposals]).to.deep.equal([true, []]);
    expect(group.member('a').warnings).to.have.length(1);
  });

  it('is not begun without meta, without a lease, for a stranger, or beside another proposal', () => {
    const group = serving();
    const a = group.member('a');
    expect(a.replica.handOver('d', group.nowMs), 'no secondary').to.equal(false);
    a.metaLeaseUntilMs = 0;
    expect(a.replica.handOver('b', group.nowMs), 'without meta').to.equal(false);
    a.metaLeaseUntilMs = 1e6;
    expect(group.member('b').replica.handOver('c', group.nowMs), 'a secondary').to.equal(false);
    group.hold('a', 'c').pass(timing.followerTimeoutMs + 20);
    expect(a.proposals).to.not.deep.equal([]);
    expect(a.replica.handOver('b', group.nowMs), 'a proposal is under way').to.equal(false);
    expect(group.canExecute('a')).to.equal(true);
  });
});

describe('a follower that forgot what it acknowledged', () => {
  it('is named and dropped, rather than sent the same for ever', () => {
    const group = new Group().serve('a', ['b', 'c']);
    group.write('a', 'x');
    group.settle().hold('a', 'b').hold('a', 'c');
    const a = group.member('a');
    group.write('a', 'y');
    for (let i = 0; i < 40; i++)
      a.replica.onPrepareReject(seat('b'), [Kind.prepareReject, PARTITION, 1, 1, 0], group.nowMs);
    expect(a.warnings).to.deep.equal(['b: it acknowledged decree 2 and now wants 1']);
    expect(group.waiting('a', 'b').length).to.be.below(40);
    group.tick();
    expect(a.newestProposal.secondaries).to.deep.equal([seat('c')]);
  });

  it('is not one whose late rejects arrive after its acknowledgements', () => {
    const group = new Group().serve('a', ['b', 'c']);
    group.write('a', 'x');
    group.settle();
    const a = group.member('a');
    for (let i = 0; i < 3; i++)
      a.replica.onPrepareReject(seat('b'), [Kind.prepareReject, PARTITION, 1, 2, 0], group.nowMs);
    group.tick();
    expect([a.proposals, a.warnings]).to.deep.equal([[], []]);
  });
});

describe('a learner whose proposal is unanswered', () => {
  it('is not taught anew: meta may have made it a member with what it holds [16]', () => {
    const group = new Group().serve('a', ['b']).learner('a', 'c');
    const { replica } = group.member('a');
    replica.learnerReady('c', 1);
    expect(replica.isProposed('c')).to.equal(false);
    group.pass(10);
    expect(replica.isProposed('c')).to.equal(true);
    expect(() => replica.addLearner(seat('c'), 2, 1, group.nowMs)).to.throw(InvariantError);
    expect(() => replica.forgetLearner('c')).to.throw(InvariantError);
    group.answer('a', group.configuration(1, 'a', ['b']));
    replica.forgetLearner('c');
    expect(replica.followers.has('c'), 'refused, and so free to begin again').to.equal(false);
  });
});
