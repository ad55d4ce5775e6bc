/**
 * The View of one attempt at one operation: reads the head state, buffers writes, and notes what the
 * reply depends on. After success the executor takes the writes over into the mutation it gathers;
 * after a miss or a client's error they are dropped. One instance serves a partition and is reset for
 * each attempt, as this is the hot path.
 */
import { ClientError, invariant } from '../../shared/errors.js';
import type { KeyedHash } from '../../shared/keyed-hash.js';
import { slotOf } from '../../shared/slots.js';
import { PARTITION_WIDE, type Group, type GroupWrite } from '../replication/mutation.js';
import { garbageKey, makeId, parseHeaderKey, prefixRange, toBuffer, type KeyspaceKeys } from '../storage/keys.js';
import { RowType } from '../storage/row.js';
import { decodeHeader, encodeHeader } from '../storage/row-header.js';
import { DatabaseView } from './database-view.js';
import { DATABASES, encodeKeyspaces, KEYSPACES_KEY, type Head, type HeadValue } from './head.js';
import { mergeRange, type Merged, type Page, type PageRequest } from './range.js';
import type { Element, ElementRange, Row, RowChange, ScanPosition, ScannedKey, View } from './view.js';

/** Thrown through operations when something must be fetched first. */
export class Missing {
  readonly page: PageRequest;
  constructor(page: PageRequest) {
    this.page = page;
  }
}

/** One row as this attempt knows it. */
interface Touched {
  readonly keys: KeyspaceKeys;
  readonly slot: number;
  readonly hash: number;
  readonly key: string;
  readonly storageKey: string;
  /** In the head state, expired or not. */
  readonly before: Row | null;
  /** What this operation sees: null when absent, expired or removed. */
  row: Row | null;
  dirty: boolean;
  elements: Map<string, Buffer | null> | null;
  /** Garbage records: key, prefix. */
  garbage: { key: string; prefix: string }[] | null;
}

/** Where the mutation under construction stands: ids of new things come from it. */
export interface Gathering {
  readonly decree: number;
  nextIndex: number;
}

const NEW_FREQUENCY = 5;
const HEADER_VALUE_AT = 44;
const RANDOM_TRIES = 16;

export interface PartitionFacts {
  readonly slots: { readonly from: number; readonly to: number };
  readonly multiKey: 'any' | 'slot';
  readonly hash: KeyedHash;
}

export class Attempt {
  nowMs = 0;
  /** The newest mutation the result depends on. */
  dependency = 0;
  readonly facts: PartitionFacts;
  readonly head: Head;
  private gathering: Gathering = { decree: 0, nextIndex: 0 };
  private readonly views: DatabaseView[];
  private readonly touched = new Map<string, Touched>();
  private lastKey: Buffer | null = null;
  private lastTouched: Touched | null = null;
  private randomState = 0;
  private wide: GroupWrite[] = [];
  private keyspaces: string[] | null = null;
  private pages: ReadonlyMap<string, Page> = NO_PAGES;
  private usedIndex = 0;

  constructor(head: Head, facts: PartitionFacts) {
    this.head = head;
    this.facts = facts;
    this.views = Array.from({ length: DATABASES }, (_, db) => new DatabaseView(this, db));
  }

  begin(db: number, nowMs: number, seed: number, gathering: Gathering, pages: ReadonlyMap<string, Page> | null): View {
    this.nowMs = nowMs;
    this.randomState = seed;
    this.gathering = gathering;
    this.usedIndex = gathering.nextIndex;
    this.pages = pages ?? NO_PAGES;
    this.dependency = this.head.wideDecree;
    if (this.touched.size > 0) this.touched.clear();
    this.lastKey = null;
    this.lastTouched = null;
    if (this.wide.length > 0) this.wide = [];
    this.keyspaces = null;
    const view = this.views[db];
    invariant(view !== undefined, `database ${db}`);
    return view;
  }

  database(db: number): DatabaseView {
    const view = this.views[db];
    invariant(view !== undefined, `database ${db}`);
    return view;
  }

