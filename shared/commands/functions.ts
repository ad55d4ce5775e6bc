/** Functions of libraries. Facts as a redis-server 7.0.15 tells them; they are executed in server/scripting. */
import { ClientError } from '../errors.js';
import { globMatches } from '../glob.js';
import type { OperationResult } from '../operations/operation.js';
import * as operations from '../operations/scripts.js';
import { dumpFunctions, readFunctions } from '../rdb/functions.js';
import { at, word } from './arguments.js';
import type { Command, KeyedCommand, WholeCommand } from './command.js';
import { ErrorReply, MapReply, OK, type Reply, SetReply, SimpleString } from './reply.js';
import { BUSY_SCRIPT, callOf, endedSomewhere, WHERE } from './scripting.js';

const base = { group: 'scripting', support: 'yes', keys: null, categories: ['slow', 'scripting'] } as const;
const calling = {
  ...base,
  run: 'keyed',
  arity: -3,
  since: '7.0.0',
  keyCount: 2,
  flags: ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys', 'may_replicate'],
  reply: (result: OperationResult): Reply => operations.readReply(result),
} as const;
const everywhere = { ...base, run: 'whole', since: '7.0.0', flags: ['noscript'] } as const;
const changing = {
  ...everywhere,
  flags: ['write', 'noscript'],
  categories: ['write', 'slow', 'scripting'],
  tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
} as const;

const POLICIES = new Map([
  ['APPEND', 'append'],
  ['REPLACE', 'replace'],
  ['FLUSH', 'flush'],
] as const);

type FoundFunction = readonly [name: string, description: Buffer | null, flags: readonly string[]];
type FoundLibrary = readonly [name: string, code: Buffer, functions: readonly FoundFunction[]];

const call =
  (mayWrite: boolean): KeyedCommand['translate'] =>
  (args, context) =>
    operations.callFunction(
      at(args, 0).latin1Slice(),
      mayWrite,
      callOf(args, context, 'ERR Bad number of keys provided'),
    );

const ok = (): Reply => OK;

/** All partitions have the same ones. */
const librariesOf = (results: readonly OperationResult[]): readonly FoundLibrary[] =>
  (results[0] ?? []) as unknown as readonly FoundLibrary[];

/** Whether the function says so of itself; `result` is that of `libraries`. */
export const saysNoWrites = (result: OperationResult, name: string): boolean =>
  librariesOf([result]).some(([, , functions]) =>
    functions.some(([found, , flags]) => found === name && flags.includes('no-writes')),
  );

function listed(results: readonly OperationResult[], args: readonly Buffer[]): Reply {
  let withCode = false;
  let pattern: Buffer | null = null;
  for (let i = 0; i < args.length; i++) {
    const option = word(args[i]);
    if (option === 'WITHCODE' && !withCode) withCode = true;
    else if (option === 'LIBRARYNAME' && pattern === null) {
      i++;
      if (i >= args.length) throw new ClientError('ERR library name argument was not given');
      pattern = at(args, i);
    } else throw new ClientError(`ERR Unknown argument ${at(args, i).toString()}`);
  }
  return librariesOf(results)
    .filter(([name]) => pattern === null || globMatches(pattern, Buffer.from(name), true))
    .map(([name, code, functions]) => {
      const facts = ['library_name', name, 'engine', 'LUA', 'functions', functions.map(describedFunction)];
      return new MapReply(withCode ? [...facts, 'library_code', code] : facts);
    });
}

function describedFunction([name, description, flags]: FoundFunction): Reply {
  const items = FLAGS.filter((flag) => flags.includes(flag)).map((flag) => new SimpleString(flag));
  return new MapReply(['name', name, 'description', description, 'flags', new SetReply(items)]);
}

const FLAGS = ['no-writes', 'allow-oom', 'allow-stale', 'no-cluster', 'allow-cross-slot-keys'];

/** Of each partition what runs there, or its libraries. */
function statistics(results: readonly OperationResult[]): Reply {
  let running: Reply = null;
  let libraries: readonly FoundLibrary[] = [];
  for (const result of results) {
    const [name, ms, isFunction, argv] = result as readonly OperationResult[];
    if (typeof ms !== 'number') libraries = librariesOf([result]);
    else if (isFunction !== true) return new ErrorReply(BUSY_SCRIPT);
    else running = new MapReply(['name', name as string, 'command', argv as readonly Buffer[], 'duration_ms', ms]);
  }
  const functions = libraries.reduce((sum, library) => sum + library[2].length, 0);
  const counts = new MapReply(['libraries_count', libraries.length, 'functions_count', functions]);
  return new MapReply(['running_script', running, 'engines', new MapReply(['LUA', counts])]);
}

