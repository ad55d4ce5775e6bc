/** A minute of `npm run chaos`: real processes under real clients and faults of every sort that this machine allows. */
import { expect } from 'chai';
import { mixed } from '../chaos/mixed.js';
import { powerLoss } from '../chaos/power-loss.js';
import { isInstalled } from '../cluster/processes.js';

const LOAD = { clients: 30, pauseMs: 40 };

/** For the log of a run that fails; a test that passes says only what it had to skip. */
function sayer(): { readonly say: (line: string) => void; readonly said: string[] } {
  const said: string[] = [];
  const say = (line: string): void => {
    if (line.startsWith('SKIPPED')) console.log(`      ${line}`);
    said.push(line);
  };
  return { say, said };
}

describe('real processes under faults', () => {
  const seed = Date.now() % 1_000_000;

  it(`lose, double and reorder nothing (seed ${seed})`, async function () {
    this.timeout(240_000);
    const { say, said } = sayer();
    const only = ['kill', 'pause', 'cut', 'drop', 'isolate', 'fails', 'full'];
    const size = { servers: 3, proxies: 2, partitions: 2 };
    const { failures } = await mixed({ ...LOAD, ...size, seed, minutes: 0.75, only, without: [], say });
    expect(failures, said.join('\n')).to.deep.equal([]);
  });

  it(`keep what was acknowledged when the power fails, with fsync always (20) (24) (seed ${seed})`, async function () {
    if (!isInstalled('cc')) this.skip();
    this.timeout(120_000);
    const { say, said } = sayer();
    const { failures } = await powerLoss({ ...LOAD, seed, times: 3, fsync: 'always', say });
    expect(failures, said.join('\n')).to.deep.equal([]);
  });
});
