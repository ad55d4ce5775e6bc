/**
 * Typed reading of an operation's arguments. They come from a proxy that has checked what the client
 * said, so a mismatch is a peer of another version or a bug there: refused, never executed on a guess.
 */
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { CompactLimits, Integer } from '../../shared/operations/codes.js';
import type { OperationArgument } from '../../shared/operations/operation.js';

export type Arguments = readonly OperationArgument[];

export function bytesAt(args: Arguments, index: number): Buffer {
  const value = args[index];
  if (Buffer.isBuffer(value)) return value;
  // msgpack gives bytes back as a Uint8Array where the peer is configured so.
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return malformed(index, 'bytes');
}

export function bytesOrNullAt(args: Arguments, index: number): Buffer | null {
  return args[index] === null || args[index] === undefined ? null : bytesAt(args, index);
}

export function numberAt(args: Arguments, index: number): number {
  const value = args[index];
  return typeof value === 'number' ? value : malformed(index, 'a number');
}

/** A database there is. */
export function databaseAt(args: Arguments, index: number): number {
  const db = numberAt(args, index);
  if (!Number.isInteger(db) || db < 0 || db >= limits.databases) malformed(index, 'a database');
  return db;
}

export function integerAt(args: Arguments, index: number): Integer {
  const value = args[index];
  return typeof value === 'number' || typeof value === 'bigint' ? value : malformed(index, 'an integer');
}

export function integerOrNullAt(args: Arguments, index: number): Integer | null {
  return args[index] === null || args[index] === undefined ? null : integerAt(args, index);
}

/** All arguments from `first` on. */
export function bytesFrom(args: Arguments, first: number): Buffer[] {
  return args.slice(first).map((_, i) => bytesAt(args, first + i));
}

/** `[entries, value bytes]`; null: Redis's defaults. */
export function compactLimitsAt(args: Arguments, index: number): CompactLimits | null {
  const value = args[index];
  if (value === null || value === undefined) return null;
  if (!Array.isArray(value)) return malformed(index, 'limits');
  return [numberAt(value, 0), numberAt(value, 1)];
}

/** From `first` on every second argument. */
export function bytesEverySecond(args: Arguments, first: number): Buffer[] {
  return Array.from({ length: Math.ceil((args.length - first) / 2) }, (_, i) => bytesAt(args, first + 2 * i));
}

export function stringOrNullAt(args: Arguments, index: number): string | null {
  const value = args[index];
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : malformed(index, 'a string');
}

export function stringAt(args: Arguments, index: number): string {
  return stringOrNullAt(args, index) ?? malformed(index, 'a string');
}

export function booleanAt(args: Arguments, index: number): boolean {
  const value = args[index];
  return typeof value === 'boolean' ? value : malformed(index, 'a boolean');
}

function malformed(index: number, expected: string): never {
  throw new ClientError(`ERR malformed operation: argument ${index} is not ${expected}`);
}

export function listAt(args: Arguments, index: number): readonly OperationArgument[] {
  const value = args[index];
  return Array.isArray(value) ? value : malformed(index, 'a list');
}