const subcommands: readonly Command[] = [
  {
    ...changing,
    name: 'function|load',
    arity: -3,
    flags: ['write', 'denyoom', 'noscript'],
    summary: 'Loads a library of functions.',
    translate: (args) => {
      let replace = false;
      for (const option of args.slice(0, -1)) {
        if (word(option) !== 'REPLACE') throw new ClientError(`ERR Unknown option given: ${option.toString()}`);
        replace = true;
      }
      return operations.loadLibrary(at(args, args.length - 1), replace);
    },
    merge: ([name = null]) => name as Reply,
  } satisfies WholeCommand,
  {
    ...changing,
    name: 'function|delete',
    arity: 3,
    summary: 'Removes a library of functions.',
    translate: (args) => operations.removeLibrary(at(args, 0).latin1Slice()),
    merge: ok,
  } satisfies WholeCommand,
  {
    ...changing,
    name: 'function|flush',
    arity: -2,
    summary: 'Removes all libraries of functions.',
    translate: (args) => {
      if (args.length > 1) throw new ClientError(subcommandError('flush'));
      if (args.length === 1 && word(args[0]) !== 'SYNC' && word(args[0]) !== 'ASYNC')
        throw new ClientError('ERR FUNCTION FLUSH only supports SYNC|ASYNC option');
      return operations.flushLibraries();
    },
    merge: ok,
  } satisfies WholeCommand,
  {
    ...changing,
    name: 'function|restore',
    arity: -3,
    flags: ['write', 'denyoom', 'noscript'],
    summary: 'Loads the libraries of a dump.',
    translate: (args) => {
      if (args.length > 2) throw new ClientError(subcommandError('restore'));
      const policy = args.length === 1 ? 'append' : POLICIES.get(word(args[1]) as 'APPEND');
      if (policy === undefined)
        throw new ClientError('ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.');
      return operations.restoreLibraries(readFunctions(at(args, 0)), policy);
    },
    merge: ok,
  } satisfies WholeCommand,
  {
    ...everywhere,
    name: 'function|list',
    arity: -2,
    tips: ['nondeterministic_output_order'],
    summary: 'Lists libraries and their functions.',
    translate: (args) => {
      listed([], args);
      return operations.libraries();
    },
    merge: listed,
  } satisfies WholeCommand,
  {
    ...everywhere,
    name: 'function|dump',
    arity: 2,
    summary: 'Returns all libraries in one string.',
    translate: () => operations.libraries(),
    merge: (results) => dumpFunctions(librariesOf(results).map(([, code]) => code)),
  } satisfies WholeCommand,
  {
    ...everywhere,
    name: 'function|stats',
    arity: 2,
    flags: ['noscript', 'allow_busy'],
    tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    summary: 'Tells which function runs, and how many there are.',
    translate: () => operations.scriptStatus(),
    merge: statistics,
  } satisfies WholeCommand,
  {
    ...everywhere,
    name: 'function|kill',
    arity: 2,
    flags: ['noscript', 'allow_busy'],
    tips: ['request_policy:all_shards', 'response_policy:one_succeeded'],
    summary: 'Ends the function that runs, if it has written nothing.',
    translate: () => operations.endScript(true),
    merge: endedSomewhere,
  } satisfies WholeCommand,
  {
    ...base,
    run: 'constant',
    name: 'function|help',
    arity: 2,
    since: '7.0.0',
    flags: ['loading', 'stale'],
    summary: 'Lists the subcommands of FUNCTION.',
    answer: () => functionHelp.map((line) => new SimpleString(line)),
  },
];

const subcommandError = (name: string): string =>
  `ERR unknown subcommand or wrong number of arguments for '${name}'. Try FUNCTION HELP.`;

const functionHelp = [
  'FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'LOAD [REPLACE] <FUNCTION CODE>',
  '    Create a new library with the given library name and code.',
  'DELETE <LIBRARY NAME>',
  '    Delete the given library.',
  'LIST [LIBRARYNAME PATTERN] [WITHCODE]',
  '    Return general information on all the libraries:',
  '    * Library name',
  '    * The engine used to run the Library',
  '    * Library description',
  '    * Functions list',
  '    * Library code (if WITHCODE is given)',
  '    It also possible to get only function that matches a pattern using LIBRARYNAME argument.',
  'STATS',
  '    Return information about the current function running:',
  '    * Function name',
  '    * Command used to run the function',
  '    * Duration in MS that the function is running',
  '    If no function is running, return nil',
  '    In addition, returns a list of available engines.',
  'KILL',
  '    Kill the current running function.',
  'FLUSH [ASYNC|SYNC]',
  '    Delete all the libraries.',
  '    When called without the optional mode argument, the behavior is determined by the',
  '    lazyfree-lazy-user-flush configuration directive. Valid modes are:',
  '    * ASYNC: Asynchronously flush the libraries.',
  '    * SYNC: Synchronously flush the libraries.',
  'DUMP',
  '    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE command',
  'RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]',
  '    Restore the libraries represented by the given payload, it is possible to give a restore policy to',
  '    control how to handle existing libraries (default APPEND):',
  '    * FLUSH: delete all existing libraries.',
  '    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.',
  '    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old',
  '      libraries with the new libraries (notice that even on this option there is a chance of failure',
  '      in case of functions name collision with another library).',
  'HELP',
  '    Prints this help.',
];

export const functionCommands: readonly Command[] = [
  {
    ...calling,
    name: 'fcall',
    summary: 'Calls a function of a library, at once and alone.',
    note: WHERE,
    translate: call(true),
  },
  {
    ...calling,
    name: 'fcall_ro',
    flags: ['readonly', 'noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys'],
    summary: 'Calls a function of a library that changes nothing.',
    note: WHERE,
    translate: call(false),
  },
  {
    ...base,
    run: 'container',
    flags: [],
    categories: ['slow'],
    name: 'function',
    arity: -2,
    since: '7.0.0',
    summary: 'Commands about libraries of functions.',
    note: 'kept with the data: replicated and persistent; in a table with several partitions, in all of them',
    subcommands,
  },
];
