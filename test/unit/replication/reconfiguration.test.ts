/** Changes of the configuration: successors, followers that leave and join. Numbers in brackets: the replication checklist. */
import { expect } from 'chai';
import { InvariantError } from '../../../shared/errors.js';
import { Kind } from '../../../shared/wire/messages.js';
import { PrepareList } from '../../../server/replication/prepare-list.js';
import { bodyOf, Group, PARTITION, seat, timing } from './group.js';

describe('a new primary', () => {
  /** a has prepared x at b and c, and y at b only; nothing of it is committed. a is gone. */
  const interrupted = (): Group => {
    const group = new Group().serve('a', ['b', 'c']);
    group.member('a').logsAtOnce = false;
    group.write('a', 'x');
    group.settle().hold('a', 'c');
    group.write('a', 'y');
    group.settle().kill('a').drop('a', 'c');
    group.gone.add('a/1-boot');
    return group;
  };

  it('prepares again what was not committed, and serves only after its ballot-start is committed [13]', () => {
    const group = interrupted();
    const b = group.member('b');
    group.hold('b', 'c').configure(2, 'b', ['c']).beat();
    expect(
      group.waiting('b', 'c').flatMap(([kind, , ballot, decree]) => (kind === Kind.prepare ? [[ballot, decree]] : [])),
    ).to.deep.equal([
      [2, 2],
      [2, 3],
      [2, 4],
    ]);
    expect([b.committed, b.serving]).to.deep.equal([['ballot-start'], false]);
    group.release('b', 'c').settle();
    expect(b.committed).to.deep.equal(['ballot-start', 'x', 'y', 'ballot-start']);
    group.beat();
    expect(b.serving).to.equal(true);
    expect(group.member('c').committed).to.deep.equal(b.committed);
  });

  it('logs them again under its own ballot, so that the higher one is found after a crash [9]', () => {
    const group = interrupted().configure(2, 'b', ['c']);
    expect(group.member('b').logged).to.deep.equal(['ballot-start@1', 'x@1', 'y@1', 'x@2', 'y@2', 'ballot-start@2']);
    expect(group.member('c').logged).to.deep.equal(['ballot-start@1', 'x@1', 'x@2', 'y@2', 'ballot-start@2']);
  });

  it('never commits what it lacked: its ballot-start drops all that is above it [14]', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'c');
    for (const text of ['x', 'y', 'z']) group.write('a', text);
    group.settle().kill('a').drop('a', 'c').gone.add('a/1-boot');
    const b = group.member('b');
    expect(b.prepared).to.deep.equal(['ballot-start', 'x', 'y', 'z']);
    group.configure(2, 'c', ['b']);
    expect(b.prepared).to.deep.equal(['ballot-start', 'ballot-start']);
    for (const text of ['other', 'more']) group.write('c', text);
    group.settle().beat();
    expect(b.committed).to.deep.equal(['ballot-start', 'ballot-start', 'other', 'more']);
    expect(b.replica.list.get(3)?.ballot).to.equal(2);
  });

  it('dies halfway: the next one starts over with what it holds [13]', () => {
    const group = interrupted().hold('b', 'c').configure(2, 'b', ['c']);
    group.release('b', 'c');
    const [first] = group.waiting('b', 'c');
    group.drop('b', 'c');
    group.deliver(seat('b'), 'c', first!);
    group.settle().kill('b').gone.add('b/1-boot');
    group.configure(3, 'c', ['d'], []);
    group.member('c').replica.onConfiguration(group.configuration(3, 'c', ['d']), group.nowMs);
    group.member('d').replica.startLearning(seat('c'), 0, 3, new PrepareList(1));
    group.pass(2 * timing.repeatMs);
    expect(group.member('c').committed).to.deep.equal(['ballot-start', 'x', 'ballot-start']);
    expect(group.member('d').prepared).to.deep.equal(['x', 'ballot-start']);
  });

  it('prepares nothing that it did not log: acknowledgements of an earlier ballot count for nothing', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'b').hold('a', 'c');
    group.write('a', 'x');
    group.settle().configure(2, 'a', ['b', 'c'], ['a']);
    const { replica } = group.member('a');
    for (const node of ['b', 'c'])
      replica.onPrepareAck(seat(node), [Kind.prepareAck, PARTITION, 1, 2, 0, 0], group.nowMs);
    expect(group.member('a').committed).to.deep.equal(['ballot-start']);
    group.release('a', 'b').release('a', 'c').settle();
    expect(group.member('a').committed).to.deep.equal(['ballot-start', 'x']);
    expect(group.member('a').logged).to.deep.equal(['ballot-start@1', 'x@1', 'x@2']);
  });

  it('counts no log completion of an earlier ballot', () => {
    const group = new Group().serve('a', ['b', 'c']);
    const a = group.member('a');
    a.logsAtOnce = false;
    group.write('a', 'x');
    group.settle().configure(2, 'a', ['b', 'c']);
    a.log();
    group.settle();
    expect([a.logged.at(-1), a.committed.length]).to.deep.equal(['x@1', 1]);
    a.log();
    group.settle();
    expect([a.logged.at(-1), a.committed.length]).to.deep.equal(['x@2', 2]);
  });

  it('takes no part in an older configuration that arrives late [12]', () => {
    const group = new Group().serve('a', ['b', 'c']).configure(3, 'b', ['a', 'c']).configure(2, 'c', ['a', 'b']);
    expect([...group.members].map(([name, { replica }]) => `${name} ${replica.role}`)).to.deep.equal([
      'a secondary',
      'b primary',
      'c secondary',
    ]);
  });
});

