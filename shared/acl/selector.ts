/**
 * One set of permissions of a user: which commands, on which keys and channels. Its modifiers are Redis's. Patterns are
 * bytes, kept as latin1 text so that they travel and are stored as they are.
 */
import { globMatches } from '../glob.js';
import { CommandSet, type ModifierError } from './command-set.js';

export interface KeyAccess {
  readonly read: boolean;
  readonly write: boolean;
}

interface KeyPattern extends KeyAccess {
  readonly pattern: string;
  readonly bytes: Buffer;
}

interface ChannelPattern {
  readonly pattern: string;
  readonly bytes: Buffer;
}

export type SelectorError = ModifierError | 'pattern-after-all-keys' | 'pattern-after-all-channels';

/** As C's isspace has it: patterns are bytes, and JavaScript would take some of them for spaces of other scripts. */
export const SPACES = /[ \t\n\v\f\r]+/;

/** What would make names and patterns ambiguous in ACL LIST. */
export function hasSpaces(text: string): boolean {
  return SPACES.test(text) || text.includes('\0');
}

export class Selector {
  commands = new CommandSet();
  allKeys = false;
  allChannels: boolean;
  private keys: readonly KeyPattern[] = [];
  private channels: readonly ChannelPattern[] = [];

  constructor(allChannels: boolean) {
    this.allChannels = allChannels;
  }

  copy(): Selector {
    const copy = new Selector(this.allChannels);
    copy.commands = this.commands.copy();
    copy.allKeys = this.allKeys;
    copy.keys = this.keys;
    copy.channels = this.channels;
    return copy;
  }

  /** Nothing has to be checked. */
  get unrestricted(): boolean {
    return this.commands.all && this.allKeys && this.allChannels;
  }

  allowsKey(key: Buffer, { read, write }: KeyAccess): boolean {
    if (this.allKeys) return true;
    return this.keys.some((known) => (known.read || !read) && (known.write || !write) && globMatches(known.bytes, key));
  }

  /** Every key there may be can be read. */
  get readsAllKeys(): boolean {
    return this.allKeys || this.keys.some(({ read, pattern }) => read && pattern === '*');
  }

  /** `isPattern`: of PSUBSCRIBE; it has to be among the patterns literally. */
  allowsChannel(channel: Buffer, isPattern: boolean): boolean {
    if (this.allChannels) return true;
    return this.channels.some(({ bytes }) => (isPattern ? bytes.equals(channel) : globMatches(bytes, channel)));
  }

  get channelPatterns(): readonly string[] {
    return this.channels.map(({ pattern }) => pattern);
  }

  resetKeys(): void {
    this.allKeys = false;
    this.keys = [];
  }

  resetChannels(all: boolean): void {
    this.allChannels = all;
    this.channels = [];
  }

  /** One modifier. Null, or what is wrong with it; then nothing has changed. */
  apply(modifier: string): SelectorError | null {
    switch (modifier.toLowerCase()) {
      case 'allkeys':
      case '~*':
        this.keys = [];
        this.allKeys = true;
        return null;
      case 'resetkeys':
        this.resetKeys();
        return null;
      case 'allchannels':
      case '&*':
        this.resetChannels(true);
        return null;
      case 'resetchannels':
        this.resetChannels(false);
        return null;
      case 'allcommands':
      case '+@all':
        this.commands.setAll(true);
        return null;
      case 'nocommands':
      case '-@all':
        this.commands.setAll(false);
        return null;
      default:
        return this.applyPrefixed(modifier);
    }
  }

  private applyPrefixed(modifier: string): SelectorError | null {
    const sign = modifier[0];
    if (sign === '~' || sign === '%') return this.addKeys(modifier);
    if (sign === '&') return this.addChannels(modifier.slice(1));
    if (sign !== '+' && sign !== '-') return 'syntax';
    const allow = sign === '+';
    if (modifier[1] !== '@') return this.commands.setCommand(modifier.slice(1), allow);
    return this.commands.setCategory(modifier.slice(2).toLowerCase(), allow) ? null : 'unknown-command';
  }

  /** `~pattern`, `%R~pattern`, `%W~pattern`, `%RW~pattern`. */
  private addKeys(modifier: string): SelectorError | null {
    if (this.allKeys) return 'pattern-after-all-keys';
    const [, letters = '', pattern = ''] = /^(?:~|%([rw]{1,2})(?:~|$))([^]*)$/i.exec(modifier) ?? [];
    const access = letters.toUpperCase();
    if ((modifier[0] === '%' && access === '') || access === 'RR' || access === 'WW' || hasSpaces(pattern))
      return 'syntax';
    const read = access !== 'W';
    const write = access !== 'R';
    const known = this.keys.find((other) => other.pattern === pattern);
    const added: KeyPattern = {
      pattern,
      bytes: Buffer.from(pattern, 'latin1'),
      read: read || known?.read === true,
      write: write || known?.write === true,
    };
    this.keys =
      known === undefined ? [...this.keys, added] : this.keys.map((other) => (other === known ? added : other));
    return null;
  }

  private addChannels(pattern: string): SelectorError | null {
    if (this.allChannels) return 'pattern-after-all-channels';
    if (hasSpaces(pattern)) return 'syntax';
    if (!this.channels.some((other) => other.pattern === pattern))
      this.channels = [...this.channels, { pattern, bytes: Buffer.from(pattern, 'latin1') }];
    return null;
  }

  /** As ACL GETUSER says it. */
  describeKeys(): string {
    if (this.allKeys) return '~*';
    return this.keys.map(({ pattern, read, write }) => `${read ? (write ? '' : '%R') : '%W'}~${pattern}`).join(' ');
  }

  describeChannels(): string {
    if (this.allChannels) return '&*';
    return this.channels.map(({ pattern }) => `&${pattern}`).join(' ');
  }

  /** As modifiers, separated by spaces, that make it from a selector that allows nothing. */
  describe(): string {
    const channels = this.allChannels ? '&*' : `resetchannels ${this.describeChannels()}`.trimEnd();
    return `${this.describeKeys()} ${channels} ${this.commands.describe()}`.trimStart();
  }
}
