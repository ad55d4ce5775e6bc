/** A simulated cluster that a test drives step by step. */
import { expect } from 'chai';
import { append, get } from '../../shared/operations/codes.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { silentLogger, type Logger } from '../../shared/logging.js';
import { slotOf } from '../../shared/slots.js';
import { checksum } from '../../server/partition/checksum.js';
import { Cluster, soundParts, type SimulatedServer } from './cluster.js';
import { Invariants } from './invariants.js';
import { calmPlan } from './plan.js';
import { World } from './world.js';

const KEY = Buffer.from('key');

export class Scenario {
  readonly world: World;
  readonly cluster: Cluster;

  constructor(seed: number, servers: number, partitions = 1, logger?: Logger) {
    this.world = new World(seed);
    this.cluster = new Cluster(this.world, calmPlan(servers, partitions), logger ?? silentLogger, soundParts);
    this.watch();
    this.until('it serves', () => this.primary() !== undefined && this.memberNames().length === 3);
  }

  /** The server dies, and its disk is empty afterwards. */
  wipe(server: SimulatedServer): void {
    this.cluster.killServer(server);
    server.disk.wipe();
  }

  /** From here on the invariants hold (again: an administrator's choice loses what was committed before). */
  watch(): void {
    const invariants = new Invariants(this.cluster);
    this.world.afterEvent = (process) => invariants.after(process);
  }

  server(name: string): SimulatedServer {
    return this.cluster.servers.find((server) => server.name === name)!;
  }

  primary(id = 1): SimulatedServer | undefined {
    return this.cluster.servers.find(({ running }) => (running?.server.partitions.get(id)?.executor ?? null) !== null);
  }

  memberNames(id = 1): string[] {
    const { primary, secondaries } = this.cluster.meta!.meta.partitions().find(({ partition }) => partition.id === id)!
      .partition.configuration;
    return [primary, ...secondaries].flatMap((seat) => seat?.node ?? []);
  }

  until(what: string, done: () => boolean, deadlineMs = 60_000): void {
    if (!this.world.runUntil(done, deadlineMs)) throw new Error(`not within ${deadlineMs} ms: ${what}`);
  }

  pass(ms: number): void {
    this.world.run(this.world.nowMs + ms);
  }

  append(text: string, key = KEY): void {
    this.ask(append(key, Buffer.from(text)), key);
  }

  read(): string {
    const value = this.ask(get(KEY));
    return value === null ? '' : String(value);
  }

  private ask(operation: ReturnType<typeof get>, key = KEY): OperationResult {
    const { router } = this.cluster.proxies[0]!;
    let answer: { status: number; value: OperationResult } | null = null;
    router.submit(
      router.table('default'),
      slotOf(key),
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

  /** Checksums of every replica. */
  sums(id = 1): string[] {
    const sums: string[] = [];
    const replicas = this.memberNames(id).map((name) => this.server(name).running!.server.partitions.get(id)!);
    for (const { store } of replicas)
      checksum(store, (error, sum) => sums.push(error?.message ?? `${sum!.checksum} of ${sum!.entries}`));
    this.until('checksums', () => sums.length === replicas.length);
    return sums;
  }
}
