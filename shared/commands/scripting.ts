/** Scripts. Facts as a redis-server 7.0.15 tells them; they are executed in server/scripting. */
import { createHash } from 'node:crypto';
import { ClientError } from '../errors.js';
import type { OperationResult } from '../operations/operation.js';
import * as operations from '../operations/scripts.js';
import type { ScriptCall } from '../operations/scripts.js';
import { at, integer, word } from './arguments.js';
import type { Command, KeyedCommand, TranslateContext, WholeCommand } from './command.js';
import { ErrorReply, OK, type Reply, SimpleString } from './reply.js';

const base = { group: 'scripting', support: 'yes', keys: null, categories: ['slow', 'scripting'] } as const;
const evaluates = {
  ...base,
  run: 'keyed',
  arity: -3,
  keyCount: 2,
  flags: ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys', 'may_replicate'],
} as const;
export const WHERE =
  'in a table with several partitions it runs at the one of its keys; without keys, at that of the first key that it uses';
const reads = { flags: ['readonly', 'noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys'] } as const;

export const BUSY_SCRIPT = 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.';
export const BUSY_FUNCTION = 'BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.';
const NO_SCRIPT = 'NOSCRIPT No matching script. Please use EVAL.';
const SHA_LENGTH = 40;
const BUSY_AFTER_MS = 5_000;
const NOT_BUSY = 'NOTBUSY No scripts in execution right now.';

/** `args`: script, number of keys, keys, arguments. `noNumber`: what Redis says where that is none. */
export function callOf(args: readonly Buffer[], context: TranslateContext, noNumber?: string): ScriptCall {
  const count = integer(args[1], noNumber);
  if (count > args.length - 2) throw new ClientError("ERR Number of keys can't be greater than number of args");
  if (count < 0) throw new ClientError("ERR Number of keys can't be negative");
  const first = 2 + Number(count);
  return {
    keys: args.slice(2, first),
    args: args.slice(first),
    context: {
      lfu: context.lfu === true,
      hashLimits: context.hashLimits ?? null,
      zsetLimits: context.zsetLimits ?? null,
      streamNodes: context.streamNodes ?? null,
      sketchSparseBytes: context.sketchSparseBytes ?? null,
      user: context.user?.rules() ?? null,
      busyAfterMs: context.busyAfterMs ?? BUSY_AFTER_MS,
      mayAll: context.scriptsMayAll === true,
      reports: context.scriptReports ?? 0,
    },
  };
}

export const shaOf = (text: Buffer): string => createHash('sha1').update(text).digest('hex');

const evaluate =
  (mayWrite: boolean): KeyedCommand['translate'] =>
  (args, context) => {
    const text = at(args, 0);
    return operations.script(text, shaOf(text), mayWrite, callOf(args, context));
  };

const evaluateKnown =
  (mayWrite: boolean): KeyedCommand['translate'] =>
  (args, context) => {
    const sha = at(args, 0);
    if (sha.length !== SHA_LENGTH) throw new ClientError(NO_SCRIPT);
    return operations.script(null, sha.latin1Slice().toLowerCase(), mayWrite, callOf(args, context));
  };

const asScripts = (result: OperationResult): Reply => operations.readReply(result);
const allOk = (): Reply => OK;

const evaluating: readonly KeyedCommand[] = [
  {
    ...evaluates,
    name: 'eval',
    since: '2.6.0',
    summary: 'Runs a Lua script, at once and alone.',
    note: WHERE,
    translate: evaluate(true),
    reply: asScripts,
  },
  {
    ...evaluates,
    ...reads,
    name: 'eval_ro',
    since: '7.0.0',
    summary: 'Runs a Lua script that changes nothing.',
    note: WHERE,
    translate: evaluate(false),
    reply: asScripts,
  },
  {
    ...evaluates,
    name: 'evalsha',
    since: '2.6.0',
    summary: 'Runs a Lua script that is known by its SHA-1.',
    note: WHERE,
    translate: evaluateKnown(true),
    reply: asScripts,
  },
  {
    ...evaluates,
    ...reads,
    name: 'evalsha_ro',
    since: '7.0.0',
    summary: 'Runs a Lua script that is known by its SHA-1 and changes nothing.',
    note: WHERE,
    translate: evaluateKnown(false),
    reply: asScripts,
  },
];

const everywhere = { ...base, run: 'whole', flags: ['noscript'] } as const;

