/**
 * The View of one attempt at one operation: reads the head state, buffers writes, and notes what the
 * reply depends on. After success the executor takes the writes over into the mutation it gathers;
 * after a miss or a client's error they are dropped. One instance serves a partition and is reset for
 * each attempt, as this is the hot path.
 */
import { ClientError, invariant } from '../../shared/errors.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { slotOf } from '../../shared/slots.js';
import type { Group } from '../replication/mutation.js';
import type { ScriptEngine } from '../scripting/engine.js';
import { garbageKey, KeyspaceKeys, makeId, metaKey, prefixRange, toBuffer } from '../storage/keys.js';
import { RowType } from '../storage/row.js';
import type { Broker } from './broker.js';
import { DatabaseView } from './database-view.js';
import { randomKey, scanned, scanPage } from './database-scan.js';
import type { HeadValue } from './entry-map.js';
import { DATABASES, type Head } from './head.js';
import { NEW_FREQUENCY, raised } from './frequency.js';
import { mergeRange, Missing, type Merged, type Page } from './range.js';
import { SeededRandom } from './seeded-random.js';
import type { SettingWrite } from './settings.js';
import { elementKeyOf, keysPerhapsWritten, lookedUp, prefixOf, type Touched, writeRow } from './touched.js';
import { WideChanges } from './wide-changes.js';
import type { Element, ElementRange, Row, RowChange, ScanPosition, ScannedKey, View, PartitionFacts } from './view.js';

/** Where the mutation under construction stands: ids of new things come from it. */
export interface Gathering {
  readonly decree: number;
  nextIndex: number;
}

export class Attempt {
  nowMs = 0;
  /** The newest mutation the result depends on. */
  dependency = 0;
  /** The latest time that was seen to have come: of a row or field that has expired; 0: none. */
  expiredMs = 0;
  readonly facts: PartitionFacts;
  readonly head: Head;
  readonly broker: Broker;
  readonly engine: ScriptEngine;
  readonly random = new SeededRandom();
  private gathering: Gathering = { decree: 0, nextIndex: 0 };
  private readonly views: DatabaseView[];
  private readonly touched = new Map<string, Touched>();
  private lastKey: Buffer | null = null;
  private lastTouched: Touched | null = null;
  private readonly wide = new WideChanges();
  /** Marks all rows that this operation changes. */
  private stamp: string | null = null;
  /** How to undo what the part under way has done, last first; null outside of parts. */
  private undo: (() => void)[] | null = null;
  private pages: ReadonlyMap<string, Page> = NO_PAGES;
  private usedIndex = 0;
  /** What is looked up does not count as accessed. */
  leavesNoTrace = false;

  constructor(head: Head, facts: PartitionFacts, broker: Broker, engine: ScriptEngine) {
    this.head = head;
    this.facts = facts;
    this.broker = broker;
    this.engine = engine;
    this.views = Array.from({ length: DATABASES }, (_, db) => new DatabaseView(this, db));
  }

  begin(db: number, nowMs: number, seed: number, gathering: Gathering, pages: ReadonlyMap<string, Page> | null): View {
    this.nowMs = nowMs;
    this.random.begin(seed);
    this.gathering = gathering;
    this.usedIndex = gathering.nextIndex;
    this.pages = pages ?? NO_PAGES;
    this.dependency = this.head.wideDecree;
    this.expiredMs = 0;
    if (this.touched.size > 0) this.touched.clear();
    this.lastKey = null;
    this.lastTouched = null;
    this.wide.reset();
    this.stamp = null;
    this.undo = null;
    this.broker.publications = null;
    this.broker.events = this.broker.interests.hearKeys ? this.head.eventClasses : 0;
    const view = this.views[db];
    invariant(view !== undefined, `database ${db}`);
    return view;
  }

  database(db: number): DatabaseView {
    const view = this.views[db];
    invariant(view !== undefined, `database ${db}`);
    return view;
  }

  /**
   * A string has no elements to tell apart: it takes an id only while there are plenty, since one MSET may have more
   * keys than a mutation has ids; the strings beyond that share the last one.
   */
  private newVersion(type: RowType): string {
    if (type === RowType.string && this.usedIndex >= IDS_PER_MUTATION / 2)
      return makeId(this.gathering.decree, IDS_PER_MUTATION - 1);
    return this.newId();
  }

  newId(): string {
    // an operation that far exceeds what one mutation can name is refused before it wrote anything
    if (this.usedIndex >= IDS_PER_MUTATION)
      throw new ClientError('ERR the command creates too many large values at once');
    return makeId(this.gathering.decree, this.usedIndex++);
  }

