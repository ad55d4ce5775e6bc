/** Learning a snapshot through whole simulated clusters: interrupted, by many at once, and with nothing left behind. */
import { expect } from 'chai';
import { limits } from '../../shared/limits.js';
import { Kind, type Message } from '../../shared/wire/messages.js';
import type { SimulatedServer } from './cluster.js';
import { Scenario } from './scenario.js';

const VALUE = 'x'.repeat(100_000);

interface Sent {
  readonly to: string;
  readonly message: Message;
}

/** What a server sends from now on. */
function record(server: SimulatedServer): Sent[] {
  const sent: Sent[] = [];
  const { network } = server.running!;
  const send = network.send.bind(network);
  network.send = (to, message) => {
    sent.push({ to, message });
    return send(to, message);
  };
  return sent;
}

const ofKind = (sent: readonly Sent[], kind: number): Message[] =>
  sent.flatMap(({ message }) => (message[0] === kind ? [message] : []));

/** More than stays in memory, so that who has nothing needs a snapshot. */
function filled(seed: number, options: { servers?: number; partitions?: number; keys?: number } = {}): Scenario {
  const { servers = 3, partitions = 1, keys = 40 } = options;
  const scenario = new Scenario(seed, servers, partitions);
  for (let i = 0; i < keys; i++) scenario.append(VALUE, Buffer.from(`key-${i}`));
  scenario.pass(2_000);
  return scenario;
}

/** No half-made copy, no turn, no record of an earlier stay is left on any server. */
function expectNothingLeft({ cluster }: Scenario): void {
  for (const { name, disk, running } of cluster.servers) {
    const names = [...disk.stores.stores.keys()];
    expect(
      names.filter((each) => each.endsWith('.learning')),
      name,
    ).to.deep.equal([]);
    const { server } = running!;
    expect([server.teachers.count, server.learners.count], name).to.deep.equal([0, 0]);
  }
}

