/** The options of SET and its kin: which go together, and what they become. */
import { ClientError } from '../errors.js';
import { parseInteger } from '../integers.js';
import { Expiry, getAndExpire, remove, set, SetFlag } from '../operations/codes.js';
import type { Operation } from '../operations/operation.js';
import { multiSetExpiring, removeIf } from '../operations/strings.js';
import { at, SYNTAX_ERROR, word } from './arguments.js';
import { EX, EXAT, positiveTime, PX, PXAT, type TimeUnit } from './times.js';

const INT_MAX = 2 ** 31 - 1;

const units: ReadonlyMap<string, TimeUnit> = new Map([
  ['EX', EX],
  ['PX', PX],
  ['EXAT', EXAT],
  ['PXAT', PXAT],
]);

/** At most one of: a time in one unit (its last value counts), KEEPTTL or PERSIST. */
class ExpiryOption {
  #choice: string | null = null;
  #unit: TimeUnit | null = null;
  #argument: Buffer | undefined;

  choose(name: string, unit: TimeUnit | null, argument?: Buffer): void {
    if (this.#choice !== null && this.#choice !== name) throw new ClientError(SYNTAX_ERROR);
    if (unit !== null && argument === undefined) throw new ClientError(SYNTAX_ERROR);
    this.#choice = name;
    this.#unit = unit;
    this.#argument = argument;
  }

  get chosen(): string | null {
    return this.#choice;
  }

  /** Times are read once the whole line is known to be well formed, as Redis does. */
  time(command: string): { expiry: Expiry; ms: number } | null {
    if (this.#unit === null) return null;
    return { expiry: this.#unit.expiry, ms: positiveTime(this.#argument, this.#unit, command) };
  }
}

const CONDITIONS = SetFlag.ifAbsent | SetFlag.ifPresent | SetFlag.ifEqual | SetFlag.ifNotEqual;

/** SET key value [NX | XX | IFEQ old | IFNE old] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] */
export function setOptions(args: readonly Buffer[]): Operation {
  const expiry = new ExpiryOption();
  let flags = 0;
  let compared: Buffer | null = null;
  for (let i = 2; i < args.length; i++) {
    const option = word(args[i]);
    const unit = units.get(option);
    if (unit !== undefined) expiry.choose(option, unit, args[++i]);
    else if (option === 'KEEPTTL') expiry.choose(option, null);
    else if (option === 'GET') flags |= SetFlag.returnOld;
    else if (option === 'NX' && (flags & (CONDITIONS - SetFlag.ifAbsent)) === 0) flags |= SetFlag.ifAbsent;
    else if (option === 'XX' && (flags & (CONDITIONS - SetFlag.ifPresent)) === 0) flags |= SetFlag.ifPresent;
    else if ((option === 'IFEQ' || option === 'IFNE') && (flags & CONDITIONS) === 0 && i + 1 < args.length) {
      flags |= option === 'IFEQ' ? SetFlag.ifEqual : SetFlag.ifNotEqual;
      compared = at(args, ++i);
    } else throw new ClientError(SYNTAX_ERROR);
  }
  const otherwise = expiry.chosen === 'KEEPTTL' ? Expiry.keep : Expiry.none;
  const time = expiry.time('set') ?? { expiry: otherwise, ms: 0 };
  return set(at(args, 0), at(args, 1), flags, time.expiry, time.ms, compared);
}

/** MSETEX numkeys key value [key value ...] [NX | XX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] */
export function multiSetOptions(args: readonly Buffer[]): Operation {
  const count = parseInteger(at(args, 0)) ?? 0;
  if (count <= 0 || count > INT_MAX) throw new ClientError('ERR invalid numkeys value');
  const end = 1 + 2 * Number(count);
  if (end > args.length) throw new ClientError('ERR wrong number of key-value pairs');
  const expiry = new ExpiryOption();
  let flags = 0;
  for (let i = end; i < args.length; i++) {
    const option = word(args[i]);
    const unit = units.get(option);
    if (unit !== undefined) expiry.choose(option, unit, args[++i]);
    else if (option === 'KEEPTTL') expiry.choose(option, null);
    else if (option === 'NX' && flags !== SetFlag.ifPresent) flags = SetFlag.ifAbsent;
    else if (option === 'XX' && flags !== SetFlag.ifAbsent) flags = SetFlag.ifPresent;
    else throw new ClientError(SYNTAX_ERROR);
  }
  const otherwise = expiry.chosen === 'KEEPTTL' ? Expiry.keep : Expiry.none;
  const time = expiry.time('msetex') ?? { expiry: otherwise, ms: 0 };
  return multiSetExpiring(args.slice(1, end), flags, time.expiry, time.ms);
}

/** DELEX key [IFEQ value | IFNE value] */
export function removeOptions(args: readonly Buffer[]): Operation {
  if (args.length === 1) return remove(args);
  const option = word(args[1]);
  if (args.length !== 3 || (option !== 'IFEQ' && option !== 'IFNE')) throw new ClientError(SYNTAX_ERROR);
  return removeIf(at(args, 0), at(args, 2), option === 'IFEQ');
}

/** GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] */
export function getexTime(args: readonly Buffer[]): Operation {
  const expiry = new ExpiryOption();
  for (let i = 1; i < args.length; i++) {
    const option = word(args[i]);
    const unit = units.get(option);
    if (unit !== undefined) expiry.choose(option, unit, args[++i]);
    else if (option === 'PERSIST') expiry.choose(option, null);
    else throw new ClientError(SYNTAX_ERROR);
  }
  const otherwise = expiry.chosen === 'PERSIST' ? Expiry.none : Expiry.keep;
  try {
    const time = expiry.time('getex') ?? { expiry: otherwise, ms: 0 };
    return getAndExpire(at(args, 0), time.expiry, time.ms, null);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return getAndExpire(at(args, 0), Expiry.keep, 0, error.message);
  }
}
