/** A meta role on virtual time, with a network whose peers are this test. */
import { Meta, type MetaOptions } from '../../../meta/meta.js';
import { MemoryStateStore } from '../../../meta/store/memory.js';
import type {
  ClusterView,
  Configuration,
  NodeInfo,
  Partition,
  Proposal,
  ReplicaReport,
  Role,
} from '../../../shared/cluster.js';
import type { Environment, Timer } from '../../../shared/environment.js';
import { silentLogger } from '../../../shared/logging.js';
import { type HeartbeatReport, Kind, type Message } from '../../../shared/wire/messages.js';
import type { Network, Origin } from '../../../shared/wire/network.js';

/** A write takes time, in which more happens. */
const WRITE_MS = 2;

/** Time passes only by `advance`; what is due runs in order. */
class VirtualTime implements Environment {
  private nowMs = 1_000;
  private queue: { atMs: number; order: number; run: () => void }[] = [];
  private order = 0;

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const entry = { atMs: this.nowMs + delayMs, order: this.order++, run };
    this.queue.push(entry);
    return { cancel: () => void (this.queue = this.queue.filter((other) => other !== entry)) };
  }

  defer(run: () => void): void {
    this.after(0, run);
  }

  random(): number {
    return 0.5;
  }

  /** Time passes and nothing runs: the process is stopped. */
  standStill(ms: number): void {
    this.nowMs += ms;
  }

  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      this.queue.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      const next = this.queue[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.queue.shift();
      this.nowMs = Math.max(this.nowMs, next.atMs); // late after it stood still
      next.run();
    }
    this.nowMs = untilMs;
  }
}

class RecordingNetwork implements Network {
  readonly self: Origin = { node: 'meta', boot: 'm', role: 'meta' };
  onMessage: (from: Origin, message: Message) => void = () => undefined;
  onConnected: (peer: Origin) => void = () => undefined;
  onDisconnected: (peer: Origin) => void = () => undefined;
  readonly sent: { to: string; message: Message }[] = [];

  setAddress(): void {
    // nobody is called: the peers come to meta
  }

  send(node: string, message: Message): boolean {
    this.sent.push({ to: node, message });
    return true;
  }

  queuedBytes(): number {
    return 0;
  }

  receiving(): boolean {
    return false;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export class MetaHarness {
  readonly time = new VirtualTime();
  readonly rows = new Map<string, string>();
  network = new RecordingNetwork();
  meta: Meta;
  readonly options: MetaOptions;

  constructor(options: Partial<MetaOptions> = {}) {
    this.options = {
      servers: 3,
      partitions: 1,
      multiKey: 'any',
      replicas: 3,
      minReplicas: 2,
      metaLeaseMs: 4_000,
      rejoinMs: 10_000,
      tickMs: 200,
      newHashKey: () => '0123456789abcdef',
      onFatal: (error) => {
        throw error;
      },
      ...options,
    };
    this.meta = this.boot();
  }

  /** Another run of meta on the same state; nobody has registered with it yet. */
  restart(): void {
    this.meta.stop(() => undefined);
    this.time.advance(10);
    this.network = new RecordingNetwork();
    this.meta = this.boot();
  }

  register(node: string, boot = `${node}1`, replicas: ReplicaReport[] = [], info: Partial<NodeInfo> = {}): void {
    const full: NodeInfo = {
      node,
      role: 'server',
      boot,
      host: '127.0.0.1',
      port: 7000,
      machine: node,
      pid: 1,
      state: 'alive',
      ...info,
    };
    this.receive(node, boot, [Kind.register, full, replicas], full.role);
  }

  heartbeat(node: string, boot: string, replicas: Partial<HeartbeatReport['replicas'][number]>[] = []): void {
    const filled = replicas.map((replica) => ({
      contentBallot: 1,
      end: 0,
      partition: 1,
      ballot: 1,
      role: 'secondary' as const,
      committed: 0,
      applied: 0,
      learners: [],
      serving: false,
      ...replica,
    }));
    this.receive(node, boot, [
      Kind.heartbeat,
      this.time.monotonicMs(),
      { replicas: filled, diskFreeBytes: 0, diskBytes: 0 },
    ]);
  }

  propose(node: string, boot: string, proposal: Proposal): void {
    this.receive(node, boot, [Kind.propose, 7, proposal]);
  }

  disconnect(node: string, boot: string): void {
    this.network.onDisconnected({ node, boot, role: 'server' });
    this.time.advance(5);
  }

  /** Keeps these `node` or `node:boot` alive for a while. */
  keepAlive(nodes: readonly string[], ms: number, replicas: Partial<HeartbeatReport['replicas'][number]>[] = []): void {
    for (let passed = 0; passed < ms; passed += 400) {
      for (const text of nodes) {
        const [node = '', boot = `${node}1`] = text.split(':');
        this.heartbeat(node, boot, replicas);
      }
      this.time.advance(400);
    }
  }

  configuration(partition = 1): Configuration | undefined {
    return this.partition(partition)?.configuration;
  }

  partition(id = 1): Partition | undefined {
    return this.meta.partitions().find((record) => record.partition.id === id)?.partition;
  }

  /** Messages of a kind sent to a node, oldest first; forgets all messages. */
  take(node: string, kind: number): Message[] {
    const found = this.network.sent
      .filter(({ to, message }) => to === node && message[0] === kind)
      .map(({ message }) => message);
    this.network.sent.length = 0;
    return found;
  }

  views(node: string): ClusterView[] {
    return this.take(node, Kind.view).map((message) => message[1] as ClusterView);
  }

  private receive(node: string, boot: string, message: Message, role: Role = 'server'): void {
    this.network.onMessage({ node, boot, role }, message);
    this.time.advance(5);
  }

  private boot(): Meta {
    const meta = new Meta(
      this.time,
      this.network,
      new MemoryStateStore({ defer: (run) => this.time.after(WRITE_MS, run) }, this.rows),
      this.options,
      silentLogger,
    );
    meta.start((error) => {
      if (error !== null) throw error;
    });
    this.time.advance(5);
    return meta;
  }
}
