/**
 * One run of a script in a thread of its own. After a slice of time the script yields from within a hook, and the rest
 * of the server has its turn (`Suspended`); where it cannot yield, since a function of C waits for Lua to come back, it
 * runs on for a while and is ended then. Nothing that is thrown here can be caught by the script.
 */
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { Mark } from '../../shared/operations/scripts.js';
import type { Calls } from './calls.js';
import type { Interpreter } from './interpreter.js';
import { LuaEnded } from './lua-module.js';
import { LuaType, Outcome, type Machine, type Place } from './machine.js';
import { countedError, takeResult } from './replies.js';
import { Sandbox, type Globals } from './sandbox.js';

const OUT_OF_MEMORY = 4;
/** Instructions between two looks at the clock: some 100 µs. */
const HOOK_COUNT = 10_000;
/** In place of a function of ours that has made room for another. */
const TAIL_CALL = '=(tail call)';
const KILLED = 'Script killed by user with SCRIPT KILL...';

/** What a run needs to know beside its function. */
export interface RunOptions {
  /** For error texts: a SHA-1, or the name of a function. */
  readonly name: string;
  readonly globals: Globals;
  /** 32 bits. */
  readonly seed: number;
  readonly keys: readonly Buffer[];
  readonly args: readonly Buffer[];
  /** After so much others are told that the partition is busy; 0: never. */
  readonly busyAfterMs: number;
  /** It may be interrupted: see Suspended. */
  readonly pauses: boolean;
}

/** Thrown through the operation when a script has had its slice: whoever catches it lets it go on later. */
export class Suspended {
  readonly run: ScriptRun;

  constructor(run: ScriptRun) {
    this.run = run;
  }
}

export class ScriptRun {
  readonly calls: Calls;
  readonly options: RunOptions;
  private readonly lua: Interpreter;
  private readonly nowMs: () => number;
  /** Told whether its Lua is of no more use, and whether it has come to its end: else it is begun anew. */
  private readonly ended: (broken: boolean, complete: boolean) => void;
  private readonly thread: number;
  private readonly reference: number;
  private readonly endsAtMs: number;
  private sliceEndsMs = 0;
  private stretchEndsMs = 0;
  private kill: string | null = null;

  /** `reference`: what Lua keeps the function as. */
  constructor(
    lua: Interpreter,
    reference: number,
    calls: Calls,
    options: RunOptions,
    nowMs: () => number,
    ended: (broken: boolean, complete: boolean) => void,
  ) {
    this.lua = lua;
    this.calls = calls;
    this.options = options;
    this.nowMs = nowMs;
    this.ended = ended;
    this.endsAtMs = nowMs() + limits.scriptTotalMs;
    const { machine, sandbox } = lua;
    sandbox.reset(options.globals, options.seed);
    ({ thread: this.thread, reference: this.reference } = machine.newThread());
    machine.pushKept(this.thread, reference);
    this.pushArguments();
    machine.watch(this.thread, HOOK_COUNT);
  }

  private pushArguments(): void {
    const { machine, sandbox } = this.lua;
    const { keys, args, globals } = this.options;
    pushList(machine, this.thread, keys);
    if (globals === 'scripts') sandbox.setGlobal(this.thread, 'KEYS');
    pushList(machine, this.thread, args);
    if (globals === 'scripts') sandbox.setGlobal(this.thread, 'ARGV');
  }

  /** It is ended where it is. */
  end(): void {
    this.kill = KILLED;
  }

