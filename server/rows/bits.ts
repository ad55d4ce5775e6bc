/**
 * Strings as bits: bit 0 is the highest of the first byte, as in Redis. Counting, searching and combining walk
 * through a string of any length in one synchronous stretch, so they take 32 bits at a time where a buffer is
 * aligned for it.
 */
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import { BitOperator, BitUnit } from '../../shared/operations/bits.js';
import type { Execute } from '../execution/view.js';
import { Encoding } from '../storage/row.js';
import {
  type Arguments,
  bytesAt,
  bytesFrom,
  integerAt,
  integerOrNullAt,
  numberAt,
  stringOrNullAt,
} from './arguments.js';
import { stringChange, stringRow } from './strings.js';

const EMPTY = Buffer.alloc(0);
const NO_WORDS = new Int32Array(0);
const WORD_BYTES = 4;
/** What is copied at once from a buffer that is not aligned. */
const CHUNK_BYTES = 65_536;

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
  if (before !== bit || value.length > old.length) view.notify('setbit', key);
  return before;
};

export const getBit: Execute = (view, args) => {
  const row = stringRow(view, bytesAt(args, 0));
  return row === null ? 0 : bitOf(row.value, numberAt(args, 1));
};

export const bitCount: Execute = (view, args) => {
  const row = stringRow(view, bytesAt(args, 0));
  if (row === null) return 0;
  const refusal = stringOrNullAt(args, 4);
  if (refusal !== null) throw new ClientError(refusal);
  const start = Number(integerAt(args, 1));
  const end = Number(integerOrNullAt(args, 2) ?? -1);
  // Redis: both from the end and crossed means nothing, even where clamping would leave the first one.
  if (start < 0 && end < 0 && start > end) return 0;
  const range = bitsWithin(row.value, start, end, numberAt(args, 3));
  return range === null ? 0 : onesWithin(row.value, range.from, range.to);
};

export const bitPosition: Execute = (view, args) => {
  const row = stringRow(view, bytesAt(args, 0));
  const bit = numberAt(args, 1);
  if (row === null) return bit === 1 ? -1 : 0;
  const refusal = stringOrNullAt(args, 5);
  if (refusal !== null) throw new ClientError(refusal);
  const end = integerOrNullAt(args, 3);
  const range = bitsWithin(row.value, Number(integerAt(args, 2)), Number(end ?? -1), numberAt(args, 4));
  if (range === null) return -1;
  const position = findBit(row.value, bit, range.from, range.to);
  if (position !== null) return position;
  // Without an end, what is behind the string are zeros.
  return bit === 0 && end === null ? row.value.length * 8 : -1;
};

interface Bits {
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
}

/** The bits that a range names; null where it is empty. */
function bitsWithin(value: Buffer, start: number, end: number, unit: number): Bits | null {
  const positions = unit === BitUnit.bit ? value.length * 8 : value.length;
  const first = Math.max(0, start < 0 ? start + positions : start);
  const last = Math.min(positions - 1, Math.max(0, end < 0 ? end + positions : end));
  return first > last ? null : { from: first * unit, to: last * unit + unit - 1 };
}

function onesWithin(value: Buffer, from: number, to: number): number {
  const first = Math.floor(from / 8);
  const last = Math.floor(to / 8);
  const before = value[first]! & ~(0xff >> (from % 8));
  const behind = value[last]! & (0x7f >> (to % 8));
  return ones(value.subarray(first, last + 1)) - onesOfWord(before) - onesOfWord(behind);
}

function ones(value: Buffer): number {
  const { head, words, tail } = aligned(value);
  let count = 0;
  for (const byte of head) count += onesOfWord(byte);
  for (let i = 0; i < words.length; i++) count += onesOfWord(words[i]!);
  for (const byte of tail) count += onesOfWord(byte);
  return count;
}

