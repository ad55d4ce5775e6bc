/**
 * The users as meta last told of them. Until it has told once nobody is served: a proxy that has just started cannot know
 * whether the default user needs a password by now. Meta may be away later; what is known stays in force.
 */
import { DEFAULT_USER, hashPassword, User } from '../shared/acl/user.js';
import type { ClusterView, UserEntry } from '../shared/cluster.js';
import type { Environment } from '../shared/environment.js';
import { limits } from '../shared/limits.js';

export class Users {
  /** Meta has told of them. */
  known = false;
  /** Told of every user that changed; null: there is no such user any more. `before`: null for a new one. */
  onChange: (name: string, user: User | null, before: User | null) => void = () => undefined;
  /** Told once meta has told of them for the first time, after `onChange`. */
  onKnown: () => void = () => undefined;
  private readonly environment: Environment;
  private readonly byName = new Map<string, User>();
  /** As start-up gives it; it counts until meta has one of this name. */
  private readonly initial: User;
  private waits: { readonly run: () => void }[] = [];
  private waitsEndMs: number | null = null;

  /** `requirepass`: of the default user that nobody has changed yet; empty: it needs none. */
  constructor(environment: Environment, requirepass: string) {
    this.environment = environment;
    const password = requirepass === '' ? 'nopass' : `#${hashPassword(Buffer.from(requirepass))}`;
    this.initial = User.fromRules(DEFAULT_USER, ['on', password, 'allkeys', 'allchannels', '+@all']);
    this.byName.set(DEFAULT_USER, this.initial);
  }

  get default(): User {
    return this.byName.get(DEFAULT_USER) ?? this.initial;
  }

  get(name: string): User | undefined {
    return this.byName.get(name);
  }

  /** By name. */
  all(): User[] {
    return [...this.byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  onView({ full, users }: ClusterView): void {
    if (full) {
      const named = new Set((users ?? []).map(([name]) => name));
      for (const name of this.byName.keys()) if (!named.has(name)) this.put([name, null]);
    }
    for (const entry of users ?? []) this.put(entry);
    if (!full || this.known) return;
    this.known = true;
    this.onKnown();
    const { waits } = this;
    this.waits = [];
    for (const { run } of waits) run();
  }

  private put([name, rules]: UserEntry): void {
    const before = this.byName.get(name) ?? null;
    if (rules === null && (before === null || before === this.initial)) return;
    const user = rules !== null ? User.fromRules(name, rules) : name === DEFAULT_USER ? this.initial : null;
    // meta repeats what it has told when this proxy registers again: connections need not hear of it
    if (before !== null && user !== null && before.describe() === user.describe()) return;
    if (user === null) this.byName.delete(name);
    else this.byName.set(name, user);
    this.onChange(name, user, before);
  }

  /**
   * Calls back once meta has told, or when it has not for as long as clients wait for it, counted from the first: when
   * that was in vain, those who come later are told so at once.
   */
  whenKnown(run: () => void): void {
    const now = this.environment.monotonicMs();
    this.waitsEndMs ??= now + limits.usersUnknownMs;
    if (now >= this.waitsEndMs) return run();
    const wait = {
      run: (): void => {
        timer.cancel();
        run();
      },
    };
    const timer = this.environment.after(this.waitsEndMs - now, () => {
      this.waits = this.waits.filter((other) => other !== wait);
      run();
    });
    this.waits.push(wait);
  }
}
