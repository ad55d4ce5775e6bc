/**
 * How many rows each (keyspace, slot) has, how many of them have an expiry, and their logical bytes. One instance follows
 * what is applied (and is persisted with it), another the head state of a primary.
 */
import { SLOTS } from '../../shared/slots.js';
import type { SlotCount } from '../storage/keys.js';

export class KeyspaceCounts {
  keys = 0;
  expires = 0;
  bytes = 0;
  private readonly keysOf = new Int32Array(SLOTS);
  private readonly expiresOf = new Int32Array(SLOTS);
  private readonly bytesOf = new Float64Array(SLOTS);

  add(slot: number, keys: number, expires: number, bytes: number): void {
    this.keys += keys;
    this.expires += expires;
    this.bytes += bytes;
    this.keysOf[slot]! += keys;
    this.expiresOf[slot]! += expires;
    this.bytesOf[slot]! += bytes;
  }

  ofSlot(slot: number): SlotCount {
    return { keys: this.keysOf[slot]!, expires: this.expiresOf[slot]!, bytes: this.bytesOf[slot]! };
  }

  /** The slot that holds the `index`th row (0 to keys - 1), counting slot by slot; -1 when there are fewer. */
  slotOfIndex(index: number): number {
    let left = index;
    for (let slot = 0; slot < SLOTS; slot++) {
      left -= this.keysOf[slot]!;
      if (left < 0) return slot;
    }
    return -1;
  }

  copy(): KeyspaceCounts {
    const copy = new KeyspaceCounts();
    copy.keys = this.keys;
    copy.expires = this.expires;
    copy.bytes = this.bytes;
    copy.keysOf.set(this.keysOf);
    copy.expiresOf.set(this.expiresOf);
    copy.bytesOf.set(this.bytesOf);
    return copy;
  }
}

export class Counts {
  private readonly byKeyspace = new Map<string, KeyspaceCounts>();

  of(keyspace: string): KeyspaceCounts {
    let counts = this.byKeyspace.get(keyspace);
    if (counts === undefined) {
      counts = new KeyspaceCounts();
      this.byKeyspace.set(keyspace, counts);
    }
    return counts;
  }

  /** Of all databases. */
  total(of: 'keys' | 'expires' | 'bytes'): number {
    let sum = 0;
    for (const counts of this.byKeyspace.values()) sum += counts[of];
    return sum;
  }

  /** Forgets keyspaces that no database has any more. */
  keepOnly(keyspaces: readonly string[]): void {
    for (const keyspace of this.byKeyspace.keys()) {
      if (!keyspaces.includes(keyspace)) this.byKeyspace.delete(keyspace);
    }
  }

  copy(): Counts {
    const copy = new Counts();
    for (const [keyspace, counts] of this.byKeyspace) copy.byKeyspace.set(keyspace, counts.copy());
    return copy;
  }
}
