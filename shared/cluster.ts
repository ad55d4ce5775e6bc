/**
 * The nouns of the cluster as meta owns them and everybody else reads them (design: sections 2 and 8).
 * All of these travel as msgpack maps and are stored as JSON by meta: plain data, no methods.
 */

/** One run of one server: a restarted server is another seat. */
export interface Seat {
  readonly node: string;
  readonly boot: string;
}

/** Who holds a partition. Changes only by compare-and-swap on the ballot, which strictly grows. */
export interface Configuration {
  readonly partition: number;
  /** 0: never assigned. */
  readonly ballot: number;
  readonly primary: Seat | null;
  readonly secondaries: readonly Seat[];
  /**
   * True when the primary of an earlier ballot certainly serves no more (its boot is dead, or it
   * handed over): the new primary then need not wait out the grace period before it serves.
   */
  readonly predecessorGone: boolean;
  /** No primary ever served this partition, so there is nothing to lose: its members may begin with an empty copy. */
  readonly unborn?: true;
}

/** The table that meta creates by itself, and that Redis clients see. */
export const DEFAULT_TABLE = 'default';

/** `slot`: keys of one command share a slot. `any`: they need not (such a table has one partition for now). */
export type MultiKey = 'any' | 'slot';

export interface Table {
  readonly id: number;
  readonly name: string;
  readonly multiKey: MultiKey;
  /** Replicas each partition should have. */
  readonly replicas: number;
  /** Members a configuration needs before a write commits. */
  readonly minReplicas: number;
  /** 16 hex digits: the key of the header hash. Fixed for the table's life; SCAN cursors depend on it. */
  readonly hashKey: string;
}

export interface Partition {
  /** Given by meta, never reused. */
  readonly id: number;
  readonly table: number;
  readonly fromSlot: number;
  /** Inclusive. */
  readonly toSlot: number;
  /** Grows with every split; a request that names another version is refused before execution. */
  readonly rangeVersion: number;
  readonly configuration: Configuration;
  /** Oldest first; absent where no administrator ever forced a recovery. */
  readonly forced?: readonly Forced[];
}

/**
 * An administrator chose a copy to go on with, whatever others had. Under `ballot` decrees above `decree` began anew:
 * a copy whose contents are of an earlier ballot and reach further has another history there, and learns again whole.
 */
export interface Forced {
  readonly ballot: number;
  readonly decree: number;
}

export type Role = 'meta' | 'server' | 'proxy';

/** `alive`: registered and heard of within its meta lease. `dead`: this boot never comes back. */
export type NodeState = 'alive' | 'lost' | 'dead';

export interface NodeInfo {
  readonly node: string;
  readonly role: Role;
  readonly boot: string;
  /** Host name or address and port of the wire listener; proxies: of the RESP listener. */
  readonly host: string;
  readonly port: number;
  /** The machine it says it is on: two replicas of a partition avoid sharing one. */
  readonly machine: string;
  readonly pid: number;
  readonly state: NodeState;
}

/** What meta pushes to servers and proxies. A partition's entry replaces an older one by ballot. */
export interface ClusterView {
  /** True: what is not in here does not exist (any more). False: only what changed. */
  readonly full: boolean;
  readonly tables: readonly Table[];
  readonly partitions: readonly Partition[];
  readonly nodes: readonly NodeInfo[];
  /** Absent: none changed. */
  readonly users?: readonly UserEntry[];
}

/** A user by name and rules (shared/acl), both latin1 text; without rules: there is no such user any more. */
export type UserEntry = readonly [name: string, rules: readonly string[] | null];

/** What clients can change of users; passwords are hashes by then. */
export type UserChange =
  | {
      readonly kind: 'set';
      readonly name: string;
      readonly modifiers: readonly string[];
      /** acl-pubsub-default of the proxy: whether new users and selectors begin with all channels. */
      readonly allChannels: boolean;
      /** The user as the proxy knows it where meta has none of this name: the default user that start-up gave it. */
      readonly base?: readonly string[];
    }
  | { readonly kind: 'delete'; readonly names: readonly string[] };

/** What a server found on its disk, reported when it registers. */
export interface ReplicaReport {
  readonly partition: number;
  /** The highest ballot under which something that it holds was logged; one that it only heard of does not count. */
  readonly ballot: number;
  /** The last decree in its log or applied, whichever is higher. */
  readonly end: number;
  readonly applied: number;
}

/** A change that a replica proposes to meta; answered by the configuration that is then in force. */
export interface Proposal {
  readonly partition: number;
  /** The ballot the proposer holds: the compare of the compare-and-swap. */
  readonly ballot: number;
  readonly primary: Seat;
  readonly secondaries: readonly Seat[];
  /** True when the primary stopped serving before it proposed another primary. */
  readonly handover: boolean;
}

export function sameSeat(a: Seat | null, b: Seat | null): boolean {
  return a !== null && b !== null && a.node === b.node && a.boot === b.boot;
}

/** All members, primary first. */
export function members(configuration: Configuration): Seat[] {
  return configuration.primary === null
    ? [...configuration.secondaries]
    : [configuration.primary, ...configuration.secondaries];
}

/** Boots are named `<number>-<random>`, the number growing from boot to boot of a node: is `a` certainly later than `b`? */
export function isLaterBoot(a: string, b: string): boolean {
  return bootNumber(a) > bootNumber(b);
}

function bootNumber(boot: string): number {
  const number = Number.parseInt(boot, 10);
  return Number.isNaN(number) ? 0 : number;
}
