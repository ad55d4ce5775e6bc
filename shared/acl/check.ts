/**
 * May this user do this? `check` for a whole command line, as scripts need it (redis.acl_check_cmd, and what scripts call):
 *
 *   const denial = check(user, argv);        // argv[0] is the command's name
 *   if (denial !== null) ... denialText(denial) is the NOPERM error, denial.object what ACL LOG names
 *
 * A user that may do everything has `unrestricted`: ask that first. A process that is not a proxy gets a user as rules
 * (`User.rules()`, texts) in a message and makes it again with `User.fromRules(name, rules)`.
 */
import { word } from '../commands/arguments.js';
import type { Command } from '../commands/command.js';
import { commandOf } from '../commands/command-line.js';
import { keyFlagsOfCall } from '../commands/key-flags.js';
import { hasKeys, positionsOfKeys, wordsOf } from '../commands/key-positions.js';
import type { KeyAccess, Selector } from './selector.js';
import type { User } from './user.js';

export interface Denial {
  readonly reason: 'command' | 'key' | 'channel';
  /** The command's full name, the key or the channel. */
  readonly object: string | Buffer;
  /** In `args`: of several denials that of the last argument is told. */
  readonly position: number;
}

/** Null when it may. The command line has to name a command, see commandOf: what none names nobody may. */
export function check(user: User, argv: readonly Buffer[]): Denial | null {
  const command = commandOf(argv);
  if (command === null) return { reason: 'command', object: argv[0] ?? '', position: 0 };
  return checkCommand(user, command, argv.slice(wordsOf(command)));
}

/** `args` are without the words that name the command. */
export function checkCommand(user: User, command: Command, args: readonly Buffer[]): Denial | null {
  let told: Denial | null = null;
  const touched = new Touched(command, args);
  for (const selector of user.selectors) {
    const denial = deny(selector, touched);
    if (denial === null) return null;
    if (told === null || rank(denial) > rank(told)) told = denial;
  }
  return told;
}

const REASONS = ['command', 'key', 'channel'] as const;

/** Of the denials of all selectors that which came furthest is told. */
function rank({ reason, position }: Denial): number {
  return REASONS.indexOf(reason) * 2 ** 32 + position;
}

/** Keys and channels of one command line, found once for all selectors. */
class Touched {
  readonly command: Command;
  readonly args: readonly Buffer[];
  private found: readonly { readonly position: number; readonly access: KeyAccess }[] | null = null;

  constructor(command: Command, args: readonly Buffer[]) {
    this.command = command;
    this.args = args;
  }

  get keys(): readonly { readonly position: number; readonly access: KeyAccess }[] {
    const { command, args } = this;
    // shard channels are at a key's place
    this.found ??=
      !hasKeys(command) || channelsOf(command) !== undefined
        ? []
        : positionsOfKeys(command, args).map((position, index) => ({
            position,
            access: accessOf(keyFlagsOfCall(command, index, args)),
          }));
    return this.found;
  }
}

function accessOf(flags: readonly string[]): KeyAccess {
  return {
    read: flags.includes('access'),
    write: flags.includes('insert') || flags.includes('delete') || flags.includes('update'),
  };
}

interface Channels {
  /** How many of the arguments, from the first on. */
  readonly count: number;
  readonly arePatterns: boolean;
}

const CHANNELS: Readonly<Record<string, Channels>> = {
  publish: { count: 1, arePatterns: false },
  spublish: { count: 1, arePatterns: false },
  subscribe: { count: Number.POSITIVE_INFINITY, arePatterns: false },
  ssubscribe: { count: Number.POSITIVE_INFINITY, arePatterns: false },
  psubscribe: { count: Number.POSITIVE_INFINITY, arePatterns: true },
  // whoever listens may stop
  sunsubscribe: { count: 0, arePatterns: false },
};

function channelsOf({ name }: Command): Channels | undefined {
  return Object.hasOwn(CHANNELS, name) ? CHANNELS[name] : undefined;
}

function deny(selector: Selector, touched: Touched): Denial | null {
  const { command, args } = touched;
  if (!command.flags.includes('no_auth') && !selector.commands.allows(command.name, args[0]))
    return { reason: 'command', object: command.name, position: 0 };
  if (!selector.allKeys) {
    for (const { position, access } of touched.keys) {
      const object = args[position];
      if (object !== undefined && !selector.allowsKey(object, access)) return { reason: 'key', object, position };
    }
  }
  const channels = channelsOf(command);
  if (selector.allChannels || channels === undefined) return null;
  const position = args
    .slice(0, channels.count)
    .findIndex((channel) => !selector.allowsChannel(channel, channels.arePatterns));
  return position < 0 ? null : { reason: 'channel', object: args[position] ?? '', position };
}

/**
 * SORT's BY and GET read keys that nobody can name beforehand: they need a selector that allows the command and reads all
 * keys. The error's text, or null.
 */
export function sortDenial(user: User, command: Command, args: readonly Buffer[]): string | null {
  if (command.name !== 'sort' && command.name !== 'sort_ro') return null;
  const touched = new Touched(command, args);
  if (user.selectors.some((selector) => selector.readsAllKeys && deny(selector, touched) === null)) return null;
  for (let at = 1; at < args.length; at++) {
    const option = word(args[at]);
    const refused =
      (option === 'BY' && args[at + 1]?.includes('*') === true) || (option === 'GET' && at + 1 < args.length);
    if (refused) return `ERR ${option} option of SORT denied due to insufficient ACL permissions.`;
    if (option === 'LIMIT') at += 2;
    else if (option === 'STORE' || option === 'BY') at += 1;
  }
  return null;
}

/** The error that a client gets. */
export function denialText({ reason, object }: Denial): string {
  if (reason === 'command') return `NOPERM this user has no permissions to run the '${String(object)}' command`;
  return `NOPERM this user has no permissions to access one of the ${reason}s used as arguments`;
}

const AT_EXEC: Readonly<Record<Denial['reason'], string>> = {
  command: 'no permission to execute the command or subcommand',
  key: 'no permission to touch the specified keys',
  channel: 'no permission to access one of the channels used as arguments',
};

/** The error in the place of a command that could be queued, and is forbidden when EXEC comes. */
export function denialTextAtExec({ reason }: Denial): string {
  return `NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: ${AT_EXEC[reason]}`;
}

/** What ACL DRYRUN answers. */
export function denialTextDryRun({ reason, object }: Denial): string {
  const what = typeof object === 'string' ? object : object.toString('latin1');
  if (reason === 'command') return `This user has no permissions to run the '${what}' command`;
  return `This user has no permissions to access the '${what}' ${reason}`;
}
