import { expect } from 'chai';
import { limits } from '../../../shared/limits.js';
import { Code } from '../../../shared/operations/codes.js';
import { Kind, Status } from '../../../shared/wire/messages.js';
import { META, partitionAt, serverOrigin, viewOf } from '../proxy/memory-partition.js';
import { type World, answer, settles, withPrimary, world } from './router-world.js';

describe('router', () => {
  it('registers at meta whenever it connects, and sends heartbeats', () => {
    const { network, environment } = world();
    network.connect(META);
    network.onMessage(META, [Kind.registered, '']);
    environment.advance(2_500);
    const kinds = network.sent.filter(({ node }) => node === 'meta').map(({ message }) => message[0]);
    expect(kinds[0]).to.equal(Kind.register);
    expect(kinds.filter((kind) => kind === Kind.heartbeat)).to.have.length(2);
  });

  it('numbers requests per connection and partition, and tells what was answered', () => {
    const made = withPrimary();
    made.submit('1');
    made.submit('2');
    made.submit('3');
    answer(made, 'a', '2');
    made.submit('4');
    answer(made, 'a', '1');
    made.submit('5');
    expect(made.network.requests('a').map((request) => [request[6], request[7]])).to.deep.equal([
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 0],
      [5, 2],
    ]);
    expect(made.outcomes.map(([name]) => name)).to.deep.equal(['2', '1']);
  });

  it('keeps requests in order while there is no primary, and sends them when there is one', () => {
    const made = world();
    made.network.view(viewOf([partitionAt(null)]));
    for (const name of ['1', '2', '3']) made.submit(name);
    expect(made.sentTo('a')).to.deep.equal([]);
    made.network.view(viewOf([partitionAt('a', 2)]));
    made.network.connect(serverOrigin('a'));
    expect(made.sentTo('a')).to.deep.equal(['1', '2', '3']);
  });

  it('does not send again what must not happen twice: its outcome is unknown', () => {
    const made = withPrimary({ isOnce: (code) => code === Code.set });
    made.submit('1');
    made.submit('2', { read: true });
    made.network.view(viewOf([partitionAt('b', 2)]));
    made.submit('3');
    made.network.connect(serverOrigin('b'));
    made.environment.advance(0);
    expect(made.sentTo('b')).to.deep.equal(['2', '3']);
    expect(made.outcomes.map(([name, status]) => [name, status])).to.deep.equal([['1', Status.unknown]]);
  });

  it('keeps a connection to the primary that it listens to, and says when it is another one', () => {
    const introduced: string[] = [];
    const made = withPrimary({
      onIntroduced: (partition) => introduced.push(partition.facts.configuration.primary?.node ?? ''),
    });
    made.submit('1');
    answer(made, 'a', '1');
    const partition = made.router.table('default').partitions[0]!;
    partition.listening = true;
    made.network.disconnect('a');
    made.network.connect(serverOrigin('a'));
    made.network.connect(serverOrigin('b'));
    made.network.view(viewOf([partitionAt('b', 2)]));
    expect(introduced).to.deep.equal(['a', 'b']);
  });

  it('says that a table has no partitions instead of waiting for ever', () => {
    const made = world();
    made.submit('1');
    expect(made.outcomes[0]?.[1]).to.equal(Status.retry);
  });

  it('takes everything in flight back when one request is refused, and sends it again in order', () => {
    const made = withPrimary();
    for (const name of ['1', '2', '3']) made.submit(name);
    answer(made, 'a', '1', Status.retry, 'not-primary');
    made.submit('4');
    expect(made.sentTo('a')).to.deep.equal(['1', '2', '3']);
    made.network.connect(serverOrigin('b'));
    made.network.view(viewOf([partitionAt('b', 2)]));
    expect(made.sentTo('b')).to.deep.equal(['1', '2', '3', '4']);
    expect(made.network.requests('b').map((request) => request[6])).to.deep.equal([1, 2, 3, 4]);
  });

  it('tries again after a pause when no new configuration comes', () => {
    const made = withPrimary({ retryPauseMs: 50 });
    made.submit('1');
    answer(made, 'a', '1', Status.retry, 'not-enough-replicas');
    made.environment.advance(40);
    expect(made.sentTo('a')).to.have.length(1);
    made.environment.advance(20);
    expect(made.sentTo('a')).to.deep.equal(['1', '1']);
  });

  it('ignores the late answer to an earlier sending', () => {
    const made = withPrimary();
    made.submit('1');
    const early = made.network.requests('a')[0]?.[1] ?? 0;
    made.network.connect(serverOrigin('b'));
    made.network.view(viewOf([partitionAt('b', 2)]));
    made.network.reply('a', early, Status.ok, true);
    expect(made.outcomes).to.deep.equal([]);
    answer(made, 'b', '1');
    expect(made.outcomes).to.deep.equal([['1', Status.ok, true]]);
  });

  it('sends again, under the same numbers, what a broken connection left unanswered', () => {
    const made = withPrimary();
    for (const name of ['1', '2']) made.submit(name);
    answer(made, 'a', '1');
    made.network.disconnect('a');
    made.submit('3');
    made.network.connect(serverOrigin('a'));
    expect(made.network.requests('a').map((request) => request[6])).to.deep.equal([1, 2, 2, 3]);
  });

  it("does not trust another boot with the seat's requests", () => {
    const made = withPrimary();
    made.network.disconnect('a');
    made.submit('1');
    made.network.connect(serverOrigin('a', 'a-later'));
    expect(made.sentTo('a')).to.deep.equal([]);
    made.network.view(viewOf([partitionAt('a', 2, undefined, 'a-later')]));
    expect(made.sentTo('a')).to.deep.equal(['1']);
  });

  it('leaves requests where they are when the same seat goes on under the next ballot, not after ballots it did not see', () => {
    const made = withPrimary();
    made.submit('1');
    made.network.view(viewOf([partitionAt('a', 2)]));
    expect(made.sentTo('a')).to.deep.equal(['1']);
    made.network.view(viewOf([partitionAt('a', 4)]));
    expect(made.sentTo('a')).to.deep.equal(['1', '1']);
  });

  it('ignores views that are older than what it knows', () => {
    const made = withPrimary();
    made.network.view(viewOf([partitionAt('a', 5)]));
    made.network.view({ ...viewOf([partitionAt('b', 4)]), full: false });
    made.submit('1');
    expect(made.sentTo('a')).to.deep.equal(['1']);
  });

  describe('at the deadline', () => {
    it('says that what was never sent was not executed', () => {
      const made = world();
      made.network.view(viewOf([partitionAt(null)]));
      made.submit('1');
      made.environment.advance(9_800);
      expect(made.outcomes).to.deep.equal([]);
      made.environment.advance(400);
      expect(made.outcomes[0]?.slice(0, 2)).to.deep.equal(['1', Status.retry]);
      expect(made.outcomes[0]?.[2]).to.include('no primary');
    });

    it('says that a write that was sent is unknown, a read not executed, and fences both off (19)', () => {
      const made = withPrimary();
      made.submit('w');
      made.submit('r', { read: true });
      const [, last] = made.network.requests('a').map(([, id]) => id);
      made.environment.advance(10_200);
      expect(made.outcomes.map(([name, status]) => [name, status])).to.deep.equal([
        ['w', Status.unknown],
        ['r', Status.retry],
      ]);
      expect(settles(made, 'a').at(-1)?.slice(4, 6)).to.deep.equal([last, false]);
    });

    it('says that one sent behind a refused wait is unknown: it may have been executed meanwhile (found by seed 1164)', () => {
      const ended = (reason: string): unknown => {
        const made = withPrimary();
        made.submit('waited');
        made.submit('behind');
        answer(made, 'a', 'waited', Status.retry, reason);
        made.network.disconnect('a');
        made.environment.advance(10_500);
        return made.outcomes.map(([name, status]) => [name, status]);
      };
      expect(ended('deposed')).to.deep.equal([
        ['waited', Status.retry],
        ['behind', Status.unknown],
      ]);
      expect(ended('not-primary'), 'of a queue nothing was executed').to.deep.equal([
        ['waited', Status.retry],
        ['behind', Status.retry],
      ]);
    });

    it('says that a write that was only ever refused was not executed', () => {
      const made = withPrimary();
      made.submit('1');
      for (let waited = 0; waited < 10_500; waited += 100) {
        answer(made, 'a', '1', Status.retry, 'not-enough-replicas');
        made.environment.advance(100);
      }
      expect(made.outcomes.map(([, status]) => status)).to.deep.equal([Status.retry]);
    });

    it('tells the next primary what was given up while there was none (19)', () => {
      const made = withPrimary();
      made.submit('1');
      made.network.disconnect('a');
      made.environment.advance(10_500);
      expect(made.outcomes.map(([, status]) => status)).to.deep.equal([Status.unknown]);
      made.network.connect(serverOrigin('b'));
      made.network.view(viewOf([partitionAt('b', 2)]));
      expect(settles(made, 'b')[0]?.slice(4, 6)).to.deep.equal([made.network.requests('a')[0]?.[1], true]);
    });
  });

  describe('congestion', () => {
    it('stops connections when a server has enough in flight, and lets them go on when it has answered', () => {
      const made = withPrimary();
      let drained = 0;
      const connection = made.router.connect(() => {
        drained += 1;
      });
      const big = limits.inFlightBytesPerServer / 4;
      for (let index = 0; index < 5; index += 1) made.submit(`${index}`, { connection, bytes: big });
      expect(connection.congested).to.equal(true);
      expect(made.sentTo('a')).to.have.length(4);
      answer(made, 'a', '0');
      expect(made.sentTo('a')).to.have.length(5);
      answer(made, 'a', '1');
      answer(made, 'a', '2');
      made.environment.advance(200);
      expect(connection.congested).to.equal(false);
      expect(drained).to.equal(1);
    });

    it('stops connections when too much waits for a primary', () => {
      const made = world();
      made.network.view(viewOf([partitionAt(null)]));
      let drained = 0;
      const connection = made.router.connect(() => {
        drained += 1;
      });
      const big = limits.waitingBytesPerPartition / 4;
      for (let index = 0; index < 4; index += 1) made.submit(`${index}`, { connection, bytes: big });
      expect(connection.congested).to.equal(true);
      made.environment.advance(10_200);
      expect(connection.congested).to.equal(false);
      expect(drained).to.equal(1);
    });
  });

  describe('its session at a partition', () => {
    const opens = (made: World, node: string): number =>
      made.network.sent.filter((sent) => sent.node === node && sent.message[0] === Kind.sessionOpen).length;
    const openedAs = (made: World, session: number): void =>
      made.network.onMessage(serverOrigin('a'), [Kind.sessionOpened, 1, session]);

    it('is opened before the first request, and asked for again until it is', () => {
      const made = withPrimary();
      made.network.keepsSessions = false;
      made.submit('1');
      made.submit('2');
      expect([opens(made, 'a'), made.sentTo('a')]).to.deep.equal([1, []]);
      made.environment.advance(250);
      expect(opens(made, 'a')).to.equal(3);
      openedAs(made, 44);
      expect(made.network.requests('a').map((request) => request[4])).to.deep.equal([44, 44]);
      expect(settles(made, 'a').map((settle) => [settle[2], settle[5]])).to.deep.equal([[44, true]]);
      openedAs(made, 55);
      made.submit('3');
      expect(made.network.requests('a').at(-1)?.[4], 'a late answer changes nothing').to.equal(44);
    });

    it('is settled first over every connection: the fence names everything that was sent before', () => {
      const made = withPrimary();
      for (const name of ['1', '2']) made.submit(name);
      const last = made.network.requests('a').at(-1)?.[1];
      made.network.disconnect('a');
      made.network.connect(serverOrigin('a'));
      const kinds = made.network.sent.slice(-3).map(({ message }) => message[0]);
      expect(kinds).to.deep.equal([Kind.settle, Kind.request, Kind.request]);
      expect(settles(made, 'a').at(-1)?.slice(4, 6)).to.deep.equal([last, true]);
      expect(made.network.requests('a').every((request, i) => i < 2 || request[1] > last!)).to.equal(true);
    });

    it('is repeated, over the same connection, until it is confirmed', () => {
      const made = withPrimary();
      made.network.keepsSessions = false;
      made.submit('1');
      openedAs(made, 44);
      made.environment.advance(1_200);
      const said = settles(made, 'a');
      expect(said.length).to.equal(3);
      made.network.onMessage(serverOrigin('a'), [Kind.settled, 1, 44, said[2]?.[3]]);
      answer(made, 'a', '1');
      const [connection] = made.network.requests('a').map((request) => request[5]);
      made.environment.advance(1_100);
      expect(settles(made, 'a')[3]?.slice(4), 'the answer, with what was unconfirmed').to.deep.equal([
        0,
        false,
        [connection, 1],
      ]);
    });

    it('that is no longer known ends what may have run as unknown; the rest goes under another', () => {
      const made = withPrimary();
      made.submit('old');
      made.network.disconnect('a');
      made.network.session = 2;
      made.network.connect(serverOrigin('a'));
      for (const name of ['new-1', 'new-2']) made.submit(name);
      answer(made, 'a', 'old', Status.retry, 'unknown-session');
      expect(made.outcomes.map(([name, status]) => [name, status])).to.deep.equal([['old', Status.unknown]]);
      expect(made.sentTo('a').slice(-2)).to.deep.equal(['new-1', 'new-2']);
      expect(
        made.network
          .requests('a')
          .slice(-2)
          .map((request) => request[4]),
      ).to.deep.equal([2, 2]);
    });

    it('is settled again at once when a primary asks for it', () => {
      const made = withPrimary();
      made.submit('1');
      answer(made, 'a', '1', Status.retry, 'not-settled');
      expect(made.sentTo('a')).to.deep.equal(['1', '1']);
      expect(settles(made, 'a').at(-1)?.[5]).to.equal(true);
    });

    it('is told which connections have all their answers, once they fall idle', () => {
      const made = withPrimary();
      const connections = Array.from({ length: 5 }, () => made.router.connect(() => undefined));
      for (const [i, connection] of connections.entries()) made.submit(`${i}`, { connection });
      for (const i of [0, 1, 2]) answer(made, 'a', `${i}`);
      for (let round = 0; round < 20; round++) {
        made.submit(`busy ${round}`, { connection: connections[2]! });
        answer(made, 'a', `busy ${round}`);
        made.environment.advance(100);
      }
      const told = settles(made, 'a').flatMap((settle) => settle[6]);
      expect(told).to.deep.equal([connections[0]?.id, 1, connections[1]?.id, 1]);
    });

    it('owes nothing when all is told: an idle router is silent', () => {
      const made = withPrimary();
      made.submit('1');
      answer(made, 'a', '1');
      made.environment.advance(5_000);
      const before = made.network.sent.length;
      made.environment.advance(20_000);
      expect(made.network.sent.slice(before).filter(({ node }) => node === 'a')).to.deep.equal([]);
    });
  });

  it('takes back one connection only when a refusal concerns no other', () => {
    const made = withPrimary();
    const other = made.router.connect(() => undefined);
    made.submit('w1');
    made.submit('other', { connection: other, read: true });
    made.submit('w2');
    answer(made, 'a', 'w1', Status.retry, 'not-enough-replicas');
    answer(made, 'a', 'other');
    expect(made.outcomes.map(([name]) => name)).to.deep.equal(['other']);
    made.environment.advance(50);
    expect(made.sentTo('a')).to.deep.equal(['w1', 'other', 'w2', 'w1', 'w2']);
    expect(settles(made, 'a').length, 'nothing was lost that had to be fenced off').to.equal(1);
  });

  it('uses a released connection again when all of it is answered, with its numbers going on', () => {
    const made = withPrimary();
    made.submit('1');
    made.router.release(made.connection);
    expect(made.router.connect(() => undefined)).to.not.equal(made.connection);
    answer(made, 'a', '1');
    const again = made.router.connect(() => undefined);
    expect(again).to.equal(made.connection);
    made.submit('2', { connection: again });
    expect(made.network.requests('a').at(-1)?.[6]).to.equal(2);
  });

  it('ends everything when it stops', () => {
    const made = withPrimary();
    made.submit('w');
    made.submit('r', { read: true });
    made.router.stop();
    expect(made.outcomes.map(([name, status]) => [name, status])).to.deep.equal([
      ['w', Status.unknown],
      ['r', Status.retry],
    ]);
  });
});
