/** Commands that set, remove and tell when a key expires. */
import { ClientError } from '../errors.js';
import * as operations from '../operations/codes.js';
import { ExpireFlag } from '../operations/codes.js';
import type { OperationResult } from '../operations/operation.js';
import { at } from './arguments.js';
import type { Command, KeyedCommand } from './command.js';
import type { Reply } from './reply.js';
import { anyTime, EX, EXAT, PX, PXAT, type TimeUnit } from './times.js';

const onOneKey = {
  group: 'generic',
  support: 'yes',
  run: 'keyed',
  keys: { first: 1, last: 1, step: 1 },
} as const;
const setsExpiry = {
  ...onOneKey,
  note: 'a time after the year 10889 counts as that year',
  arity: -3,
  flags: ['write', 'fast'],
  categories: ['keyspace', 'write', 'fast'],
  reply: (result: OperationResult): Reply => (result === true ? 1 : 0),
} as const;
const tellsExpiry = {
  ...onOneKey,
  arity: 2,
  flags: ['readonly', 'fast'],
  categories: ['keyspace', 'read', 'fast'],
} as const;

const conditions: ReadonlyMap<string, number> = new Map([
  ['NX', ExpireFlag.ifNone],
  ['XX', ExpireFlag.ifSome],
  ['GT', ExpireFlag.ifGreater],
  ['LT', ExpireFlag.ifLess],
]);

/** Arguments: key, time, conditions. Conditions are judged before the time, as in Redis. */
const expire = (name: string, unit: TimeUnit) => (args: readonly Buffer[]) => {
  let flags = 0;
  for (let i = 2; i < args.length; i++) {
    const option = at(args, i).toString();
    const condition = conditions.get(option.toUpperCase());
    if (condition === undefined) throw new ClientError(`ERR Unsupported option ${option}`);
    flags |= condition;
  }
  if ((flags & ExpireFlag.ifNone) !== 0 && flags !== ExpireFlag.ifNone) {
    throw new ClientError('ERR NX and XX, GT or LT options at the same time are not compatible');
  }
  if ((flags & ExpireFlag.ifGreater) !== 0 && (flags & ExpireFlag.ifLess) !== 0) {
    throw new ClientError('ERR GT and LT options at the same time are not compatible');
  }
  return operations.expire(at(args, 0), unit.expiry, anyTime(args[1], unit, name), flags);
};

const milliseconds = (result: OperationResult): Reply => result;
/** Rounded to the nearest second; -1 and -2 say something else. */
const seconds = (result: OperationResult): Reply => {
  const ms = Number(result);
  return ms < 0 ? ms : Math.floor((ms + 500) / 1000);
};

export const expiryCommands: readonly Command[] = [
  {
    ...setsExpiry,
    name: 'expire',
    since: '1.0.0',
    summary: 'Lets a key expire after some seconds.',
    translate: expire('expire', EX),
  },
  {
    ...setsExpiry,
    name: 'pexpire',
    since: '2.6.0',
    summary: 'Lets a key expire after some milliseconds.',
    translate: expire('pexpire', PX),
  },
  {
    ...setsExpiry,
    name: 'expireat',
    since: '1.2.0',
    summary: 'Lets a key expire at a Unix time in seconds.',
    translate: expire('expireat', EXAT),
  },
  {
    ...setsExpiry,
    name: 'pexpireat',
    since: '2.6.0',
    summary: 'Lets a key expire at a Unix time in milliseconds.',
    translate: expire('pexpireat', PXAT),
  },
  {
    ...onOneKey,
    name: 'persist',
    arity: 2,
    since: '2.2.0',
    flags: ['write', 'fast'],
    categories: ['keyspace', 'write', 'fast'],
    summary: 'Removes the expiry of a key.',
    translate: (args) => operations.persist(at(args, 0)),
    reply: setsExpiry.reply,
  },
  {
    ...tellsExpiry,
    name: 'ttl',
    since: '1.0.0',
    tips: ['nondeterministic_output'],
    summary: 'Tells how many seconds a key has left.',
    translate: (args) => operations.timeToLive(at(args, 0)),
    reply: seconds,
  },
  {
    ...tellsExpiry,
    name: 'pttl',
    since: '2.6.0',
    tips: ['nondeterministic_output'],
    summary: 'Tells how many milliseconds a key has left.',
    translate: (args) => operations.timeToLive(at(args, 0)),
    reply: milliseconds,
  },
  {
    ...tellsExpiry,
    name: 'expiretime',
    since: '7.0.0',
    summary: 'Tells the Unix time in seconds at which a key expires.',
    translate: (args) => operations.expireTime(at(args, 0)),
    reply: seconds,
  },
  {
    ...tellsExpiry,
    name: 'pexpiretime',
    since: '7.0.0',
    summary: 'Tells the Unix time in milliseconds at which a key expires.',
    translate: (args) => operations.expireTime(at(args, 0)),
    reply: milliseconds,
  },
] satisfies KeyedCommand[];
