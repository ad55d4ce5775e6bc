/** What a partition's things are called on this server's disk. */
import type { PartitionHost } from './host.js';

const STORE_NAME = /^partition-(\d+)$/;
const COPY_NAME = /^partition-\d+\.learning$/;

export function storeName(partition: number): string {
  return `partition-${partition}`;
}

/** The store a learner copies to. */
export function copyName(partition: number): string {
  return `${storeName(partition)}.learning`;
}

/** The partition whose store has this name, or null. */
export function partitionOfStore(name: string): number | null {
  const match = STORE_NAME.exec(name);
  return match === null ? null : Number(match[1]);
}

export function isCopy(name: string): boolean {
  return COPY_NAME.test(name);
}

/** Unique: no boot is named twice. */
export function newStayName({ environment, self }: Pick<PartitionHost, 'environment' | 'self'>): string {
  return `${self.boot}-${Math.floor(environment.random() * 0xffffffff).toString(36)}`;
}
