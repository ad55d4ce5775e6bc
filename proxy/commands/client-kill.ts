/** CLIENT KILL: by address, or by filters all of which a connection must meet. */
import { at, word } from '../../shared/commands/arguments.js';
import { OK } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import { parseInteger } from '../../shared/integers.js';
import type { Call, SessionHandler } from '../context.js';
import type { Session } from '../session.js';
import { ofType } from './client-type.js';

type Filter = (session: Session) => boolean;

/** Oneself only after the reply. */
function close(call: Call, session: Session): void {
  if (session === call.session) session.closeAfterReplies();
  else session.destroy();
}

function byAddress(call: Call): typeof OK {
  const address = at(call.args, 0).toString('latin1');
  const found = call.proxy.clients.all().find((session) => session.address === address);
  if (found === undefined) throw new ClientError('ERR No such client');
  close(call, found);
  return OK;
}

function positive(argument: Buffer, error: string): number {
  const value = parseInteger(argument);
  if (value === null || value < 1) throw new ClientError(error);
  return Number(value);
}

function userFilter(call: Call, value: Buffer): Filter {
  const user = call.proxy.users.get(value.toString('latin1'));
  if (user === undefined) throw new ClientError(`ERR No such user '${value.toString('utf8', 0, 128)}'`);
  return (session) => session.identity.user === user;
}

function ageFilter(call: Call, value: Buffer): Filter {
  const seconds = positive(value, 'ERR maxage is not an integer or out of range');
  return (session) => call.proxy.clock.nowMs - session.connectedAtMs >= seconds * 1000;
}

function filterOf(call: Call, option: string, value: Buffer): Filter {
  switch (option) {
    case 'ID': {
      const id = positive(value, 'ERR client-id should be greater than 0');
      return (session) => session.id === id;
    }
    case 'ADDR': {
      const address = value.toString('latin1');
      return (session) => session.address === address;
    }
    case 'LADDR': {
      const address = value.toString('latin1');
      return (session) => session.localAddress === address;
    }
    case 'TYPE':
      return ofType(value.toString('latin1'));
    case 'USER':
      return userFilter(call, value);
    case 'MAXAGE':
      return ageFilter(call, value);
    default:
      throw new ClientError('ERR syntax error');
  }
}

export const kill: SessionHandler = (call) => {
  const { args, proxy, session: self } = call;
  if (args.length === 1) return byAddress(call);
  if (args.length % 2 !== 0) throw new ClientError('ERR syntax error');
  const filters: Filter[] = [];
  let skipSelf = true;
  for (let index = 0; index < args.length; index += 2) {
    const option = word(args[index]);
    const value = at(args, index + 1);
    if (option === 'SKIPME') {
      const answer = word(value);
      if (answer !== 'YES' && answer !== 'NO') throw new ClientError('ERR syntax error');
      skipSelf = answer === 'YES';
    } else {
      filters.push(filterOf(call, option, value));
    }
  }
  const chosen = proxy.clients
    .all()
    .filter((session) => !(skipSelf && session === self) && filters.every((filter) => filter(session)));
  for (const session of chosen) close(call, session);
  return chosen.length;
};
