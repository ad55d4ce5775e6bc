/**
 * A range of the head state: pages fetched from the store with the overlay merged over them. The pages
 * were read as of some applied decree; the head keeps everything newer in its overlay while they are in use.
 */
import { limits } from '../../shared/limits.js';
import { toBuffer } from '../storage/keys.js';
import type { Entry } from '../storage/store.js';
import type { HeadValue } from './entry-map.js';
import type { Head } from './head.js';

/** A page that must be fetched before the operation can go on. */
export interface PageRequest {
  readonly id: string;
  readonly gte: string;
  readonly lt: string;
  readonly reverse: boolean;
  readonly limit: number;
}

/** Thrown through operations when something must be fetched first. */
export class Missing {
  readonly page: PageRequest;
  constructor(page: PageRequest) {
    this.page = page;
  }
}

export interface Page {
  readonly entries: readonly Entry[];
  /** Nothing of the range lies beyond the last entry. */
  readonly exhausted: boolean;
}

export interface Merged {
  readonly key: Buffer;
  /** A Buffer where it came from the store; a decoded row or Buffer where from the overlay. */
  readonly value: Exclude<HeadValue, null>;
}

export type Own = ReadonlyMap<string, HeadValue>;

/** So many writes that are not applied may hide entries of the first page. */
const HIDDEN = 256;

/**
 * Up to `limit` entries of [gte, lt) in order (or in reverse). `own` are the operation's own writes, on
 * top of everything. Returns the page that is missing, if one is: all that is wanted, since the operation begins anew
 * for each.
 */
export function mergeRange(
  head: Head,
  pages: ReadonlyMap<string, Page>,
  own: Own,
  range: { gte: string; lt: string; reverse: boolean; limit: number },
): Merged[] | PageRequest {
  const { reverse, limit } = range;
  const overlay = overlaid(head, own, range.gte, range.lt, reverse);
  const results: Merged[] = [];
  let { gte, lt } = range;
  let at = 0;
  while (results.length < limit) {
    // not by its limit: that follows the overlay, which may have grown while the page was read
    const id = `${gte}\n${lt}\n${reverse}`;
    const page = pages.get(id);
    if (page === undefined) {
      const missing = limit - results.length + Math.min(overlay.length - at, HIDDEN);
      return { id, gte, lt, reverse, limit: Math.min(missing, limits.operationEntries) };
    }
    const comes = (a: string, b: string): boolean => (reverse ? a > b : a < b);
    for (const entry of page.entries) {
      if (at < overlay.length) {
        const key = entry.key.latin1Slice(0, entry.key.length);
        while (at < overlay.length && results.length < limit && comes(overlay[at]!.key, key))
          push(results, overlay[at++]!);
        if (results.length >= limit) return results;
        if (at < overlay.length && overlay[at]!.key === key) push(results, overlay[at++]!);
        else results.push(entry);
      } else results.push(entry);
      if (results.length >= limit) return results;
    }
    if (page.exhausted) {
      while (at < overlay.length && results.length < limit) push(results, overlay[at++]!);
      return results;
    }
    const last = page.entries[page.entries.length - 1]!.key.latin1Slice();
    if (reverse) lt = last;
    else gte = `${last}\0`;
  }
  return results;
}

function push(results: Merged[], entry: { key: string; value: HeadValue }): void {
  if (entry.value !== null) results.push({ key: toBuffer(entry.key), value: entry.value });
}

function overlaid(
  head: Head,
  own: Own,
  gte: string,
  lt: string,
  reverse: boolean,
): { key: string; value: HeadValue }[] {
  const keys = new Set(head.overlayKeys(gte, lt));
  for (const key of own.keys()) if (key >= gte && key < lt) keys.add(key);
  const sorted = [...keys].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  if (reverse) sorted.reverse();
  return sorted.map((key) => {
    const mine = own.get(key);
    return { key, value: mine !== undefined ? mine : (head.inMemory(key)?.value ?? null) };
  });
}
