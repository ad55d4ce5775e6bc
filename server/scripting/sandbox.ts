/** The functions of Lua's own libraries that scripts get in another form, and the prelude that puts them in place. */
import { invariant } from '../../shared/errors.js';
import { GLOBALS, LuaType, type Library, type LuaFunction, type Machine } from './machine.js';
import { PRELUDE } from './prelude.js';
import { patternLibrary } from './pattern-library.js';
import { formatFunction, toNumberFunction } from './wide-integers.js';

export interface Libraries {
  readonly redis: Library;
  /** Of EVAL only. */
  readonly evaluating: Library;
  /** While a library of functions is loaded. */
  readonly loading: Library;
  /** Tables by name: cjson and so on; made by functions that push them. */
  readonly tables: Readonly<Record<string, (thread: number) => void>>;
}

/** What global names mean: to EVAL, to a function, while a library is loaded. */
export type Globals = 'scripts' | 'functions' | 'loading';

const READONLY = 'Attempt to modify a readonly table';
const BYTECODE = 27;
const ALL_RESULTS = -1;
const PRELUDE_NAME = '=redis';
/** Redis's own random numbers: drand48's. */
const SEED_LOW = 0x330e;
const FACTOR = 0x5deece66dn;
const MASK_48 = (1n << 48n) - 1n;
const RANDOM_MAX = 0x7fffffff;

export class Sandbox {
  private readonly machine: Machine;
  private readonly guard: number;
  private readonly globals: Readonly<Record<Globals, number>>;
  private readonly behind: number;
  private readonly next: number;
  private readonly resetPrelude: number;
  private random = 0n;
  /** A yield is a pause of the whole script. */
  paused = false;

  constructor(machine: Machine, libraries: Libraries) {
    this.machine = machine;
    const { c, main } = machine;
    this.pushNative('next');
    this.next = machine.keep(main);
    const toNumber = toNumberFunction(machine, this.takeNative('tonumber'));
    const format = formatFunction(machine, this.takeNative('string', 'format'));
    const patterns = patternLibrary(
      machine,
      {
        find: this.takeNative('string', 'find'),
        match: this.takeNative('string', 'match'),
        gmatch: this.takeNative('string', 'gmatch'),
        gsub: this.takeNative('string', 'gsub'),
      },
      (thread) => machine.onLong(thread),
    );
    invariant(machine.load(main, Buffer.from(PRELUDE, 'latin1'), PRELUDE_NAME), 'the prelude is Lua');
    this.pushHost(libraries, { tonumber: toNumber, format, ...patterns });
    const status = c.lua_pcall(main, 1, 7, 0);
    invariant(status === 0, `the prelude runs: ${status === 0 ? '' : String(machine.text(main, -1))}`);
    this.resetPrelude = machine.keep(main);
    this.behind = machine.keep(main);
    const loading = machine.keep(main);
    const functions = machine.keep(main);
    this.globals = { scripts: machine.keep(main), functions, loading };
    this.guard = machine.keep(main);
    c.lua_replace(main, GLOBALS);
  }

  private takeNative(...path: readonly string[]): LuaFunction {
    this.pushNative(...path);
    return this.machine.takeNative(this.machine.main);
  }

  /** Pushes a function of Lua's own, by the names that lead to it. */
  private pushNative(...path: readonly string[]): void {
    const { machine } = this;
    const { c, main } = machine;
    c.lua_pushvalue(main, GLOBALS);
    for (const name of path) {
      machine.rawField(main, -1, name);
      c.lua_remove(main, -2);
    }
  }

  static isPrelude(source: string): boolean {
    return source === PRELUDE_NAME;
  }

  /** Before every run: whatever the last one left behind. `seed`: of the random numbers, 32 bits. */
  reset(globals: Globals, seed: number): void {
    const { machine } = this;
    const { c, main } = machine;
    this.paused = false;
    this.seedRandom(seed);
    c.lua_gc(main, 1, 0);
    machine.pushKept(main, this.resetPrelude);
    c.lua_pcall(main, 0, 0, 0);
    machine.pushKept(main, this.guard);
    machine.pushKept(main, this.globals[globals]);
    machine.setField(main, -2, '__index');
    machine.pop(main);
  }

  /** Pops a value from a thread into a global variable of scripts. */
  setGlobal(thread: number, name: string): void {
    const { machine } = this;
    machine.pushKept(thread, this.globals.scripts);
    machine.c.lua_insert(thread, -2);
    machine.setField(thread, -2, name);
    machine.pop(thread);
  }

