/**
 * Which function executes which operation, and what the executor must know about it. A code without an
 * executor stops the server at start.
 */
import { invariant } from '../../shared/errors.js';
import { Code, isReadOnly } from '../../shared/operations/codes.js';
import type { Execute } from '../execution/view.js';
import { increment, incrementFloat } from './counters.js';
import { counts, flush, flushAll, keys, randomKey, scan, swapDatabases } from './databases.js';
import { digest, digestValues, facts } from './facts.js';
import {
  fieldCheckAndSet, fieldCount, fieldGet, fieldIncrement, fieldMultiGet, fieldRemove, fieldScan, fieldSet,
  fieldTimeToLive, fullScan,
} from './fields.js';
import { copy, exists, expire, expireTime, move, persist, remove, rename, timeToLive, touch, type } from './keys.js';
import { longestCommon } from './lcs.js';
import {
  append, get, getAndDelete, getAndExpire, getRange, length, multiGet, multiSet, multiSetIfNone, set, setRange,
} from './strings.js';

export interface Executor {
  readonly execute: Execute;
  /** May write: refused while the partition takes no writes. */
  readonly write: boolean;
  /** May need more room: refused when disk or memory is short. Removal and expiry are not. */
  readonly denyoom: boolean;
  /** Depends on the whole keyspace of the partition, not on the rows it looked up. */
  readonly whole: boolean;
}

type Entry = Omit<Executor, 'write'>;

const onRows = (execute: Execute): Entry => ({ execute, denyoom: false, whole: false });
const growing = (execute: Execute): Entry => ({ execute, denyoom: true, whole: false });
const onAll = (execute: Execute): Entry => ({ execute, denyoom: false, whole: true });

const table: Readonly<Record<Code, Entry>> = {
  [Code.get]: onRows(get),
  [Code.set]: growing(set),
  [Code.getAndExpire]: onRows(getAndExpire),
  [Code.getAndDelete]: onRows(getAndDelete),
  [Code.append]: growing(append),
  [Code.setRange]: growing(setRange),
  [Code.getRange]: onRows(getRange),
  [Code.length]: onRows(length),
  [Code.increment]: growing(increment),
  [Code.incrementFloat]: growing(incrementFloat),
  [Code.longestCommon]: onRows(longestCommon),
  [Code.multiGet]: onRows(multiGet),
  [Code.multiSet]: growing(multiSet),
  [Code.multiSetIfNone]: growing(multiSetIfNone),
  [Code.remove]: onRows(remove),
  [Code.exists]: onRows(exists),
  [Code.touch]: onRows(touch),
  [Code.type]: onRows(type),
  [Code.expire]: onRows(expire),
  [Code.timeToLive]: onRows(timeToLive),
  [Code.expireTime]: onRows(expireTime),
  [Code.persist]: onRows(persist),
  [Code.rename]: onRows(rename),
  [Code.copy]: growing(copy),
  [Code.move]: onRows(move),
  [Code.facts]: onRows(facts),
  [Code.digestValues]: onRows(digestValues),
  [Code.scan]: onAll(scan),
  [Code.keys]: onAll(keys),
  [Code.randomKey]: onAll(randomKey),
  [Code.counts]: onAll(counts),
  [Code.flush]: onAll(flush),
  [Code.flushAll]: onAll(flushAll),
  [Code.swapDatabases]: onAll(swapDatabases),
  [Code.digest]: onAll(digest),
  [Code.fieldGet]: onRows(fieldGet),
  [Code.fieldMultiGet]: onRows(fieldMultiGet),
  [Code.fieldSet]: growing(fieldSet),
  [Code.fieldRemove]: onRows(fieldRemove),
  [Code.fieldIncrement]: growing(fieldIncrement),
  [Code.fieldCheckAndSet]: growing(fieldCheckAndSet),
  [Code.fieldCount]: onRows(fieldCount),
  [Code.fieldTimeToLive]: onRows(fieldTimeToLive),
  [Code.fieldScan]: onRows(fieldScan),
  [Code.fullScan]: onAll(fullScan),
};

/** By code; undefined where no operation has that number. An array, as every operation passes here. */
export const executors: readonly (Executor | undefined)[] = index();

function index(): (Executor | undefined)[] {
  const byCode: (Executor | undefined)[] = [];
  for (const [name, code] of Object.entries(Code)) {
    const entry = table[code];
    invariant(entry !== undefined, `operation ${name} (${code}) has an executor`);
    invariant(byCode[code] === undefined, `operation code ${code} is used once`);
    byCode[code] = { ...entry, write: !isReadOnly(code) };
  }
  return byCode;
}
