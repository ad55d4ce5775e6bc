/** SCAN and KEYS, which walk from one partition to the next, WAIT and WAITAOF. */
import { integer } from '../../shared/commands/arguments.js';
import { ErrorReply, type Reply } from '../../shared/commands/reply.js';
import { KeysWalk, ScanWalk, type Walk } from '../../shared/commands/scan.js';
import { ClientError } from '../../shared/errors.js';
import { writesSynced } from '../../shared/operations/strings.js';
import { members } from '../../shared/cluster.js';
import { type Call, LATER, type ProxyContext, type SessionHandler } from '../context.js';
import { outcomeError } from '../pending.js';
import { Status } from '../../shared/wire/messages.js';
import { timeoutMs } from './arguments.js';
import { askAll } from './ask-all.js';

/** Takes a walk to its end, one operation at a time. */
function follow(call: Call, walk: Walk): Reply | typeof LATER {
  const { proxy, session } = call;
  if (walk.finished) return walk.reply();
  const { db } = session.context;
  const finish = call.later();
  const step = (): void => {
    proxy.router.submit(proxy.table, walk.slot, session.routed, db, walk.operation(), {
      onOutcome(status, value) {
        if (status !== Status.ok) return finish(outcomeError(status, value));
        walk.add(value);
        if (walk.finished) finish(walk.reply());
        else if (session.closed) finish(new ErrorReply('ERR the connection is closed'));
        else step();
      },
    });
  };
  step();
  return LATER;
}

const scan: SessionHandler = (call) => follow(call, new ScanWalk(call.args));
const keys: SessionHandler = (call) => follow(call, new KeysWalk(call.args));

/** Replicas besides the primary, of the partition that has fewest. */
export function fewestReplicas(proxy: ProxyContext): number {
  const counts = proxy.table.partitions.map((partition) => members(partition.facts.configuration).length - 1);
  return counts.length === 0 ? 0 : Math.max(0, Math.min(...counts));
}

/**
 * A write is acknowledged when every replica of its partition has it. So the reply, which leaves behind
 * those of all earlier writes of the connection, can say so at once.
 */
const wait: SessionHandler = ({ proxy, args }) => {
  integer(args[0]);
  timeoutMs(args[1]);
  return fewestReplicas(proxy);
};

const NOT_SYNCED =
  'ERR WAITAOF cannot tell what has been synced: the servers run with --fsync everysec or no, rather than always.';

const waitaof: SessionHandler = (call) => {
  const local = integer(call.args[0]);
  if (local < 0 || local > 1) throw new ClientError('ERR value is out of range, value must between 0 and 1');
  if (integer(call.args[1]) < 0) throw new ClientError('ERR value is out of range, must be positive');
  timeoutMs(call.args[2]);
  const finish = call.later();
  askAll(call, writesSynced(), (results) => {
    if (results instanceof ErrorReply) finish(results);
    else finish(results.every(Boolean) ? [1, fewestReplicas(call.proxy)] : new ErrorReply(NOT_SYNCED));
  });
  return LATER;
};

export const keyspaceHandlers = { keys, scan, wait, waitaof } satisfies Record<string, SessionHandler>;
