/** One table as the native client sees it. Keys and values are bytes; strings stand for their UTF-8. */
import { OperatingError } from '../errors.js';
import { slotOfCursor } from '../commands/scan.js';
import type { Integer } from '../operations/codes.js';
import * as operations from '../operations/fields.js';
import type { Check } from '../operations/fields.js';
import type { Operation, OperationResult } from '../operations/operation.js';
import { slotOf } from '../slots.js';

export type Bytes = Buffer | string;

/** At most one of them; neither: for ever. Whole numbers above 0. */
export interface Ttl {
  readonly ttlMs?: number;
  readonly ttlSeconds?: number;
}

export interface NewField extends Ttl {
  readonly sortKey: Bytes;
  readonly value: Bytes;
}

export interface FieldEntry {
  readonly sortKey: Buffer;
  readonly value: Buffer;
}

export interface RowEntry extends FieldEntry {
  readonly hashKey: Buffer;
}

export interface CheckAndSetRequest extends Ttl {
  /** Of Check: what must hold for `checkSortKey`. */
  readonly check: Check;
  readonly checkSortKey: Bytes;
  /** What comparisons compare with. */
  readonly operand?: Bytes;
  /** What is set then; the checked field itself when left out. */
  readonly setSortKey?: Bytes;
  /** Null removes the field. */
  readonly value: Bytes | null;
}

export interface HashScanOptions {
  /** Inclusive. */
  readonly from?: Bytes;
  /** Exclusive. */
  readonly to?: Bytes;
  readonly reverse?: boolean;
  /** Fields asked for at a time. */
  readonly pageSize?: number;
}

export interface FullScanOptions {
  /** Rows, and fields of one row, asked for at a time. */
  readonly pageSize?: number;
}

type Submit = (slot: number, operation: Operation) => Promise<OperationResult>;

const DEFAULT_PAGE = 100;
const NOTHING = Buffer.alloc(0);

export class TulparTable {
  readonly name: string;
  readonly #submit: Submit;

  constructor(name: string, submit: Submit) {
    this.name = name;
    this.#submit = submit;
  }

