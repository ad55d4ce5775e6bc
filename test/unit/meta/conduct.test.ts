/** How long a server rests that was dropped, or whose lesson was given up. */
import { expect } from 'chai';
import { type Conduct, failed, joined } from '../../../meta/decisions/conduct.js';

describe('the conduct of a server with a partition', () => {
  /** It joins and blocks the partition after a second, so often; how long it then rests each time. */
  function rests(times: number, memberMs = 1_000): number[] {
    let nowMs = 5_000;
    let conduct: Conduct | undefined;
    return Array.from({ length: times }, () => {
      nowMs += 500;
      conduct = joined(conduct, nowMs);
      nowMs += memberMs;
      conduct = failed(conduct, nowMs);
      const restMs = conduct.restUntilMs - nowMs;
      nowMs = conduct.restUntilMs;
      return restMs;
    });
  }

  it('lets it learn again at once the first time', () => {
    expect(failed(undefined, 1_000).restUntilMs).to.equal(1_000);
  });

  it('makes it rest longer each time, within a bound', () => {
    expect(rests(8)).to.deep.equal([0, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('is forgotten once it has been a member for a while', () => {
    expect(rests(4, 60_000)).to.deep.equal([0, 0, 0, 0]);
  });

  it('counts lessons that were given up, however long each took', () => {
    let conduct = failed(undefined, 0);
    conduct = failed(conduct, 300_000);
    expect(conduct.restUntilMs).to.equal(302_000);
    expect(failed(conduct, 1_000_000).restUntilMs, 'ten minutes later').to.equal(1_000_000);
  });
});
