/** Changes of users that meta was asked for and has not answered yet. */
import type { UserChange } from '../cluster.js';
import type { Environment, Timer } from '../environment.js';
import { limits } from '../limits.js';
import { Kind, type Message, type UsersChangedMessage } from '../wire/messages.js';

/** `error`: a full RESP error text, null when it is done; then every process that meta can reach has been told. */
export type UsersChanged = (error: string | null, count: number) => void;

const AWAY = 'ERR not executed: meta, which keeps the users, cannot be reached; existing users go on working';
const UNKNOWN = 'UNKNOWN meta, which keeps the users, has not answered: the change may or may not have been made';

export class UserChanges {
  private readonly environment: Environment;
  private readonly send: (message: Message) => boolean;
  private readonly open = new Map<number, { readonly done: UsersChanged; readonly timer: Timer }>();
  private lastId = 0;

  /** `send`: to meta; false when it is not reachable. */
  constructor(environment: Environment, send: (message: Message) => boolean) {
    this.environment = environment;
    this.send = send;
  }

  ask(change: UserChange, done: UsersChanged): void {
    const id = ++this.lastId;
    const timer = this.environment.after(limits.userChangeMs, () => this.end(id, UNKNOWN, 0));
    this.open.set(id, { done, timer });
    if (!this.send([Kind.changeUsers, id, change])) this.end(id, AWAY, 0);
  }

  onAnswer([, id, error, count]: UsersChangedMessage): void {
    this.end(id, error === '' ? null : error, count);
  }

  /** Answers that are still due do not come any more. */
  onDisconnected(): void {
    for (const id of this.open.keys()) this.end(id, UNKNOWN, 0);
  }

  private end(id: number, error: string | null, count: number): void {
    const asked = this.open.get(id);
    if (asked === undefined) return;
    this.open.delete(id);
    asked.timer.cancel();
    asked.done(error, count);
  }
}
