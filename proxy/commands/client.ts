/** CLIENT: what a connection can learn of and do to itself and others. CLIENT KILL is in client-kill.ts. */
import { at, word } from '../../shared/commands/arguments.js';
import { OK, type Reply, VerbatimReply } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import { parseInteger } from '../../shared/integers.js';
import type { SessionHandler } from '../context.js';
import { timeoutMs } from './arguments.js';
import { kill } from './client-kill.js';
import { ofType } from './client-type.js';
import { checkClientName, isPlainText } from './client-name.js';
import { clientTrackingHandlers } from './client-tracking.js';
import { help } from './help.js';

const SYNTAX = 'ERR syntax error';

const id: SessionHandler = ({ session }) => session.id;

const getname: SessionHandler = ({ session }) => (session.facts.name === '' ? null : session.facts.name);

const setname: SessionHandler = ({ session, args }) => {
  session.facts.name = checkClientName(at(args, 0));
  return OK;
};

const setinfo: SessionHandler = ({ session, args }) => {
  const option = at(args, 0).toString('latin1');
  const value = at(args, 1);
  const which = option.toLowerCase();
  if (which !== 'lib-name' && which !== 'lib-ver')
    throw new ClientError(`ERR Unrecognized option '${option.slice(0, 128)}'`);
  if (!isPlainText(value)) throw new ClientError(`ERR ${which} cannot contain spaces, newlines or special characters.`);
  if (which === 'lib-name') session.facts.libraryName = value.toString('latin1');
  else session.facts.libraryVersion = value.toString('latin1');
  return OK;
};

const info: SessionHandler = ({ proxy, session }) => new VerbatimReply('txt', `${proxy.clients.describe(session)}\n`);

const list: SessionHandler = ({ proxy, args }): Reply => {
  let sessions = proxy.clients.all();
  const option = word(args[0]);
  if (option === 'TYPE' && args.length === 2) {
    const type = at(args, 1).toString('latin1');
    sessions = sessions.filter(ofType(type));
  } else if (option === 'ID' && args.length > 1) {
    sessions = args.slice(1).flatMap((argument) => {
      const number = parseInteger(argument);
      if (number === null || number < 1) throw new ClientError('ERR Invalid client ID');
      return proxy.clients.get(Number(number)) ?? [];
    });
  } else if (args.length > 0) {
    throw new ClientError(SYNTAX);
  }
  return new VerbatimReply('txt', sessions.map((session) => `${proxy.clients.describe(session)}\n`).join(''));
};

function onOff(argument: Buffer): boolean {
  const value = word(argument);
  if (value !== 'ON' && value !== 'OFF') throw new ClientError(SYNTAX);
  return value === 'ON';
}

const noEvict: SessionHandler = ({ session, args }) => {
  session.facts.noEvict = onOff(at(args, 0));
  return OK;
};

const noTouch: SessionHandler = ({ session, args }) => {
  session.facts.noTouch = onOff(at(args, 0));
  return OK;
};

const reply: SessionHandler = ({ session, args }) => {
  const mode = word(args[0]);
  if (mode === 'SKIP') session.skipReplies = session.repliesOff ? 0 : 2;
  else if (mode === 'ON' || mode === 'OFF') {
    session.repliesOff = mode === 'OFF';
    session.skipReplies = 0;
  } else throw new ClientError(SYNTAX);
  return OK;
};

const pause: SessionHandler = ({ proxy, args }) => {
  const mode = args.length < 2 ? 'ALL' : word(args[1]);
  if (args.length > 2) throw new ClientError(SYNTAX);
  if (mode !== 'ALL' && mode !== 'WRITE') throw new ClientError('ERR CLIENT PAUSE mode must be WRITE or ALL');
  proxy.clients.pause(timeoutMs(args[0]), mode === 'ALL');
  return OK;
};

const unpause: SessionHandler = ({ proxy }) => {
  proxy.clients.unpause();
  return OK;
};

const unblock: SessionHandler = ({ proxy, args }) => {
  if (args.length > 2)
    throw new ClientError("ERR unknown subcommand or wrong number of arguments for 'unblock'. Try CLIENT HELP.");
  const reason = args.length === 2 ? word(args[1]) : 'TIMEOUT';
  if (reason !== 'TIMEOUT' && reason !== 'ERROR')
    throw new ClientError('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
  const id = parseInteger(at(args, 0));
  if (id === null) throw new ClientError('ERR value is not an integer or out of range');
  const waiting = proxy.clients.get(Number(id))?.waiting ?? null;
  waiting?.stop(reason === 'ERROR' ? 'error' : 'timeout');
  return waiting === null ? 0 : 1;
};

export const clientHandlers = {
  'client|id': id,
  'client|getname': getname,
  'client|setname': setname,
  'client|setinfo': setinfo,
  'client|info': info,
  'client|list': list,
  'client|kill': kill,
  'client|no-evict': noEvict,
  'client|no-touch': noTouch,
  'client|reply': reply,
  'client|pause': pause,
  'client|unpause': unpause,
  'client|unblock': unblock,
  ...clientTrackingHandlers,
  'client|help': help,
} satisfies Record<string, SessionHandler>;
