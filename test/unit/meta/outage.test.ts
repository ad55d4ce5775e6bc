/** Meta that cannot write, writes slowly, or dies between a decision and its answer [12, 16]. */
import { expect } from 'chai';
import { Meta } from '../../../meta/meta.js';
import { members, type Proposal } from '../../../shared/cluster.js';
import { silentLogger } from '../../../shared/logging.js';
import { Kind } from '../../../shared/wire/messages.js';
import { MetaHarness } from './harness.js';
import { seat, textOf } from './scenario.js';

describe('meta', () => {
  const threeServers = (): MetaHarness => {
    const harness = new MetaHarness();
    for (const node of ['a', 'b', 'c']) harness.register(node);
    return harness;
  };
  const withoutC: Proposal = { partition: 1, ballot: 1, primary: seat('a'), secondaries: [seat('b')], handover: false };

  it('takes the repetition of a proposal whose answer was lost with it for what it is [16]', () => {
    const harness = threeServers();
    harness.propose('a', 'a1', withoutC);
    expect(harness.configuration()?.ballot).to.equal(2);
    harness.restart();
    harness.register('a');
    harness.propose('a', 'a1', withoutC);
    const [answer] = harness.take('a', Kind.proposeResult);
    expect(answer?.[2]).to.equal(false);
    expect(members(answer?.[3] as never).map(textOf)).to.deep.equal(['a', 'b']);
    expect(harness.configuration()?.ballot, 'and nothing changed').to.equal(2);
  });

  it('that dies before a change is durable never made it: the repetition is accepted [12]', () => {
    const harness = threeServers();
    harness.network.onMessage({ node: 'a', boot: 'a1', role: 'server' }, [Kind.propose, 7, withoutC]);
    expect(harness.take('a', Kind.proposeResult), 'nothing is said').to.deep.equal([]);
    const durable = new Map(harness.rows);
    harness.restart();
    harness.rows.clear();
    for (const [key, value] of durable) harness.rows.set(key, value);
    harness.restart();
    expect(harness.configuration()?.ballot).to.equal(1);
    harness.register('a');
    harness.propose('a', 'a1', withoutC);
    expect(harness.take('a', Kind.proposeResult)[0]?.[2]).to.equal(true);
  });

  it('ends, and says nothing, when its disk is full [12]', () => {
    const harness = threeServers();
    harness.meta.stop(() => undefined);
    harness.time.advance(10);
    const fatal: string[] = [];
    const rows = new Map(harness.rows);
    const full = new Meta(
      harness.time,
      harness.network,
      {
        load: (done) => done(null, rows),
        write: (_changes, done) => void harness.time.after(5, () => done(new Error('no space left on device'))),
        close: (done) => done(null),
      },
      { ...harness.options, onFatal: (error) => void fatal.push(error.message) },
      silentLogger,
    );
    full.start(() => undefined);
    harness.network.sent.length = 0;
    harness.register('a');
    expect(harness.take('a', Kind.registered), 'nothing to write: it serves').to.deep.equal([[Kind.registered, '']]);
    harness.propose('a', 'a1', withoutC);
    harness.time.advance(1_000);
    expect(fatal).to.deep.equal(['no space left on device']);
    expect(harness.network.sent.map(({ message }) => message[0])).to.not.include(Kind.proposeResult);
  });
});

describe('a request to move a primary', () => {
  const moving = (): { harness: MetaHarness; outcome: (string | null)[] } => {
    const harness = new MetaHarness();
    for (const node of ['a', 'b', 'c']) harness.register(node);
    const outcome: (string | null)[] = [];
    harness.network.sent.length = 0;
    harness.meta.movePrimary(1, 'c', (error) => outcome.push(error?.message ?? null));
    harness.time.advance(5);
    return { harness, outcome };
  };

  it('goes to the primary, and is done when its proposal is in force', () => {
    const { harness, outcome } = moving();
    expect(harness.take('a', Kind.handOver)).to.deep.equal([[Kind.handOver, 1, 1, 'c']]);
    expect(outcome).to.deep.equal([]);
    harness.propose('a', 'a1', {
      partition: 1,
      ballot: 1,
      primary: seat('c'),
      secondaries: [seat('a'), seat('b')],
      handover: true,
    });
    harness.time.advance(50);
    expect(outcome).to.deep.equal([null]);
    expect(harness.configuration()).to.include({ ballot: 2, predecessorGone: true });
  });

  it('is refused after a while when the primary does not hand over', () => {
    const { harness, outcome } = moving();
    harness.keepAlive(['a', 'b', 'c'], 6_000, [{}]);
    expect(outcome).to.deep.equal(['a did not hand partition 1 over; try again']);
  });

  it('names what is wrong with it', () => {
    const { harness } = moving();
    const refusals: string[] = [];
    for (const [partition, node] of [
      [9, 'b'],
      [1, 'a'],
      [1, 'x'],
    ] as const)
      harness.meta.movePrimary(partition, node, (error) => refusals.push(error?.message ?? ''));
    expect(refusals).to.deep.equal([
      'there is no partition 9',
      'a is the primary of partition 1 already',
      'x is no secondary of partition 1',
    ]);
  });
});
