/** Operations that wait at the primary for something to pop. */
import { expect } from 'chai';
import { set } from '../../../shared/operations/codes.js';
import { listLength, listMove, listPopFirst, listPush } from '../../../shared/operations/lists.js';
import type { OperationResult } from '../../../shared/operations/operation.js';
import { transaction } from '../../../shared/operations/transactions.js';
import { Status } from '../../../shared/wire/messages.js';
import { bytes, Primary, PROXY } from './primary.js';

const pop = (...keys: string[]) => listPopFirst(keys.map(bytes), true, 1);
const push = (key: string, ...values: string[]) => listPush(bytes(key), false, false, values.map(bytes));
const plain = (value: OperationResult): unknown =>
  Buffer.isBuffer(value) ? value.latin1Slice() : Array.isArray(value) ? value.map(plain) : value;

/** What each connection has been answered, but that it waits. */
const answers = (primary: Primary): [id: number, status: number, value: unknown][] =>
  primary.replies
    .filter(({ status }) => status !== Status.waiting)
    .map((reply) => [reply.id, reply.status, plain(reply.value)]);

describe('an operation that waits', () => {
  it('is told so, and gets what is pushed later, in one mutation with the push', () => {
    const primary = new Primary();
    const id = primary.send(pop('l'), { waits: true });
    primary.turn();
    expect(primary.replies).to.deep.equal([{ id, status: Status.waiting, value: null }]);
    expect(primary.mutations).to.have.length(0);
    const pushed = primary.send(push('l', 'a', 'b'), { connection: 2 });
    primary.turn();
    expect(answers(primary), 'nothing is committed yet').to.deep.equal([]);
    primary.commit();
    expect(answers(primary)).to.deep.equal([
      [pushed, Status.ok, 2],
      [id, Status.ok, ['l', ['a']]],
    ]);
    expect(primary.mutations).to.have.length(1);
  });

  it('is served in the order of coming, and the others wait on', () => {
    const primary = new Primary();
    const [first, second, third] = [1, 2, 3].map((connection) =>
      primary.send(pop('x', 'l'), { connection, waits: true }),
    );
    primary.turn();
    primary.send(push('l', 'a', 'b'), { connection: 9 });
    primary.turn().commit();
    expect(answers(primary).slice(1)).to.deep.equal([
      [first, Status.ok, ['l', ['a']]],
      [second, Status.ok, ['l', ['b']]],
    ]);
    primary.send(push('x', 'c'), { connection: 9 });
    primary.turn().commit();
    expect(answers(primary).at(-1)).to.deep.equal([third, Status.ok, ['x', ['c']]]);
  });

  it('is served before what comes behind the push, and its own push serves others', () => {
    const primary = new Primary();
    const moves = primary.send(listMove(bytes('a'), bytes('b'), true, false), { connection: 1, waits: true });
    const pops = primary.send(pop('b'), { connection: 2, waits: true });
    primary.turn();
    primary.send(push('a', '1'), { connection: 3 });
    const late = primary.send(pop('a'), { connection: 4 });
    primary.turn().commit();
    const byId = new Map(answers(primary).map(([id, , value]) => [id, value]));
    expect([byId.get(moves), byId.get(pops), byId.get(late)]).to.deep.equal(['1', ['b', ['1']], null]);
  });

  it('sees a transaction as a whole', () => {
    const primary = new Primary();
    primary.send(pop('l'), { waits: true });
    primary.turn();
    const parts = [push('l', 'a'), listPopFirst([bytes('l')], true, 1)].map((operation) => ({ db: 0, operation }));
    primary.send(transaction('grows', [], parts), { connection: 2 });
    primary.turn().commit();
    expect(answers(primary)).to.have.length(1);
  });

  it('is not woken by a row of another type, and is refused when its target is one', () => {
    const primary = new Primary();
    const waits = primary.send(pop('k'), { connection: 1, waits: true });
    const moves = primary.send(listMove(bytes('from'), bytes('to'), true, true), { connection: 2, waits: true });
    primary.turn();
    primary.send(set(bytes('k'), bytes('text')), { connection: 3 });
    primary.send(set(bytes('to'), bytes('text')), { connection: 3 });
    primary.send(push('from', '1'), { connection: 3 });
    const left = primary.send(listLength(bytes('from')), { connection: 3 });
    primary.turn().commit();
    const byId = new Map(answers(primary).map(([id, status, value]) => [id, [status, value]]));
    expect(byId.get(waits)).to.equal(undefined);
    expect(byId.get(moves)?.[0]).to.equal(Status.clientError);
    expect(byId.get(left)).to.deep.equal([Status.ok, 1]);
  });

  it('ends when the same request comes again without waiting, with nothing or with what it got', () => {
    const primary = new Primary();
    primary.send(pop('l'), { waits: true });
    primary.turn();
    const ends = primary.send(pop('l'), { sequence: 1 });
    primary.turn().commit();
    expect(answers(primary)).to.deep.equal([[ends, Status.ok, null]]);
    primary.send(push('l', 'a'), { connection: 2 });
    primary.turn().commit();
    expect(answers(primary), 'nobody waits any more').to.have.length(2);

    const served = new Primary();
    served.send(pop('l'), { waits: true });
    served.turn();
    served.send(push('l', 'a', 'b'), { connection: 2 });
    served.turn();
    const again = served.send(pop('l'), { sequence: 1 });
    served.turn().commit();
    expect(answers(served).at(-1)).to.deep.equal([again, Status.ok, ['l', ['a']]]);
  });

  it('is found by its repetition though its connection was forgotten while it waited (found by seed 903)', () => {
    const primary = new Primary();
    primary.now(set(bytes('k'), bytes('v')), { connection: 1 });
    primary.send(pop('l'), { sequence: 2, acknowledged: 1, waits: true });
    primary.turn();
    primary.settle({ answered: [1, 1] });
    primary.turn().commit();
    primary.send(push('l', 'a'), { connection: 2 });
    primary.turn();
    const again = primary.send(pop('l'), { sequence: 2, acknowledged: 1 });
    primary.turn().commit();
    expect(answers(primary).at(-1)).to.deep.equal([again, Status.ok, ['l', ['a']]]);
    expect(answers(primary).map(([, , value]) => value)).to.deep.equal([true, 1, ['l', ['a']], ['l', ['a']]]);
  });

  it('is refused by a primary that is deposed, and by a fence; who is not connected any more is served no more', () => {
    const deposed = new Primary();
    const id = deposed.send(pop('l'), { waits: true });
    deposed.turn();
    deposed.executor.stop('not-primary');
    expect(answers(deposed)).to.deep.equal([[id, Status.retry, 'deposed']]);

    const fenced = new Primary();
    const behind = fenced.send(pop('l'), { waits: true });
    fenced.turn();
    fenced.settle({ fence: behind });
    expect(answers(fenced)).to.deep.equal([[behind, Status.retry, 'fenced']]);

    const gone = new Primary();
    gone.send(pop('l'), { waits: true });
    gone.turn();
    gone.executor.onDisconnected(PROXY.boot);
    gone.settle({ fresh: true });
    gone.send(push('l', 'a'), { connection: 2 });
    gone.turn().commit();
    const left = gone.send(listLength(bytes('l')), { connection: 2 });
    gone.turn().commit();
    expect(answers(gone).at(-1)).to.deep.equal([left, Status.ok, 1]);
  });

  it('was served once, whatever its proxy does after a failover', () => {
    const primary = new Primary();
    primary.send(pop('l'), { waits: true });
    primary.turn();
    primary.send(push('l', 'a', 'b'), { connection: 2 });
    primary.turn().commit();
    const successor = new Primary({ committed: primary.mutations });
    const again = successor.send(pop('l'), { sequence: 1, waits: true });
    successor.turn().commit();
    expect(answers(successor)).to.deep.equal([[again, Status.ok, ['l', ['a']]]]);
  });
});
