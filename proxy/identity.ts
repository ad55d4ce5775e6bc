/** Who a connection is: a user, logged in or not, and from that whether anything it asks for has to be checked. */
import type { User } from '../shared/acl/user.js';
import type { Users } from './users.js';

export class Identity {
  /** The default user until it logs in. */
  user: User;
  /** Nothing that it asks for has to be checked: the user is known, and may do everything. */
  unrestricted = false;
  /** It has waited once for meta to tell which users there are. */
  waitedForUsers = false;
  private readonly users: Users;
  private readonly parserLimits: { unauthenticated: boolean };
  private readonly onRights: (restricted: User | null) => void;
  private loggedIn = false;

  /** `parserLimits`: told whether the connection is a stranger's, of which little is taken. `onRights`: the user, if it may not do everything. */
  constructor(users: Users, parserLimits: { unauthenticated: boolean }, onRights: (restricted: User | null) => void) {
    this.users = users;
    this.parserLimits = parserLimits;
    this.onRights = onRights;
    this.user = users.default;
    this.logOut();
  }

  /** Logged in, or nobody has to. */
  get authenticated(): boolean {
    return this.loggedIn || this.users.default.open;
  }

  /** AUTH and HELLO have found the password right. */
  logIn(user: User): void {
    this.loggedIn = true;
    this.use(user);
  }

  /** As it began. */
  logOut(): void {
    this.loggedIn = this.users.known && this.users.default.open;
    this.use(this.users.default);
  }

  /** Goes on under these rules. */
  use(user: User): void {
    this.user = user;
    this.refresh();
  }

  /** After anything has changed that its rights follow from. */
  refresh(): void {
    const { known } = this.users;
    this.unrestricted = known && this.authenticated && this.user.unrestricted;
    this.parserLimits.unauthenticated = known && !this.authenticated;
    this.onRights(this.user.unrestricted ? null : this.user);
  }
}
