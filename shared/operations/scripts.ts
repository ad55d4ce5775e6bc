/**
 * Scripts run at the primary as one operation; what they return is a reply of any shape, and deeper than a message may
 * be. So it crosses the wire flat: a scalar as itself, anything else as a list of marks and values, outermost first.
 */
import {
  BigNumberReply,
  DoubleReply,
  ErrorReply,
  MapReply,
  NullArrayReply,
  type Reply,
  SetReply,
  SimpleString,
  VerbatimReply,
} from '../commands/reply.js';
import { invariant } from '../errors.js';
import { Code, type CompactLimits } from './codes.js';
import type { Operation, OperationArgument, OperationResult } from './operation.js';
import type { NodeLimits } from './streams.js';

/** On the wire and in the log. */
export const Mark = {
  null: 0,
  bytes: 1,
  integer: 2,
  status: 3,
  error: 4,
  /** Then how many items, and these. */
  array: 5,
  /** Then how many pairs, and these. */
  map: 6,
  set: 7,
  double: 8,
  bigNumber: 9,
  /** Then the format, and the text. */
  verbatim: 10,
  boolean: 11,
  nullArray: 12,
  /** Of a result with a report: then the report (`ScriptReport`), and the result. */
  report: 13,
} as const;

/** What is to be reported of a script beside its result. */
export const ReportOf = { calls: 1, reads: 2 } as const;

/** What a script called, each with its database and name first; keys it read; those it wrote afterwards; what it may not do. */
export type ScriptReport = readonly [
  calls: readonly (readonly [db: number, ...words: Buffer[]])[],
  fresh: readonly Buffer[],
  stale: readonly Buffer[],
  denials: readonly (readonly [reason: 'command' | 'key' | 'channel', object: Buffer])[],
];

/** Null: there is none. */
export function reportOf(result: OperationResult): { report: ScriptReport; result: OperationResult } | null {
  if (!Array.isArray(result) || result[0] !== Mark.report) return null;
  const [, report, own] = result as readonly OperationResult[];
  return { report: report as unknown as ScriptReport, result: own ?? null };
}

/** What the commands of a script see of the client that sent it. */
export interface ScriptContext {
  readonly lfu: boolean;
  readonly hashLimits: CompactLimits | null;
  readonly zsetLimits: CompactLimits | null;
  readonly streamNodes: NodeLimits | null;
  readonly sketchSparseBytes: number | null;
  /** The rules of its user (shared/acl); null: it may do everything. */
  readonly user: readonly string[] | null;
  /** After so much others are told that the partition is busy; 0: never. */
  readonly busyAfterMs: number;
  /** It may call commands that are denied to scripts. */
  readonly mayAll: boolean;
  /** Bits of `ReportOf`. What its user is denied is always reported. */
  readonly reports: number;
}

export interface ScriptCall {
  readonly keys: readonly Buffer[];
  readonly args: readonly Buffer[];
  readonly context: ScriptContext;
}

/** What follows the script or function in an operation that runs it. */
const callOf = ({ keys, args, context }: ScriptCall): OperationArgument[] => [keys, args, contextOf(context)];

const contextOf = ({
  lfu,
  hashLimits,
  zsetLimits,
  streamNodes,
  sketchSparseBytes,
  user,
  busyAfterMs,
  mayAll,
  reports,
}: ScriptContext): OperationArgument[] => [
  lfu,
  hashLimits,
  zsetLimits,
  streamNodes,
  sketchSparseBytes,
  user,
  busyAfterMs,
  mayAll,
  reports,
];

/**
 * A reply for `readReply`. `text` null: of a script that is known by its SHA-1 (in lower case); error NOSCRIPT when it
 * is not. `mayWrite` false: its commands may not.
 */
export const script = (text: Buffer | null, sha: string, mayWrite: boolean, call: ScriptCall): Operation => [
  mayWrite ? Code.script : Code.readScript,
  text,
  sha,
  ...callOf(call),
];

/** The same of a function of a library. */
export const callFunction = (name: string, mayWrite: boolean, call: ScriptCall): Operation => [
  mayWrite ? Code.callFunction : Code.readFunction,
  name,
  ...callOf(call),
];

/** Of each library `[name, code, functions]`, of each function `[name, description or null, flags]`. */
export const libraries = (): Operation => [Code.libraries];

/** The name of the library. */
export const loadLibrary = (code: Buffer, replace: boolean): Operation => [Code.changeLibraries, 'load', code, replace];

/** True, as of those below. */
export const removeLibrary = (name: string): Operation => [Code.changeLibraries, 'remove', name];

export const flushLibraries = (): Operation => [Code.changeLibraries, 'flush'];

export const restoreLibraries = (codes: readonly Buffer[], policy: 'append' | 'replace' | 'flush'): Operation => [
  Code.changeLibraries,
  'restore',
  codes,
  policy,
];

/**
 * The error of a script that was given no keys, did nothing yet, and wants a key of another partition: it is to be run at
 * that slot's.
 */
export const elsewhere = (slot: number): string => `${ELSEWHERE}${slot}`;

/** Null: it is another error. */
export function slotElsewhere(error: string): number | null {
  return error.startsWith(ELSEWHERE) ? Number(error.slice(ELSEWHERE.length)) : null;
}

const ELSEWHERE = 'ELSEWHERE ';

/** Of any other script. */
export const NOT_HERE = 'ERR Script attempted to access a non local key in a cluster node';

/** True: it is known from now on. Error when it is no Lua. */
export const loadScript = (text: Buffer, sha: string): Operation => [Code.loadScript, text, sha];

/** Of each SHA-1 whether the script is known. */
export const scriptsExist = (shas: readonly Buffer[]): Operation => [Code.scriptsExist, ...shas];

/** True. */
export const flushScripts = (): Operation => [Code.flushScripts];

/**
 * Ends the script or function that runs at the partition: true; null when none runs; else the error's text. Answered at
 * once, whatever runs, as is `scriptStatus`.
 */
export const endScript = (isFunction: boolean): Operation => [Code.endScript, isFunction];

/** Of the script that runs `[name, milliseconds, whether it is a function, its command]`; else what `libraries` returns. */
export const scriptStatus = (): Operation => [Code.scriptStatus];

/** The reply that a script's result stands for. */
export function readReply(result: OperationResult): Reply {
  if (!Array.isArray(result)) return result as Reply;
  const tokens = result as readonly OperationResult[];
  let at = 0;
  const bytes = (): Buffer => tokens[at++] as Buffer;
  const latin1 = (): string => bytes().latin1Slice();
  const several = (count: number): Reply[] => Array.from({ length: count }, read);
  function read(): Reply {
    const mark = tokens[at++];
    switch (mark) {
      case Mark.null:
        return null;
      case Mark.bytes:
      case Mark.integer:
      case Mark.boolean:
        return tokens[at++] as Buffer | number | bigint | boolean;
      case Mark.status:
        return new SimpleString(latin1());
      case Mark.error:
        return new ErrorReply(bytes().toString());
      case Mark.array:
        return several(Number(tokens[at++]));
      case Mark.map:
        return new MapReply(several(2 * Number(tokens[at++])));
      case Mark.set:
        return new SetReply(several(Number(tokens[at++])));
      case Mark.double:
        return new DoubleReply(Number(tokens[at++]));
      case Mark.bigNumber:
        return new BigNumberReply(latin1());
      case Mark.verbatim:
        return new VerbatimReply(latin1(), bytes().toString());
      case Mark.nullArray:
        return new NullArrayReply();
      default:
        invariant(false, `a script's reply has only known marks, not ${String(mark)}`);
    }
  }
  return read();
}