  /** Mulberry32 on the seed of the request. */
  random(): number {
    this.randomState = (this.randomState + 0x6d2b79f5) | 0;
    let t = Math.imul(this.randomState ^ (this.randomState >>> 15), 1 | this.randomState);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
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

  keysOf(db: number): KeyspaceKeys {
    return this.head.keyspaces[db]!;
  }

  touch(db: number, key: Buffer): Touched {
    const keys = this.head.keyspaces[db]!;
    if (key === this.lastKey && this.lastTouched !== null && this.lastTouched.keys === keys) return this.lastTouched;
    invariant(this.keyspaces === null, 'an operation that flushes touches no row afterwards');
    const slot = slotOf(key);
    const hash = this.facts.hash.of(key);
    const name = key.latin1Slice(0, key.length);
    const storageKey = keys.header(slot, hash, name);
    let touched = this.touched.get(storageKey);
    if (touched === undefined) {
      const entry = this.head.get(storageKey);
      if (entry.decree > this.dependency) this.dependency = entry.decree;
      const before = entry.value as Row | null;
      touched = {
        keys,
        slot,
        hash,
        key: name,
        storageKey,
        before,
        row: before,
        dirty: false,
        elements: null,
        garbage: null,
      };
      this.touched.set(storageKey, touched);
      if (this.isExpired(before)) this.clear(touched);
    }
    this.lastKey = key;
    this.lastTouched = touched;
    return touched;
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
    if (previous === null && now !== null) this.clear(touched);
    const accessedAtS = Math.floor(this.nowMs / 1000);
    const row: Row = {
      type: change.type,
      encoding: change.encoding,
      version: previous !== null ? previous.version : this.newVersion(change.type),
      expireAtMs: change.expireAtMs,
      modifiedAtMs: this.nowMs,
      origin: 0,
      accessedAtS,
      frequency: previous === null ? NEW_FREQUENCY : previous.frequency,
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
    this.clear(touched);
    return true;
  }

  element(db: number, key: Buffer, row: Row, sortKey: Buffer): Buffer | null {
    const touched = this.touch(db, key);
    const elementKey = elementKeyOf(touched, row, sortKey);
    const own = touched.elements?.get(elementKey);
    if (own !== undefined) return own;
    const entry = this.head.get(elementKey);
    if (entry.decree > this.dependency) this.dependency = entry.decree;
    return entry.value as Buffer | null;
  }

  putElement(db: number, key: Buffer, row: Row, sortKey: Buffer, value: Buffer | null): void {
    const touched = this.touch(db, key);
    const elementKey = elementKeyOf(touched, row, sortKey);
    touched.elements ??= new Map();
    touched.elements.set(elementKey, value);
    touched.dirty = true;
  }

  elements(db: number, key: Buffer, row: Row, range: ElementRange): Element[] {
    const touched = this.touch(db, key);
    const prefix = touched.keys.elements(touched.slot, touched.hash, touched.key, row.version);
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
      sortKey: toBuffer(elementKey.slice(prefix.length)),
      value: value as Buffer,
    }));
  }

  scan(db: number, from: ScanPosition, count: number): { keys: ScannedKey[]; next: ScanPosition | null } {
    this.dependOnAll();
    const range = this.keysOf(db).headersFrom(from.slot, from.hash, this.facts.slots.to);
    for (let limit = count + 1; ; limit *= 2) {
      const merged = this.range({ ...range, reverse: false, limit }, this.ownHeaders());
      const rows = merged.map((entry) => this.scanned(entry));
      if (merged.length < limit) return { keys: rows.filter(this.isLive), next: null };
      // all of one position are returned together: stop before the last position seen
      const last = rows[rows.length - 1]!;
      const complete = rows.findIndex(({ slot, hash }) => slot === last.slot && hash === last.hash);
      if (complete > 0) {
        return { keys: rows.slice(0, complete).filter(this.isLive), next: { slot: last.slot, hash: last.hash } };
      }
    }
  }

  private readonly isLive = ({ row }: ScannedKey): boolean => !this.isExpired(row);

  private scanned({ key, value }: Merged): ScannedKey & { slot: number; hash: number } {
    const parsed = parseHeaderKey(toBuffer(key));
    return {
      key: parsed.key,
      slot: parsed.slot,
      hash: parsed.hash,
      row: Buffer.isBuffer(value) ? decodeHeader(value) : value,
    };
  }

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
    for (let tries = 0; tries < RANDOM_TRIES; tries++) {
      const slot = counts.slotOfIndex(Math.floor(this.random() * counts.keys));
      if (slot < 0) return null;
      const range = { ...this.keysOf(db).slots('H', slot, slot), reverse: false, limit: 4_096 };
      const live = this.range(range, this.ownHeaders())
        .map((entry) => this.scanned(entry))
        .filter(this.isLive);
      if (live.length > 0) return live[Math.floor(this.random() * live.length)]!.key;
    }
    // nearly everything has expired and is not swept yet: take the first live one
    let from: ScanPosition | null = { slot: this.facts.slots.from, hash: 0 };
    while (from !== null) {
      const page: { keys: ScannedKey[]; next: ScanPosition | null } = this.scan(db, from, 256);
      if (page.keys.length > 0) return page.keys[0]!.key;
      from = page.next;
    }
    return null;
  }

  private dependOnAll(): void {
    if (this.head.lastDecree > this.dependency) this.dependency = this.head.lastDecree;
  }

  flush(db: number): void {
    invariant(this.touched.size === 0, 'an operation that flushes has touched no row before');
    const old = this.keysOf(db);
    this.keyspaces ??= this.head.keyspaces.map((keys) => keys.id);
    this.keyspaces[db] = this.newId();
    this.wide.push({ key: garbageKey(this.newId()), value: toBuffer(old.prefix) });
  }

  swapDatabases(a: number, b: number): void {
    this.keyspaces ??= this.head.keyspaces.map((keys) => keys.id);
    const first = this.keyspaces[a]!;
    this.keyspaces[a] = this.keyspaces[b]!;
    this.keyspaces[b] = first;
  }

  setActiveExpiry(on: boolean): void {
    this.head.activeExpiry = on;
  }

  /**
   * After a client's error: its writes are dropped, but the error may come from a row's being expired, and what was
   * seen to be expired is logged as deleted.
   */
  keepExpiriesOnly(): void {
    this.usedIndex = this.gathering.nextIndex;
    this.keyspaces = null;
    this.wide = [];
    for (const touched of this.touched.values()) {
      const { before } = touched;
      touched.row = before;
      touched.dirty = false;
      touched.elements = null;
      touched.garbage = null;
      if (this.isExpired(before)) this.clear(touched);
    }
  }

  private isExpired(row: Row | null): boolean {
    return row !== null && row.expireAtMs !== 0 && row.expireAtMs <= this.nowMs;
  }

  /** Moves the writes into the mutation: false when there are none. The result then depends on it. */
  commit(groups: Group[]): boolean {
    const { decree } = this.gathering;
    let wrote = false;
    for (const touched of this.touched.values()) {
      if (touched.dirty && this.commitRow(touched, groups, decree)) wrote = true;
    }
    if (this.keyspaces !== null) {
      const value = encodeKeyspaces(this.keyspaces);
      this.wide.push({ key: KEYSPACES_KEY, value });
      groups.push({ slot: PARTITION_WIDE, keyspace: NO_KEYSPACE, keysDelta: 0, expiresDelta: 0, writes: this.wide });
      for (const write of this.wide) this.head.write(write.key, write.value, write.value?.length ?? 0, decree);
      this.head.setKeyspaces(this.keyspaces, decree);
      wrote = true;
    }
    if (wrote) {
      this.gathering.nextIndex = this.usedIndex;
      this.dependency = decree;
    }
    return wrote;
  }

  private commitRow(touched: Touched, groups: Group[], decree: number): boolean {
    const { keys, slot, hash, key, storageKey, before, row } = touched;
    const writes: GroupWrite[] = [];
    if (row !== null && row !== before) {
      const encoded = encodeHeader(row);
      // the request's frame must not be kept alive by the cache: the row's value lives in its header's bytes
      (row as { value: Buffer }).value = encoded.subarray(HEADER_VALUE_AT);
      writes.push({ key: storageKey, value: encoded });
      this.head.write(storageKey, row, encoded.length, decree);
    } else if (row === null && before !== null) {
      writes.push({ key: storageKey, value: null });
      this.head.write(storageKey, null, 0, decree);
    }
    const expiry = row?.expireAtMs ?? 0;
    const oldExpiry = before?.expireAtMs ?? 0;
    if (expiry !== oldExpiry) {
      if (oldExpiry !== 0) this.index(writes, keys.expiry(oldExpiry, slot, hash, key), null, decree);
      if (expiry !== 0) this.index(writes, keys.expiry(expiry, slot, hash, key), EMPTY, decree);
    }
    if (touched.elements !== null) {
      for (const [elementKey, value] of touched.elements) {
        const kept = value === null ? null : Buffer.from(value);
        writes.push({ key: elementKey, value: kept });
        this.head.write(elementKey, kept, kept?.length ?? 0, decree);
      }
    }
    if (touched.garbage !== null) {
      for (const { key: record, prefix } of touched.garbage) this.index(writes, record, toBuffer(prefix), decree);
    }
    if (writes.length === 0) return false;
    const keysDelta = (row === null ? 0 : 1) - (before === null ? 0 : 1);
    const expiresDelta = (expiry === 0 ? 0 : 1) - (oldExpiry === 0 ? 0 : 1);
    if (keysDelta !== 0 || expiresDelta !== 0) this.head.counts.of(keys.id).add(slot, keysDelta, expiresDelta);
    groups.push({ slot, keyspace: keys.id, keysDelta, expiresDelta, writes });
    return true;
  }

  private index(writes: GroupWrite[], key: string, value: Buffer | null, decree: number): void {
    writes.push({ key, value });
    this.head.write(key, value, value?.length ?? 0, decree);
  }
}

const EMPTY = Buffer.alloc(0);
/** What index of (decree, index) can hold. */
export const IDS_PER_MUTATION = 0x1_0000;
const NO_KEYSPACE = '\0'.repeat(8);
const NO_PAGES: ReadonlyMap<string, Page> = new Map();
const NO_WRITES: ReadonlyMap<string, HeadValue> = new Map();

function elementKeyOf({ keys, slot, hash, key }: Touched, row: Row, sortKey: Buffer): string {
  return keys.element(slot, hash, key, row.version, sortKey.latin1Slice(0, sortKey.length));
}
