/** What a primary tells those who may have cached what it holds. */
import { expect } from 'chai';
import { Expiry, flushAll, get, multiGet, multiSet, set } from '../../../shared/operations/codes.js';
import { listen, Topic } from '../../../shared/operations/pubsub.js';
import type { Operation } from '../../../shared/operations/operation.js';
import { Kind } from '../../../shared/wire/messages.js';
import { bytes, Primary } from './primary.js';

const READER = 7;

/** Keys (null: all) and the connection that wrote, of each message so far. */
function told(primary: Primary): (readonly [keys: string[] | null, connection: number])[] {
  return primary.told
    .filter(([kind]) => kind === Kind.invalidation)
    .map(([, , keys, connection]) => [
      (keys as Buffer[] | null)?.map((key) => key.latin1Slice()).sort() ?? null,
      Number(connection),
    ]);
}

function read(primary: Primary, ...keys: string[]): void {
  primary.send(multiGet(keys.map(bytes)), { connection: READER, tracks: true });
  primary.turn();
  while (primary.committed < primary.mutations.length) primary.commit();
}

const put = (key: string): Operation => set(bytes(key), bytes('v'));

describe('keys that are tracked', () => {
  it('are told of when they are written, once, when that is committed, with the connection that wrote', () => {
    const primary = new Primary();
    read(primary, 'a', 'b');
    primary.send(put('a'), { connection: 9 });
    primary.send(put('other'), { connection: 9 });
    primary.turn();
    expect(told(primary)).to.deep.equal([]);
    primary.commit();
    expect(told(primary)).to.deep.equal([[['a'], 9]]);
    primary.now(put('a'));
    expect(told(primary)).to.have.length(1);
    read(primary, 'a');
    primary.now(multiSet([bytes('a'), bytes('1'), bytes('b'), bytes('2')]));
    expect(told(primary).at(-1)?.[0]).to.deep.equal(['a', 'b']);
  });

  it('are told of behind the answer to the write and to the read', () => {
    const primary = new Primary();
    const order: string[] = [];
    primary.replies.push = (reply) => order.push(`reply ${reply.id}`);
    primary.told.push = () => order.push('told');
    const write = primary.send(put('a'), { connection: READER });
    const tracked = primary.send(get(bytes('a')), { connection: READER, tracks: true });
    const again = primary.send(put('a'), { connection: READER });
    primary.turn().commit();
    expect(order).to.deep.equal([`reply ${write}`, `reply ${tracked}`, `reply ${again}`, 'told']);
  });

  it('are told of, all of them, when a database is emptied', () => {
    const primary = new Primary();
    primary.now(put('a'));
    read(primary, 'a');
    primary.now(flushAll());
    expect(told(primary)).to.deep.equal([[null, 99]]);
    primary.now(put('a'));
    expect(told(primary)).to.have.length(1);
  });

  it('are told of when they expire, which nobody wrote', () => {
    const primary = new Primary();
    primary.now(set(bytes('a'), bytes('v'), 0, Expiry.relative, 10));
    read(primary, 'a');
    primary.environment.nowMs += 20;
    primary.now(get(bytes('a')));
    expect(told(primary)).to.deep.equal([[['a'], 0]]);
  });

  it('by prefix are told of at every write', () => {
    const primary = new Primary();
    primary.now(listen(true, [[Topic.prefix, bytes('user:'), 1]]));
    primary.now(put('user:1'), { connection: 5 });
    primary.now(put('session:1'));
    primary.now(put('user:1'));
    expect(told(primary)).to.deep.equal([
      [['user:1'], 5],
      [['user:1'], 99],
    ]);
    primary.now(listen(false, [[Topic.prefix, bytes('user:'), 0]]));
    primary.now(put('user:1'));
    expect(told(primary)).to.have.length(2);
  });

  it('are as good as written when a read is repeated whose first answer counts', () => {
    const primary = new Primary();
    const sequence = 1;
    primary.send(get(bytes('a')), { connection: READER, sequence, tracks: true });
    primary.send(put('a'), { connection: READER, sequence: 2 });
    primary.turn().commit();
    primary.told.length = 0;
    primary.send(get(bytes('a')), { connection: READER, sequence, tracks: true });
    primary.turn().commit();
    expect(told(primary)).to.deep.equal([[null, 0]]);
  });
});
