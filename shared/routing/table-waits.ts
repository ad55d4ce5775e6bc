/** Who waits to hear of a table from meta, for no longer than a request would wait for its partition. */
import type { RoutedTable } from './routing-table.js';

interface Wait {
  readonly table: RoutedTable;
  readonly untilMs: number;
  readonly run: () => void;
}

export class TableWaits {
  private waits: Wait[] = [];

  add(table: RoutedTable, untilMs: number, run: () => void): void {
    this.waits.push({ table, untilMs, run });
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
