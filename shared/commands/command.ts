/**
 * A row of the command table: everything there is to know about a command, declared as data. Routing,
 * arity checks, COMMAND, docs/compatibility.md and the dispatch all derive from it.
 *
 * Data commands (here, because scripts on the server will call them too) say how they become an
 * operation and how its result becomes a reply. Commands that concern the connection or the process
 * (`run: 'session'`) have their handler in proxy/commands, by name; start-up fails when one is missing.
 */
import type { User } from '../acl/user.js';
import type { CompactLimits } from '../operations/codes.js';
import type { Operation, OperationResult } from '../operations/operation.js';
import type { NodeLimits } from '../operations/streams.js';
import type { Reply } from './reply.js';

export type CommandFlag =
  | 'write'
  | 'readonly'
  | 'denyoom'
  | 'admin'
  | 'pubsub'
  | 'noscript'
  | 'blocking'
  | 'loading'
  | 'stale'
  | 'skip_monitor'
  | 'skip_slowlog'
  | 'asking'
  | 'fast'
  | 'no_auth'
  | 'may_replicate'
  | 'movablekeys'
  | 'no_async_loading'
  | 'no_multi'
  | 'allow_busy'
  | 'no_mandatory_keys'
  | 'sentinel'
  | 'only_sentinel';

export type CommandGroup =
  | 'string'
  | 'generic'
  | 'connection'
  | 'server'
  | 'hash'
  | 'list'
  | 'set'
  | 'sorted-set'
  | 'stream'
  | 'bitmap'
  | 'hyperloglog'
  | 'geo'
  | 'pubsub'
  | 'scripting'
  | 'transactions'
  | 'cluster';

/** Positions count the command name as 0, as in COMMAND. `last` -1: to the end. */
export interface KeyRange {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

export interface TranslateContext {
  readonly resp: 2 | 3;
  /** The connection's user, where it may not do everything: scripts check what they call. */
  readonly user?: User;
  /** The connection's database. */
  readonly db: number;
  /** How many databases there are. */
  readonly databases: number;
  /** True when maxmemory-policy is one of the LFU policies: OBJECT FREQ and IDLETIME answer accordingly. Absent: false. */
  readonly lfu?: boolean;
  /** What the proxy is configured with (hash-max-listpack-entries and so on). Absent: Redis's defaults. */
  readonly hashLimits?: CompactLimits;
  readonly zsetLimits?: CompactLimits;
  readonly streamNodes?: NodeLimits;
  /** hll-sparse-max-bytes. Absent: Redis's default. */
  readonly sketchSparseBytes?: number;
  /** busy-reply-threshold. Absent: Redis's default. */
  readonly busyAfterMs?: number;
  /** Whether a script calls it. Absent: false. */
  readonly inScript?: boolean;
  /** Scripts may call what is denied to them otherwise (DEBUG SET-DISABLE-DENY-SCRIPTS). Absent: false. */
  readonly scriptsMayAll?: boolean;
  /** What scripts report beside their results: bits of `ReportOf`. Absent: nothing. */
  readonly scriptReports?: number;
}

export interface CommandFacts {
  /** Lower case. */
  readonly name: string;
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  /** ACL categories without the @. */
  readonly categories: readonly string[];
  readonly keys: KeyRange | null;
  /** Where it varies how many keys there are, beside those of `keys`: the position of the argument that says so, the keys follow. */
  readonly keyCount?: number;
  /** Arguments from one of these keys to the next. Absent: 1. */
  readonly keyStep?: number;
  /** Where keys and one more argument for each follow a word (then `keys` is null): the word, and from where on it may be. */
  readonly keysBehind?: { readonly word: string; readonly from: number };
  /** Where further keys are that an option brings: their positions within `args`, which are without the command's name. */
  readonly optionKeys?: (args: readonly Buffer[]) => readonly number[];
  /** All its keys, where neither of these says where they are: their positions within `args`. `keys` is then for COMMAND only. */
  readonly keysOf?: (args: readonly Buffer[]) => readonly number[];
  /** What COMMAND INFO tells clients beside the flags. */
  readonly tips?: readonly string[];
  readonly group: CommandGroup;
  readonly since: string;
  /** One sentence in our own words. */
  readonly summary: string;
}

interface Supported extends CommandFacts {
  readonly support: 'yes' | 'partly' | 'no';
  /** For docs/compatibility.md: how partly, or why not. */
  readonly note?: string;
  /**
   * Rows named `container|subcommand`. As in COMMAND, their arity and key positions count the container's
   * word as 0 and the subcommand's as 1; the `args` they are given are without both words.
   */
  readonly subcommands?: readonly Command[];
}

/** One operation on the partition of its keys. */
export interface KeyedCommand extends Supported {
  readonly run: 'keyed';
  /** `args` are without the command's name; arity has been checked. Throws ClientError. */
  readonly translate: (args: readonly Buffer[], context: TranslateContext) => Operation;
  readonly reply: (result: OperationResult, args: readonly Buffer[], context: TranslateContext) => Reply;
  /**
   * Set where the command may wait while its operation finds nothing (its result is null): for how many ms; 0: for ever,
   * null: with these arguments it does not.
   */
  readonly waitMs?: (args: readonly Buffer[]) => number | null;
  /**
   * Set for a plain union of single-key commands: when its keys lie in several partitions, the
   * arguments are split by key (`keys.step` arguments each), every part is translated by itself, and
   * the results are merged: added up, all OK, or put back in the order of the keys.
   */
  readonly union?: 'sum' | 'ok' | 'positions';
}

/** One operation on every partition of the table; results in the order of the partitions. */
export interface WholeCommand extends Supported {
  readonly run: 'whole';
  readonly translate: (args: readonly Buffer[], context: TranslateContext) => Operation;
  readonly merge: (results: readonly OperationResult[], args: readonly Buffer[], context: TranslateContext) => Reply;
}

/** Handled by the proxy: its handler is in proxy/commands. */
export interface SessionCommand extends Supported {
  readonly run: 'session';
}

/** Known, refused with `error` (a full RESP error text), and listed with its `note`. */
export interface RefusedCommand extends Supported {
  readonly run: 'refused';
  readonly error: string;
}

/** Does nothing but hold `subcommands` (OBJECT): the first argument says which; none matches: an error. */
export interface ContainerCommand extends Supported {
  readonly run: 'container';
  readonly subcommands: readonly Command[];
}

/** Needs neither a server nor the connection: its reply follows from the arguments (OBJECT HELP). */
export interface ConstantCommand extends Supported {
  readonly run: 'constant';
  readonly answer: (args: readonly Buffer[], context: TranslateContext) => Reply;
}

export type Command =
  | KeyedCommand
  | WholeCommand
  | SessionCommand
  | RefusedCommand
  | ContainerCommand
  | ConstantCommand;