/** The sums of pairs of bits, then of fours, then of bytes; a multiplication adds up the bytes. */
function onesOfWord(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function findBit(value: Buffer, bit: number, from: number, to: number): number | null {
  const first = Math.floor(from / 8);
  const last = Math.floor(to / 8);
  // Looking for a 1 in what is turned around is looking for a 0.
  const turned = bit === 1 ? 0 : 0xff;
  const start = (value[first]! ^ turned) & (0xff >> (from % 8));
  const index = start === 0 ? otherByte(value, first + 1, last, turned) : first;
  if (index > last) return null;
  const position = index * 8 + highest(index === first ? start : value[index]! ^ turned);
  return position <= to ? position : null;
}

/** Where the highest bit of a byte that is not 0 is, counted from the highest. */
function highest(byte: number): number {
  return Math.clz32(byte) - 24;
}

/** The first index from `from` to `to` inclusive at which there is another byte than this (0 or 0xff); else beyond `to`. */
function otherByte(value: Buffer, from: number, to: number, byte: number): number {
  const { head, words } = aligned(value.subarray(from, Math.max(from, to + 1)));
  let index = from;
  while (index < from + head.length && value[index] === byte) index++;
  if (index < from + head.length) return index;
  const word = byte === 0 ? 0 : -1;
  let skipped = 0;
  while (skipped < words.length && words[skipped] === word) skipped++;
  index += skipped * WORD_BYTES;
  while (index <= to && value[index] === byte) index++;
  return index;
}

interface Aligned {
  readonly head: Uint8Array;
  readonly words: Int32Array;
  readonly tail: Uint8Array;
}

/** The bytes before the first whole word of memory, the words, the bytes behind. */
function aligned(value: Buffer): Aligned {
  const head = Math.min(value.length, (WORD_BYTES - (value.byteOffset % WORD_BYTES)) % WORD_BYTES);
  const words = Math.floor((value.length - head) / WORD_BYTES);
  return {
    head: value.subarray(0, head),
    words: words === 0 ? NO_WORDS : new Int32Array(value.buffer, value.byteOffset + head, words),
    tail: value.subarray(head + words * WORD_BYTES),
  };
}

export const bitCombine: Execute = (view, args) => {
  const to = bytesAt(args, 1);
  const values = stringsAt(view, args, 2);
  const length = values.reduce((longest, value) => Math.max(longest, value.length), 0);
  if (values.reduce((sum, value) => sum + value.length, 0) > limits.bitBytes) {
    throw new ClientError(`ERR BITOP on more than ${limits.bitBytes} bytes in all`);
  }
  if (length > 0) {
    view.put(to, null, stringChange(combined(numberAt(args, 0), values, length), Encoding.raw, 0));
    view.notify('set', to);
  } else if (view.remove(to)) view.notify('del', to);
  return length;
};

function stringsAt(view: Parameters<Execute>[0], args: Arguments, first: number): Buffer[] {
  return bytesFrom(args, first).map((key) => stringRow(view, key)?.value ?? EMPTY);
}

function combined(operator: number, values: readonly Buffer[], length: number): Buffer {
  const result = Buffer.alloc(length);
  result.set(values[0] ?? EMPTY);
  if (operator === BitOperator.not) {
    const { words, tail } = aligned(result);
    for (let i = 0; i < words.length; i++) words[i] = ~words[i]!;
    for (let i = 0; i < tail.length; i++) tail[i] = ~tail[i]!;
    return result;
  }
  const words = Buffer.from(new ArrayBuffer(Math.min(CHUNK_BYTES, Math.ceil(length / WORD_BYTES) * WORD_BYTES)));
  for (const value of values.slice(1)) {
    // The value aligned as the result is, with zeros behind it.
    for (let at = 0; at < length; at += CHUNK_BYTES) {
      const size = Math.min(CHUNK_BYTES, length - at);
      const chunk = value.subarray(at, at + size);
      words.set(chunk);
      words.fill(0, chunk.length);
      combineInto(operator, result.subarray(at, at + size), words);
    }
  }
  return result;
}

/** `other` is aligned, and not shorter. */
function combineInto(operator: number, into: Buffer, other: Buffer): void {
  const { words, tail } = aligned(into);
  const others = aligned(other).words;
  const behind = words.length * WORD_BYTES;
  switch (operator) {
    case BitOperator.and:
      for (let i = 0; i < words.length; i++) words[i] = words[i]! & others[i]!;
      for (let i = 0; i < tail.length; i++) tail[i] = tail[i]! & other[behind + i]!;
      break;
    case BitOperator.or:
      for (let i = 0; i < words.length; i++) words[i] = words[i]! | others[i]!;
      for (let i = 0; i < tail.length; i++) tail[i] = tail[i]! | other[behind + i]!;
      break;
    case BitOperator.xor:
      for (let i = 0; i < words.length; i++) words[i] = words[i]! ^ others[i]!;
      for (let i = 0; i < tail.length; i++) tail[i] = tail[i]! ^ other[behind + i]!;
      break;
    default:
      throw new ClientError(`ERR malformed operation: bit operator ${operator}`);
  }
}