describe('a learner of a snapshot', function () {
  this.timeout(60_000);

  it('goes on with the same one when its connection breaks, from the page that it needs', () => {
    const scenario = filled(1);
    const { cluster } = scenario;
    const teacher = scenario.primary()!;
    const learner = cluster.servers.find((server) => server !== teacher)!;
    scenario.wipe(learner);
    scenario.pass(3_000);
    const sent = record(teacher);
    cluster.startServer(learner);
    const pages = (): number => ofKind(sent, Kind.learnPage).length;
    for (const after of [5, 20, 40]) {
      scenario.until(`${after} pages`, () => pages() >= after);
      cluster.wires.breakBetween(teacher.name, learner.name);
      scenario.append('meanwhile');
    }
    scenario.until('it is a member again', () => scenario.memberNames().length === 3);
    const attempts = new Set(ofKind(sent, Kind.learnPlan).map((message) => message[2]));
    expect(attempts.size, 'lessons').to.equal(1);
    const whole = new Set(ofKind(sent, Kind.learnPage).map((message) => message[3])).size;
    expect(pages(), 'sent again').to.be.within(whole + 1, whole + 3 * limits.learnWindowPages);
    scenario.pass(1_000);
    expect(new Set(scenario.sums()).size).to.equal(1);
    expectNothingLeft(scenario);
  });

  it('begins anew with the next primary when its teacher dies, and nothing of the first copy is left', () => {
    const scenario = filled(2, { servers: 4 });
    const { cluster } = scenario;
    const teacher = scenario.primary()!;
    const learner = cluster.servers.find(({ name }) => name !== teacher.name && scenario.memberNames().includes(name))!;
    const spare = cluster.servers.find(({ name }) => !scenario.memberNames().includes(name))!;
    cluster.killServer(spare);
    scenario.wipe(learner);
    scenario.pass(3_000);
    const sent = record(teacher);
    cluster.startServer(learner);
    scenario.until('half of the pages', () => ofKind(sent, Kind.learnPage).length >= 30);
    cluster.killServer(teacher);
    scenario.until('another one teaches', () => scenario.primary() !== undefined && scenario.primary() !== teacher);
    scenario.until('it is a member', () => scenario.memberNames().includes(learner.name));
    for (const server of cluster.servers) cluster.startServer(server);
    scenario.until('all is as before', () => scenario.memberNames().length === 3);
    scenario.append('afterwards');
    scenario.pass(2_000);
    expect(new Set(scenario.sums()).size).to.equal(1);
    expectNothingLeft(scenario);
  });

  it('waits for its turn: a server that lost everything copies so many partitions at once, and then the others', () => {
    const partitions = 8;
    const scenario = filled(3, { partitions, keys: 160 });
    const { cluster } = scenario;
    const [learner, ...others] = cluster.servers;
    scenario.wipe(learner!);
    scenario.pass(6_000);
    cluster.startServer(learner!);
    let most = 0;
    let mostTaught = 0;
    const ids = Array.from({ length: partitions }, (_, i) => i + 1);
    scenario.until('it has all partitions', () => {
      most = Math.max(most, learner!.running!.server.learners.count);
      for (const { running } of others) mostTaught = Math.max(mostTaught, running!.server.teachers.count);
      return ids.every((id) => scenario.memberNames(id).length === 3);
    });
    expect(most).to.equal(limits.learningPerServer);
    expect(mostTaught).to.be.within(1, limits.teachingPerServer);
    scenario.pass(1_000);
    for (const id of ids) expect(new Set(scenario.sums(id)).size, `partition ${id}`).to.equal(1);
    expectNothingLeft(scenario);
  });

  it('does not go back to an earlier attempt of its teacher, whose message came late', () => {
    const scenario = new Scenario(5, 3);
    const { cluster, world } = scenario;
    const server = cluster.servers.find((each) => each !== scenario.primary())!;
    cluster.killServer(server);
    for (const node of cluster.nodes) cluster.wires.block(node, server.name);
    cluster.startServer(server);
    scenario.until('it has started', () => server.running!.started);
    const partition = server.running!.server.partitions.get(1)!;
    const teacher = { node: 'teacher', boot: '99-sim' };
    world.afterEvent = () => undefined; // this teacher's decrees are nobody's
    const sent = record(server);
    for (const attempt of [1, 2, 1]) {
      partition.onMessage(teacher, [Kind.learnBegin, 1, attempt, 50]);
      scenario.pass(100);
    }
    const answered = ofKind(sent, Kind.learnState).map((message) => Number(message[2]));
    expect(answered).to.include(1);
    expect(answered).to.deep.equal(answered.toSorted((a, b) => a - b));
  });

  it('that is told to begin twice, with a configuration in between, begins once (found by seed 2134)', () => {
    const scenario = new Scenario(4, 3);
    const { cluster, world } = scenario;
    scenario.append('something');
    const server = cluster.servers.find((each) => each !== scenario.primary())!;
    cluster.killServer(server);
    for (const node of cluster.nodes) cluster.wires.block(node, server.name);
    cluster.startServer(server);
    scenario.until('it has started', () => server.running!.started);
    const { partition: info } = cluster.meta!.meta.partitions()[0]!;
    const [table] = cluster.meta!.meta.tables();
    const partition = server.running!.server.partitions.get(1)!;
    const teacher = { node: 'teacher', boot: '99-sim' };
    world.afterEvent = () => undefined; // this teacher's decrees are nobody's
    server.running!.network.send = (_to, message) => {
      if (message[0] === Kind.learnState) world.at(0, () => partition.onMessage(teacher, [Kind.learnPlan, 1, 7, 103]));
      return true;
    };
    partition.onMessage(teacher, [Kind.learnBegin, 1, 7, 50]);
    const configuration = { partition: 1, ballot: 51, primary: teacher, secondaries: [], predecessorGone: true };
    partition.onConfiguration({ ...info, configuration }, table!);
    partition.onMessage(teacher, [Kind.learnBegin, 1, 7, 51]);
    scenario.pass(500);
    expect(partition.replica.role).to.equal('learner');
    expect(partition.replica.list.committed, 'where the snapshot ends').to.equal(103);
  });
});
