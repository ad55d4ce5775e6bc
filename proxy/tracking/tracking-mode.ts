/** How one connection tracks keys: CLIENT TRACKING ON and its options. */
import type { CatalogueEntry } from '../catalogue.js';

export class TrackingMode {
  /** Client id; 0: the connection itself. */
  redirect = 0;
  broadcast = false;
  /** Only what follows CLIENT CACHING YES is tracked. */
  optIn = false;
  /** What follows CLIENT CACHING NO is not. */
  optOut = false;
  noLoop = false;
  /** What CLIENT CACHING said of the next command; null: nothing. */
  caching: boolean | null = null;
  /** Where messages are to go is gone. */
  brokenRedirect = false;
  /** In broadcast mode, in latin1. */
  readonly prefixes = new Set<string>();

  /** Whether keys that are read now are to be remembered. */
  get remembers(): boolean {
    if (this.broadcast) return false;
    return this.optIn ? this.caching === true : this.caching !== false;
  }

  /** CLIENT CACHING holds for one command; or for a transaction, and CLIENT itself does not count. */
  afterCommand(entry: CatalogueEntry, queues: boolean): void {
    if (!queues && entry.container?.name !== 'client') this.caching = null;
  }

  /** As CLIENT TRACKINGINFO says it. */
  get flags(): string[] {
    return [
      'on',
      ...(this.broadcast ? ['bcast'] : []),
      ...(this.optIn ? ['optin', ...(this.caching === true ? ['caching-yes'] : [])] : []),
      ...(this.optOut ? ['optout', ...(this.caching === false ? ['caching-no'] : [])] : []),
      ...(this.noLoop ? ['noloop'] : []),
      ...(this.brokenRedirect ? ['broken_redirect'] : []),
    ];
  }
}
