/** ACL: users are kept by meta, and so are the same at every proxy; ACL LOG is that of the proxy that is asked. */
import { randomBytes } from 'node:crypto';
import { aclCategories } from '../../shared/acl/categories.js';
import { check, denialTextDryRun } from '../../shared/acl/check.js';
import { commandsOf } from '../../shared/acl/command-set.js';
import { hasSpaces, type Selector } from '../../shared/acl/selector.js';
import { DEFAULT_USER, User, withoutSecrets } from '../../shared/acl/user.js';
import { at, integer, word, wrongArity } from '../../shared/commands/arguments.js';
import { acceptsArity, commandOf } from '../../shared/commands/command-line.js';
import { DoubleReply, ErrorReply, MapReply, OK, type Reply, SetReply } from '../../shared/commands/reply.js';
import type { UserChange } from '../../shared/cluster.js';
import { ClientError } from '../../shared/errors.js';
import { type Call, LATER, type ProxyContext, type SessionHandler } from '../context.js';
import { help } from './help.js';
import { heldUntilAnswered } from './held-until-answered.js';

const GENERATED_BITS = 256;
const GENERATED_BITS_MAX = 4_096;
const LOG_ENTRIES = 10;

const text = (argument: Buffer): string => argument.toString('latin1');
/** What is latin1 text within users was bytes. */
const bytes = (latin1: string): Buffer => Buffer.from(latin1, 'latin1');

/** Sends a change to meta; the connection takes no more requests until it is made. */
export function changeUser(call: Call, wanted: UserChange, reply: (count: number) => Reply): typeof LATER {
  const answer = heldUntilAnswered(call);
  call.proxy.router.meta.changeUsers(wanted, (error, count) =>
    answer(error === null ? reply(count) : new ErrorReply(error)),
  );
  return LATER;
}

/** The change of a user by modifiers. Throws ClientError where they make no sense. */
export function userChange(proxy: ProxyContext, name: string, modifiers: readonly string[]): UserChange {
  const allChannels = proxy.configuration.get('acl-pubsub-default') === 'allchannels';
  const known = proxy.users.get(name);
  (known ?? new User(name, { allChannels })).changed(modifiers, { allChannels });
  return {
    kind: 'set',
    name,
    modifiers: withoutSecrets(modifiers),
    allChannels,
    ...(name === DEFAULT_USER ? { base: proxy.users.default.rules() } : {}),
  };
}

const setuser: SessionHandler = (call) => {
  const name = text(at(call.args, 0));
  if (hasSpaces(name)) throw new ClientError("ERR Usernames can't contain spaces or null characters");
  return changeUser(call, userChange(call.proxy, name, call.args.slice(1).map(text)), () => OK);
};

const deluser: SessionHandler = (call) => {
  const names = call.args.map(text);
  if (names.includes(DEFAULT_USER)) throw new ClientError("ERR The 'default' user cannot be removed");
  if (!names.some((name) => call.proxy.users.get(name) !== undefined)) return 0;
  return changeUser(call, { kind: 'delete', names }, (count) => count);
};

const rulesOf = (selector: Selector): Reply[] => [
  'commands',
  bytes(selector.commands.describe()),
  'keys',
  bytes(selector.describeKeys()),
  'channels',
  bytes(selector.describeChannels()),
];

const getuser: SessionHandler = ({ proxy, args }) => {
  const user = proxy.users.get(text(at(args, 0)));
  if (user === undefined) return null;
  const [root, ...others] = user.selectors;
  return new MapReply([
    'flags',
    new SetReply(user.flags),
    'passwords',
    user.passwords,
    ...(root === undefined ? [] : rulesOf(root)),
    'selectors',
    others.map((selector) => new MapReply(rulesOf(selector))),
  ]);
};

const list: SessionHandler = ({ proxy }) => proxy.users.all().map((user) => bytes(user.describe()));
const users: SessionHandler = ({ proxy }) => proxy.users.all().map(({ name }) => bytes(name));
const whoami: SessionHandler = ({ session }) => bytes(session.identity.user.name);

/** Redis knows these two subcommands' arguments only itself. */
function unknownArguments(subcommand: Buffer | string): ClientError {
  return new ClientError(
    `ERR unknown subcommand or wrong number of arguments for '${String(subcommand)}'. Try ACL HELP.`,
  );
}

const cat: SessionHandler = ({ args }) => {
  if (args.length > 1) throw unknownArguments('CAT');
  if (args.length === 0) return aclCategories;
  const found = commandsOf(text(at(args, 0)));
  if (found === null) throw new ClientError(`ERR Unknown category '${at(args, 0).toString('utf8', 0, 128)}'`);
  return found;
};

const genpass: SessionHandler = ({ args }) => {
  if (args.length > 1) throw unknownArguments('GENPASS');
  const bits = args.length === 0 ? GENERATED_BITS : integer(args[0]);
  if (bits <= 0 || bits > GENERATED_BITS_MAX)
    throw new ClientError(
      `ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to ${GENERATED_BITS_MAX}`,
    );
  const digits = Math.ceil(Number(bits) / 4);
  return randomBytes(Math.ceil(digits / 2))
    .toString('hex')
    .slice(0, digits);
};

const log: SessionHandler = ({ proxy, args }) => {
  if (args.length > 1) throw unknownArguments('LOG');
  if (word(args[0]) === 'RESET') {
    proxy.aclLog.entries = [];
    return OK;
  }
  const count = args.length === 0 ? LOG_ENTRIES : Math.max(0, Number(integer(args[0])));
  const nowMs = proxy.environment.wallMs();
  return proxy.aclLog.entries
    .slice(0, count)
    .map(
      (entry) =>
        new MapReply([
          'count',
          entry.count,
          'reason',
          entry.reason,
          'context',
          entry.context,
          'object',
          bytes(entry.object),
          'username',
          bytes(entry.username),
          'age-seconds',
          new DoubleReply((nowMs - entry.atMs) / 1000),
          'client-info',
          entry.clientInfo,
        ]),
    );
};

const dryrun: SessionHandler = ({ proxy, args }) => {
  const name = at(args, 0);
  const user = proxy.users.get(text(name));
  if (user === undefined) throw new ClientError(`ERR User '${String(name)}' not found`);
  const argv = args.slice(1);
  const command = commandOf(argv);
  if (command === null) throw new ClientError(`ERR Command '${String(argv[0])}' not found`);
  if (!acceptsArity(command, argv.length)) throw wrongArity(command.name);
  const denial = check(user, argv);
  return denial === null ? OK : bytes(denialTextDryRun(denial));
};

/** Every change is with meta, durable, before its reply; and every proxy has what meta has. */
const nothingToDo: SessionHandler = () => OK;

export const aclHandlers = {
  'acl|setuser': setuser,
  'acl|deluser': deluser,
  'acl|getuser': getuser,
  'acl|list': list,
  'acl|users': users,
  'acl|whoami': whoami,
  'acl|cat': cat,
  'acl|genpass': genpass,
  'acl|log': log,
  'acl|dryrun': dryrun,
  'acl|save': nothingToDo,
  'acl|load': nothingToDo,
  'acl|help': help,
} satisfies Record<string, SessionHandler>;
