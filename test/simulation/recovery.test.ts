/** All replicas lost, and an administrator's choice, through whole simulated clusters [17]. */
import { expect } from 'chai';
import { Scenario } from './scenario.js';

describe('a simulated cluster that lost all its replicas', function () {
  this.timeout(60_000);

  it('waits for every member of the last configuration, and loses nothing [17]', () => {
    const scenario = new Scenario(1, 3);
    const { cluster } = scenario;
    scenario.append('one');
    for (const server of cluster.servers) cluster.killServer(server);
    const [first, ...rest] = cluster.servers;
    cluster.startServer(first!);
    scenario.pass(30_000);
    expect(scenario.primary()).to.equal(undefined);
    expect(cluster.meta!.meta.waitingFor()[0]?.nodes).to.deep.equal(rest.map(({ name }) => name));
    for (const server of rest) cluster.startServer(server);
    scenario.until('all members again', () => scenario.primary() !== undefined && scenario.memberNames().length === 3);
    expect(scenario.read()).to.equal('one');
  });

  it('tells ballots that were logged from ballots that were heard of, though meta restarts meanwhile [17]', () => {
    const scenario = new Scenario(4, 3);
    const { cluster } = scenario;
    scenario.append('one');
    const [first, second, third] = cluster.servers;
    for (const server of cluster.servers) cluster.killServer(server);
    for (const server of [first!, second!]) cluster.startServer(server);
    scenario.pass(2_000);
    cluster.killMeta();
    cluster.startMeta();
    scenario.pass(2_000);
    const ballots = cluster.meta!.meta.recoveries().flatMap(({ ballot }) => ballot ?? []);
    expect(ballots).to.have.length(2);
    for (const { running } of [first!, second!]) {
      const replica = running!.server.partitions.get(1)!;
      expect(replica.report().ballot, 'what it logged').to.be.at.most(
        cluster.meta!.meta.partitions()[0]!.partition.configuration.ballot,
      );
      expect(replica.report().ballot).to.equal(replica.applier.state.contentBallot);
    }
    cluster.startServer(third!);
    scenario.until('it serves', () => scenario.primary() !== undefined);
    expect(scenario.read()).to.equal('one');
  });

  it('goes on with the copy that an administrator forces; one that went further learns again whole [17]', () => {
    const scenario = new Scenario(2, 4);
    const { cluster } = scenario;
    scenario.append('old ');
    const members = scenario.memberNames();
    const behind = members.find((name) => name !== scenario.primary()?.name)!;
    const ahead = members.filter((name) => name !== behind);
    const spare = cluster.servers.find(({ name }) => !members.includes(name))!;
    cluster.killServer(spare);
    cluster.killServer(scenario.server(behind));
    scenario.until('the others go on', () => scenario.memberNames().length === 2);
    for (let i = 0; i < 20; i++) scenario.append('lost', Buffer.from(`lost-${i}`));
    scenario.pass(1_000);
    for (const name of ahead) cluster.killServer(scenario.server(name));
    cluster.startServer(scenario.server(behind));
    cluster.startServer(spare);
    scenario.pass(10_000);
    const { meta } = cluster.meta!;
    expect(meta.waitingFor()[0]?.nodes).to.have.members(ahead);
    expect(meta.recoveries().map(({ node, state }) => `${node} ${state}`)).to.include(`${behind} back`);

    let refusal: string | null = null;
    scenario.watch();
    meta.recover(1, behind, (error) => void (refusal = error?.message ?? null));
    scenario.until('it serves', () => scenario.primary()?.name === behind);
    expect(refusal).to.equal(null);
    expect(scenario.read()).to.equal('old ');
    for (let i = 0; i < 40; i++) scenario.append(`new ${i} `);
    scenario.pass(1_000);

    const [one] = ahead;
    cluster.startServer(scenario.server(one!));
    scenario.until('three members', () => scenario.memberNames().length === 3 && scenario.memberNames().includes(one!));
    scenario.pass(1_000);
    expect(new Set(scenario.sums()).size, 'all three hold the same').to.equal(1);
    expect(scenario.read()).to.match(/^old new 0 .* new 39 $/);
  });
});
