/** One row as an attempt knows it, and what its changes become when they are kept. */
import type { Group, GroupWrite } from '../replication/mutation.js';
import { toBuffer, type KeyspaceKeys } from '../storage/keys.js';
import { encodeHeader, FIXED_BYTES } from '../storage/row-header.js';
import type { Head } from './head.js';
import type { Row } from './view.js';

const EMPTY = Buffer.alloc(0);

/** One row as an attempt knows it. */
export interface Touched {
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
  /** What the keys of its elements begin with, of the version that was looked at last. */
  prefix: string;
  prefixVersion: string;
  /** Garbage records: key, prefix. */
  garbage: { key: string; prefix: string }[] | null;
}

/** As the head state has it, and not changed yet. */
export function lookedUp(
  keys: KeyspaceKeys,
  slot: number,
  hash: number,
  key: string,
  storageKey: string,
  before: Row | null,
): Touched {
  return {
    keys,
    slot,
    hash,
    key,
    storageKey,
    before,
    row: before,
    dirty: false,
    elements: null,
    prefix: '',
    prefixVersion: '',
    garbage: null,
  };
}

/** What a row is counted as beside its own bytes: about what Redis has for a key, and for an element of a collection. */
const ROW_BYTES = 56;
const ELEMENT_BYTES = 16;

/** Logical bytes, which maxmemory limits. */
function weightOf(row: Row | null, key: string): number {
  return row === null ? 0 : ROW_BYTES + key.length + row.bytes + ELEMENT_BYTES * row.size;
}

/** The writes of a changed row, taken over into the head state; null when there are none. */
export function writeRow(touched: Touched, head: Head, decree: number): Group | null {
  const { keys, slot, hash, key, storageKey, before, row } = touched;
  const writes: GroupWrite[] = [];
  if (row !== null && row !== before) {
    const encoded = encodeHeader(row);
    // the request's frame must not be kept alive by the cache: the row's value lives in its header's bytes
    (row as { value: Buffer }).value = encoded.subarray(FIXED_BYTES);
    writes.push({ key: storageKey, value: encoded });
    head.write(storageKey, row, encoded.length, decree);
  } else if (row === null && before !== null) {
    writes.push({ key: storageKey, value: null });
    head.write(storageKey, null, 0, decree);
  }
  const expiry = row?.expireAtMs ?? 0;
  const oldExpiry = before?.expireAtMs ?? 0;
  if (expiry !== oldExpiry) {
    if (oldExpiry !== 0) index(head, writes, keys.expiry(oldExpiry, slot, hash, key), null, decree);
    if (expiry !== 0) index(head, writes, keys.expiry(expiry, slot, hash, key), EMPTY, decree);
  }
  if (before?.large === true && row?.version !== before.version) head.neverWritten.end(before.version);
  if (row?.large === true && (before?.large !== true || row.version !== before.version))
    head.neverWritten.begin(row.version, row.type);
  if (touched.elements !== null) {
    const at = touched.prefix.length;
    for (const [elementKey, value] of touched.elements) {
      const kept = value === null ? null : Buffer.from(value);
      writes.push({ key: elementKey, value: kept });
      head.write(elementKey, kept, kept?.length ?? 0, decree);
      if (kept !== null && row !== null) head.neverWritten.add(row.version, elementKey, at);
    }
  }
  if (touched.garbage !== null) {
    for (const { key: record, prefix } of touched.garbage) index(head, writes, record, toBuffer(prefix), decree);
  }
  if (writes.length === 0) return null;
  const keysDelta = (row === null ? 0 : 1) - (before === null ? 0 : 1);
  const expiresDelta = (expiry === 0 ? 0 : 1) - (oldExpiry === 0 ? 0 : 1);
  const bytesDelta = row === before ? 0 : weightOf(row, key) - weightOf(before, key);
  if (keysDelta !== 0 || expiresDelta !== 0 || bytesDelta !== 0)
    head.counts.of(keys.id).add(slot, keysDelta, expiresDelta, bytesDelta);
  return { slot, keyspace: keys.id, keysDelta, expiresDelta, bytesDelta, writes };
}

function index(head: Head, writes: GroupWrite[], key: string, value: Buffer | null, decree: number): void {
  writes.push({ key, value });
  head.write(key, value, value?.length ?? 0, decree);
}

/** What the keys of a row's elements begin with: made once, as one operation may look up thousands. */
export function prefixOf(touched: Touched, row: Row): string {
  if (touched.prefixVersion !== row.version) {
    const { keys, slot, hash, key } = touched;
    touched.prefix = keys.elements(slot, hash, key, row.version);
    touched.prefixVersion = row.version;
  }
  return touched.prefix;
}

export function elementKeyOf(touched: Touched, row: Row, sortKey: Buffer): string {
  return prefixOf(touched, row) + sortKey.latin1Slice(0, sortKey.length);
}

/** Keys of those elements that are not known to be absent. */
export function keysPerhapsWritten(touched: Touched, row: Row, sortKeys: readonly Buffer[], head: Head): string[] {
  const keys: string[] = [];
  for (const sortKey of sortKeys) {
    if (!head.neverWritten.has(row.version, sortKey)) keys.push(elementKeyOf(touched, row, sortKey));
  }
  return keys;
}
