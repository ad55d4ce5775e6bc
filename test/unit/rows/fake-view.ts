/**
 * A View over maps, with a clock and random numbers that the test sets. What an operation wrote before
 * it failed is dropped, as the executor does.
 */
import type {
  Element,
  ElementRange,
  MemoryFacts,
  Row,
  RowChange,
  ScannedKey,
  ScanPosition,
  Tallies,
  View,
} from '../../../server/execution/view.js';
import { NO_LIMITS } from '../../../server/execution/memory-limits.js';
import { executors } from '../../../server/rows/index.js';
import { ScriptEngine } from '../../../server/scripting/engine.js';
import { ClientError, invariant } from '../../../shared/errors.js';
import { KeyedHash } from '../../../shared/keyed-hash.js';
import { limits } from '../../../shared/limits.js';
import type { Operation, OperationResult } from '../../../shared/operations/operation.js';
import { slotOf } from '../../../shared/slots.js';
import { nobodyListens } from '../execution/primary.js';

interface Stored {
  readonly row: Row;
  /** By sort key as latin1. */
  readonly elements: ReadonlyMap<string, Buffer>;
}

type Database = Map<string, Stored>;

const hash = new KeyedHash('00112233445566ff');

export class FakePartition {
  nowMs = 1_700_000_000_000;
  nextRandom = 0.5;
  random = (): number => this.nextRandom;
  readonly records = new Map<string, Buffer>();
  readonly engine = new ScriptEngine(() => this.nowMs);
  readonly tallies: Tallies = { evicted: 0, expired: 0 };
  versions = 0;
  slots = { from: 0, to: 16_383 };
  /** Elements that the operation under way has copied, by themselves. */
  ownElements = new Map<ReadonlyMap<string, Buffer>, Map<string, Buffer>>();
  databases: Database[] = Array.from({ length: limits.databases }, () => new Map());

  /** Executes one operation; the value, or a ClientError thrown and nothing changed. */
  execute(operation: Operation, db = 0): OperationResult {
    const [code, ...args] = operation;
    const executor = executors[code];
    invariant(executor !== undefined, `operation ${code} exists`);
    const before = this.databases.map((database) => new Map(database));
    this.ownElements = new Map();
    try {
      return executor.execute(this.view(db), args);
    } catch (error) {
      if (error instanceof ClientError) this.databases = before;
      throw error;
    }
  }

  /** How many elements are kept for a row. */
  stored(db: number, key: Buffer): { elements: number } {
    return { elements: this.databases[db]?.get(name(key))?.elements.size ?? 0 };
  }

  view(db: number): FakeView {
    return new FakeView(this, db);
  }
}

export class FakeView implements View {
  readonly db: number;
  readonly isPart = true;
  readonly multiKey: 'any' | 'slot' = 'any';
  readonly syncsWrites = true;
  readonly broker = nobodyListens();
  readonly notify = (): void => undefined;
  readonly notifyMiss = (): void => undefined;
  notifications = '';
  readonly #partition: FakePartition;

  constructor(partition: FakePartition, db: number) {
    invariant(partition.databases[db] !== undefined, `database ${db} exists`);
    this.#partition = partition;
    this.db = db;
  }