  /** The value, null when there is none. */
  async get(hashKey: Bytes, sortKey: Bytes): Promise<Buffer | null> {
    const key = bytes(hashKey);
    return (await this.#run(key, operations.fieldGet(key, bytes(sortKey)))) as Buffer | null;
  }

  /** True when the field is new. */
  async set(hashKey: Bytes, sortKey: Bytes, value: Bytes, ttl: Ttl = {}): Promise<boolean> {
    return (await this.multiSet(hashKey, [{ sortKey, value, ...ttl }])) === 1;
  }

  /** Values in the order of `sortKeys`, null where there is none. */
  async multiGet(hashKey: Bytes, sortKeys: readonly Bytes[]): Promise<(Buffer | null)[]> {
    const key = bytes(hashKey);
    return (await this.#run(key, operations.fieldMultiGet(key, sortKeys.map(bytes)))) as (Buffer | null)[];
  }

  /** Sets all of them or none; how many are new. */
  async multiSet(hashKey: Bytes, fields: readonly NewField[]): Promise<number> {
    const key = bytes(hashKey);
    const set = fields.map(({ sortKey, value, ...ttl }) => ({
      sortKey: bytes(sortKey),
      value: bytes(value),
      ttlMs: milliseconds(ttl),
    }));
    return (await this.#run(key, operations.fieldSet(key, set))) as number;
  }

  /** True when there was one. */
  async del(hashKey: Bytes, sortKey: Bytes): Promise<boolean> {
    return (await this.multiDel(hashKey, [sortKey])) === 1;
  }

  /** How many there were. */
  async multiDel(hashKey: Bytes, sortKeys: readonly Bytes[]): Promise<number> {
    const key = bytes(hashKey);
    return (await this.#run(key, operations.fieldRemove(key, sortKeys.map(bytes)))) as number;
  }

  /** The new value; a bigint where a number would not be exact. Without a TTL an expiry stays as it is. */
  async incr(hashKey: Bytes, sortKey: Bytes, delta: Integer = 1, ttl: Ttl = {}): Promise<Integer> {
    if (typeof delta === 'number' && !Number.isSafeInteger(delta)) throw badArgument(`delta ${delta}`);
    const key = bytes(hashKey);
    const operation = operations.fieldIncrement(key, bytes(sortKey), delta, milliseconds(ttl));
    return (await this.#run(key, operation)) as Integer;
  }

  /** Sets a field if another (or itself) is as demanded. `current`: the checked field before, null when absent. */
  async checkAndSet(hashKey: Bytes, request: CheckAndSetRequest): Promise<{ done: boolean; current: Buffer | null }> {
    const key = bytes(hashKey);
    const checkSortKey = bytes(request.checkSortKey);
    const result = await this.#run(
      key,
      operations.fieldCheckAndSet(key, {
        check: request.check,
        checkSortKey,
        operand: request.operand === undefined ? NOTHING : bytes(request.operand),
        setSortKey: request.setSortKey === undefined ? checkSortKey : bytes(request.setSortKey),
        value: request.value === null ? null : bytes(request.value),
        ttlMs: milliseconds(request),
      }),
    );
    const [done, current] = result as readonly [boolean, Buffer | null];
    return { done, current };
  }

  /** How many fields the hash key has. */
  async sortKeyCount(hashKey: Bytes): Promise<number> {
    const key = bytes(hashKey);
    return (await this.#run(key, operations.fieldCount(key))) as number;
  }

  /** Null when there is no such field; `ttlMs` null when it does not expire. */
  async ttl(hashKey: Bytes, sortKey: Bytes): Promise<{ ttlMs: number | null } | null> {
    const key = bytes(hashKey);
    const left = (await this.#run(key, operations.fieldTimeToLive(key, bytes(sortKey)))) as number;
    if (left === -2) return null;
    return { ttlMs: left === -1 ? null : left };
  }

  /** The fields of one hash key in bytewise order of sort keys. Each page is consistent, the whole need not be. */
  async *hashScan(hashKey: Bytes, options: HashScanOptions = {}): AsyncGenerator<FieldEntry, void, undefined> {
    const key = bytes(hashKey);
    const reverse = options.reverse ?? false;
    const limit = pageSize(options.pageSize);
    let from = options.from === undefined ? null : bytes(options.from);
    let to = options.to === undefined ? null : bytes(options.to);
    for (;;) {
      const result = await this.#run(key, operations.fieldScan(key, { from, to, limit, reverse }));
      const [next, items] = result as readonly [Buffer | null, readonly Buffer[]];
      yield* entries(items);
      if (next === null) return;
      if (reverse) to = next;
      else from = next;
    }
  }

  /**
   * All fields of all rows, hash key by hash key in no particular order; what is there from beginning to end
   * is met exactly once. Rows that are Redis strings have no fields and are left out.
   */
  async *fullScan(options: FullScanOptions = {}): AsyncGenerator<RowEntry, void, undefined> {
    const size = pageSize(options.pageSize);
    let cursor = 0;
    do {
      const result = await this.#submit(slotOfCursor(cursor), operations.fullScan(cursor, size, size));
      const [next, rows] = result as readonly [
        number,
        readonly (readonly [Buffer, Buffer | null, readonly Buffer[]])[],
      ];
      for (const [hashKey, more, items] of rows) {
        for (const entry of entries(items)) yield { hashKey, ...entry };
        if (more === null) continue;
        for await (const entry of this.hashScan(hashKey, { from: more, pageSize: size })) yield { hashKey, ...entry };
      }
      cursor = next;
    } while (cursor !== 0);
  }

  #run(hashKey: Buffer, operation: Operation): Promise<OperationResult> {
    return this.#submit(slotOf(hashKey), operation);
  }
}

function bytes(value: Bytes): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

function milliseconds({ ttlMs, ttlSeconds }: Ttl): number {
  if (ttlMs !== undefined && ttlSeconds !== undefined) throw badArgument('ttlMs together with ttlSeconds');
  const ttl = ttlMs ?? (ttlSeconds === undefined ? undefined : ttlSeconds * 1000);
  if (ttl === undefined) return 0;
  if (!Number.isSafeInteger(ttl) || ttl <= 0) throw badArgument(`a time to live of ${ttl} ms`);
  return ttl;
}

function pageSize(size: number = DEFAULT_PAGE): number {
  if (!Number.isSafeInteger(size) || size <= 0) throw badArgument(`a page size of ${size}`);
  return size;
}

function* entries(items: readonly Buffer[]): Generator<FieldEntry, void, undefined> {
  for (let i = 0; i + 1 < items.length; i += 2) yield { sortKey: items[i]!, value: items[i + 1]! };
}

function badArgument(what: string): OperatingError {
  return new OperatingError('E_ARGUMENT', `${what} is not possible`);
}
