/**
 * SCAN over all partitions. The cursor that clients hold is slot * 2^32 + hash in decimal: where the walk
 * is in the order that all partitioning keeps, so nobody has to remember it. Every key that is there from
 * beginning to end lies at one position and is met when the walk passes it.
 */
import { ClientError } from '../errors.js';
import { limits } from '../limits.js';
import { scan } from '../operations/codes.js';
import type { Operation, OperationResult } from '../operations/operation.js';
import { SLOTS } from '../slots.js';
import { at, integer, SYNTAX_ERROR, word } from './arguments.js';
import type { Reply } from './reply.js';

const HASHES = 2 ** 32;
const END = SLOTS * HASHES;
const DEFAULT_COUNT = 10;
const U64_MAX = 2n ** 64n - 1n;

/** The slot whose partition goes on from `cursor`. */
export function slotOfCursor(cursor: number): number {
  return Math.floor(cursor / HASHES);
}

/**
 * One command's walk. Until it is finished: send `operation()` to the partition of `slot`, and `add` the
 * result. It goes on over partitions until enough keys have been visited, so that empty partitions cost
 * the client nothing.
 */
export abstract class Walk {
  protected readonly keys: Buffer[] = [];
  protected cursor: number;
  readonly #pattern: Buffer | null;
  readonly #typeName: string | null;
  #left: number;
  #finished = false;

  protected constructor(cursor: number, count: number, pattern: Buffer | null, typeName: string | null) {
    this.cursor = cursor;
    this.#left = count;
    this.#pattern = pattern;
    this.#typeName = typeName;
    // A cursor that no walk gives out: there is nothing behind it.
    if (cursor >= END) this.#finish(0);
  }

  get finished(): boolean {
    return this.#finished;
  }

  get slot(): number {
    return slotOfCursor(this.cursor);
  }

  operation(): Operation {
    return scan(this.cursor, Math.min(this.#left, limits.scanVisited), this.#pattern, this.#typeName);
  }

  add(result: OperationResult): void {
    const [cursor, keys, visited] = result as readonly [number, readonly Buffer[], number];
    for (const key of keys) this.keys.push(key);
    this.#left -= visited;
    if (cursor === 0 || this.#left <= 0) this.#finish(cursor);
    else this.cursor = cursor;
  }

  abstract reply(): Reply;

  #finish(cursor: number): void {
    this.cursor = cursor;
    this.#finished = true;
  }
}

/** SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]: about COUNT keys are visited. */
export class ScanWalk extends Walk {
  /** `args` without the command's name. Throws ClientError. */
  constructor(args: readonly Buffer[]) {
    const cursor = cursorArgument(at(args, 0));
    let count = DEFAULT_COUNT;
    let pattern: Buffer | null = null;
    let typeName: string | null = null;
    for (let i = 1; i < args.length; i += 2) {
      const option = word(args[i]);
      const value = at(args, i + 1);
      if (option === 'COUNT') count = countArgument(value);
      else if (option === 'MATCH') pattern = value;
      else if (option === 'TYPE') typeName = value.toString().toLowerCase();
      else throw new ClientError(SYNTAX_ERROR);
    }
    super(cursor, Math.min(count, limits.scanCount), pattern, typeName);
  }

  reply(): Reply {
    return [this.cursor.toString(), this.keys];
  }
}

/**
 * KEYS pattern: the whole walk at once. In pieces, because one operation over millions of keys would hold up
 * everybody; so keys that come or go meanwhile may or may not be in it.
 */
export class KeysWalk extends Walk {
  constructor(args: readonly Buffer[]) {
    super(0, Number.POSITIVE_INFINITY, at(args, 0), null);
  }

  reply(): Reply {
    return this.keys;
  }
}

/** SSCAN and its kin: key cursor [MATCH pattern] [COUNT count]. */
export interface ElementScan {
  readonly cursor: number;
  readonly count: number;
  readonly pattern: Buffer | null;
  /** What is wrong with the options: Redis says so only when the key exists. */
  readonly refusal: string | null;
  /** HSCAN's NOVALUES. */
  readonly noValues: boolean;
}

/** `args` without the command's name. Throws ClientError. */
export function elementScan(args: readonly Buffer[], mayHaveNoValues = false): ElementScan {
  const cursor = cursorArgument(at(args, 1));
  let count = DEFAULT_COUNT;
  let pattern: Buffer | null = null;
  let noValues = false;
  try {
    for (let i = 2; i < args.length; i += 2) {
      const option = word(args[i]);
      if (option === 'NOVALUES' && mayHaveNoValues) {
        noValues = true;
        i--;
        continue;
      }
      const value = at(args, i + 1);
      if (option === 'COUNT') count = countArgument(value);
      else if (option === 'MATCH') pattern = value;
      else throw new ClientError(SYNTAX_ERROR);
    }
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { cursor, count, pattern, refusal: error.message, noValues };
  }
  return { cursor, count: Math.min(count, limits.scanCount), pattern, refusal: null, noValues };
}

function countArgument(value: Buffer): number {
  const count = Number(integer(value));
  if (count < 1) throw new ClientError(SYNTAX_ERROR);
  return count;
}

/** What C's strtoul reads to the end, as Redis does: a sign is allowed, an empty text is 0. */
function cursorArgument(argument: Buffer): number {
  const text = argument.latin1Slice(0, argument.length);
  const digits = /^([+-]?)(\d{0,40})$/.exec(text);
  if (digits === null || (text.length > 0 && digits[2] === '')) throw new ClientError('ERR invalid cursor');
  const value = BigInt(digits[2] ?? 0);
  if (value > U64_MAX) throw new ClientError('ERR invalid cursor');
  return digits[1] === '-' && value !== 0n ? END : Number(value);
}
