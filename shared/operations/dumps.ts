/** DUMP and RESTORE: whole values. What clients are given and give is written and read by proxies (shared/rdb). */
import { ClientError } from '../errors.js';
import type { DumpedValue } from '../rdb/dump.js';
import { Code, type CompactLimits, type Expiry } from './codes.js';
import type { Operation, OperationArgument, OperationResult } from './operation.js';
import { streamFromWire, streamToWire, type WireStream } from './dumped-streams.js';
import { fromWire, toWire, type WireScore } from './zsets.js';

/**
 * What is at a key, null when it is absent: `[type, compact, parts]`, which `valueFromWire` reads.
 */
export const dump = (key: Buffer): Operation => [Code.dump, key];

export interface Restoration {
  readonly value: DumpedValue;
  readonly expiry: Expiry;
  readonly ms: number;
  /** How long ago it was accessed, and how often on Redis's scale; null: now, and as a new key. */
  readonly idleSeconds: number | null;
  readonly frequency: number | null;
  /** Up to what a hash or sorted set that was none is a listpack. */
  readonly compact: CompactLimits | null;
}

/**
 * True. Without `replace` it is an error when the key exists. A string in the restoration's place: what is wrong with
 * it; Redis looks at the key first.
 */
export const restore = (key: Buffer, replace: boolean, of: Restoration | string): Operation => {
  if (typeof of === 'string') return [Code.restore, key, replace, of];
  const { value, expiry, ms, idleSeconds, frequency, compact } = of;
  return [Code.restore, key, replace, null, ...wireValue(value), expiry, ms, idleSeconds, frequency, compact];
};

type WireValue = readonly [type: string, compact: boolean, parts: readonly OperationArgument[]];

/** A hash's fields and values alternate, and a sorted set's members and scores; a stream is one part, as `toWire` makes it. */
export function wireValue(value: DumpedValue): WireValue {
  switch (value.type) {
    case 'string':
      return [value.type, false, [value.value]];
    case 'list':
      return [value.type, false, value.values];
    case 'set':
      return [value.type, value.compact, value.members];
    case 'hash':
      return [value.type, value.compact, [...value.fields, ...(value.expiries ?? [])]];
    case 'zset':
      return [value.type, value.compact, value.members.flatMap(({ member, score }) => [member, toWire(score)])];
    case 'stream':
      return [value.type, false, [streamToWire(value.stream)]];
  }
}

/** Numbers behind the fields and values: when each field expires, if any does. */
function hashFromWire(parts: readonly (Buffer | number)[], compact: boolean): DumpedValue {
  const expiries = parts.filter((part) => typeof part === 'number');
  const fields = parts.filter((part) => typeof part !== 'number');
  return { type: 'hash', fields, compact, ...(expiries.length === 0 ? {} : { expiries }) };
}

/** The parts come from another process, where types are not known: buffers, but for scores. */
export function valueFromWire(wire: OperationArgument | OperationResult): DumpedValue {
  const [type, compact, parts] = wire as readonly [string, boolean, readonly Buffer[]];
  switch (type) {
    case 'string':
      return { type, value: parts[0]! };
    case 'list':
      return { type, values: parts };
    case 'set':
      return { type, members: parts, compact };
    case 'hash':
      return hashFromWire(parts, compact);
    case 'zset':
      return { type, members: scored(parts), compact };
    case 'stream':
      return { type, stream: streamFromWire(parts[0] as unknown as WireStream) };
    default:
      throw new ClientError(`ERR malformed operation: a value of type ${type}`);
  }
}

function scored(parts: readonly Buffer[]): { member: Buffer; score: number }[] {
  return parts.flatMap((member, i) => {
    return i % 2 === 0 ? [{ member, score: fromWire(parts[i + 1] as unknown as WireScore) }] : [];
  });
}
