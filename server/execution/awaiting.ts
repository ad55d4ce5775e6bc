/** How an operation waits that has found nothing (its result is null): said of it in the table of operations. */
import type { OperationArgument } from '../../shared/operations/operation.js';
import type { RowType } from '../storage/row.js';
import type { View } from './view.js';

export interface Awaiting {
  /** For rows of this type. */
  readonly type: RowType;
  /** What one is given the next one lacks: once a row is gone, nobody else who waits for it is tried. */
  readonly takes: boolean;
  /** That a row is removed or becomes one of another type ends the wait, with the operation's error. */
  readonly mindsRemoval: boolean;
  /**
   * What it goes on with once it has been executed and found nothing. The view is that of this execution, and has
   * looked up the rows. Null: with the same arguments.
   */
  readonly resume: ((view: View, args: readonly OperationArgument[]) => readonly OperationArgument[]) | null;
}

/** Takes elements off rows of a type. */
export const takesFrom = (type: RowType): Awaiting => ({ type, takes: true, mindsRemoval: false, resume: null });
