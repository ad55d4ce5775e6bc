/**
 * The head state of a primary's partition: LevelDB as applied, plus everything newer that is prepared
 * or not yet applied (design: section 5). One map serves as that overlay and as the row cache: an entry
 * that a mutation wrote is pinned until the mutation is applied and no range fetch that began earlier is
 * under way; then it stays as a clean copy of what the store holds, and may be evicted.
 */
import { invariant } from '../../shared/errors.js';
import { eventClasses } from '../../shared/key-events.js';
import { limits } from '../../shared/limits.js';
import { metaKey, KeyspaceKeys, makeId, Space, toBuffer } from '../storage/keys.js';
import { decodeHeader } from '../storage/row-header.js';
import type { Store } from '../storage/store.js';
import type { Counts } from './counts.js';
import { EntryMap, type HeadEntry, type HeadValue } from './entry-map.js';
import { NeverWritten } from './never-written.js';
import { MissingEntry, PointReads } from './point-reads.js';
import { SeededRandom } from './seeded-random.js';
import { NO_SETTINGS, type Settings } from './settings.js';
import type { Tallies } from './view.js';

export const DATABASES = 16;
export const KEYSPACES_KEY = metaKey('keyspaces');
const SPACE_AT = 9;
const HEADER_SPACE = Space.header.charCodeAt(0);
const ELEMENT_SPACE = Space.element.charCodeAt(0);

/** What an entry takes beside the bytes of its key and value: objects, places in maps (measured: 340 to 350). */
const ENTRY_BYTES = 345;
/** Larger values are read from the store each time. */
const CACHED_VALUE_BYTES_MAX = 64 * 1024;

/** Beside the cache as much as this part of it may be spent on knowing what need not be looked up: 12 MiB by default. */
const NEVER_WRITTEN_SHARE = 8;

/** Looking for what can go starts again after this much more, and looks at so many entries: far more than have come. */
const EVICTION_STEP_BYTES = 32 * 1024;
const EVICTION_LOOKS = 512;

const NOTHING_FETCHED: ReadonlyMap<string, HeadEntry> = new Map();

export function initialKeyspaces(): string[] {
  return Array.from({ length: DATABASES }, (_, db) => makeId(0, db));
}

export function encodeKeyspaces(ids: readonly string[]): Buffer {
  return toBuffer(ids.join(''));
}

export function decodeKeyspaces(bytes: Buffer): string[] {
  invariant(bytes.length === DATABASES * 8, 'the keyspaces of 16 databases');
  return Array.from({ length: DATABASES }, (_, db) => bytes.latin1Slice(db * 8, db * 8 + 8));
}

export class Head {
  /** By database. */
  keyspaces: KeyspaceKeys[];
  /** The mutation that last changed something of the whole partition: every look-up depends on it. */
  wideDecree = 0;
  /** The newest mutation. */
  lastDecree: number;
  readonly counts: Counts;
  /** Whether the sweeper looks for expired rows. */
  activeExpiry = true;
  /** The policy asks how often rows are accessed. */
  countsAccesses = false;
  /** Draws whether an access counts, apart from what operations draw: these must not depend on it. */
  readonly accesses = new SeededRandom();
  readonly tallies: Tallies = { evicted: 0, expired: 0 };
  /** Bits of EventClass that notify-keyspace-events chose. */
  eventClasses = 0;
  private current = NO_SETTINGS;
  private readonly store: Store;
  private readonly cacheBytes: number;
  private readonly entries = new EntryMap();
  readonly neverWritten: NeverWritten;
  /** Eviction waits until there is more than this: raised while most of it is pinned. */
  private evictAbove: number;
  private applied: number;
  /** Written keys of mutations whose entries are pinned, oldest first. */
  private unretired: { decree: number; keys: string[] }[] = [];
  private unretiredFrom = 0;
  /** Applied decree at the start of each fetch under way. */
  private readonly fetches = new Map<number, number>();
  private lastFetch = 0;

  private readonly reads: PointReads;
  /** What was fetched for the operation under way. */
  private fetched: ReadonlyMap<string, HeadEntry> = NOTHING_FETCHED;

  constructor(
    store: Store,
    cacheBytes: number,
    keyspaces: readonly string[],
    counts: Counts,
    applied: number,
    reads: PointReads = new PointReads(() => 0),
  ) {
    this.store = store;
    this.reads = reads;
    this.cacheBytes = cacheBytes;
    this.evictAbove = cacheBytes;
    this.neverWritten = new NeverWritten(Math.floor(cacheBytes / NEVER_WRITTEN_SHARE));
    this.keyspaces = keyspaces.map((id) => new KeyspaceKeys(id));
    this.counts = counts;
    this.applied = applied;
    this.lastDecree = applied;
  }

  get settings(): Settings {
    return this.current;
  }

  set settings(settings: Settings) {
    if (settings === this.current) return;
    this.current = settings;
    this.countsAccesses = settings.memory.policy.endsWith('-lfu');
    this.eventClasses = eventClasses(settings.notifications);
  }

  /** Before each attempt at an operation: the entries that were fetched for it. */
  use(fetched: ReadonlyMap<string, HeadEntry> | null): void {
    this.fetched = fetched ?? NOTHING_FETCHED;
  }

  /** Reads the store on this thread, or throws MissingEntry where that would hold everybody up. */
  get(key: string): HeadEntry {
    const entry = this.entries.get(key);
    if (entry !== undefined) {
      entry.used = true;
      return entry;
    }
    const fetched = this.fetched.get(key);
    if (fetched !== undefined) return fetched;
    // One operation that reads a lot is not begun again for each of its entries.
    if (!this.readsHere && this.fetched.size < limits.fetchedEntries) throw new MissingEntry([key]);
    return this.keep(
      key,
      this.reads.make(() => this.store.getSync(toBuffer(key))),
    );
  }

