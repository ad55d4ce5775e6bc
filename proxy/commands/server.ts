/** Small commands about the server as a whole. */
import { word } from '../../shared/commands/arguments.js';
import { OK, type Reply, SimpleString, VerbatimReply } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import type { SessionHandler } from '../context.js';
import { cInt } from './arguments.js';
import { help } from './help.js';
import { REDIS_VERSION } from './redis-version.js';

const SYNTAX = 'ERR syntax error';

const time: SessionHandler = ({ proxy }) => {
  const usec = Math.floor(proxy.environment.wallMs() * 1000);
  return [String(Math.floor(usec / 1e6)), String(usec % 1e6)];
};

const lolwut: SessionHandler = ({ args }) => {
  if (args.length >= 2 && word(args[0]) === 'VERSION') cInt(args[1]);
  return new VerbatimReply('txt', `Redis ver. ${REDIS_VERSION}\n`);
};

/** A master as far as clients need to know: replicas are within the cluster. */
const role: SessionHandler = () => ['master', 0, []];

const SHUTDOWN_OPTIONS = new Set(['SAVE', 'NOSAVE', 'NOW', 'FORCE', 'ABORT']);

/** Everything acknowledged is on every replica, so there is nothing to save first. */
const shutdown: SessionHandler = ({ proxy, session, args }) => {
  const options = args.map((argument) => word(argument));
  const contradicts =
    (options.includes('SAVE') && options.includes('NOSAVE')) || (options.includes('ABORT') && options.length > 1);
  if (contradicts || options.some((option) => !SHUTDOWN_OPTIONS.has(option))) throw new ClientError(SYNTAX);
  if (options.includes('ABORT')) throw new ClientError('ERR No shutdown in progress.');
  proxy.logger.info({ client: session.address }, 'SHUTDOWN was asked for by a client');
  proxy.hooks.shutdown();
  // As Redis: success is the connection's end.
  session.repliesOff = true;
  session.closeAfterReplies();
  return OK;
};

const now: SessionHandler = ({ proxy }) => Math.floor(proxy.environment.wallMs() / 1000);

const bgsave: SessionHandler = ({ args }) => {
  if (args.length > 1 || (args.length === 1 && word(args[0]) !== 'SCHEDULE')) throw new ClientError(SYNTAX);
  return new SimpleString('Background saving started');
};

const replicaof: SessionHandler = ({ args }) => {
  if (word(args[0]) !== 'NO' || word(args[1]) !== 'ONE') {
    throw new ClientError(
      'ERR REPLICAOF is not supported: replicas belong to partitions and are placed by the cluster',
    );
  }
  return OK;
};

const ok = (): Reply => OK;

export const serverHandlers = {
  time,
  lolwut,
  role,
  shutdown,
  lastsave: now,
  save: ok,
  bgsave,
  replicaof,
  slaveof: replicaof,
  'module|help': help,
  bgrewriteaof: () => new SimpleString('Background append only file rewriting started'),
} satisfies Record<string, SessionHandler>;
