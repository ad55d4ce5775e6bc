/** What a replica's store says about itself, read once when it is opened. */
import { OperatingError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import { Counts } from '../execution/counts.js';
import { decodeKeyspaces, initialKeyspaces, KEYSPACES_KEY } from '../execution/head.js';
import { Sessions, sessionRows } from '../execution/sessions.js';
import { NO_SETTINGS, SETTINGS_KEYS, type Settings, settingsAfter } from '../execution/settings.js';
import { decodeCount, keyAfter, KeyspaceKeys, parseCountKey, toBuffer } from '../storage/keys.js';
import type { Callback, Entry, Store } from '../storage/store.js';
import { APPLIED_KEY, decodeApplied, type AppliedState } from './applier.js';

export interface StoredState {
  /** Null: the store is new. */
  readonly applied: AppliedState | null;
  readonly keyspaces: string[];
  readonly settings: Settings;
  readonly counts: Counts;
  readonly sessions: Sessions;
}

/** E_CORRUPT for rows that cannot be read, E_CONFIG for a newer version's. */
export function loadState(store: Store, done: Callback<StoredState>): void {
  store.getMany([APPLIED_KEY, KEYSPACES_KEY, ...SETTINGS_KEYS].map(toBuffer), (error, values) => {
    if (error !== null || values === undefined) return done(error ?? new Error('no values'));
    const [stored, storedKeyspaces, ...storedSettings] = values;
    let applied: AppliedState | null;
    let keyspaces: string[];
    let settings = NO_SETTINGS;
    try {
      applied = stored === undefined ? null : decodeApplied(stored);
      keyspaces = storedKeyspaces === undefined ? initialKeyspaces() : decodeKeyspaces(storedKeyspaces);
      for (const [i, key] of SETTINGS_KEYS.entries())
        settings = settingsAfter(settings, key, storedSettings[i] ?? null);
    } catch (damage) {
      return done(asDamage(damage));
    }
    const counts = new Counts();
    const sessions = new Sessions({ persistent: true });
    const readCount = ({ key, value }: Entry): void => {
      const { keyspace, slot } = parseCountKey(key);
      const { keys, expires, bytes } = decodeCount(value);
      counts.of(keyspace).add(slot, keys, expires, bytes);
    };
    const loadCounts = (index: number): void => {
      const keyspace = keyspaces[index];
      if (keyspace === undefined) {
        return readEach(
          store,
          sessionRows,
          (entry) => sessions.load(entry),
          (failed) => (failed !== null ? done(failed) : done(null, { applied, keyspaces, settings, counts, sessions })),
        );
      }
      const { gte, lt } = new KeyspaceKeys(keyspace).slots('C', 0, 0xfffe);
      readEach(store, { gte: toBuffer(gte), lt: toBuffer(lt) }, readCount, (failed) =>
        failed !== null ? done(failed) : loadCounts(index + 1),
      );
    };
    loadCounts(0);
  });
}

/** As eachEntry; what `read` throws at ends it. */
function readEach(
  store: Store,
  range: { gte: Buffer; lt: Buffer },
  read: (entry: Entry) => void,
  done: Callback,
): void {
  let damage: OperatingError | null = null;
  const each = (entry: Entry): void => {
    if (damage !== null) return;
    try {
      read(entry);
    } catch (error) {
      damage = asDamage(error);
    }
  };
  eachEntry(store, range, each, (error) => done(error ?? damage));
}

function asDamage(error: unknown): OperatingError {
  if (error instanceof OperatingError) return error;
  return new OperatingError('E_CORRUPT', `a row of the store cannot be read: ${String(error)}`, { cause: error });
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
      else eachEntry(store, { gte: keyAfter(last.key), lt: range.lt }, each, done);
    },
  );
}
