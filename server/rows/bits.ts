/** Single bits of strings: bit 0 is the highest of the first byte, as in Redis. */
import type { Execute } from '../execution/view.js';
import { Encoding } from '../storage/row.js';
import { bytesAt, numberAt } from './arguments.js';
import { stringChange, stringRow } from './strings.js';

const EMPTY = Buffer.alloc(0);

function bitOf(value: Buffer, offset: number): number {
  return ((value[Math.floor(offset / 8)] ?? 0) >> (7 - (offset % 8))) & 1;
}

export const setBit: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const offset = numberAt(args, 1);
  const bit = numberAt(args, 2);
  const row = stringRow(view, key);
  const old = row === null ? EMPTY : row.value;
  const index = Math.floor(offset / 8);
  const before = bitOf(old, offset);
  // Redis makes a string `raw` by setting a bit, also when that changes nothing else.
  if (before === bit && index < old.length && row?.encoding === Encoding.raw) return before;
  const value = Buffer.alloc(Math.max(old.length, index + 1));
  value.set(old);
  const mask = 1 << (7 - (offset % 8));
  value[index] = bit === 1 ? (value[index] ?? 0) | mask : (value[index] ?? 0) & ~mask;
  view.put(key, row, stringChange(value, Encoding.raw, row?.expireAtMs ?? 0));
  return before;
};

export const getBit: Execute = (view, args) => {
  const row = stringRow(view, bytesAt(args, 0));
  return row === null ? 0 : bitOf(row.value, numberAt(args, 1));
};
