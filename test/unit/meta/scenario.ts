/**
 * Situations of a cluster in a few words, for tests of meta's decisions:
 *
 *   scenario({ replicas: 3 }).server('a').server('b', { boot: 'b2' }).partition({ primary: 'a', secondaries: ['b'] })
 *
 * A server has the boot `<name>1` unless another is given; a seat is written `a` (boot a1) or `a:a2`.
 */
import type { ReplicaReport, Seat, Table } from '../../../shared/cluster.js';
import type { PartitionSituation, ServerSituation, Situation } from '../../../meta/decisions/situation.js';

interface ServerOptions {
  readonly boot?: string;
  readonly machine?: string;
  readonly alive?: boolean;
  readonly present?: boolean;
  readonly stopped?: boolean;
  /** Partitions in which it has a role; null: it has sent no heartbeat yet. */
  readonly acting?: readonly number[] | null;
  /** What it has, by partition: [ballot, end, applied]. */
  readonly has?: Readonly<Record<number, readonly [ballot: number, end: number, applied?: number]>>;
}

interface PartitionOptions {
  readonly ballot?: number;
  readonly primary?: string;
  readonly secondaries?: readonly string[];
  readonly served?: boolean;
  readonly uncertain?: readonly string[];
  /** Members of the ballot before. */
  readonly earlier?: readonly string[];
  readonly learners?: readonly string[];
  readonly expected?: readonly string[];
  readonly hearing?: readonly string[];
  readonly resting?: readonly string[];
}

export class Scenario implements Situation {
  readonly tables: Map<number, Table>;
  readonly servers = new Map<string, ServerSituation>();
  readonly partitions: PartitionSituation[] = [];

  constructor(table: Partial<Table> = {}) {
    this.tables = new Map([
      [1, { id: 1, name: 'default', multiKey: 'slot', replicas: 3, minReplicas: 2, hashKey: '0'.repeat(16), ...table }],
    ]);
  }

  server(node: string, options: ServerOptions = {}): this {
    const { boot = `${node}1`, machine = node, alive = true, present = alive, stopped = false, has = {} } = options;
    const acting = options.acting === undefined ? [] : options.acting;
    const reports = new Map<number, ReplicaReport>();
    for (const [partition, [ballot, end, applied = 0]] of Object.entries(has)) {
      reports.set(Number(partition), { partition: Number(partition), ballot, end, applied });
    }
    this.servers.set(node, {
      info: {
        node,
        role: 'server',
        boot,
        host: '127.0.0.1',
        port: 1,
        machine,
        pid: 1,
        state: stopped ? 'dead' : 'alive',
      },
      stopped,
      alive,
      present,
      reports,
      acting: acting === null ? null : new Set(acting),
    });
    return this;
  }

  partition(options: PartitionOptions = {}): this {
    const id = this.partitions.length + 1;
    const { primary, secondaries = [], ballot = primary === undefined ? 0 : 5, served = ballot > 0 } = options;
    this.partitions.push({
      record: {
        partition: {
          id,
          table: 1,
          fromSlot: 0,
          toSlot: 16_383,
          rangeVersion: 1,
          configuration: {
            partition: id,
            ballot,
            primary: primary === undefined ? null : seat(primary),
            secondaries: secondaries.map(seat),
            predecessorGone: true,
          },
        },
        served,
        uncertain: (options.uncertain ?? []).map(seat),
        earlier: (options.earlier ?? []).map((node) => ({ node, ballot: ballot - 1 })),
      },
      learners: options.learners ?? [],
      expected: options.expected ?? [],
      hearing: options.hearing ?? [],
      resting: options.resting ?? [],
    });
    return this;
  }
}

export function scenario(table: Partial<Table> = {}): Scenario {
  return new Scenario(table);
}

/** `a` → boot a1 of a; `a:a2` → boot a2 of a. */
export function seat(text: string): Seat {
  const [node = '', boot = `${node}1`] = text.split(':');
  return { node, boot };
}

export function textOf({ node, boot }: Seat): string {
  return boot === `${node}1` ? node : `${node}:${boot}`;
}
