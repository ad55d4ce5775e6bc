/** Operations on Redis's hashes beside those that the native client has, too (fields.ts). */
import { ClientError } from '../../shared/errors.js';
import { globMatches } from '../../shared/glob.js';
import type { KeyEvent } from '../../shared/key-events.js';
import { limits } from '../../shared/limits.js';
import { addLongDouble, formatLongDouble, type LongDouble, parseLongDouble } from '../../shared/long-double.js';
import { Expiry } from '../../shared/operations/codes.js';
import { FieldOutcome, HashPart, HashSetFlag } from '../../shared/operations/hashes.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import type { Element, Execute, Row, View } from '../execution/view.js';
import {
  booleanAt,
  bytesAt,
  bytesEverySecond,
  bytesFrom,
  bytesOrNullAt,
  compactLimitsAt,
  integerOrNullAt,
  numberAt,
  stringOrNullAt,
} from './arguments.js';
import { expireAt, isPast, timeLeft } from './expiry.js';
import { FieldEditor } from './field-editor.js';
import {
  byField,
  byNumber,
  fieldExpiries,
  fieldsRow,
  liveField,
  liveFields,
  numberedField,
  numberedFields,
  storedField,
} from './field-rows.js';
import { allowsExpiry } from './keys.js';
import { expiryOf, valueOf } from './packed.js';
import { differentNumbers } from './random.js';

const ZERO: LongDouble = { kind: 'finite', mantissa: 0n, exponent: 0 };

export const hashSet: Execute = (view, args) => {
  const editor = new FieldEditor(view, bytesAt(args, 0), compactLimitsAt(args, 1));
  if (args.length > 4) editor.expect(bytesEverySecond(args, 2));
  let added = 0;
  for (let i = 2; i < args.length; i += 2) if (editor.set(bytesAt(args, i), bytesAt(args, i + 1), 0)) added++;
  editor.finish();
  editor.notify('hset');
  return added;
};

export const hashSetIf: Execute = (view, args) => {
  const editor = new FieldEditor(view, bytesAt(args, 0), compactLimitsAt(args, 1));
  const flags = numberAt(args, 2);
  const pairs = bytesFrom(args, 5);
  const fields = pairs.filter((_, i) => i % 2 === 0);
  if ((flags & HashSetFlag.ifNone) !== 0 && fields.some((field) => editor.stored(field) !== null)) return false;
  if ((flags & HashSetFlag.ifAll) !== 0 && fields.some((field) => editor.stored(field) === null)) return false;
  for (const [i, field] of fields.entries()) {
    const old = editor.stored(field);
    const expireAtMs = expireAt(view, numberAt(args, 3), numberAt(args, 4), old === null ? 0 : expiryOf(old));
    editor.set(field, pairs[2 * i + 1]!, expireAtMs);
  }
  editor.finish();
  editor.notify('hset');
  return true;
};

export const hashLength: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const stored = liveField(view, key, fieldsRow(view, key), bytesAt(args, 1));
  return stored === null ? null : valueOf(stored).length;
};

export const hashAll: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = fieldsRow(view, key);
  return row === null ? [] : parts(liveFields(view, key, row), numberAt(args, 1));
};

function parts(fields: readonly Element[], wanted: number): OperationResult[] {
  if (wanted === HashPart.fields) return fields.map(({ sortKey }) => sortKey);
  if (wanted === HashPart.values) return fields.map(({ value }) => valueOf(value));
  return fields.flatMap(({ sortKey, value }) => [sortKey, valueOf(value)]);
}

export const hashIncrementFloat: Execute = (view, args) => {
  const delta = parseLongDouble(bytesAt(args, 2));
  if (delta === null) throw new ClientError('ERR value is not a valid float');
  if (delta.kind !== 'finite') throw new ClientError('ERR value is NaN or Infinity');
  const field = bytesAt(args, 1);
  const editor = new FieldEditor(view, bytesAt(args, 0), compactLimitsAt(args, 3));
  const stored = editor.stored(field);
  const old = stored === null ? ZERO : parseLongDouble(valueOf(stored));
  if (old === null) throw new ClientError('ERR hash value is not a float');
  const sum = addLongDouble(old, delta);
  if (sum.kind !== 'finite') throw new ClientError('ERR increment would produce NaN or Infinity');
  const value = Buffer.from(formatLongDouble(sum), 'latin1');
  editor.set(field, value, stored === null ? 0 : expiryOf(stored));
  editor.finish();
  editor.notify('hincrbyfloat');
  return value;
};

export const hashRandom: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = fieldsRow(view, key);
  const count = integerOrNullAt(args, 1);
  const wanted = booleanAt(args, 2) ? HashPart.both : HashPart.fields;
  if (row === null) return count === null ? null : [];
  if (count !== null && -count > limits.randomMembers) throw new ClientError('ERR value is out of range');
  const { size, of } = choices(view, key, row, count === null ? 1 : Math.abs(Number(count)));
  const draw = (): number => Math.floor(view.random() * size);
  if (size === 0) return count === null ? null : [];
  if (count === null) return of([draw()])[0]!.sortKey;
  const chosen =
    count < 0
      ? Array.from({ length: Number(-count) }, draw)
      : differentNumbers(view, size, Math.min(Number(count), size));
  return parts(of(chosen), wanted);
};

