/**
 * Users of the whole cluster. Proxies check what clients ask for and hash their passwords; here the change is made, on what
 * meta holds at that moment, so that two proxies that change a user at once both have their way.
 */
import { DEFAULT_USER, User } from '../shared/acl/user.js';
import type { UserChange } from '../shared/cluster.js';
import { ClientError } from '../shared/errors.js';
import { limits } from '../shared/limits.js';
import type { MetaState } from './state.js';

/** `error`: the client's, empty when there is none; then nothing has changed. `count`: how many users have. */
export function changeUsers(state: MetaState, change: UserChange): { readonly error: string; readonly count: number } {
  try {
    return { error: '', count: change.kind === 'set' ? setUser(state, change) : deleteUsers(state, change.names) };
  } catch (error) {
    if (error instanceof ClientError) return { error: error.message, count: 0 };
    throw error;
  }
}

function setUser(state: MetaState, change: Extract<UserChange, { kind: 'set' }>): number {
  const { name, modifiers, allChannels, base } = change;
  const known = state.users.get(name) ?? base;
  if (known === undefined && state.users.size >= limits.users)
    throw new ClientError(`ERR there are ${limits.users} users already`);
  const before = known === undefined ? new User(name, { allChannels }) : User.fromRules(name, known);
  const rules = before.changed(modifiers, { allChannels }).rules();
  if (rules.join(' ').length > limits.userRulesBytes)
    throw new ClientError(`ERR the rules of a user may have ${limits.userRulesBytes} bytes`);
  state.putUser(name, rules);
  return 1;
}

function deleteUsers(state: MetaState, names: readonly string[]): number {
  if (names.includes(DEFAULT_USER)) throw new ClientError("ERR The 'default' user cannot be removed");
  return names.filter((name) => state.deleteUser(name)).length;
}
