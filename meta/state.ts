/**
 * What meta knows and must never forget: tables, partitions with their configurations, the boots of
 * servers, the next ids. Plain data in memory; every change is also noted as a row of the state
 * store, so that the role can persist a change before anybody learns of it.
 *
 * Rows (JSON): `ids`, `table/<id>`, `partition/<id>`, `node/<name>`, `user/<name>`.
 */
import type { Configuration, MultiKey, NodeInfo, Partition, Seat, Table, UserEntry } from '../shared/cluster.js';
import { isLaterBoot, members } from '../shared/cluster.js';
import { invariant, OperatingError } from '../shared/errors.js';
import type { StateChange } from './store/store.js';

/** Boots of one server remembered as dead; a message of an older one is refused by its number alone. */
const DEAD_BOOTS_KEPT = 16;
const SLOTS = 16_384;

export interface PartitionRecord {
  readonly partition: Partition;
  /** A primary served it once: from then on an empty copy is a lost copy. */
  readonly served: boolean;
  /**
   * Primaries of earlier ballots of which it is not certain that they stopped serving. Empty is what
   * `Configuration.predecessorGone` tells a new primary.
   */
  readonly uncertain: readonly Seat[];
  /**
   * Who was a member since the last configuration that is known to have served, and is none now. As long as nothing was
   * logged under the ballot in force, they hold what its members hold, and may hold more (see decisions/recovery.ts).
   */
  readonly earlier: readonly EarlierMember[];
}

export interface EarlierMember {
  readonly node: string;
  /** The last under which it was a member. */
  readonly ballot: number;
}

export interface NodeRecord {
  /** The newest boot; `state` is `dead` when it said that it stopped, otherwise `alive`. */
  readonly info: NodeInfo;
  readonly deadBoots: readonly string[];
}

export interface TableSpec {
  readonly name: string;
  readonly partitions: number;
  readonly multiKey: MultiKey;
  readonly replicas: number;
  readonly minReplicas: number;
}

interface Ids {
  table: number;
  partition: number;
  /** The default table was created once; dropping it is then the administrator's will. */
  defaultCreated: boolean;
}

/** What changed since the last `takeChanges`: rows to persist, and what to tell the cluster. */
export interface Changes {
  readonly rows: StateChange[];
  readonly tables: Table[];
  readonly partitions: Partition[];
  readonly users: UserEntry[];
  /** Something was removed, which only a full view can say. */
  readonly removed: boolean;
}

export class MetaState {
  readonly tables = new Map<number, Table>();
  readonly partitions = new Map<number, PartitionRecord>();
  readonly nodes = new Map<string, NodeRecord>();
  /** By name: the rules that make the user (shared/acl). */
  readonly users = new Map<string, readonly string[]>();
  private readonly ids: Ids = { table: 1, partition: 1, defaultCreated: false };
  private readonly dirtyRows = new Map<string, string | null>();
  private readonly changedTables = new Set<number>();
  private readonly changedPartitions = new Set<number>();
  private readonly changedUsers = new Set<string>();
  private removed = false;

  /** Takes over the rows of a store. A row of a kind it does not know is an error: a newer version wrote it. */
  load(rows: ReadonlyMap<string, string>): void {
    for (const [key, value] of rows) this.loadRow(key, value);
  }

  private loadRow(key: string, value: string): void {
    const kind = key.split('/', 1)[0];
    const row: unknown = JSON.parse(value);
    if (kind === 'ids') Object.assign(this.ids, row);
    else if (kind === 'table') this.tables.set((row as Table).id, row as Table);
    else if (kind === 'partition') this.loadPartition(row as PartitionRecord);
    else if (kind === 'node') this.nodes.set((row as NodeRecord).info.node, row as NodeRecord);
    else if (kind === 'user') this.users.set(...(row as [string, readonly string[]]));
    else throw new OperatingError('E_CORRUPT', `meta's state holds a row of an unknown kind: ${key}`);
  }

  private loadPartition(row: Omit<PartitionRecord, 'earlier'> & Partial<PartitionRecord>): void {
    this.partitions.set(row.partition.id, { ...row, earlier: row.earlier ?? [] });
  }

  get defaultCreated(): boolean {
    return this.ids.defaultCreated;
  }

  markDefaultCreated(): void {
    this.ids.defaultCreated = true;
    this.putIds();
  }

  /** True for an id that this meta gave out, even if its partition was dropped since. */
  hasGivenOut(partition: number): boolean {
    return partition < this.ids.partition;
  }

  tableNamed(name: string): Table | undefined {
    for (const table of this.tables.values()) if (table.name === name) return table;
    return undefined;
  }

  partitionsOf(table: number): PartitionRecord[] {
    return [...this.partitions.values()].filter((record) => record.partition.table === table);
  }

