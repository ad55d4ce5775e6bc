/**
 * The scripts of one partition's primary: a Lua of its own, made when the first script comes, and the scripts that it
 * knows. A run is one attempt at an operation: when the View throws (something must be fetched first), the thread of Lua
 * that ran is left as it is and the script begins anew in another, with the same time and random numbers.
 */
import { ClientError } from '../../shared/errors.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import type { ScriptContext } from '../../shared/operations/scripts.js';
import type { View } from '../execution/view.js';
import { Calls } from './calls.js';
import { Interpreter } from './interpreter.js';
import { KnownScripts, type Script } from './known-scripts.js';
import { Libraries, type Library, type RestorePolicy } from './libraries.js';
import { isEndOfLua, ScriptRun, type RunOptions } from './script-run.js';
import { withFlags, type ScriptFlags } from './shebang.js';

const NO_SCRIPT = 'NOSCRIPT No matching script. Please use EVAL.';
const NO_WRITES_IN_RO = 'ERR Can not execute a script with write flag using *_ro command.';
const NO_OOM = "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'";
const NO_CLUSTER = "ERR Can not run script on cluster, 'no-cluster' flag is set.";

export interface Evaluation {
  /** Null: it is known. */
  readonly text: Buffer | null;
  readonly sha: string;
  readonly mayWrite: boolean;
  readonly keys: readonly Buffer[];
  readonly args: readonly Buffer[];
  readonly context: ScriptContext;
}

export interface FunctionCall {
  readonly name: string;
  readonly mayWrite: boolean;
  readonly keys: readonly Buffer[];
  readonly args: readonly Buffer[];
  readonly context: ScriptContext;
}

export class ScriptEngine {
  private readonly nowMs: () => number;
  private readonly refusesGrowth: () => string | null;
  private interpreter: Interpreter | null = null;
  private made = 0;
  private readonly scripts = new KnownScripts();
  private readonly libraries: Libraries;

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

  call(view: View, { name, mayWrite, keys, args, context }: FunctionCall): OperationResult {
    const found = this.libraries.find(view, this.lua, name);
    if (found === null) throw new ClientError('ERR Function not found');
    if (keys.length > 0) view.expectRows(keys);
    const flags = withFlags(found.flags, false, 0);
    const calls = this.callsOf(view, flags, mayWrite, context, keys);
    return this.start(this.lua(), found.reference, calls, {
      name,
      globals: 'functions',
      keys,
      args,
      busyAfterMs: context.busyAfterMs,
    });
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

  knows(view: View, sha: string): boolean {
    return this.scripts.has(view, sha);
  }

  flush(view: View): void {
    this.scripts.flush(view, this.lua());
  }

  evaluate(view: View, evaluation: Evaluation): OperationResult {
    const { text, sha, keys } = evaluation;
    const lua = this.lua();
    const script = this.guarded(
      () => this.scripts.find(view, lua, sha) ?? (text === null ? null : this.scripts.add(lua, text, sha)),
    );
    if (script === null) throw new ClientError(NO_SCRIPT);
    if (keys.length > 0) view.expectRows(keys);
    return this.run(view, script, evaluation);
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

  private run(view: View, script: Script, { sha, mayWrite, keys, args, context }: Evaluation): OperationResult {
    const { flags } = script;
    const calls = this.callsOf(view, flags, mayWrite, context, keys);
    return this.start(this.lua(), script.reference, calls, {
      name: sha,
      globals: 'scripts',
      keys,
      args,
      busyAfterMs: context.busyAfterMs,
    });
  }

  /** What a script with these flags may do. Throws ClientError where it may not run now. */
  private callsOf(
    view: View,
    flags: ScriptFlags,
    mayWrite: boolean,
    context: ScriptContext,
    keys: readonly Buffer[],
  ): Calls {
    const full = this.refusesGrowth();
    checkFlags(view, flags, mayWrite);
    if (full !== null && !flags.compatible && !flags.noWrites && !flags.allowOom) throw new ClientError(NO_OOM);
    return new Calls(view, context, keys, {
      mayWrite: mayWrite && !flags.noWrites,
      oneSlot: !flags.compatible && !flags.crossSlot,
      full: flags.allowOom ? null : full,
    });
  }

  private start(
    lua: Interpreter,
    reference: number,
    calls: Calls,
    options: Omit<RunOptions, 'seed' | 'pauses'>,
  ): OperationResult {
    const { view } = calls;
    const seed = Math.floor(view.random() * 2 ** 32);
    const ended = (isBroken: boolean): void => {
      if (isBroken && this.interpreter === lua) this.giveUp();
    };
    try {
      const run = new ScriptRun(lua, reference, calls, { ...options, seed, pauses: !view.isPart }, this.nowMs, ended);
      return run.advance();
    } catch (thrown) {
      if (!isEndOfLua(thrown)) throw thrown;
      ended(true);
      throw new ClientError(`ERR Error running script ${options.name}, ${thrown.message}`);
    }
  }
}

function checkFlags(view: View, flags: ScriptFlags, mayWrite: boolean): void {
  if (flags.compatible) return;
  if (flags.noCluster && view.multiKey === 'slot') throw new ClientError(NO_CLUSTER);
  if (!mayWrite && !flags.noWrites) throw new ClientError(NO_WRITES_IN_RO);
}
