/** The table of what may be repeated: results, floors, fences, its rows, its size. */
import { expect } from 'chai';
import {
  Sessions,
  sessionRows,
  weight,
  type ConnectionState,
  type SessionState,
} from '../../../server/execution/sessions.js';
import { toBuffer } from '../../../server/storage/keys.js';
import { limits } from '../../../shared/limits.js';

const EMPTY = { sessions: 0, connections: 0, results: 0, bytes: 0 };

function opened(options = { persistent: true }): { sessions: Sessions; session: SessionState } {
  const sessions = new Sessions(options);
  sessions.change(['open', '7-proxy'], 7);
  return { sessions, session: sessions.get(7)! };
}

const record = (sessions: Sessions, sequence: number, acknowledged: number, value: string): void =>
  sessions.record([7, 3, sequence, acknowledged, 0, value], sequence);

const known = (state: ConnectionState | undefined): number[] => [...(state?.results.keys() ?? [])];

/** As a restart finds it. */
function reloaded(store: Map<string, Buffer>): Sessions {
  const sessions = new Sessions({ persistent: true });
  for (const key of [...store.keys()].sort()) sessions.load({ key: toBuffer(key), value: store.get(key)! });
  return sessions;
}

function persist(sessions: Sessions, store: Map<string, Buffer>): void {
  for (const { key, value } of sessions.takeDirty()) {
    if (value === null) store.delete(key);
    else store.set(key, value);
  }
}

