/** How fast a server copies. */
import { expect } from 'chai';
import { Pace } from '../../../server/partition/pace.js';
import { limits } from '../../../shared/limits.js';

const MiB = 1024 * 1024;

function seconds(pace: Pace, count: number, lateMs: number, copying = true): void {
  for (let turn = 0; turn < count * 20; turn++) pace.onTurn(lateMs, copying);
}

describe('the pace of copying', () => {
  it('rises to what is configured while turns come in time', () => {
    const pace = new Pace(64 * MiB);
    expect(pace.bytesPerSecond).to.be.below(16 * MiB);
    seconds(pace, 40, 0.5);
    expect(pace.bytesPerSecond).to.equal(64 * MiB);
    expect(pace.msFor(64 * MiB, 1)).to.equal(1_000);
  });

  it('falls within seconds while turns are late, but never so far that a copy does not end', () => {
    const pace = new Pace(64 * MiB);
    seconds(pace, 40, 0);
    seconds(pace, 5, 20);
    expect(pace.bytesPerSecond).to.be.below(16 * MiB);
    seconds(pace, 20, 20);
    expect(pace.bytesPerSecond).to.equal(limits.learnBytesPerSecondMin);
  });

  it('is not slowed by what is late without it, but by what it adds to that', () => {
    const pace = new Pace(64 * MiB);
    seconds(pace, 60, 4, false);
    seconds(pace, 40, 4.5);
    expect(pace.bytesPerSecond, 'as late as ever').to.equal(64 * MiB);
    seconds(pace, 5, 8);
    expect(pace.bytesPerSecond, 'later').to.be.below(16 * MiB);
    seconds(pace, 10, 8, false);
    seconds(pace, 60, 20, false);
    seconds(pace, 40, 12);
    expect(pace.bytesPerSecond, 'so late is never usual').to.equal(limits.learnBytesPerSecondMin);
  });

  it('is not slowed by a pause now and then, which nobody would be spared without it', () => {
    const pace = new Pace(64 * MiB);
    for (let second = 0; second < 60; second++) {
      for (let turn = 0; turn < 18; turn++) pace.onTurn(0.5, true);
      pace.onTurn(60, true);
      pace.onTurn(40, true);
    }
    expect(pace.bytesPerSecond).to.equal(64 * MiB);
  });

  it('is shared by those who copy at once', () => {
    const pace = new Pace(64 * MiB);
    expect(pace.msFor(MiB, 4)).to.equal(4 * pace.msFor(MiB, 1));
  });

  it('makes up for a little delay, not for a pause', () => {
    const pace = new Pace(4 * MiB);
    const ms = pace.msFor(64 * 1024, 1);
    expect(pace.next(1_000, 1_010, 64 * 1024, 1, 0), 'late by a little').to.equal(1_000 + ms);
    expect(pace.next(1_000, 900, 64 * 1024, 1, 0), 'early').to.equal(1_000 + ms);
    expect(pace.next(1_000, 9_000, 64 * 1024, 1, 0), 'after a pause').to.be.within(8_900 + ms, 9_000 + ms);
  });

  it('does not matter any more when much was written meanwhile: a copy must end before the log is too long', () => {
    const pace = new Pace(64 * MiB);
    seconds(pace, 20, 20);
    expect(pace.next(0, 0, MiB, 1, limits.learnHurryBytes)).to.equal(1_000 / 4);
    expect(pace.next(0, 0, MiB, 1, limits.learnHurryBytes + 1)).to.equal(1_000 / 64);
  });

  it('has no limit where none is configured, and never exceeds a small one', () => {
    expect(new Pace(0).msFor(MiB, 3)).to.equal(0);
    const slow = new Pace(MiB);
    seconds(slow, 20, 0);
    expect(slow.bytesPerSecond).to.equal(MiB);
  });
});
