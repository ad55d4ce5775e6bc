/**
 * The replicas that a starting server finds on its disk. What is damaged, and what the log has lost records of, is set
 * aside, to be learned again; half-made copies go. What is not damage (a newer version's data, a process without
 * descriptors) must not condemn a sound replica: it ends the start.
 */
import { isDamage } from '../../shared/errors.js';
import type { OpenedLog } from '../log/log.js';
import type { Callback, StoreFactory } from '../storage/store.js';
import type { PartitionHost } from './host.js';
import { isCopy, partitionOfStore, storeName } from './names.js';
import { Partition } from './partition.js';
import { loadState } from './state.js';

interface Disk {
  readonly stores: StoreFactory;
  readonly opened: OpenedLog;
}

export function reopenReplicas(disk: Disk, host: PartitionHost, done: Callback<Partition[]>): void {
  disk.stores.list((unlisted, names) => {
    if (unlisted !== null || names === undefined) return done(unlisted ?? new Error('no list'));
    const reopened: Partition[] = [];
    const next = (at: number): void => {
      const name = names[at];
      if (name === undefined) return done(null, reopened);
      const then = (error: Error | null): void => (error === null ? next(at + 1) : done(error));
      const id = partitionOfStore(name);
      if (id !== null) reopen(disk, host, id, (partition) => void reopened.push(partition), then);
      else if (isCopy(name)) disk.stores.destroy(name, then);
      else then(null);
    };
    next(0);
  });
}

function reopen(
  disk: Disk,
  host: PartitionHost,
  id: number,
  found: (partition: Partition) => void,
  done: Callback,
): void {
  const setAside = (reason: string): void => {
    host.logger.error({ partition: id, reason }, 'a damaged replica was set aside; it will learn again');
    disk.stores.setAside(storeName(id), reason, done);
  };
  disk.stores.open(storeName(id), (error, store) => {
    if (error !== null || store === undefined) {
      if (isDamage(error)) setAside(error.message);
      else done(error ?? new Error('no store'));
      return;
    }
    const judge = (failed: Error | null): void =>
      store.close(() => {
        if (isDamage(failed)) setAside(failed.message);
        else done(failed ?? new Error('no state'));
      });
    loadState(store, (unread, loaded) => {
      if (unread !== null || loaded === undefined) return judge(unread);
      const { applied } = loaded;
      if (applied === null) return store.close(() => disk.stores.destroy(storeName(id), done));
      const { recovered, setAside: damagedSegments } = disk.opened;
      const logged = recovered.find(({ partition, stay }) => partition === id && stay === applied.stay);
      if (logged?.damaged === true || (logged === undefined && damagedSegments.length > 0)) {
        return store.close(() => setAside('its log is damaged'));
      }
      const partition = new Partition(host, id, null, store, loaded, applied.stay);
      partition.recover((failed) => {
        if (failed !== null) return judge(failed);
        found(partition);
        done(null);
      });
    });
  });
}
