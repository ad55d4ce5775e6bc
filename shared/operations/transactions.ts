/**
 * Several operations at once: atomic, isolated, in order, each with its own database. A client's error of one leaves
 * the others as they are, as in Redis. What WATCH compares are marks: a row's changes with everything that is done to
 * it, so nothing has to be registered at the server, and a watch survives a failover.
 */
import { Code } from './codes.js';
import type { Operation } from './operation.js';

/** What a key looked like when it was watched: its mark, or null when it was absent. */
export interface Watched {
  readonly db: number;
  readonly key: Buffer;
  readonly mark: Buffer | null;
}

/** What a transaction does to the partition, as a whole: decides what may refuse it. */
export type TransactionKind = 'reads' | 'writes' | 'grows';

export interface TransactionPart {
  readonly db: number;
  readonly operation: Operation;
}

const codes = {
  reads: Code.readTransaction,
  writes: Code.transaction,
  grows: Code.growingTransaction,
} as const;

/** Of each part [true, result] or [false, text of the client's error]; null when a watched key has changed. */
export const transaction = (
  kind: TransactionKind,
  watched: readonly Watched[],
  parts: readonly TransactionPart[],
): Operation => [
  codes[kind],
  watched.map(({ db, key, mark }) => [db, key, mark]),
  parts.map(({ db, operation }) => [db, ...operation]),
];

/** Of each key its mark, or null when it is absent. */
export const marks = (keys: readonly Buffer[]): Operation => [Code.marks, ...keys];
