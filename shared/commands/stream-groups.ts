/** Commands on consumer groups and what is pending in them. What they do is in server/rows/stream-groups.ts and stream-pending.ts. */
import { ClientError } from '../errors.js';
import { parseInteger } from '../integers.js';
import type { Integer } from '../operations/codes.js';
import type { Operation, OperationResult } from '../operations/operation.js';
import * as operations from '../operations/streams.js';
import { DeliveredMode } from '../operations/streams.js';
import { ID_MIN } from '../stream-ids.js';
import { at, integer, integerWithin, SYNTAX_ERROR, word } from './arguments.js';
import type { Command, ConstantCommand, ContainerCommand, KeyedCommand } from './command.js';
import { NULL_ARRAY, OK, type Reply, SimpleString } from './reply.js';
import {
  INVALID_ID,
  isDollar,
  looseId,
  rangeFrom,
  rangeTo,
  referencedIds,
  strictIdOrNull,
  strictIds,
} from './stream-arguments.js';

const onOneKey = { group: 'stream', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;
const fastWrite = { ...onOneKey, flags: ['write', 'fast'], categories: ['write', 'stream', 'fast'] } as const;

const asIs = (result: OperationResult): Reply => result;
const zeroOrOne = (result: OperationResult): Reply => (result === true ? 1 : 0);

const xack = {
  ...fastWrite,
  name: 'xack',
  arity: -4,
  since: '5.0.0',
  summary: 'Acknowledges entries that a consumer of a group was given.',
  translate: (args) => {
    const { refusal, ids } = strictIds(args.slice(2));
    return operations.groupAcknowledge(at(args, 0), at(args, 1), refusal, ids);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const xackdel = {
  ...fastWrite,
  name: 'xackdel',
  arity: -6,
  since: '8.2.0',
  summary: 'Acknowledges entries and removes them from the stream.',
  translate: (args) => {
    const { references, ids } = referencedIds(args, 2);
    return operations.groupAcknowledgeRemove(at(args, 0), at(args, 1), references, ids);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const xpending = {
  ...onOneKey,
  name: 'xpending',
  arity: -3,
  since: '5.0.0',
  flags: ['readonly'],
  categories: ['read', 'stream', 'slow'],
  tips: ['nondeterministic_output'],
  summary: 'Tells what a group was given and has not acknowledged.',
  translate: (args) => {
    const key = at(args, 0);
    const group = at(args, 1);
    if (args.length === 2) return operations.groupPending(key, group);
    if (args.length < 5 || args.length > 8) throw new ClientError(SYNTAX_ERROR);
    const hasIdle = word(args[2]) === 'IDLE';
    const idleMs = hasIdle ? integer(args[3]) : 0;
    if (hasIdle && args.length < 7) throw new ClientError(SYNTAX_ERROR);
    const first = hasIdle ? 4 : 2;
    const count = integer(args[first + 2]);
    const from = rangeFrom(at(args, first));
    const to = rangeTo(at(args, first + 1));
    const range = { from, to, count: count < 0 ? 0 : count, idleMs, consumer: args[first + 3] ?? null };
    return operations.groupPendingRange(key, group, range);
  },
  reply: (result, args) => {
    if (args.length > 2) return result;
    const [pending, first, last, consumers] = result as readonly OperationResult[];
    return [pending ?? 0, first ?? null, last ?? null, consumers ?? NULL_ARRAY];
  },
} as const satisfies KeyedCommand;

interface ClaimOptions {
  readonly claim: operations.Claim;
  readonly refusal: string | null;
  readonly ids: readonly Buffer[];
}

/** What is wrong with them, Redis says once it has found the group. */
function claimOptions(args: readonly Buffer[]): ClaimOptions {
  let delivered: DeliveredMode = DeliveredMode.now;
  let ms: Integer = 0;
  let deliveries: Integer | null = null;
  let force = false;
  let idsOnly = false;
  let lastId: Buffer | null = null;
  let refusal: string | null = null;
  const refuse = (text: string): void => {
    refusal ??= text;
  };
  const number = (argument: Buffer | undefined, what: string): Integer => {
    const value = parseInteger(argument ?? ID_MIN);
    if (value === null) refuse(`ERR Invalid ${what} argument for XCLAIM`);
    return value ?? 0;
  };
  const idleMs = number(args[3], 'min-idle-time');
  const ids: Buffer[] = [];
  let i = 4;
  for (; i < args.length; i++) {
    const id = strictIdOrNull(at(args, i));
    if (id === null) break;
    ids.push(id);
  }
  for (; i < args.length && refusal === null; i++) {
    const option = word(args[i]);
    const hasMore = i + 1 < args.length;
    if (option === 'FORCE') force = true;
    else if (option === 'JUSTID') idsOnly = true;
    else if ((option === 'IDLE' || option === 'TIME') && hasMore) {
      delivered = option === 'IDLE' ? DeliveredMode.ago : DeliveredMode.at;
      ms = number(args[++i], `${option} option`);
    } else if (option === 'RETRYCOUNT' && hasMore) deliveries = number(args[++i], 'RETRYCOUNT option');
    else if (option === 'LASTID' && hasMore) {
      lastId = strictIdOrNull(at(args, ++i));
      if (lastId === null) refuse(INVALID_ID);
    } else refuse(`ERR Unrecognized XCLAIM option '${at(args, i).toString()}'`);
  }
  const claim = { consumer: at(args, 2), idleMs, delivered, ms, deliveries, force, idsOnly, lastId };
  return { claim, refusal, ids };
}

const xclaim = {
  ...fastWrite,
  name: 'xclaim',
  arity: -6,
  since: '5.0.0',
  tips: ['nondeterministic_output'],
  summary: 'Hands pending entries to another consumer of the group.',
  translate: (args) => {
    const { claim, refusal, ids } = claimOptions(args);
    return operations.groupClaim(at(args, 0), at(args, 1), refusal, claim, ids);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

/** What Redis can still multiply by the size of an id. */
const AUTOCLAIM_COUNT_MAX = 2 ** 59 - 1;

const xautoclaim = {
  ...fastWrite,
  name: 'xautoclaim',
  arity: -6,
  since: '6.2.0',
  tips: ['nondeterministic_output'],
  summary: 'Hands entries that have been pending for long to another consumer of the group.',
  note: 'at most 10,000 at once, whatever COUNT says; the id returned says where to go on',
  translate: (args) => {
    const idle = integer(args[3], 'ERR Invalid min-idle-time argument for XAUTOCLAIM');
    const from = rangeFrom(at(args, 4));
    let count = 100;
    let idsOnly = false;
    for (let i = 5; i < args.length; i++) {
      const option = word(args[i]);
      if (option === 'COUNT' && i + 1 < args.length) {
        count = integerWithin(args[++i], 1, AUTOCLAIM_COUNT_MAX, 'ERR COUNT must be > 0');
      } else if (option === 'JUSTID') {
        idsOnly = true;
      } else {
        throw new ClientError(SYNTAX_ERROR);
      }
    }
    const claim = { consumer: at(args, 2), idleMs: idle < 0 ? 0 : idle, from, count, idsOnly };
    return operations.groupAutoClaim(at(args, 0), at(args, 1), claim);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

const onGroup = { ...onOneKey, keys: { first: 2, last: 2, step: 1 }, since: '5.0.0' } as const;
const changesGroup = { ...onGroup, flags: ['write'], categories: ['write', 'stream', 'slow'] } as const;
const growsGroup = { ...changesGroup, flags: ['write', 'denyoom'] } as const;

interface GroupOptions {
  readonly create: boolean;
  /** -1: unknown. */
  readonly entriesRead: Integer;
}

/** Behind key, name and id. */
function groupOptions(args: readonly Buffer[], subcommand: 'CREATE' | 'SETID', argsMax: number): GroupOptions {
  let create = false;
  let entriesRead: Integer = -1;
  const unknown = new ClientError(
    `ERR unknown subcommand or wrong number of arguments for '${subcommand}'. Try XGROUP HELP.`,
  );
  for (let i = 3; i < args.length; i++) {
    const option = word(args[i]);
    if (option === 'MKSTREAM' && subcommand === 'CREATE') {
      create = true;
    } else if (option === 'ENTRIESREAD' && i + 1 < args.length) {
      entriesRead = integer(args[++i]);
      if (entriesRead < -1) throw new ClientError('ERR value for ENTRIESREAD must be positive or -1');
    } else {
      throw unknown;
    }
  }
  if (args.length > argsMax) throw unknown;
  return { create, entriesRead };
}

const create = {
  ...growsGroup,
  name: 'xgroup|create',
  arity: -5,
  summary: 'Creates a consumer group.',
  translate: (args): Operation => {
    const options = groupOptions(args, 'CREATE', 6);
    const given = at(args, 2);
    const id = isDollar(given) ? null : strictIdOrNull(given);
    const refusal = id === null && !isDollar(given) ? INVALID_ID : null;
    return operations.groupCreate(at(args, 0), at(args, 1), id, options.entriesRead, options.create, refusal);
  },
  reply: () => OK,
} as const satisfies KeyedCommand;

const setid = {
  ...changesGroup,
  name: 'xgroup|setid',
  arity: -5,
  summary: 'Sets the id of what a group was given last.',
  translate: (args): Operation => {
    const { entriesRead } = groupOptions(args, 'SETID', 5);
    const given = at(args, 2);
    let id: Buffer | null = null;
    let refusal: string | null = null;
    try {
      if (!isDollar(given)) id = looseId(given);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      refusal = error.message;
    }
    return operations.groupSetId(at(args, 0), at(args, 1), id, entriesRead, refusal);
  },
  reply: () => OK,
} as const satisfies KeyedCommand;

const destroy = {
  ...changesGroup,
  name: 'xgroup|destroy',
  arity: 4,
  summary: 'Removes a consumer group.',
  translate: (args) => operations.groupDestroy(at(args, 0), at(args, 1)),
  reply: zeroOrOne,
} as const satisfies KeyedCommand;

const createconsumer = {
  ...growsGroup,
  name: 'xgroup|createconsumer',
  arity: 5,
  since: '6.2.0',
  summary: 'Creates a consumer in a group.',
  translate: (args) => operations.consumerCreate(at(args, 0), at(args, 1), at(args, 2)),
  reply: zeroOrOne,
} as const satisfies KeyedCommand;

const delconsumer = {
  ...changesGroup,
  name: 'xgroup|delconsumer',
  arity: 5,
  summary: 'Removes a consumer from a group, with what it has not acknowledged.',
  translate: (args) => operations.consumerRemove(at(args, 0), at(args, 1), at(args, 2)),
  reply: asIs,
} as const satisfies KeyedCommand;

const helpLines = [
  'XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'CREATE <key> <groupname> <id|$> [MKSTREAM] [ENTRIESREAD <n>]',
  '    Creates a group that is given entries behind the id.',
  'CREATECONSUMER <key> <groupname> <consumer>',
  '    Creates a consumer.',
  'DELCONSUMER <key> <groupname> <consumer>',
  '    Removes a consumer.',
  'DESTROY <key> <groupname>',
  '    Removes a group.',
  'SETID <key> <groupname> <id|$> [ENTRIESREAD <n>]',
  '    Sets what the group was given last.',
  'HELP',
  '    This text.',
];

const help = {
  name: 'xgroup|help',
  arity: 2,
  since: '5.0.0',
  group: 'stream',
  support: 'yes',
  run: 'constant',
  keys: null,
  flags: ['loading', 'stale'],
  categories: ['stream', 'slow'],
  summary: 'Lists the subcommands of XGROUP.',
  answer: () => helpLines.map((line) => new SimpleString(line)),
} as const satisfies ConstantCommand;

const xgroup = {
  name: 'xgroup',
  arity: -2,
  since: '5.0.0',
  group: 'stream',
  support: 'yes',
  run: 'container',
  keys: null,
  flags: [],
  categories: ['slow'],
  summary: 'Makes and ends consumer groups and their consumers.',
  subcommands: [create, createconsumer, delconsumer, destroy, setid, help],
} as const satisfies ContainerCommand;

export const groupCommands: readonly Command[] = [xack, xackdel, xpending, xclaim, xautoclaim, xgroup];
