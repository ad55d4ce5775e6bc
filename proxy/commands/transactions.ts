/** MULTI, EXEC, DISCARD, WATCH and UNWATCH. */
import { OK, type Reply } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { marks, type Watched } from '../../shared/operations/transactions.js';
import { slotOf } from '../../shared/slots.js';
import { Status } from '../../shared/wire/messages.js';
import { type Call, LATER, type SessionHandler } from '../context.js';
import { CROSS_SLOT } from '../keys.js';
import { outcomeError } from '../pending.js';
import { Execution, Transaction } from '../transaction.js';
import { heldUntilAnswered } from './held-until-answered.js';

const multi: SessionHandler = ({ session }) => {
  if (session.transaction !== null) throw new ClientError('ERR MULTI calls can not be nested');
  session.transaction = new Transaction();
  return OK;
};

const exec: SessionHandler = (call) => {
  const { session } = call;
  const { transaction, watched } = session;
  if (transaction === null) throw new ClientError('ERR EXEC without MULTI');
  session.forgetTransaction();
  if (transaction.failed) throw new ClientError('EXECABORT Transaction discarded because of previous errors.');
  const execution = new Execution(call, transaction.queued, watched);
  // what is subscribed to within may bring messages at once: no earlier reply is to be behind them
  if (!transaction.queued.some(({ entry }) => entry.whileSubscribed)) return execution.run();
  session.hold();
  session.whenAnswered(() => {
    execution.run();
    session.release();
  });
  return LATER;
};

const discard: SessionHandler = ({ session }) => {
  if (session.transaction === null) throw new ClientError('ERR DISCARD without MULTI');
  session.forgetTransaction();
  return OK;
};

const isWatched = (watched: readonly Watched[], db: number, key: Buffer): boolean =>
  watched.some((known) => known.db === db && known.key.equals(key));

/** What follows waits: EXEC needs the answer. */
const watch: SessionHandler = (call) => {
  const { proxy, session, args } = call;
  if (session.transaction !== null) throw new ClientError('ERR WATCH inside MULTI is not allowed');
  const { db } = session.context;
  const keys = args.filter((key) => !isWatched(session.watched, db, key)).map((key) => Buffer.from(key));
  const only = proxy.table.facts?.multiKey === 'any' || proxy.table.partitions.length === 1;
  const slot = slotOf(args[0] as Buffer);
  if (!only && args.some((key) => slotOf(key) !== slot)) throw new ClientError(CROSS_SLOT);
  if (keys.length === 0) return OK;
  return ask(call, slot, keys, (found) => {
    keys.forEach((key, index) => {
      if (!isWatched(session.watched, db, key))
        session.watched.push({ db, key, mark: (found[index] ?? null) as Buffer | null });
    });
    return OK;
  });
};

function ask(
  call: Call,
  slot: number,
  keys: readonly Buffer[],
  reply: (found: readonly OperationResult[]) => Reply,
): typeof LATER {
  const { proxy, session } = call;
  const answer = heldUntilAnswered(call);
  proxy.router.submit(proxy.table, slot, session.routed, session.context.db, marks(keys), {
    onOutcome(status, value) {
      answer(status === Status.ok ? reply(value as readonly OperationResult[]) : outcomeError(status, value));
    },
  });
  return LATER;
}

const unwatch: SessionHandler = ({ session }) => {
  session.watched = [];
  return OK;
};

export const transactionHandlers = { multi, exec, discard, watch, unwatch } satisfies Record<string, SessionHandler>;
