/** Redis's commands on the entries of streams, and its 8.2's XDELEX. What they do to a stream is in server/rows/streams.ts. */
import { ClientError } from '../errors.js';
import type { OperationResult } from '../operations/operation.js';
import * as operations from '../operations/streams.js';
import { IdMode } from '../operations/streams.js';
import { ID_MIN } from '../stream-ids.js';
import { at, integer, SYNTAX_ERROR, word, wrongArity } from './arguments.js';
import type { Command, KeyedCommand } from './command.js';
import { NULL_ARRAY, OK, type Reply } from './reply.js';
import { addOptions, rangeFrom, rangeTo, referencedIds, strictId, strictIds } from './stream-arguments.js';
import { groupCommands } from './stream-groups.js';
import { xinfo } from './stream-info.js';
import { readingCommands } from './stream-reading.js';

const onOneKey = { group: 'stream', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;
const asIs = (result: OperationResult): Reply => result;

const xadd = {
  ...onOneKey,
  name: 'xadd',
  arity: -5,
  since: '5.0.0',
  flags: ['write', 'denyoom', 'fast'],
  categories: ['write', 'stream', 'fast'],
  tips: ['nondeterministic_output'],
  summary: 'Adds an entry behind the last one of a stream, and trims the stream.',
  translate: (args, context) => {
    const { idAt, id, create, trimming } = addOptions(args, true, context.streamNodes);
    const pairs = args.slice(idAt + 1);
    if (pairs.length === 0 || pairs.length % 2 === 1) throw wrongArity('xadd');
    if (id?.sequenceGiven === true && id.id.equals(ID_MIN)) {
      throw new ClientError('ERR The ID specified in XADD must be greater than 0-0');
    }
    const mode = id === null ? IdMode.clock : id.sequenceGiven ? IdMode.whole : IdMode.milliseconds;
    const addition = { mode, id: id?.id ?? ID_MIN, create, trimming, nodes: context.streamNodes ?? null };
    return operations.streamAdd(at(args, 0), addition, pairs);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const xtrim = {
  ...onOneKey,
  name: 'xtrim',
  arity: -4,
  since: '5.0.0',
  flags: ['write'],
  categories: ['write', 'stream', 'slow'],
  tips: ['nondeterministic_output'],
  summary: 'Removes entries from the beginning of a stream.',
  translate: (args, context) => {
    const { trimming } = addOptions(args, false, context.streamNodes);
    if (trimming === null) throw new ClientError(SYNTAX_ERROR);
    return operations.streamTrim(at(args, 0), trimming);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const xlen = {
  ...onOneKey,
  name: 'xlen',
  arity: 2,
  since: '5.0.0',
  flags: ['readonly', 'fast'],
  categories: ['read', 'stream', 'fast'],
  summary: 'Returns how many entries a stream has.',
  translate: (args) => operations.streamLength(at(args, 0)),
  reply: asIs,
} as const satisfies KeyedCommand;

/** COUNT, -1 when not given. */
function countOption(args: readonly Buffer[]): number {
  let count = -1;
  for (let i = 3; i < args.length; i += 2) {
    if (word(args[i]) !== 'COUNT' || i + 1 >= args.length) throw new ClientError(SYNTAX_ERROR);
    count = Math.max(0, Number(integer(args[i + 1])));
  }
  return count;
}

const ranges = {
  ...onOneKey,
  arity: -4,
  since: '5.0.0',
  flags: ['readonly'],
  categories: ['read', 'stream', 'slow'],
  reply: (result: OperationResult): Reply => result ?? NULL_ARRAY,
} as const;

const xrange = {
  ...ranges,
  name: 'xrange',
  summary: 'Returns entries between two ids.',
  translate: (args) => {
    const from = rangeFrom(at(args, 1));
    const to = rangeTo(at(args, 2));
    return operations.streamRange(at(args, 0), from, to, false, countOption(args));
  },
} as const satisfies KeyedCommand;

const xrevrange = {
  ...ranges,
  name: 'xrevrange',
  summary: 'Returns entries between two ids, the last one first.',
  translate: (args) => {
    const from = rangeFrom(at(args, 2));
    const to = rangeTo(at(args, 1));
    return operations.streamRange(at(args, 0), from, to, true, countOption(args));
  },
} as const satisfies KeyedCommand;

const xdel = {
  ...onOneKey,
  name: 'xdel',
  arity: -3,
  since: '5.0.0',
  flags: ['write', 'fast'],
  categories: ['write', 'stream', 'fast'],
  summary: 'Removes entries from a stream.',
  translate: (args) => {
    const { refusal, ids } = strictIds(args.slice(1));
    return operations.streamRemove(at(args, 0), refusal, ids);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const xdelex = {
  ...onOneKey,
  name: 'xdelex',
  arity: -5,
  since: '8.2.0',
  flags: ['write', 'fast'],
  categories: ['write', 'stream', 'fast'],
  summary: 'Removes entries from a stream and says what becomes of references to them in groups.',
  translate: (args) => {
    const { references, ids } = referencedIds(args, 1);
    return operations.streamRemoveReferenced(at(args, 0), references, ids);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const xsetid = {
  ...onOneKey,
  name: 'xsetid',
  arity: -3,
  since: '5.0.0',
  flags: ['write', 'denyoom', 'fast'],
  categories: ['write', 'stream', 'fast'],
  summary: 'Sets the last id of a stream, and what it says about entries it had.',
  translate: (args) => {
    const id = strictId(args[1]);
    let entriesAdded: ReturnType<typeof integer> | null = null;
    let maxDeletedId: Buffer | null = null;
    for (let i = 2; i < args.length; i += 2) {
      const option = i + 1 < args.length ? word(args[i]) : '';
      if (option === 'ENTRIESADDED') {
        entriesAdded = integer(args[i + 1]);
        if (entriesAdded < 0) throw new ClientError('ERR entries_added must be positive');
      } else if (option === 'MAXDELETEDID') {
        maxDeletedId = strictId(args[i + 1]);
        if (id.compare(maxDeletedId) < 0) {
          throw new ClientError('ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id');
        }
      } else {
        throw new ClientError(SYNTAX_ERROR);
      }
    }
    return operations.streamSetId(at(args, 0), id, entriesAdded, maxDeletedId);
  },
  reply: () => OK,
} as const satisfies KeyedCommand;

export const streamCommands: readonly Command[] = [
  xadd,
  xtrim,
  xlen,
  xrange,
  xrevrange,
  xdel,
  xdelex,
  xsetid,
  ...readingCommands,
  ...groupCommands,
  xinfo,
];
