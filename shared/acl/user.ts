/**
 * A user: whether it may log in, its passwords as SHA-256, and its selectors, of which one has to allow all of a
 * command. It is changed by Redis's modifiers only, and described by such modifiers: what meta stores and sends is that
 * description (see `rules`). A user that anybody else can see is never changed; a change makes another one.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { ClientError } from '../errors.js';
import { Selector, type SelectorError, SPACES } from './selector.js';

export const DEFAULT_USER = 'default';

type UserError = SelectorError | 'no-such-password' | 'not-a-hash';

const ERROR_TEXTS: Readonly<Record<UserError, string>> = {
  'unknown-command': 'Unknown command or category name in ACL',
  syntax: 'Syntax error',
  'argument-of-subcommand': 'Allowing first-arg of a subcommand is not supported',
  'pattern-after-all-keys':
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns",
  'pattern-after-all-channels':
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels",
  'no-such-password': 'The password you are trying to remove from the user does not exist',
  'not-a-hash': 'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters',
};

export interface AclOptions {
  /** acl-pubsub-default is allchannels: what new users and selectors, and `reset`, begin with. */
  readonly allChannels: boolean;
}

/** As latin1 text, like everything in a user. */
export function hashPassword(password: string | Buffer): string {
  return createHash('sha256')
    .update(typeof password === 'string' ? Buffer.from(password, 'latin1') : password)
    .digest('hex');
}

export class User {
  readonly name: string;
  enabled = false;
  noPassword = false;
  /** Shown only: what RESTORE is given is always checked. */
  private sanitize: 'sanitize-payload' | 'skip-sanitize-payload' | null = null;
  private hashes: readonly string[] = [];
  private root: Selector;
  private others: readonly Selector[] = [];
  private readonly options: AclOptions;

  /** One that may nothing. */
  constructor(name: string, options: AclOptions) {
    this.name = name;
    this.options = options;
    this.root = new Selector(options.allChannels);
  }

  /** From `rules`. A command that this version does not know is passed over: no other version's user is lost for it. */
  static fromRules(name: string, rules: readonly string[]): User {
    const user = new User(name, { allChannels: false });
    for (const rule of rules) user.apply(rule);
    return user;
  }

  /** `modifiers` on a copy of it. Throws ClientError with Redis's text; then nothing has changed. */
  changed(modifiers: readonly string[], options: AclOptions): User {
    const copy = new User(this.name, options);
    copy.enabled = this.enabled;
    copy.noPassword = this.noPassword;
    copy.sanitize = this.sanitize;
    copy.hashes = this.hashes;
    copy.root = this.root.copy();
    copy.others = this.others;
    for (const modifier of joinSelectors(modifiers)) {
      const error = copy.apply(modifier);
      if (error !== null)
        throw new ClientError(`ERR Error in ACL SETUSER modifier '${modifier}': ${ERROR_TEXTS[error]}`);
    }
    return copy;
  }

  /** Root first. */
  get selectors(): readonly Selector[] {
    return [this.root, ...this.others];
  }

  /** May do everything: nothing has to be checked. */
  get unrestricted(): boolean {
    return this.root.unrestricted || this.others.some((selector) => selector.unrestricted);
  }

  /** A connection needs no AUTH to be this user: what the default user may be. */
  get open(): boolean {
    return this.enabled && this.noPassword;
  }

  accepts(password: Buffer): boolean {
    if (!this.enabled) return false;
    if (this.noPassword) return true;
    const given = Buffer.from(hashPassword(password));
    // all are compared, so that the time tells nothing
    return this.hashes.map((hash) => timingSafeEqual(given, Buffer.from(hash))).includes(true);
  }

  get flags(): readonly string[] {
    const flags = [this.enabled ? 'on' : 'off'];
    if (this.noPassword) flags.push('nopass');
    if (this.sanitize !== null) flags.push(this.sanitize);
    return flags;
  }

  get passwords(): readonly string[] {
    return this.hashes;
  }