/** What fields are drawn from: numbers where none has expired and few are drawn, else all live ones. */
function choices(view: View, key: Buffer, row: Row, draws: number): { size: number; of: (n: number[]) => Element[] } {
  // So many single look-ups would take longer than reading all.
  const few = 8 * draws <= row.size || row.size > limits.operationEntries;
  if (row.large && few && !isPast(view, fieldExpiries(row).earliestMs)) {
    const of = (numbers: readonly number[]): Element[] => {
      view.expect(key, row, numbers.map(byNumber));
      const chosen = numbers.map((number) => numberedField(view, key, row, number));
      view.expect(key, row, chosen.map(byField));
      return chosen.map((sortKey) => ({ sortKey, value: storedField(view, key, row, sortKey)! }));
    };
    return { size: row.size, of };
  }
  const fields = liveFields(view, key, row);
  return { size: fields.length, of: (numbers) => numbers.map((number) => fields[number]!) };
}

export const hashScan: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = fieldsRow(view, key);
  if (row === null) return [0, []];
  const refusal = stringOrNullAt(args, 4);
  if (refusal !== null) throw new ClientError(refusal);
  const pattern = bytesOrNullAt(args, 3);
  const [cursor, fields] = scanned(view, key, row, numberAt(args, 1), numberAt(args, 2));
  const matching = pattern === null ? fields : fields.filter(({ sortKey }) => globMatches(pattern, sortKey));
  return [cursor, parts(matching, booleanAt(args, 5) ? HashPart.fields : HashPart.both)];
};

/** A packed row is told at once; a large one from the highest number down, as in member-set.ts. */
function scanned(view: View, key: Buffer, row: Row, cursor: number, count: number): [cursor: number, Element[]] {
  if (!row.large) return [0, liveFields(view, key, row)];
  const to = cursor === 0 ? row.size : Math.min(cursor, row.size);
  const from = Math.max(0, to - Math.max(1, Math.min(count, limits.scanVisited)));
  const numbered = numberedFields(view, key, row, from, to);
  view.expect(key, row, numbered.map(byField));
  const fields = numbered.flatMap((sortKey) => {
    const value = liveField(view, key, row, sortKey);
    return value === null ? [] : [{ sortKey, value }];
  });
  return [from, fields];
}

export const hashExpire: Execute = (view, args) => {
  const editor = new FieldEditor(view, bytesAt(args, 0));
  const flags = numberAt(args, 3);
  const outcomes = bytesFrom(args, 4).map((field) => {
    const stored = editor.stored(field);
    if (stored === null) return FieldOutcome.noField;
    const expireAtMs = expireAt(view, numberAt(args, 1), numberAt(args, 2), 0);
    if (!allowsExpiry(flags, expiryOf(stored), expireAtMs)) return FieldOutcome.conditionFailed;
    editor.set(field, valueOf(stored), expireAtMs);
    return isPast(view, expireAtMs) ? FieldOutcome.removed : FieldOutcome.done;
  });
  editor.finish();
  if (outcomes.includes(FieldOutcome.done)) editor.notify('hexpire');
  else if (outcomes.includes(FieldOutcome.removed)) editor.notify('hdel');
  return outcomes;
};

export const hashPersist: Execute = (view, args) => {
  const editor = new FieldEditor(view, bytesAt(args, 0));
  const outcomes = bytesFrom(args, 1).map((field) => {
    const stored = editor.stored(field);
    if (stored === null) return FieldOutcome.noField;
    if (expiryOf(stored) === 0) return FieldOutcome.noExpiry;
    editor.set(field, valueOf(stored), 0);
    return FieldOutcome.done;
  });
  editor.finish();
  if (outcomes.includes(FieldOutcome.done)) editor.notify('hpersist');
  return outcomes;
};

export const hashTimesToLive: Execute = (view, args) => fieldTimes(view, args, timeLeft);

export const hashExpireTimes: Execute = (view, args) =>
  fieldTimes(view, args, (_, expireAtMs) => (expireAtMs === 0 ? FieldOutcome.noExpiry : expireAtMs));

function fieldTimes(
  view: View,
  args: Parameters<Execute>[1],
  time: (view: View, expireAtMs: number) => number,
): OperationResult {
  const key = bytesAt(args, 0);
  const row = fieldsRow(view, key);
  return bytesFrom(args, 1).map((field) => {
    const stored = liveField(view, key, row, field);
    return stored === null ? FieldOutcome.noField : time(view, expiryOf(stored));
  });
}

export const hashGetAndExpire: Execute = (view, args) => {
  const editor = new FieldEditor(view, bytesAt(args, 0));
  const expiry = numberAt(args, 1);
  let event: KeyEvent | null = null;
  const values = bytesFrom(args, 3).map((field) => {
    const stored = editor.stored(field);
    if (stored === null) return null;
    const value = valueOf(stored);
    const expireAtMs = expireAt(view, expiry, numberAt(args, 2), expiryOf(stored));
    if (expireAtMs === expiryOf(stored)) return value;
    editor.set(field, value, expireAtMs);
    event = expiry === Expiry.none ? 'hpersist' : isPast(view, expireAtMs) ? 'hdel' : 'hexpire';
    return value;
  });
  if (expiry !== Expiry.keep) editor.finish();
  if (event !== null) editor.notify(event);
  return values;
};

export const hashGetAndRemove: Execute = (view, args) => {
  const editor = new FieldEditor(view, bytesAt(args, 0));
  const values = bytesFrom(args, 1).map((field) => {
    const stored = editor.stored(field);
    if (stored === null) return null;
    const value = valueOf(stored);
    editor.remove(field);
    return value;
  });
  editor.finish();
  if (values.some((value) => value !== null)) editor.notify('hdel');
  return values;
};
