/**
 * XREAD and XREADGROUP. With BLOCK they wait until there is something to read. Where nobody waits (in a transaction)
 * a wait is one that has ended: the answer is nil at once.
 */
import { ClientError } from '../errors.js';
import type { Integer } from '../operations/codes.js';
import type { OperationResult } from '../operations/operation.js';
import * as operations from '../operations/streams.js';
import type { StreamPosition } from '../operations/streams.js';
import { at, integer, SYNTAX_ERROR, word } from './arguments.js';
import type { Command, KeyedCommand, TranslateContext } from './command.js';
import { MapReply, NULL_ARRAY, type Reply } from './reply.js';
import { INVALID_ID, isDollar, isGreater, strictIdOrNull } from './stream-arguments.js';

const DOLLAR_IN_GROUP =
  'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.';
const GREATER_ALONE =
  'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.';
const UNBALANCED = "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.";

export interface ReadOptions {
  /** Null: without BLOCK; 0: for ever. */
  readonly blockMs: number | null;
  /** 0: no limit. */
  readonly count: Integer;
  readonly noAck: boolean;
  readonly group: { readonly name: Buffer; readonly consumer: Buffer } | null;
  readonly streams: readonly StreamPosition[];
}

export function readOptions(args: readonly Buffer[], isGroup: boolean): ReadOptions {
  let blockMs: number | null = null;
  let count: Integer = 0;
  let noAck = false;
  let group: ReadOptions['group'] = null;
  for (let i = 0; i < args.length; i++) {
    const option = word(args[i]);
    const more = args.length - i - 1;
    if (option === 'BLOCK' && more > 0) {
      blockMs = timeout(args[++i]);
    } else if (option === 'COUNT' && more > 0) {
      const given = integer(args[++i]);
      count = given < 0 ? 0 : given;
    } else if (option === 'STREAMS' && more > 0) {
      if (more % 2 === 1) throw new ClientError(UNBALANCED);
      if (isGroup && group === null) throw new ClientError('ERR Missing GROUP option for XREADGROUP');
      const keys = args.slice(i + 1, i + 1 + more / 2);
      const streams = keys.map((key, n) => position(key, at(args, i + 1 + more / 2 + n), isGroup));
      return { blockMs, count, noAck, group, streams };
    } else if (option === 'GROUP' && more > 1) {
      if (!isGroup) throw onlyInGroups('GROUP');
      group = { name: at(args, i + 1), consumer: at(args, i + 2) };
      i += 2;
    } else if (option === 'NOACK') {
      if (!isGroup) throw onlyInGroups('NOACK');
      noAck = true;
    } else {
      throw new ClientError(SYNTAX_ERROR);
    }
  }
  throw new ClientError(SYNTAX_ERROR);
}

function onlyInGroups(option: string): ClientError {
  return new ClientError(`ERR The ${option} option is only supported by XREADGROUP. You called XREAD instead.`);
}

function timeout(argument: Buffer | undefined): number {
  const ms = integer(argument, 'ERR timeout is not an integer or out of range');
  if (ms < 0) throw new ClientError('ERR timeout is negative');
  return Number(ms);
}

function position(key: Buffer, from: Buffer, isGroup: boolean): StreamPosition {
  if (isDollar(from)) return { key, from: 'last', refusal: isGroup ? DOLLAR_IN_GROUP : null };
  if (isGreater(from)) return { key, from: 'new', refusal: isGroup ? null : GREATER_ALONE };
  const id = strictIdOrNull(from);
  return id === null ? { key, from: 'new', refusal: INVALID_ID } : { key, from: id, refusal: null };
}

/** An entry that is gone has null for its fields. */
export const entryReply = (entry: OperationResult): Reply => {
  const [id, fields] = entry as readonly [string, OperationResult];
  return [id, fields ?? NULL_ARRAY];
};

const reply = (result: OperationResult, _args: readonly Buffer[], { resp }: TranslateContext): Reply => {
  if (result === null) return NULL_ARRAY;
  const streams = result as readonly (readonly [Buffer, readonly OperationResult[]])[];
  const replies = streams.map(([key, entries]): [Reply, Reply] => [key, entries.map(entryReply)]);
  return resp === 3 ? new MapReply(replies.flat()) : replies;
};

const common = { group: 'stream', run: 'keyed', since: '5.0.0', keys: null, reply } as const;

const xread = {
  ...common,
  name: 'xread',
  arity: -4,
  support: 'yes',
  keysBehind: { word: 'STREAMS', from: 1 },
  flags: ['readonly', 'blocking', 'movablekeys'],
  categories: ['read', 'stream', 'slow', 'blocking'],
  summary: 'Returns entries of streams behind given ids.',
  waitMs: (args) => readOptions(args, false).blockMs,
  translate: (args) => {
    const { count, streams } = readOptions(args, false);
    return operations.streamRead(streams, count);
  },
} as const satisfies KeyedCommand;

const xreadgroup = {
  ...common,
  name: 'xreadgroup',
  arity: -7,
  support: 'partly',
  note: 'It gives at most 10,000 entries of a stream at once, whatever COUNT says',
  keysBehind: { word: 'STREAMS', from: 4 },
  flags: ['write', 'blocking', 'movablekeys'],
  categories: ['write', 'stream', 'slow', 'blocking'],
  summary: 'Gives a consumer of a group new entries of streams, or those it has not acknowledged.',
  waitMs: (args) => readOptions(args, true).blockMs,
  translate: (args) => {
    const { group, noAck, count, streams } = readOptions(args, true);
    if (group === null) throw new ClientError(SYNTAX_ERROR);
    return operations.groupRead(streams, { group: group.name, consumer: group.consumer, noAck, count });
  },
} as const satisfies KeyedCommand;

export const readingCommands: readonly Command[] = [xread, xreadgroup];
