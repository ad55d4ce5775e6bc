/**
 * What a transaction reads, and what it writes after having read it: the client is told the value it read first, and then
 * that this is no longer so. The primary cannot tell, as to it the transaction is one operation.
 */
import type { CatalogueEntry } from '../catalogue.js';

export class TrackedInOrder {
  private readonly fresh = new Map<string, Buffer>();
  private readonly stale = new Map<string, Buffer>();

  add(entry: CatalogueEntry, keys: readonly Buffer[]): void {
    for (const key of keys) {
      const name = key.latin1Slice(0, key.length);
      if (entry.isRead) {
        this.stale.delete(name);
        this.fresh.set(name, key);
      } else if (this.fresh.delete(name)) this.stale.set(name, key);
    }
  }

  get read(): Buffer[] {
    return [...this.fresh.values(), ...this.stale.values()];
  }

  get written(): Buffer[] {
    return [...this.stale.values()];
  }
}
