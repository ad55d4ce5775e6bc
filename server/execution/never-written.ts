/**
 * Of large rows that came to be under this primary: which elements were certainly never written, so that nobody need ask
 * the store for them. Who builds a huge hash, set or sorted set asks of each member whether it is there yet, and the
 * answer is no. LevelDB looks for it in a table of each level, and takes every look-up that passes a table as a reason to
 * rewrite that table, after 128 of them: with 5,000 a second it does nothing else.
 *
 * A Bloom filter a row, which knows everything that was written since the row's version began. What is removed stays in
 * it, and it may take for written what was not: then the store is asked. Another primary, or the same one after it
 * began anew, knows of none of the rows that it finds.
 */
import { RowType } from '../storage/row.js';

const FIRST_BITS = 2 ** 12;
const BITS_PER_ELEMENT = 8;
const GROWTH = 4;
const PROBES = 4;

/** First byte of the sort keys that are asked for before they are written: see field-rows, member-set and zset-rows. */
const ASKED_FOR: Readonly<Partial<Record<RowType, number>>> = {
  [RowType.hash]: 1,
  [RowType.set]: 2,
  [RowType.zset]: 1,
};

interface Part {
  readonly bits: Uint8Array;
  /** Of what may still be added. */
  room: number;
}

interface Filter {
  readonly kind: number;
  bytes: number;
  /** Each larger than the one before; what is added goes to the last. */
  readonly parts: Part[];
}

export class NeverWritten {
  private readonly bytesMax: number;
  /** By version; those that grew last are last. */
  private readonly rows = new Map<string, Filter>();
  private bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** A row's first elements are about to be written. */
  begin(version: string, type: RowType): void {
    const kind = ASKED_FOR[type];
    if (kind === undefined) return;
    const filter: Filter = { kind, bytes: 0, parts: [] };
    this.grow(version, filter, FIRST_BITS);
  }

  /** It is gone, with all its elements. */
  end(version: string): void {
    const filter = this.rows.get(version);
    if (filter === undefined) return;
    this.rows.delete(version);
    this.bytes -= filter.bytes;
  }

  /** Its sort key is what `elementKey` has from `at` on. */
  add(version: string, elementKey: string, at: number): void {
    const filter = this.rows.get(version);
    if (filter === undefined || elementKey.charCodeAt(at) !== filter.kind) return;
    let part = filter.parts.at(-1)!;
    if (part.room === 0) {
      this.grow(version, filter, 8 * GROWTH * part.bits.length);
      part = filter.parts.at(-1)!;
    }
    part.room--;
    let first = FIRST_SEED;
    for (let i = at; i < elementKey.length; i++) first = Math.imul(first ^ elementKey.charCodeAt(i), PRIME);
    const second = secondOf(first);
    const mask = 8 * part.bits.length - 1;
    for (let i = 0; i < PROBES; i++) {
      const bit = (first + Math.imul(i, second)) & mask;
      part.bits[bit >>> 3]! |= 1 << (bit & 7);
    }
  }

  /** False: it may have been. */
  has(version: string, sortKey: Buffer): boolean {
    const filter = this.rows.get(version);
    if (filter === undefined || sortKey[0] !== filter.kind) return false;
    let first = FIRST_SEED;
    for (let i = 0; i < sortKey.length; i++) first = Math.imul(first ^ sortKey[i]!, PRIME);
    const second = secondOf(first);
    for (const { bits } of filter.parts) if (isIn(bits, first, second)) return false;
    return true;
  }

  /** Those that have not grown for longest make room; nothing is lost but the knowledge. */
  private grow(version: string, filter: Filter, bits: number): void {
    this.rows.delete(version);
    this.rows.set(version, filter);
    filter.parts.push({ bits: new Uint8Array(bits / 8), room: bits / BITS_PER_ELEMENT });
    filter.bytes += bits / 8;
    this.bytes += bits / 8;
    for (const oldest of this.rows.keys()) {
      if (this.bytes <= this.bytesMax) break;
      this.end(oldest);
    }
  }
}

/** FNV-1a; the second hash is the first one stirred. */
const FIRST_SEED = 0x811c9dc5;
const PRIME = 0x01000193;

function secondOf(first: number): number {
  let mixed = Math.imul(first ^ (first >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) | 1;
}

function isIn(bits: Uint8Array, first: number, second: number): boolean {
  const mask = 8 * bits.length - 1;
  for (let i = 0; i < PROBES; i++) {
    const bit = (first + Math.imul(i, second)) & mask;
    if ((bits[bit >>> 3]! & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}
