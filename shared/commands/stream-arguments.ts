/** How ids, ranges of ids and trimming options of stream commands are read, with Redis's error texts. */
import { ClientError } from '../errors.js';
import type { Integer } from '../operations/codes.js';
import {
  type NodeLimits,
  type References,
  References as Reference,
  TrimBy,
  type Trimming,
} from '../operations/streams.js';
import { ID_MAX, ID_MIN, nextId, parseId, type ParsedId, previousId, U64_MAX } from '../stream-ids.js';
import { at, integer, SYNTAX_ERROR, word } from './arguments.js';

export const INVALID_ID = 'ERR Invalid stream ID specified as stream command argument';

/** Redis's defaults for a node. */
const NODE_ENTRIES = 100;
/** So many nodes a `~` without LIMIT takes off, within these numbers of entries. */
const TRIMMED_NODES = 100;
const TRIMMED_ENTRIES = 10_000;
const TRIMMED_ENTRIES_MAX = 1_000_000;

const spells = (argument: Buffer | undefined, character: string): boolean =>
  argument?.length === 1 && argument.latin1Slice(0, 1) === character;

export const isStar = (argument: Buffer | undefined): boolean => spells(argument, '*');
export const isDollar = (argument: Buffer | undefined): boolean => spells(argument, '$');
export const isGreater = (argument: Buffer | undefined): boolean => spells(argument, '>');

/** An id that may not be `-` or `+`; a missing sequence is 0. Null when it is none. */
export function strictIdOrNull(argument: Buffer): Buffer | null {
  return parseId(argument, 0n)?.id ?? null;
}

export function strictId(argument: Buffer | undefined): Buffer {
  const id = argument === undefined ? null : strictIdOrNull(argument);
  if (id === null) throw new ClientError(INVALID_ID);
  return id;
}

/** As `strictId`; `-` and `+` are the first and the last one. */
export function looseId(argument: Buffer | undefined, missingSequence = 0n): Buffer {
  if (spells(argument, '-')) return ID_MIN;
  if (spells(argument, '+')) return ID_MAX;
  const parsed = argument === undefined ? null : parseId(argument, missingSequence);
  if (parsed === null) throw new ClientError(INVALID_ID);
  return parsed.id;
}

/** Several strict ids, or, when one of them is none, what is wrong: the server says so once it has found the key. */
export function strictIds(args: readonly Buffer[]): { refusal: string | null; ids: Buffer[] } {
  const ids = args.map(strictIdOrNull).filter((id) => id !== null);
  return ids.length === args.length ? { refusal: null, ids } : { refusal: INVALID_ID, ids: [] };
}

const PARENTHESIS = 0x28;

/** Where a range begins, inclusive; `(` before the id leaves it out. */
export function rangeFrom(argument: Buffer): Buffer {
  if (argument.length < 2 || argument[0] !== PARENTHESIS) return looseId(argument);
  const from = nextId(strictId(argument.subarray(1)));
  if (from === null) throw new ClientError('ERR invalid start ID for the interval');
  return from;
}

/** Where a range ends, inclusive. */
export function rangeTo(argument: Buffer): Buffer {
  if (argument.length < 2 || argument[0] !== PARENTHESIS) return looseId(argument, U64_MAX);
  const parsed = parseId(argument.subarray(1), U64_MAX);
  if (parsed === null) throw new ClientError(INVALID_ID);
  const to = previousId(parsed.id);
  if (to === null) throw new ClientError('ERR invalid end ID for the interval');
  return to;
}

export interface AddOptions {
  /** Where the id is; behind the arguments when there is none. */
  readonly idAt: number;
  /** Null: `*`. */
  readonly id: ParsedId | null;
  readonly create: boolean;
  readonly trimming: Trimming | null;
}

interface Threshold {
  readonly by: TrimBy;
  readonly approximately: boolean;
  readonly length: Integer;
  readonly id: Buffer;
}

