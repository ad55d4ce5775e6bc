/** The executor: order, held replies, batching, fetches, repeated requests, and its end. */
import { expect } from 'chai';
import {
  append,
  copy,
  counts,
  expire,
  Expiry,
  get,
  increment,
  multiGet,
  remove,
  rename,
  set,
  SetFlag,
} from '../../../shared/operations/codes.js';
import { fieldScan, fieldSet } from '../../../shared/operations/fields.js';
import { limits } from '../../../shared/limits.js';
import type { Operation } from '../../../shared/operations/operation.js';
import { Status } from '../../../shared/wire/messages.js';
import { bytes, Primary } from './primary.js';

const a = bytes('a');
const b = bytes('b');
const put = (key: Buffer, text: string): Operation => set(key, bytes(text));

/** A row too large to be packed: to list its fields takes a fetch. */
const wide = (key: Buffer): Operation =>
  fieldSet(
    key,
    Array.from({ length: 100 }, (_, i) => ({ sortKey: bytes(`field ${i}`), value: bytes('v'), ttlMs: 0 })),
  );
const list = (key: Buffer): Operation => fieldScan(key, { from: null, to: null, limit: 1_000, reverse: false });

const lengthOf = (value: unknown): number => JSON.stringify(value).length;

describe('the executor', () => {
  it('executes in the order of arrival, at the end of the turn', () => {
    const primary = new Primary();
    const ids = [append(a, bytes('1')), append(a, bytes('2')), get(a), append(a, bytes('3')), get(a)].map((operation) =>
      primary.send(operation),
    );
    expect(primary.mutations).to.deep.equal([]);
    primary.turn().commit();
    expect(ids.map((id) => String(primary.value(id)))).to.deep.equal(['1', '2', '12', '3', '123']);
    expect(primary.mutations.length, 'one mutation a turn').to.equal(1);
  });

  it('holds a reply until the mutation that it depends on commits', () => {
    const primary = new Primary();
    const write = primary.send(put(a, 'x'));
    primary.turn();
    const read = primary.send(get(a));
    const other = primary.send(get(b), { connection: 2 });
    primary.turn();
    expect(primary.value(other), 'what depends on nothing leaves at once').to.equal(null);
    expect([primary.answer(write), primary.answer(read)]).to.deep.equal([undefined, undefined]);
    primary.commit();
    expect([primary.value(write), String(primary.value(read))]).to.deep.equal([true, 'x']);
  });

  it('holds nils, zeros, errors and what changed nothing as well', () => {
    const primary = new Primary();
    primary.now(put(a, 'text'));
    primary.now(put(b, 'x'));
    primary.send(remove([b]));
    primary.send(append(a, bytes('!')));
    primary.turn();
    const ids = [
      get(b),
      remove([b]),
      set(a, bytes('y'), SetFlag.ifAbsent),
      increment(a, 1),
      expire(b, Expiry.relative, 5, 0),
      multiGet([bytes('never'), b]),
      counts(),
    ].map((operation) => primary.send(operation));
    primary.turn();
    expect(ids.map((id) => primary.answer(id))).to.deep.equal(ids.map(() => undefined));
    primary.commit();
    expect(ids.map((id) => primary.answer(id)?.status)).to.deep.equal([0, 0, 0, Status.clientError, 0, 0, 0]);
    expect(primary.mutations.length).to.equal(3);
  });

  it('holds back what meets an expired row until its deletion is committed', () => {
    const primary = new Primary();
    primary.now(set(a, bytes('x'), 0, Expiry.relative, 50));
    primary.environment.nowMs += 50;
    const read = primary.send(get(a));
    primary.turn();
    expect([primary.answer(read), primary.mutations.length]).to.deep.equal([undefined, 2]);
    primary.commit();
    expect(primary.value(read)).to.equal(null);
  });

  it('holds back an error that tells of an expired row', () => {
    const primary = new Primary();
    primary.now(set(a, bytes('x'), 0, Expiry.relative, 50));
    primary.environment.nowMs += 50;
    const renamed = primary.send(rename(a, b, false));
    primary.turn();
    expect(primary.answer(renamed)).to.equal(undefined);
    primary.environment.nowMs -= 5_000;
    primary.commit();
    expect(primary.answer(renamed)?.status).to.equal(Status.clientError);
    expect(primary.now(get(a)), 'it does not come back with the clock').to.equal(null);
  });

  it('never lets time go back', () => {
    const primary = new Primary();
    primary.now(put(a, 'x'));
    primary.environment.nowMs -= 86_400_000;
    primary.now(put(a, 'y'));
    expect(primary.mutations[1]!.timeMs).to.equal(primary.mutations[0]!.timeMs);
  });

  it('gathers while a mutation is under way, and prepares what gathered when it commits', () => {
    const primary = new Primary();
    for (let i = 0; i < limits.mutationsInFlight; i++) {
      primary.send(put(a, '1'));
      primary.turn();
    }
    const ids = [2, 3, 4].map((n) => {
      const id = primary.send(append(a, bytes(String(n))));
      primary.turn();
      return id;
    });
    expect(primary.mutations.length).to.equal(limits.mutationsInFlight);
    primary.commit(1);
    expect(primary.mutations.length).to.equal(limits.mutationsInFlight + 1);
    expect(primary.mutations.at(-1)!.groups.length).to.equal(3);
    expect(primary.answer(ids[0]!)).to.equal(undefined);
    primary.commit();
    expect(ids.map((id) => primary.value(id))).to.deep.equal([2, 3, 4]);
  });

  it('seals a mutation that has grown large, in the middle of a turn', () => {
    const primary = new Primary();
    for (let i = 0; i < 5; i++) primary.send(set(bytes(`k${i}`), Buffer.alloc(600_000)));
    primary.turn();
    expect(primary.mutations.slice(0, 2).map(({ groups }) => groups.length)).to.deep.equal([2, 2]);
    primary.commit().commit();
    expect(primary.mutations.map(({ groups }) => groups.length)).to.deep.equal([2, 2, 1]);
  });

  it('executes nothing without a lease, and goes on when it is back', () => {
    const primary = new Primary();
    primary.leased = false;
    const id = primary.send(get(a));
    primary.turn();
    expect([primary.answer(id), primary.executor.waiting]).to.deep.equal([undefined, 1]);
    primary.leased = true;
    primary.executor.kick();
    primary.turn();
    expect(primary.value(id)).to.equal(null);
  });

  it('waits while there is no room', () => {
    const primary = new Primary();
    primary.room = false;
    const id = primary.send(put(a, 'x'));
    primary.turn();
    expect(primary.mutations).to.deep.equal([]);
    primary.room = true;
    primary.executor.kick();
    primary.turn().commit();
    expect(primary.value(id)).to.equal(true);
  });

  it('refuses writes with the reason, and serves reads', () => {
    const primary = new Primary();
    primary.now(put(a, 'x'));
    primary.writesRefused = 'not-enough-replicas';
    const ids = [put(a, 'y'), get(a)].map((operation, i) => primary.send(operation, { connection: i + 1 }));
    primary.turn();
    expect(primary.answer(ids[0]!)).to.include({ status: Status.retry, value: 'not-enough-replicas' });
    expect(String(primary.value(ids[1]!))).to.equal('x');
  });

  it('under disk pressure refuses what needs room, and lets go what does not', () => {
    const primary = new Primary();
    primary.now(put(a, 'x'));
    primary.growthRefused = 'OOM full';
    const ids = [put(b, 'y'), remove([a])].map((operation) => primary.send(operation));
    primary.turn().commit();
    expect(primary.answer(ids[0]!)).to.include({ status: Status.clientError, value: 'OOM full' });
    expect(primary.value(ids[1]!)).to.equal(1);
  });

  it('on a full disk refuses every write at once and serves reads, and again takes writes when there is space (23)', () => {
    const primary = new Primary();
    primary.now(put(a, 'x'));
    primary.diskFull = 'OOM no space';
    const ids = [put(b, 'y'), remove([a]), get(a)].map((operation) => primary.send(operation));
    primary.turn();
    for (const id of ids.slice(0, 2))
      expect(primary.answer(id)).to.include({ status: Status.clientError, value: 'OOM no space' });
    expect(String(primary.value(ids[2]!))).to.equal('x');
    expect(primary.mutations).to.have.length(1);
    primary.diskFull = null;
    primary.now(remove([a]));
    expect(primary.mutations).to.have.length(2);
  });

  it('answers an operation that it does not know with an error', () => {
    const primary = new Primary();
    const id = primary.send([60_000, a]);
    expect(primary.answer(id)?.status).to.equal(Status.clientError);
  });

  it('makes a mutation of an annotation alone', () => {
    const primary = new Primary();
    primary.executor.annotate(['checksum', 1, 'meta']);
    primary.turn();
    expect(primary.mutations.map(({ groups, annotations }) => [groups, annotations])).to.deep.equal([
      [[], [['checksum', 1, 'meta']]],
    ]);
  });
});

