/** What a primary does with sessions: opening, settling, ending, and what must never be executed (checklist 15, 18, 19). */
import { expect } from 'chai';
import { append, Expiry, get, multiGet, remove, scan, set } from '../../../shared/operations/codes.js';
import { limits } from '../../../shared/limits.js';
import { Kind, Status } from '../../../shared/wire/messages.js';
import type { Origin } from '../../../shared/wire/network.js';
import { bytes, Primary, PROXY, SESSION } from './primary.js';

const a = bytes('a');
const b = bytes('b');
const other: Origin = { node: 'proxy-2', boot: '2-proxy', role: 'proxy' };

const open = (primary: Primary, from: Origin): void => primary.executor.keeper.open(from, [Kind.sessionOpen, 1]);
const refused = (primary: Primary, id: number): unknown => {
  const answer = primary.answer(id);
  return answer?.status === Status.retry ? answer.value : answer;
};
/** As a new primary finds it. */
const successorOf = (primary: Primary): Primary => new Primary({ committed: primary.mutations, settled: false });

describe('a session', () => {
  it('is opened by a mutation, named by its decree, and told once that is committed', () => {
    const primary = new Primary();
    primary.now(set(a, bytes('x')));
    open(primary, other);
    primary.turn();
    expect(primary.mutations.at(-1)?.sessions).to.deep.equal([['open', '2-proxy']]);
    expect(primary.told).to.deep.equal([]);
    primary.commit();
    expect(primary.told).to.deep.equal([[Kind.sessionOpened, 1, 2]]);
  });

  it('is the same one for a boot that asks again, also at the next primary', () => {
    const primary = new Primary();
    open(primary, other);
    primary.turn();
    open(primary, other);
    primary.turn().commit();
    expect(primary.told).to.deep.equal([
      [Kind.sessionOpened, 1, 1],
      [Kind.sessionOpened, 1, 1],
    ]);
    const successor = successorOf(primary);
    open(successor, other);
    expect(successor.told).to.deep.equal([[Kind.sessionOpened, 1, 1]]);
    expect(successor.mutations.length).to.equal(1);
  });

  it('has a name of its own: of two that open at once, one asks again', () => {
    const primary = new Primary();
    open(primary, other);
    open(primary, { node: 'proxy-3', boot: '3-proxy', role: 'proxy' });
    primary.turn().commit();
    expect(primary.told.length).to.equal(1);
    open(primary, { node: 'proxy-3', boot: '3-proxy', role: 'proxy' });
    primary.turn().commit();
    expect(primary.told[1]).to.deep.equal([Kind.sessionOpened, 1, 2]);
  });

  it('that is unknown, or of another boot, is refused and never made on the fly (19)', () => {
    const primary = new Primary();
    const ids = [
      primary.send(append(a, bytes('x')), { session: 77 }),
      primary.send(append(a, bytes('x')), { from: other }),
    ];
    primary.turn().commit();
    expect(ids.map((id) => refused(primary, id))).to.deep.equal(['unknown-session', 'unknown-session']);
    expect(primary.sessions.size.connections).to.equal(0);
    expect(primary.now(get(a))).to.equal(null);
  });

  it('executes nothing at a new primary before its process says where its requests begin again', () => {
    const primary = new Primary({ settled: false });
    const early = primary.send(append(a, bytes('x')));
    primary.turn();
    expect(refused(primary, early)).to.equal('not-settled');
    primary.settle({ fence: early, fresh: true });
    const again = primary.send(append(a, bytes('x')), { sequence: 1 });
    primary.turn().commit();
    expect(primary.value(again)).to.equal(1);
  });

  it('executes nothing that a broken connection had brought', () => {
    const primary = new Primary();
    primary.leased = false;
    const queued = primary.send(append(a, bytes('x')));
    primary.turn();
    primary.executor.keeper.onDisconnected(PROXY.boot);
    primary.leased = true;
    primary.executor.kick();
    primary.turn();
    expect(refused(primary, queued)).to.equal('not-settled');
    expect(primary.mutations).to.deep.equal([]);
  });

  it('ends by a mutation when its process has been away for long, with all that is kept for it (19)', () => {
    const primary = new Primary();
    const { keeper } = primary.executor;
    primary.send(append(a, bytes('x')));
    primary.turn().commit();
    primary.connected.clear();
    const last = limits.sessionExpiryMs;
    keeper.tick(1_000);
    keeper.tick(last - 1_000);
    expect(primary.sessions.size).to.deep.equal({ sessions: 1, connections: 1, results: 1, bytes: 0 });
    keeper.tick(last + 2_000);
    primary.turn().commit();
    expect(primary.mutations.at(-1)?.sessions).to.deep.equal([['end', SESSION]]);
    const gone = { sessions: 0, connections: 0, results: 0, bytes: 0 };
    expect(primary.sessions.size).to.deep.equal(gone);
    expect(successorOf(primary).sessions.size).to.deep.equal(gone);
    const late = primary.send(append(a, bytes('x')), { sequence: 1 });
    expect(refused(primary, late), 'what comes after all is not executed again').to.equal('unknown-session');
  });

  it('does not end while its process is connected, however idle', () => {
    const primary = new Primary();
    for (let ms = 0; ms < 10 * limits.sessionExpiryMs; ms += 5_000) primary.executor.keeper.tick(ms);
    expect(primary.sessions.size.sessions).to.equal(1);
  });

  it('is not opened beyond the limit: who asks waits', () => {
    const primary = new Primary();
    primary.sessions.size.sessions = limits.sessions;
    open(primary, other);
    primary.turn();
    expect(primary.mutations).to.deep.equal([]);
  });
});

