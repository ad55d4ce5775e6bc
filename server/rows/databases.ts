/**
 * Whole databases as one partition sees them: SCAN's steps, counts, flushes. A cursor is
 * slot * 2^32 + hash: it says where to go on in any partitioning, so it survives failovers and splits.
 */
import { KeysWalk, ScanWalk } from '../../shared/commands/scan.js';
import { ClientError } from '../../shared/errors.js';
import { globMatches } from '../../shared/glob.js';
import { limits } from '../../shared/limits.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { SLOTS } from '../../shared/slots.js';
import { POLICIES } from '../execution/memory-limits.js';
import type { Execute, ScannedKey, ScanPosition, View } from '../execution/view.js';
import { booleanAt, bytesFrom, bytesOrNullAt, databaseAt, numberAt, stringOrNullAt } from './arguments.js';
import { typeName } from './keys.js';

const HASHES = 2 ** 32;

export const scan: Execute = (view, args) => {
  const pattern = bytesOrNullAt(args, 2);
  const type = stringOrNullAt(args, 3);
  const page = scanPage(view, numberAt(args, 0), numberAt(args, 1));
  const keys: Buffer[] = [];
  for (const { key, row } of page.keys) {
    if ((type === null || typeName(row) === type) && (pattern === null || globMatches(pattern, key))) keys.push(key);
  }
  return [page.cursor, keys, page.keys.length];
};

/** One page of live rows from a cursor on; shared with the native client's full scan. */
export function scanPage(view: View, cursor: number, count: number): { cursor: number; keys: ScannedKey[] } {
  const slot = Math.floor(cursor / HASHES);
  if (slot > view.slots.to) return { cursor: 0, keys: [] };
  const from = slot < view.slots.from ? { slot: view.slots.from, hash: 0 } : { slot, hash: cursor % HASHES };
  const page = view.scan(from, Math.max(1, Math.min(count, limits.scanVisited)));
  return { cursor: cursorOf(page.next ?? { slot: view.slots.to + 1, hash: 0 }), keys: page.keys };
}

function cursorOf(position: ScanPosition): number {
  return position.slot >= SLOTS ? 0 : position.slot * HASHES + position.hash;
}

/** A command's whole walk, seen from one instant: its arguments are those of `walk` in shared/operations/walks.ts. */
export const walk: Execute = (view, args) => {
  const words = bytesFrom(args, 1);
  const steps = stringOrNullAt(args, 0) === 'keys' ? new KeysWalk(words) : new ScanWalk(words);
  while (!steps.finished) steps.add(scan(view, steps.operation().slice(1)));
  return steps.reply() as OperationResult;
};

export const randomKey: Execute = (view) => [view.randomKey(), view.count().keys, view.random()];

export const counts: Execute = (view) => {
  const found: OperationResult[] = [];
  for (let db = 0; db < limits.databases; db++) {
    const { keys: total, expires } = view.inDatabase(db).count();
    if (total > 0) found.push([db, total, expires]);
  }
  return found;
};

export const flush: Execute = (view) => {
  view.flush();
  return true;
};

export const flushAll: Execute = (view) => {
  for (let db = 0; db < limits.databases; db++) view.inDatabase(db).flush();
  return true;
};

export const swapDatabases: Execute = (view, args) => {
  view.swapDatabases(databaseAt(args, 0), databaseAt(args, 1));
  return true;
};

export const memory: Execute = (view) => {
  const { bytes, evicted, limits: allowed } = view.memory;
  return [bytes, evicted, allowed.maxmemory, allowed.policy, allowed.samples];
};

export const setMemoryLimits: Execute = (view, args) => {
  const policy = POLICIES.find((each) => each === stringOrNullAt(args, 1));
  if (policy === undefined) throw new ClientError('ERR malformed operation: an unknown policy');
  view.setMemoryLimits({ bytes: numberAt(args, 0), policy, samples: numberAt(args, 2), maxmemory: numberAt(args, 3) });
  return true;
};

export const activeExpiry: Execute = (view, args) => {
  view.setActiveExpiry(booleanAt(args, 0));
  return true;
};
