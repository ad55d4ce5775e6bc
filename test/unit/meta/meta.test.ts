import { expect } from 'chai';
import { members } from '../../../shared/cluster.js';
import { Kind } from '../../../shared/wire/messages.js';
import { MetaHarness } from './harness.js';
import { seat, textOf } from './scenario.js';

describe('meta', () => {
  const threeServers = (): MetaHarness => {
    const harness = new MetaHarness();
    for (const node of ['a', 'b', 'c']) harness.register(node);
    return harness;
  };
  const shape = (harness: MetaHarness): string => {
    const configuration = harness.configuration();
    return configuration === undefined
      ? 'no partition'
      : `${configuration.ballot}: ${members(configuration).map(textOf).join(' ')}`;
  };

  it('creates the default table once enough servers have registered, and assigns it', () => {
    const harness = new MetaHarness();
    harness.register('a');
    harness.register('b');
    expect(harness.meta.tables()).to.deep.equal([]);
    harness.register('c');
    expect(harness.meta.tables()).to.have.length(1);
    expect(shape(harness)).to.equal('1: a b c');
  });

  it('gives a table no more replicas than there are servers to wait for', () => {
    const harness = new MetaHarness({ servers: 1 });
    harness.register('a');
    expect(harness.meta.tables()[0]).to.include({ replicas: 1, minReplicas: 1 });
  });

  it('does not create the default table again after it was dropped', () => {
    const harness = threeServers();
    harness.meta.dropTable('default', () => undefined);
    harness.time.advance(1_000);
    expect(harness.meta.tables()).to.deep.equal([]);
  });

  it('sends a full view to whoever registers, and what changed to everybody', () => {
    const harness = new MetaHarness();
    harness.register('a');
    expect(harness.views('a')[0]).to.include({ full: true });
    harness.register('b');
    harness.register('c');
    const views = harness.views('a');
    expect(views.every((view) => !view.full)).to.equal(true);
    expect(views.flatMap((view) => view.nodes.map((info) => info.node))).to.deep.equal(['b', 'c']);
    expect(views.flatMap((view) => view.partitions.map((partition) => partition.configuration.ballot))).to.include(1);
  });

  it('tells whoever registers while a table is being created of that table, whatever comes first', () => {
    const harness = new MetaHarness({ servers: 1 });
    const info = { host: '127.0.0.1', port: 1, machine: 'x', pid: 1, state: 'alive' } as const;
    for (const role of ['server', 'proxy'] as const) {
      const origin = { node: role, boot: '1', role };
      harness.network.onMessage(origin, [Kind.register, { ...origin, ...info }, []]);
    }
    harness.time.advance(20);
    const known = new Set<number>();
    for (const view of harness.views('proxy')) {
      if (view.full) known.clear();
      for (const partition of view.partitions) known.add(partition.id);
    }
    expect([...known]).to.deep.equal([1]);
  });

  it('says nothing before it is durable', () => {
    const harness = threeServers();
    harness.keepAlive(['a', 'b', 'c'], 400);
    harness.network.sent.length = 0;
    harness.network.onMessage({ node: 'a', boot: 'a1', role: 'server' }, [
      Kind.propose,
      7,
      { partition: 1, ballot: 1, primary: seat('a'), secondaries: [seat('b')], handover: false },
    ]);
    expect(harness.network.sent).to.deep.equal([]);
    harness.time.advance(5);
    expect(harness.take('a', Kind.proposeResult)[0]?.slice(0, 3)).to.deep.equal([Kind.proposeResult, 7, true]);
    expect(harness.rows.get('partition/1')).to.contain('"ballot":2');
  });

  it('answers a refused proposal with the configuration in force', () => {
    const harness = threeServers();
    harness.network.sent.length = 0;
    harness.propose('b', 'b1', { partition: 1, ballot: 0, primary: seat('b'), secondaries: [], handover: false });
    expect(harness.take('b', Kind.proposeResult)).to.deep.equal([
      [Kind.proposeResult, 7, false, harness.configuration()],
    ]);
  });

  it('promotes a secondary at once when the primary registers as another boot', () => {
    const harness = threeServers();
    harness.register('a', 'a2', [{ partition: 1, ballot: 1, end: 4, applied: 4 }]);
    expect(shape(harness)).to.equal('2: b c');
    expect(harness.configuration()).to.include({ predecessorGone: true });
  });

  it('tells the new primary that the old boot is dead before it tells it of its role', () => {
    const harness = threeServers();
    harness.network.sent.length = 0;
    harness.register('a', 'a2');
    const told = harness
      .views('b')
      .map((view) => [
        ...view.nodes.map((info) => info.boot),
        ...view.partitions.map(({ configuration }) => `ballot ${configuration.ballot}`),
      ]);
    expect(told.flat()).to.deep.equal(['a2', 'ballot 2']);
  });

  it('asks the new primary to teach the server that came back', () => {
    const harness = threeServers();
    harness.register('a', 'a2', [{ partition: 1, ballot: 1, end: 4, applied: 4 }]);
    expect(harness.take('b', Kind.addLearner)).to.deep.equal([[Kind.addLearner, 1, 2, { node: 'a', boot: 'a2' }]]);
    harness.keepAlive(['b', 'c', 'a:a2'], 2_000);
    expect(harness.take('b', Kind.addLearner)).to.deep.equal([]);
    harness.keepAlive(['b', 'c', 'a:a2'], 2_000);
    expect(harness.take('b', Kind.addLearner), 'asked again, since the primary lists no learner').to.have.length(1);
  });

  it('asks less and less often for a server that is dropped again and again though it lives', () => {
    const harness = threeServers();
    const propose = (...secondaries: string[]): void => {
      const ballot = harness.configuration()!.ballot;
      harness.network.sent.length = 0;
      harness.propose('a', 'a1', {
        partition: 1,
        ballot,
        primary: seat('a'),
        secondaries: secondaries.map(seat),
        handover: false,
      });
    };
    /** How long after it was dropped the primary is asked to teach c. */
    const askedAfterMs = (): number => {
      const droppedMs = harness.time.monotonicMs();
      for (let i = 0; i < 200 && harness.take('a', Kind.addLearner).length === 0; i++)
        harness.keepAlive(['a', 'b', 'c'], 400);
      return harness.time.monotonicMs() - droppedMs;
    };
    const waits = [1, 2, 3, 4].map(() => {
      propose('b');
      const waitedMs = askedAfterMs();
      propose('b', 'c');
      return waitedMs;
    });
    expect(waits[0]).to.be.below(100);
    expect(waits[1]).to.be.within(1_900, 3_000);
    expect(waits[2]).to.be.within(3_900, 5_000);
    expect(waits[3]).to.be.within(7_900, 9_000);
    harness.keepAlive(['a', 'b', 'c'], 60_000);
    propose('b');
    expect(askedAfterMs(), 'it had behaved for a minute').to.be.below(100);
  });

  it('asks less and less often for a server whose lessons are given up', () => {
    const harness = threeServers();
    harness.propose('a', 'a1', {
      partition: 1,
      ballot: 1,
      primary: seat('a'),
      secondaries: [seat('b')],
      handover: false,
    });
    const lesson = (learners: string[]): void =>
      harness.heartbeat('a', 'a1', [{ partition: 1, ballot: 2, role: 'primary', serving: true, learners }]);
    for (const atLeastMs of [0, 2_000, 4_000]) {
      lesson(['c']);
      harness.network.sent.length = 0;
      lesson([]);
      const endedMs = harness.time.monotonicMs();
      while (harness.take('a', Kind.addLearner).length === 0 && harness.time.monotonicMs() < endedMs + 60_000) {
        lesson([]);
        harness.keepAlive(['b', 'c'], 400);
      }
      expect(harness.time.monotonicMs() - endedMs).to.be.within(atLeastMs, atLeastMs + 5_000);
    }
  });

  it('replaces a primary whose lease expired, but waits out its grace period', () => {
    const harness = threeServers();
    harness.keepAlive(['b', 'c'], 3_600);
    expect(shape(harness)).to.equal('1: a b c');
    harness.keepAlive(['b', 'c'], 1_200);
    expect(shape(harness)).to.equal('2: b c');
    expect(harness.configuration()).to.include({ predecessorGone: false });
  });

  it('gives everybody a full lease after its own restart', () => {
    const harness = threeServers();
    harness.keepAlive(['a', 'b', 'c'], 400);
    harness.restart();
    harness.register('b');
    harness.register('c');
    harness.keepAlive(['b', 'c'], 3_200);
    expect(shape(harness)).to.equal('1: a b c');
    harness.keepAlive(['b', 'c'], 1_600);
    expect(shape(harness)).to.equal('2: b c');
  });

  it('gives everybody a full lease after it stood still itself (5)', () => {
    const harness = threeServers();
    harness.keepAlive(['a', 'b', 'c'], 400);
    harness.time.standStill(6_000);
    harness.keepAlive(['b', 'c'], 3_600);
    expect(shape(harness)).to.equal('1: a b c');
    harness.keepAlive(['b', 'c'], 1_600);
    expect(shape(harness)).to.equal('2: b c');
  });

  it('gives everybody a full lease after it was cut off from all of them', () => {
    const harness = threeServers();
    harness.keepAlive(['a', 'b', 'c'], 400);
    harness.time.advance(6_000);
    expect(harness.meta.listNodes().map(({ state }) => state)).to.deep.equal(['lost', 'lost', 'lost']);
    harness.keepAlive(['b', 'c'], 3_600);
    expect(shape(harness)).to.equal('1: a b c');
    harness.keepAlive(['b', 'c'], 1_600);
    expect(shape(harness)).to.equal('2: b c');
  });

  it('changes nothing by a restart when everybody comes back', () => {
    const harness = threeServers();
    harness.restart();
    for (const node of ['c', 'b', 'a'])
      harness.register(node, `${node}1`, [{ partition: 1, ballot: 1, end: 9, applied: 9 }]);
    harness.keepAlive(['a', 'b', 'c'], 8_000, [{}]);
    expect(shape(harness)).to.equal('1: a b c');
  });

  it('waits for all members when all were lost, then takes the furthest', () => {
    const harness = threeServers();
    harness.keepAlive(['a'], 400, [{ role: 'primary', serving: true }]);
    harness.restart();
    harness.time.advance(10_000);
    harness.register('a', 'a2', [{ partition: 1, ballot: 1, end: 10, applied: 10 }]);
    harness.register('b', 'b2', [{ partition: 1, ballot: 1, end: 12, applied: 10 }]);
    harness.keepAlive(['a:a2', 'b:b2'], 8_000);
    expect(shape(harness)).to.equal('1: a b c');
    expect(harness.meta.waitingFor()).to.have.nested.property('[0].nodes').deep.equal(['c']);
    harness.register('c', 'c2', [{ partition: 1, ballot: 1, end: 11, applied: 11 }]);
    expect(shape(harness)).to.equal('2: b:b2');
    expect(harness.meta.waitingFor()).to.deep.equal([]);
  });

  it('lets an administrator go on with one copy', () => {
    const harness = threeServers();
    harness.restart();
    harness.register('b', 'b2', [{ partition: 1, ballot: 1, end: 12, applied: 10 }]);
    harness.keepAlive(['b:b2'], 4_800);
    const errors: (string | undefined)[] = [];
    harness.meta.recover(1, 'c', (error) => errors.push(error?.message));
    harness.meta.recover(1, 'b', (error) => errors.push(error?.message));
    harness.time.advance(5);
    expect(errors).to.deep.equal(['server c is not there', undefined]);
    expect(shape(harness)).to.equal('2: b:b2');
  });

  it('lets nobody go on with a server that has no copy', () => {
    const harness = threeServers();
    harness.keepAlive(['a'], 400, [{ role: 'primary', serving: true }]);
    harness.restart();
    harness.register('b', 'b2');
    harness.keepAlive(['b:b2'], 4_800);
    harness.meta.recover(1, 'b', (error) => expect(error?.message).to.equal('server b has no copy of partition 1'));
    expect(shape(harness)).to.equal('1: a b c');
  });

  it('refuses to recover a partition that has its primary', () => {
    const harness = threeServers();
    harness.meta.recover(1, 'b', (error) => expect(error?.message).to.match(/has a primary, a/));
  });

  it('refuses a boot that is older than one it knows', () => {
    const harness = threeServers();
    harness.register('a', 'a2');
    harness.take('a', Kind.registered);
    harness.register('a', 'a1');
    expect(harness.take('a', Kind.registered)).to.deep.equal([
      [Kind.registered, 'a newer boot of this server has registered'],
    ]);
    harness.register('n', '2000-x');
    harness.register('n', '1000-x');
    expect(harness.take('n', Kind.registered).at(-1)).to.deep.equal([
      Kind.registered,
      'a newer boot of this server has registered',
    ]);
  });

  it('refuses a server whose replicas are from a state that meta does not have', () => {
    const harness = threeServers();
    harness.register('d', 'd1', [{ partition: 9, ballot: 3, end: 1, applied: 1 }]);
    expect(harness.take('d', Kind.registered)[0]?.[1]).to.match(
      /partition 9 at ballot 3, which this meta never gave out/,
    );
    harness.register('d', 'd1', [{ partition: 1, ballot: 3, end: 1, applied: 1 }]);
    expect(harness.take('d', Kind.registered)[0]?.[1]).to.match(/partition 1 at ballot 3/);
  });

  it('takes a server with a replica of a table that was dropped meanwhile', () => {
    const harness = threeServers();
    harness.meta.dropTable('default', () => undefined);
    harness.register('d', 'd1', [{ partition: 1, ballot: 1, end: 1, applied: 1 }]);
    expect(harness.take('d', Kind.registered)).to.deep.equal([[Kind.registered, '']]);
  });

  it('acknowledges heartbeats: the lease of a primary that is alone', () => {
    const harness = threeServers();
    harness.network.sent.length = 0;
    harness.heartbeat('a', 'a1', [{ role: 'primary' }]);
    expect(harness.take('a', Kind.heartbeatAck)).to.have.length(1);
  });

  it('sends a primary of an earlier ballot the configuration in force instead', () => {
    const harness = threeServers();
    harness.propose('b', 'b1', {
      partition: 1,
      ballot: 1,
      primary: seat('b'),
      secondaries: [seat('c')],
      handover: false,
    });
    harness.network.sent.length = 0;
    harness.heartbeat('a', 'a1', [{ role: 'primary', serving: true }]);
    expect(harness.network.sent.map(({ message }) => message[0]))
      .to.include(Kind.view)
      .and.not.include(Kind.heartbeatAck);
  });

  it('sends a member a configuration that it has missed', () => {
    const harness = threeServers();
    harness.network.sent.length = 0;
    harness.heartbeat('c', 'c1', []);
    expect(harness.views('c').flatMap((view) => view.partitions.map((partition) => partition.id))).to.deep.equal([1]);
  });

  it('asks a boot that it does not know to register', () => {
    const harness = threeServers();
    harness.heartbeat('x', 'x1');
    expect(harness.take('x', Kind.registered)[0]?.[1]).to.match(/register again/);
  });

  it('takes a clean stop for the death of that boot', () => {
    const harness = threeServers();
    harness.register('a', 'a1', [], { state: 'dead' });
    expect(shape(harness)).to.equal('2: b c');
    expect(harness.configuration()).to.include({ predecessorGone: true });
    expect(harness.meta.listNodes().find((info) => info.node === 'a')).to.include({ state: 'dead' });
  });

  it('forgets that predecessors may serve once a primary does', () => {
    const harness = threeServers();
    harness.keepAlive(['b', 'c'], 4_800); // a is lost: b follows, uncertain of a
    expect(harness.configuration()).to.include({ ballot: 2, predecessorGone: false });
    harness.heartbeat('b', 'b1', [{ role: 'primary', ballot: 2, serving: true }]);
    harness.register('b', 'b2');
    expect(harness.configuration()).to.include({ ballot: 3, predecessorGone: true });
  });

  it('lists proxies while they are there and for a while after', () => {
    const harness = threeServers();
    harness.register('p', 'p1', [], { role: 'proxy' });
    expect(harness.meta.listNodes().map((info) => info.node)).to.include('p');
    harness.disconnect('p', 'p1');
    harness.time.advance(120_000);
    expect(harness.meta.listNodes().map((info) => info.node)).to.not.include('p');
  });

  it('checks new tables', () => {
    const harness = threeServers();
    const spec = { name: 't', partitions: 4, multiKey: 'slot' as const, replicas: 3, minReplicas: 2 };
    const refusals: string[] = [];
    const note = (error: Error | null): void => void refusals.push(error?.message ?? 'created');
    harness.meta.createTable({ ...spec, name: 'a b' }, note);
    harness.meta.createTable({ ...spec, multiKey: 'any' }, note);
    harness.meta.createTable({ ...spec, minReplicas: 4 }, note);
    harness.meta.createTable({ ...spec, name: 'default' }, note);
    harness.meta.createTable(spec, note);
    harness.time.advance(5);
    expect(refusals.at(-1)).to.equal('created');
    expect(refusals).to.have.length(5);
    expect(refusals.slice(0, 4).join('\n')).to.match(/letters.*\n.*one partition.*\n.*minReplicas.*\n.*exists already/);
    const ranges = harness.meta
      .partitions()
      .filter(({ partition }) => partition.table === 2)
      .map(({ partition }) => [partition.fromSlot, partition.toSlot]);
    expect(ranges).to.deep.equal([
      [0, 4095],
      [4096, 8191],
      [8192, 12287],
      [12288, 16383],
    ]);
  });
});
