/**
 * One Lua 5.1 with a memory of its own, as JavaScript uses it: strings are bytes, functions of JavaScript are functions
 * of C, and what C would print or exit with is thrown. Lua's stack is used as in C: indexes, from 1 or from the top (-1).
 */
import { invariant } from '../../shared/errors.js';
import { functionPointer, instantiateLua, type LuaExports } from './lua-module.js';

export const LuaType = {
  nil: 0,
  boolean: 1,
  lightUserdata: 2,
  number: 3,
  string: 4,
  table: 5,
  function: 6,
  userdata: 7,
  thread: 8,
} as const;

export const Outcome = { ok: 0, yielded: 1 } as const;

export const REGISTRY = -10_000;
export const GLOBALS = -10_002;
const HOOK_COUNT = 8;
const SCRATCH_BYTES = 64 * 1024;
/** Of a lua_Debug: its size, and where in it are what the function is, its source, and the line. */
const RECORD = { bytes: 100, what: 12, source: 16, line: 20 } as const;
/** Of a lua_State, in 16 bits each: how many calls of C are under way, and how many were when it was resumed. */
const CALLS_AT = 52;
const BASE_CALLS_AT = 54;

/** Gets the calling thread; its arguments are on that thread's stack, and so are its results, as many as it returns. */
export type LuaFunction = (thread: number) => number;

/** Functions and constants of a table that scripts see. */
export type Library = Readonly<Record<string, LuaFunction | number | string>>;

/** Where in Lua code something is. */
export interface Place {
  /** As it was loaded: `@user_script`. */
  readonly source: string;
  readonly line: number;
  readonly native: boolean;
}

export class Machine {
  readonly c: LuaExports;
  /** The main thread. */
  readonly main: number;
  private readonly functions: LuaFunction[] = [];
  private readonly dispatch: number;
  private readonly hook: number;
  private readonly names = new Map<string, number>();
  private heap: Buffer;
  private scratch = 0;
  private scratchBytes = 0;
  private readonly record: number;
  /** Called every so many instructions of a thread that is watched. */
  onHook: (thread: number) => void = () => {};
  /** Called every now and then by functions of ours that take long: it ends the script, or returns. */
  onLong: (thread: number) => void = () => {};

  constructor(memoryBytes: number) {
    this.c = instantiateLua(memoryBytes);
    this.heap = Buffer.from(this.c.memory.buffer);
    this.dispatch = functionPointer(this.c, (thread) => this.called(thread as number), 1, true);
    this.hook = functionPointer(
      this.c,
      (thread) => {
        this.onHook(thread as number);
        return undefined;
      },
      2,
      false,
    );
    this.main = this.c.luaL_newstate();
    this.c.luaL_openlibs(this.main);
    this.record = this.c.malloc(RECORD.bytes);
    this.reserve(SCRATCH_BYTES);
  }

  /** Of all that this Lua ever needed at once. */
  get memoryBytes(): number {
    return this.c.memory.buffer.byteLength;
  }

  private called(thread: number): number {
    const id = this.c.lua_tonumber(thread, GLOBALS - 1);
    return this.functions[id]!(thread);
  }

  private view(): Buffer {
    if (this.heap.buffer !== this.c.memory.buffer) this.heap = Buffer.from(this.c.memory.buffer);
    return this.heap;
  }

  private reserve(bytes: number): number {
    if (bytes <= this.scratchBytes) return this.scratch;
    if (this.scratch !== 0) this.c.free(this.scratch);
    this.scratch = this.c.malloc(bytes);
    this.scratchBytes = this.scratch === 0 ? 0 : bytes;
    return this.scratch;
  }

  // ---- values ------------------------------------------------------------------------------------

  pushFunction(thread: number, run: LuaFunction): void {
    this.pushClosure(thread, this.register(run), 0);
  }

  /** A function of which many may be pushed: its number. */
  register(run: LuaFunction): number {
    return this.functions.push(run) - 1;
  }

