/** All replicas lost, and an administrator's choice, through whole simulated clusters [17]. */
import { expect } from 'chai';
import { append, get } from '../../shared/operations/codes.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { slotOf } from '../../shared/slots.js';
import { checksum } from '../../server/partition/checksum.js';
import { Cluster, type SimulatedServer } from './cluster.js';
import { Invariants } from './invariants.js';
import { World } from './world.js';

const KEY = Buffer.from('key');

/** A cluster that the test drives step by step. */
class Scenario {
  readonly world: World;
  readonly cluster: Cluster;

  constructor(seed: number, servers: number) {
    this.world = new World(seed);
    this.cluster = new Cluster(this.world, { servers, partitions: 1, routers: 1 });
    this.watch();
    this.until('it serves', () => this.primary() !== undefined && this.memberNames().length === 3);
  }

  /** From here on the invariants hold (again: an administrator's choice loses what was committed before). */
  watch(): void {
    const invariants = new Invariants(this.cluster);
    this.world.afterEvent = () => invariants.check();
  }

  server(name: string): SimulatedServer {
    return this.cluster.servers.find((server) => server.name === name)!;
  }

  primary(): SimulatedServer | undefined {
    return this.cluster.servers.find(({ running }) => (running?.server.partitions.get(1)?.executor ?? null) !== null);
  }

  memberNames(): string[] {
    const { primary, secondaries } = this.cluster.meta!.meta.partitions()[0]!.partition.configuration;
    return [primary, ...secondaries].flatMap((seat) => seat?.node ?? []);
  }

  until(what: string, done: () => boolean, deadlineMs = 60_000): void {
    this.world.run(this.world.nowMs + deadlineMs, done);
    if (!done()) throw new Error(`not within ${deadlineMs} ms: ${what}`);
  }

  pass(ms: number): void {
    this.world.run(this.world.nowMs + ms);
  }

  append(text: string, key = KEY): void {
    this.ask(append(key, Buffer.from(text)));
  }

  read(): string {
    const value = this.ask(get(KEY));
    return value === null ? '' : String(value);
  }

  private ask(operation: ReturnType<typeof get>): OperationResult {
    const router = this.cluster.routers[0]!;
    let answer: { status: number; value: OperationResult } | null = null;
    router.submit(
      router.table('default'),
      slotOf(KEY),
      router.connect(() => undefined),
      0,
      operation,
      {
        onOutcome: (status, value) => {
          answer = { status, value };
        },
      },
    );
    this.until('an answer', () => answer !== null);
    const { status, value } = answer as unknown as { status: number; value: OperationResult };
    expect(status, String(value)).to.equal(0);
    return value;
  }

  sums(): string[] {
    const sums: string[] = [];
    const replicas = this.memberNames().map((name) => this.server(name).running!.server.partitions.get(1)!);
    for (const { store } of replicas)
      checksum(store, (error, sum) => sums.push(error?.message ?? `${sum!.checksum} of ${sum!.entries}`));
    this.until('checksums', () => sums.length === replicas.length);
    return sums;
  }
}

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
