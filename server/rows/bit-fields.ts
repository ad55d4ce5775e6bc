/**
 * BITFIELD: integers of 1 to 64 bits at any bit of a string. They are handled as bigints, of which at most nine
 * bytes of the string are involved; the arithmetic is exact, and what a field cannot hold is dealt with afterwards.
 */
import { ClientError } from '../../shared/errors.js';
import { int64 } from '../../shared/integers.js';
import { BitFieldAction, Overflow } from '../../shared/operations/bits.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import type { Execute } from '../execution/view.js';
import { Encoding } from '../storage/row.js';
import { type Arguments, booleanAt, bytesAt, integerAt, listAt, numberAt } from './arguments.js';
import { stringChange, stringRow } from './strings.js';

const EMPTY = Buffer.alloc(0);

interface Step {
  readonly action: number;
  readonly signed: boolean;
  readonly width: number;
  readonly offset: number;
  readonly value: bigint;
  readonly overflow: number;
}

export const bitFieldRead: Execute = (view, args) => {
  const row = stringRow(view, bytesAt(args, 0));
  return stepsAt(args).map((step) => int64(fieldAt(row?.value ?? EMPTY, step)));
};

export const bitField: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const steps = stepsAt(args);
  const row = stringRow(view, key);
  const old = row?.value ?? EMPTY;
  // As far as the last field that is written: also when that one's overflow is refused, as in Redis.
  const reach = steps.reduce((end, step) => {
    return step.action === BitFieldAction.get ? end : Math.max(end, step.offset + step.width);
  }, 0);
  const value = Buffer.alloc(Math.max(old.length, Math.ceil(reach / 8)));
  value.set(old);
  const results = steps.map((step) => take(value, step));
  if (row?.encoding !== Encoding.raw || !value.equals(old)) {
    view.put(key, row, stringChange(value, Encoding.raw, row?.expireAtMs ?? 0));
    if (!value.equals(old)) view.notify('setbit', key);
  }
  return results;
};

function stepsAt(args: Arguments): Step[] {
  return args.slice(1).map((_, index) => {
    const step = listAt(args, index + 1);
    return {
      action: numberAt(step, 0),
      signed: booleanAt(step, 1),
      width: numberAt(step, 2),
      offset: numberAt(step, 3),
      value: BigInt(integerAt(step, 4)),
      overflow: numberAt(step, 5),
    };
  });
}

function take(value: Buffer, step: Step): OperationResult {
  const before = fieldAt(value, step);
  if (step.action === BitFieldAction.get) return int64(before);
  const increments = step.action === BitFieldAction.increment;
  const after = increments ? fitting(before, step.value, step) : fitting(step.value, 0n, step);
  if (after === null) return null;
  writeField(value, step, after);
  return int64(increments ? after : before);
}

/** The sum as the field can hold it; null where it cannot and that is to fail. */
function fitting(value: bigint, delta: bigint, { signed, width, overflow }: Step): bigint | null {
  const max = 2n ** BigInt(signed ? width - 1 : width) - 1n;
  const min = signed ? -max - 1n : 0n;
  // Redis takes what is set in an unsigned field for a uint64, so that a negative number is far above all fields.
  const given = signed ? value : BigInt.asUintN(64, value);
  const sum = given + delta;
  const above = sum > max || passesForAbove(given, delta, max, signed, width);
  if (!above && sum >= min) return sum;
  switch (overflow) {
    case Overflow.wrap:
      return signed ? BigInt.asIntN(width, sum) : BigInt.asUintN(width, sum);
    case Overflow.saturate:
      return above ? max : min;
    case Overflow.fail:
      return null;
    default:
      throw new ClientError(`ERR malformed operation: overflow ${overflow}`);
  }
}

/** Redis compares with max - value in 64 bits, which numbers set that are near the least int64 turn around. */
function passesForAbove(value: bigint, delta: bigint, max: bigint, signed: boolean, width: number): boolean {
  return signed && width < 64 && delta > BigInt.asIntN(64, max - value);
}

function fieldAt(value: Buffer, { signed, width, offset }: Step): bigint {
  const first = Math.floor(offset / 8);
  const end = Math.ceil((offset + width) / 8);
  let bits = 0n;
  for (let i = first; i < end; i++) bits = (bits << 8n) | BigInt(value[i] ?? 0);
  bits >>= BigInt(end * 8 - offset - width);
  return signed ? BigInt.asIntN(width, bits) : BigInt.asUintN(width, bits);
}

/** `value` reaches as far as the field. */
function writeField(value: Buffer, { width, offset }: Step, field: bigint): void {
  const end = Math.ceil((offset + width) / 8);
  const shift = BigInt(end * 8 - offset - width);
  let bits = BigInt.asUintN(width, field) << shift;
  let mask = (2n ** BigInt(width) - 1n) << shift;
  for (let i = end - 1; i >= Math.floor(offset / 8); i--) {
    value[i] = (value[i]! & ~Number(mask & 0xffn)) | Number(bits & 0xffn);
    bits >>= 8n;
    mask >>= 8n;
  }
}
