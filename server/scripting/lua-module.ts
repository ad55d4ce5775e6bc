/**
 * Lua 5.1 as WebAssembly: the build that the package wasmoon-lua5.1 ships, without that package's JavaScript. What C
 * asks of its surroundings is answered here, and there is nothing: no files, no environment, no clock that tells the
 * time, no other process. Memory grows up to a limit and no further. When Lua throws (`longjmp`), JavaScript throws a
 * number, which the one call that C protects catches; anything else that is thrown passes through all of Lua, so no
 * script can catch it: that is how an operation is begun anew and how a script is killed.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Lua has ended itself (it ran out of memory where that cannot be told, or a bug): the instance is of no more use. */
export class LuaEnded extends Error {
  override readonly name = 'LuaEnded';
}

/** Indexes and pointers are numbers; a lua_State is a pointer. */
export interface LuaExports {
  readonly memory: WebAssembly.Memory;
  readonly __indirect_function_table: WebAssembly.Table;
  __wasm_call_ctors(): void;
  emscripten_stack_init(): void;
  emscripten_stack_get_current(): number;
  emscripten_stack_get_end(): number;
  stackSave(): number;
  stackRestore(pointer: number): void;
  setThrew(threw: number, value: number): void;
  malloc(bytes: number): number;
  free(pointer: number): void;
  luaL_newstate(): number;
  luaL_openlibs(state: number): void;
  luaL_loadbuffer(state: number, text: number, bytes: number, name: number): number;
  luaL_ref(state: number, table: number): number;
  luaL_unref(state: number, table: number, reference: number): void;
  luaL_where(state: number, level: number): void;
  luaL_argerror(state: number, argument: number, message: number): number;
  luaL_typerror(state: number, argument: number, expected: number): number;
  luaL_checknumber(state: number, argument: number): number;
  luaL_checkinteger(state: number, argument: number): number;
  luaL_optinteger(state: number, argument: number, otherwise: number): number;
  luaL_checklstring(state: number, argument: number, length: number): number;
  luaL_checktype(state: number, argument: number, type: number): void;
  luaL_checkany(state: number, argument: number): void;
  luaL_checkstack(state: number, slots: number, message: number): void;
  lua_call(state: number, args: number, results: number): void;
  lua_checkstack(state: number, slots: number): number;
  lua_concat(state: number, values: number): void;
  lua_createtable(state: number, array: number, record: number): void;
  lua_error(state: number): number;
  lua_gc(state: number, what: number, data: number): number;
  lua_getinfo(state: number, what: number, record: number): number;
  lua_getstack(state: number, level: number, record: number): number;
  lua_getmetatable(state: number, index: number): number;
  lua_gettable(state: number, index: number): void;
  lua_gettop(state: number): number;
  lua_insert(state: number, index: number): void;
  lua_iscfunction(state: number, index: number): number;
  lua_isnumber(state: number, index: number): number;
  lua_isstring(state: number, index: number): number;
  lua_newthread(state: number): number;
  lua_next(state: number, index: number): number;
  lua_objlen(state: number, index: number): number;
  lua_pcall(state: number, args: number, results: number, handler: number): number;
  lua_pushboolean(state: number, value: number): void;
  lua_pushcclosure(state: number, run: number, upvalues: number): void;
  lua_pushinteger(state: number, value: number): void;
  lua_pushlightuserdata(state: number, pointer: number): void;
  lua_pushlstring(state: number, text: number, bytes: number): void;
  lua_pushnil(state: number): void;
  lua_pushnumber(state: number, value: number): void;
  lua_pushvalue(state: number, index: number): void;
  lua_rawequal(state: number, a: number, b: number): number;
  lua_rawget(state: number, index: number): void;
  lua_rawgeti(state: number, index: number, n: number): void;
  lua_rawset(state: number, index: number): void;
  lua_rawseti(state: number, index: number, n: number): void;
  lua_remove(state: number, index: number): void;
  lua_replace(state: number, index: number): void;
  lua_resume(state: number, args: number): number;
  lua_sethook(state: number, hook: number, mask: number, count: number): void;
  lua_setmetatable(state: number, index: number): number;
  lua_settop(state: number, index: number): void;
  lua_toboolean(state: number, index: number): number;
  lua_tocfunction(state: number, index: number): number;
  lua_tolstring(state: number, index: number, length: number): number;
  lua_tonumber(state: number, index: number): number;
  lua_topointer(state: number, index: number): number;
  lua_touserdata(state: number, index: number): number;
  lua_type(state: number, index: number): number;
  lua_xmove(from: number, to: number, values: number): void;
  lua_yield(state: number, values: number): number;
}

