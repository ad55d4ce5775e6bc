import { expect } from 'chai';
import { runSeed } from './run.js';

describe('the simulated cluster', function () {
  this.timeout(120_000);

  it('keeps every acknowledged operation, exactly once and in order, through crashes and lost connections', () => {
    const result = runSeed({ seed: 7 });
    expect(result.acknowledged).to.be.greaterThan(300);
    expect(result.faults).to.be.greaterThan(5);
  });

  it('gives the same trace when a seed is run twice', () => {
    const once = runSeed({ seed: 11, faultMs: 15_000 });
    const again = runSeed({ seed: 11, faultMs: 15_000 });
    expect(again).to.deep.equal(once);
  });

  it('recognises repeated requests when a server was killed between execution and answer (found by seed 19)', () => {
    expect(runSeed({ seed: 19 }).acknowledged).to.be.greaterThan(300);
  });

  it('ends learning though the message that it is ready was lost (found by seed 9045)', () => {
    expect(runSeed({ seed: 9045 }).acknowledged).to.be.greaterThan(300);
  });

  it('works with several partitions', () => {
    expect(runSeed({ seed: 3, partitions: 4, faultMs: 15_000 }).acknowledged).to.be.greaterThan(100);
  });
});
