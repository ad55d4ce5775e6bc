/**
 * Times that clients give, in the unit and on the clock the command says, as milliseconds. "Now" is
 * added by the server that executes; so Redis's check that this does not overflow an int64 is made here
 * against the latest time JavaScript counts exactly, which no clock will reach.
 */
import { ClientError } from '../errors.js';
import { INT64_MAX } from '../integers.js';
import { Expiry, type Integer } from '../operations/codes.js';
import { integer } from './arguments.js';

export interface TimeUnit {
  readonly milliseconds: 1 | 1000;
  readonly expiry: typeof Expiry.relative | typeof Expiry.absolute;
}

export const EX: TimeUnit = { milliseconds: 1000, expiry: Expiry.relative };
export const PX: TimeUnit = { milliseconds: 1, expiry: Expiry.relative };
export const EXAT: TimeUnit = { milliseconds: 1000, expiry: Expiry.absolute };
export const PXAT: TimeUnit = { milliseconds: 1, expiry: Expiry.absolute };

/** Room that is kept for the base time. */
const LATEST_NOW = BigInt(Number.MAX_SAFE_INTEGER);

/** Milliseconds, above zero: what SET and its kin take. */
export function positiveTime(argument: Buffer | undefined, unit: TimeUnit, command: string): number {
  const value = integer(argument);
  if (value <= 0) throw invalidTime(command);
  return toMilliseconds(value, unit, command);
}

/** Milliseconds, of any sign: what the EXPIRE family takes. */
export function anyTime(argument: Buffer | undefined, unit: TimeUnit, command: string): number {
  return toMilliseconds(integer(argument), unit, command);
}

function toMilliseconds(value: Integer, unit: TimeUnit, command: string): number {
  const milliseconds = Number(value) * unit.milliseconds;
  if (Number.isSafeInteger(milliseconds)) return milliseconds;
  const exact = BigInt(value) * BigInt(unit.milliseconds);
  const latest = unit.expiry === Expiry.relative ? INT64_MAX - LATEST_NOW : INT64_MAX;
  if (exact > latest || exact < -INT64_MAX - 1n) throw invalidTime(command);
  return milliseconds;
}

function invalidTime(command: string): ClientError {
  return new ClientError(`ERR invalid expire time in '${command}' command`);
}