  /** Throws Suspended, ClientError, and what the View throws. */
  advance(): OperationResult {
    const { machine, sandbox } = this.lua;
    const now = this.nowMs();
    this.sliceEndsMs = now + limits.scriptSliceMs;
    this.stretchEndsMs = now + limits.scriptMs;
    machine.onHook = (thread) => this.onHook(thread);
    machine.onLong = (thread) => this.onLong(thread);
    this.lua.calls = this.calls;
    sandbox.paused = false;
    let isBroken = false;
    let isComplete = true;
    try {
      if (this.kill !== null) this.throwKilled(this.thread);
      const outcome = machine.resume(this.thread, this.firstArguments());
      if (outcome === Outcome.yielded) throw new Suspended(this);
      return this.calls.report.with(outcome === Outcome.ok ? this.result() : this.failure(outcome));
    } catch (thrown) {
      if (thrown instanceof Suspended) throw thrown;
      isBroken = isEndOfLua(thrown);
      isComplete = isBroken || thrown instanceof ClientError;
      if (isBroken)
        throw new ClientError(`ERR Error running script ${this.options.name}, ${(thrown as Error).message}`);
      throw thrown;
    } finally {
      this.lua.calls = null;
      if (!sandbox.paused) {
        if (!isBroken) machine.release(this.reference);
        this.ended(isBroken || machine.memoryBytes > limits.scriptMemoryKeptBytes, isComplete);
      }
    }
  }

  private started = false;

  private firstArguments(): number {
    if (this.started) return 0;
    this.started = true;
    return this.options.globals === 'scripts' ? 0 : 2;
  }

  private onHook(thread: number): void {
    const now = this.nowMs();
    if (this.kill !== null || now > this.endsAtMs) this.throwKilled(thread);
    if (now < this.sliceEndsMs) return;
    const { machine, sandbox } = this.lua;
    if (this.options.pauses && machine.mayYield(thread)) {
      sandbox.paused = true;
      machine.c.lua_yield(thread, 0);
    } else if (now > this.stretchEndsMs) this.throwKilled(thread);
  }

  /** Within a function of ours, which cannot yield. */
  private onLong(thread: number): void {
    if (this.nowMs() > this.stretchEndsMs) this.throwKilled(thread);
  }

  private throwKilled(thread: number): never {
    this.lua.sandbox.paused = false;
    const place = placeOf(this.lua.machine, thread);
    const text = this.kill ?? 'Script was ended as it took too long';
    throw new ClientError(`ERR ${text}${whereText(this.options.name, place)}`);
  }

  private result(): OperationResult {
    const { machine } = this.lua;
    if (machine.c.lua_gettop(this.thread) === 0) return null;
    machine.c.lua_settop(this.thread, 1);
    this.leaveToProxy();
    return takeResult(machine, this.thread, this.calls.resp);
  }

  /** An error of a command that goes out as the script's. */
  private leaveToProxy(): void {
    const text = countedError(this.lua.machine, this.thread);
    if (text !== null) this.calls.statistics.passedOn(text);
  }

  /** The error on top of the thread, which has ended by it. What was written before stays, so it is a result. */
  private failure(outcome: number): OperationResult {
    const { machine } = this.lua;
    const { thread } = this;
    const { name } = this.options;
    if (outcome >= OUT_OF_MEMORY) {
      const text = machine.text(thread, -1) ?? 'execution failure';
      return [Mark.error, Buffer.from(`ERR Error running script ${name}, ${text}`)];
    }
    const place = placeOf(machine, thread);
    this.leaveToProxy();
    return [Mark.error, Buffer.from(errorText(machine, thread) + whereText(name, place))];
  }
}

/** Lua is of no more use after this. */
export function isEndOfLua(thrown: unknown): thrown is Error {
  return thrown instanceof LuaEnded || thrown instanceof RangeError || thrown instanceof WebAssembly.RuntimeError;
}

function pushList(machine: Machine, thread: number, values: readonly Buffer[]): void {
  machine.c.lua_createtable(thread, values.length, 0);
  values.forEach((value, index) => {
    machine.pushBytes(thread, value);
    machine.c.lua_rawseti(thread, -2, index + 1);
  });
}

/** What is on top, as an error's text. */
export function errorText(machine: Machine, thread: number): string {
  const { c } = machine;
  if (c.lua_type(thread, -1) !== LuaType.table) return `ERR ${display(machine, thread)}`;
  machine.rawField(thread, -1, 'err');
  const text = c.lua_isstring(thread, -1) === 0 ? null : machine.bytes(thread, -1);
  machine.pop(thread);
  return text?.toString() ?? '(null)';
}

function whereText(name: string, place: Place | null): string {
  return place === null ? '' : ` script: ${name}, on ${place.source}:${place.line}.`;
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
