/** CONFIG of the proxy that is asked; maxmemory and notify-keyspace-events are the table's, where its partitions keep them. */
import { DEFAULT_USER } from '../../shared/acl/user.js';
import { ErrorReply, MapReply, OK, type Reply } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import { notifications, setNotifications } from '../../shared/operations/pubsub.js';
import { resetStatistics } from '../../shared/operations/statistics.js';
import { type Call, LATER, type SessionHandler } from '../context.js';
import { changeUser, userChange } from './acl.js';
import { askAll } from './ask-all.js';
import { help } from './help.js';
import { askTableMemory, TABLE_PARAMETERS, tellLimits } from './table-memory.js';

const NOTIFICATIONS = 'notify-keyspace-events';

const get: SessionHandler = (call) => {
  const { proxy, args } = call;
  const names = new Set(proxy.configuration.match(args).filter((_, i) => i % 2 === 0));
  const answer = (): Reply => new MapReply(proxy.configuration.match(args));
  const ofMemory = [...names].some((name) => TABLE_PARAMETERS.has(name));
  if ((!ofMemory && !names.has(NOTIFICATIONS)) || !proxy.table.complete) return answer();
  const finish = call.later();
  const askNotifications = (): void => {
    if (!names.has(NOTIFICATIONS)) return finish(answer());
    askAll(call, notifications(), (results) => {
      if (!(results instanceof ErrorReply)) proxy.configuration.adopt({ [NOTIFICATIONS]: String(results[0] ?? '') });
      finish(answer());
    });
  };
  if (ofMemory) askTableMemory(call, askNotifications);
  else askNotifications();
  return LATER;
};

const set: SessionHandler = (call) => {
  const { proxy, args } = call;
  if (args.length % 2 !== 0) throw new ClientError('ERR syntax error');
  const pairs: [string, string][] = [];
  for (let index = 0; index < args.length; index += 2) pairs.push([String(args[index]), String(args[index + 1])]);
  const password = pairs.find(([name]) => name.toLowerCase() === 'requirepass')?.[1];
  const ofMemory = pairs.some(([name]) => TABLE_PARAMETERS.has(name.toLowerCase()));
  const ofNotifications = pairs.some(([name]) => name.toLowerCase() === NOTIFICATIONS);
  const ofTable = ofMemory || ofNotifications;
  const apply = (): typeof OK => {
    proxy.configuration.set(pairs);
    for (const session of proxy.clients.all()) session.refreshSettings();
    return OK;
  };
  if (password !== undefined) {
    if (ofTable)
      throw new ClientError("ERR CONFIG SET failed - the password and what is the table's are set one by one");
    return setPassword(call, password, pairs, apply);
  }
  apply();
  if (!ofTable || !proxy.table.complete) return OK;
  const finish = call.later();
  const tellNotifications = (): void => {
    if (!ofNotifications) return finish(OK);
    const operation = setNotifications(proxy.configuration.get(NOTIFICATIONS));
    askAll(call, operation, (results) => finish(results instanceof ErrorReply ? results : OK));
  };
  if (ofMemory) tellLimits(call, (failure) => (failure === null ? tellNotifications() : finish(failure)));
  else tellNotifications();
  return LATER;
};

/** The default user's password, which is meta's to keep; the rest is set once it has it. */
function setPassword(
  call: Call,
  password: string,
  pairs: readonly (readonly [string, string])[],
  apply: () => typeof OK,
): typeof LATER {
  const { proxy } = call;
  proxy.configuration.check(pairs);
  // CONFIG reads its values as UTF-8, users are latin1 text
  const secret = Buffer.from(password).toString('latin1');
  const modifiers = ['resetpass', password === '' ? 'nopass' : `>${secret}`];
  return changeUser(call, userChange(proxy, DEFAULT_USER, modifiers), apply);
}

const resetstat: SessionHandler = (call) => {
  const { proxy } = call;
  proxy.statistics.reset();
  for (const entry of proxy.catalogue.all()) entry.statistics.reset();
  if (proxy.table.partitions.length === 0) return OK;
  const finish = call.later();
  // what this proxy counts is reset, whether all partitions can be reached or not
  askAll(call, resetStatistics(), () => finish(OK));
  return LATER;
};

export const configHandlers = {
  'config|get': get,
  'config|set': set,
  'config|resetstat': resetstat,
  'config|help': help,
} satisfies Record<string, SessionHandler>;