  /** A row that exists and changes says so by this: one id serves all rows of an operation. */
  private changed(): string {
    if (this.stamp === null) {
      const { decree } = this.gathering;
      this.stamp = makeId(decree, this.usedIndex < IDS_PER_MUTATION ? this.usedIndex++ : IDS_PER_MUTATION - 1);
    }
    return this.stamp;
  }

  /** Storage keys of those rows that are not in memory. */
  rowsToFetch(db: number, keys: readonly Buffer[]): string[] {
    const found = new Set<string>();
    for (const key of keys) {
      const storageKey = this.keysOf(db).header(slotOf(key), this.facts.hash.of(key), key.latin1Slice(0, key.length));
      if (this.head.inMemory(storageKey) === undefined) found.add(storageKey);
    }
    return [...found];
  }

  keysOf(db: number): KeyspaceKeys {
    return (this.wide.keyspaces ?? this.head.keyspaces)[db]!;
  }

  part(run: () => OperationResult): OperationResult | ClientError {
    const outer = this.undo;
    const undo: (() => void)[] = [];
    const { mark } = this.broker;
    this.undo = undo;
    try {
      const result = run();
      outer?.push(...undo);
      return result;
    } catch (thrown) {
      if (!(thrown instanceof ClientError)) throw thrown;
      while (undo.length > 0) undo.pop()!();
      this.broker.backTo(mark);
      this.lastKey = null;
      return thrown;
    } finally {
      this.undo = outer;
    }
  }

  get isPart(): boolean {
    return this.undo !== null;
  }

  /** Before a row is changed within a part. */
  private keepForUndo(touched: Touched): void {
    if (this.undo === null) return;
    const { row, dirty, elements, garbage } = touched;
    const garbageCount = garbage?.length ?? 0;
    this.undo.push(() => {
      touched.row = row;
      touched.dirty = dirty;
      touched.elements = elements;
      if (touched.garbage !== null) touched.garbage.length = garbageCount;
    });
  }

  touch(db: number, key: Buffer): Touched {
    const keys = this.keysOf(db);
    if (key === this.lastKey && this.lastTouched !== null && this.lastTouched.keys === keys) return this.lastTouched;
    const slot = slotOf(key);
    const hash = this.facts.hash.of(key);
    const name = key.latin1Slice(0, key.length);
    const storageKey = keys.header(slot, hash, name);
    let touched = this.touched.get(storageKey);
    if (touched === undefined) {
      const entry = this.head.get(storageKey);
      if (entry.decree > this.dependency) this.dependency = entry.decree;
      const before = entry.value as Row | null;
      touched = lookedUp(keys, slot, hash, name, storageKey, before);
      this.touched.set(storageKey, touched);
      if (this.isExpired(before)) this.expire(touched);
    }
    this.lastKey = key;
    this.lastTouched = touched;
    return touched;
  }

  private expire(touched: Touched): void {
    this.clear(touched);
    const db = (this.wide.keyspaces ?? this.head.keyspaces).indexOf(touched.keys);
    if (this.broker.events !== 0) this.broker.notify(db, 'expired', toBuffer(touched.key));
  }

  /** The row is gone: its elements become garbage. */
  private clear(touched: Touched): void {
    const { row } = touched;
    if (row?.large) {
      touched.garbage ??= [];
      const prefix = touched.keys.elements(touched.slot, touched.hash, touched.key, row.version);
      touched.garbage.push({ key: garbageKey(this.newId()), prefix });
    }
    touched.row = null;
    touched.elements = null;
    touched.dirty = true;
  }

  put(db: number, key: Buffer, previous: Row | null, change: RowChange): Row {
    const touched = this.touch(db, key);
    const now = touched.row;
    invariant(previous === null || now !== null, 'a row that is changed is there');
    this.keepForUndo(touched);
    if (previous === null && now !== null) this.clear(touched);
    if (now === null && this.broker.events !== 0) this.broker.notify(db, 'new', key);
    const version = previous !== null ? previous.version : this.newVersion(change.type);
    const seen = this.leavesNoTrace ? previous : null;
    const row: Row = {
      type: change.type,
      encoding: change.encoding,
      version,
      expireAtMs: change.expireAtMs,
      modifiedAtMs: this.nowMs,
      modified: previous === null ? version : this.changed(),
      origin: 0,
      accessedAtS: change.accessedAtS ?? seen?.accessedAtS ?? Math.floor(this.nowMs / 1000),
      frequency: change.frequency ?? previous?.frequency ?? NEW_FREQUENCY,
      size: change.size,
      bytes: change.bytes,
      large: change.large,
      value: change.value,
    };
    touched.row = row;
    touched.dirty = true;
    return row;
  }

  remove(db: number, key: Buffer): boolean {
    const touched = this.touch(db, key);
    if (touched.row === null) return false;
    this.keepForUndo(touched);
    this.clear(touched);
    return true;
  }

