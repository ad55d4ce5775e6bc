/** What a table may be called and look like. */
import { OperatingError } from '../../shared/errors.js';
import type { TableSpec } from '../state.js';

/** A partition costs a LevelDB, its files and its memory on three servers. */
export const PARTITIONS_MAX = 1_024;
export const REPLICAS_MAX = 7;

/** Throws E_REFUSED with what is wrong. */
export function checkTable(spec: TableSpec): void {
  const refuse = (reason: string): never => {
    throw new OperatingError('E_REFUSED', `table ${JSON.stringify(spec.name)}: ${reason}`);
  };
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(spec.name))
    refuse('a name has 1 to 64 letters, digits, dots, dashes or underscores');
  if (!isWithin(spec.partitions, 1, PARTITIONS_MAX)) refuse(`partitions must be 1 to ${PARTITIONS_MAX}`);
  if (!isWithin(spec.replicas, 1, REPLICAS_MAX)) refuse(`replicas must be 1 to ${REPLICAS_MAX}`);
  if (!isWithin(spec.minReplicas, 1, spec.replicas)) refuse(`minReplicas must be 1 to its replicas (${spec.replicas})`);
  if (spec.multiKey !== 'any' && spec.multiKey !== 'slot') refuse('multiKey must be any or slot');
  if (spec.multiKey === 'any' && spec.partitions !== 1)
    refuse('multiKey any needs a table of one partition; use multiKey slot');
}

function isWithin(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}
