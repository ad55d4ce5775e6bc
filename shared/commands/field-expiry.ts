/** Commands of Redis 7.4 and 8.0 on hashes whose fields expire. Redis 7.0 has none of them. */
import { ClientError } from '../errors.js';
import { Expiry, ExpireFlag } from '../operations/codes.js';
import * as operations from '../operations/hashes.js';
import { HashSetFlag } from '../operations/hashes.js';
import type { Operation, OperationResult } from '../operations/operation.js';
import { at, integer, word, wrongArity } from './arguments.js';
import type { Command, KeyedCommand, TranslateContext } from './command.js';
import type { Reply } from './reply.js';
import { EX, EXAT, PX, PXAT, type TimeUnit } from './times.js';

const MISPLACED = 'ERR Mandatory argument FIELDS is missing or not at the right position';
const NOT_SO_MANY = 'ERR The `numfields` parameter must match the number of arguments';
/** Redis keeps 46 bits of milliseconds. */
const LATEST_MS = 2 ** 46 - 1;

const onOneKey = { group: 'hash', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;
const setsExpiry = { ...onOneKey, flags: ['write', 'fast'], categories: ['write', 'hash', 'fast'] } as const;
const tellsExpiry = {
  ...onOneKey,
  arity: -5,
  since: '7.4.0',
  flags: ['readonly', 'fast'],
  categories: ['read', 'hash', 'fast'],
} as const;

const asIs = (result: OperationResult): Reply => result;

const conditions: ReadonlyMap<string, number> = new Map([
  ['NX', ExpireFlag.ifNone],
  ['XX', ExpireFlag.ifSome],
  ['GT', ExpireFlag.ifGreater],
  ['LT', ExpireFlag.ifLess],
]);

const units: ReadonlyMap<string, TimeUnit> = new Map([
  ['EX', EX],
  ['PX', PX],
  ['EXAT', EXAT],
  ['PXAT', PXAT],
]);

/** FIELDS count field ... from `start` to the end. */
function namedFields(args: readonly Buffer[], start: number, badCount: string): readonly Buffer[] {
  if (word(args[start]) !== 'FIELDS') throw new ClientError(MISPLACED);
  const count = integer(args[start + 1], badCount);
  if (count < 1) throw new ClientError(badCount);
  const named = args.slice(start + 2);
  if (count !== named.length) throw new ClientError(NOT_SO_MANY);
  return named;
}

const COUNT_NOT_POSITIVE = 'ERR Number of fields must be a positive integer';

/** Milliseconds, not below zero. */
function time(argument: Buffer | undefined, unit: TimeUnit, command: string): number {
  const value = integer(argument);
  if (value < 0) throw new ClientError('ERR invalid expire time, must be >= 0');
  const ms = Number(value) * unit.milliseconds;
  if (ms > LATEST_MS) throw new ClientError(`ERR invalid expire time in '${command}' command`);
  return ms;
}

/** key time [NX | XX | GT | LT] FIELDS count field ... */
const expire =
  (name: string, unit: TimeUnit) =>
  (args: readonly Buffer[]): Operation => {
    const ms = time(args[1], unit, name);
    const condition = conditions.get(word(args[2]));
    const named = namedFields(
      args,
      condition === undefined ? 2 : 3,
      'ERR Parameter `numFields` should be greater than 0',
    );
    return operations.hashExpire(at(args, 0), unit.expiry, ms, condition ?? 0, named);
  };

const expires = (name: string, unit: TimeUnit, summary: string) =>
  ({
    ...setsExpiry,
    name,
    arity: -6,
    since: '7.4.0',
    summary,
    translate: expire(name, unit),
    reply: asIs,
  }) as const satisfies KeyedCommand;

/** Rounded up; what is below zero says something else. */
const seconds = (result: OperationResult): Reply =>
  (result as readonly number[]).map((ms) => (ms < 0 ? ms : Math.ceil(ms / 1000)));

const tells = (name: string, summary: string, operation: typeof operations.hashTimesToLive, reply: typeof asIs) =>
  ({
    ...tellsExpiry,
    name,
    summary,
    translate: (args: readonly Buffer[]) => operation(at(args, 0), namedFields(args, 1, COUNT_NOT_POSITIVE)),
    reply,
  }) as const satisfies KeyedCommand;

const hpersist = {
  ...setsExpiry,
  name: 'hpersist',
  arity: -5,
  since: '7.4.0',
  summary: 'Removes the expiry of fields.',
  translate: (args) => operations.hashPersist(at(args, 0), namedFields(args, 1, COUNT_NOT_POSITIVE)),
  reply: asIs,
} as const satisfies KeyedCommand;

const hgetdel = {
  ...setsExpiry,
  name: 'hgetdel',
  arity: -5,
  since: '8.0.0',
  summary: 'Returns the values of fields and removes the fields.',
  translate: (args) => operations.hashGetAndRemove(at(args, 0), namedFields(args, 1, COUNT_NOT_POSITIVE)),
  reply: asIs,
} as const satisfies KeyedCommand;

/** key [EX | PX | EXAT | PXAT time | PERSIST] FIELDS count field ... */
const hgetex = {
  ...setsExpiry,
  name: 'hgetex',
  arity: -5,
  since: '8.0.0',
  summary: 'Returns the values of fields and sets or removes their expiry.',
  translate: (args) => {
    const option = word(args[1]);
    const unit = units.get(option);
    if (unit !== undefined) {
      const named = (): readonly Buffer[] => namedFields(args, 3, COUNT_NOT_POSITIVE);
      return operations.hashGetAndExpire(at(args, 0), unit.expiry, time(args[2], unit, 'hgetex'), named());
    }
    const persists = option === 'PERSIST';
    const named = namedFields(args, persists ? 2 : 1, COUNT_NOT_POSITIVE);
    return operations.hashGetAndExpire(at(args, 0), persists ? Expiry.none : Expiry.keep, 0, named);
  },
  reply: asIs,
} as const satisfies KeyedCommand;

/** key [FNX | FXX] [EX | PX | EXAT | PXAT time | KEEPTTL] FIELDS count field value ... */
function setWithExpiry(args: readonly Buffer[], context: TranslateContext): Operation {
  let flags = 0;
  let expiry: Expiry | null = null;
  let ms = 0;
  for (let i = 1; ; i++) {
    const option = word(args[i]);
    if (option === 'FIELDS') {
      const pairs = pairsFrom(args, i);
      return operations.hashSetIf(at(args, 0), context.hashLimits ?? null, flags, expiry ?? Expiry.none, ms, pairs);
    }
    const unit = units.get(option);
    if (unit !== undefined || option === 'KEEPTTL') {
      if (expiry !== null) {
        throw new ClientError('ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified');
      }
      expiry = unit?.expiry ?? Expiry.keep;
      if (unit === undefined) continue;
      i++;
      if (i >= args.length) throw new ClientError('ERR missing expire time');
      ms = time(args[i], unit, 'hsetex');
    } else if (option === 'FNX' || option === 'FXX') {
      if (flags !== 0) throw new ClientError('ERR Only one of FXX or FNX arguments can be specified');
      flags = option === 'FNX' ? HashSetFlag.ifNone : HashSetFlag.ifAll;
    } else {
      if (i >= args.length) throw wrongArity('hsetex');
      throw new ClientError(`ERR unknown argument: ${at(args, i).toString()}`);
    }
  }
}

function pairsFrom(args: readonly Buffer[], start: number): readonly Buffer[] {
  const pairs = args.slice(start + 2);
  if (pairs.length < 2) throw wrongArity('hsetex');
  const error = 'ERR invalid number of fields';
  const count = integer(args[start + 1], error);
  if (count < 1) throw new ClientError(error);
  if (Number(count) * 2 !== pairs.length) throw wrongArity('hsetex');
  return pairs;
}

const hsetex = {
  ...onOneKey,
  name: 'hsetex',
  arity: -6,
  since: '8.0.0',
  flags: ['write', 'denyoom', 'fast'],
  categories: ['write', 'hash', 'fast'],
  summary: 'Sets fields of a hash with an expiry, if all or none of them exist where that is asked for.',
  translate: setWithExpiry,
  reply: (result) => (result === true ? 1 : 0),
} as const satisfies KeyedCommand;

export const fieldExpiryCommands: readonly Command[] = [
  expires('hexpire', EX, 'Lets fields expire after some seconds.'),
  expires('hpexpire', PX, 'Lets fields expire after some milliseconds.'),
  expires('hexpireat', EXAT, 'Lets fields expire at a Unix time in seconds.'),
  expires('hpexpireat', PXAT, 'Lets fields expire at a Unix time in milliseconds.'),
  tells('httl', 'Tells how many seconds fields have left.', operations.hashTimesToLive, seconds),
  tells('hpttl', 'Tells how many milliseconds fields have left.', operations.hashTimesToLive, asIs),
  tells('hexpiretime', 'Tells the Unix time in seconds at which fields expire.', operations.hashExpireTimes, seconds),
  tells(
    'hpexpiretime',
    'Tells the Unix time in milliseconds at which fields expire.',
    operations.hashExpireTimes,
    asIs,
  ),
  hpersist,
  hgetdel,
  hgetex,
  hsetex,
];