describe('an operation that needs a page', () => {
  const fetching = (): Primary => {
    const primary = new Primary({ slowFetches: true });
    primary.now(wide(a));
    primary.now(put(b, 'old'));
    primary.apply();
    return primary;
  };

  it('waits, and only its own connection waits behind it', () => {
    const primary = fetching();
    const slow = primary.send(list(a), { connection: 1 });
    const behind = primary.send(put(b, 'new'), { connection: 1 });
    const other = primary.send(get(b), { connection: 2 });
    primary.turn();
    expect(String(primary.value(other)), 'another connection overtakes').to.equal('old');
    const later = primary.send(get(b), { connection: 1 });
    primary.turn();
    expect([slow, behind, later].map((id) => primary.answer(id))).to.deep.equal([undefined, undefined, undefined]);
    primary.fetched();
    while (primary.fetching > 0) primary.fetched();
    expect(lengthOf(primary.value(slow))).to.be.greaterThan(100);
    primary.commit();
    expect(primary.value(behind)).to.equal(true);
    expect(String(primary.value(later))).to.equal('new');
  });

  it('sees what was written while it waited, applied or not', () => {
    const primary = fetching();
    const before = primary.now(list(a));
    const slow = primary.send(list(a), { connection: 1 });
    primary.turn();
    primary.send(fieldSet(a, [{ sortKey: bytes('field 100'), value: bytes('v'), ttlMs: 0 }]), { connection: 2 });
    primary.turn().commit().apply();
    while (primary.fetching > 0) primary.fetched();
    expect(lengthOf(primary.value(slow))).to.be.greaterThan(lengthOf(before));
    expect(primary.value(slow)).to.deep.equal(primary.now(list(a)));
  });

  it('lets go of the overlay when it is done', () => {
    const primary = fetching();
    const overlay = (): string[] => primary.head.overlayKeys('', '\xff');
    primary.send(list(a), { connection: 1 });
    primary.turn();
    primary.send(put(b, 'new'), { connection: 2 });
    primary.turn().commit().apply();
    expect(overlay().length).to.equal(1);
    while (primary.fetching > 0) primary.fetched();
    expect(overlay()).to.deep.equal([]);
  });

  it('lets go of it too when meanwhile it was given up, or writes came to be refused', () => {
    for (const event of ['given up', 'refused'] as const) {
      const primary = fetching();
      primary.send(event === 'refused' ? copy(a, bytes('c'), 0, true) : list(a), { connection: 2 });
      primary.turn();
      expect(primary.fetching).to.equal(1);
      if (event === 'given up') primary.settle({ fence: 1_000 });
      else primary.writesRefused = 'not-enough-replicas';
      while (primary.fetching > 0) primary.fetched();
      primary.writesRefused = null;
      primary.now(put(b, 'new'));
      primary.apply();
      expect(primary.head.overlayKeys('', '\xff'), event).to.deep.equal([]);
    }
  });

  it('is executed once, under the time at which it first was', () => {
    const primary = fetching();
    primary.send(list(a), { connection: 1 });
    primary.turn();
    primary.environment.nowMs += 1_000;
    while (primary.fetching > 0) primary.fetched();
    expect(primary.executor.executed).to.equal(3);
  });
});