  element(db: number, key: Buffer, row: Row, sortKey: Buffer): Buffer | null {
    const touched = this.touch(db, key);
    const elementKey = elementKeyOf(touched, row, sortKey);
    const own = touched.elements?.get(elementKey);
    if (own !== undefined) return own;
    if (this.head.neverWritten.has(row.version, sortKey)) return null;
    const entry = this.head.get(elementKey);
    if (entry.decree > this.dependency) this.dependency = entry.decree;
    return entry.value as Buffer | null;
  }

  expect(db: number, key: Buffer, row: Row, sortKeys: readonly Buffer[]): void {
    if (sortKeys.length < this.head.expectedMin) return;
    const perhaps = keysPerhapsWritten(this.touch(db, key), row, sortKeys, this.head);
    if (perhaps.length >= this.head.expectedMin) this.head.expect(perhaps);
  }

  putElement(db: number, key: Buffer, row: Row, sortKey: Buffer, value: Buffer | null): void {
    const touched = this.touch(db, key);
    const elementKey = elementKeyOf(touched, row, sortKey);
    const elements = (touched.elements ??= new Map());
    if (this.undo !== null) {
      const own = elements.get(elementKey);
      const { dirty } = touched;
      this.undo.push(() => {
        if (own === undefined) elements.delete(elementKey);
        else elements.set(elementKey, own);
        touched.dirty = dirty;
      });
    }
    elements.set(elementKey, value);
    touched.dirty = true;
  }

  elements(db: number, key: Buffer, row: Row, range: ElementRange): Element[] {
    const touched = this.touch(db, key);
    const prefix = prefixOf(touched, row);
    const all = prefixRange(prefix);
    const merged = this.range(
      {
        gte: range.gte === null ? all.gte : prefix + range.gte.latin1Slice(0, range.gte.length),
        lt: range.lt === null ? all.lt : prefix + range.lt.latin1Slice(0, range.lt.length),
        reverse: range.reverse,
        limit: range.limit,
      },
      touched.elements ?? NO_WRITES,
    );
    return merged.map(({ key: elementKey, value }) => ({
      sortKey: elementKey.subarray(prefix.length),
      value: value as Buffer,
    }));
  }

  scan(db: number, from: ScanPosition, count: number): { keys: ScannedKey[]; next: ScanPosition | null } {
    this.dependOnAll();
    const range = this.keysOf(db).headersFrom(from.slot, from.hash, this.facts.slots.to);
    return scanPage(count, this.isLive, (limit) =>
      this.range({ ...range, reverse: false, limit }, this.ownHeaders()).map(scanned),
    );
  }

  private readonly isLive = ({ row }: ScannedKey): boolean => !this.isExpired(row);

  private ownHeaders(): Map<string, HeadValue> {
    const own = new Map<string, HeadValue>();
    for (const touched of this.touched.values()) if (touched.dirty) own.set(touched.storageKey, touched.row);
    return own;
  }

  private range(
    range: { gte: string; lt: string; reverse: boolean; limit: number },
    own: ReadonlyMap<string, HeadValue>,
  ): Merged[] {
    const merged = mergeRange(this.head, this.pages, own, range);
    if (Array.isArray(merged)) return merged;
    throw new Missing(merged);
  }

  count(db: number): { keys: number; expires: number } {
    this.dependOnAll();
    const counts = this.head.counts.of(this.keysOf(db).id);
    let { keys, expires } = counts;
    for (const { keys: keyspace, dirty, before, row } of this.touched.values()) {
      if (!dirty || keyspace !== this.keysOf(db)) continue;
      keys += (row === null ? 0 : 1) - (before === null ? 0 : 1);
      expires += Number(row !== null && row.expireAtMs > 0) - Number(before !== null && before.expireAtMs > 0);
    }
    return { keys, expires };
  }

  randomKey(db: number): Buffer | null {
    this.dependOnAll();
    const counts = this.head.counts.of(this.keysOf(db).id);
    return randomKey({
      count: counts.keys,
      first: { slot: this.facts.slots.from, hash: 0 },
      random: () => this.random.next(),
      slotOfIndex: (index) => counts.slotOfIndex(index),
      inSlot: (slot) => this.inSlot(db, slot),
      scan: (from, count) => this.scan(db, from, count),
    });
  }

  private inSlot(db: number, slot: number): ScannedKey[] {
    const range = { ...this.keysOf(db).slots('H', slot, slot), reverse: false, limit: 4_096 };
    return this.range(range, this.ownHeaders()).map(scanned).filter(this.isLive);
  }

  /** What belongs to no database, by name in lower case. */
  record(name: string): Buffer | null {
    const key = metaKey(name);
    const own = this.wide.find(key);
    if (own !== undefined) return own;
    const entry = this.head.get(key);
    if (entry.decree > this.dependency) this.dependency = entry.decree;
    return entry.value as Buffer | null;
  }

