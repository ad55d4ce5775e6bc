/** What concerns the table as a whole is asked of all its partitions. */
import { ErrorReply } from '../../shared/commands/reply.js';
import type { Operation, OperationResult } from '../../shared/operations/operation.js';
import { Status } from '../../shared/wire/messages.js';
import type { Call } from '../context.js';
import { outcomeError } from '../pending.js';

/** One operation on every partition: the results, in any order, or a failure. */
export function askAll(
  { proxy, session }: Call,
  operation: Operation,
  done: (results: readonly OperationResult[] | ErrorReply) => void,
): void {
  const { partitions } = proxy.table;
  const results: OperationResult[] = [];
  let left = partitions.length;
  let failure: ErrorReply | null = null;
  if (left === 0) return done(new ErrorReply('ERR not executed: no partition is known yet'));
  for (const partition of partitions) {
    proxy.router.submitTo(partition, session.routed, session.context.db, operation, {
      onOutcome(status, value) {
        if (status === Status.ok) results.push(value);
        else failure = outcomeError(status, value);
        left -= 1;
        if (left === 0) done(failure ?? results);
      },
    });
  }
}
