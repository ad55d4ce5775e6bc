/**
 * Asks every partition's primary for a checksum of its replicas at one decree, and gathers what the
 * replicas answer. Equal checksums and counts at equal decrees: equal contents.
 */
import { members } from '../shared/cluster.js';
import type { Environment } from '../shared/environment.js';
import type { ChecksumResultMessage } from '../shared/wire/messages.js';
import type { Origin } from '../shared/wire/network.js';
import type { Meta } from './meta.js';

export interface ChecksumRow {
  readonly table: string;
  readonly partition: number;
  readonly node: string;
  /** Null, like the rest: this replica did not answer in time. */
  readonly decree: number | null;
  readonly checksum: string | null;
  readonly entries: number | null;
}

export interface ChecksumSubject {
  readonly table: string;
  readonly partition: number;
}

export class Checksums {
  private readonly environment: Environment;
  private readonly meta: Meta;
  private nextId = 1;

  constructor(environment: Environment, meta: Meta) {
    this.environment = environment;
    this.meta = meta;
  }

  /** Rows in the order of the subjects, primaries first. */
  collect(subjects: readonly ChecksumSubject[], timeoutMs: number, done: (rows: ChecksumRow[]) => void): void {
    const rows: ChecksumRow[] = [];
    const expected = new Map<string, number>();
    const id = this.nextId++;
    const finish = (): void => {
      timer.cancel();
      unsubscribe();
      done(rows);
    };
    const timer = this.environment.after(timeoutMs, finish);
    const unsubscribe = this.meta.onChecksumResult((from: Origin, result: ChecksumResultMessage) => {
      const [, partition, answered, decree, checksum, entries] = result;
      const index = expected.get(`${partition}/${from.node}`);
      const row = index === undefined ? undefined : rows[index];
      if (answered !== id || index === undefined || row === undefined) return;
      rows[index] = { ...row, decree, checksum, entries };
      expected.delete(`${partition}/${from.node}`);
      if (expected.size === 0) finish();
    });
    for (const { table, partition } of subjects) {
      const configuration = this.meta.partitions().find((record) => record.partition.id === partition)
        ?.partition.configuration;
      if (configuration === undefined) continue;
      const asked = configuration.primary !== null && this.meta.askChecksum(configuration.primary.node, partition, id);
      for (const { node } of members(configuration)) {
        if (asked) expected.set(`${partition}/${node}`, rows.length);
        rows.push({ table, partition, node, decree: null, checksum: null, entries: null });
      }
    }
    if (expected.size === 0) finish();
  }
}
