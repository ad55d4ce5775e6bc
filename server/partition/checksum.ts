/** A checksum over the content of one replica: equal on all replicas at the same decree. */
import { createHash } from 'node:crypto';
import { KEYSPACES_KEY } from '../execution/head.js';
import { garbageRecords, toBuffer } from '../storage/keys.js';
import type { Callback, Store } from '../storage/store.js';
import { eachEntry } from './state.js';

const DATA = { gte: Buffer.from([1]), lt: Buffer.from([2]) };

/**
 * Of the state as of the call. What is garbage is left out, as each replica removes it in its own time; so
 * are the sessions' rows and the applied decree, which are no content.
 */
export function checksum(store: Store, done: Callback<{ checksum: string; entries: number }>): void {
  const snapshot = store.snapshot();
  const end = (error: Error | null, result?: { checksum: string; entries: number }): void => {
    snapshot.close();
    if (error !== null) done(error);
    else done(null, result);
  };
  const garbage: string[] = [];
  const range = { gte: toBuffer(garbageRecords.gte), lt: toBuffer(garbageRecords.lt) };
  eachEntry(
    snapshot,
    range,
    ({ value }) => garbage.push(value.latin1Slice(0, value.length)),
    (error) => {
      if (error !== null) return end(error);
      garbage.sort();
      const hash = createHash('sha256');
      const lengths = Buffer.alloc(8);
      let entries = 0;
      eachEntry(
        snapshot,
        DATA,
        ({ key, value }) => {
          if (isGarbage(garbage, key.latin1Slice(0, key.length))) return;
          lengths.writeUInt32BE(key.length, 0);
          lengths.writeUInt32BE(value.length, 4);
          hash.update(lengths).update(key).update(value);
          entries++;
        },
        (failed) => {
          if (failed !== null) return end(failed);
          snapshot.get(toBuffer(KEYSPACES_KEY), (unread, keyspaces) => {
            if (unread !== null) return end(unread);
            if (keyspaces !== undefined) hash.update(keyspaces);
            end(null, { checksum: hash.digest('hex').slice(0, 16), entries });
          });
        },
      );
    },
  );
}

/** Does a garbage prefix cover this key? `prefixes` is sorted; one of them may cover another. */
function isGarbage(prefixes: readonly string[], key: string): boolean {
  let low = 0;
  let high = prefixes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (prefixes[middle]! <= key) low = middle + 1;
    else high = middle;
  }
  for (let i = low - 1; i >= 0; i--) {
    const prefix = prefixes[i]!;
    if (key.startsWith(prefix)) return true;
    // all prefixes of one keyspace begin alike; before its first nothing can match
    if (prefix.slice(0, 9) !== key.slice(0, 9)) return false;
  }
  return false;
}
