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

  it('has no limit where none is configured, and never exceeds a small one', () => {
    expect(new Pace(0).msFor(MiB, 3)).to.equal(0);
    const slow = new Pace(MiB);
    seconds(slow, 20, 0);
    expect(slow.bytesPerSecond).to.equal(MiB);
  });
});
