/** CLIENT TRACKING, CACHING, GETREDIR and TRACKINGINFO. */
import { at, word } from '../../shared/commands/arguments.js';
import { ErrorReply, MapReply, OK, SetReply } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import { parseInteger } from '../../shared/integers.js';
import { LATER, type Call, type SessionHandler } from '../context.js';
import { TrackingMode } from '../tracking/tracking-mode.js';
import { heldUntilAnswered } from './held-until-answered.js';

const SYNTAX = 'ERR syntax error';
const SWITCHES_BROADCAST =
  "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.";
const SWITCHES_OPTION =
  "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.";

interface Options {
  redirect: number;
  broadcast: boolean;
  optIn: boolean;
  optOut: boolean;
  noLoop: boolean;
  readonly prefixes: string[];
}

function parse({ proxy, args }: Call): Options {
  const options: Options = { redirect: 0, broadcast: false, optIn: false, optOut: false, noLoop: false, prefixes: [] };
  for (let index = 1; index < args.length; index++) {
    const option = word(args[index]);
    const hasMore = index + 1 < args.length;
    if (option === 'REDIRECT' && hasMore) {
      if (options.redirect !== 0) throw new ClientError('ERR A client can only redirect to a single different client');
      const id = parseInteger(at(args, ++index));
      if (id === null) throw new ClientError('ERR value is not an integer or out of range');
      if (proxy.clients.get(Number(id)) === undefined)
        throw new ClientError('ERR The client ID you want redirect to does not exist');
      options.redirect = Number(id);
    } else if (option === 'BCAST') options.broadcast = true;
    else if (option === 'OPTIN') options.optIn = true;
    else if (option === 'OPTOUT') options.optOut = true;
    else if (option === 'NOLOOP') options.noLoop = true;
    else if (option === 'PREFIX' && hasMore) options.prefixes.push(at(args, ++index).toString('latin1'));
    else throw new ClientError(SYNTAX);
  }
  return options;
}

function check(options: Options, current: TrackingMode | null): void {
  const { broadcast, optIn, optOut, prefixes } = options;
  if (!broadcast && prefixes.length > 0) throw new ClientError('ERR PREFIX option requires BCAST mode to be enabled');
  if (current !== null && current.broadcast !== broadcast) throw new ClientError(SWITCHES_BROADCAST);
  if (broadcast && (optIn || optOut)) throw new ClientError('ERR OPTIN and OPTOUT are not compatible with BCAST');
  if (optIn && optOut) throw new ClientError("ERR You can't specify both OPTIN mode and OPTOUT mode");
  if (current !== null && ((optIn && current.optOut) || (optOut && current.optIn)))
    throw new ClientError(SWITCHES_OPTION);
  prefixes.forEach((prefix, index) => {
    for (const known of current?.prefixes ?? []) refuseOverlap(prefix, known, 'an existing');
    for (const other of prefixes.slice(index + 1)) refuseOverlap(prefix, other, 'another provided');
  });
}

function refuseOverlap(prefix: string, other: string, which: string): void {
  if (!prefix.startsWith(other) && !other.startsWith(prefix)) return;
  throw new ClientError(
    `ERR Prefix '${prefix}' overlaps with ${which} prefix '${other}'. Prefixes for a single client must not overlap.`,
  );
}

const tracking: SessionHandler = (call) => {
  const { proxy, session, args } = call;
  const options = parse(call);
  const switched = word(args[0]);
  if (switched === 'OFF') {
    proxy.messaging.tracking.end(session);
    return OK;
  }
  if (switched !== 'ON') throw new ClientError(SYNTAX);
  check(options, session.tracking);
  const mode = session.tracking ?? new TrackingMode();
  Object.assign(mode, { ...options, prefixes: mode.prefixes, caching: null, brokenRedirect: false });
  const prefixes = options.broadcast && options.prefixes.length === 0 ? [''] : options.prefixes;
  if (prefixes.length === 0) {
    proxy.messaging.tracking.begin(session, mode, [], () => undefined);
    return OK;
  }
  const answer = heldUntilAnswered(call);
  proxy.messaging.tracking.begin(session, mode, prefixes, (failure) => {
    if (failure !== null) proxy.messaging.tracking.end(session);
    answer(failure === null ? OK : new ErrorReply(`ERR not executed: ${failure}`));
  });
  return LATER;
};

const caching: SessionHandler = ({ session, args }) => {
  const mode = session.tracking;
  if (mode === null || (!mode.optIn && !mode.optOut))
    throw new ClientError(
      'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
    );
  const wanted = word(args[0]);
  if (wanted === 'YES') {
    if (!mode.optIn)
      throw new ClientError('ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.');
    mode.caching = true;
  } else if (wanted === 'NO') {
    if (!mode.optOut)
      throw new ClientError('ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.');
    mode.caching = false;
  } else throw new ClientError(SYNTAX);
  return OK;
};

const getredir: SessionHandler = ({ session }) => session.tracking?.redirect ?? -1;

const trackinginfo: SessionHandler = ({ session }) => {
  const mode = session.tracking;
  const prefixes = [...(mode?.prefixes ?? [])].map((prefix) => Buffer.from(prefix, 'latin1'));
  return new MapReply([
    'flags',
    new SetReply(mode === null ? ['off'] : mode.flags),
    'redirect',
    mode?.redirect ?? -1,
    'prefixes',
    prefixes,
  ]);
};

export const clientTrackingHandlers = {
  'client|tracking': tracking,
  'client|caching': caching,
  'client|getredir': getredir,
  'client|trackinginfo': trackinginfo,
} satisfies Record<string, SessionHandler>;
