/** COMMAND: the command table, told to clients. */
import { at, word } from '../../shared/commands/arguments.js';
import { MapReply, type Reply, SetReply, SimpleString } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import { globMatches } from '../../shared/glob.js';
import type { CatalogueEntry } from '../catalogue.js';
import type { Call, SessionHandler } from '../context.js';
import { keyPositions } from '../dispatch.js';
import { help } from './help.js';
import { keyFlags, keyFlagsOfCall } from './key-flags.js';

const statuses = (words: readonly string[]): Reply => new SetReply(words.map((text) => new SimpleString(text)));

/** Commands without keys have no specification; two keys of different use have one each. */
function keySpecifications(entry: CatalogueEntry): Reply {
  const { keys } = entry.command;
  if (keys === null) return [];
  const different = keys.last === keys.first + 1 && keyFlags(entry, 0) !== keyFlags(entry, 1);
  const ranges = different
    ? [
        { first: keys.first, last: 0, step: 1 },
        { first: keys.last, last: 0, step: 1 },
      ]
    : [{ first: keys.first, last: keys.last < 0 ? keys.last : keys.last - keys.first, step: keys.step }];
  return ranges.map(
    (range, index) =>
      new MapReply([
        'flags',
        statuses(keyFlags(entry, index)),
        'begin_search',
        new MapReply(['type', 'index', 'spec', new MapReply(['index', range.first])]),
        'find_keys',
        new MapReply([
          'type',
          'range',
          'spec',
          new MapReply(['lastkey', range.last, 'keystep', range.step, 'limit', 0]),
        ]),
      ]),
  );
}

function describe(entry: CatalogueEntry): Reply {
  const { name, arity, flags, keys, categories } = entry.command;
  const subcommands = entry.subcommands === null ? [] : [...entry.subcommands.values()];
  return [
    name,
    arity,
    statuses(flags),
    keys?.first ?? 0,
    keys?.last ?? 0,
    keys?.step ?? 0,
    statuses(categories.map((category) => `@${category}`)),
    [],
    keySpecifications(entry),
    subcommands.map(describe),
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

function document(entry: CatalogueEntry): Reply {
  const { summary, since, group } = entry.command;
  const fields: Reply[] = ['summary', summary, 'since', since, 'group', group];
  if (entry.subcommands !== null) {
    fields.push(
      'subcommands',
      new MapReply([...entry.subcommands.values()].flatMap((row): Reply[] => [row.name, document(row)])),
    );
  }
  return new MapReply(fields);
}

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
  if (entry.command.keys === null) throw new ClientError('ERR The command has no key arguments');
  if (!entry.acceptsArity(args.length)) throw new ClientError('ERR Invalid number of arguments specified for command');
  const rest = args.slice(subcommand === undefined ? 1 : 2);
  return { entry, rest, positions: keyPositions(entry, rest.length) };
}

const getkeys: SessionHandler = (call) => {
  const { rest, positions } = commandLine(call);
  return positions.map((position) => at(rest, position));
};

const getkeysandflags: SessionHandler = (call) => {
  const { entry, rest, positions } = commandLine(call);
  return positions.map((position, index): Reply => [at(rest, position), statuses(keyFlagsOfCall(entry, index, rest))]);
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
