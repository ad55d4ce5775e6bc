/** Several operations in one attempt: each sees what those before it did, and what fails leaves nothing. */
import { expect } from 'chai';
import { executors } from '../../../server/rows/index.js';
import type { View } from '../../../server/execution/view.js';
import { append, flush, get, increment, remove, set, swapDatabases } from '../../../shared/operations/codes.js';
import { listPush } from '../../../shared/operations/lists.js';
import type { Operation, OperationResult } from '../../../shared/operations/operation.js';
import { marks, transaction, type Watched } from '../../../shared/operations/transactions.js';
import { setAdd, setSize } from '../../../shared/operations/sets.js';
import { walk } from '../../../shared/operations/walks.js';
import { Attempts, bytes } from './primary.js';

const put = (key: string, value: string): Operation => set(bytes(key), bytes(value));

function execute(view: View, [code, ...args]: Operation): OperationResult {
  return executors[code]!.execute(view, args);
}

function run(attempts: Attempts, operation: Operation): OperationResult {
  return attempts.run((view) => execute(view, operation));
}

function runAll(
  attempts: Attempts,
  operations: readonly Operation[],
  watched: readonly Watched[] = [],
): unknown[] | null {
  const parts = operations.map((operation) => ({ db: 0, operation }));
  const results = run(attempts, transaction('grows', watched, parts));
  return results === null ? null : (results as [boolean, OperationResult][]).map(([, value]) => plain(value));
}

const plain = (value: OperationResult): unknown => (Buffer.isBuffer(value) ? value.latin1Slice() : value);
const text = (attempts: Attempts, key: string): unknown => plain(run(attempts, get(bytes(key))));
const markOf = (attempts: Attempts, key: string): Watched => {
  const [mark] = run(attempts, marks([bytes(key)])) as readonly (Buffer | null)[];
  return { db: 0, key: bytes(key), mark: mark ?? null };
};

