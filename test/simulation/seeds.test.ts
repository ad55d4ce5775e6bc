import { expect } from 'chai';
import { faultKinds } from './faults.js';
import { runSeed } from './run.js';

/** The safety phase of these tests: shorter than the default, so that many seeds fit into a few seconds. */
const faultMs = 10_000;

describe('the simulated cluster', function () {
  this.timeout(120_000);

  it('keeps every acknowledged operation, exactly once and in order, whatever goes wrong (1-18, 26)', () => {
    const used = new Set<string>();
    let acknowledged = 0;
    for (let seed = 100; seed < 130; seed++) {
      const result = runSeed({ seed, faultMs });
      acknowledged += result.acknowledged;
      for (const kind of Object.keys(result.faults)) used.add(kind);
    }
    expect(acknowledged).to.be.greaterThan(5_000);
    expect(used.size).to.be.greaterThan(faultKinds.length / 2);
  });

  it('loses nothing that was acknowledged when all servers lose their power and the log is synced first (20)', () => {
    let blackouts = 0;
    for (const seed of [1, 2, 3, 4]) {
      const result = runSeed({ seed, fsync: 'always', only: ['blackout', 'power'], faultMs });
      blackouts += result.faults['blackout'] ?? 0;
      expect(result.loss).to.equal(undefined);
    }
    expect(blackouts).to.be.greaterThan(3);
  });

  it('with everysec loses at most a second and what the disk takes, when all servers lose their power together (20)', () => {
    const losses = [1, 2, 3, 4, 5, 6].flatMap((seed) => {
      const { loss } = runSeed({ seed, fsync: 'everysec', only: ['blackout-unsynced'], faultMs });
      return loss === undefined ? [] : [loss];
    });
    expect(losses.length, 'a run with more of it would have failed').to.be.greaterThan(0);
  });

  it('recognises repeated requests when connections break and servers die between execution and answer (18)', () => {
    for (const seed of [21, 22, 23]) {
      const result = runSeed({ seed, only: ['break', 'flap', 'kill', 'freeze'], faultMs });
      expect(result.acknowledged).to.be.greaterThan(50);
    }
  });

  it('gives the same trace when a seed is run twice (25)', () => {
    for (const seed of [11, 12]) {
      const once = runSeed({ seed, faultMs });
      expect(runSeed({ seed, faultMs })).to.deep.equal(once);
    }
  });

  for (const { name } of faultKinds) {
    it(`stands ${name}`, () => {
      const fsync = faultKinds.find((kind) => kind.name === name)!.needs ?? 'everysec';
      expect(runSeed({ seed: 5, only: [name], fsync, faultMs }).faults[name]).to.be.greaterThan(0);
    });
  }
});
