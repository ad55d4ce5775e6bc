/** How session commands read numbers, with Redis's texts where they differ from those of data commands. */
import { NOT_AN_INTEGER } from '../../shared/commands/arguments.js';
import { ClientError } from '../../shared/errors.js';
import { parseInteger } from '../../shared/integers.js';

const INT_MAX = 2 ** 31 - 1;

/** A C int: SELECT and others say more about what is too large. */
export function cInt(argument: Buffer | undefined): number {
  const value = argument === undefined ? null : parseInteger(argument);
  if (value === null) throw new ClientError(NOT_AN_INTEGER);
  if (value < -INT_MAX - 1 || value > INT_MAX)
    throw new ClientError(`ERR value is out of range, value must between ${-INT_MAX - 1} and ${INT_MAX}`);
  return Number(value);
}

/** Like strtod on the longest prefix: what is no number is 0. */
export function looseNumber(argument: Buffer | undefined): number {
  const value = Number.parseFloat(argument?.toString('latin1') ?? '');
  return Number.isFinite(value) ? value : 0;
}

/** A timeout in milliseconds. */
export function timeoutMs(argument: Buffer | undefined): number {
  const value = argument === undefined ? null : parseInteger(argument);
  if (value === null) throw new ClientError('ERR timeout is not an integer or out of range');
  if (value < 0) throw new ClientError('ERR timeout is negative');
  return Number(value);
}