/** In a table of several partitions a script is there when all have it. */
const inAll = (results: readonly OperationResult[]): number[] => {
  const [first = [], ...others] = results as readonly (readonly boolean[])[];
  return first.map((found, i) => (found && others.every((other) => other[i] === true) ? 1 : 0));
};

/** Ended somewhere; or it cannot be; or nothing runs anywhere. */
export const endedSomewhere = (results: readonly OperationResult[]): Reply => {
  if (results.includes(true)) return OK;
  const refusal = results.find((result) => typeof result === 'string');
  return new ErrorReply(typeof refusal === 'string' ? refusal : NOT_BUSY);
};

const scriptSubcommands: readonly Command[] = [
  {
    ...everywhere,
    name: 'script|exists',
    arity: -3,
    since: '2.6.0',
    tips: ['request_policy:all_shards', 'response_policy:agg_logical_and'],
    summary: 'Tells of each SHA-1 whether the script is known.',
    note: 'in a table with several partitions, whether all of them know it, as SCRIPT LOAD makes sure',
    translate: (args) => operations.scriptsExist(args),
    merge: inAll,
  } satisfies WholeCommand,
  {
    ...everywhere,
    name: 'script|flush',
    arity: -2,
    since: '2.6.0',
    tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
    summary: 'Forgets all scripts.',
    translate: (args) => {
      const option = word(args[0]);
      if (args.length > 1 || (args.length === 1 && option !== 'SYNC' && option !== 'ASYNC'))
        throw new ClientError('ERR SCRIPT FLUSH only support SYNC|ASYNC option');
      return operations.flushScripts();
    },
    merge: allOk,
  } satisfies WholeCommand,
  {
    ...everywhere,
    flags: ['noscript', 'allow_busy'],
    name: 'script|kill',
    arity: 2,
    since: '2.6.0',
    tips: ['request_policy:all_shards', 'response_policy:one_succeeded'],
    summary: 'Ends the script that runs, if it has written nothing.',
    translate: () => operations.endScript(false),
    merge: endedSomewhere,
  } satisfies WholeCommand,
  {
    ...everywhere,
    run: 'constant',
    name: 'script|debug',
    arity: 3,
    since: '3.2.0',
    summary: 'Would make the next scripts stop for a debugger.',
    support: 'partly',
    note: 'NO is accepted; there is no debugger',
    answer: (args) => {
      const mode = word(args[0]);
      if (mode === 'NO') return OK;
      if (mode === 'YES' || mode === 'SYNC') return new ErrorReply('ERR there is no debugger for scripts');
      return new ErrorReply('ERR Use SCRIPT DEBUG YES/SYNC/NO');
    },
  },
  {
    ...everywhere,
    flags: ['noscript', 'stale'],
    name: 'script|load',
    arity: 3,
    since: '2.6.0',
    tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
    summary: 'Makes a script known, for EVALSHA, without running it.',
    translate: (args) => operations.loadScript(at(args, 0), shaOf(at(args, 0))),
    merge: (_results, args) => shaOf(at(args, 0)),
  } satisfies WholeCommand,
  {
    ...base,
    run: 'constant',
    flags: ['loading', 'stale'],
    name: 'script|help',
    arity: 2,
    since: '5.0.0',
    summary: 'Lists the subcommands of SCRIPT.',
    answer: () => scriptHelp.map((line) => new SimpleString(line)),
  },
];

const scriptHelp = [
  'SCRIPT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'DEBUG (YES|SYNC|NO)',
  '    Set the debug mode for subsequent scripts executed.',
  'EXISTS <sha1> [<sha1> ...]',
  '    Return information about the existence of the scripts in the script cache.',
  'FLUSH [ASYNC|SYNC]',
  '    Flush the Lua scripts cache. Very dangerous on replicas.',
  '    When called without the optional mode argument, the behavior is determined by the',
  '    lazyfree-lazy-user-flush configuration directive. Valid modes are:',
  '    * ASYNC: Asynchronously flush the scripts cache.',
  '    * SYNC: Synchronously flush the scripts cache.',
  'KILL',
  '    Kill the currently executing Lua script.',
  'LOAD <script>',
  '    Load a script into the scripts cache without executing it.',
  'HELP',
  '    Prints this help.',
];

export const scriptingCommands: readonly Command[] = [
  ...evaluating,
  {
    ...base,
    run: 'container',
    flags: [],
    categories: ['slow'],
    name: 'script',
    arity: -2,
    since: '2.6.0',
    summary: 'Commands about known scripts.',
    subcommands: scriptSubcommands,
  },
];