  get #rows(): Database {
    return this.#partition.databases[this.db] ?? new Map();
  }

  isPast(timeMs: number): boolean {
    return timeMs <= this.nowMs;
  }

  get nowMs(): number {
    return this.#partition.nowMs;
  }

  get slots(): { readonly from: number; readonly to: number } {
    return this.#partition.slots;
  }

  random(): number {
    return this.#partition.random();
  }

  record(name: string): Buffer | null {
    return this.#partition.records.get(name) ?? null;
  }

  putRecord(name: string, value: Buffer | null): void {
    if (value === null) this.#partition.records.delete(name);
    else this.#partition.records.set(name, value);
  }

  get tallies(): Tallies {
    return this.#partition.tallies;
  }

  get engine(): ScriptEngine {
    return this.#partition.engine;
  }

  setActiveExpiry(): void {
    // nothing sweeps here
  }

  get memory(): MemoryFacts {
    return { bytes: 0, evicted: 0, limits: NO_LIMITS };
  }

  setMemoryLimits(): void {
    // nothing is evicted here
  }

  inDatabase(db: number): View {
    return this.#partition.view(db);
  }

  part(run: () => OperationResult): OperationResult | ClientError {
    try {
      return run();
    } catch (error) {
      if (error instanceof ClientError) return error;
      throw error;
    }
  }

  row(key: Buffer): Row | null {
    const stored = this.#stored(key);
    if (stored === null) return null;
    const row = { ...stored.row, accessedAtS: Math.floor(this.nowMs / 1000) };
    this.#rows.set(name(key), { row, elements: stored.elements });
    return row;
  }

  peek(key: Buffer): Row | null {
    return this.#stored(key)?.row ?? null;
  }

  put(key: Buffer, previous: Row | null, change: RowChange): Row {
    const old = previous === null ? null : this.#stored(key);
    invariant(previous === null || old?.row.version === previous.version, 'the previous row is the one that is there');
    const version = previous?.version ?? String(++this.#partition.versions).padStart(8, '0');
    const accessedAtS = Math.floor(this.nowMs / 1000);
    const modified = String(++this.#partition.versions).padStart(8, '0');
    const marks = { version, modified, modifiedAtMs: this.nowMs, origin: 0 };
    const row = { accessedAtS, frequency: previous?.frequency ?? 5, ...change, ...marks };
    this.#rows.set(name(key), { row, elements: change.large ? (old?.elements ?? new Map()) : new Map() });
    return row;
  }

  remove(key: Buffer): boolean {
    const present = this.#stored(key) !== null;
    this.#rows.delete(name(key));
    return present;
  }

  element(key: Buffer, row: Row, sortKey: Buffer): Buffer | null {
    return this.#elements(key, row).get(name(sortKey)) ?? null;
  }

  expect(): void {
    // everything is in memory
  }

  expectRows(): void {
    // everything is in memory
  }

  putElement(key: Buffer, row: Row, sortKey: Buffer, value: Buffer): void {
    this.#ownElements(key, row).set(name(sortKey), value);
  }

  removeElement(key: Buffer, row: Row, sortKey: Buffer): void {
    this.#ownElements(key, row).delete(name(sortKey));
  }

  elements(key: Buffer, row: Row, range: ElementRange): Element[] {
    const within = [...this.#elements(key, row)]
      .map(([sortKey, value]) => ({ sortKey: Buffer.from(sortKey, 'latin1'), value }))
      .filter(
        ({ sortKey }) =>
          (range.gte === null || sortKey.compare(range.gte) >= 0) &&
          (range.lt === null || sortKey.compare(range.lt) < 0),
      )
      .sort((a, b) => a.sortKey.compare(b.sortKey));
    return (range.reverse ? within.reverse() : within).slice(0, range.limit);
  }

  scan(from: ScanPosition, count: number): { keys: ScannedKey[]; next: ScanPosition | null } {
    const all = this.#live().filter(({ position }) => order(position, from) >= 0);
    let end = Math.min(count, all.length);
    while (end < all.length && order(all[end]!.position, all[end - 1]!.position) === 0) end++;
    return { keys: all.slice(0, end).map(({ key, row }) => ({ key, row })), next: all[end]?.position ?? null };
  }

  count(): { keys: number; expires: number } {
    const rows = [...this.#rows.values()];
    return { keys: rows.length, expires: rows.filter(({ row }) => row.expireAtMs !== 0).length };
  }

  randomKey(): Buffer | null {
    const live = this.#live();
    return live[Math.floor(this.random() * live.length)]?.key ?? null;
  }

  flush(): void {
    this.#rows.clear();
  }

  swapDatabases(a: number, b: number): void {
    const { databases } = this.#partition;
    [databases[a], databases[b]] = [databases[b]!, databases[a]!];
  }

  #stored(key: Buffer): Stored | null {
    const stored = this.#rows.get(name(key));
    if (stored === undefined) return null;
    const { expireAtMs } = stored.row;
    if (expireAtMs === 0 || expireAtMs > this.nowMs) return stored;
    this.#rows.delete(name(key));
    return null;
  }

  #elements(key: Buffer, row: Row): ReadonlyMap<string, Buffer> {
    const stored = this.#stored(key);
    invariant(stored?.row.large === true && stored.row.version === row.version, 'elements belong to a large row');
    return stored.elements;
  }

  /** Copied before the operation's first change, so that it can be dropped. */
  #ownElements(key: Buffer, row: Row): Map<string, Buffer> {
    const elements = this.#elements(key, row);
    const own = this.#partition.ownElements.get(elements);
    if (own !== undefined) return own;
    const copy = new Map(elements);
    this.#partition.ownElements.set(copy, copy);
    this.#rows.set(name(key), { row: this.peek(key)!, elements: copy });
    return copy;
  }

  #live(): { key: Buffer; row: Row; position: ScanPosition }[] {
    return [...this.#rows.keys()]
      .map((text) => Buffer.from(text, 'latin1'))
      .flatMap((key) => {
        const row = this.peek(key);
        return row === null ? [] : [{ key, row, position: { slot: slotOf(key), hash: hash.of(key) } }];
      })
      .sort((a, b) => order(a.position, b.position));
  }
}

function name(bytes: Buffer): string {
  return bytes.toString('latin1');
}

function order(a: ScanPosition, b: ScanPosition): number {
  return a.slot - b.slot || a.hash - b.hash;
}
