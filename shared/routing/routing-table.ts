/**
 * The cluster as meta last described it, arranged for routing: per table an array from slot to
 * partition. Handles (RoutedTable, RoutedPartition) live as long as what they stand for exists, so a
 * caller may keep them; what changes is inside. An entry replaces another by range version and ballot:
 * views may arrive out of date after meta restarted.
 */
import type { ClusterView, NodeInfo, Partition, Table } from '../cluster.js';
import { PartitionSession } from './partition-session.js';
import type { Request, RoutedConnection } from './request.js';

export const SLOTS = 16_384;

export class RoutedTable {
  readonly name: string;
  /** Null until meta has told of it, and after it was dropped. */
  facts: Table | null = null;
  /** Partition by slot; null where meta has named none. */
  readonly bySlot: (RoutedPartition | null)[] = new Array<RoutedPartition | null>(SLOTS).fill(null);
  /** By range. */
  partitions: RoutedPartition[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** True when every slot has a partition. */
  get complete(): boolean {
    return this.facts !== null && !this.bySlot.includes(null);
  }
}

export class RoutedPartition {
  facts: Partition;
  readonly table: RoutedTable;
  /** Requests not in flight, in the order in which they are to be sent. */
  waiting: Request[] = [];
  waitingBytes = 0;
  /** Refused by its server: nothing is sent until a new configuration comes or a pause is over. */
  suspended = false;
  /** Refusals in a row, which lengthen the pause. */
  refusals = 0;
  /** Connections that were asked to stop because the queue here is long. */
  readonly blocked = new Set<RoutedConnection>();
  readonly session: PartitionSession;
  /** Somebody here is told things by its primary: there is to be a connection to it even while nothing is asked. */
  listening = false;
  removed = false;

  constructor(facts: Partition, table: RoutedTable) {
    this.facts = facts;
    this.table = table;
    this.session = new PartitionSession(facts.id);
  }

  /** For a request that waited here in vain. */
  whyWaiting(reachable: boolean, waitedMs: number): string {
    const { primary } = this.facts.configuration;
    const name = `partition ${this.facts.id} of table '${this.table.name}'`;
    if (primary === null) return `${name} had no primary for ${waitedMs} ms`;
    if (!reachable) return `the primary of ${name}, ${primary.node}, could not be reached for ${waitedMs} ms`;
    return `${name} at ${primary.node} did not accept it for ${waitedMs} ms`;
  }

  get id(): number {
    return this.facts.id;
  }

  /** There is something to say to its primary. */
  get wantsPrimary(): boolean {
    return this.waiting.length > 0 || this.listening || this.session.owes || this.blocked.size > 0;
  }
}

/** What `apply` reports: the partition (already changed), and what it was before; null for a new one. */
export interface RoutingListener {
  onPartition(partition: RoutedPartition, before: Partition | null): void;
  onPartitionRemoved(partition: RoutedPartition): void;
  onServer(node: NodeInfo): void;
}

export class RoutingTable {
  private readonly tables = new Map<string, RoutedTable>();
  private readonly tableById = new Map<number, RoutedTable>();
  readonly partitions = new Map<number, RoutedPartition>();
  /** Servers and proxies, by name. */
  readonly nodes = new Map<string, NodeInfo>();

  /** The handle of a table; also of one that meta has not told of (yet). */
  table(name: string): RoutedTable {
    let table = this.tables.get(name);
    if (table === undefined) {
      table = new RoutedTable(name);
      this.tables.set(name, table);
    }
    return table;
  }

  apply(view: ClusterView, listener: RoutingListener): void {
    if (view.full) this.nodes.clear();
    for (const node of view.nodes) {
      this.nodes.set(node.node, node);
      if (node.role === 'server') listener.onServer(node);
    }
    for (const facts of view.tables) {
      const table = this.table(facts.name);
      table.facts = facts;
      this.tableById.set(facts.id, table);
    }
    const touched = new Set<RoutedTable>();
    const changed: [RoutedPartition, Partition | null][] = [];
    for (const facts of view.partitions) this.put(facts, touched, changed);
    if (view.full) this.dropAbsent(view, touched, listener);
    for (const table of touched) arrange(table);
    for (const [partition, before] of changed) listener.onPartition(partition, before);
  }

  private put(facts: Partition, touched: Set<RoutedTable>, changed: [RoutedPartition, Partition | null][]): void {
    const table = this.tableById.get(facts.table);
    if (table === undefined) return;
    const known = this.partitions.get(facts.id);
    if (known === undefined) {
      const partition = new RoutedPartition(facts, table);
      this.partitions.set(facts.id, partition);
      table.partitions.push(partition);
      touched.add(table);
      changed.push([partition, null]);
      return;
    }
    if (!isNewer(facts, known.facts)) return;
    const before = known.facts;
    known.facts = facts;
    if (before.rangeVersion !== facts.rangeVersion) touched.add(table);
    changed.push([known, before]);
  }

  private dropAbsent(view: ClusterView, touched: Set<RoutedTable>, listener: RoutingListener): void {
    const tables = new Set(view.tables.map((table) => table.id));
    const present = new Set(view.partitions.map((partition) => partition.id));
    for (const partition of this.partitions.values()) {
      if (present.has(partition.id)) continue;
      this.partitions.delete(partition.id);
      partition.removed = true;
      partition.table.partitions = partition.table.partitions.filter((other) => other !== partition);
      touched.add(partition.table);
      listener.onPartitionRemoved(partition);
    }
    for (const [id, table] of this.tableById) {
      if (tables.has(id)) continue;
      this.tableById.delete(id);
      if (table.facts?.id === id) table.facts = null;
    }
  }
}

function isNewer(offered: Partition, known: Partition): boolean {
  if (offered.rangeVersion !== known.rangeVersion) return offered.rangeVersion > known.rangeVersion;
  return offered.configuration.ballot > known.configuration.ballot;
}

function arrange(table: RoutedTable): void {
  table.partitions.sort((a, b) => a.facts.fromSlot - b.facts.fromSlot);
  table.bySlot.fill(null);
  for (const partition of table.partitions) {
    for (let slot = partition.facts.fromSlot; slot <= partition.facts.toSlot; slot += 1) table.bySlot[slot] = partition;
  }
}