describe('a repeated request', () => {
  it('is not executed twice, and gets the first answer', () => {
    const primary = new Primary();
    const first = primary.send(append(a, bytes('x')), { sequence: 1 });
    const again = primary.send(append(a, bytes('x')), { sequence: 1 });
    primary.turn();
    expect(primary.answer(again), 'held like the first').to.equal(undefined);
    primary.commit();
    const late = primary.send(append(a, bytes('x')), { sequence: 1 });
    primary.turn();
    expect([first, again, late].map((id) => primary.value(id))).to.deep.equal([1, 1, 1]);
    expect(String(primary.now(get(a)))).to.equal('x');
  });

  it('carries its result in the mutation, with those of the connection before it that were only reads', () => {
    const primary = new Primary();
    primary.now(put(a, 'first'));
    primary.send(get(a), { connection: 5 });
    primary.send(put(a, 'second'), { connection: 5 });
    primary.turn();
    expect(
      primary.mutations[1]!.results.map(([, connection, sequence, , , value]) => [connection, sequence, String(value)]),
    ).to.deep.equal([
      [5, 1, 'first'],
      [5, 2, 'true'],
    ]);
    primary.commit();
    const again = primary.send(get(a), { connection: 5, sequence: 1 });
    primary.turn();
    expect(String(primary.value(again)), 'GET x, SET x: the first answer').to.equal('first');
  });

  it('of a read alone is executed again', () => {
    const primary = new Primary();
    primary.send(get(a), { connection: 5 });
    primary.turn();
    primary.now(put(a, 'new'));
    const again = primary.send(get(a), { connection: 5, sequence: 1 });
    primary.turn();
    expect(String(primary.value(again))).to.equal('new');
  });

  it('with a client error is answered with it, once a mutation carries it', () => {
    const primary = new Primary();
    primary.now(put(a, 'text'));
    const failed = primary.send(increment(a, 1), { connection: 5 });
    primary.send(put(a, '5'), { connection: 5 });
    primary.turn().commit();
    const again = primary.send(increment(a, 1), { connection: 5, sequence: 1 });
    primary.turn();
    expect(primary.answer(again)).to.deep.equal({ ...primary.answer(failed), id: again });
    expect(String(primary.now(get(a)))).to.equal('5');
  });

  it('whose result was too large to keep is told so, and not executed', () => {
    const primary = new Primary();
    primary.now(set(a, Buffer.alloc(20_000, 'x')));
    const old = primary.send(set(a, bytes('y'), SetFlag.returnOld), { connection: 5 });
    primary.turn().commit();
    expect(String(primary.value(old)).length).to.equal(20_000);
    const again = primary.send(set(a, bytes('y'), SetFlag.returnOld), { connection: 5, sequence: 1 });
    primary.turn();
    expect(primary.answer(again)?.status).to.equal(Status.unknown);
  });

  it('that was answered is dropped', () => {
    const primary = new Primary();
    primary.send(append(a, bytes('x')), { sequence: 1 });
    primary.turn().commit();
    primary.send(get(a), { sequence: 2, acknowledged: 1 });
    const again = primary.send(append(a, bytes('x')), { sequence: 1 });
    primary.turn();
    expect(primary.answer(again)).to.equal(undefined);
    expect(String(primary.now(get(a)))).to.equal('x');
  });
});

