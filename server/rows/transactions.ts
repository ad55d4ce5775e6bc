/** Several operations as one, and what a transaction's WATCH compares: see shared/operations/transactions.ts. */
import { ClientError } from '../../shared/errors.js';
import type { OperationArgument, OperationResult } from '../../shared/operations/operation.js';
import type { Execute, View } from '../execution/view.js';
import { bytesAt, bytesFrom, bytesOrNullAt, databaseAt, listAt, numberAt } from './arguments.js';

const mark = (view: View, key: Buffer): Buffer | null => {
  const row = view.peek(key);
  return row === null ? null : Buffer.from(row.modified, 'latin1');
};

export const marks: Execute = (view, args) => bytesFrom(args, 0).map((key) => mark(view, key));

function isUnchanged(view: View, watched: OperationArgument): boolean {
  const [db, key, before] = listAt([watched], 0);
  const now = mark(view.inDatabase(databaseAt([db ?? null], 0)), bytesAt([key ?? null], 0));
  const then = bytesOrNullAt([before ?? null], 0);
  return then === null ? now === null : now?.equals(then) === true;
}

/** `find`: what executes an operation; undefined for those that may not be part of a transaction. */
export function transactionOf(find: (code: number) => Execute | undefined): Execute {
  return (view, args) => {
    if (!listAt(args, 0).every((watched) => isUnchanged(view, watched))) return null;
    return listAt(args, 1).map((part): OperationResult => {
      const [db, code, ...rest] = listAt([part], 0);
      const target = view.inDatabase(databaseAt([db ?? null], 0));
      const execute = find(numberAt([code ?? null], 0));
      if (execute === undefined) return [false, 'ERR unknown operation in a transaction'];
      const result = view.part(() => execute(target, rest));
      return result instanceof ClientError ? [false, result.message] : [true, result];
    });
  };
}
