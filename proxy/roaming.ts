/**
 * A script without keys, in a table of several partitions: the first key that it uses says where it belongs. It begins at
 * the first partition, which sends it there before it has done anything. Until it is answered its session takes no more
 * requests: those behind it must not be executed before it.
 */
import { limits } from '../shared/limits.js';
import type { OperationResult } from '../shared/operations/operation.js';
import { NOT_HERE, slotElsewhere } from '../shared/operations/scripts.js';
import { Status } from '../shared/wire/messages.js';
import { PendingOperation } from './pending.js';

export class PendingScript extends PendingOperation {
  private submit: (slot: number) => void = () => undefined;
  private moves = 0;

  start(submit: (slot: number) => void): void {
    this.submit = submit;
    this.session.hold();
    submit(0);
  }

  override onOutcome(status: number, value: OperationResult): void {
    const slot = status === Status.clientError ? slotElsewhere(String(value)) : null;
    if (slot !== null && this.moves < limits.scriptMoves) {
      this.moves += 1;
      this.dispatcher.busy.delete(this);
      this.submit(slot);
      return;
    }
    super.onOutcome(status, slot === null ? value : NOT_HERE);
    this.session.release();
  }
}
