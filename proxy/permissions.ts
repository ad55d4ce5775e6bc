/**
 * Whether a connection may do what it asks for: only asked where its user may not do everything anyway (`unrestricted` of
 * the session). A connection of the default user with all rights pays one look at a boolean.
 */
import { checkCommand, type Denial, denialText, denialTextAtExec, sortDenial } from '../shared/acl/check.js';
import type { User } from '../shared/acl/user.js';
import { ErrorReply } from '../shared/commands/reply.js';
import type { AclContext, AclReason } from './acl-log.js';
import type { CatalogueEntry } from './catalogue.js';
import type { ProxyContext } from './context.js';
import type { Session } from './session.js';

const NO_AUTH = 'NOAUTH Authentication required.';
const UNKNOWN_USERS = 'ERR not executed: meta, which keeps the users, has not been reached yet';

/** The error text for a request, or null: it may be executed, or queued. */
export function refusal(
  proxy: ProxyContext,
  session: Session,
  entry: CatalogueEntry,
  args: readonly Buffer[],
): string | null {
  if (!proxy.users.known) return UNKNOWN_USERS;
  if (!session.identity.authenticated && entry.needsAuthentication) return NO_AUTH;
  const denial = checkCommand(session.identity.user, entry.command, args);
  if (denial === null) return sortDenial(session.identity.user, entry.command, args);
  logDenial(proxy, session, denial, session.transaction === null ? 'toplevel' : 'multi');
  return denialText(denial);
}

/** The reply in the place of a queued command that has been forbidden since. */
export function refusalAtExec(
  proxy: ProxyContext,
  session: Session,
  entry: CatalogueEntry,
  args: readonly Buffer[],
): ErrorReply | null {
  if (session.identity.unrestricted) return null;
  const denial = checkCommand(session.identity.user, entry.command, args);
  if (denial === null) return null;
  logDenial(proxy, session, denial, 'multi');
  return new ErrorReply(denialTextAtExec(denial));
}

export function logDenial(proxy: ProxyContext, session: Session, denial: Denial, context: AclContext): void {
  const object = typeof denial.object === 'string' ? denial.object : denial.object.toString('latin1');
  log(proxy, session, denial.reason, context, object, session.identity.user.name);
}

/** `command`: the name of what brought the wrong password. */
export function logWrongPassword(proxy: ProxyContext, session: Session, command: string, user: string): void {
  log(proxy, session, 'auth', session.transaction === null ? 'toplevel' : 'multi', command.toUpperCase(), user);
}

function log(
  proxy: ProxyContext,
  session: Session,
  reason: AclReason,
  context: AclContext,
  object: string,
  username: string,
): void {
  proxy.aclLog.add(
    {
      reason,
      context,
      object,
      username,
      atMs: proxy.environment.wallMs(),
      clientInfo: proxy.clients.describe(session),
    },
    proxy.configuration.settings.aclLogMaxLen,
  );
}

/** Connections follow what meta tells of users. */
export function followUsers(proxy: ProxyContext): void {
  const { users, clients, router } = proxy;
  users.onChange = (name, user, before) => applyUser(proxy, name, user, before);
  users.onKnown = () => {
    for (const session of clients.all()) session.identity.logOut();
  };
  router.meta.onUsers = (view) => users.onView(view);
}

/**
 * A user has changed: its connections go on under the new rules. Those of a user that is gone end, and those that listen
 * to what they may not listen to any more.
 */
function applyUser({ clients, users }: ProxyContext, name: string, user: User | null, before: User | null): void {
  const revoked = user !== null && before !== null && !keepsChannels(user, before);
  for (const session of clients.all()) {
    if (session.identity.user.name !== name) continue;
    if (user === null || (revoked && listensTooFar(user, session))) session.expel();
    else session.identity.use(user);
  }
  // who has not logged in need not, once the default user is open
  if (user === users.default) for (const session of clients.all()) session.identity.refresh();
}

/** The patterns of all its selectors together, as Redis looks at them here. */
const channelPatterns = (user: User): string[] => user.selectors.flatMap((selector) => selector.channelPatterns);
const anyAllChannels = (user: User): boolean => user.selectors.some(({ allChannels }) => allChannels);

/** It may listen to all channels, or still has every pattern that it had. */
function keepsChannels(user: User, before: User): boolean {
  if (anyAllChannels(user)) return true;
  const kept = new Set(channelPatterns(user));
  return !anyAllChannels(before) && channelPatterns(before).every((pattern) => kept.has(pattern));
}

function listensTooFar(user: User, { subscriber }: Session): boolean {
  if (subscriber === null) return false;
  const allowed = (name: string, isPattern: boolean): boolean =>
    user.selectors.some((selector) => selector.allowsChannel(Buffer.from(name, 'latin1'), isPattern));
  return (
    [...subscriber.patterns].some((pattern) => !allowed(pattern, true)) ||
    [...subscriber.channels, ...subscriber.shardChannels].some((channel) => !allowed(channel, false))
  );
}
