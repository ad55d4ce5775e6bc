/** The first answer to a request is kept for a repetition, in the head state and in the mutation that is being gathered. */
import { limits } from '../../shared/limits.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import type { KeptResult } from '../replication/mutation.js';
import { RESULT_NOT_KEPT, weight, type ConnectionState } from './sessions.js';

/**
 * `decree`: of the mutation that the operation wrote to; 0: none. What reads were answered matters once a later write of
 * their connection is logged. `logged`: the results that go with the mutation.
 */
export function remember(
  state: ConnectionState,
  sequence: number,
  status: number,
  value: OperationResult,
  decree: number,
  logged: KeptResult[],
): void {
  let bytes = weight(value);
  let keptStatus = status;
  let keptValue = value;
  if (bytes > limits.keptResultBytes) {
    bytes = 0;
    keptStatus = RESULT_NOT_KEPT;
    keptValue = null;
  }
  if (decree === 0) state.unlogged.push(sequence);
  else {
    for (const earlier of state.unlogged) {
      const result = state.results.get(earlier);
      if (result === undefined) continue;
      logged.push([state.session.id, state.connection, earlier, state.floor, result.status, result.value]);
      state.keep(earlier, { ...result, decree });
    }
    if (state.unlogged.length > 0) state.unlogged = [];
    logged.push([state.session.id, state.connection, sequence, state.floor, keptStatus, keptValue]);
    state.logged = true;
  }
  state.keep(sequence, { status: keptStatus, value: keptValue, decree, bytes });
}
