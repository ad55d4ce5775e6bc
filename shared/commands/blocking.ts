/** What commands that wait have in common: how long they do. */
import { ClientError } from '../errors.js';
import { at } from './arguments.js';

/** What a C program reads as a long double, in seconds; milliseconds, 0: for ever. */
export function timeoutMs(argument: Buffer | undefined): number {
  const text = argument === undefined ? '' : argument.toString('latin1');
  const seconds = number(text);
  if (seconds === null) throw new ClientError('ERR timeout is not a float or out of range');
  if (seconds < 0) throw new ClientError('ERR timeout is negative');
  const ms = Math.ceil(seconds * 1000);
  if (ms > Number.MAX_SAFE_INTEGER) throw new ClientError('ERR timeout is out of range');
  return ms;
}

/** As the last argument. */
export const timeoutAtEnd = (args: readonly Buffer[]): number => timeoutMs(at(args, args.length - 1));

/** As the first argument. */
export const timeoutAtStart = (args: readonly Buffer[]): number => timeoutMs(args[0]);

function number(text: string): number | null {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  const hex = /^([+-]?)0x([\da-f]+)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i.exec(text);
  if (hex === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = hex;
  const value = (Number.parseInt(whole + fraction, 16) / 16 ** fraction.length) * 2 ** Number(exponent);
  return sign === '-' ? -value : value;
}
