/**
 * Removes rows while a partition holds more than it may (maxmemory), as its policy says. As in Redis, some rows are
 * looked at and the best of them goes; they are read from the store off the event loop, from a random position on, so
 * that rows nobody has read for long, which are not in memory, are found. A removal is a logged deletion like any other.
 * Writes go on meanwhile: there may be more than allowed for some milliseconds.
 */
import { limits } from '../../shared/limits.js';
import { decayed } from '../execution/frequency.js';
import type { Executor } from '../execution/executor.js';
import type { Head } from '../execution/head.js';
import type { Row } from '../execution/view.js';
import { parseExpiryKey, parseHeaderKey, toBuffer } from '../storage/keys.js';
import { decodeHeader } from '../storage/row-header.js';
import type { Entry } from '../storage/store.js';
import type { Partition } from './partition.js';

const OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
/** Nothing was found to evict (what is there is not in the store yet): how long until the next look. */
const FRUITLESS_PAUSE_MS = 20;
/** Positions looked at before the expiry index is, by policies for rows that expire: these may be few. */
const LOOKS = 3;
/** Looks, with pauses between them, until a choice is made among few: of a burst of new rows the store may not have any yet. */
const PATIENT_LOOKS = 13;
const TIME_END = 2 ** 48 - 2;

interface Candidate {
  readonly key: Buffer;
  /** Null: it comes from the expiry index. */
  readonly row: Row | null;
}

export class Evictor {
  private readonly partition: Partition;
  private executor: Executor | null = null;
  private head: Head | null = null;
  private slots: { readonly from: number; readonly to: number } = { from: 0, to: 0 };
  private running = false;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  start(executor: Executor, head: Head, slots: { readonly from: number; readonly to: number }): void {
    this.executor = executor;
    this.head = head;
    this.slots = slots;
    this.running = false;
  }

  stop(): void {
    this.executor = null;
    this.head = null;
  }

  /** Called before every write that grows: why it may not; null: it may, and what is too much is being removed. */
  refusal(): string | null {
    const excess = this.excess();
    // less than what a Redis without any rows takes is always too little
    if (excess <= 0) return this.isTooLittle() && !this.canEvict() ? OUT_OF_MEMORY : null;
    if (!this.canEvict() || excess > Math.max(this.head!.settings.memory.bytes, limits.evictionLag))
      return OUT_OF_MEMORY;
    this.begin();
    return null;
  }

  private isTooLittle(): boolean {
    const bytes = this.head?.settings.memory.bytes ?? 0;
    return bytes > 0 && bytes < limits.memoryMin;
  }

  /** The limit may have been lowered. */
  tick(): void {
    if (this.excess() > 0 && this.canEvict()) this.begin();
  }

  private excess(): number {
    const { head } = this;
    if (head === null || head.settings.memory.bytes === 0) return 0;
    return head.counts.total('bytes') - head.settings.memory.bytes;
  }

  private canEvict(): boolean {
    const { head } = this;
    if (head === null || head.settings.memory.policy === 'noeviction') return false;
    return head.counts.total(this.volatile ? 'expires' : 'keys') > 0;
  }

  /** Only rows that expire may go. */
  private get volatile(): boolean {
    return this.head?.settings.memory.policy.startsWith('volatile-') === true;
  }

  private begin(): void {
    if (this.running) return;
    this.running = true;
    this.round(0);
  }