const PAGE_BYTES = 65_536;
/** C's "not implemented", for every system call. */
const NO_SYSTEM = -52;
/** Below so much of its stack C is not called any deeper: coroutines in coroutines have no limit of their own. */
const STACK_LEFT = 64 * 1024;

let compiled: WebAssembly.Module | null = null;

function moduleOf(): WebAssembly.Module {
  const path = createRequire(import.meta.url).resolve('wasmoon-lua5.1/dist/liblua5.1.wasm');
  compiled ??= new WebAssembly.Module(readFileSync(path));
  return compiled;
}

/** A Lua of its own, with memory of its own. */
export function instantiateLua(memoryBytes: number): LuaExports {
  const ends = (): never => {
    throw new LuaEnded('Lua has ended itself');
  };
  const refuses = (): number => NO_SYSTEM;
  const nothing = (): number => 0;
  let lua: LuaExports | null = null;
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {
    env: {
      exit: ends,
      invoke_vii: (run: number, a: number, b: number): void => {
        const c = lua!;
        const pointer = c.stackSave();
        if (pointer - c.emscripten_stack_get_end() < STACK_LEFT) throw new LuaEnded('stack overflow');
        try {
          (c.__indirect_function_table.get(run) as (a: number, b: number) => void)(a, b);
        } catch (thrown) {
          if (typeof thrown !== 'number') throw thrown;
          c.stackRestore(pointer);
          c.setThrew(1, 0);
        }
      },
      _emscripten_throw_longjmp: (): never => {
        // a number, so that no stack is traced: errors are a usual thing in Lua
        throw Infinity;
      },
      emscripten_memcpy_js: (to: number, from: number, bytes: number): void => {
        new Uint8Array(lua!.memory.buffer).copyWithin(to, from, from + bytes);
      },
      emscripten_resize_heap: (wanted: number): number => {
        const { memory } = lua!;
        const bytes = wanted >>> 0;
        if (bytes > memoryBytes) return 0;
        const larger = Math.min(memoryBytes, Math.max(bytes, Math.floor(memory.buffer.byteLength * 1.25)));
        memory.grow(Math.ceil((larger - memory.buffer.byteLength) / PAGE_BYTES));
        return 1;
      },
      emscripten_date_now: nothing,
      _emscripten_get_now_is_monotonic: nothing,
      strftime: nothing,
      _tzset_js: nothing,
      _mktime_js: nothing,
      _localtime_js: nothing,
      _gmtime_js: nothing,
      _emscripten_system: refuses,
      __syscall_openat: refuses,
      __syscall_fcntl64: refuses,
      __syscall_ioctl: refuses,
      __syscall_dup3: refuses,
      __syscall_unlinkat: refuses,
      __syscall_rmdir: refuses,
      __syscall_renameat: refuses,
      __syscall_readlinkat: refuses,
    },
    wasi_snapshot_preview1: {
      fd_write: refuses,
      fd_read: refuses,
      fd_close: refuses,
      fd_seek: refuses,
      environ_sizes_get: nothing,
      environ_get: nothing,
    },
  };
  lua = new WebAssembly.Instance(moduleOf(), imports).exports as unknown as LuaExports;
  lua.emscripten_stack_init();
  lua.__wasm_call_ctors();
  return lua;
}

const I32 = 0x7f;

/** A function of C's that calls `run` with pointers, as an index into Lua's table of functions. */
export function functionPointer(
  lua: LuaExports,
  run: (...args: number[]) => number | undefined,
  args: number,
  returns: boolean,
): number {
  const type = [0x60, args, ...Array.from({ length: args }, () => I32), ...(returns ? [1, I32] : [0])];
  const sections = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    [0x01, type.length + 1, 0x01, ...type],
    // import "e" "f", a function of type 0; export it as "f"
    [0x02, 0x07, 0x01, 0x01, 0x65, 0x01, 0x66, 0x00, 0x00],
    [0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00],
  ];
  const bytes = Uint8Array.from(sections.flat());
  const wrapper = new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: { f: run } });
  const at = lua.__indirect_function_table.grow(1);
  lua.__indirect_function_table.set(at, wrapper.exports['f']);
  return at;
}
