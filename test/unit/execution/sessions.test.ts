import { expect } from 'chai';
import { keep, Sessions, sessionRows, type ConnectionState } from '../../../server/execution/sessions.js';
import { toBuffer } from '../../../server/storage/keys.js';

const record = (sessions: Sessions, sequence: number, acknowledged: number, value: string): void =>
  sessions.record(['7-proxy', 3, sequence, acknowledged, 0, value], sequence);

const known = (state: ConnectionState): number[] => [...state.results.keys()];

describe('the sessions', () => {
  it('keep the result of each request until the client has it', () => {
    const sessions = new Sessions({ persistent: true });
    for (let sequence = 1; sequence <= 4; sequence++) record(sessions, sequence, 0, `r${sequence}`);
    const state = sessions.connection('7-proxy', 3);
    expect(state.results.get(2)).to.deep.equal({ status: 0, value: 'r2', decree: 2 });
    state.raiseFloor(2);
    expect(known(state)).to.deep.equal([3, 4]);
    record(sessions, 5, 4, 'r5');
    expect([state.floor, known(state)]).to.deep.equal([4, [5]]);
  });

  it('never lower a floor, and record nothing below it', () => {
    const sessions = new Sessions({ persistent: true });
    const state = sessions.connection('7-proxy', 3);
    state.raiseFloor(5);
    state.raiseFloor(3);
    record(sessions, 4, 0, 'given up');
    record(sessions, 6, 5, 'r6');
    expect([state.floor, known(state)]).to.deep.equal([5, [6]]);
  });

  it('keep connections and sessions apart', () => {
    const sessions = new Sessions({ persistent: true });
    sessions.connection('7-proxy', 3).raiseFloor(5);
    expect(sessions.connection('7-proxy', 4).floor).to.equal(0);
    expect(sessions.connection('8-proxy', 3).floor).to.equal(0);
    expect(sessions.connection('7-proxy', 3).floor).to.equal(5);
  });

  it('do not gather the reads of a connection that only reads', () => {
    const state = new Sessions({ persistent: false }).connection('7-proxy', 3);
    for (let sequence = 1; sequence <= 10_000; sequence++) {
      state.raiseFloor(sequence - 16);
      state.unlogged.push(sequence);
      state.results.set(sequence, { status: 0, value: null, decree: 0 });
    }
    expect(state.unlogged.length).to.be.at.most(64);
    expect(state.unlogged).to.include.members([9_990, 9_991, 10_000]);
  });

  it('come back from their rows as they were', () => {
    const sessions = new Sessions({ persistent: true });
    record(sessions, 1, 0, 'old');
    const values = [Buffer.from([0, 255]), null, 7, 2n ** 62n, ['a', null]];
    values.forEach((value, i) => sessions.record(['7-pro/xy', 4, i + 2, 1, i % 2, value], 9));
    const rows = sessions.takeDirty();
    expect(rows.length).to.equal(2);
    const loaded = new Sessions({ persistent: true });
    for (const { key, value } of rows) {
      expect(key >= sessionRows.gte.latin1Slice() && key < sessionRows.lt.latin1Slice()).to.equal(true);
      loaded.load({ key: toBuffer(key), value });
    }
    expect(loaded.connection('7-proxy', 3).results.get(1)?.value).to.equal('old');
    const state = loaded.connection('7-pro/xy', 4);
    expect(state.floor).to.equal(1);
    expect([...state.results.values()].map(({ status, value }) => [status, value])).to.deep.equal(
      values.map((value, i) => [i % 2, value]),
    );
  });

  it('write the rows of what changed, once', () => {
    const sessions = new Sessions({ persistent: true });
    record(sessions, 1, 0, 'r');
    expect(sessions.takeDirty().length).to.equal(1);
    expect(sessions.takeDirty()).to.deep.equal([]);
    record(sessions, 2, 1, 'r');
    expect(sessions.takeDirty().length).to.equal(1);
  });

  it('are copied whole, and apart from then on', () => {
    const sessions = new Sessions({ persistent: true });
    record(sessions, 1, 0, 'r1');
    const copy = sessions.copy();
    record(sessions, 2, 1, 'r2');
    expect(known(copy.connection('7-proxy', 3))).to.deep.equal([1]);
    record(copy, 9, 8, 'r9');
    expect(known(sessions.connection('7-proxy', 3))).to.deep.equal([2]);
  });

  it('forget a session whose process is gone, and name its rows', () => {
    const sessions = new Sessions({ persistent: true });
    record(sessions, 1, 0, 'r1');
    sessions.connection('8-proxy', 1).raiseFloor(4);
    const [row] = sessions.takeDirty();
    record(sessions, 2, 0, 'r2');
    expect(sessions.forget((session) => session === '7-proxy')).to.deep.equal([row?.key]);
    expect(sessions.takeDirty()).to.deep.equal([]);
    expect(sessions.connection('7-proxy', 3).results.size).to.equal(0);
    expect(sessions.connection('8-proxy', 1).floor).to.equal(4);
  });
});

describe('a result', () => {
  it('is kept up to 16 KiB', () => {
    const small = Buffer.alloc(16 * 1024);
    expect(keep(small)).to.equal(small);
    expect(keep(Buffer.alloc(16 * 1024 + 1))).to.equal(undefined);
    expect(keep('x'.repeat(16 * 1024 + 1))).to.equal(undefined);
    const list = [Buffer.from('a'), null, 'b', 4];
    expect(keep(list)).to.equal(list);
    expect(keep(Array.from({ length: 2_000 }, () => Buffer.alloc(8)))).to.equal(undefined);
    expect(keep(Array.from({ length: 5_000 }, () => 1))).to.equal(undefined);
    for (const value of [null, true, 7, 2n ** 63n]) expect(keep(value)).to.equal(value);
  });
});
