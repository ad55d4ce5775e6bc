/**
 * Keys that clients may have cached, by their proxies: of each the names it is to be told of at their next write, whatever
 * the database, as in Redis. In memory; when there are too many for a proxy, the oldest one is as good as written.
 */
import { limits } from '../../shared/limits.js';
import type { Origin } from '../../shared/wire/network.js';

export class TrackedKeys {
  private readonly proxies = new Map<string, { readonly proxy: Origin; readonly keys: Set<string> }>();

  /** Nobody has ever tracked anything here. */
  get empty(): boolean {
    return this.proxies.size === 0;
  }

  /** Keys that are tracked no more for want of room; null: none. */
  add(proxy: Origin, keys: readonly string[]): readonly string[] | null {
    let known = this.proxies.get(proxy.boot);
    if (known === undefined) this.proxies.set(proxy.boot, (known = { proxy, keys: new Set() }));
    for (const key of keys) known.keys.add(key);
    if (known.keys.size <= limits.trackedKeys) return null;
    const forgotten: string[] = [];
    for (const key of known.keys) {
      if (known.keys.size - forgotten.length <= limits.trackedKeys) break;
      forgotten.push(key);
    }
    for (const key of forgotten) known.keys.delete(key);
    return forgotten;
  }

  /** Tells of those of the keys that each proxy tracks; null: everything. They are tracked no more. */
  take(keys: readonly string[] | null, tell: (proxy: Origin, keys: readonly string[] | null) => void): void {
    for (const { proxy, keys: tracked } of this.proxies.values()) {
      if (keys === null) {
        tracked.clear();
        tell(proxy, null);
        continue;
      }
      const written = keys.filter((key) => tracked.delete(key));
      if (written.length > 0) tell(proxy, written);
    }
  }

  forget(boot: string): void {
    this.proxies.delete(boot);
  }

  *boots(): Iterable<string> {
    yield* this.proxies.keys();
  }
}