describe('a removed secondary', () => {
  it('cannot acknowledge', () => {
    const group = new Group().serve('a', ['b', 'c']).configure(2, 'a', ['b']);
    group.member('b').logsAtOnce = false;
    group.write('a', 'x');
    group.settle();
    group.member('a').replica.onPrepareAck(seat('c'), [Kind.prepareAck, PARTITION, 2, 2, 0, 0], group.nowMs);
    expect(group.member('a').committed).to.deep.equal(['ballot-start']);
    group.member('b').log();
    group.settle();
    expect(group.member('a').committed).to.deep.equal(['ballot-start', 'x']);
  });

  it('accepts nothing once it knows', () => {
    const group = new Group().serve('a', ['b', 'c']);
    group.configure(2, 'a', ['b'], ['a', 'b', 'c']);
    group.deliver(seat('a'), 'c', [Kind.prepare, PARTITION, 2, 2, 1, 0, bodyOf('x')]);
    group.settle();
    expect([group.member('c').replica.role, group.member('c').prepared]).to.deep.equal(['inactive', ['ballot-start']]);
  });

  it('gets no lease for the old primary any more, so that it cannot serve beside a new one [1]', () => {
    const group = new Group().serve('a', ['b', 'c']);
    group.configure(2, 'b', ['c'], ['b', 'c']).pass(timing.graceMs + 20);
    expect(group.primaries).to.deep.equal(['b']);
    expect(group.member('a').replica.role).to.equal('primary');
  });
});

