/**
 * Strings: the value lives in the row's header, byte for byte as given. The encoding is what OBJECT
 * ENCODING would say in Redis: `int` for what is canonically an int64, `embstr` up to 44 bytes, `raw`
 * above and for whatever was changed in place.
 */
import { ClientError } from '../../shared/errors.js';
import { parseInteger } from '../../shared/integers.js';
import { limits } from '../../shared/limits.js';
import { Expiry, SetFlag } from '../../shared/operations/codes.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import type { Execute, Row, RowChange, View } from '../execution/view.js';
import { Encoding, RowType } from '../storage/row.js';
import { type Arguments, booleanAt, bytesAt, integerAt, numberAt, stringOrNullAt } from './arguments.js';
import { expireAt, isPast, withExpiry } from './expiry.js';

/** Redis embeds strings up to this in the object itself. */
const EMBEDDED_BYTES = 44;
const EMPTY = Buffer.alloc(0);

const NO_STRING_TO_COMPARE = 'ERR Key should be of string type if conditions are specified';

export const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';

/** The row, if it is a string or absent. */
export function stringRow(view: View, key: Buffer): Row | null {
  const row = view.row(key);
  if (row !== null && row.type !== RowType.string) throw new ClientError(WRONG_TYPE);
  return row;
}

/** The encoding of a value that was set as a whole. */
export function encodingOf(value: Buffer): Encoding {
  if (value.length <= 20 && parseInteger(value) !== null) return Encoding.int;
  return value.length <= EMBEDDED_BYTES ? Encoding.embstr : Encoding.raw;
}

/** The encoding of text that Redis never tries to keep as an integer. */
export function textEncodingOf(value: Buffer): Encoding {
  return value.length <= EMBEDDED_BYTES ? Encoding.embstr : Encoding.raw;
}

export function stringChange(value: Buffer, encoding: Encoding, expireAtMs: number): RowChange {
  return { type: RowType.string, encoding, expireAtMs, size: 0, bytes: value.length, large: false, value };
}

export const get: Execute = (view, args) => {
  const row = stringRow(view, bytesAt(args, 0));
  return row === null ? null : row.value;
};

export const set: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const value = bytesAt(args, 1);
  if (args.length === 2) {
    view.put(key, null, stringChange(value, encodingOf(value), 0));
    view.notify('set', key);
    return true;
  }
  return setWithOptions(view, key, value, args);
};

function setWithOptions(view: View, key: Buffer, value: Buffer, args: Arguments): OperationResult {
  const flags = numberAt(args, 2);
  const returnOld = (flags & SetFlag.returnOld) !== 0;
  const compares = (flags & (SetFlag.ifEqual | SetFlag.ifNotEqual)) !== 0;
  const old = returnOld || compares ? stringRow(view, key) : view.row(key);
  const answer = (done: boolean): OperationResult => {
    if (returnOld) return old === null ? null : old.value;
    return done ? true : null;
  };
  if ((flags & SetFlag.ifAbsent) !== 0 && old !== null) return answer(false);
  if ((flags & SetFlag.ifPresent) !== 0 && old === null) return answer(false);
  if (compares && isEqual(old, bytesAt(args, 5)) !== ((flags & SetFlag.ifEqual) !== 0)) return answer(false);
  const expireAtMs = expireAt(view, numberAt(args, 3), numberAt(args, 4), old?.expireAtMs ?? 0);
  const past = isPast(view, expireAtMs);
  if (past) view.remove(key);
  else view.put(key, null, stringChange(value, encodingOf(value), expireAtMs));
  if (past && old === null) view.notify('new', key);
  view.notify('set', key);
  if (numberAt(args, 3) === Expiry.relative || numberAt(args, 3) === Expiry.absolute) view.notify('expire', key);
  if (past) view.notify('expired', key);
  return answer(true);
}

const isEqual = (row: Row | null, compared: Buffer): boolean => row !== null && compared.equals(row.value);

/** Of a string only, where it exists. */
export const removeIf: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = view.row(key);
  if (row === null) return false;
  if (row.type !== RowType.string) throw new ClientError(NO_STRING_TO_COMPARE);
  if (isEqual(row, bytesAt(args, 1)) !== booleanAt(args, 2)) return false;
  view.remove(key);
  view.notify('del', key);
  return true;
};