  /** `spec` has been checked (see decisions/tables.ts). Its slots are divided evenly. */
  createTable(spec: TableSpec, hashKey: string): Table {
    const table: Table = {
      id: this.ids.table++,
      name: spec.name,
      multiKey: spec.multiKey,
      replicas: spec.replicas,
      minReplicas: spec.minReplicas,
      hashKey,
    };
    this.tables.set(table.id, table);
    this.changedTables.add(table.id);
    this.dirtyRows.set(`table/${table.id}`, JSON.stringify(table));
    for (let i = 0; i < spec.partitions; i++) {
      const id = this.ids.partition++;
      this.putPartition({
        partition: {
          id,
          table: table.id,
          rangeVersion: 1,
          fromSlot: Math.floor((i * SLOTS) / spec.partitions),
          toSlot: Math.floor(((i + 1) * SLOTS) / spec.partitions) - 1,
          configuration: { partition: id, ballot: 0, primary: null, secondaries: [], predecessorGone: true },
        },
        served: false,
        uncertain: [],
        earlier: [],
      });
      this.changedPartitions.add(id);
    }
    this.putIds();
    return table;
  }

  dropTable(id: number): void {
    for (const { partition } of this.partitionsOf(id)) {
      this.partitions.delete(partition.id);
      this.dirtyRows.set(`partition/${partition.id}`, null);
    }
    this.tables.delete(id);
    this.dirtyRows.set(`table/${id}`, null);
    this.removed = true;
  }

  /** The compare-and-swap has been decided: `configuration` follows the one in force. */
  configure(configuration: Configuration, uncertain: readonly Seat[], forcedFrom?: number): void {
    const record = this.partitions.get(configuration.partition);
    invariant(record !== undefined, 'a configured partition exists');
    const { partition } = record;
    invariant(configuration.ballot === partition.configuration.ballot + 1, 'a configuration follows the one in force');
    const nodes = new Set(members(configuration).map((seat) => seat.node));
    invariant(nodes.size === configuration.secondaries.length + 1, 'a server has one seat in a configuration');
    const earlier = new Map(record.earlier.map(({ node, ballot }) => [node, ballot]));
    for (const { node } of members(partition.configuration)) earlier.set(node, partition.configuration.ballot);
    for (const node of forcedFrom === undefined ? nodes : [...earlier.keys()]) earlier.delete(node);
    const inForce = record.served ? configuration : { ...configuration, unborn: true as const };
    const forced =
      forcedFrom === undefined
        ? {}
        : { forced: [...(partition.forced ?? []), { ballot: configuration.ballot, decree: forcedFrom }] };
    this.putPartition({
      partition: { ...partition, ...forced, configuration: inForce },
      served: record.served,
      uncertain,
      earlier: [...earlier].map(([node, ballot]) => ({ node, ballot })),
    });
    this.changedPartitions.add(partition.id);
  }

  /** The primary of the ballot in force serves: whoever was primary before it does not, and its members hold everything. */
  settle(partition: number): void {
    const record = this.partitions.get(partition);
    if (record === undefined || (record.served && record.uncertain.length === 0 && record.earlier.length === 0)) return;
    this.putPartition({ ...record, served: true, uncertain: [], earlier: [] });
  }

  /** Makes `info` the newest boot of its node; the boot before it is dead for good. */
  putNode(info: NodeInfo): void {
    const known = this.nodes.get(info.node);
    let deadBoots = known?.deadBoots ?? [];
    if (known !== undefined && known.info.boot !== info.boot) {
      deadBoots = [...deadBoots, known.info.boot].slice(-DEAD_BOOTS_KEPT);
    }
    const record: NodeRecord = { info, deadBoots };
    this.nodes.set(info.node, record);
    this.dirtyRows.set(`node/${info.node}`, JSON.stringify(record));
  }

  putUser(name: string, rules: readonly string[]): void {
    this.users.set(name, rules);
    this.changedUsers.add(name);
    this.dirtyRows.set(`user/${name}`, JSON.stringify([name, rules]));
  }

  /** False when there is no such user. */
  deleteUser(name: string): boolean {
    if (!this.users.delete(name)) return false;
    this.changedUsers.add(name);
    this.dirtyRows.set(`user/${name}`, null);
    return true;
  }

  /** True when a boot that nobody heard of before may be taken for a newer one than the one known. */
  isNewerBoot(node: string, boot: string): boolean {
    const known = this.nodes.get(node);
    if (known === undefined) return true;
    if (known.info.boot === boot || known.deadBoots.includes(boot)) return false;
    // A message of a dead process that arrives after its successor's must not pass for a newer boot.
    return !isLaterBoot(known.info.boot, boot);
  }

  takeChanges(): Changes {
    const changes: Changes = {
      rows: [...this.dirtyRows].map(([key, value]) => ({ key, value })),
      tables: [...this.changedTables].flatMap((id) => this.tables.get(id) ?? []),
      partitions: [...this.changedPartitions].flatMap((id) => this.partitions.get(id)?.partition ?? []),
      users: [...this.changedUsers].map((name) => [name, this.users.get(name) ?? null]),
      removed: this.removed,
    };
    this.dirtyRows.clear();
    this.changedTables.clear();
    this.changedPartitions.clear();
    this.changedUsers.clear();
    this.removed = false;
    return changes;
  }

  private putPartition(record: PartitionRecord): void {
    this.partitions.set(record.partition.id, record);
    this.dirtyRows.set(`partition/${record.partition.id}`, JSON.stringify(record));
  }

  private putIds(): void {
    this.dirtyRows.set('ids', JSON.stringify(this.ids));
  }
}