describe('what a proxy gave up on', () => {
  it('is not executed once its fence is there, not even if it was waiting (19)', () => {
    const primary = new Primary();
    primary.room = false;
    const given = primary.send(append(a, bytes('x')));
    const wanted = primary.send(append(a, bytes('y')), { connection: 2 });
    primary.turn();
    primary.settle({ fence: given });
    primary.room = true;
    primary.executor.kick();
    primary.turn().commit();
    expect(refused(primary, given)).to.equal('fenced');
    expect(primary.value(wanted)).to.equal(1);
    expect(String(primary.now(get(a)))).to.equal('y');
  });

  it('is confirmed when it is logged, and no successor executes it either (19)', () => {
    const primary = new Primary();
    const number = primary.settle({ fence: 500 });
    primary.turn();
    expect(primary.told).to.deep.equal([]);
    primary.commit();
    expect(primary.told).to.deep.equal([[Kind.settled, 1, SESSION, number]]);
    const successor = successorOf(primary);
    // the connection to it still held an older settling and a request
    successor.settle({ fence: 400, fresh: true });
    const stale = successor.send(append(a, bytes('x')));
    successor.turn();
    expect(refused(successor, stale)).to.equal('fenced');
    expect(successor.mutations.length).to.equal(1);
  });

  it('is confirmed at once when its session is over', () => {
    const primary = new Primary();
    const number = primary.settle({ fence: 500, session: 66 });
    expect(primary.told).to.deep.equal([[Kind.settled, 1, 66, number]]);
  });
});

describe('behind a refused request', () => {
  it('its connection waits until it comes again; others do not (18)', () => {
    const primary = new Primary();
    primary.now(set(a, bytes('0')));
    primary.writesRefused = 'not-enough-replicas';
    const first = primary.send(append(a, bytes('1')));
    primary.turn();
    primary.writesRefused = null;
    const overtaking = [primary.send(append(a, bytes('2'))), primary.send(get(a))];
    const bystander = primary.send(get(a), { connection: 2 });
    primary.turn();
    expect(refused(primary, first)).to.equal('not-enough-replicas');
    expect(overtaking.map((id) => refused(primary, id))).to.deep.equal(['behind-refused', 'behind-refused']);
    expect(String(primary.value(bystander))).to.equal('0');
    const again = [append(a, bytes('1')), append(a, bytes('2')), get(a)].map((operation, i) =>
      primary.send(operation, { sequence: i + 1 }),
    );
    primary.turn().commit();
    expect(String(primary.value(again[2]!))).to.equal('012');
  });

  it('nothing waits once it was given up', () => {
    const primary = new Primary();
    primary.writesRefused = 'not-enough-replicas';
    primary.send(append(a, bytes('1')));
    primary.turn();
    const next = primary.send(get(a), { acknowledged: 1 });
    primary.turn();
    expect(primary.answer(next)).to.include({ status: Status.ok, value: null });
  });
});

describe('answers of a connection', () => {
  it('leave in order: what is made again when it breaks saw no later state than what followed it (found by seed 440173)', () => {
    const primary = new Primary();
    primary.now(set(a, bytes('0')));
    primary.now(set(b, bytes('0')));
    primary.send(set(a, bytes('1')), { connection: 2 });
    primary.turn();
    const both = primary.send(multiGet([a, b]));
    const one = primary.send(get(b));
    const bystander = primary.send(get(b), { connection: 3 });
    primary.turn();
    expect([both, one].map((id) => primary.answer(id))).to.deep.equal([undefined, undefined]);
    expect(String(primary.value(bystander))).to.equal('0');
    primary.commit();
    expect(primary.replies.slice(-2).map(({ id }) => id)).to.deep.equal([both, one]);
  });
});

