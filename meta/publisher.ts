/**
 * Persists what changed and tells the cluster, in that order. Whatever is said waits until everything that was
 * changed before it is durable, refusals too: nobody ever learns of a configuration that a restarted meta would not know.
 */
import type { ClusterView } from '../shared/cluster.js';
import type { Logger } from '../shared/logging.js';
import { Kind } from '../shared/wire/messages.js';
import type { Network } from '../shared/wire/network.js';
import type { Nodes } from './nodes.js';
import type { MetaState } from './state.js';
import type { StateChange, StateStore } from './store/store.js';

export class Publisher {
  private readonly state: MetaState;
  private readonly nodes: Nodes;
  private readonly network: Network;
  private readonly store: StateStore;
  private readonly onFatal: (error: Error) => void;
  private readonly logger: Logger;
  private toWrite: StateChange[] = [];
  private toSay: (() => void)[] = [];
  private writing = false;
  private stopped = false;
  private onIdle: (() => void) | null = null;
  /** Of every node, what was last shown of it. */
  private shownNodes = new Map<string, string>();

  constructor(
    state: MetaState,
    nodes: Nodes,
    network: Network,
    store: StateStore,
    onFatal: (error: Error) => void,
    logger: Logger,
  ) {
    this.state = state;
    this.nodes = nodes;
    this.network = network;
    this.store = store;
    this.onFatal = onFatal;
    this.logger = logger;
  }

  /**
   * Runs `say` once everything changed so far is durable, and has been pushed to everybody. What it sends has been
   * built before: built in it, it could hold a later change that is not durable yet.
   */
  afterPersisted(say: () => void): void {
    this.gather();
    this.toSay.push(say);
    this.persist();
  }

  /** Begins to write what changed, unless a write is under way; that one is followed by another. */
  persist(): void {
    this.gather();
    if (this.writing || this.stopped) return;
    const { toWrite: changes, toSay: say } = this;
    this.toWrite = [];
    this.toSay = [];
    if (changes.length === 0) {
      for (const run of say) run();
      return;
    }
    this.writing = true;
    this.store.write(changes, (error) => {
      this.writing = false;
      if (error !== null) return this.fail(error);
      for (const run of say) run();
      this.onIdle?.();
      this.persist();
    });
  }

  /**
   * Puts changes in line to be written, and views of them to be pushed, where they happened among what else is
   * said: a full view that was built earlier must not come after them, it would undo them.
   */
  private gather(): void {
    const { rows, tables, partitions, users, removed } = this.state.takeChanges();
    this.toWrite.push(...rows);
    if (!removed && tables.length === 0 && partitions.length === 0 && users.length === 0) return;
    const changed = { full: false, tables, partitions, nodes: [], ...(users.length === 0 ? {} : { users }) };
    const view = removed ? this.fullView() : changed;
    this.toSay.push(() => this.broadcast(view));
  }

  fullView(): ClusterView {
    return {
      full: true,
      tables: [...this.state.tables.values()],
      partitions: [...this.state.partitions.values()].map((record) => record.partition),
      nodes: this.nodes.list(),
      users: [...this.state.users],
    };
  }

  /** Pushes the nodes that changed: a new boot, a new address, alive, lost or dead. */
  announceNodes(): void {
    const infos = this.nodes.list();
    const changed = infos.filter((info) => this.shownNodes.get(info.node) !== JSON.stringify(info));
    if (changed.length === 0 && infos.length === this.shownNodes.size) return;
    this.shownNodes = new Map(infos.map((info) => [info.node, JSON.stringify(info)]));
    for (const { node: peer, boot: peerBoot, state } of changed) {
      if (state !== 'alive') this.logger.warn({ peer, peerBoot, state }, 'node is not alive');
    }
    this.afterPersisted(() => this.broadcast({ full: false, tables: [], partitions: [], nodes: changed }));
  }

  /** Nothing is said or written any more; calls back when the store is closed. */
  close(done: (error: Error | null) => void): void {
    this.stopped = true;
    if (this.writing) this.onIdle = () => this.store.close(done);
    else this.store.close(done);
  }

  private broadcast(view: ClusterView): void {
    for (const registration of this.nodes.connected()) {
      if (!this.network.send(registration.info.node, [Kind.view, view])) registration.connected = false;
    }
  }

  private fail(error: Error): void {
    this.stopped = true;
    this.logger.error({ error: error.message }, 'meta cannot persist its state and stops');
    this.onFatal(error);
  }
}
