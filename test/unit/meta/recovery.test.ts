/** A partition without any member left: what meta knows of it, says of it, and lets an administrator do [17]. */
import { expect } from 'chai';
import { judgeForce } from '../../../meta/decisions/force.js';
import { assess, lossesOf, type Recovery } from '../../../meta/decisions/recovery.js';
import { MetaHarness } from './harness.js';
import { type Scenario, scenario, seat } from './scenario.js';

function assessed(cluster: Scenario): Recovery {
  const [partition] = cluster.partitions;
  if (partition === undefined) throw new Error('the scenario has a partition');
  return assess(cluster, partition);
}

describe('the recovery of a partition without members', () => {
  const mixed = (): Scenario =>
    scenario()
      .server('a', { alive: false })
      .server('b', { boot: 'b2', has: { 1: [5, 12, 10] } })
      .server('c', { boot: 'c2' })
      .server('d', { has: { 1: [3, 500, 400] } })
      .partition({ primary: 'a', secondaries: ['b', 'c'] });

  it('says of every member whether it is back and with what, and lists older copies apart [17]', () => {
    const { members, others, missing } = assessed(mixed());
    expect(members).to.deep.equal([
      { node: 'a', state: 'lost', copy: null },
      { node: 'b', state: 'back', copy: { partition: 1, ballot: 5, end: 12, applied: 10 } },
      { node: 'c', state: 'back without its copy', copy: null },
    ]);
    expect(others).to.deep.equal([
      { node: 'd', state: 'back', copy: { partition: 1, ballot: 3, end: 500, applied: 400 } },
    ]);
    expect(missing).to.deep.equal(['a']);
  });

  it('says what a choice may lose', () => {
    const recovery = assessed(mixed());
    expect(lossesOf(recovery, 'b')).to.deep.equal([
      'what only a has, which has not come back and may still be serving: stop it first',
    ]);
    expect(lossesOf(recovery, 'd')).to.deep.equal([
      'everything since d was a member of this partition the last time',
      'what only a has, which has not come back and may still be serving: stop it first',
      'decrees up to 12 of ballot 5, which b has',
    ]);
  });

  it('lets nobody be chosen while a secondary lives: that one has everything', () => {
    const alive = scenario()
      .server('a', { alive: false })
      .server('b')
      .server('c', { boot: 'c2', has: { 1: [5, 12] } })
      .partition({ primary: 'a', secondaries: ['b', 'c'] });
    expect(judgeForce(alive, 1, 'c')).to.deep.equal({
      refusal: 'partition 1 has a secondary that lives, b, and goes on with it by itself',
    });
  });
});

describe('meta, when all members of a partition are gone', () => {
  const lost = (): MetaHarness => {
    const harness = new MetaHarness();
    for (const node of ['a', 'b', 'c']) harness.register(node);
    harness.keepAlive(['a'], 400, [{ role: 'primary', serving: true }]);
    harness.restart();
    harness.time.advance(10_000);
    harness.register('b', 'b2', [{ partition: 1, ballot: 1, end: 12, applied: 10 }]);
    harness.register('c', 'c2');
    return harness;
  };

  it('reports what it waits for, and since when [17]', () => {
    const harness = lost();
    harness.keepAlive(['b:b2', 'c:c2'], 2_000);
    const rows = harness.meta.recoveries();
    expect(rows.map(({ node, was, state, end }) => [node, was, state, end])).to.deep.equal([
      ['a', 'primary', 'lost', null],
      ['b', 'secondary', 'back', 12],
      ['c', 'secondary', 'back without its copy', null],
    ]);
    expect(rows[0]?.waitingMs).to.be.within(2_000, 20_000);
    expect([rows[0]?.silentMs, rows[1]?.silentMs]).to.satisfy(([a, b]: number[]) => a === null && (b ?? -1) >= 0);
  });

  it('names why a member was turned away [17]', () => {
    const harness = lost();
    harness.register('a', 'a2', [{ partition: 1, ballot: 7, end: 1, applied: 1 }]);
    expect(harness.meta.recoveries()[0]?.note).to.match(/partition 1 at ballot 7, which this meta never gave out/);
  });

  it('compares what a copy has now, not what it had when it registered', () => {
    const harness = lost();
    harness.heartbeat('b', 'b2', [{ role: 'inactive', contentBallot: 1, end: 10, applied: 10 }]);
    expect(harness.meta.recoveries().find(({ node }) => node === 'b')?.end).to.equal(10);
  });

  it('counts whoever was a member since it was last served, until it is served again [17]', () => {
    const harness = new MetaHarness();
    for (const node of ['a', 'b', 'c']) harness.register(node);
    harness.keepAlive(['a'], 400, [{ role: 'primary', serving: true }]);
    const earlier = (): unknown =>
      (JSON.parse(harness.rows.get('partition/1') ?? '{}') as { earlier?: unknown }).earlier;
    const keep = (ballot: number, nodes: readonly string[]): void =>
      harness.propose('a', 'a1', {
        partition: 1,
        ballot,
        primary: seat('a'),
        secondaries: nodes.map(seat),
        handover: false,
      });
    keep(1, ['b']);
    expect(earlier()).to.deep.equal([{ node: 'c', ballot: 1 }]);
    keep(2, []);
    expect(earlier()).to.deep.equal([
      { node: 'c', ballot: 1 },
      { node: 'b', ballot: 2 },
    ]);
    harness.heartbeat('a', 'a1', [{ role: 'primary', ballot: 3, serving: true }]);
    harness.time.advance(100);
    expect(earlier()).to.deep.equal([]);
  });

  it('remembers a forced choice for good: older copies may differ from it', () => {
    const harness = lost();
    harness.keepAlive(['b:b2', 'c:c2'], 4_800);
    harness.meta.recover(1, 'b', (error) => expect(error).to.equal(null));
    harness.keepAlive(['b:b2', 'c:c2'], 400, [{ role: 'primary', ballot: 2, serving: true }]);
    harness.restart();
    expect(harness.partition()?.forced).to.deep.equal([{ ballot: 2, decree: 10 }]);
    expect(harness.configuration()).to.include({ ballot: 2, predecessorGone: false });
  });
});