  private get readsHere(): boolean {
    return this.store.cheapReads && this.reads.here;
  }

  /** So many look-ups or more are fetched together; fewer are made on this thread as long as that is quick. */
  get expectedMin(): number {
    return this.readsHere ? limits.lookUpsHere : 2;
  }

  /** Fetches those of the entries that are missing, all at once, as long as the operation has not had too many. */
  expect(keys: readonly string[]): void {
    if (this.fetched.size + keys.length > limits.operationEntries) return;
    const missing = keys.filter((key) => this.entries.get(key) === undefined && !this.fetched.has(key));
    if (missing.length > 0) throw new MissingEntry(missing);
  }

  /**
   * What was read from the store, kept if there is room and nothing newer. A fetch was begun before the read, so that
   * what was written meanwhile is still here.
   */
  keep(key: string, stored: Buffer | undefined): HeadEntry {
    const value =
      stored === undefined ? null : key.charCodeAt(SPACE_AT) === HEADER_SPACE ? decodeHeader(stored) : stored;
    const bytes = ENTRY_BYTES + key.length + (stored === undefined ? 0 : stored.length);
    const read: HeadEntry = { value, decree: 0, bytes, used: false };
    const worthIt = bytes <= CACHED_VALUE_BYTES_MAX && (value !== null || !isElement(key) || !this.crowded);
    if (worthIt && this.entries.get(key) === undefined) {
      this.entries.add(key, read);
      if (this.entries.bytes > this.evictAbove) this.evict();
    }
    return read;
  }

  /** What an operation wrote, under the mutation being gathered. */
  write(key: string, value: HeadValue, valueBytes: number, decree: number): void {
    const bytes = ENTRY_BYTES + key.length + valueBytes;
    const entry = this.entries.get(key);
    if (entry === undefined) {
      this.entries.add(key, { value, decree, bytes, used: false });
    } else {
      this.entries.bytes += bytes - entry.bytes;
      entry.used = value !== null && entry.value !== null;
      entry.value = value;
      entry.decree = decree;
      entry.bytes = bytes;
    }
    this.lastDecree = decree;
    let last = this.unretired[this.unretired.length - 1];
    if (last === undefined || last.decree !== decree) {
      last = { decree, keys: [] };
      this.unretired.push(last);
    }
    last.keys.push(key);
  }

  setKeyspaces(ids: readonly string[], decree: number): void {
    this.keyspaces = ids.map((id, db) => (this.keyspaces[db]?.id === id ? this.keyspaces[db]! : new KeyspaceKeys(id)));
    this.counts.keepOnly(ids);
    this.wideDecree = decree;
  }

  onApplied(decree: number): void {
    this.applied = decree;
    this.retire();
  }

  /** A range is about to be read from the store: what was applied until then must stay in the overlay. */
  beginFetch(): number {
    this.lastFetch++;
    this.fetches.set(this.lastFetch, this.applied);
    return this.lastFetch;
  }

  endFetch(fetch: number): void {
    this.fetches.delete(fetch);
    this.retire();
  }

  /** Keys written and not retired that lie in [gte, lt), unordered and possibly repeated. */
  overlayKeys(gte: string, lt: string): string[] {
    const found: string[] = [];
    for (let i = this.unretiredFrom; i < this.unretired.length; i++) {
      for (const key of this.unretired[i]!.keys) if (key >= gte && key < lt) found.push(key);
    }
    return found;
  }

  /** The entry if it is in memory, without touching it. */
  inMemory(key: string): HeadEntry | undefined {
    return this.entries.get(key);
  }

  private retire(): void {
    let until = this.applied;
    for (const applied of this.fetches.values()) until = Math.min(until, applied);
    while (this.unretiredFrom < this.unretired.length && this.unretired[this.unretiredFrom]!.decree <= until) {
      for (const key of this.unretired[this.unretiredFrom]!.keys) this.release(key, until);
      this.unretiredFrom++;
    }
    if (this.unretiredFrom > 256 && this.unretiredFrom * 2 > this.unretired.length) {
      this.unretired = this.unretired.slice(this.unretiredFrom);
      this.unretiredFrom = 0;
    }
    if (this.entries.bytes > this.evictAbove) this.evict();
  }

  /**
   * What is in memory is worth keeping, as long as there is room. With half of it taken, elements that nobody has asked
   * for since they were written, and absent ones, are not: millions of them may pass, and would drive everything out.
   */
  private get crowded(): boolean {
    return this.entries.bytes > this.cacheBytes / 2;
  }

  private release(key: string, until: number): void {
    const entry = this.entries.get(key);
    if (entry === undefined || entry.decree > until) return;
    const keep = isHeader(key) || (isElement(key) && (entry.used || !this.crowded));
    if (!keep || entry.bytes > CACHED_VALUE_BYTES_MAX) this.entries.delete(key, entry);
  }

  /** What is pinned may not go: while that is most of it, more is held for now. */
  private evict(): void {
    const retired =
      this.unretiredFrom < this.unretired.length ? this.unretired[this.unretiredFrom]!.decree - 1 : this.lastDecree;
    this.entries.evict(this.cacheBytes, retired, EVICTION_LOOKS);
    this.evictAbove = Math.max(this.cacheBytes, this.entries.bytes) + EVICTION_STEP_BYTES;
  }
}

function isHeader(key: string): boolean {
  return key.charCodeAt(0) === 1 && key.charCodeAt(SPACE_AT) === HEADER_SPACE;
}

function isElement(key: string): boolean {
  return key.charCodeAt(0) === 1 && key.charCodeAt(SPACE_AT) === ELEMENT_SPACE;
}
