/** A short differential test; `npm run conformance -- --differential` goes on from there. */
import { expect } from 'chai';
import { runDifferential } from '../conformance/differential/differential.js';
import { kinds } from '../conformance/differential/commands.js';
import { isInstalled } from '../cluster/processes.js';

const roundCommands = 1_000;

describe('random commands', function () {
  this.timeout(180_000);

  it('are answered as Redis answers them, of each kind, in RESP2 and RESP3', async function () {
    if (!isInstalled('redis-server')) this.skip();
    const rounds = 2 * Object.keys(kinds).length;
    const differences = await runDifferential(1, rounds * roundCommands, { roundCommands });
    expect(differences).to.deep.equal([]);
  });
});
