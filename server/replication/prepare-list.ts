/**
 * What a replica holds in memory of its partition's order: a contiguous run of mutations
 * (base, last], of which those up to `committed` are committed. Committed ones stay for a while, so
 * that a follower that was away briefly is brought up to date from memory.
 */
import { invariant } from '../../shared/errors.js';

export interface Prepared {
  readonly decree: number;
  /** The ballot it was last prepared under. */
  ballot: number;
  readonly body: Buffer;
  /** The primary's own decoding, so that it need not decode what it encoded; null once applied. */
  decoded: unknown;
}

export class PrepareList {
  /** Everything at or below is gone from memory. */
  base: number;
  committed: number;
  /** Bytes of bodies that are not committed. */
  uncommittedBytes = 0;
  /** Bytes of all bodies held. */
  bytes = 0;
  private entries: (Prepared | undefined)[] = [];
  /** Entries before this index have been trimmed (and let go of their bodies); compacted now and then. */
  private head = 0;

  constructor(committed: number) {
    this.base = committed;
    this.committed = committed;
  }

  get last(): number {
    return this.base + this.entries.length - this.head;
  }

  get uncommitted(): number {
    return this.last - this.committed;
  }

  /** The mutation at `decree`; undefined when not held. */
  get(decree: number): Prepared | undefined {
    return decree <= this.base ? undefined : this.entries[this.head + decree - this.base - 1];
  }

  /** Appends at last + 1, or replaces an uncommitted one by a mutation of a ballot that is not lower. */
  put(entry: Prepared): void {
    const { decree, body } = entry;
    invariant(decree > this.committed, `decree ${decree} is committed and cannot be prepared again`);
    invariant(decree <= this.last + 1, `decree ${decree} leaves a gap after ${this.last}`);
    const old = this.get(decree);
    if (old === undefined) this.entries.push(entry);
    else {
      invariant(entry.ballot >= old.ballot, `decree ${decree}: ballot ${old.ballot} replaced by ${entry.ballot}`);
      this.entries[this.head + decree - this.base - 1] = entry;
      this.uncommittedBytes -= old.body.length;
      this.bytes -= old.body.length;
    }
    this.uncommittedBytes += body.length;
    this.bytes += body.length;
  }

  /** Commits the next decree and returns it. */
  commitNext(): Prepared {
    const entry = this.get(this.committed + 1);
    invariant(entry !== undefined, `decree ${this.committed + 1} is committed before it is prepared`);
    this.committed++;
    this.uncommittedBytes -= entry.body.length;
    return entry;
  }

  /** Drops everything above `decree`, which must not be committed. */
  truncateAbove(decree: number): void {
    invariant(decree >= this.committed, `cannot drop committed decrees above ${decree}`);
    while (this.last > decree) {
      const entry = this.entries.pop();
      if (entry === undefined) break;
      this.uncommittedBytes -= entry.body.length;
      this.bytes -= entry.body.length;
    }
  }

  /** Forgets committed mutations at or below `decree`, while more than the given limits are held. */
  trim(decree: number, keepBytes: number, keepMutations: number): void {
    const limit = Math.min(decree, this.committed);
    while (this.base < limit && (this.bytes > keepBytes || this.last - this.base > keepMutations)) {
      const entry = this.entries[this.head];
      if (entry === undefined) break;
      this.bytes -= entry.body.length;
      this.entries[this.head] = undefined;
      this.head++;
      this.base++;
    }
    if (this.head > 1024 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
  }
}