describe('a proposal', () => {
  it('drops a secondary that is silent, or gone', () => {
    const group = new Group()
      .serve('a', ['b', 'c'])
      .hold('a', 'c')
      .pass(timing.followerTimeoutMs + 20);
    expect(group.member('a').newestProposal).to.deep.equal({
      partition: PARTITION,
      ballot: 1,
      primary: seat('a'),
      secondaries: [seat('b')],
      handover: false,
    });
    const other = new Group().serve('a', ['b', 'c']);
    other.gone.add('b/1-boot');
    other.tick();
    expect(other.member('a').newestProposal.secondaries).to.deep.equal([seat('c')]);
  });

  it('gives a secondary the time that one large mutation needs on its way, and no more', () => {
    const group = new Group({ windowBytes: 1_000 }).serve('a', ['b', 'c']).hold('a', 'c');
    group.write('a', 'x'.repeat(1_002_000));
    const allowedMs = timing.followerTimeoutMs + 100;
    group.settle().pass(allowedMs - 30);
    expect(group.member('a').proposals).to.deep.equal([]);
    group.pass(60);
    expect(group.member('a').newestProposal.secondaries).to.deep.equal([seat('b')]);
  });

  it('drops a secondary that lives and logs nothing', () => {
    const group = new Group().serve('a', ['b', 'c']);
    group.member('c').logsAtOnce = false;
    group.write('a', 'x');
    group.pass(timing.stallTimeoutMs - 50);
    expect(group.member('a').proposals).to.deep.equal([]);
    group.pass(100);
    expect(group.member('a').newestProposal.secondaries).to.deep.equal([seat('b')]);
  });

  it('drops a secondary that logs less than comes, though it logs something all the time', () => {
    const group = new Group().serve('a', ['b', 'c']);
    const [a, c] = [group.member('a'), group.member('c')];
    c.logsAtOnce = false;
    const beganMs = group.nowMs;
    for (let i = 0; a.proposals.length === 0 && group.nowMs < beganMs + 10 * timing.stallTimeoutMs; i++) {
      group.write('a', `${i}-1`);
      group.write('a', `${i}-2`);
      if (c.appends.length > 0) c.log();
      group.settle().pass(20);
    }
    expect(a.newestProposal.secondaries).to.deep.equal([seat('b')]);
    // what it logs last is as old as it lags: twice the time-out until that exceeds the time-out, at half the speed
    expect(group.nowMs - beganMs).to.be.within(2 * timing.stallTimeoutMs - 100, 2 * timing.stallTimeoutMs + 100);
  });

  it('keeps a secondary that is only slow where writes need it: nothing would be gained', () => {
    const group = new Group().serve('a', ['b', 'c']);
    const a = group.member('a');
    for (const name of ['b', 'c']) group.member(name).logsAtOnce = false;
    group.write('a', 'x');
    group.settle().pass(100);
    group.member('b').log();
    group.write('a', 'y');
    group.settle().pass(timing.stallTimeoutMs);
    expect(a.newestProposal.secondaries, 'c owes more').to.deep.equal([seat('b')]);
    const proposed = a.proposals.length;
    group.answer('a', group.configuration(2, 'a', ['b'])).pass(3 * timing.stallTimeoutMs);
    expect(a.proposals.length, 'b owes too').to.equal(proposed);
    group.member('b').logsAtOnce = true;
    group.settle().pass(50);
    expect(a.committed).to.deep.equal(['ballot-start', 'x', 'y']);
  });

  it('that is unanswered changes nothing: commit and lease need who would leave too [16]', () => {
    const group = new Group()
      .serve('a', ['b', 'c'])
      .hold('a', 'c')
      .pass(timing.followerTimeoutMs + 20);
    const a = group.member('a');
    expect(a.proposals.length).to.be.greaterThan(0);
    group.write('a', 'x');
    group.pass(200);
    expect(a.committed).to.deep.equal(['ballot-start']);
    expect(group.canExecute('a')).to.equal(false);
    group.answer('a', group.configuration(2, 'a', ['b'])).beat();
    expect(a.committed).to.deep.equal(['ballot-start', 'x']);
    expect(group.canExecute('a')).to.equal(true);
  });

  it('that is unanswered needs who would join too [16]', () => {
    const group = new Group().serve('a', ['b']).learner('a', 'c');
    const a = group.member('a');
    a.replica.learnerReady('c', 1);
    group.pass(10);
    expect(a.newestProposal.secondaries).to.deep.equal([seat('b'), seat('c')]);
    group.hold('a', 'c');
    group.write('a', 'x');
    group.pass(timing.leaseMs);
    expect([a.committed, group.canExecute('a')]).to.deep.equal([['ballot-start'], false]);
    group.release('a', 'c').pass(50);
    expect(a.committed).to.deep.equal(['ballot-start', 'x']);
    expect(group.canExecute('a')).to.equal(true);
  });

  it('that would leave too few counts as if it were in force, for the minimum of replicas [11, 16]', () => {
    const group = new Group()
      .serve('a', ['b'])
      .hold('a', 'b')
      .pass(timing.followerTimeoutMs + 20);
    expect(group.member('a').newestProposal.secondaries).to.deep.equal([]);
    expect(group.member('a').replica.writable).to.equal(false);
  });

  it('that meta refused is over', () => {
    const group = new Group().serve('a', ['b']).learner('a', 'c');
    const a = group.member('a');
    a.replica.learnerReady('c', 1);
    group.pass(10).hold('a', 'c');
    group.gone.add('c/1-boot');
    group.write('a', 'x');
    group.settle();
    expect(a.committed).to.deep.equal(['ballot-start']);
    const sent = a.proposals.length;
    group.answer('a', group.configuration(1, 'a', ['b']));
    expect(a.committed).to.deep.equal(['ballot-start', 'x']);
    group.pass(100);
    expect(a.proposals.length, 'who is gone is not proposed again').to.equal(sent);
    expect([...a.replica.followers.keys()]).to.deep.equal(['b']);
  });

  it('is repeated, the same, until it is answered', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'c').pass(200);
    const { proposals } = group.member('a');
    expect(proposals.length).to.be.within(3, 6);
    for (const proposal of proposals) expect(proposal).to.deep.equal(proposals[0]);
  });

  it('that lost against another one ends in what is in force [12]', () => {
    const group = new Group()
      .serve('a', ['b', 'c'])
      .hold('a', 'c')
      .pass(timing.followerTimeoutMs + 20);
    const a = group.member('a');
    group.answer('a', group.configuration(2, 'c', ['b']));
    expect([a.replica.role, a.serving, group.canExecute('a')]).to.deep.equal(['inactive', false, false]);
  });
});

