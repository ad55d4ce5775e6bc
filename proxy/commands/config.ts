/** CONFIG of the proxy that is asked. */
import { DEFAULT_USER } from '../../shared/acl/user.js';
import { MapReply, OK, type Reply } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import { type Call, LATER, type SessionHandler } from '../context.js';
import { changeUser, userChange } from './acl.js';
import { help } from './help.js';
import { askTableMemory, TABLE_PARAMETERS, tellLimits } from './table-memory.js';

const get: SessionHandler = (call) => {
  const { proxy, args } = call;
  const answer = (): Reply => new MapReply(proxy.configuration.match(args));
  const ofTable = proxy.configuration.match(args).some((name, i) => i % 2 === 0 && TABLE_PARAMETERS.has(name));
  if (!ofTable || !proxy.table.complete) return answer();
  const finish = call.later();
  askTableMemory(call, () => finish(answer()));
  return LATER;
};

const set: SessionHandler = (call) => {
  const { proxy, args } = call;
  if (args.length % 2 !== 0) throw new ClientError('ERR syntax error');
  const pairs: [string, string][] = [];
  for (let index = 0; index < args.length; index += 2) pairs.push([String(args[index]), String(args[index + 1])]);
  const password = pairs.find(([name]) => name.toLowerCase() === 'requirepass')?.[1];
  const ofTable = pairs.some(([name]) => TABLE_PARAMETERS.has(name.toLowerCase()));
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
  if (!ofTable) return OK;
  const finish = call.later();
  tellLimits(call, (failure) => finish(failure ?? OK));
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

const resetstat: SessionHandler = ({ proxy }) => {
  proxy.statistics.reset();
  for (const entry of proxy.catalogue.all()) entry.statistics.reset();
  return OK;
};

export const configHandlers = {
  'config|get': get,
  'config|set': set,
  'config|resetstat': resetstat,
  'config|help': help,
} satisfies Record<string, SessionHandler>;
