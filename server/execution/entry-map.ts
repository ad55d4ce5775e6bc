/**
 * The entries of a head state by storage key. Many small maps rather than one: a Map that is full copies itself whole
 * (measured: 40 ms with 260,000 entries, 140 ms with twice as many), and in that time nobody is served.
 *
 * What may go is found by a hand that goes round over all entries (CLOCK): it passes over what was used since it
 * came by, and takes a few steps at a time, so that evicting is never a long stretch either.
 */
import type { Row } from './view.js';

/** Headers are kept decoded. */
export type HeadValue = Row | Buffer | null;

export interface HeadEntry {
  value: HeadValue;
  /** The mutation that wrote it last; 0: read from the store. */
  decree: number;
  bytes: number;
  /** Wanted again since it came, or since the hand came by. */
  used: boolean;
}

const PARTS = 64;
/** Last byte of the keyed hash in a header's key: see storage/keys.ts. */
const HASH_AT = 15;

/** Keys of rows differ in their hashes, those of one row's elements at their ends. */
function partOf(key: string): number {
  const { length } = key;
  return (key.charCodeAt(HASH_AT) ^ key.charCodeAt(length - 1) ^ (key.charCodeAt(length - 3) << 2)) & (PARTS - 1);
}

export class EntryMap {
  /** Of all entries, as they say themselves. */
  bytes = 0;
  private readonly parts = Array.from({ length: PARTS }, () => new Map<string, HeadEntry>());
  private handIn = 0;
  private hand = this.parts[0]!.entries();

  get(key: string): HeadEntry | undefined {
    return this.parts[partOf(key)]!.get(key);
  }

  /** One that is not there yet. */
  add(key: string, entry: HeadEntry): void {
    this.parts[partOf(key)]!.set(key, entry);
    this.bytes += entry.bytes;
  }

  delete(key: string, entry: HeadEntry): void {
    this.parts[partOf(key)]!.delete(key);
    this.bytes -= entry.bytes;
  }

  /** Looks at up to `most` entries until no more than `bytesMax` are held; those of later mutations than `retired` stay. */
  evict(bytesMax: number, retired: number, most: number): void {
    for (let looked = 0; looked < most && this.bytes > bytesMax; looked++) {
      const next = this.hand.next();
      if (next.done === true) {
        this.handIn = (this.handIn + 1) % PARTS;
        this.hand = this.parts[this.handIn]!.entries();
        continue;
      }
      const [key, entry] = next.value;
      if (entry.decree > retired) continue;
      if (entry.used) entry.used = false;
      else this.delete(key, entry);
    }
  }
}
