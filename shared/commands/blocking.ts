/** What commands that wait have in common: how long they do. */
import { ClientError } from '../errors.js';
import { parseLongDouble } from '../long-double.js';
import { at } from './arguments.js';

/** Seconds as a C program reads a long double, and its conversion to an int64: in ms, rounded up; 0: for ever. */
export function timeoutMs(argument: Buffer | undefined): number {
  const seconds = argument === undefined ? null : parseLongDouble(argument);
  if (seconds === null || seconds.kind === 'nan') throw new ClientError('ERR timeout is not a float or out of range');
  const ms = seconds.kind === 'infinite' ? OVERFLOW : milliseconds(seconds.mantissa, seconds.exponent);
  // what does not fit becomes the lowest int64
  if (ms < 0n || ms >= OVERFLOW) throw new ClientError('ERR timeout is negative');
  return Number(ms);
}

const OVERFLOW = 2n ** 63n;

function milliseconds(mantissa: bigint, exponent: number): bigint {
  const scaled = mantissa * 1000n;
  return exponent >= 0 ? scaled << BigInt(exponent) : -(-scaled >> BigInt(-exponent));
}

/** As the last argument. */
export const timeoutAtEnd = (args: readonly Buffer[]): number => timeoutMs(at(args, args.length - 1));

/** As the first argument. */
export const timeoutAtStart = (args: readonly Buffer[]): number => timeoutMs(args[0]);
