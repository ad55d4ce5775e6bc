/** What an operation changes of the whole partition: which keyspace each database has, settings, records. */
import { PARTITION_WIDE, type Group, type GroupWrite } from '../replication/mutation.js';
import type { KeyspaceKeys } from '../storage/keys.js';
import { encodeKeyspaces, KEYSPACES_KEY, type Head } from './head.js';
import { settingsAfter } from './settings.js';

const NO_KEYSPACE = '\0'.repeat(8);

export class WideChanges {
  /** Null: as they were. */
  keyspaces: KeyspaceKeys[] | null = null;
  private writes: GroupWrite[] = [];

  reset(): void {
    if (this.writes.length > 0) this.writes = [];
    this.keyspaces = null;
  }

  /** Returns how to take it back, and what is added after it. */
  add(write: GroupWrite): () => void {
    const { writes } = this;
    const count = writes.length;
    writes.push(write);
    return () => {
      writes.length = count;
    };
  }

  /** What was added last under a key; undefined: nothing. */
  find(key: string): Buffer | null | undefined {
    return this.writes.findLast((write) => write.key === key)?.value;
  }

  /** Keyspaces to change; `undo` is told how to take back what is changed from now on. */
  change(head: Head, undo: ((step: () => void) => void) | null): KeyspaceKeys[] {
    const { keyspaces: before, writes } = this;
    const count = writes.length;
    undo?.(() => {
      this.keyspaces = before;
      writes.length = count;
    });
    this.keyspaces = [...(before ?? head.keyspaces)];
    return this.keyspaces;
  }

  /** False when there is nothing. */
  commit(head: Head, decree: number, groups: Group[]): boolean {
    const { keyspaces, writes } = this;
    if (keyspaces === null && writes.length === 0) return false;
    if (keyspaces !== null) writes.push({ key: KEYSPACES_KEY, value: encodeKeyspaces(keyspaces.map(({ id }) => id)) });
    const none = { keysDelta: 0, expiresDelta: 0, bytesDelta: 0 };
    groups.push({ slot: PARTITION_WIDE, keyspace: NO_KEYSPACE, ...none, writes });
    for (const { key, value } of writes) {
      head.write(key, value, value?.length ?? 0, decree);
      head.settings = settingsAfter(head.settings, key, value);
    }
    if (keyspaces !== null)
      head.setKeyspaces(
        keyspaces.map(({ id }) => id),
        decree,
      );
    return true;
  }
}
