/**
 * Who waits to hear of a table from meta: as long as a request would wait for its partition, counted from the first that
 * waits. When that was in vain, those who come later are told so at once: meta may be away for long.
 */
import type { RoutedTable } from './routing-table.js';

interface Wait {
  readonly table: RoutedTable;
  readonly untilMs: number;
  readonly run: () => void;
}

export class TableWaits {
  private waits: Wait[] = [];
  /** When waiting for it ends, or has ended. */
  private readonly ends = new Map<RoutedTable, number>();

  /** `run` may be called within this. */
  add(table: RoutedTable, nowMs: number, atMostMs: number, run: () => void): void {
    const untilMs = this.ends.get(table) ?? nowMs + atMostMs;
    this.ends.set(table, untilMs);
    if (nowMs >= untilMs) run();
    else this.waits.push({ table, untilMs, run });
  }

  /** Lets go whoever's table is known by now, or whose time is over. */
  look(nowMs: number): void {
    if (this.waits.length === 0) return;
    const ends = ({ table, untilMs }: Wait): boolean => table.partitions.length > 0 || nowMs >= untilMs;
    const over = this.waits.filter(ends);
    this.waits = this.waits.filter((wait) => !ends(wait));
    for (const { run } of over) run();
  }
}
