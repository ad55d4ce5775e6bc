/**
 * The scripts of one partition's primary: a Lua of its own, made when the first script comes, and the scripts that it
 * knows. A run is one attempt at an operation: when the View throws (something must be fetched first), the thread of Lua
 * that ran is left as it is and the script begins anew in another, with the same time and random numbers.
 */
import { ClientError } from '../../shared/errors.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import type { ScriptCall } from '../../shared/operations/scripts.js';
import type { View } from '../execution/view.js';
import { CallStatistics } from './call-statistics.js';
import { Calls } from './calls.js';
import { Interpreter } from './interpreter.js';
import { KnownScripts } from './known-scripts.js';
import { KnownUsers } from './known-users.js';
import { Libraries, type Library, type RestorePolicy } from './libraries.js';
import type { Globals } from './sandbox.js';
import { isEndOfLua, ScriptRun } from './script-run.js';
import { withFlags, type ScriptFlags } from '../../shared/commands/shebang.js';

const NO_SCRIPT = 'NOSCRIPT No matching script. Please use EVAL.';
const NO_WRITES_IN_RO = 'ERR Can not execute a script with write flag using *_ro command.';
const NO_OOM = "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'";
const NO_CLUSTER = "ERR Can not run script on cluster, 'no-cluster' flag is set.";

/** Of a script or a function. */
interface Given extends ScriptCall {
  readonly mayWrite: boolean;
}

export interface Evaluation extends Given {
  /** Null: it is known. */
  readonly text: Buffer | null;
  readonly sha: string;
}

export interface FunctionCall extends Given {
  readonly name: string;
}

/** What Lua keeps, and under which flags it runs. */
interface Runnable {
  readonly name: string;
  readonly globals: Globals;
  readonly reference: number;
  readonly flags: ScriptFlags;
}

export class ScriptEngine {
  private readonly nowMs: () => number;
  private readonly refusesGrowth: () => string | null;
  private interpreter: Interpreter | null = null;
  private made = 0;
  private readonly scripts = new KnownScripts();
  private readonly users = new KnownUsers();
  private readonly libraries: Libraries;
  /** What all scripts and functions have called since this primary began, or since they were reset. */
  readonly statistics = new CallStatistics();

  /** `nowMs`: a monotonic clock. `refusesGrowth`: why nothing may grow now, or null. */
  constructor(nowMs: () => number, refusesGrowth: () => string | null = () => null) {
    this.nowMs = nowMs;
    this.refusesGrowth = refusesGrowth;
    this.libraries = new Libraries(nowMs);
  }

  /** Of a primary. */
  static of(
    environment: { monotonicMs(): number },
    host: { refusesForSpace(grows: boolean): string | null },
  ): ScriptEngine {
    return new ScriptEngine(
      () => environment.monotonicMs(),
      () => host.refusesForSpace(true),
    );
  }

  call(view: View, { name, ...given }: FunctionCall): OperationResult {
    const found = this.libraries.find(view, this.lua, name);
    if (found === null) throw new ClientError('ERR Function not found');
    const { reference, flags } = found;
    return this.run(view, { name, globals: 'functions', reference, flags: withFlags(flags, false, 0) }, given);
  }

  listLibraries(view: View): readonly Library[] {
    return this.libraries.all(view, this.lua);
  }

  loadLibrary(view: View, code: Buffer, replace: boolean): string {
    this.checkRoom();
    return this.guarded(() => this.libraries.load(view, this.lua, code, replace));
  }

  removeLibrary(view: View, name: string): void {
    this.libraries.remove(view, this.lua, name);
  }

  flushLibraries(view: View): void {
    this.libraries.flush(view);
  }

  restoreLibraries(view: View, codes: readonly Buffer[], policy: RestorePolicy): void {
    this.checkRoom();
    this.guarded(() => this.libraries.restore(view, this.lua, codes, policy));
  }

  /** Libraries are removed while nothing may grow. */
  private checkRoom(): void {
    const full = this.refusesGrowth();
    if (full !== null) throw new ClientError(full);
  }

  load(view: View, text: Buffer, sha: string): void {
    this.guarded(() => this.scripts.load(view, this.lua(), text, sha));
  }

  /** How many scripts are known, and the bytes of their text. */
  known(view: View): readonly [count: number, bytes: number] {
    return this.scripts.known(view);
  }

  knows(view: View, sha: string): boolean {
    return this.scripts.has(view, sha);
  }

  flush(view: View): void {
    this.scripts.flush(view, this.lua());
  }

  evaluate(view: View, { text, sha, ...given }: Evaluation): OperationResult {
    const lua = this.lua();
    const script = this.guarded(
      () => this.scripts.find(view, lua, sha) ?? (text === null ? null : this.scripts.add(lua, text, sha)),
    );
    if (script === null) throw new ClientError(NO_SCRIPT);
    const { reference, flags } = script;
    return this.run(view, { name: sha, globals: 'scripts', reference, flags }, given);
  }

  private readonly lua = (): Interpreter => {
    this.interpreter ??= new Interpreter(++this.made);
    return this.interpreter;
  };

  /** Its memory goes with it. */
  private giveUp(): void {
    this.interpreter = null;
    this.libraries.giveUp();
  }

  /** Where Lua ends while it loads something, it is given up. */
  private guarded<T>(run: () => T): T {
    try {
      return run();
    } catch (thrown) {
      if (!isEndOfLua(thrown)) throw thrown;
      this.giveUp();
      throw new ClientError(`ERR Error running script: ${thrown.message}`);
    }
  }

  private run(view: View, { name, globals, reference, flags }: Runnable, given: Given): OperationResult {
    const { keys, args, context } = given;
    if (keys.length > 0) view.expectRows(keys);
    const calls = this.callsOf(view, flags, given);
    const lua = this.lua();
    const { busyAfterMs } = context;
    const seed = Math.floor(view.random() * 2 ** 32);
    const options = { name, globals, keys, args, busyAfterMs, seed, pauses: !view.isPart };
    const ended = (isBroken: boolean, isComplete: boolean): void => {
      if (isComplete) this.statistics.add(calls.statistics);
      if (isBroken && this.interpreter === lua) this.giveUp();
    };
    try {
      return new ScriptRun(lua, reference, calls, options, this.nowMs, ended).advance();
    } catch (thrown) {
      if (!isEndOfLua(thrown)) throw thrown;
      ended(true, false);
      throw new ClientError(`ERR Error running script ${name}, ${thrown.message}`);
    }
  }

  /** What a script with these flags may do. Throws ClientError where it may not run now. */
  private callsOf(view: View, flags: ScriptFlags, { mayWrite, context, keys }: Given): Calls {
    const full = this.refusesGrowth();
    checkFlags(view, flags, mayWrite);
    if (full !== null && !flags.compatible && !flags.noWrites && !flags.allowOom) throw new ClientError(NO_OOM);
    const permissions = {
      mayWrite: mayWrite && !flags.noWrites,
      oneSlot: !flags.compatible && !flags.crossSlot,
      full: flags.allowOom ? null : full,
      user: this.users.of(context.user),
    };
    return new Calls(view, context, keys, permissions, this.nowMs);
  }
}

function checkFlags(view: View, flags: ScriptFlags, mayWrite: boolean): void {
  if (flags.compatible) return;
  if (flags.noCluster && view.multiKey === 'slot') throw new ClientError(NO_CLUSTER);
  if (!mayWrite && !flags.noWrites) throw new ClientError(NO_WRITES_IN_RO);
}
