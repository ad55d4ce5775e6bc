/** CONFIG of the proxy that is asked. */
import { MapReply, OK } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import type { SessionHandler } from '../context.js';
import { help } from './help.js';

const get: SessionHandler = ({ proxy, args }) => new MapReply(proxy.configuration.match(args));

const set: SessionHandler = ({ proxy, args }) => {
  if (args.length % 2 !== 0) throw new ClientError('ERR syntax error');
  const pairs: [string, string][] = [];
  for (let index = 0; index < args.length; index += 2) pairs.push([String(args[index]), String(args[index + 1])]);
  proxy.configuration.set(pairs);
  for (const session of proxy.clients.all()) session.refreshSettings();
  return OK;
};

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
