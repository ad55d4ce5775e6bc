/**
 * A network with a meta and servers that exist only as functions: for tests of the proxy and the router
 * without any other role. `answer` decides what becomes of a request; by default a Map keeps strings.
 */
import { MetaState } from '../../../meta/state.js';
import { changeUsers } from '../../../meta/users.js';
import type { ClusterView, Configuration, Partition } from '../../../shared/cluster.js';
import { Code } from '../../../shared/operations/codes.js';
import type { Operation, OperationResult } from '../../../shared/operations/operation.js';
import {
  type ChangeUsersMessage,
  Kind,
  Status,
  type Message,
  type RequestMessage,
} from '../../../shared/wire/messages.js';
import type { Network, Origin } from '../../../shared/wire/network.js';

export const META: Origin = { node: 'meta', boot: 'm1', role: 'meta' };

export function serverOrigin(node: string, boot = `${node}-boot`): Origin {
  return { node, boot, role: 'server' };
}

export function viewOf(partitions: readonly Partition[], multiKey: 'any' | 'slot' = 'any'): ClusterView {
  return {
    full: true,
    tables: [{ id: 1, name: 'default', multiKey, replicas: 3, minReplicas: 2, hashKey: '0'.repeat(16) }],
    partitions,
    nodes: ['a', 'b', 'c'].map((node) => ({
      node,
      role: 'server',
      boot: `${node}-boot`,
      host: '127.0.0.1',
      port: 1,
      machine: node,
      pid: 1,
      state: 'alive',
    })),
  };
}

export function partitionAt(
  primary: string | null,
  ballot = 1,
  range: { id: number; from: number; to: number } = { id: 1, from: 0, to: 16_383 },
  boot?: string,
): Partition {
  const configuration: Configuration = {
    partition: range.id,
    ballot,
    primary: primary === null ? null : { node: primary, boot: boot ?? `${primary}-boot` },
    secondaries: [
      { node: 'b', boot: 'b-boot' },
      { node: 'c', boot: 'c-boot' },
    ],
    predecessorGone: false,
  };
  return { id: range.id, table: 1, fromSlot: range.from, toSlot: range.to, rangeVersion: 1, configuration };
}

/** Messages are recorded; tests answer by hand, or set `onRequest`. */
export class FakeNetwork implements Network {
  readonly self: Origin = { node: 'proxy', boot: 'p1', role: 'proxy' };
  onMessage: (from: Origin, message: Message) => void = () => undefined;
  onConnected: (peer: Origin) => void = () => undefined;
  onDisconnected: (peer: Origin) => void = () => undefined;
  onRequest: (node: string, request: RequestMessage) => void = () => undefined;
  onMeta: (message: Message) => void = () => undefined;
  readonly sent: { node: string; message: Message }[] = [];
  readonly connected = new Map<string, Origin>();
  record = true;
  /** Sessions are opened, under this name, and what is settled is confirmed. */
  keepsSessions = true;
  session = 1;

  setAddress(): void {
    // Nothing is dialled here.
  }

  send(node: string, message: Message): boolean {
    if (!this.connected.has(node)) return false;
    if (this.record) this.sent.push({ node, message });
    if (node === META.node) this.onMeta(message);
    else if (message[0] === Kind.request) this.onRequest(node, message as unknown as RequestMessage);
    else if (this.keepsSessions) this.keepSession(node, message);
    return true;
  }

  /** As a partition that confirms at once. */
  private keepSession(node: string, [kind, partition, session, number]: Message): void {
    const peer = this.connected.get(node) ?? serverOrigin(node);
    if (kind === Kind.sessionOpen) this.onMessage(peer, [Kind.sessionOpened, partition, this.session]);
    else if (kind === Kind.settle) this.onMessage(peer, [Kind.settled, partition, session, number]);
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

  connect(peer: Origin): void {
    this.connected.set(peer.node, peer);
    this.onConnected(peer);
  }

  disconnect(node: string): void {
    const peer = this.connected.get(node);
    this.connected.delete(node);
    if (peer !== undefined) this.onDisconnected(peer);
  }

  view(view: ClusterView): void {
    this.onMessage(META, [Kind.view, view]);
  }

  reply(node: string, id: number, status: number, value: OperationResult): void {
    const peer = this.connected.get(node) ?? serverOrigin(node);
    this.onMessage(peer, [Kind.reply, id, status, value]);
  }

  /** Requests that went to `node`, oldest first. */
  requests(node: string): RequestMessage[] {
    return this.sent
      .filter((sent) => sent.node === node && sent.message[0] === Kind.request)
      .map((sent) => sent.message as unknown as RequestMessage);
  }
}

/** Strings by key: enough of a partition for GET, SET and their like. */
export class MemoryPartition {
  readonly values = new Map<string, Buffer>();
  notifications = '';
  executed = 0;
  /** Of maxmemory, its policy and its samples. */
  private told: readonly unknown[] = [0, 'noeviction', 5];

  execute(operation: Operation): OperationResult {
    this.executed += 1;
    const [code, ...args] = operation;
    const keys = args
      .filter((argument): argument is Buffer => Buffer.isBuffer(argument))
      .map((key) => key.toString('latin1'));
    switch (code) {
      case Code.get:
        return this.values.get(keys[0] ?? '') ?? null;
      case Code.set:
        this.values.set(keys[0] ?? '', Buffer.from(args[1] as Buffer));
        return true;
      case Code.multiGet:
        return keys.map((key) => this.values.get(key) ?? null);
      case Code.multiSet:
        for (let index = 0; index < args.length; index += 2)
          this.values.set(keys[index] ?? '', Buffer.from(args[index + 1] as Buffer));
        return true;
      case Code.remove:
        return keys.filter((key) => this.values.delete(key)).length;
      case Code.exists:
        return keys.filter((key) => this.values.has(key)).length;
      case Code.setMemoryLimits:
        this.told = [args[3], args[1], args[2]];
        return true;
      case Code.memory:
        return [0, 0, ...this.told] as OperationResult;
      case Code.setNotifications:
        this.notifications = String(args[0]);
        return true;
      case Code.notifications:
        return this.notifications;
      case Code.counts:
        return this.values.size === 0 ? [] : [[0, this.values.size, 0]];
      case Code.flush:
      case Code.flushAll:
        this.values.clear();
        return true;
      case Code.changeLibraries:
        return null;
      default:
        throw new Error(`the memory partition does not know operation ${code}`);
    }
  }
}

/** Answers every request in the same order, a turn later, as a server would. */
export function serveAt(network: FakeNetwork, partition: MemoryPartition): void {
  let queue: [string, RequestMessage][] = [];
  network.onRequest = (node, request) => {
    queue.push([node, request]);
    if (queue.length > 1) return;
    setImmediate(() => {
      const batch = queue;
      queue = [];
      for (const [to, message] of batch) network.reply(to, message[1], Status.ok, partition.execute(message[9]));
    });
  };
}

/** A meta that registers whoever comes and keeps users, in memory. */
export function keepUsersAt(network: FakeNetwork): void {
  const state = new MetaState();
  network.onMeta = (message) => {
    if (message[0] === Kind.register) network.onMessage(META, [Kind.registered, '']);
    if (message[0] !== Kind.changeUsers) return;
    const [, id, change] = message as unknown as ChangeUsersMessage;
    const { error, count } = changeUsers(state, change);
    const { users } = state.takeChanges();
    network.view({ full: false, tables: [], partitions: [], nodes: [], users });
    network.onMessage(META, [Kind.usersChanged, id, error, count]);
  };
  network.connect(META);
}
