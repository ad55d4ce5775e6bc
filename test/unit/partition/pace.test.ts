/** How fast a server copies. */
import { expect } from 'chai';
import { Pace } from '../../../server/partition/pace.js';
import { limits } from '../../../shared/limits.js';

const MiB = 1024 * 1024;

function seconds(pace: Pace, count: number, lateMs: number): void {
  for (let turn = 0; turn < count * 20; turn++) pace.onTurn(lateMs);
}

describe('the pace of copying', () => {
  it('rises to what is configured while turns come in time', () => {
    const pace = new Pace(64 * MiB);
    expect(pace.bytesPerSecond).to.be.below(16 * MiB);
    seconds(pace, 20, 0.5);
    expect(pace.bytesPerSecond).to.equal(64 * MiB);
    expect(pace.msFor(64 * MiB, 1)).to.equal(1_000);
  });

  it('falls within seconds while turns are late, but never so far that a copy does not end', () => {
    const pace = new Pace(64 * MiB);
    seconds(pace, 20, 0);
    seconds(pace, 2, 20);
    expect(pace.bytesPerSecond).to.equal(16 * MiB);
    seconds(pace, 20, 20);
    expect(pace.bytesPerSecond).to.equal(limits.learnBytesPerSecondMin);
  });

  it('is shared by those who copy at once', () => {
    const pace = new Pace(64 * MiB);
    expect(pace.msFor(MiB, 4)).to.equal(4 * pace.msFor(MiB, 1));
  });

  it('makes up for a little delay, not for a pause', () => {
    const pace = new Pace(4 * MiB);
    const ms = pace.msFor(64 * 1024, 1);
    expect(pace.next(1_000, 1_010, 64 * 1024, 1), 'late by a little').to.equal(1_000 + ms);
    expect(pace.next(1_000, 900, 64 * 1024, 1), 'early').to.equal(1_000 + ms);
    expect(pace.next(1_000, 9_000, 64 * 1024, 1), 'after a pause').to.be.within(8_900 + ms, 9_000 + ms);
  });

  it('has no limit where none is configured, and never exceeds a small one', () => {
    expect(new Pace(0).msFor(MiB, 3)).to.equal(0);
    const slow = new Pace(MiB);
    seconds(slow, 20, 0);
    expect(slow.bytesPerSecond).to.equal(MiB);
  });
});