  /** Pops values, which the function that is pushed has as its own: behind the first upvalue, which is ours. */
  pushClosure(thread: number, registered: number, values: number): void {
    this.c.lua_pushnumber(thread, registered);
    if (values > 0) this.c.lua_insert(thread, -values - 1);
    this.c.lua_pushcclosure(thread, this.dispatch, values + 1);
  }

  /** Pops a function of C's; what it says of its arguments is said of the function that calls it. */
  takeNative(thread: number): LuaFunction {
    const run = this.c.__indirect_function_table.get(this.c.lua_tocfunction(thread, -1)) as LuaFunction;
    this.pop(thread);
    return run;
  }

  pushBytes(thread: number, bytes: Buffer): void {
    const at = this.reserve(bytes.length);
    if (at === 0) this.raise(thread, 'not enough memory');
    this.view().set(bytes, at);
    this.c.lua_pushlstring(thread, at, bytes.length);
    if (this.scratchBytes > 16 * SCRATCH_BYTES) {
      this.c.free(this.scratch);
      this.scratch = 0;
      this.scratchBytes = 0;
      this.reserve(SCRATCH_BYTES);
    }
  }

  /** Text of ours: ASCII, or bytes as latin1. */
  pushText(thread: number, text: string): void {
    const at = text.length <= SCRATCH_BYTES ? this.scratch : 0;
    if (at === 0) return this.pushBytes(thread, Buffer.from(text, 'latin1'));
    this.view().latin1Write(text, at);
    this.c.lua_pushlstring(thread, at, text.length);
  }

  /** Text of ours that is used again and again, for C: a name, a message. */
  name(name: string): number {
    let at = this.names.get(name);
    if (at === undefined) {
      at = this.c.malloc(name.length + 1);
      invariant(at !== 0, 'Lua has memory for the names of its fields');
      this.view().latin1Write(`${name}\0`, at);
      this.names.set(name, at);
    }
    return at;
  }

  pushName(thread: number, name: string): void {
    this.c.lua_pushlstring(thread, this.name(name), name.length);
  }

  /** Pushes a field of the table at `index`, without asking its metatable. */
  rawField(thread: number, index: number, name: string): void {
    this.pushName(thread, name);
    this.c.lua_rawget(thread, index < 0 && index > REGISTRY ? index - 1 : index);
  }

  /** Pops a value into a field of the table at `index`. */
  setField(thread: number, index: number, name: string): void {
    this.pushName(thread, name);
    this.c.lua_insert(thread, -2);
    this.c.lua_rawset(thread, index < 0 && index > REGISTRY ? index - 1 : index);
  }

  /** Pushes a table of them. */
  pushLibrary(thread: number, library: Library): void {
    this.c.lua_createtable(thread, 0, Object.keys(library).length);
    for (const [name, value] of Object.entries(library)) {
      if (typeof value === 'function') this.pushFunction(thread, value);
      else if (typeof value === 'number') this.c.lua_pushnumber(thread, value);
      else this.pushText(thread, value);
      this.setField(thread, -2, name);
    }
  }

  /** A string's bytes, copied; of a number its text. A number becomes a string by this. Null: it is neither. */
  bytes(thread: number, index: number): Buffer | null {
    const length = this.record;
    const at = this.c.lua_tolstring(thread, index, length);
    if (at === 0) return null;
    const heap = this.view();
    return Buffer.from(heap.subarray(at, at + heap.readUInt32LE(length)));
  }

  /** The same in latin1. */
  text(thread: number, index: number): string | null {
    const length = this.record;
    const at = this.c.lua_tolstring(thread, index, length);
    if (at === 0) return null;
    const heap = this.view();
    return heap.latin1Slice(at, at + heap.readUInt32LE(length));
  }

  /** A string argument of a function; anything else is the script's error. */
  checkBytes(thread: number, argument: number): Buffer {
    this.c.luaL_checklstring(thread, argument, 0);
    return this.bytes(thread, argument)!;
  }

