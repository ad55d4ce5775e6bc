/** Walking a database's headers in the order of cursors, and choosing one of its keys by chance. */
import { parseHeaderKey } from '../storage/keys.js';
import { decodeHeader } from '../storage/row-header.js';
import type { Merged } from './range.js';
import type { ScanPosition, ScannedKey } from './view.js';

const TRIES = 16;
const PAGE = 256;

interface Keys {
  /** Rows of the database, expired ones that are not swept yet included. */
  readonly count: number;
  readonly first: ScanPosition;
  /** Uniform in [0, 1). */
  random(): number;
  /** Of the row at that place in the order of slots; -1: none is there. */
  slotOfIndex(index: number): number;
  /** Those that live. */
  inSlot(slot: number): readonly ScannedKey[];
  scan(from: ScanPosition, count: number): { readonly keys: ScannedKey[]; readonly next: ScanPosition | null };
}

export interface Placed extends ScannedKey {
  readonly slot: number;
  readonly hash: number;
}

export function scanned({ key, value }: Merged): Placed {
  const parsed = parseHeaderKey(key);
  return {
    key: parsed.key,
    slot: parsed.slot,
    hash: parsed.hash,
    row: Buffer.isBuffer(value) ? decodeHeader(value) : value,
  };
}

/** About `count` live keys; `read` gives so many rows from where the page begins. */
export function scanPage(
  count: number,
  isLive: (scanned: ScannedKey) => boolean,
  read: (limit: number) => readonly Placed[],
): { keys: ScannedKey[]; next: ScanPosition | null } {
  for (let limit = count + 1; ; limit *= 2) {
    const rows = read(limit);
    if (rows.length < limit) return { keys: rows.filter(isLive), next: null };
    // all of one position are returned together: stop before the last position seen
    const last = rows[rows.length - 1]!;
    const complete = rows.findIndex(({ slot, hash }) => slot === last.slot && hash === last.hash);
    if (complete > 0)
      return { keys: rows.slice(0, complete).filter(isLive), next: { slot: last.slot, hash: last.hash } };
  }
}

/** A slot by how many rows each has, then one of that slot's. */
export function randomKey(keys: Keys): Buffer | null {
  for (let tries = 0; tries < TRIES; tries++) {
    const slot = keys.slotOfIndex(Math.floor(keys.random() * keys.count));
    if (slot < 0) return null;
    const live = keys.inSlot(slot);
    if (live.length > 0) return live[Math.floor(keys.random() * live.length)]!.key;
  }
  // nearly everything has expired and is not swept yet: take the first live one
  for (let from: ScanPosition | null = keys.first; from !== null; ) {
    const page = keys.scan(from, PAGE);
    if (page.keys.length > 0) return page.keys[0]!.key;
    from = page.next;
  }
  return null;
}
