import { expect } from 'chai';
import { type Decision, force, guard } from '../../../meta/decisions/guardian.js';
import type { Situation } from '../../../meta/decisions/situation.js';
import { type Scenario, scenario, seat, textOf } from './scenario.js';

/** Decisions as short texts. */
function decided(situation: Situation): string[] {
  return guard(situation).map(show);
}

function show(decision: Decision): string {
  if (decision.kind === 'teach') return `${decision.primary} teaches ${textOf(decision.seat)}`;
  if (decision.kind === 'wait') return `waits for ${decision.nodes.join(',')}: ${decision.reason}`;
  const { ballot, primary, secondaries, predecessorGone } = decision.configuration;
  const others = secondaries.map(textOf).join(',');
  return `ballot ${ballot}: ${primary === null ? '-' : textOf(primary)} [${others}]${predecessorGone ? '' : ' after grace'}`;
}

describe('guardian', () => {
  describe('a partition that nobody holds yet', () => {
    it('gets primary and secondaries at once, without a predecessor to wait for', () => {
      expect(decided(scenario().server('a').server('b').server('c').partition())).to.deep.equal(['ballot 1: a [b,c]']);
    });

    it('makes do with the servers that are there', () => {
      expect(decided(scenario().server('a').server('b', { alive: false }).partition())).to.deep.equal([
        'ballot 1: a []',
      ]);
    });

    it('is left alone while there is no server', () => {
      expect(decided(scenario().partition())).to.deep.equal(['waits for : no server is there to hold it']);
    });

    it('has its replicas on different machines where it can', () => {
      const rack = scenario({ replicas: 2 })
        .server('a', { machine: 'x' })
        .server('b', { machine: 'x' })
        .server('c', { machine: 'y' });
      expect(decided(rack.partition())).to.deep.equal(['ballot 1: a [c]']);
    });

    it('shares primaries evenly with its neighbours', () => {
      const cluster = scenario().server('a').server('b').server('c');
      for (let i = 0; i < 6; i++) cluster.partition();
      const primaries = guard(cluster).flatMap((decision) =>
        decision.kind === 'configure' ? decision.configuration.primary?.node : [],
      );
      expect(primaries.toSorted()).to.deep.equal(['a', 'a', 'b', 'b', 'c', 'c']);
    });

    it('spreads replicas evenly when there are more servers than replicas', () => {
      const cluster = scenario().server('a').server('b').server('c').server('d');
      for (let i = 0; i < 4; i++) cluster.partition();
      const seats = guard(cluster).flatMap((decision) =>
        decision.kind === 'configure' ? [decision.configuration.primary, ...decision.configuration.secondaries] : [],
      );
      for (const node of ['a', 'b', 'c', 'd'])
        expect(seats.filter((member) => member?.node === node)).to.have.length(3);
    });
  });

  describe('a partition whose primary is alive', () => {
    it('needs nothing when it is whole', () => {
      const whole = scenario()
        .server('a')
        .server('b')
        .server('c')
        .partition({ primary: 'a', secondaries: ['b', 'c'] });
      expect(decided(whole)).to.deep.equal([]);
    });

    it('is asked to teach a server for a missing replica', () => {
      const lacking = scenario()
        .server('a')
        .server('b')
        .server('c')
        .partition({ primary: 'a', secondaries: ['b'] });
      expect(decided(lacking)).to.deep.equal(['a teaches c']);
    });

    it('teaches the newest boot of a server that came back', () => {
      const back = scenario()
        .server('a')
        .server('b')
        .server('c', { boot: 'c2' })
        .partition({ primary: 'a', secondaries: ['b'] });
      expect(decided(back)).to.deep.equal(['a teaches c:c2']);
    });

    it('drops a dead secondary by itself: meta takes no seat away while the primary lives', () => {
      const dead = scenario()
        .server('a')
        .server('b')
        .server('c', { boot: 'c2' })
        .partition({ primary: 'a', secondaries: ['b', 'c'] });
      expect(decided(dead)).to.deep.equal([]);
    });

    it('does not teach more servers than it lacks', () => {
      const teaching = scenario()
        .server('a')
        .server('b')
        .server('c')
        .server('d')
        .partition({ primary: 'a', secondaries: ['b'], learners: ['c'] });
      expect(decided(teaching)).to.deep.equal([]);
    });

    it('prefers a server that has the data to one with less load', () => {
      const cluster = scenario()
        .server('a')
        .server('b')
        .server('c', { has: { 1: [4, 90] } })
        .server('d')
        .partition({ primary: 'a', secondaries: ['b'] })
        .partition({ primary: 'c', secondaries: ['a', 'b'] });
      expect(decided(cluster)).to.deep.equal(['a teaches c']);
    });

    it('waits a while for a server that just left, rather than copy to another', () => {
      const restarting = scenario()
        .server('a')
        .server('b')
        .server('c', { alive: false })
        .server('d')
        .partition({ primary: 'a', secondaries: ['b'], expected: ['c'] });
      expect(decided(restarting)).to.deep.equal([]);
    });

    it('teaches the server that left as soon as it is back', () => {
      const back = scenario()
        .server('a')
        .server('b')
        .server('c', { boot: 'c2', has: { 1: [5, 10] } })
        .server('d')
        .partition({ primary: 'a', secondaries: ['b'], expected: ['c'] });
      expect(decided(back)).to.deep.equal(['a teaches c:c2']);
    });
  });

  describe('a server that holds a partition up again and again', () => {
    const lacking = (resting: readonly string[]): Situation =>
      scenario()
        .server('a')
        .server('b')
        .server('c', { has: { 1: [5, 10] } })
        .server('d')
        .partition({ primary: 'a', secondaries: ['b'], expected: ['c'], resting });

    it('is left alone while it rests, and another one learns instead', () => {
      expect(decided(lacking(['c']))).to.deep.equal(['a teaches d']);
      expect(decided(lacking([]))).to.deep.equal(['a teaches c']);
    });

    it('is waited for when there is no other', () => {
      expect(decided(lacking(['c', 'd']))).to.deep.equal([]);
    });
  });

  describe('a partition whose primary is gone', () => {
    it('goes on at once under a secondary when the primary restarted', () => {
      const restarted = scenario()
        .server('a', { boot: 'a2' })
        .server('b')
        .server('c')
        .partition({ primary: 'a', secondaries: ['b', 'c'] });
      expect(decided(restarted)).to.deep.equal(['ballot 6: b [c]']);
    });

    it('goes on at once when the primary said that it stopped', () => {
      const stopped = scenario()
        .server('a', { stopped: true, alive: false })
        .server('b')
        .server('c')
        .partition({ primary: 'a', secondaries: ['b', 'c'] });
      expect(decided(stopped)).to.deep.equal(['ballot 6: b [c]']);
    });

    it('goes on after the grace period when the primary is only lost: it may still hold a lease', () => {
      const lost = scenario()
        .server('a', { alive: false })
        .server('b')
        .server('c')
        .partition({ primary: 'a', secondaries: ['b', 'c'] });
      expect(decided(lost)).to.deep.equal(['ballot 6: b [c] after grace']);
    });

    it('stays where it is while all its secondaries hear it: only meta is cut off from it', () => {
      const unseen = (hearing: readonly string[], bAlive = true): Situation =>
        scenario()
          .server('a', { alive: false })
          .server('b', { alive: bAlive })
          .server('c')
          .partition({ primary: 'a', secondaries: ['b', 'c'], hearing });
      expect(decided(unseen(['b', 'c']))).to.deep.equal([]);
      expect(decided(unseen(['c'])), 'one does not hear it').to.deep.equal(['ballot 6: b [c] after grace']);
      expect(decided(unseen(['b', 'c'], false)), 'one is lost, and has to be dropped').to.deep.equal([
        'ballot 6: c [] after grace',
      ]);
      const alone = scenario().server('a', { alive: false }).server('b').partition({ primary: 'a', secondaries: [] });
      expect(decided(alone)[0]).to.match(/^waits for a/);
    });

    it('is not heard any more once its process ended, whatever its secondaries said last', () => {
      const restarted = scenario()
        .server('a', { boot: 'a2' })
        .server('b')
        .partition({ primary: 'a', secondaries: ['b'], hearing: ['b'] });
      expect(decided(restarted)).to.deep.equal(['ballot 6: b []']);
    });

    it('leaves lost and dead secondaries behind', () => {
      const two = scenario()
        .server('a', { boot: 'a2' })
        .server('b', { alive: false })
        .server('c')
        .partition({ primary: 'a', secondaries: ['b', 'c'] });
      expect(decided(two)).to.deep.equal(['ballot 6: c []']);
    });

    it('is not waited for while any secondary is alive', () => {
      const one = scenario()
        .server('a', { boot: 'a2', has: { 1: [5, 999] } })
        .server('b', { boot: 'b2' })
        .server('c')
        .partition({ primary: 'a', secondaries: ['b', 'c'] });
      expect(decided(one)).to.deep.equal(['ballot 6: c []']);
    });

    it('gives the place to the server with the fewest primaries', () => {
      const uneven = scenario()
        .server('a', { boot: 'a2' })
        .server('b')
        .server('c')
        .partition({ primary: 'a', secondaries: ['b', 'c'] })
        .partition({ primary: 'b', secondaries: ['c'], learners: ['a'] });
      expect(decided(uneven)).to.deep.equal(['ballot 6: c [b]']);
    });

    it('keeps waiting out a lost primary even when its first successor died during the grace period', () => {
      // a was lost and may hold its lease; b followed, died before it served; c must not serve at once.
      const chain = scenario()
        .server('a', { alive: false })
        .server('b', { boot: 'b2' })
        .server('c')
        .partition({ ballot: 6, primary: 'b', secondaries: ['c'], uncertain: ['a'] });
      expect(decided(chain)).to.deep.equal(['ballot 7: c [] after grace']);
    });

    it('is given to nobody before a secondary registered with a restarted meta', () => {
      const fresh = scenario()
        .server('a', { boot: 'a2' })
        .server('b', { present: false })
        .server('c', { present: false })
        .partition({ primary: 'a', secondaries: ['b', 'c'] });
      expect(decided(fresh)[0]).to.match(/^waits for b,c/);
    });
  });

  describe('a partition that lost all its replicas', () => {
    it('waits for every member of the last configuration', () => {
      const waiting = scenario()
        .server('a', { boot: 'a2', has: { 1: [5, 10] } })
        .server('b', { boot: 'b2', has: { 1: [5, 12] } })
        .server('c', { alive: false })
        .partition({ primary: 'a', secondaries: ['b', 'c'] });
      expect(decided(waiting)[0]).to.match(/^waits for c: all replicas were lost/);
    });

    it('goes on with the furthest copy: the highest ballot, then the highest decree', () => {
      const back = scenario()
        .server('a', { boot: 'a2', has: { 1: [4, 99] } })
        .server('b', { boot: 'b2', has: { 1: [5, 12] } })
        .server('c', { boot: 'c2', has: { 1: [5, 14] } })
        .partition({ primary: 'a', secondaries: ['b', 'c'] });
      expect(decided(back)).to.deep.equal(['ballot 6: c:c2 []']);
    });

    it('refuses copies that contradict each other, and names them [17]', () => {
      const torn = scenario()
        .server('a', { boot: 'a2', has: { 1: [4, 99, 97] } })
        .server('b', { boot: 'b2', has: { 1: [5, 12, 10] } })
        .partition({ primary: 'a', secondaries: ['b'] });
      expect(decided(torn)).to.deep.equal([
        'waits for a,b: the copies contradict each other: a applied 97 under ballot 4, but b, of the higher ballot 5, ends at 12',
      ]);
    });

    it('goes on without a member whose data is gone while as many copies are there as a write needs [17]', () => {
      const damaged = scenario()
        .server('a', { boot: 'a2' })
        .server('b', { boot: 'b2', has: { 1: [5, 12] } })
        .server('c', { boot: 'c2', has: { 1: [5, 14] } })
        .partition({ primary: 'a', secondaries: ['b', 'c'] });
      expect(decided(damaged)).to.deep.equal(['ballot 6: c:c2 []']);
    });

    it('waits for an administrator when fewer copies came back than a write needs [17]', () => {
      const wiped = scenario()
        .server('a', { boot: 'a2' })
        .server('b', { boot: 'b2' })
        .server('c', { boot: 'c2', has: { 1: [5, 14] } })
        .partition({ primary: 'a', secondaries: ['b', 'c'] });
      expect(decided(wiped)).to.deep.equal([
        'waits for a,b,c: only 1 of 3 members came back with their data, and a write needs 2; an administrator must choose',
      ]);
    });

    it('looks only at members: an older copy elsewhere counts for nothing', () => {
      const back = scenario()
        .server('a', { boot: 'a2', has: { 1: [5, 12] } })
        .server('d', { has: { 1: [3, 500] } })
        .partition({ primary: 'a' });
      expect(decided(back)).to.deep.equal(['ballot 6: a:a2 []']);
    });

    it('goes on at once with its only member when that restarts', () => {
      const single = scenario({ replicas: 1 })
        .server('a', { boot: 'a2', has: { 1: [5, 3] } })
        .partition({ primary: 'a' });
      expect(decided(single)).to.deep.equal(['ballot 6: a:a2 []']);
    });

    it('waits for members of earlier ballots where the last one left no trace, and an empty copy is none [17] (found by seed 71063)', () => {
      // a was made primary alone while nobody knew that its process had ended; it lost all that it had not synced
      const alone = (c: Parameters<Scenario['server']>[1]): Situation =>
        scenario()
          .server('a', { boot: 'a2', has: { 1: [0, 0] } })
          .server('b', { boot: 'b2', has: { 1: [4, 12] } })
          .server('c', c)
          .partition({ primary: 'a', earlier: ['b', 'c'] });
      expect(decided(alone({ alive: false }))).to.deep.equal([
        'waits for c: all replicas were lost, and no member has anything of its last ballot, 5; these members of earlier ballots have not come back',
      ]);
      expect(decided(alone({ boot: 'c2', has: { 1: [4, 14] } }))).to.deep.equal(['ballot 6: c:c2 []']);
      expect(decided(alone({ boot: 'c2' }))[0]).to.match(/only 1 of 3 members came back with their data/);
    });

    it('takes the copy of an earlier member that lives, once that knows that it is none any more [17] (found by seed 70922)', () => {
      // b was lost, so a was made primary alone, and had lost its power, with the last decree, before it heard of it
      const lives = (b: Parameters<Scenario['server']>[1]): Situation =>
        scenario()
          .server('a', { boot: 'a2', has: { 1: [4, 128, 124] } })
          .server('b', { has: { 1: [4, 129, 125] }, ...b })
          .partition({ primary: 'a', earlier: ['b'] });
      const waits =
        'waits for b: all replicas were lost, and no member has anything of its last ballot, 5; these members of earlier ballots have not come back';
      expect(decided(lives({ acting: [1] }))).to.deep.equal([waits]);
      expect(decided(lives({ acting: null }))).to.deep.equal([waits]);
      expect(decided(lives({ acting: [2] }))).to.deep.equal(['ballot 6: b []']);
    });

    it("does not count an earlier member that was being taught again: its ballot is its teacher's [17] (found by seed 5045)", () => {
      const taught = scenario()
        .server('a', { boot: 'a2', has: { 1: [4, 35] } })
        .server('b', { has: { 1: [5, 20] }, acting: [1] })
        .server('c', { has: { 1: [3, 34] } })
        .partition({ primary: 'a', earlier: ['b', 'c'] });
      expect(decided(taught)).to.deep.equal(['ballot 6: a:a2 []']);
    });

    it('does not need earlier members where something was logged under the last ballot', () => {
      const logged = scenario()
        .server('a', { boot: 'a2', has: { 1: [5, 12] } })
        .server('b', { alive: false })
        .partition({ primary: 'a', earlier: ['b'] });
      expect(decided(logged)).to.deep.equal(['ballot 6: a:a2 []']);
    });

    it('goes on with what was logged before the last ballot when nobody left since it served', () => {
      const quiet = scenario()
        .server('a', { boot: 'a2', has: { 1: [3, 12] } })
        .server('b', { boot: 'b2', has: { 1: [3, 11] } })
        .partition({ primary: 'a', secondaries: ['b'] });
      expect(decided(quiet)).to.deep.equal(['ballot 6: a:a2 []']);
    });

    it('leaves it to an administrator when members that may have written alone lost everything [17]', () => {
      const wiped = scenario({ minReplicas: 1 })
        .server('a', { boot: 'a2' })
        .server('b', { boot: 'b2', has: { 1: [4, 12] } })
        .partition({ primary: 'a', earlier: ['b'] });
      expect(decided(wiped)[0]).to.match(/^waits for a,b: all members came back without their data/);
    });

    it('waits for a lost primary rather than take the copy of one that restarted', () => {
      const maybe = scenario()
        .server('a', { alive: false })
        .server('b', { boot: 'b2', has: { 1: [5, 12] } })
        .partition({ primary: 'a', secondaries: ['b'] });
      expect(decided(maybe)[0]).to.match(/^waits for a/);
    });

    it('takes no empty copy for one that was served', () => {
      const wiped = scenario({ replicas: 1 }).server('a', { boot: 'a2' }).partition({ primary: 'a' });
      expect(decided(wiped)[0]).to.match(/^waits for a: all members came back without their data/);
    });

    it('goes on when all have their stores, and no power to have synced anything: an empty store is not a lost one (20)', () => {
      const unsynced = (c: Parameters<Scenario['server']>[1]): Situation =>
        scenario()
          .server('a', { boot: 'a2', has: { 1: [0, 0] } })
          .server('b', { boot: 'b2', has: { 1: [0, 0] } })
          .server('c', { boot: 'c2', ...c })
          .partition({ primary: 'a', secondaries: ['b', 'c'] });
      expect(decided(unsynced({ has: { 1: [0, 0] } }))).to.deep.equal(['ballot 6: a:a2 []']);
      expect(decided(unsynced({}))[0]).to.match(/all members came back without their data/);
    });

    it('starts empty when it was never served', () => {
      const fresh = scenario({ replicas: 1 })
        .server('a', { boot: 'a2' })
        .partition({ primary: 'a', ballot: 1, served: false });
      expect(decided(fresh)).to.deep.equal(['ballot 2: a:a2 []']);
    });

    it("follows the administrator's choice, after grace for a primary that may still serve", () => {
      const cluster = scenario()
        .server('a', { alive: false })
        .server('b', { boot: 'b2', has: { 1: [5, 12, 10] } })
        .partition({ primary: 'a', secondaries: ['b'] });
      const [partition] = cluster.partitions;
      const chosen = cluster.servers.get('b');
      if (partition === undefined || chosen === undefined) throw new Error('the scenario has both');
      const decision = force(cluster, partition, chosen);
      expect(show(decision)).to.equal('ballot 6: b:b2 [] after grace');
      expect(decision.forcedFrom).to.equal(10);
      expect(decision).to.have.deep.property('uncertain', [seat('a')]);
    });
  });
});