  typeName(type: number): string {
    return (
      ['nil', 'boolean', 'userdata', 'number', 'string', 'table', 'function', 'userdata', 'thread'][type] ?? 'no value'
    );
  }

  pop(thread: number, count = 1): void {
    this.c.lua_settop(thread, -count - 1);
  }

  /** Keeps the value on top, popping it. */
  keep(thread: number): number {
    return this.c.luaL_ref(thread, REGISTRY);
  }

  pushKept(thread: number, reference: number): void {
    this.c.lua_rawgeti(thread, REGISTRY, reference);
  }

  release(reference: number): void {
    this.c.luaL_unref(this.main, REGISTRY, reference);
  }

  // ---- errors ------------------------------------------------------------------------------------

  /** Raises an error of Lua, with the place where the calling function was called before the text. */
  raise(thread: number, text: string): never {
    this.c.luaL_where(thread, 1);
    this.pushText(thread, text);
    this.c.lua_concat(thread, 2);
    return this.raiseValue(thread);
  }

  /** Raises what is on top. */
  raiseValue(thread: number): never {
    this.c.lua_error(thread);
    throw new Error('lua_error does not return');
  }

  raiseType(thread: number, argument: number, expected: string): never {
    this.c.luaL_typerror(thread, argument, this.name(expected));
    throw new Error('luaL_typerror does not return');
  }

  raiseArgument(thread: number, argument: number, text: string): never {
    // it may hold what the script said: a copy on Lua's stack, which goes when the error is caught
    this.pushText(thread, `${text}\0`);
    this.c.luaL_argerror(thread, argument, this.c.lua_tolstring(thread, -1, 0));
    throw new Error('luaL_argerror does not return');
  }

  /** The function at a level of a thread's calls, 0 being the innermost; null: there are not so many. */
  place(thread: number, level: number): Place | null {
    if (this.c.lua_getstack(thread, level, this.record) === 0) return null;
    this.c.lua_getinfo(thread, this.name('Sl'), this.record);
    const heap = this.view();
    return {
      source: this.text0(heap.readUInt32LE(this.record + RECORD.source)),
      line: heap.readInt32LE(this.record + RECORD.line),
      native: this.text0(heap.readUInt32LE(this.record + RECORD.what)) === 'C',
    };
  }

  private text0(at: number): string {
    const heap = this.view();
    return heap.latin1Slice(at, heap.indexOf(0, at));
  }

  // ---- running -----------------------------------------------------------------------------------

  /** Pushes a function, or the text of what is wrong with the code: false. `name` is in latin1. */
  load(thread: number, code: Buffer, name: string): boolean {
    const at = this.c.malloc(code.length + name.length + 1);
    if (at === 0) {
      this.pushText(thread, 'not enough memory');
      return false;
    }
    const heap = this.view();
    heap.set(code, at);
    heap.latin1Write(`${name}\0`, at + code.length);
    const status = this.c.luaL_loadbuffer(thread, at, code.length, at + code.length);
    this.c.free(at);
    return status === 0;
  }

  /** A thread to run something in; whatever becomes of it, the others are as they were. Kept until it is released. */
  newThread(): { readonly thread: number; readonly reference: number } {
    const thread = this.c.lua_newthread(this.main);
    return { thread, reference: this.keep(this.main) };
  }

  /** From now on `onHook` is called every `count` instructions, also of threads that this one makes. */
  watch(thread: number, count: number): void {
    this.c.lua_sethook(thread, this.hook, HOOK_COUNT, count);
  }

  /** Starts the function below its arguments, or goes on after a yield. What JavaScript throws passes through. */
  resume(thread: number, args: number): number {
    const pointer = this.c.stackSave();
    try {
      return this.c.lua_resume(thread, args);
    } finally {
      this.c.stackRestore(pointer);
    }
  }

  /** Whether a hook of this thread may yield: no function of C waits for Lua to come back. */
  mayYield(thread: number): boolean {
    const heap = this.view();
    return heap.readUInt16LE(thread + CALLS_AT) <= heap.readUInt16LE(thread + BASE_CALLS_AT);
  }
}
