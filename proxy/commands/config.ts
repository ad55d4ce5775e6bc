/** CONFIG of the proxy that is asked. */
import { DEFAULT_USER } from '../../shared/acl/user.js';
import { MapReply, OK } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import type { Call, LATER, SessionHandler } from '../context.js';
import { changeUser, userChange } from './acl.js';
import { help } from './help.js';

const get: SessionHandler = ({ proxy, args }) => new MapReply(proxy.configuration.match(args));

const set: SessionHandler = (call) => {
  const { proxy, args } = call;
  if (args.length % 2 !== 0) throw new ClientError('ERR syntax error');
  const pairs: [string, string][] = [];
  for (let index = 0; index < args.length; index += 2) pairs.push([String(args[index]), String(args[index + 1])]);
  const password = pairs.find(([name]) => name.toLowerCase() === 'requirepass')?.[1];
  const apply = (): typeof OK => {
    proxy.configuration.set(pairs);
    for (const session of proxy.clients.all()) session.refreshSettings();
    return OK;
  };
  return password === undefined ? apply() : setPassword(call, password, pairs, apply);
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