  putRecord(name: string, value: Buffer | null): void {
    const forget = this.wide.add({ key: metaKey(name), value });
    this.undo?.push(forget);
  }

  private dependOnAll(): void {
    this.dependOn(this.head.lastDecree);
  }

  flush(db: number): void {
    const old = this.keysOf(db);
    const keyspaces = this.changeKeyspaces();
    keyspaces[db] = new KeyspaceKeys(this.newId());
    this.wide.add({ key: garbageKey(this.newId()), value: toBuffer(old.prefix) });
    // what earlier parts of a transaction wrote there goes with the keyspace
    for (const [storageKey, touched] of this.touched) {
      if (touched.keys !== old) continue;
      this.touched.delete(storageKey);
      this.undo?.push(() => this.touched.set(storageKey, touched));
    }
    this.lastKey = null;
  }

  private changeKeyspaces(): KeyspaceKeys[] {
    return this.wide.change(this.head, this.undo === null ? null : (step) => this.undo?.push(step));
  }

  swapDatabases(a: number, b: number): void {
    const keyspaces = this.changeKeyspaces();
    const first = keyspaces[a]!;
    keyspaces[a] = keyspaces[b]!;
    keyspaces[b] = first;
    this.lastKey = null;
  }

  access(row: Row): void {
    if (this.leavesNoTrace) return;
    const nowS = Math.floor(this.nowMs / 1000);
    const { head } = this;
    if (head.countsAccesses) (row as { frequency: number }).frequency = raised(row, nowS, head.accesses.next());
    (row as { accessedAtS: number }).accessedAtS = nowS;
  }

  setActiveExpiry(on: boolean): void {
    this.head.activeExpiry = on;
  }

  changeSetting(write: SettingWrite): void {
    this.wide.add(write);
  }

  /**
   * After a client's error: its writes are dropped, but the error may come from a row's being expired, and what was
   * seen to be expired is logged as deleted.
   */
  keepExpiriesOnly(): void {
    this.usedIndex = this.gathering.nextIndex;
    this.broker.publications = null;
    this.stamp = null;
    this.wide.reset();
    for (const touched of this.touched.values()) {
      const { before } = touched;
      touched.row = before;
      touched.dirty = false;
      touched.elements = null;
      touched.garbage = null;
      if (this.isExpired(before)) this.expire(touched);
    }
  }

  private isExpired(row: Row | null): boolean {
    if (row === null || row.expireAtMs === 0 || row.expireAtMs > this.nowMs) return false;
    if (row.expireAtMs > this.expiredMs) this.expiredMs = row.expireAtMs;
    return true;
  }

  /** Of a field's expiry: others that lie before this instant may be seen with it. */
  isPast(timeMs: number): boolean {
    if (timeMs > this.nowMs) return false;
    this.expiredMs = this.nowMs;
    return true;
  }

  dependOn(decree: number): void {
    if (decree > this.dependency) this.dependency = decree;
  }

  /** The rows this operation looked up: database, key in latin1, what is there now and whether this operation changed it. */
  rows(tell: (db: number, key: string, row: Row | null, changed: boolean) => void): void {
    const keyspaces = this.wide.keyspaces ?? this.head.keyspaces;
    for (const { keys, key, dirty, row } of this.touched.values()) tell(keyspaces.indexOf(keys), key, row, dirty);
  }

  /** Rows may have become others by SWAPDB. */
  get changedKeyspaces(): boolean {
    return this.wide.keyspaces !== null;
  }

  /** Moves the writes into the mutation: false when there are none. The result then depends on it. */
  commit(groups: Group[]): boolean {
    const { decree } = this.gathering;
    let wrote = this.wide.commit(this.head, decree, groups);
    for (const touched of this.touched.values()) {
      if (!touched.dirty) continue;
      if (this.isExpired(touched.before)) this.head.tallies.expired++;
      // an element was changed, and nothing that its header says
      if (touched.row !== null && touched.row === touched.before && (touched.elements?.size ?? 0) > 0)
        touched.row = { ...touched.before, modifiedAtMs: this.nowMs, modified: this.changed() };
      const group = writeRow(touched, this.head, decree);
      if (group === null) continue;
      groups.push(group);
      wrote = true;
    }
    if (wrote) {
      this.gathering.nextIndex = this.usedIndex;
      this.dependency = decree;
    }
    return wrote;
  }
}

/** What index of (decree, index) can hold. */
export const IDS_PER_MUTATION = 0x1_0000;
const NO_PAGES: ReadonlyMap<string, Page> = new Map();
const NO_WRITES: ReadonlyMap<string, HeadValue> = new Map();
