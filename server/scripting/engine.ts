/**
 * The scripts of one partition's primary: a Lua of its own, made when the first script comes, and the scripts that it
 * knows. A run is one attempt at an operation: when the View throws (something must be fetched first), the thread of Lua
 * that ran is left as it is and the script begins anew in another, with the same time and random numbers.
 */
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { Mark, type ScriptContext } from '../../shared/operations/scripts.js';
import type { View } from '../execution/view.js';
import { Calls } from './calls.js';
import { bitLibrary } from './bit-library.js';
import { pushCjson } from './cjson.js';
import { messagePackLibrary } from './cmsgpack.js';
import { LuaEnded } from './lua-module.js';
import { LuaType, Machine, Outcome, type Place } from './machine.js';
import { evaluatingLibrary, logLibrary, redisLibrary, type Surroundings } from './redis-library.js';
import { takeResult } from './replies.js';
import { Sandbox } from './sandbox.js';
import { structLibrary } from './struct-library.js';
import { flagsOf, type ScriptFlags } from './shebang.js';

const NO_SCRIPT = 'NOSCRIPT No matching script. Please use EVAL.';
const NO_WRITES_IN_RO = 'ERR Can not execute a script with write flag using *_ro command.';
const NO_CLUSTER = "ERR Can not run script on cluster, 'no-cluster' flag is set.";
const KILLED = 'ERR Error running script: it took too long';
const OUT_OF_MEMORY = 4;
/** Instructions between two looks at the clock: some 100 µs. */
const HOOK_COUNT = 10_000;
/** In place of a function of ours that has made room for another. */
const TAIL_CALL = '=(tail call)';
const SCRIPT_NAME = '@user_script';

export interface Evaluation {
  /** Null: it is known. */
  readonly text: Buffer | null;
  readonly sha: string;
  readonly mayWrite: boolean;
  readonly keys: readonly Buffer[];
  readonly args: readonly Buffer[];
  readonly context: ScriptContext;
}

interface Script {
  readonly text: Buffer;
  readonly flags: ScriptFlags;
  /** What Lua keeps it as; 0: this Lua has not seen it. */
  reference: number;
}

/** A Lua and what hangs on it: given up when something went wrong in it, or when it has become too large. */
class Interpreter implements Surroundings {
  readonly machine = new Machine(limits.scriptMemoryBytes);
  readonly sandbox: Sandbox;
  calls: Calls | null = null;

  constructor() {
    const { machine } = this;
    this.sandbox = new Sandbox(this.machine, {
      redis: redisLibrary(this),
      evaluating: evaluatingLibrary(this),
      loading: logLibrary(this),
      tables: {
        cjson: (thread) => pushCjson(machine, thread),
        cmsgpack: (thread) => machine.pushLibrary(thread, messagePackLibrary(machine)),
        struct: (thread) => machine.pushLibrary(thread, structLibrary(machine)),
        bit: (thread) => machine.pushLibrary(thread, bitLibrary(machine)),
      },
    });
  }

  log(): void {
    // what scripts log is nobody's business but theirs
  }
}

export class ScriptEngine {
  private readonly nowMs: () => number;
  private interpreter: Interpreter | null = null;
  private readonly scripts = new Map<string, Script>();

  /** `nowMs`: a monotonic clock. */
  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  load(text: Buffer, sha: string): void {
    if (this.scripts.has(sha)) return;
    const script: Script = { text, flags: flagsOf(text), reference: 0 };
    this.compile(this.lua(), script);
    this.scripts.set(sha, script);
  }

  knows(sha: string): boolean {
    return this.scripts.has(sha);
  }

  flush(): void {
    this.scripts.clear();
    this.interpreter = null;
  }

  evaluate(view: View, evaluation: Evaluation): OperationResult {
    const { text, sha, keys } = evaluation;
    if (text !== null) this.load(text, sha);
    const script = this.scripts.get(sha);
    if (script === undefined) throw new ClientError(NO_SCRIPT);
    if (keys.length > 0) view.expectRows(keys);
    return this.run(view, script, evaluation);
  }

  private lua(): Interpreter {
    if (this.interpreter !== null) return this.interpreter;
    for (const script of this.scripts.values()) script.reference = 0;
    return (this.interpreter = new Interpreter());
  }

  private compile({ machine }: Interpreter, script: Script): void {
    if (script.reference !== 0) return;
    const { main } = machine;
    const loaded = machine.load(main, script.text.subarray(script.flags.bytes), SCRIPT_NAME);
    if (loaded) script.reference = machine.keep(main);
    else {
      const problem = machine.bytes(main, -1)?.toString() ?? '';
      machine.pop(main);
      throw new ClientError(`ERR Error compiling script (new function): ${problem}`);
    }
  }

