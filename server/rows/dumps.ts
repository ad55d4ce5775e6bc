/** DUMP and RESTORE: rows of any type as whole values. */
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import { valueFromWire, wireValue } from '../../shared/operations/dumps.js';
import type { DumpedValue } from '../../shared/rdb/dump.js';
import type { CompactLimits } from '../../shared/operations/codes.js';
import type { Execute, Row, View } from '../execution/view.js';
import { Encoding, RowType } from '../storage/row.js';
import { booleanAt, bytesAt, compactLimitsAt, integerOrNullAt, numberAt, stringOrNullAt } from './arguments.js';
import { expireAt, isPast, withExpiry } from './expiry.js';
import { FieldEditor } from './field-editor.js';
import { liveFields } from './field-rows.js';
import { List } from './list.js';
import { MemberSet, rowMembers } from './member-set.js';
import { expiryOf, valueOf } from './packed.js';
import { SortedSet } from './sorted-set.js';
import { dumpedStream, restoreStream } from './stream-dumps.js';
import { encodingOf, stringChange } from './strings.js';
import { ranked } from './zset-rows.js';

const BUSY = 'BUSYKEY Target key name already exists.';
/** Redis's limits for listpacks of hashes and sorted sets. */
const HASH_LISTPACK_ENTRIES = 512;
const ZSET_LISTPACK_ENTRIES = 128;

export const dump: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const row = view.row(key);
  if (row === null) return null;
  if (row.bytes > limits.dumpBytes || row.size > limits.dumpParts) {
    throw new ClientError(`ERR a value of more than ${limits.dumpBytes} bytes or ${limits.dumpParts} parts`);
  }
  return wireValue(valueOfRow(view, key, row));
};

function valueOfRow(view: View, key: Buffer, row: Row): DumpedValue {
  const compact = row.encoding === Encoding.intset || row.encoding === Encoding.listpack;
  switch (row.type) {
    case RowType.string:
      return { type: 'string', value: row.value };
    case RowType.list:
      return { type: 'list', values: [...new List(view, key).walk(true)] };
    case RowType.set:
      return { type: 'set', members: rowMembers(view, key, row), compact };
    case RowType.hash:
      return dumpedHash(view, key, row, compact);
    case RowType.zset:
      return { type: 'zset', members: ranked(view, key, row, 0, row.size, false), compact };
    case RowType.stream:
      return { type: 'stream', stream: dumpedStream(view, key, row) };
  }
}

function dumpedHash(view: View, key: Buffer, row: Row, compact: boolean): DumpedValue {
  const live = liveFields(view, key, row);
  const fields = live.flatMap(({ sortKey, value }) => [sortKey, valueOf(value)]);
  const expiries = live.map(({ value }) => expiryOf(value));
  return { type: 'hash', fields, compact, ...(expiries.some((expiry) => expiry > 0) ? { expiries } : {}) };
}

/** Its arguments are those of `restore` in shared/operations/dumps.ts. */
export const restore: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  if (!booleanAt(args, 1) && view.row(key) !== null) throw new ClientError(BUSY);
  const refusal = stringOrNullAt(args, 2);
  if (refusal !== null) throw new ClientError(refusal);
  const value = valueFromWire(args.slice(3, 6));
  const expireAtMs = expireAt(view, numberAt(args, 6), numberAt(args, 7), 0);
  const idleSeconds = integerOrNullAt(args, 8);
  const frequency = integerOrNullAt(args, 9);
  const wasThere = view.remove(key);
  if (isPast(view, expireAtMs)) {
    if (wasThere) view.notify('del', key);
    return true;
  }
  const row = store(view, key, value, compactLimitsAt(args, 10));
  view.put(key, row, {
    ...withExpiry(row, expireAtMs),
    encoding: encodingIn(value, row),
    ...(idleSeconds === null ? {} : { accessedAtS: Math.max(0, Math.floor(view.nowMs / 1000) - Number(idleSeconds)) }),
    ...(frequency === null ? {} : { frequency: Number(frequency) }),
  });
  view.notify('restore', key);
  return true;
};

function store(view: View, key: Buffer, value: DumpedValue, compact: CompactLimits | null): Row {
  switch (value.type) {
    case 'string':
      return view.put(key, null, stringChange(value.value, encodingOf(value.value), 0));
    case 'list':
      finish(new List(view, key), (list) => list.push(value.values, false));
      break;
    case 'set':
      finish(MemberSet.replacing(view, key), (set) => value.members.forEach((member) => set.add(member)));
      break;
    case 'hash':
      finish(new FieldEditor(view, key, compact), (editor) => {
        for (let i = 0; i < value.fields.length; i += 2) {
          const expireAtMs = value.expiries?.[i / 2] ?? 0;
          if (expireAtMs === 0 || !view.isPast(expireAtMs))
            editor.set(value.fields[i]!, value.fields[i + 1]!, expireAtMs);
        }
      });
      break;
    case 'zset':
      finish(SortedSet.replacing(view, key, compact), (set) => {
        for (const { member, score } of value.members) set.put(member, score, null);
      });
      break;
    case 'stream':
      restoreStream(view, key, value.stream);
      break;
  }
  const row = view.peek(key);
  if (row === null) throw new ClientError('ERR Bad data format');
  return row;
}

function finish<T extends { finish(): void }>(editor: T, fill: (editor: T) => void): void {
  fill(editor);
  editor.finish();
}

/** What came as a listpack stays one while it has few enough entries, however long these are. */
function encodingIn(value: DumpedValue, row: Row): number {
  if (value.type === 'hash' && value.compact && row.size <= HASH_LISTPACK_ENTRIES) return Encoding.listpack;
  if (value.type === 'zset' && value.compact && row.size <= ZSET_LISTPACK_ENTRIES) return Encoding.listpack;
  return row.encoding;
}
