/** Strings as numbers: INCR and its kin in int64, INCRBYFLOAT in x86's long double, as in Redis. */
import { ClientError } from '../../shared/errors.js';
import { add, parseInteger } from '../../shared/integers.js';
import { addLongDouble, formatLongDouble, type LongDouble, parseLongDouble } from '../../shared/long-double.js';
import type { Execute } from '../execution/view.js';
import { Encoding } from '../storage/row.js';
import { bytesAt, integerAt } from './arguments.js';
import { stringChange, stringRow, textEncodingOf } from './strings.js';

const ZERO: LongDouble = { kind: 'finite', mantissa: 0n, exponent: 0 };

export const increment: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = stringRow(view, key);
  const old = row === null ? 0 : parseInteger(row.value);
  if (old === null) throw new ClientError('ERR value is not an integer or out of range');
  const sum = add(old, integerAt(args, 1));
  if (sum === null) throw new ClientError('ERR increment or decrement would overflow');
  const value = Buffer.from(sum.toString(), 'latin1');
  view.put(key, row, stringChange(value, Encoding.int, row?.expireAtMs ?? 0));
  view.notify('incrby', key);
  return sum;
};

export const incrementFloat: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = stringRow(view, key);
  const old = row === null ? ZERO : parseLongDouble(row.value);
  const delta = parseLongDouble(bytesAt(args, 1));
  if (old === null || delta === null) throw new ClientError('ERR value is not a valid float');
  const sum = addLongDouble(old, delta);
  if (sum.kind !== 'finite') throw new ClientError('ERR increment would produce NaN or Infinity');
  const value = Buffer.from(formatLongDouble(sum), 'latin1');
  view.put(key, row, stringChange(value, textEncodingOf(value), row?.expireAtMs ?? 0));
  view.notify('incrbyfloat', key);
  return value;
};