describe('a transaction', () => {
  it('is one mutation, and each operation sees what those before it did', () => {
    const attempts = new Attempts();
    const results = runAll(attempts, [
      put('a', '1'),
      increment(bytes('a'), 1),
      append(bytes('a'), bytes('x')),
      get(bytes('a')),
    ]);
    expect(results).to.deep.equal([true, 2, 2, '2x']);
    expect(attempts.mutations).to.have.length(1);
    expect(text(attempts, 'a')).to.equal('2x');
  });

  it('sees the keys that there are at its turn, in walks, too', () => {
    const attempts = new Attempts();
    for (let i = 0; i < 50; i++) run(attempts, put(`key ${i}`, 'v'));
    const names = (result: unknown): string[] => (result as Buffer[]).map(String).sort();
    const [, before, , after, scanned] = runAll(attempts, [
      put('x1', 'v'),
      walk('keys', [bytes('x*')]),
      put('x2', 'v'),
      walk('keys', [bytes('x*')]),
      walk('scan', [bytes('0'), bytes('COUNT'), bytes('1000')]),
      put('x3', 'v'),
    ]) as unknown[];
    expect(names(before)).to.deep.equal(['x1']);
    expect(names(after)).to.deep.equal(['x1', 'x2']);
    const [cursor, found] = scanned as [string, Buffer[]];
    expect(cursor).to.equal('0');
    expect(found).to.have.length(52);
  });

  it('goes on after an operation that fails, whose writes are undone', () => {
    const attempts = new Attempts();
    run(attempts, put('s', 'text'));
    const results = runAll(attempts, [
      put('a', '1'),
      increment(bytes('s'), 1),
      listPush(bytes('s'), false, false, [bytes('x')]),
      put('b', '2'),
    ]);
    expect(results?.[1]).to.equal('ERR value is not an integer or out of range');
    expect(results?.[2]).to.match(/^WRONGTYPE/);
    expect([text(attempts, 'a'), text(attempts, 's'), text(attempts, 'b')]).to.deep.equal(['1', 'text', '2']);
  });

  it('undoes all that a part wrote, and nothing that an earlier part wrote', () => {
    const attempts = new Attempts();
    const members = Array.from({ length: 100 }, (_, i) => bytes(`member ${i}`));
    run(attempts, setAdd(bytes('large'), members));
    attempts.run((view) => {
      view.part(() => execute(view, setAdd(bytes('large'), [bytes('one more')])));
      view.part(() => execute(view, put('kept', 'yes')));
      view.part(() => {
        execute(view, setAdd(bytes('large'), [bytes('undone')]));
        execute(view, remove([bytes('large')]));
        execute(view, put('large', 'a string now'));
        execute(view, put('kept', 'no'));
        execute(view, flush());
        execute(view, put('after the flush', 'no'));
        return execute(view, increment(bytes('after the flush'), 1)); // not an integer
      });
      expect(plain(execute(view, get(bytes('kept'))))).to.equal('yes');
    });
    expect(text(attempts, 'kept')).to.equal('yes');
    expect(text(attempts, 'after the flush')).to.equal(null);
    expect(run(attempts, setSize(bytes('large')))).to.equal(101);
    expect(attempts.run((view) => view.count())).to.deep.equal({ keys: 2, expires: 0 });
  });

  it('sees an empty database after a flush within it, and what it writes then stays', () => {
    const attempts = new Attempts();
    run(attempts, put('old', '1'));
    expect(
      runAll(attempts, [put('gone', '1'), flush(), get(bytes('gone')), put('new', '2'), get(bytes('old'))]),
    ).to.deep.equal([true, true, null, true, null]);
    for (const after of [attempts, attempts.apply()]) {
      expect([text(after, 'old'), text(after, 'gone'), text(after, 'new')]).to.deep.equal([null, null, '2']);
    }
  });

  it('sees the other database after a swap within it', () => {
    const attempts = new Attempts();
    run(attempts, put('a', 'zero'));
    expect(runAll(attempts, [swapDatabases(0, 1), get(bytes('a')), put('a', 'was one')])).to.deep.equal([
      true,
      null,
      true,
    ]);
    expect(text(attempts, 'a')).to.equal('was one');
    expect(plain(attempts.run((view) => execute(view.inDatabase(1), get(bytes('a')))))).to.equal('zero');
  });

  it('does nothing when a watched key has changed, came, went or expired', () => {
    for (const [before, change] of [
      ['1', put('a', '2')],
      ['1', put('a', '1')],
      ['1', remove([bytes('a')])],
      [null, put('a', '1')],
    ] as const) {
      const attempts = new Attempts();
      if (before !== null) run(attempts, put('a', before));
      const watched = markOf(attempts, 'a');
      expect(runAll(attempts, [put('b', '1')], [watched])).to.deep.equal([true]);
      run(attempts, change);
      expect(runAll(attempts, [put('b', '2')], [watched])).to.equal(null);
      expect(text(attempts, 'b')).to.equal('1');
    }
  });

  it('notices a changed element of a large watched row, in the same mutation and after it was applied', () => {
    const attempts = new Attempts();
    run(
      attempts,
      setAdd(
        bytes('large'),
        Array.from({ length: 100 }, (_, i) => bytes(`member ${i}`)),
      ),
    );
    const watched = markOf(attempts, 'large');
    expect(runAll(attempts.apply(), [get(bytes('x'))], [watched])).to.deep.equal([null]);
    run(attempts, setAdd(bytes('large'), [bytes('another')]));
    expect(runAll(attempts, [get(bytes('x'))], [watched])).to.equal(null);
    expect(runAll(attempts.apply(), [get(bytes('x'))], [watched])).to.equal(null);
  });

  it('is refused within a transaction', () => {
    const attempts = new Attempts();
    const inner = transaction('grows', [], [{ db: 0, operation: put('a', '1') }]);
    expect(runAll(attempts, [inner])).to.deep.equal(['ERR unknown operation in a transaction']);
    expect(text(attempts, 'a')).to.equal(null);
  });
});
