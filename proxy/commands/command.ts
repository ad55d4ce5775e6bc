/** COMMAND: the command table, told to clients. */
import { at, word } from '../../shared/commands/arguments.js';
import { acceptsArity } from '../../shared/commands/command-line.js';
import { keyFlags, keyFlagsOfCall } from '../../shared/commands/key-flags.js';
import { hasKeys } from '../../shared/commands/key-positions.js';
import { MapReply, type Reply, SetReply } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import { globMatches } from '../../shared/glob.js';
import type { CatalogueEntry } from '../catalogue.js';
import type { Call, SessionHandler } from '../context.js';
import { keyPositions } from '../keys.js';
import { document } from './command-documents.js';
import { help } from './help.js';
import { keySpecifications, statuses } from './key-specifications.js';

function describe(entry: CatalogueEntry): Reply {
  const { name, arity, flags, keys, categories, tips } = entry.command;
  const subcommands = entry.subcommands === null ? [] : [...entry.subcommands.values()];
  return [
    name,
    arity,
    // Redis keeps this one to itself
    statuses(flags.filter((flag) => flag !== 'may_replicate')),
    keys?.first ?? 0,
    keys?.last ?? 0,
    keys?.step ?? 0,
    statuses(categories.map((category) => `@${category}`)),
    new SetReply(tips ?? []),
    new SetReply(keySpecifications(entry)),
    new SetReply(subcommands.map(describe)),
  ];
}

const all: SessionHandler = ({ proxy }) => proxy.catalogue.entries.map(describe);

const count: SessionHandler = ({ proxy }) => proxy.catalogue.entries.length;

const info: SessionHandler = ({ proxy, args }) => {
  if (args.length === 0) return proxy.catalogue.entries.map(describe);
  return args.map((argument): Reply => {
    const entry = proxy.catalogue.findFull(argument.toString('latin1'));
    return entry === undefined ? null : describe(entry);
  });
};

const docs: SessionHandler = ({ proxy, args }) => {
  const wanted =
    args.length === 0
      ? proxy.catalogue.entries
      : args.flatMap((argument) => proxy.catalogue.findFull(argument.toString('latin1')) ?? []);
  return new MapReply(wanted.flatMap((entry): Reply[] => [entry.name, document(entry)]));
};

const list: SessionHandler = ({ proxy, args }) => {
  const names = [...proxy.catalogue.all()];
  if (args.length === 0) return names.map(({ name }) => name);
  if (args.length !== 3 || word(args[0]) !== 'FILTERBY') throw new ClientError('ERR syntax error');
  const value = at(args, 2);
  switch (word(args[1])) {
    case 'MODULE':
      return [];
    case 'ACLCAT': {
      const category = value.toString('latin1').toLowerCase();
      return names.filter(({ command }) => command.categories.includes(category)).map(({ name }) => name);
    }
    case 'PATTERN':
      return names.filter(({ name }) => globMatches(value, Buffer.from(name), true)).map(({ name }) => name);
    default:
      throw new ClientError('ERR syntax error');
  }
};

/** The command line that is given as arguments: its entry and what follows its name. */
function commandLine({ proxy, args }: Call): { entry: CatalogueEntry; rest: readonly Buffer[]; positions: number[] } {
  const found = proxy.catalogue.find(at(args, 0).toString('latin1'));
  const subcommand = found?.subcommands?.get(word(args[1]).toLowerCase());
  if (
    found === undefined ||
    (found.subcommands !== null && found.command.run === 'container' && subcommand === undefined)
  ) {
    throw new ClientError('ERR Invalid command specified');
  }
  const entry = subcommand ?? found;
  if (!hasKeys(entry.command) || keyFlags(entry.command, 0).includes('not_key'))
    throw new ClientError('ERR The command has no key arguments');
  if (!acceptsArity(entry.command, args.length))
    throw new ClientError('ERR Invalid number of arguments specified for command');
  const rest = args.slice(subcommand === undefined ? 1 : 2);
  const positions = keyPositions(entry, rest);
  if (positions.length === 0 && !entry.command.flags.includes('no_mandatory_keys'))
    throw new ClientError('ERR Invalid arguments specified for command');
  return { entry, rest, positions };
}

const getkeys: SessionHandler = (call) => {
  const { rest, positions } = commandLine(call);
  return positions.map((position) => at(rest, position));
};

const getkeysandflags: SessionHandler = (call) => {
  const { entry, rest, positions } = commandLine(call);
  return positions.map(
    (position, index): Reply => [at(rest, position), statuses(keyFlagsOfCall(entry.command, index, rest))],
  );
};

export const commandHandlers = {
  command: all,
  'command|count': count,
  'command|info': info,
  'command|docs': docs,
  'command|list': list,
  'command|getkeys': getkeys,
  'command|getkeysandflags': getkeysandflags,
  'command|help': help,
} satisfies Record<string, SessionHandler>;