describe('a deposed primary', () => {
  it('drops held replies and refuses what it did not execute', () => {
    const primary = new Primary();
    const held = primary.send(put(a, 'x'));
    for (let i = 0; i < limits.mutationsInFlight; i++) {
      primary.turn();
      primary.send(put(b, 'x'), { connection: 2 });
    }
    primary.turn();
    const gathered = primary.send(put(a, 'y'));
    primary.turn();
    primary.leased = false;
    const waiting = primary.send(put(a, 'z'));
    primary.turn();
    primary.executor.stop('not-primary');
    expect(primary.answer(waiting)).to.include({ status: Status.retry, value: 'not-primary' });
    primary.leased = true;
    primary.turn();
    expect([primary.answer(held), primary.answer(gathered)]).to.deep.equal([undefined, undefined]);
    expect(primary.mutations.length, 'what gathered was never prepared').to.equal(limits.mutationsInFlight);
  });

  it('refuses what waits for a page, and all behind it', () => {
    const primary = new Primary({ slowFetches: true });
    primary.now(wide(a));
    primary.apply();
    const ids = [list(a), put(b, 'x'), get(b)].map((operation) => primary.send(operation));
    primary.turn();
    primary.executor.stop('not-primary');
    const answers = ids.map((id) => primary.answer(id));
    expect(answers.map((answer) => answer?.status)).to.deep.equal([Status.retry, Status.retry, Status.retry]);
    expect(answers.map((answer) => answer?.value)).to.deep.equal(['deposed', 'deposed', 'deposed']);
    while (primary.fetching > 0) primary.fetched();
    expect(primary.replies.length).to.equal(4);
  });
});
