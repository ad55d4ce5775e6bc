/** Prepares, acknowledgements and commits. Numbers in brackets are statements of the replication checklist. */
import { expect } from 'chai';
import { Kind } from '../../../shared/wire/messages.js';
import { bodyOf, Group, PARTITION, seat } from './group.js';

const decreesOf = (group: Group, from: string, to: string): unknown[] =>
  group.waiting(from, to).map(([, , , decree]) => decree);

describe('two-phase commit', () => {
  it('commits when the primary and every secondary have logged [7]', () => {
    const group = new Group().serve('a', ['b', 'c']);
    const [a, b, c] = [group.member('a'), group.member('b'), group.member('c')];
    a.logsAtOnce = b.logsAtOnce = c.logsAtOnce = false;
    group.write('a', 'x');
    group.settle();
    a.log();
    group.settle();
    b.log();
    group.settle();
    expect(a.committed, 'c has not logged').to.deep.equal(['ballot-start']);
    c.log();
    group.settle();
    expect(a.committed).to.deep.equal(['ballot-start', 'x']);
  });

  it('needs its own log too [7]', () => {
    const group = new Group().serve('a', ['b', 'c']);
    const a = group.member('a');
    a.logsAtOnce = false;
    group.write('a', 'x');
    group.settle();
    expect(a.committed).to.deep.equal(['ballot-start']);
    a.log();
    group.settle();
    expect(a.committed).to.deep.equal(['ballot-start', 'x']);
  });

  it('acknowledges only what is logged [7]', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'b');
    const b = group.member('b');
    b.logsAtOnce = false;
    group.write('a', 'x');
    group.write('a', 'y');
    group.release('a', 'b').settle();
    expect(b.prepared).to.deep.equal(['ballot-start', 'x', 'y']);
    group.hold('a', 'b');
    b.log();
    group.settle();
    expect(group.waiting('b', 'a')).to.deep.equal([[Kind.prepareAck, PARTITION, 1, 2, 0, 0]]);
  });

  it('answers what was logged in one turn with one acknowledgement', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'b');
    for (const text of ['x', 'y', 'z']) group.write('a', text);
    for (const message of group.waiting('a', 'b')) group.deliver(seat('a'), 'b', message);
    group.drop('a', 'b').settle();
    expect(group.waiting('b', 'a')).to.deep.equal([[Kind.prepareAck, PARTITION, 1, 4, 0, 0]]);
  });

  it('never acknowledges a failed append, nor anything after it [8]', () => {
    const group = new Group().serve('a', ['b', 'c']);
    const b = group.member('b');
    b.logsAtOnce = false;
    group.write('a', 'x');
    group.settle();
    b.failLog();
    group.write('a', 'y');
    group.pass(60);
    expect(b.failures).to.deep.equal(['the disk is broken']);
    expect(b.appends, 'nothing is tried again').to.deep.equal([]);
    expect(group.member('a').committed).to.deep.equal(['ballot-start']);
    expect(group.waiting('b', 'a')).to.deep.equal([]);
    group.pass(60);
    expect(group.member('a').newestProposal.secondaries, 'it is left out').to.deep.equal([seat('c')]);
  });

  it('stops serving at a primary whose append failed [8]', () => {
    const group = new Group().serve('a', ['b', 'c']);
    const a = group.member('a');
    a.logsAtOnce = false;
    group.write('a', 'x');
    a.failLog();
    group.settle().beat();
    expect([a.serving, group.canExecute('a'), a.replica.beating]).to.deep.equal([false, false, false]);
    expect(a.committed).to.deep.equal(['ballot-start']);
  });

  it('refuses a prepare of a lower ballot and says why [9]', () => {
    const group = new Group().serve('a', ['b', 'c']).configure(4, 'a', ['b', 'c']);
    group.hold('b', 'a');
    group.deliver(seat('a'), 'b', [Kind.prepare, PARTITION, 3, 2, 1, 0, bodyOf('late')]);
    group.settle();
    expect(group.waiting('b', 'a')).to.deep.equal([[Kind.prepareReject, PARTITION, 4, 0, 0]]);
    expect(group.member('b').prepared).to.deep.equal(['ballot-start']);
  });

  it('takes prepares in order: an early one is refused with the decree that is due [10]', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'b');
    for (const text of ['x', 'y', 'z']) group.write('a', text);
    const [x, y, z] = group.waiting('a', 'b');
    group.drop('a', 'b');
    group.deliver(seat('a'), 'b', z!);
    group.settle();
    expect(group.member('b').prepared).to.deep.equal(['ballot-start']);
    expect(group.waiting('b', 'a')).to.deep.equal([[Kind.prepareReject, PARTITION, 1, 2, 0]]);
    for (const message of [x!, y!, x!, z!]) group.deliver(seat('a'), 'b', message);
    group.settle();
    expect(group.member('b').prepared, 'a repeated one changes nothing').to.deep.equal(['ballot-start', 'x', 'y', 'z']);
    expect(group.member('b').logged).to.deep.equal(['ballot-start@1', 'x@1', 'y@1', 'z@1']);
  });

  it('sends again what was lost, at a reject or in time', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'b');
    group.write('a', 'x');
    group.drop('a', 'b');
    group.write('a', 'y');
    group.release('a', 'b').settle();
    expect(group.member('a').committed, 'at a reject').to.deep.equal(['ballot-start', 'x', 'y']);
    group.hold('a', 'b');
    group.write('a', 'z');
    group.drop('a', 'b').release('a', 'b').pass(50);
    expect(group.member('a').committed, 'in time').to.deep.equal(['ballot-start', 'x', 'y', 'z']);
  });

  it('sends again from the first unacknowledged one when a connection has come back', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'b');
    group.write('a', 'x');
    group.write('a', 'y');
    group.drop('a', 'b');
    group.member('a').replica.onReconnected('b');
    expect(decreesOf(group, 'a', 'b')).to.deep.equal([2, 3]);
  });

  it('keeps no more under way to one follower than its window, and goes on as it acknowledges', () => {
    const bytes = bodyOf('1').length;
    const group = new Group({ windowBytes: 2 * bytes }).serve('a', ['b', 'c']).hold('a', 'b');
    for (const text of ['1', '2', '3', '4', '5']) group.write('a', text);
    group.settle();
    expect(decreesOf(group, 'a', 'b')).to.deep.equal([2, 3]);
    group.release('a', 'b').settle();
    expect(group.member('a').committed).to.deep.equal(['ballot-start', '1', '2', '3', '4', '5']);
  });

  it('tells followers what is committed with the next prepare or beacon, and they commit no more than they hold [6]', () => {
    const group = new Group().serve('a', ['b', 'c']);
    group.write('a', 'x');
    group.settle();
    expect([group.member('a').committed.length, group.member('b').committed.length]).to.deep.equal([2, 1]);
    group.write('a', 'y');
    group.settle();
    expect(group.member('b').committed).to.deep.equal(['ballot-start', 'x']);
    group.beat();
    expect(group.member('b').committed).to.deep.equal(['ballot-start', 'x', 'y']);
    group.member('b').replica.onBeacon(seat('a'), 1, 99, group.nowMs);
    expect(group.member('b').committed).to.deep.equal(['ballot-start', 'x', 'y']);
  });

  it('commits nothing below the minimum of replicas, not even a ballot-start [11]', () => {
    const group = new Group().configure(1, 'a', []);
    const a = group.member('a');
    a.metaLeaseUntilMs = Number.POSITIVE_INFINITY;
    group.pass(50);
    expect([a.committed, a.serving, a.replica.writable]).to.deep.equal([[], false, false]);
    group.learner('a', 'b');
    a.replica.learnerReady('b', 1);
    group.pass(20);
    expect(a.newestProposal.secondaries).to.deep.equal([seat('b')]);
    expect(a.committed, 'a learner counts only once meta has added it').to.deep.equal([]);
    group.configure(2, 'a', ['b']).beat();
    expect([a.committed, a.serving, a.replica.writable]).to.deep.equal([['ballot-start'], true, true]);
  });

  it('goes on serving reads with too few replicas', () => {
    const group = new Group().serve('a', ['b']);
    const a = group.member('a');
    a.metaLeaseUntilMs = group.nowMs + 50;
    group.configure(2, 'a', []);
    expect([group.canExecute('a'), a.replica.writable]).to.deep.equal([true, false]);
    group.write('a', 'x');
    group.settle();
    expect(a.committed).to.deep.equal(['ballot-start']);
  });

  it('holds acknowledgements back while what is committed piles up unapplied', () => {
    const group = new Group().serve('a', ['b', 'c']);
    const b = group.member('b');
    b.backlogged = true;
    group.write('a', 'x');
    group.settle();
    expect(group.member('a').committed).to.deep.equal(['ballot-start']);
    b.backlogged = false;
    group.tick();
    expect(group.member('a').committed).to.deep.equal(['ballot-start', 'x']);
  });

  it('listens to nobody but the primary of its configuration', () => {
    const group = new Group().serve('a', ['b', 'c']);
    group.deliver(seat('c'), 'b', [Kind.prepare, PARTITION, 1, 2, 1, 0, bodyOf('not mine')]);
    group.settle();
    expect(group.member('b').prepared).to.deep.equal(['ballot-start']);
    expect(group.member('b').replica.onBeacon({ node: 'a', boot: '2-boot' }, 1, 1, group.nowMs)).to.equal(false);
  });
});