export const getAndExpire: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = stringRow(view, key);
  if (row === null) return null;
  const refusal = stringOrNullAt(args, 3);
  if (refusal !== null) throw new ClientError(refusal);
  const expireAtMs = expireAt(view, numberAt(args, 1), numberAt(args, 2), row.expireAtMs);
  const expiry = numberAt(args, 1);
  if (isPast(view, expireAtMs)) {
    view.remove(key);
    view.notify('del', key);
    return row.value;
  }
  if (expireAtMs !== row.expireAtMs) {
    view.put(key, row, withExpiry(row, expireAtMs));
    if (expiry === Expiry.none) view.notify('persist', key);
  }
  if (expiry === Expiry.relative || expiry === Expiry.absolute) view.notify('expire', key);
  return row.value;
};

export const getAndDelete: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = stringRow(view, key);
  if (row === null) return null;
  view.remove(key);
  view.notify('del', key);
  return row.value;
};

export const append: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const bytes = bytesAt(args, 1);
  const row = stringRow(view, key);
  if (row === null) {
    view.put(key, null, stringChange(bytes, encodingOf(bytes), 0));
    view.notify('append', key);
    return bytes.length;
  }
  checkLength(row.value.length + bytes.length);
  const value = Buffer.concat([row.value, bytes]);
  view.put(key, row, stringChange(value, Encoding.raw, row.expireAtMs));
  view.notify('append', key);
  return value.length;
};

export const setRange: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const offset = Number(integerAt(args, 1));
  const bytes = bytesAt(args, 2);
  const row = stringRow(view, key);
  const old = row === null ? EMPTY : row.value;
  if (bytes.length === 0) return old.length;
  checkLength(offset + bytes.length);
  const value = Buffer.alloc(Math.max(old.length, offset + bytes.length));
  value.set(old);
  value.set(bytes, offset);
  view.put(key, row, stringChange(value, Encoding.raw, row?.expireAtMs ?? 0));
  view.notify('setrange', key);
  return value.length;
};

export const getRange: Execute = (view, args) => {
  const row = stringRow(view, bytesAt(args, 0));
  if (row === null) return EMPTY;
  const length = row.value.length;
  const start = Number(integerAt(args, 1));
  const end = Number(integerAt(args, 2));
  // Redis: both from the end and crossed means nothing, even where clamping would leave the first byte.
  if (start < 0 && end < 0 && start > end) return EMPTY;
  const from = Math.max(0, start < 0 ? start + length : start);
  const to = Math.min(length - 1, Math.max(0, end < 0 ? end + length : end));
  return from > to ? EMPTY : row.value.subarray(from, to + 1);
};

export const length: Execute = (view, args) => {
  const row = stringRow(view, bytesAt(args, 0));
  return row === null ? 0 : row.value.length;
};

export const multiGet: Execute = (view, args) =>
  args.map((_, index) => {
    const row = view.row(bytesAt(args, index));
    return row === null || row.type !== RowType.string ? null : row.value;
  });

export const multiSet: Execute = (view, args) => {
  for (let i = 0; i < args.length; i += 2) {
    const value = bytesAt(args, i + 1);
    view.put(bytesAt(args, i), null, stringChange(value, encodingOf(value), 0));
    view.notify('set', bytesAt(args, i));
  }
  return true;
};

export const multiSetExpiring: Execute = (view, args) => {
  const flags = numberAt(args, 0);
  const pairs = args.slice(3);
  // every key is looked up, so that what is missing in memory is fetched in one go
  const rows = pairs.flatMap((_, i) => (i % 2 === 0 ? [view.row(bytesAt(pairs, i))] : []));
  if ((flags & SetFlag.ifAbsent) !== 0 && rows.some((row) => row !== null)) return false;
  if ((flags & SetFlag.ifPresent) !== 0 && rows.includes(null)) return false;
  for (let i = 0; i < pairs.length; i += 2)
    setWithOptions(view, bytesAt(pairs, i), bytesAt(pairs, i + 1), [null, null, 0, args[1] ?? null, args[2] ?? null]);
  return true;
};

export const multiSetIfNone: Execute = (view, args) => {
  let present = false;
  // Every key is looked up, so that what is missing in memory is fetched in one go.
  for (let i = 0; i < args.length; i += 2) present = view.row(bytesAt(args, i)) !== null || present;
  return present ? false : multiSet(view, args);
};

function checkLength(bytes: number): void {
  if (bytes > limits.stringBytes) {
    throw new ClientError('ERR string exceeds maximum allowed size (proto-max-bulk-len)');
  }
}
