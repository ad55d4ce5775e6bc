/** Commands about the connection itself, but for CLIENT. */
import { DEFAULT_USER } from '../../shared/acl/user.js';
import { at, cInteger } from '../../shared/commands/arguments.js';
import { MapReply, OK, type Reply, SimpleString } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import { DATABASES, type Call, type SessionHandler } from '../context.js';
import { logWrongPassword } from '../permissions.js';
import { cInt } from './arguments.js';
import { REDIS_VERSION } from './redis-version.js';
import { checkClientName } from './client-name.js';

const NO_PASSWORD =
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?';
const WRONG_PASSWORD = 'WRONGPASS invalid username-password pair or user is disabled.';
const AUTH_BEFORE_HELLO =
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time';

/** Without a user: the default one. */
function logIn(call: Call, name: Buffer | null, password: Buffer): void {
  const { proxy, session, entry } = call;
  if (name === null && proxy.users.default.noPassword) throw new ClientError(NO_PASSWORD);
  const wanted = name?.toString('latin1') ?? DEFAULT_USER;
  const user = proxy.users.get(wanted);
  if (user?.accepts(password) !== true) {
    logWrongPassword(proxy, session, entry.name, wanted);
    throw new ClientError(WRONG_PASSWORD);
  }
  session.identity.logIn(user);
}

const auth: SessionHandler = (call) => {
  const { args } = call;
  if (args.length > 2) throw new ClientError('ERR syntax error');
  logIn(call, args.length === 2 ? at(args, 0) : null, at(args, args.length - 1));
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
  if (credentials !== null) logIn(call, ...credentials);
  if (!session.identity.authenticated) throw new ClientError(AUTH_BEFORE_HELLO);
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
    call.proxy.cluster === null ? 'standalone' : 'cluster',
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
  proxy.messaging.forget(session);
  session.forgetTransaction();
  session.select(0);
  session.useProtocol(2);
  session.facts.name = '';
  session.facts.noEvict = false;
  session.facts.noTouch = false;
  session.repliesOff = false;
  session.skipReplies = 0;
  session.identity.logOut();
  return new SimpleString('RESET');
};

export const connectionHandlers = { auth, hello, ping, echo, select, quit, reset } satisfies Record<
  string,
  SessionHandler
>;