  private pushHost({ redis, evaluating, loading, tables }: Libraries, instead: Library): void {
    const { machine } = this;
    const { c, main } = machine;
    machine.pushLibrary(main, {
      ...instead,
      paused: (thread) => {
        c.lua_pushboolean(thread, this.paused ? 1 : 0);
        return 1;
      },
      mayyield: (thread) => {
        const may = machine.mayYield(thread);
        if (!may) this.paused = false;
        c.lua_pushboolean(thread, may ? 1 : 0);
        return 1;
      },
      native: (thread) => {
        c.lua_pushboolean(thread, c.lua_iscfunction(thread, 1));
        return 1;
      },
      // what native functions say of their arguments is without a name then, as when pcall calls them
      apply: (thread) => {
        c.lua_call(thread, c.lua_gettop(thread) - 1, ALL_RESULTS);
        return c.lua_gettop(thread);
      },
      loadstring: (thread) => this.loadString(thread),
      pairs: (thread) => this.pairs(thread),
      rawset: (thread) => this.rawSet(thread),
      rawget: (thread) => this.rawGet(thread),
      setmetatable: (thread) => this.setMetatable(thread),
      random: (thread) => this.drawRandom(thread),
      randomseed: (thread) => {
        this.seedRandom(c.luaL_checkinteger(thread, 1));
        return 0;
      },
    });
    for (const [name, library] of Object.entries({ redis, evaluating, loading })) {
      machine.pushLibrary(main, library);
      machine.setField(main, -2, name);
    }
    c.lua_createtable(main, 0, 0);
    for (const [name, push] of Object.entries(tables)) {
      push(main);
      machine.setField(main, -2, name);
    }
    machine.setField(main, -2, 'libraries');
  }

  /** Pushes the table behind the read-only one at `index`; false, and nothing is pushed: it is an ordinary table. */
  private pushBehind(thread: number, index: number): boolean {
    const { c } = this.machine;
    this.machine.pushKept(thread, this.behind);
    c.lua_pushvalue(thread, index);
    c.lua_rawget(thread, -2);
    c.lua_remove(thread, -2);
    if (c.lua_type(thread, -1) === LuaType.table) return true;
    this.machine.pop(thread);
    return false;
  }

  private pairs(thread: number): number {
    const { c } = this.machine;
    c.luaL_checktype(thread, 1, LuaType.table);
    this.machine.pushKept(thread, this.next);
    if (!this.pushBehind(thread, 1)) c.lua_pushvalue(thread, 1);
    c.lua_pushnil(thread);
    return 3;
  }

  private rawGet(thread: number): number {
    const { c } = this.machine;
    c.luaL_checktype(thread, 1, LuaType.table);
    c.luaL_checkany(thread, 2);
    c.lua_settop(thread, 2);
    if (this.pushBehind(thread, 1)) c.lua_insert(thread, 2);
    c.lua_rawget(thread, -2);
    return 1;
  }

  private rawSet(thread: number): number {
    const { c } = this.machine;
    c.luaL_checktype(thread, 1, LuaType.table);
    c.luaL_checkany(thread, 2);
    c.luaL_checkany(thread, 3);
    c.lua_settop(thread, 3);
    if (this.pushBehind(thread, 1)) this.refuse(thread);
    c.lua_rawset(thread, 1);
    return 1;
  }

  /** Lua says so itself in Redis: without the place. */
  private refuse(thread: number): never {
    this.machine.pushText(thread, READONLY);
    return this.machine.raiseValue(thread);
  }

  private setMetatable(thread: number): number {
    const { machine } = this;
    const { c } = machine;
    c.luaL_checktype(thread, 1, LuaType.table);
    const type = c.lua_type(thread, 2);
    if (type !== LuaType.nil && type !== LuaType.table) machine.raiseArgument(thread, 2, 'nil or table expected');
    if (this.pushBehind(thread, 1)) this.refuse(thread);
    if (c.lua_getmetatable(thread, 1) !== 0) {
      machine.rawField(thread, -1, '__metatable');
      if (c.lua_type(thread, -1) !== LuaType.nil) machine.raise(thread, 'cannot change a protected metatable');
    }
    c.lua_settop(thread, 2);
    c.lua_setmetatable(thread, 1);
    return 1;
  }

  /** Compiled code could do anything to Lua: there is no such thing here, as in Redis. */
  private loadString(thread: number): number {
    const { machine } = this;
    const { c } = machine;
    const code = machine.checkBytes(thread, 1);
    const name = c.lua_type(thread, 2) <= LuaType.nil ? code.latin1Slice() : (machine.text(thread, 2) ?? '?');
    if (code[0] === BYTECODE) machine.pushText(thread, `${name}: compiled code cannot be loaded`);
    else if (machine.load(thread, code, name)) return 1;
    c.lua_pushnil(thread);
    c.lua_insert(thread, -2);
    return 2;
  }

  private seedRandom(seed: number): void {
    this.random = (BigInt(seed >>> 0) << 16n) | BigInt(SEED_LOW);
  }

  private drawRandom(thread: number): number {
    const { machine } = this;
    const { c } = machine;
    this.random = (this.random * FACTOR + 0xbn) & MASK_48;
    const drawn = Number(this.random >> 17n) % RANDOM_MAX;
    const uniform = drawn / RANDOM_MAX;
    const count = c.lua_gettop(thread);
    if (count === 0) c.lua_pushnumber(thread, uniform);
    else if (count === 1) {
      const to = c.luaL_checkinteger(thread, 1);
      if (to < 1) machine.raiseArgument(thread, 1, 'interval is empty');
      c.lua_pushnumber(thread, Math.floor(uniform * to) + 1);
    } else if (count === 2) {
      const from = c.luaL_checkinteger(thread, 1);
      const to = c.luaL_checkinteger(thread, 2);
      if (from > to) machine.raiseArgument(thread, 2, 'interval is empty');
      c.lua_pushnumber(thread, Math.floor(uniform * (to - from + 1)) + from);
    } else machine.raise(thread, 'wrong number of arguments');
    return 1;
  }
}
