/** How arguments are read, exactly as strictly as Redis reads them, with its error texts. */
import { ClientError } from '../errors.js';
import { INT64_MIN, parseInteger } from '../integers.js';
import { limits } from '../limits.js';
import { type LongDouble, parseLongDouble } from '../long-double.js';
import type { Integer } from '../operations/codes.js';

export const SYNTAX_ERROR = 'ERR syntax error';
export const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';
const NOT_A_FLOAT = 'ERR value is not a valid float';

const INT32_LIMIT = 2 ** 31;

/** No option word is longer; a value in an option's place is not turned into text. */
const MAX_WORD_BYTES = 32;

/** An option's name in upper case; empty where there is none or it cannot be one. */
export function word(argument: Buffer | undefined): string {
  if (argument === undefined || argument.length > MAX_WORD_BYTES) return '';
  return argument.latin1Slice(0, argument.length).toUpperCase();
}

/** An int64. */
export function integer(argument: Buffer | undefined, error: string = NOT_AN_INTEGER): Integer {
  const value = argument === undefined ? null : parseInteger(argument);
  if (value === null) throw new ClientError(error);
  return value;
}

/** An integer within [low, high], which are safe numbers. */
export function integerWithin(
  argument: Buffer | undefined,
  low: number,
  high: number,
  error: string = NOT_AN_INTEGER,
): number {
  const value = Number(integer(argument, error));
  if (value < low || value > high) throw new ClientError(error);
  return value;
}

/** An int64 that is not negative. */
export function positiveInteger(argument: Buffer | undefined): Integer {
  const error = 'ERR value is out of range, must be positive';
  const value = integer(argument, error);
  if (value < 0) throw new ClientError(error);
  return value;
}

/** How many random members are wanted; below zero some may be the same. */
export function randomCount(argument: Buffer | undefined): Integer {
  const count = integer(argument);
  if (count !== INT64_MIN) return count;
  throw new ClientError('ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807');
}

/** The keys behind the argument that says how many there are. */
export function countedKeys(args: readonly Buffer[], countAt: number): readonly Buffer[] {
  const error = 'ERR numkeys should be greater than 0';
  const count = integer(args[countAt], error);
  if (count <= 0) throw new ClientError(error);
  const first = countAt + 1;
  return args.slice(first, first + Math.min(Number(count), args.length));
}

/** A float as strtold reads it; what is returned is exact. */
export function float(argument: Buffer, error: string = NOT_A_FLOAT): LongDouble {
  const value = parseLongDouble(argument);
  if (value === null) throw new ClientError(error);
  return value;
}

/** An integer that Redis keeps in a C int; `error` replaces both of its texts. */
export function cInteger(argument: Buffer | undefined, error?: string): number {
  const value = integer(argument, error);
  if (value < -INT32_LIMIT || value >= INT32_LIMIT) {
    throw new ClientError(error ?? 'ERR value is out of range, value must between -2147483648 and 2147483647');
  }
  return Number(value);
}

/** A database's number. */
export function database(argument: Buffer | undefined): number {
  return existingDatabase(cInteger(argument));
}

export function existingDatabase(index: number): number {
  if (index < 0 || index >= limits.databases) throw new ClientError('ERR DB index is out of range');
  return index;
}

/** The n-th argument, which the arity check has made sure of. */
export function at(args: readonly Buffer[], index: number): Buffer {
  const argument = args[index];
  if (argument === undefined) throw new ClientError(SYNTAX_ERROR);
  return argument;
}

export function wrongArity(command: string): ClientError {
  return new ClientError(`ERR wrong number of arguments for '${command}' command`);
}

/** For what Redis reads only once it has looked at the keys: the server is told what is wrong, and says so then. */
export function orRefusal<T>(read: () => T, otherwise: T): { readonly result: T; readonly refusal: string | null } {
  try {
    return { result: read(), refusal: null };
  } catch (error) {
    if (error instanceof ClientError) return { result: otherwise, refusal: error.message };
    throw error;
  }
}
