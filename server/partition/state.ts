/** What a replica's store says about itself, read once when it is opened. */
import { limits } from '../../shared/limits.js';
import { Counts } from '../execution/counts.js';
import { decodeKeyspaces, initialKeyspaces, KEYSPACES_KEY } from '../execution/head.js';
import { Sessions, sessionRows } from '../execution/sessions.js';
import { decodeCount, KeyspaceKeys, parseCountKey, toBuffer } from '../storage/keys.js';
import type { Callback, Entry, Store } from '../storage/store.js';
import { APPLIED_KEY, decodeApplied, type AppliedState } from './applier.js';

export interface StoredState {
  /** Null: the store is new. */
  readonly applied: AppliedState | null;
  readonly keyspaces: string[];
  readonly counts: Counts;
  readonly sessions: Sessions;
}

export function loadState(store: Store, done: Callback<StoredState>): void {
  store.getMany([toBuffer(APPLIED_KEY), toBuffer(KEYSPACES_KEY)], (error, values) => {
    if (error !== null || values === undefined) return done(error ?? new Error('no values'));
    const [applied, stored] = values;
    const keyspaces = stored === undefined ? initialKeyspaces() : decodeKeyspaces(stored);
    const counts = new Counts();
    const sessions = new Sessions({ persistent: true });
    const ranges = keyspaces.map((id) => {
      const { gte, lt } = new KeyspaceKeys(id).slots('C', 0, 0xfffe);
      return { gte: toBuffer(gte), lt: toBuffer(lt) };
    });
    const loadCounts = (index: number): void => {
      const range = ranges[index];
      if (range === undefined) {
        eachEntry(
          store,
          sessionRows,
          (entry) => sessions.load(entry),
          (failed) => {
            if (failed !== null) done(failed);
            else
              done(null, {
                applied: applied === undefined ? null : decodeApplied(applied),
                keyspaces,
                counts,
                sessions,
              });
          },
        );
        return;
      }
      const each = ({ key, value }: Entry): void => {
        const { keyspace, slot } = parseCountKey(key);
        const { keys, expires } = decodeCount(value);
        counts.of(keyspace).add(slot, keys, expires);
      };
      eachEntry(store, range, each, (failed) => {
        if (failed !== null) done(failed);
        else loadCounts(index + 1);
      });
    };
    loadCounts(0);
  });
}

/** Pages through a range; nothing else writes to it meanwhile. */
export function eachEntry(
  store: Pick<Store, 'range'>,
  range: { gte: Buffer; lt: Buffer },
  each: (entry: Entry) => void,
  done: Callback,
): void {
  store.range(
    { ...range, limit: limits.fetchRangeEntries, limitBytes: limits.fetchRangeBytes, background: true },
    (error, entries) => {
      if (error !== null || entries === undefined) return done(error ?? new Error('no entries'));
      for (const entry of entries) each(entry);
      const last = entries[entries.length - 1];
      if (last === undefined) done(null);
      else eachEntry(store, { gte: Buffer.concat([last.key, ZERO]), lt: range.lt }, each, done);
    },
  );
}

const ZERO = Buffer.alloc(1);
