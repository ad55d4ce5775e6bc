/**
 * Operations that found nothing and wait for it (BLPOP and the like): at the primary, in memory, in the order in which
 * they came. A write to a row makes those that wait for it try again, at once and in that order, before anything else
 * is executed. A wait is an unanswered request: after a failover its proxy sends it again to the successor, which
 * executes it, lets it wait anew, or finds in the table of sessions that it was served.
 */
import type { Awaiting } from './awaiting.js';
import type { ConnectionState } from './sessions.js';

export interface Waiting {
  readonly state: ConnectionState | null;
  /** Null: it does not wait. */
  readonly awaits: Awaiting | null;
}

export class Waits<W extends Waiting> {
  /** By row (see `name`), in the order of coming. */
  private readonly byRow = new Map<string, Set<W>>();
  private readonly rowsOf = new Map<W, readonly string[]>();
  /** A connection waits for one thing at a time. */
  private readonly byConnection = new Map<string, W>();
  private readonly ready = new Set<string>();

  static row(db: number, key: string): string {
    return `${db} ${key}`;
  }

  get size(): number {
    return this.rowsOf.size;
  }

  get anyReady(): boolean {
    return this.ready.size > 0;
  }

  has(wait: W): boolean {
    return this.rowsOf.has(wait);
  }

  of(state: ConnectionState): W | undefined {
    return this.byConnection.get(connectionOf(state));
  }

  add(wait: W, rows: readonly string[]): void {
    this.rowsOf.set(wait, rows);
    if (wait.state !== null) this.byConnection.set(connectionOf(wait.state), wait);
    for (const row of rows) {
      const waiting = this.byRow.get(row);
      if (waiting === undefined) this.byRow.set(row, new Set([wait]));
      else waiting.add(wait);
    }
  }

  remove(wait: W): void {
    for (const row of this.rowsOf.get(wait) ?? []) {
      const waiting = this.byRow.get(row);
      waiting?.delete(wait);
      if (waiting?.size === 0) this.byRow.delete(row);
    }
    this.rowsOf.delete(wait);
    if (wait.state !== null) this.byConnection.delete(connectionOf(wait.state));
  }

  /** The row was written, or removed: then only for those that mind. */
  wake(row: string, isThere: boolean): void {
    const waiting = this.byRow.get(row);
    if (waiting === undefined) return;
    if (isThere || [...waiting].some(({ awaits }) => awaits?.mindsRemoval)) this.ready.add(row);
  }

  /** One of those that wait for the same rows is served, and may have kept the others from being tried. */
  wakeOthers(wait: W): void {
    for (const row of this.rowsOf.get(wait) ?? []) this.ready.add(row);
  }

  wakeAll(): void {
    for (const row of this.byRow.keys()) this.ready.add(row);
  }

  /** A row that was written, and who waits for it now. */
  takeReady(): { readonly row: string; readonly waiting: readonly W[] } | null {
    for (const row of this.ready) {
      this.ready.delete(row);
      return { row, waiting: [...(this.byRow.get(row) ?? [])] };
    }
    return null;
  }

  /** Removes and returns those that match. */
  take(matches: (wait: W) => boolean): W[] {
    const taken = [...this.rowsOf.keys()].filter(matches);
    for (const wait of taken) this.remove(wait);
    return taken;
  }
}

function connectionOf({ session, connection }: ConnectionState): string {
  return `${session.id} ${connection}`;
}