  private round(fruitless: number): void {
    const { executor, head, partition } = this;
    const { replica, host } = partition;
    const excess = this.excess();
    if (executor === null || head === null || excess <= 0 || !this.canEvict() || !replica.writable) {
      this.running = false;
      return;
    }
    const average = Math.max(1, head.counts.total('bytes') / Math.max(1, head.counts.total('keys')));
    const wanted = Math.max(1, Math.min(limits.evictedAtOnce, Math.ceil(excess / average)));
    const db = this.database(head);
    const soonest = head.settings.memory.policy === 'volatile-ttl' || (this.volatile && fruitless >= LOOKS);
    const range = soonest ? head.keyspaces[db]!.expiredAt(TIME_END) : this.range(head, db, fruitless);
    const limit = soonest ? wanted : Math.min(limits.scanVisited, Math.max(16, wanted * head.settings.memory.samples));
    const bytes = { gte: toBuffer(range.gte), lt: toBuffer(range.lt), limit, limitBytes: limits.fetchRangeBytes };
    partition.store.range(bytes, (error, entries) => {
      if (executor !== this.executor) return;
      if (error !== null || entries === undefined) return partition.fail(error ?? new Error('no entries'));
      const candidates = this.candidates(head, entries, db);
      // at the end of the slots there may be few, of which the best would be bad
      const enough = Math.min(head.settings.memory.samples, head.counts.of(head.keyspaces[db]!.id).keys);
      const few = candidates.length < enough;
      if (few && fruitless < LOOKS) return this.round(fruitless + 1);
      const share = soonest ? candidates.length : Math.ceil(candidates.length / head.settings.memory.samples);
      const chosen = this.inOrder(head, candidates).slice(0, Math.min(wanted, share));
      let left = chosen.length;
      if (left === 0 || (few && !this.volatile && fruitless < PATIENT_LOOKS)) {
        host.environment.after(FRUITLESS_PAUSE_MS * Math.min(10, fruitless), () => this.round(fruitless + 1));
        return;
      }
      for (const { key } of chosen) {
        executor.internal(
          db,
          (view) => {
            const row = view.peek(key);
            if (row === null || (this.volatile && row.expireAtMs === 0)) return;
            view.remove(key);
            view.notify('evicted', key);
            head.tallies.evicted++;
          },
          () => {
            left--;
            if (left === 0 && executor === this.executor) this.round(0);
          },
        );
      }
    });
  }

  /** One of those that have rows, each as likely as it has many. */
  private database(head: Head): number {
    const of = this.volatile ? 'expires' : 'keys';
    let left = this.partition.host.environment.random() * head.counts.total(of);
    for (const [db, { id }] of head.keyspaces.entries()) {
      left -= head.counts.of(id)[of];
      if (left < 0) return db;
    }
    return 0;
  }

  private range(head: Head, db: number, fruitless: number): { readonly gte: string; readonly lt: string } {
    const keys = head.keyspaces[db]!;
    const { environment } = this.partition.host;
    const { from, to } = this.slots;
    // when nothing lies behind the position, what lies before it does: every second look is from the beginning
    const start = fruitless % 2 === 1 ? from : from + Math.floor(environment.random() * (to - from + 1));
    return keys.headersFrom(start, fruitless % 2 === 1 ? 0 : Math.floor(environment.random() * 2 ** 32), to);
  }

  /** As they are now: access data are newer in memory, and what was removed there is gone. */
  private candidates(head: Head, entries: readonly Entry[], db: number): Candidate[] {
    const found: Candidate[] = [];
    for (const { key: storageKey, value } of entries) {
      const isIndex = value.length === 0;
      const { slot, hash, key } = isIndex ? parseExpiryKey(storageKey) : parseHeaderKey(storageKey);
      const inMemory = head.inMemory(head.keyspaces[db]!.header(slot, hash, key.latin1Slice(0, key.length)));
      const row = inMemory?.value ?? (isIndex ? undefined : decodeHeader(value));
      if (inMemory?.value === null || Buffer.isBuffer(row)) continue;
      if (this.volatile && row?.expireAtMs === 0) continue;
      found.push({ key: Buffer.from(key), row: isIndex ? null : (row ?? null) });
    }
    return found;
  }

  /** The first one is to go first. Those of the expiry index come in the right order. */
  private inOrder(head: Head, candidates: Candidate[]): Candidate[] {
    const { policy } = head.settings.memory;
    const { environment } = this.partition.host;
    const nowS = Math.floor(environment.wallMs() / 1000);
    const by = (of: (row: Row) => number): Candidate[] =>
      candidates.sort((a, b) => (a.row === null || b.row === null ? 0 : of(a.row) - of(b.row)));
    if (policy.endsWith('-lru')) return by((row) => row.accessedAtS);
    if (policy.endsWith('-lfu')) return by((row) => decayed(row, nowS));
    if (policy === 'volatile-ttl') return candidates;
    const first = Math.floor(environment.random() * candidates.length);
    return [...candidates.slice(first), ...candidates.slice(0, first)];
  }
}
