/** Commands about the connection itself, but for CLIENT. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { at, cInteger } from '../../shared/commands/arguments.js';
import { MapReply, OK, type Reply, SimpleString } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import { DATABASES, type Call, type SessionHandler } from '../context.js';
import { cInt } from './arguments.js';
import { REDIS_VERSION } from './redis-version.js';
import { checkClientName } from './client-name.js';

const NO_PASSWORD =
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?';
const WRONG_PASSWORD = 'WRONGPASS invalid username-password pair or user is disabled.';
const AUTH_BEFORE_HELLO =
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time';

/** Takes the same time for every wrong password: digests of equal length are compared. */
function sameSecret(given: Buffer, expected: string): boolean {
  const digest = (secret: Buffer | string): Buffer => createHash('sha256').update(secret).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function checkPassword(call: Call, user: Buffer | null, password: Buffer): void {
  const { requirepass } = call.proxy.configuration.settings;
  const isDefault = user === null || user.equals(Buffer.from('default'));
  if (user === null && requirepass === '') throw new ClientError(NO_PASSWORD);
  if (!isDefault || (requirepass !== '' && !sameSecret(password, requirepass))) throw new ClientError(WRONG_PASSWORD);
  call.session.authenticate();
}

const auth: SessionHandler = (call) => {
  const { args } = call;
  if (args.length > 2) throw new ClientError('ERR syntax error');
  checkPassword(call, args.length === 2 ? at(args, 0) : null, at(args, args.length - 1));
  return OK;
};

const hello: SessionHandler = (call) => {
  const { session, args } = call;
  let version: 2 | 3 = session.resp;
  if (args.length > 0) {
    const number = cInteger(args[0], 'ERR Protocol version is not an integer or out of range');
    if (number !== 2 && number !== 3) throw new ClientError('NOPROTO unsupported protocol version');
    version = number;
  }
  let name: string | null = null;
  let credentials: readonly [user: Buffer, password: Buffer] | null = null;
  for (let index = 1; index < args.length; ) {
    const option = at(args, index).toString('latin1').toUpperCase();
    if (option === 'AUTH' && index + 2 < args.length) {
      credentials = [at(args, index + 1), at(args, index + 2)];
      index += 3;
    } else if (option === 'SETNAME' && index + 1 < args.length) {
      name = checkClientName(at(args, index + 1));
      index += 2;
    } else {
      throw new ClientError(`ERR Syntax error in HELLO option '${at(args, index).toString('utf8', 0, 128)}'`);
    }
  }
  if (credentials !== null) checkPassword(call, ...credentials);
  if (!session.authenticated) throw new ClientError(AUTH_BEFORE_HELLO);
  if (name !== null) session.facts.name = name;
  session.useProtocol(version);
  return new MapReply([
    'server',
    'redis',
    'version',
    REDIS_VERSION,
    'proto',
    version,
    'id',
    session.id,
    'mode',
    'standalone',
    'role',
    'master',
    'modules',
    [],
  ]);
};

const ping: SessionHandler = ({ session, args }) => {
  if (args.length > 1) throw new ClientError("ERR wrong number of arguments for 'ping' command");
  // a RESP2 client that listens takes everything for a message
  if (session.subscriber !== null && session.resp === 2) return ['pong', args[0] ?? ''];
  return args[0] ?? new SimpleString('PONG');
};

const echo: SessionHandler = ({ args }): Reply => at(args, 0);

const select: SessionHandler = ({ session, args }) => {
  const db = cInt(args[0]);
  if (db < 0 || db >= DATABASES) throw new ClientError('ERR DB index is out of range');
  session.select(db);
  return OK;
};

const quit: SessionHandler = ({ session }) => {
  session.closeAfterReplies();
  return OK;
};

const reset: SessionHandler = ({ proxy, session }) => {
  proxy.subscriptions.forget(session);
  session.forgetTransaction();
  session.select(0);
  session.useProtocol(2);
  session.facts.name = '';
  session.facts.noEvict = false;
  session.facts.noTouch = false;
  session.repliesOff = false;
  session.skipReplies = 0;
  session.deauthenticate();
  return new SimpleString('RESET');
};

export const connectionHandlers = { auth, hello, ping, echo, select, quit, reset } satisfies Record<
  string,
  SessionHandler
>;
