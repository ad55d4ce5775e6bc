/**
 * The invariants of the protocol, looked at after every event, where it happened: an event can only break what its own process
 * takes part in. Numbers in the messages are those of the checklist's statements (docs/internals/reading-a-seed.md has them).
 */
import { type Configuration, members, sameSeat } from '../../shared/cluster.js';
import {
  Kind,
  type BeaconAckMessage,
  type Message,
  type PrepareAckMessage,
  type PrepareMessage,
  type ProposeResultMessage,
  type ViewMessage,
} from '../../shared/wire/messages.js';
import type { Partition } from '../../server/partition/partition.js';
import { minReplicas, type Cluster, type RunningServer, type SimulatedServer } from './cluster.js';
import type { SimulatedNetwork } from './network.js';
import type { ProcessEnvironment } from './process.js';

/** What the fsync mode allows to be lost was lost: nothing more can be said of this run. */
export class AllowedLoss extends Error {}

/** With `everysec`: a second until the sync begins, and what the disk takes for the one before and for its own. */
const SYNC_EVERY_MS = 1_000;

/** A replica as it was after the last event of its process. */
interface Seen {
  role: string;
  ballot: number;
  configurationBallot: number;
  committed: number;
  last: number;
  acting: boolean;
  /** Up to here its mutations were compared with those of the others. */
  compared: number;
  /** As a primary: what it had prepared when it became one. */
  inherited: number;
}

/** A server lost its power: when, and up to where it had prepared each partition. */
interface PowerLoss {
  readonly atMs: number;
  readonly held: ReadonlyMap<number, number>;
}

/** What is known of a partition over all replicas and all time. */
interface Facts {
  /** By decree: what was committed there first. */
  readonly bodies: (Buffer | undefined)[];
  /** The highest decree that anybody committed. */
  committed: number;
  /** By decree: when it was committed first. */
  readonly committedMs: number[];
  /** As meta has it on its disk. */
  configuration: Configuration | null;
  row: string;
  /** By decree, the newest ballot it was prepared under, and what. */
  readonly prepared: Map<number, { ballot: number; body: Buffer }>;
}