describe('a learner', () => {
  const taught = (): Group => {
    const group = new Group().serve('a', ['b']);
    group.write('a', 'x');
    return group.settle().learner('a', 'c');
  };

  it('counts for nothing until meta has added it: nothing waits for it [16]', () => {
    const group = taught().hold('a', 'c');
    group.write('a', 'y');
    group.settle();
    expect(group.member('a').committed).to.deep.equal(['ballot-start', 'x', 'y']);
    group.pass(timing.leaseMs);
    expect(group.canExecute('a')).to.equal(true);
  });

  it('cannot stand in for a secondary [16]', () => {
    const group = taught();
    group.member('b').logsAtOnce = false;
    group.write('a', 'y');
    group.settle();
    expect(group.member('c').prepared, 'the learner has it').to.deep.equal(['y']);
    expect(group.member('a').committed).to.deep.equal(['ballot-start', 'x']);
  });

  it('is proposed once it has installed its copy and holds all that is committed [16]', () => {
    const group = taught();
    const a = group.member('a');
    group.pass(50);
    expect(a.proposals, 'not installed').to.deep.equal([]);
    group.hold('a', 'c');
    group.write('a', 'y');
    group.settle();
    a.replica.learnerReady('c', 1);
    group.pass(20, { beacons: false });
    expect(a.proposals, 'y is committed, and it may lack it').to.deep.equal([]);
    group.release('a', 'c').pass(20);
    expect(a.newestProposal.secondaries).to.deep.equal([seat('b'), seat('c')]);
  });

  it('of a new primary is proposed only with all that the earlier one may have committed [6, 16] (found by seed 72)', () => {
    const group = new Group().serve('a', ['b']);
    group.write('a', 'x');
    group.write('a', 'y');
    group.settle().kill('a').gone.add('a/1-boot');
    const [a, b, c] = ['a', 'b', 'c'].map((name) => group.member(name));
    expect([a!.committed.length, b!.committed.length], 'b does not know that y is committed').to.deep.equal([3, 1]);
    group.configure(2, 'b', []).hold('b', 'c').learner('b', 'c');
    b!.replica.learnerReady('c', 1);
    const [first] = group.waiting('b', 'c');
    group.deliver(seat('b'), 'c', first!);
    group.pass(50);
    expect(c!.prepared).to.deep.equal(['x']);
    expect(b!.proposals, 'c could become primary, and y would be lost').to.deep.equal([]);
    group.release('b', 'c').pass(50);
    expect(c!.prepared).to.deep.equal(['x', 'y', 'ballot-start']);
    expect(b!.newestProposal.secondaries).to.deep.equal([seat('c')]);
  });

  it('goes on under the next ballot as a secondary, and what is not committed is prepared again', () => {
    const group = taught();
    const a = group.member('a');
    a.replica.learnerReady('c', 1);
    group.pass(10);
    group.member('b').logsAtOnce = false;
    group.write('a', 'y');
    group.settle().configure(2, 'a', ['b', 'c']);
    expect(group.member('c').logged).to.deep.equal(['y@1', 'y@2']);
    expect(group.member('c').replica.role).to.equal('secondary');
    expect(a.committed).to.deep.equal(['ballot-start', 'x']);
    group.member('b').log();
    group.member('b').log();
    group.settle().beat();
    for (const name of ['a', 'b']) expect(group.member(name).committed).to.deep.equal(['ballot-start', 'x', 'y']);
    expect(group.member('c').committed).to.deep.equal(['y']);
    expect(group.canExecute('a')).to.equal(true);
  });

  it('of an older attempt cannot complete a newer one [16]', () => {
    const group = taught();
    const { replica } = group.member('a');
    replica.addLearner(seat('c'), 2, replica.list.committed, group.nowMs);
    replica.learnerReady('c', 1);
    replica.onPrepareAck(seat('c'), [Kind.prepareAck, PARTITION, 1, 2, 1, 0], group.nowMs);
    group.pass(50);
    expect(group.member('a').proposals).to.deep.equal([]);
    replica.learnerReady('c', 2);
    replica.removeLearner('c', 1);
    expect(replica.followers.has('c'), 'nor end it').to.equal(true);
    group.pass(20);
    expect(group.member('a').newestProposal.secondaries).to.deep.equal([seat('b'), seat('c')]);
  });

  it('ignores prepares of another attempt', () => {
    const group = taught();
    group.deliver(seat('a'), 'c', [Kind.prepare, PARTITION, 1, 3, 2, 7, bodyOf('stray')]);
    group.settle();
    expect(group.member('c').prepared).to.deep.equal([]);
  });

  it('once proposed is let go by meta only [16]', () => {
    const group = taught();
    const { replica } = group.member('a');
    replica.learnerReady('c', 1);
    group.pass(10);
    replica.removeLearner('c', 1);
    expect(replica.followers.has('c')).to.equal(true);
  });

  it('that cannot be reached is not proposed', () => {
    const group = taught()
      .hold('a', 'c')
      .pass(timing.followerTimeoutMs + 20);
    group.member('a').replica.learnerReady('c', 1);
    group.pass(50);
    expect(group.member('a').proposals).to.deep.equal([]);
    group.release('a', 'c').pass(20);
    expect(group.member('a').newestProposal.secondaries).to.deep.equal([seat('b'), seat('c')]);
  });

  it('is not proposed when another one has taken the place (found by seed 5007)', () => {
    const group = new Group().serve('a', ['b']).learner('a', 'c').learner('a', 'd');
    const a = group.member('a');
    for (const node of ['c', 'd']) a.replica.learnerReady(node, 1);
    group.pass(50);
    expect(a.proposals.map(({ secondaries }) => secondaries.length)).to.satisfy((sizes: number[]) =>
      sizes.every((size) => size === 2),
    );
    group.configure(2, 'a', ['b', 'c'], ['a', 'b', 'c']).pass(100);
    expect(a.newestProposal.ballot, 'nothing is proposed after it').to.equal(1);
    expect(a.replica.whole).to.equal(true);
  });

  it('is not proposed while earlier primaries may hold a lease: it would not know of them [1]', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'b').hold('a', 'c');
    group.configure(2, 'b', ['c'], ['b', 'c']).learner('b', 'd');
    group.member('b').replica.learnerReady('d', 1);
    group.pass(timing.graceMs - 30);
    expect(group.member('b').proposals).to.deep.equal([]);
    group.pass(50);
    expect(group.member('b').newestProposal.secondaries).to.deep.equal([seat('c'), seat('d')]);
  });

  it('is none any more once the boot of its teacher is over, and keeps what it prepared (found by seed 5045)', () => {
    const group = taught();
    const { replica } = group.member('c');
    const { last } = replica.list;
    expect([replica.leaveGoneTeacher(), replica.role]).to.deep.equal([false, 'learner']);
    group.gone.add('a/1-boot');
    expect([replica.leaveGoneTeacher(), replica.role]).to.deep.equal([true, 'inactive']);
    expect(replica.list.last).to.equal(last);
  });

  it('does not take over, and is no learner any more when another primary comes', () => {
    const group = taught()
      .kill('a')
      .pass(3 * timing.graceMs);
    expect(group.member('c').proposals).to.deep.equal([]);
    group.configure(2, 'b', [], ['b', 'c']);
    expect(group.member('c').replica.role).to.equal('inactive');
  });
});

describe('a replica', () => {
  it('that restarts holds no role, and remembers the highest ballot it logged [5, 9]', () => {
    const group = new Group();
    const { replica } = group.member('b');
    const list = new PrepareList(0);
    list.put({ decree: 1, ballot: 5, body: bodyOf('x'), decoded: null });
    replica.recovered(5, list);
    expect([replica.role, replica.ballot]).to.deep.equal(['inactive', 5]);
    group.configure(4, 'a', ['b'], ['b']);
    expect(replica.role, 'a configuration below it means nothing').to.equal('inactive');
    group.hold('b', 'a');
    group.deliver(seat('a'), 'b', [Kind.prepare, PARTITION, 4, 2, 0, 0, bodyOf('y')]);
    expect(group.waiting('b', 'a')).to.deep.equal([[Kind.prepareReject, PARTITION, 5, 0, 0]]);
  });

  it('is recovered before it takes a role, never after', () => {
    const group = new Group().serve('a', ['b']);
    expect(() => group.member('b').replica.recovered(9, new PrepareList(0))).to.throw(InvariantError);
    expect(() => group.member('a').replica.leave()).to.throw(InvariantError);
    expect(() => group.member('b').replica.prepare(bodyOf('x'), null)).to.throw(InvariantError);
  });
});