describe('the table of sessions', () => {
  it('shrinks when answers are acknowledged, though no request comes', () => {
    const primary = new Primary();
    for (let connection = 1; connection <= 100; connection++) primary.send(append(a, bytes('x')), { connection });
    primary.turn().commit();
    expect(primary.sessions.size.connections).to.equal(100);
    const answered = Array.from({ length: 100 }, (_, i) => [i + 1, 1]).flat();
    primary.settle({ answered });
    primary.turn().commit();
    expect(primary.sessions.size.connections).to.equal(0);
    expect(successorOf(primary).sessions.size.connections).to.equal(0);
  });

  it('pushes back when it is full: requests wait, and go on when there is room (19)', () => {
    const primary = new Primary();
    primary.send(append(a, bytes('x')));
    primary.turn().commit();
    primary.sessions.size.results += limits.keptResults;
    const waiting = primary.send(append(a, bytes('y')), { connection: 2 });
    primary.turn();
    expect([primary.answer(waiting), primary.mutations.length]).to.deep.equal([undefined, 1]);
    primary.sessions.size.results -= limits.keptResults;
    primary.executor.kick();
    primary.turn().commit();
    expect(primary.value(waiting)).to.equal(2);
  });

  it('keeps a request that comes just as its connection is forgotten', () => {
    const primary = new Primary();
    primary.send(append(a, bytes('x')));
    primary.turn().commit();
    const next = primary.send(append(a, bytes('y')), { acknowledged: 1 });
    primary.settle({ answered: [1, 1] });
    primary.turn().commit();
    const again = primary.send(append(a, bytes('y')), { sequence: 2 });
    primary.turn();
    expect([next, again].map((id) => primary.value(id))).to.deep.equal([2, 2]);
  });
});

describe('what was seen as expired', () => {
  const expiring = (): Primary => {
    const primary = new Primary();
    primary.now(set(a, bytes('x'), 0, Expiry.relative, 50));
    return primary;
  };
  /** Its clock is behind. */
  const read = (primary: Primary): unknown => {
    const successor = successorOf(primary);
    for (const session of successor.sessions.all()) session.settled = true;
    return successor.now(get(a), { connection: 98 });
  };

  it('is not answered while the time of it cannot be logged', () => {
    const primary = expiring();
    primary.environment.nowMs += 60;
    primary.writesRefused = 'not-enough-replicas';
    const id = primary.send(get(a));
    primary.turn();
    expect(refused(primary, id)).to.equal('not-enough-replicas');
    expect(String(read(primary)), 'rightly: its successor sees the row').to.equal('x');
  });

  it('is answered without its deletion when a later time is logged', () => {
    const primary = expiring();
    primary.environment.nowMs += 60;
    primary.now(set(b, bytes('x')));
    primary.writesRefused = 'not-enough-replicas';
    const id = primary.send(get(a));
    primary.turn();
    expect(primary.answer(id)).to.include({ status: Status.ok, value: null });
    expect(primary.mutations.length).to.equal(2);
  });

  it('by a scan, which deletes nothing, is not seen again after a failover either', () => {
    const primary = expiring();
    primary.environment.nowMs += 60;
    const id = primary.send(scan(0, 10, null, null));
    primary.turn();
    while (primary.fetching > 0) primary.fetched();
    expect(primary.answer(id), 'it waits for the time to be logged').to.equal(undefined);
    primary.commit();
    expect(primary.answer(id)?.status).to.equal(Status.ok);
    expect(primary.mutations.at(-1)).to.deep.include({ groups: [], timeMs: primary.environment.nowMs });
    primary.environment.nowMs -= 60;
    expect(read(primary)).to.equal(null);
  });

  it('is not deleted by the sweeper while writes are refused', () => {
    const primary = expiring();
    primary.environment.nowMs += 60;
    primary.writesRefused = 'not-enough-replicas';
    let done = 0;
    primary.executor.internal(
      0,
      (view) => void view.peek(a),
      () => {
        done++;
      },
    );
    primary.turn();
    expect([done, primary.mutations.length]).to.deep.equal([1, 1]);
  });

  it('and deleted stays so when the deletion is repeated', () => {
    const primary = expiring();
    primary.environment.nowMs += 60;
    expect(primary.now(remove([a]))).to.equal(0);
    expect(read(primary)).to.equal(null);
  });
});