  private run(view: View, script: Script, { sha, mayWrite, keys, args, context }: Evaluation): OperationResult {
    const { flags } = script;
    if (!flags.compatible) {
      if (flags.noCluster && view.multiKey === 'slot') throw new ClientError(NO_CLUSTER);
      if (!mayWrite && !flags.noWrites) throw new ClientError(NO_WRITES_IN_RO);
    }
    const lua = this.lua();
    const { machine, sandbox } = lua;
    const { c } = machine;
    this.compile(lua, script);
    const calls = new Calls(view, context, keys, {
      mayWrite: mayWrite && !flags.noWrites,
      oneSlot: !flags.compatible && !flags.crossSlot,
    });
    const deadline = this.nowMs() + limits.scriptMs;
    machine.onHook = () => {
      if (this.nowMs() > deadline) throw new ClientError(KILLED);
    };
    lua.calls = calls;
    let finished = false;
    try {
      sandbox.reset('scripts', Math.floor(view.random() * 2 ** 32));
      const { thread, reference } = machine.newThread();
      try {
        pushList(machine, thread, keys);
        sandbox.setGlobal(thread, 'KEYS');
        pushList(machine, thread, args);
        sandbox.setGlobal(thread, 'ARGV');
        machine.pushKept(thread, script.reference);
        machine.watch(thread, HOOK_COUNT);
        const outcome = machine.resume(thread, 0);
        const result =
          outcome === Outcome.ok ? this.result(lua, thread, calls) : failure(machine, thread, outcome, sha);
        finished = true;
        return result;
      } finally {
        machine.release(reference);
      }
    } catch (thrown) {
      if (hasEnded(thrown)) {
        this.interpreter = null;
        throw new ClientError(`ERR Error running script ${sha}, ${thrown.message}`);
      }
      throw thrown;
    } finally {
      lua.calls = null;
      if (!finished && c.lua_gettop(machine.main) > 0) c.lua_settop(machine.main, 0);
      if (machine.memoryBytes > limits.scriptMemoryKeptBytes) this.interpreter = null;
    }
  }

  private result({ machine }: Interpreter, thread: number, calls: Calls): OperationResult {
    if (machine.c.lua_gettop(thread) === 0) return null;
    machine.c.lua_settop(thread, 1);
    return takeResult(machine, thread, calls.resp);
  }
}

/** Lua is of no more use after this. */
function hasEnded(thrown: unknown): thrown is Error {
  return thrown instanceof LuaEnded || thrown instanceof RangeError || thrown instanceof WebAssembly.RuntimeError;
}

function pushList(machine: Machine, thread: number, values: readonly Buffer[]): void {
  machine.c.lua_createtable(thread, values.length, 0);
  values.forEach((value, index) => {
    machine.pushBytes(thread, value);
    machine.c.lua_rawseti(thread, -2, index + 1);
  });
}

/** The error on top of a thread that has ended by it. What was written before stays, so it is a result. */
function failure(machine: Machine, thread: number, outcome: number, name: string): OperationResult {
  const { c } = machine;
  if (outcome >= OUT_OF_MEMORY) {
    const text = machine.text(thread, -1) ?? 'execution failure';
    return [Mark.error, Buffer.from(`ERR Error running script ${name}, ${text}`)];
  }
  const place = placeOf(machine, thread);
  const isTable = c.lua_type(thread, -1) === LuaType.table;
  let message = '(null)';
  if (isTable) {
    machine.rawField(thread, -1, 'err');
    message = (c.lua_isstring(thread, -1) === 0 ? null : machine.bytes(thread, -1)?.toString()) ?? message;
  } else message = `ERR ${display(machine, thread)}`;
  const where = place === null ? '' : ` script: ${name}, on ${place.source}:${place.line}.`;
  return [Mark.error, Buffer.from(message + where)];
}

/** As Lua's tostring. */
function display(machine: Machine, thread: number): string {
  const { c } = machine;
  const type = c.lua_type(thread, -1);
  if (type === LuaType.string || type === LuaType.number) return machine.bytes(thread, -1)!.toString();
  if (type === LuaType.nil) return 'nil';
  if (type === LuaType.boolean) return c.lua_toboolean(thread, -1) === 0 ? 'false' : 'true';
  return `${machine.typeName(type)}: 0x${c.lua_topointer(thread, -1).toString(16).padStart(8, '0')}`;
}

/** Where it happened: not in a function of C, where its caller is meant, nor in what is ours. */
function placeOf(machine: Machine, thread: number): Place | null {
  let place = machine.place(thread, 0);
  if (place?.native === true) place = machine.place(thread, 1);
  for (let level = 1; place !== null && (Sandbox.isPrelude(place.source) || place.source === TAIL_CALL); level++)
    place = machine.place(thread, level);
  return place;
}
