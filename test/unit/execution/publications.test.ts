/** Who listens at a primary, and when a message that was published goes out. */
import { expect } from 'chai';
import { append, Expiry, get, increment, set } from '../../../shared/operations/codes.js';
import type { Operation } from '../../../shared/operations/operation.js';
import {
  type Interest,
  listen,
  listeners,
  publish,
  setNotifications,
  Topic,
  topics,
} from '../../../shared/operations/pubsub.js';
import { transaction } from '../../../shared/operations/transactions.js';
import { Kind } from '../../../shared/wire/messages.js';
import { bytes, Primary } from './primary.js';

const channel = (name: string, clients: number): Interest => [Topic.channel, bytes(name), clients];
const pattern = (name: string, clients: number): Interest => [Topic.pattern, bytes(name), clients];
const message = (to: string, content: string): Operation => publish(Topic.channel, bytes(to), bytes(content));
const told = (primary: Primary): string[] =>
  primary.told
    .filter(([kind]) => kind === Kind.publication)
    .map(([, , , to, content]) => `${String(to)} ${String(content)}`);

describe('messages at a primary', () => {
  it('go to whoever has listeners by name or by pattern, once to each proxy, and count all its clients', () => {
    const primary = new Primary();
    primary.now(listen(true, [channel('news', 2), pattern('n*', 3), pattern('*s', 1)]));
    expect(primary.now(message('news', 'a'))).to.equal(6);
    expect(primary.now(message('nets', 'b'))).to.equal(4);
    expect(primary.now(message('other', 'c'))).to.equal(0);
    expect(told(primary)).to.deep.equal(['news a', 'nets b']);
  });

  it('of shard channels concern neither channels nor patterns', () => {
    const primary = new Primary();
    primary.now(listen(true, [channel('x', 1), pattern('*', 1), [Topic.shardChannel, bytes('x'), 4]]));
    expect(primary.now(publish(Topic.shardChannel, bytes('x'), bytes('m')))).to.equal(4);
    expect(primary.now(listeners(Topic.shardChannel, [bytes('x'), bytes('y')]))).to.deep.equal([4, 0]);
    expect(primary.now(listeners(Topic.channel, [bytes('x')]))).to.deep.equal([1]);
  });

  it('go nowhere once the last client has gone, and a registration anew replaces the one before', () => {
    const primary = new Primary();
    primary.now(listen(true, [channel('a', 1), channel('b', 1)]));
    primary.now(listen(false, [channel('a', 0)]));
    expect(primary.now(topics(Topic.channel, null))).to.deep.equal([bytes('b')]);
    primary.now(listen(true, [channel('c', 1)]));
    expect(primary.now(topics(Topic.channel, null))).to.deep.equal([bytes('c')]);
    expect(primary.now(message('b', 'm'))).to.equal(0);
  });

  it('are not counted for a proxy that is not connected', () => {
    const primary = new Primary();
    primary.now(listen(true, [channel('a', 1), pattern('*', 1)]));
    primary.connected.clear();
    expect(primary.now(message('a', 'm'))).to.equal(0);
    expect(told(primary)).to.deep.equal([]);
  });

  it('of an operation that writes go out when the write is committed, not before', () => {
    const primary = new Primary();
    primary.now(listen(true, [channel('a', 1)]));
    const parts = [set(bytes('k'), bytes('v')), message('a', 'm')].map((operation) => ({ db: 0, operation }));
    primary.send(transaction('grows', [], parts));
    primary.turn();
    expect(told(primary)).to.deep.equal([]);
    primary.commit();
    expect(told(primary)).to.deep.equal(['a m']);
  });

  it('that are held when the primary is deposed are dropped', () => {
    const primary = new Primary();
    primary.now(listen(true, [channel('a', 1)]));
    const parts = [set(bytes('k'), bytes('v')), message('a', 'm')].map((operation) => ({ db: 0, operation }));
    primary.send(transaction('grows', [], parts));
    primary.turn();
    primary.executor.stop('not-primary');
    primary.commit();
    expect(told(primary)).to.deep.equal([]);
  });
});

describe('events about keys', () => {
  const withClasses = (classes: string): Primary => {
    const primary = new Primary();
    primary.now(setNotifications(classes));
    primary.now(listen(true, [pattern('__key*', 1)]));
    return primary;
  };

  it('are told when their mutation is committed', () => {
    const primary = withClasses('KEA');
    primary.send(set(bytes('k'), bytes('v')), { db: 3 });
    primary.turn();
    expect(told(primary)).to.deep.equal([]);
    primary.commit();
    expect(told(primary)).to.deep.equal(['__keyspace@3__:k set', '__keyevent@3__:set k']);
  });

  it('are told of the classes chosen, where they were chosen', () => {
    const primary = withClasses('Eg');
    primary.now(set(bytes('k'), bytes('v'), 0, Expiry.relative, 1_000));
    expect(told(primary)).to.deep.equal(['__keyevent@0__:expire k']);
    primary.now(setNotifications('g'));
    primary.now(set(bytes('k'), bytes('v'), 0, Expiry.relative, 1_000));
    expect(told(primary)).to.have.length(1);
  });

  it('tell of a row that is found to have expired, and of a miss', () => {
    const primary = withClasses('Exm');
    primary.now(set(bytes('k'), bytes('v'), 0, Expiry.relative, 10));
    primary.environment.nowMs += 20;
    primary.now(get(bytes('k')));
    primary.now(get(bytes('k')));
    expect(told(primary)).to.deep.equal([
      '__keyevent@0__:expired k',
      '__keyevent@0__:keymiss k',
      '__keyevent@0__:keymiss k',
    ]);
  });

  it('of a part of a transaction that fails are not told, those of the others are', () => {
    const primary = withClasses('KA');
    const parts = [append(bytes('a'), bytes('x')), increment(bytes('a'), 1), set(bytes('b'), bytes('y'))];
    primary.now(
      transaction(
        'grows',
        [],
        parts.map((operation) => ({ db: 0, operation })),
      ),
    );
    expect(told(primary)).to.deep.equal(['__keyspace@0__:a append', '__keyspace@0__:b set']);
  });

  it('cost nothing while nobody listens to any', () => {
    const primary = new Primary();
    primary.now(setNotifications('KEA'));
    primary.now(listen(true, [channel('news', 1)]));
    primary.now(set(bytes('k'), bytes('v')));
    expect(told(primary)).to.deep.equal([]);
    primary.now(listen(false, [channel('__keyspace@0__:k', 1)]));
    primary.now(set(bytes('k'), bytes('v')));
    expect(told(primary)).to.deep.equal(['__keyspace@0__:k set']);
  });
});
