/** Bugs put in on purpose are found (25). `npm run sim -- --plant NAME --seeds N` runs any of them, the rare ones too. */
import { expect } from 'chai';
import { plants } from './plants.js';
import { runSeed } from './run.js';

/** The first seed that finds it; null: none of them does. */
function foundBy(plant: string, seeds: number): number | null {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      runSeed({ seed, plant });
    } catch {
      return seed;
    }
  }
  return null;
}

describe('a planted bug is found (25)', function () {
  this.timeout(120_000);

  for (const { name, statement, seeds, rare } of plants) {
    if (rare === true) continue;
    it(`${name} (${statement}), within ${seeds} seeds`, () => {
      expect(foundBy(name, seeds)).to.not.equal(null);
    });
  }

  it('and without one the same seeds find nothing', () => {
    for (const { wishes } of plants) runSeed({ seed: 1, ...wishes });
  });
});
