/** Leases and grace: who may execute, and who may take over when. Numbers in brackets: the replication checklist. */
import { expect } from 'chai';
import { Kind } from '../../../shared/wire/messages.js';
import { Group, PARTITION, seat, timing } from './group.js';

describe('a lease', () => {
  it('needs an acknowledged beacon of every secondary', () => {
    const group = new Group().configure(1, 'a', ['b', 'c']).hold('a', 'c').beat();
    expect([group.member('a').serving, group.canExecute('a')]).to.deep.equal([false, false]);
    group.release('a', 'c').settle();
    expect([group.member('a').serving, group.canExecute('a')]).to.deep.equal([true, true]);
  });

  it('counts from when the beacon was sent, not from when it was acknowledged [3]', () => {
    const group = new Group().serve('a', ['b', 'c']);
    const sentMs = group.nowMs + 50;
    group.nowMs = sentMs;
    group.hold('a', 'b').hold('a', 'c').beat();
    group.nowMs += 60;
    expect(group.canExecute('a'), 'the first one is over').to.equal(false);
    group.release('a', 'b').release('a', 'c').settle();
    group.nowMs = sentMs + timing.leaseMs - 1;
    expect(group.canExecute('a')).to.equal(true);
    group.nowMs++;
    expect(group.canExecute('a')).to.equal(false);
  });

  it('is over without anybody telling: a primary that was stopped executes nothing when it goes on [2]', () => {
    const group = new Group().serve('a', ['b', 'c']);
    group.nowMs += 2 * timing.leaseMs;
    expect(group.canExecute('a')).to.equal(false);
    group.beat();
    expect(group.canExecute('a'), 'until it holds one again').to.equal(true);
  });

  it('is not extended by an acknowledgement of an older ballot [2]', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'b').hold('a', 'c').beat();
    group.configure(2, 'a', ['b', 'c'], ['a']);
    const { replica } = group.member('a');
    replica.onBeaconAck(seat('b'), 1, group.nowMs, group.nowMs);
    replica.onBeaconAck(seat('c'), 1, group.nowMs, group.nowMs);
    expect(group.canExecute('a')).to.equal(false);
    group.release('a', 'b').release('a', 'c').settle().beat();
    expect(group.canExecute('a')).to.equal(true);
  });

  it('is not given for an older ballot [2]', () => {
    const group = new Group().serve('a', ['b', 'c']).configure(2, 'a', ['b', 'c'], ['b', 'c']);
    group.pass(timing.leaseMs);
    expect(group.canExecute('a')).to.equal(false);
  });

  it('comes from meta where there is no secondary', () => {
    const group = new Group({ minReplicas: () => 1 }).configure(1, 'a', []);
    const a = group.member('a');
    expect(group.canExecute('a')).to.equal(false);
    a.metaLeaseUntilMs = group.nowMs + 50;
    group.pass(10);
    expect([a.serving, group.canExecute('a')]).to.deep.equal([true, true]);
    group.pass(40);
    expect(group.canExecute('a')).to.equal(false);
  });

  it('of a boot that is over does not count for the next boot of the same server', () => {
    const group = new Group().configure(1, 'a', ['b', 'c']);
    group.member('a').replica.onBeaconAck({ node: 'b', boot: '2-boot' }, 1, group.nowMs, group.nowMs);
    group.member('a').replica.onBeaconAck(seat('c'), 1, group.nowMs, group.nowMs);
    expect(group.canExecute('a')).to.equal(false);
  });
});

describe('grace', () => {
  it('runs from when a beacon was received; then a secondary proposes itself, without the old primary [3]', () => {
    const group = new Group().serve('a', ['b', 'c']).kill('a');
    group.pass(timing.graceMs);
    expect(group.member('b').proposals).to.deep.equal([]);
    group.pass(10);
    expect(group.member('b').proposals).to.deep.equal([
      { partition: PARTITION, ballot: 1, primary: seat('b'), secondaries: [seat('c')], handover: false },
    ]);
  });

  it('is longer than the lease: at every instant at most one may execute [1]', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'b').hold('a', 'c');
    for (let passed = 0; passed < 400; passed += 10) {
      group.pass(10);
      expect(group.primaries.length, `after ${passed} ms`).to.be.at.most(1);
      const b = group.member('b');
      if (b.proposals.length > 0 && b.replica.role === 'secondary') group.configure(2, 'b', ['c'], ['b', 'c']);
    }
    expect(group.primaries).to.deep.equal(['b']);
    expect(group.member('a').replica.role, 'nobody told it').to.equal('primary');
  });

  it('once over, is over for that ballot: its beacons are never acknowledged again', () => {
    const group = new Group()
      .serve('a', ['b', 'c'])
      .hold('a', 'b')
      .hold('a', 'c')
      .pass(timing.graceMs + 20);
    group.release('a', 'b').release('a', 'c').settle();
    group.pass(50);
    expect(group.canExecute('a')).to.equal(false);
    expect(group.member('b').replica.onBeacon(seat('a'), 1, 1, group.nowMs)).to.equal(false);
    group.configure(2, 'a', ['b', 'c']).beat();
    expect(group.canExecute('a'), 'a new ballot begins anew').to.equal(true);
  });

  it('begins when a replica becomes secondary', () => {
    const group = new Group().configure(1, 'a', ['b', 'c'], ['b']).hold('a', 'b');
    group.pass(timing.graceMs);
    expect(group.member('b').proposals).to.deep.equal([]);
    group.pass(10);
    expect(group.member('b').proposals.length).to.equal(1);
  });

  it('begins anew with a ballot: its primary is not given up before its first beacon can have come', () => {
    const group = new Group().serve('a', ['b', 'c']).kill('a').pass(timing.graceMs, { beacons: false });
    group.configure(2, 'b', ['c']);
    group.nowMs += 10;
    group.tick().beat();
    expect(group.member('c').proposals).to.deep.equal([]);
    expect(group.pass(20).primaries).to.deep.equal(['b']);
  });

  it('is asked for again until meta answers', () => {
    const group = new Group()
      .serve('a', ['b', 'c'])
      .kill('a')
      .pass(timing.graceMs + 100);
    expect(group.member('b').proposals.length).to.be.within(2, 5);
  });
});

