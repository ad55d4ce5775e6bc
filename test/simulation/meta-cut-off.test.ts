/** Meta and a server that do not hear each other, while nothing else fails: traffic goes on, and no role changes. */
import { expect } from 'chai';
import { Scenario } from './scenario.js';

describe('a simulated cluster whose meta is cut off', function () {
  this.timeout(60_000);

  const META = 'meta';
  const LONG_MS = 20_000;
  const ballot = (scenario: Scenario): number =>
    scenario.cluster.meta!.meta.partitions()[0]!.partition.configuration.ballot;

  for (const [what, both] of [
    ['from the primary only, in one direction', false],
    ['from the primary only', true],
  ] as const) {
    it(`${what}: the primary that its secondaries hear stays primary`, () => {
      const scenario = new Scenario(7, 3);
      const { wires: network } = scenario.cluster;
      scenario.append('before ');
      const primary = scenario.primary()!.name;
      const ballotBefore = ballot(scenario);
      network.block(primary, META);
      if (both) network.block(META, primary);
      for (let written = 0; written < LONG_MS; written += 500) {
        const fromMs = scenario.world.nowMs;
        scenario.append('.');
        expect(scenario.world.nowMs - fromMs, 'a write').to.be.below(500);
        scenario.pass(500);
      }
      network.unblock(primary, META);
      if (both) network.unblock(META, primary);
      scenario.pass(10_000);
      expect(scenario.primary()?.name).to.equal(primary);
      expect(ballot(scenario)).to.equal(ballotBefore);
    });
  }

  it('from everybody, so that every connection has to be made anew: no role changes when it is back (found by seed 1000410)', () => {
    const scenario = new Scenario(10, 3);
    const { cluster } = scenario;
    scenario.append('before');
    const primary = scenario.primary()!.name;
    const ballotBefore = ballot(scenario);
    const names = cluster.servers.map(({ name }) => name);
    for (const name of names) {
      cluster.wires.block(name, META);
      cluster.wires.block(META, name);
    }
    scenario.pass(LONG_MS);
    // the primary is the last one that is back
    for (const name of [...names.filter((each) => each !== primary), primary]) {
      cluster.wires.unblock(name, META);
      cluster.wires.unblock(META, name);
      scenario.pass(1_000);
    }
    scenario.pass(10_000);
    expect(scenario.primary()?.name).to.equal(primary);
    expect(ballot(scenario)).to.equal(ballotBefore);
    scenario.append(' after');
    expect(scenario.read()).to.equal('before after');
  });

  it('from the primary, which then dies: its secondaries go on by themselves', () => {
    const scenario = new Scenario(8, 3);
    const { wires: network } = scenario.cluster;
    scenario.append('before');
    const primary = scenario.primary()!;
    network.block(primary.name, META);
    network.block(META, primary.name);
    scenario.pass(LONG_MS);
    scenario.cluster.killServer(primary);
    scenario.until('another primary', () => (scenario.primary()?.name ?? primary.name) !== primary.name, 6_000);
    expect(scenario.read()).to.equal('before');
  });

  it('from the primary, and a secondary restarts: a primary that meta hears takes over, since only it can change members', () => {
    const scenario = new Scenario(9, 3);
    const { wires: network } = scenario.cluster;
    scenario.append('before');
    const primary = scenario.primary()!.name;
    network.block(primary, META);
    network.block(META, primary);
    scenario.pass(LONG_MS);
    const restarting = scenario.memberNames().find((name) => name !== primary)!;
    scenario.cluster.killServer(scenario.server(restarting));
    scenario.cluster.startServer(scenario.server(restarting));
    scenario.until('two members that meta hears', () => {
      const names = scenario.memberNames();
      return names.length === 2 && !names.includes(primary);
    });
    scenario.append(' after');
    expect(scenario.read()).to.equal('before after');
  });
});
