/** ACL LOG: what users of this proxy were refused. Similar events within a minute are one entry with a count. */
import { limits } from '../shared/limits.js';

export type AclReason = 'command' | 'key' | 'channel' | 'auth';
export type AclContext = 'toplevel' | 'multi' | 'lua';

export interface AclLogEntry {
  count: number;
  readonly reason: AclReason;
  readonly context: AclContext;
  readonly object: string;
  readonly username: string;
  atMs: number;
  clientInfo: string;
}

const SIMILAR_WITHIN_MS = 60_000;

export class AclLog {
  /** Newest first. */
  entries: AclLogEntry[] = [];

  /** `object` and `username` as latin1 text. */
  add(event: Omit<AclLogEntry, 'count'>, maxEntries: number): void {
    const entry = { ...event, count: 1, object: event.object.slice(0, limits.aclLogObjectCharacters) };
    const at = this.entries.slice(0, limits.aclLogCompared).findIndex((known) => isSimilar(known, entry));
    const known = at < 0 ? undefined : this.entries.splice(at, 1)[0];
    if (known !== undefined) {
      known.count += 1;
      known.atMs = entry.atMs;
      known.clientInfo = entry.clientInfo;
    }
    this.entries.unshift(known ?? entry);
    if (this.entries.length > maxEntries) this.entries.length = Math.max(0, maxEntries);
  }
}

function isSimilar(a: AclLogEntry, b: AclLogEntry): boolean {
  return (
    a.reason === b.reason &&
    a.context === b.context &&
    a.object === b.object &&
    a.username === b.username &&
    Math.abs(a.atMs - b.atMs) <= SIMILAR_WITHIN_MS
  );
}