export class Invariants {
  private readonly cluster: Cluster;
  private readonly facts = new Map<number, Facts>();
  private readonly seen = new WeakMap<Partition, Seen>();
  /** When a server lost its power, with a log that is not synced before it acknowledges. */
  private readonly powerLost = new Map<string, PowerLoss[]>();
  /** By server and partition: the highest ballot under which it acknowledged something. */
  private readonly acknowledged = new Map<string, Map<number, number>>();

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    cluster.wires.onSend = (from, to, message) => this.onSend(from, to, message);
    cluster.onStarted = (server) => this.onStarted(server);
    cluster.onDiskFailed = (server) => this.forgive(server, true);
  }

  after(process: ProcessEnvironment): void {
    const { cluster } = this;
    if (cluster.failures.length > 0) throw new Error(cluster.failures.join('\n'));
    const server = cluster.byEnvironment.get(process);
    if (server !== undefined && server.running !== null) {
      for (const partition of server.running.server.partitions.values()) this.look(server, server.running, partition);
    } else if (cluster.meta?.environment === process) this.lookAtMeta();
  }

  /** A server's disk lost what it had acknowledged, or may have: what was not synced. */
  forgive(server: string, power: boolean): void {
    this.acknowledged.delete(server);
    if (!power) return;
    const held = new Map<number, number>();
    for (const { id, replica } of this.running(server)?.server.partitions.values() ?? [])
      held.set(id, replica.list.last);
    const loss = { atMs: this.cluster.world.nowMs, held };
    this.powerLost.set(server, [...(this.powerLost.get(server) ?? []), loss]);
  }

  /** As meta has them on its disk. */
  partitions(): { id: number; configuration: Configuration | null }[] {
    return [...this.facts].map(([id, { configuration }]) => ({ id, configuration }));
  }

  private of(id: number): Facts {
    let facts = this.facts.get(id);
    if (facts === undefined) {
      facts = { bodies: [], committed: 0, committedMs: [], configuration: null, row: '', prepared: new Map() };
      this.facts.set(id, facts);
    }
    return facts;
  }

  // --- replicas

  private look(server: SimulatedServer, running: RunningServer, partition: Partition): void {
    const { replica } = partition;
    const { list, role, ballot, configuration } = replica;
    const acting = isActing(running, partition);
    let seen = this.seen.get(partition);
    if (
      seen !== undefined &&
      seen.committed === list.committed &&
      seen.last === list.last &&
      seen.acting === acting &&
      seen.ballot === ballot &&
      seen.role === role &&
      seen.configurationBallot === configuration.ballot
    )
      return;
    if (seen === undefined) {
      seen = {
        role: '',
        ballot: 0,
        configurationBallot: 0,
        committed: list.committed,
        last: 0,
        acting: false,
        compared: list.base,
        inherited: 0,
      };
      this.seen.set(partition, seen);
    }
    if (ballot < seen.ballot)
      violated(9, partition.id, `${server.name} went back from ballot ${seen.ballot} to ${ballot}`);
    if (role === 'primary' && seen.role !== 'primary') seen.inherited = list.last;
    const facts = this.of(partition.id);
    this.compare(server, partition, seen, facts);
    if (list.committed > seen.committed && role === 'primary' && seen.role === 'primary')
      this.checkCommit(server, running, partition, seen);
    if (acting && !seen.acting) this.checkActing(server, partition, seen);
    seen.role = role;
    seen.ballot = ballot;
    seen.configurationBallot = configuration.ballot;
    seen.committed = list.committed;
    seen.last = list.last;
    seen.acting = acting;
    this.checkMembers(partition.id, facts);
    if (acting) this.checkOwnMembers(server, partition);
  }

  /** Every replica commits the same mutation at a decree. */
  private compare(server: SimulatedServer, partition: Partition, seen: Seen, facts: Facts): void {
    const { id, replica } = partition;
    const { list } = replica;
    if (list.committed < seen.compared) seen.compared = list.base; // a learner has begun anew
    for (let decree = Math.max(seen.compared, list.base) + 1; decree <= list.committed; decree++) {
      const body = list.get(decree)!.body;
      const known = facts.bodies[decree];
      if (known === undefined) {
        facts.bodies[decree] = body;
        facts.committedMs[decree] = this.cluster.world.nowMs;
      } else if (known !== body && !known.equals(body))
        violated(10, id, `${server.name} committed something else than others at decree ${decree}`);
    }
    seen.compared = list.committed;
    if (list.committed > facts.committed) facts.committed = list.committed;
  }

  /** A primary has committed: with enough members, and what it had logged itself. */
  private checkCommit(server: SimulatedServer, running: RunningServer, partition: Partition, seen: Seen): void {
    const { id, replica } = partition;
    const { list, configuration } = replica;
    if (seen.configurationBallot === configuration.ballot && 1 + configuration.secondaries.length < minReplicas)
      violated(11, id, `${server.name} committed decree ${list.committed} alone`);
    this.checkLogged(server, running, partition, seen.committed, list.committed, 'committed');
  }

  private checkLogged(
    server: SimulatedServer,
    running: RunningServer,
    { id, replica }: Partition,
    after: number,
    to: number,
    what: string,
  ): void {
    const logged = running.logged.get(id);
    for (let decree = after + 1; decree <= to; decree++) {
      const entry = replica.list.get(decree);
      if (entry !== undefined && logged?.get(decree) !== entry.ballot)
        violated(7, id, `${server.name} ${what} decree ${decree} of ballot ${entry.ballot} before it was logged`);
    }
  }

  private checkActing(server: SimulatedServer, { id, replica }: Partition, seen: Seen): void {
    if (replica.list.committed < seen.inherited)
      violated(13, id, `${server.name} serves before what it had prepared up to ${seen.inherited} is committed`);
    for (const other of this.cluster.servers) {
      if (other === server || other.running === null) continue;
      const twin = other.running.server.partitions.get(id);
      if (twin !== undefined && isActing(other.running, twin))
        violated(1, id, `${other.name} and ${server.name} are primary at the same instant`);
    }
  }

  /** What anybody committed, every member of the configuration that meta has on its disk has prepared. */
  private checkMembers(id: number, { configuration, committed }: Facts): void {
    if (configuration === null || committed === 0) return;
    this.checkHolds(id, configuration, committed);
  }

  private checkHolds(id: number, configuration: Configuration, committed: number): void {
    for (const seat of members(configuration)) {
      const member = this.running(seat.node);
      if (member === null || !member.started || !sameSeat(member.network.self, seat)) continue;
      const partition = member.server.partitions.get(id);
      const last = partition?.replica.list.last ?? 0;
      if (partition !== undefined && partition.applier.applied < partition.replica.list.base)
        violated(16, id, `${seat.node} is a member, and what it copies is not complete`);
      if (last >= committed) continue;
      this.judgeLoss(id, seat.node, last, committed);
      violated(6, id, `decree ${committed} is committed, and the member ${seat.node} has prepared only ${last}`);
    }
  }

  /**
   * A server that lost its power may have been made primary alone, as the others were not to be heard of. Without `always` it may
   * then lack what it had not synced, and only that. It may have been committed later than that, while the acknowledgement was under
   * way.
   */
  private judgeLoss(id: number, node: string, last: number, committed: number): void {
    const losses = this.powerLost.get(node);
    if (losses === undefined) return;
    const allowed = (decree: number, ms: number): boolean =>
      losses.some(({ atMs, held }) => decree <= (held.get(id) ?? 0) && ms >= atMs - windowMs);
    const { cluster } = this;
    const { longestMs } = cluster.servers.find(({ name }) => name === node)!.disk;
    const windowMs = cluster.plan.fsync === 'no' ? Number.POSITIVE_INFINITY : SYNC_EVERY_MS + 3 * longestMs;
    const { committedMs } = this.of(id);
    for (let decree = last + 1; decree <= committed; decree++) if (!allowed(decree, committedMs[decree] ?? 0)) return;
    throw new AllowedLoss(`${node} lost decrees ${last + 1} to ${committed} of partition ${id} with its power`);
  }

  /** As the acting primary sees it: it may know of a member before or after meta does. */
  private checkOwnMembers(server: SimulatedServer, { id, replica }: Partition): void {
    const { configuration, list, ballot } = replica;
    this.checkHolds(id, configuration, list.committed);
    for (const seat of configuration.secondaries) {
      const member = this.running(seat.node)?.server.partitions.get(id)?.replica;
      if (member?.role === 'secondary' && member.ballot === ballot && member.list.committed > list.committed)
        violated(
          6,
          id,
          `${seat.node} committed ${member.list.committed}, its primary ${server.name} ${list.committed}`,
        );
    }
  }

  private running(node: string): RunningServer | null {
    for (const server of this.cluster.servers) if (server.name === node) return server.running;
    return null;
  }

  /** A server has read its disk: it has no role, and nothing that it acknowledged is forgotten. */
  private onStarted({ name, running }: SimulatedServer): void {
    if (running === null) return;
    for (const { id, replica } of running.server.partitions.values()) {
      if (replica.role !== 'inactive') violated(5, id, `${name} is ${replica.role} right after its start`);
      const ballot = this.acknowledged.get(name)?.get(id) ?? 0;
      if (replica.ballot < ballot)
        violated(9, id, `${name} acknowledged under ballot ${ballot} and came back with ${replica.ballot}`);
    }
  }

  // --- meta

  private lookAtMeta(): void {
    for (const [key, row] of this.cluster.metaRows) {
      if (!key.startsWith('partition/')) continue;
      const id = Number(key.slice('partition/'.length));
      const facts = this.of(id);
      if (facts.row === row) continue;
      facts.row = row;
      const before = facts.configuration;
      const { configuration } = (JSON.parse(row) as { partition: { configuration: Configuration } }).partition;
      facts.configuration = configuration;
      if (before === null || JSON.stringify(before) === JSON.stringify(configuration)) continue;
      if (configuration.ballot !== before.ballot + 1)
        violated(12, id, `meta went from ballot ${before.ballot} to ${configuration.ballot}`);
      this.checkMembers(id, facts);
    }
  }

  // --- messages

  private onSend(from: SimulatedNetwork, _to: string, message: Message): void {
    switch (message[0]) {
      case Kind.prepareAck:
        return this.onPrepareAck(from, message as unknown as PrepareAckMessage);
      case Kind.prepare:
        return this.onPrepare(from, message as unknown as PrepareMessage);
      case Kind.beaconAck:
        return this.onBeaconAck(from, message as unknown as BeaconAckMessage);
      case Kind.proposeResult: {
        const configuration = (message as unknown as ProposeResultMessage)[3];
        return this.checkPersisted(configuration);
      }
      case Kind.view: {
        const { partitions } = (message as unknown as ViewMessage)[1];
        for (const { configuration } of partitions) this.checkPersisted(configuration);
        return;
      }
      default:
    }
  }

  private onPrepareAck(from: SimulatedNetwork, [, id, ballot, decree, attempt]: PrepareAckMessage): void {
    const server = this.cluster.byEnvironment.get(from.environment);
    const running = server?.running;
    const partition = running?.server.partitions.get(id);
    if (server === undefined || running === null || running === undefined || partition === undefined) return;
    const { list } = partition.replica;
    if (ballot < partition.replica.ballot)
      violated(9, id, `${server.name} acknowledges ballot ${ballot} and has seen ${partition.replica.ballot}`);
    this.checkLogged(server, running, partition, list.committed, decree, 'acknowledged');
    if (attempt !== 0) return; // a learner's copy, and what it logs, is complete only at the end
    const logged = list.get(decree)?.ballot ?? 0;
    let ballots = this.acknowledged.get(server.name);
    if (ballots === undefined) this.acknowledged.set(server.name, (ballots = new Map()));
    if (logged > (ballots.get(id) ?? 0)) ballots.set(id, logged);
  }

  /** One (ballot, decree) never has two contents. */
  private onPrepare(from: SimulatedNetwork, [, id, ballot, decree, , , body]: PrepareMessage): void {
    const { prepared } = this.of(id);
    const known = prepared.get(decree);
    if (known === undefined || known.ballot < ballot) prepared.set(decree, { ballot, body });
    else if (known.ballot === ballot && known.body !== body && !known.body.equals(body))
      violated(10, id, `${from.self.node} prepares something else at decree ${decree} under the same ballot ${ballot}`);
  }

  /** An acknowledged beacon is a lease: only for the ballot that the sender is in. */
  private onBeaconAck(from: SimulatedNetwork, [, , entries]: BeaconAckMessage): void {
    const running = this.cluster.byEnvironment.get(from.environment)?.running;
    for (const [id, ballot] of entries) {
      const replica = running?.server.partitions.get(id)?.replica;
      if (replica !== undefined && replica.ballot !== ballot)
        violated(2, id, `${from.self.node} gives a lease for ballot ${ballot} and is in ${replica.ballot}`);
    }
  }

  /** Meta persists before it tells. */
  private checkPersisted(configuration: Configuration): void {
    const row = this.cluster.metaRows.get(`partition/${configuration.partition}`);
    const { partition } = JSON.parse(row ?? '{}') as { partition?: { configuration: Configuration } };
    const persisted = partition?.configuration.ballot ?? -1;
    if (configuration.ballot > persisted)
      violated(
        12,
        configuration.partition,
        `meta tells of ballot ${configuration.ballot} and has ${persisted} on disk`,
      );
  }
}

/** It would answer a client now. */
function isActing(running: RunningServer, { executor, replica }: Partition): boolean {
  return executor !== null && replica.canExecute(running.environment.monotonicMs());
}

function violated(statement: number, partition: number, what: string): never {
  throw new Error(`statement ${statement}, partition ${partition}: ${what}`);
}