  /** Modifiers that make this user from a new one; a selector is one of them. ACL LIST is these, separated by spaces. */
  rules(): string[] {
    return [
      ...this.flags,
      ...this.hashes.map((hash) => `#${hash}`),
      ...this.root.describe().split(' '),
      ...this.others.map((selector) => `(${selector.describe()})`),
    ];
  }

  describe(): string {
    return `user ${this.name} ${this.rules().join(' ')}`;
  }

  private apply(modifier: string): UserError | null {
    switch (modifier.toLowerCase()) {
      case '':
        return null;
      case 'on':
      case 'off':
        this.enabled = modifier.toLowerCase() === 'on';
        return null;
      case 'sanitize-payload':
        this.sanitize = 'sanitize-payload';
        return null;
      case 'skip-sanitize-payload':
        this.sanitize = 'skip-sanitize-payload';
        return null;
      case 'nopass':
      case 'resetpass':
        this.noPassword = modifier.toLowerCase() === 'nopass';
        this.hashes = [];
        return null;
      case 'clearselectors':
        this.others = [];
        return null;
      case 'reset':
        return this.reset();
      default:
        return this.applyPrefixed(modifier);
    }
  }

  private reset(): null {
    this.enabled = false;
    this.noPassword = false;
    this.hashes = [];
    this.sanitize = 'sanitize-payload';
    this.others = [];
    this.root.resetKeys();
    this.root.resetChannels(this.options.allChannels);
    this.root.commands.setAll(false);
    return null;
  }

  private applyPrefixed(modifier: string): UserError | null {
    const rest = modifier.slice(1);
    switch (modifier[0]) {
      case '>':
        return this.addPassword(hashPassword(rest));
      case '#':
        return isHash(rest) ? this.addPassword(rest) : 'not-a-hash';
      case '<':
        return this.removePassword(hashPassword(rest));
      case '!':
        return isHash(rest) ? this.removePassword(rest) : 'not-a-hash';
      default:
        return modifier.startsWith('(') && modifier.endsWith(')')
          ? this.addSelector(modifier)
          : this.root.apply(modifier);
    }
  }

  private addPassword(hash: string): null {
    if (!this.hashes.includes(hash)) this.hashes = [...this.hashes, hash];
    this.noPassword = false;
    return null;
  }

  private removePassword(hash: string): UserError | null {
    if (!this.hashes.includes(hash)) return 'no-such-password';
    this.hashes = this.hashes.filter((other) => other !== hash);
    return null;
  }

  private addSelector(modifier: string): UserError | null {
    const selector = new Selector(this.options.allChannels);
    for (const part of modifier.slice(1, -1).split(SPACES)) {
      const error = part === '' ? null : selector.apply(part);
      if (error !== null) return error;
    }
    this.others = [...this.others, selector];
    return null;
  }
}

const isHash = (text: string): boolean => /^[\da-f]{64}$/.test(text);

/** A selector may be spread over several arguments: `(+get`, `~a)`. */
function joinSelectors(modifiers: readonly string[]): string[] {
  const joined: string[] = [];
  let open: string | null = null;
  let begun = '';
  for (const modifier of modifiers) {
    if (modifier.startsWith('(') && !modifier.endsWith(')')) {
      open = modifier;
      begun = modifier;
    } else if (open === null) {
      joined.push(modifier);
    } else {
      open += ` ${modifier}`;
      if (!modifier.endsWith(')')) continue;
      joined.push(open);
      open = null;
    }
  }
  if (open !== null) throw new ClientError(`ERR Unmatched parenthesis in acl selector starting at '${begun}'.`);
  return joined;
}

/** What passwords are in clear, replaced by their hashes: nothing else leaves the process that a client sent them to. */
export function withoutSecrets(modifiers: readonly string[]): string[] {
  return joinSelectors(modifiers).map((modifier) => {
    if (modifier.startsWith('>')) return `#${hashPassword(modifier.slice(1))}`;
    return modifier.startsWith('<') ? `!${hashPassword(modifier.slice(1))}` : modifier;
  });
}
