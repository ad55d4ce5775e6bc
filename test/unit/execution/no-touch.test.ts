/** CLIENT NO-TOUCH: a request says that what it looks up does not count as accessed. */
import { expect } from 'chai';
import { append, facts, get, set } from '../../../shared/operations/codes.js';
import type { OperationResult } from '../../../shared/operations/operation.js';
import { bytes, Primary } from './primary.js';

const KEY = bytes('k');

/** Seconds since 1970 at which the row was accessed last. */
function accessedAt(primary: Primary): OperationResult {
  return (primary.now(facts(KEY)) as readonly OperationResult[])[6] ?? null;
}

function later(primary: Primary, operation: ReturnType<typeof get>, leavesNoTrace: boolean): void {
  primary.environment.nowMs += 100_000;
  primary.send(operation, { leavesNoTrace });
  primary.turn();
  while (primary.committed < primary.mutations.length) primary.commit();
}

describe('a request that leaves no trace', () => {
  it('reads, and changes a row, without its being accessed', () => {
    const primary = new Primary();
    primary.now(set(KEY, bytes('v')));
    const before = accessedAt(primary);
    later(primary, get(KEY), true);
    expect(accessedAt(primary)).to.equal(before);
    later(primary, append(KEY, bytes('w')), true);
    expect(accessedAt(primary)).to.equal(before);
    later(primary, get(KEY), false);
    expect(accessedAt(primary)).to.equal(Number(before) + 300);
  });

  it('makes a new row that has been accessed now', () => {
    const primary = new Primary();
    primary.now(set(KEY, bytes('v')));
    const before = accessedAt(primary);
    later(primary, set(KEY, bytes('w')), true);
    expect(accessedAt(primary)).to.equal(Number(before) + 100);
  });
});