describe('the sessions', () => {
  it('keep the result of each request until the client has it', () => {
    const { sessions, session } = opened();
    for (let sequence = 1; sequence <= 4; sequence++) record(sessions, sequence, 0, `r${sequence}`);
    const state = session.connection(3);
    expect(state.results.get(2)).to.deep.equal({ status: 0, value: 'r2', decree: 2, bytes: 2 });
    state.raiseFloor(2);
    expect(known(state)).to.deep.equal([3, 4]);
    record(sessions, 5, 4, 'r5');
    expect([state.floor, known(state)]).to.deep.equal([4, [5]]);
  });

  it('never lower a floor or a fence, and record nothing below a floor', () => {
    const { sessions, session } = opened();
    const state = session.connection(3);
    state.raiseFloor(5);
    state.raiseFloor(3);
    record(sessions, 4, 0, 'given up');
    record(sessions, 6, 5, 'r6');
    expect([state.floor, known(state)]).to.deep.equal([5, [6]]);
    sessions.change(['settle', 7, 90, []], 10);
    sessions.change(['settle', 7, 80, []], 11);
    expect(session.fence).to.equal(90);
  });

  it('are never made by a request: what an unknown one says is not kept', () => {
    const { sessions } = opened();
    sessions.record([8, 3, 1, 0, 0, 'r'], 9);
    sessions.change(['settle', 8, 90, [3, 1]], 10);
    expect([sessions.get(8), sessions.size.results]).to.deep.equal([undefined, 0]);
  });

  it('do not gather the reads of a connection that only reads', () => {
    const state = opened({ persistent: false }).session.connection(3);
    for (let sequence = 1; sequence <= 10_000; sequence++) {
      state.raiseFloor(sequence - 16);
      state.unlogged.push(sequence);
      state.keep(sequence, { status: 0, value: null, decree: 0, bytes: 0 });
    }
    expect(state.unlogged.length).to.be.at.most(64);
    expect(state.unlogged).to.include.members([9_990, 9_991, 10_000]);
  });

  it('forget a connection whose answers all are acknowledged, not one with an answer under way', () => {
    const { sessions, session } = opened();
    record(sessions, 1, 0, 'r1');
    sessions.record([7, 4, 1, 0, 0, 'r1'], 2);
    sessions.record([7, 4, 2, 0, 0, 'r2'], 3);
    sessions.change(['settle', 7, 0, [3, 1, 4, 1]], 4);
    expect([...session.connections.keys()]).to.deep.equal([4]);
    expect(known(session.connections.get(4))).to.deep.equal([2]);
    expect(sessions.size).to.deep.equal({ sessions: 1, connections: 1, results: 1, bytes: 2 });
  });

  it('log at the primary only what replicas know of', () => {
    const { sessions, session } = opened({ persistent: false });
    record(sessions, 1, 0, 'r1');
    session.connection(4).keep(1, { status: 0, value: 'a read', decree: 0, bytes: 6 });
    expect(sessions.changeFirst(['settle', 7, 0, [3, 1, 4, 1]], 5)).to.deep.equal(['settle', 7, 0, [3, 1]]);
    session.connection(4).keep(2, { status: 0, value: 'a read', decree: 0, bytes: 6 });
    expect(sessions.changeFirst(['settle', 7, 0, [4, 2]], 6), 'nothing to log').to.equal(null);
    expect(sessions.size).to.deep.equal({ ...EMPTY, sessions: 1 });
  });

  it('count what they hold, and count down to nothing when a session ends', () => {
    const { sessions } = opened();
    for (let connection = 1; connection <= 50; connection++)
      for (let sequence = 1; sequence <= 10; sequence++)
        sessions.record([7, connection, sequence, sequence - 4, 0, Buffer.alloc(10)], sequence);
    expect(sessions.size).to.deep.equal({ sessions: 1, connections: 50, results: 200, bytes: 2_000 });
    sessions.change(['end', 7], 100);
    expect(sessions.size).to.deep.equal(EMPTY);
  });

  it('are full by results, by bytes and by connections', () => {
    const { sessions, session } = opened({ persistent: false });
    expect(sessions.full).to.equal(false);
    for (let i = 0; i < limits.keptResultsBytes / limits.keptResultBytes; i++)
      session.connection(1).keep(i + 1, { status: 0, value: null, decree: 0, bytes: limits.keptResultBytes });
    expect(sessions.full, 'bytes').to.equal(true);
    session.connection(1).raiseFloor(1);
    expect(sessions.full).to.equal(false);
    sessions.size.results = limits.keptResults;
    expect(sessions.full, 'results').to.equal(true);
    sessions.size.results = 0;
    sessions.size.connections = limits.sessionConnections;
    expect(sessions.full, 'connections').to.equal(true);
  });

  it('come back from their rows as they were (19)', () => {
    const { sessions } = opened();
    sessions.change(['open', '8-pro/xy'], 8);
    record(sessions, 1, 0, 'old');
    const values = [Buffer.from([0, 255]), null, 7, 2n ** 62n, ['a', null]];
    values.forEach((value, i) => sessions.record([8, 4, i + 2, 1, i % 2, value], 9));
    sessions.change(['settle', 8, 1_234, []], 10);
    const store = new Map<string, Buffer>();
    persist(sessions, store);
    expect(store.size).to.equal(4);
    for (const key of store.keys())
      expect(key >= sessionRows.gte.latin1Slice() && key < sessionRows.lt.latin1Slice()).to.equal(true);
    const loaded = reloaded(store);
    expect(loaded.size).to.deep.equal(sessions.size);
    expect(loaded.get(7)?.connection(3).results.get(1)?.value).to.equal('old');
    expect(loaded.ofBoot('8-pro/xy')?.fence).to.equal(1_234);
    const state = loaded.get(8)!.connection(4);
    expect(state.floor).to.equal(1);
    expect([...state.results.values()].map(({ status, value }) => [status, value])).to.deep.equal(
      values.map((value, i) => [i % 2, value]),
    );
  });

  it('leave no row of what was forgotten, and keep that of what came again', () => {
    const { sessions } = opened();
    const store = new Map<string, Buffer>();
    record(sessions, 1, 0, 'r1');
    sessions.record([7, 4, 1, 0, 0, 'r1'], 2);
    persist(sessions, store);
    expect(store.size).to.equal(3);
    sessions.change(['settle', 7, 50, [3, 1, 4, 1]], 3);
    record(sessions, 2, 1, 'r2');
    persist(sessions, store);
    expect(store.size, 'the session and connection 3').to.equal(2);
    expect(known(reloaded(store).get(7)?.connections.get(3))).to.deep.equal([2]);
    sessions.change(['end', 7], 5);
    persist(sessions, store);
    expect(store.size).to.equal(0);
  });

  it('write the rows of what changed, once', () => {
    const { sessions } = opened();
    expect(sessions.takeDirty().length).to.equal(1);
    record(sessions, 1, 0, 'r');
    expect(sessions.takeDirty().length).to.equal(1);
    expect(sessions.takeDirty()).to.deep.equal([]);
    record(sessions, 2, 1, 'r');
    expect(sessions.takeDirty().length).to.equal(1);
  });

  it('are copied whole, and apart from then on', () => {
    const { sessions } = opened();
    record(sessions, 1, 0, 'r1');
    sessions.change(['settle', 7, 66, []], 2);
    const copy = sessions.copy();
    expect([copy.size, copy.get(7)?.fence]).to.deep.equal([sessions.size, 66]);
    record(sessions, 2, 1, 'r2');
    expect(known(copy.get(7)?.connection(3))).to.deep.equal([1]);
    record(copy, 9, 8, 'r9');
    expect(known(sessions.get(7)?.connection(3))).to.deep.equal([2]);
    expect(copy.get(7)?.settled, 'nobody has settled with the new primary').to.equal(false);
  });
});

describe('a result', () => {
  it('weighs what its bytes do, in lists within lists too, up to what is too large to keep', () => {
    expect([Buffer.alloc(9), 'text', null, true, 7, 2n ** 63n].map(weight)).to.deep.equal([9, 4, 0, 0, 0, 0]);
    expect(weight([Buffer.from('a'), null, 'bc', 4])).to.equal(9 + 8 + 10 + 8);
    expect(weight([[Buffer.from('abc')], [[Buffer.from('d')]]])).to.equal(8 + 8 + 3 + 8 + 8 + 8 + 1);
    const huge = Array.from({ length: 1_000_000 }, () => [1]);
    expect(weight(huge)).to.be.within(limits.keptResultBytes + 1, limits.keptResultBytes + 100);
  });
});