describe('a new primary', () => {
  /** a served b and c, and went silent; meta makes b its successor. */
  const succeeded = (gone: boolean): Group => {
    const group = new Group().serve('a', ['b', 'c']);
    group.hold('a', 'b').hold('a', 'c');
    if (gone) group.gone.add('a/1-boot');
    return group.configure(2, 'b', ['c'], ['b', 'c']).beat();
  };

  it('waits until every earlier lease is over [1]', () => {
    const group = succeeded(false);
    const startMs = group.nowMs;
    expect(group.canExecute('a'), 'a does not know').to.equal(true);
    while (!group.canExecute('b')) {
      group.pass(10);
      expect(group.primaries.length).to.be.at.most(1);
      expect(group.nowMs - startMs).to.be.at.most(timing.graceMs + 20);
    }
    expect(group.nowMs - startMs).to.be.at.least(timing.graceMs);
  });

  it('serves at once when the earlier boot is gone for good', () => {
    expect(succeeded(true).primaries).to.include('b');
  });

  it('waits for a primary that was lost although the successor in between is gone [1]', () => {
    const group = new Group({ minReplicas: () => 1 }).serve('a', ['b', 'c']).hold('a', 'b').hold('a', 'c');
    group.configure(2, 'c', ['b'], ['b', 'c']).beat();
    expect(group.member('c').serving, 'c waits for a').to.equal(false);
    group.kill('c').gone.add('c/1-boot');
    group.member('b').metaLeaseUntilMs = Number.POSITIVE_INFINITY;
    group.configure(3, 'b', []);
    group.pass(50);
    expect(group.primaries, 'a holds the lease that b and c gave it').to.deep.equal(['a']);
    group.pass(timing.graceMs);
    expect(group.primaries).to.deep.equal(['b']);
  });

  it('that gave no lease itself waits out a grace period, unless meta is certain [1]', () => {
    const chosen = (predecessorGone: boolean): Group => {
      const group = new Group({ minReplicas: () => 1 }).serve('a', ['b', 'c']);
      group.hold('a', 'b').hold('a', 'c');
      group.member('d').metaLeaseUntilMs = Number.POSITIVE_INFINITY;
      group.member('d').replica.onConfiguration(group.configuration(2, 'd', [], predecessorGone), group.nowMs);
      return group.pass(20, { beacons: false });
    };
    expect(chosen(true).canExecute('d')).to.equal(true);
    const uncertain = chosen(false);
    expect(uncertain.primaries).to.deep.equal(['a']);
    expect(uncertain.pass(timing.graceMs).primaries).to.deep.equal(['d']);
  });
});

describe('after a pause of the process', () => {
  it('a primary drops nobody before their messages were read', () => {
    for (const pauseMs of [timing.followerTimeoutMs + 50, 2 * timing.stallTimeoutMs]) {
      const group = new Group().serve('a', ['b', 'c']);
      group.hold('a', 'b').hold('a', 'c');
      group.write('a', 'x');
      group.nowMs += pauseMs;
      group.member('a').replica.tick(group.nowMs);
      group.release('a', 'b').release('a', 'c').settle().pass(200);
      expect(group.member('a').proposals, `${pauseMs} ms`).to.deep.equal([]);
      expect(group.canExecute('a')).to.equal(true);
    }
  });

  it('a secondary does not take over before it has read its beacons', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'b');
    group.beat();
    group.nowMs += 5 * timing.graceMs;
    group.member('b').replica.tick(group.nowMs);
    group.release('a', 'b').settle().pass(100);
    expect(group.member('b').proposals).to.deep.equal([]);
    expect(group.canExecute('a')).to.equal(true);
  });

  it('a secondary does not take over while something large comes in, which beacons cannot overtake', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'b').hold('a', 'c');
    const b = group.member('b');
    b.receivingFrom.add('a');
    group.pass(5 * timing.graceMs);
    expect(b.proposals).to.deep.equal([]);
    expect(group.canExecute('a'), 'nobody serves meanwhile').to.equal(false);
    b.receivingFrom.clear();
    group.pass(timing.graceMs + 20);
    expect(b.proposals.length).to.be.greaterThan(0);
  });

  it('but whoever stays silent is dropped', () => {
    const group = new Group().serve('a', ['b', 'c']).hold('a', 'b');
    group.nowMs += 500;
    group.pass(timing.followerTimeoutMs);
    expect(group.member('a').newestProposal.secondaries).to.deep.equal([seat('c')]);
  });
});

describe('a beacon', () => {
  it('is not acknowledged by who is no member', () => {
    const group = new Group().serve('a', ['b', 'c']);
    group.hold('d', 'a');
    group.deliver(seat('a'), 'd', [Kind.beacon, group.nowMs, [[PARTITION, 1, 1]]]);
    expect(group.waiting('d', 'a')).to.deep.equal([]);
  });

  it('is not sent by who is primary no more', () => {
    const group = new Group().serve('a', ['b', 'c']).configure(2, 'b', ['a', 'c']);
    expect(group.member('a').replica.beating).to.equal(false);
    expect(group.member('a').serving).to.equal(false);
  });
});