/** The options of XADD and of XTRIM, which has no id. */
export function addOptions(args: readonly Buffer[], isAdd: boolean, nodes: NodeLimits | undefined): AddOptions {
  let threshold: Threshold | null = null;
  let limit: Integer | null = null;
  let id: ParsedId | null = null;
  let create = true;
  let i = 1;
  for (; i < args.length; i++) {
    if (isAdd && isStar(args[i])) break;
    const option = word(args[i]);
    const hasMore = i + 1 < args.length;
    if ((option === 'MAXLEN' || option === 'MINID') && hasMore) {
      if (threshold !== null) {
        throw new ClientError('ERR syntax error, MAXLEN and MINID options at the same time are not compatible');
      }
      const approximately = spells(args[i + 1], '~') && i + 2 < args.length;
      if (approximately || (spells(args[i + 1], '=') && i + 2 < args.length)) i++;
      threshold = thresholdOf(option, at(args, ++i), approximately);
    } else if (option === 'LIMIT' && hasMore) {
      limit = notNegative(args[++i], 'LIMIT');
    } else if (isAdd && option === 'NOMKSTREAM') {
      create = false;
    } else if (isAdd) {
      id = parseId(at(args, i), 0n, true);
      if (id === null) throw new ClientError(INVALID_ID);
      break;
    } else {
      throw new ClientError(SYNTAX_ERROR);
    }
  }
  if (limit !== null && limit !== 0 && threshold === null) {
    throw new ClientError('ERR syntax error, LIMIT cannot be used without specifying a trimming strategy');
  }
  if (!isAdd && threshold === null) {
    throw new ClientError('ERR syntax error, XTRIM must be called with a trimming strategy');
  }
  if (limit !== null && threshold?.approximately !== true) {
    throw new ClientError('ERR syntax error, LIMIT cannot be used without the special ~ option');
  }
  return { idAt: i, id, create, trimming: threshold === null ? null : trimmingOf(threshold, limit, nodes) };
}

function thresholdOf(option: 'MAXLEN' | 'MINID', value: Buffer, approximately: boolean): Threshold {
  return option === 'MAXLEN'
    ? { by: TrimBy.length, approximately, length: notNegative(value, 'MAXLEN'), id: ID_MIN }
    : { by: TrimBy.id, approximately, length: 0, id: strictId(value) };
}

function notNegative(value: Buffer | undefined, option: string): Integer {
  const given = integer(value);
  if (given < 0) throw new ClientError(`ERR The ${option} argument must be >= 0.`);
  return given;
}

function trimmingOf(threshold: Threshold, limit: Integer | null, nodes: NodeLimits | undefined): Trimming {
  const { by, approximately, length, id } = threshold;
  const most = approximately ? (limit ?? usualLimit(nodes)) : 0;
  return by === TrimBy.length ? [by, approximately, most, length] : [by, approximately, most, id];
}

function usualLimit(nodes: NodeLimits | undefined): number {
  const entries = TRIMMED_NODES * (nodes?.[0] ?? NODE_ENTRIES);
  return entries <= 0 ? TRIMMED_ENTRIES : Math.min(entries, TRIMMED_ENTRIES_MAX);
}

/** `[KEEPREF | DELREF | ACKED] IDS count id ...`, as of Redis 8.2. */
export function referencedIds(args: readonly Buffer[], from: number): { references: References; ids: Buffer[] } {
  let references: References = Reference.keep;
  let i = from;
  for (; i < args.length; i++) {
    const option = word(args[i]);
    if (option === 'KEEPREF') references = Reference.keep;
    else if (option === 'DELREF') references = Reference.remove;
    else if (option === 'ACKED') references = Reference.acknowledged;
    else break;
  }
  if (word(args[i]) !== 'IDS' || i + 1 >= args.length) throw new ClientError(SYNTAX_ERROR);
  const error = 'ERR Number of IDs must be a positive integer';
  const count = integer(args[i + 1], error);
  if (count <= 0) throw new ClientError(error);
  const ids = args.slice(i + 2);
  if (Number(count) !== ids.length)
    throw new ClientError('ERR The `numids` parameter must match the number of arguments');
  return { references, ids: ids.map(strictId) };
}
