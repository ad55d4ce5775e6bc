/** Users of late, by their rules: a script of the same client mostly comes again, and rules take long to read. */
import { User } from '../../shared/acl/user.js';
import { limits } from '../../shared/limits.js';

export class KnownUsers {
  private readonly users = new Map<string, User>();

  /** Of a client that may do everything there are no rules. */
  of(rules: readonly string[] | null): User | null {
    if (rules === null) return null;
    const text = rules.join(' ');
    const known = this.users.get(text);
    if (known !== undefined) return known;
    if (this.users.size >= limits.scriptUsers) this.users.clear();
    const user = User.fromRules('', rules);
    this.users.set(text, user);
    return user;
  }
}
