/** `redis.register_function`, which a library of functions calls while it is loaded. Texts are Redis 7.0's. */
import { LuaType, type Library, type Machine } from './machine.js';
import { pushError } from './replies.js';
import { FLAGS } from '../../shared/commands/shebang.js';

export interface RegisteredFunction {
  readonly name: string;
  readonly description: Buffer | null;
  readonly flags: readonly string[];
  /** What Lua keeps it as. */
  readonly reference: number;
}

/** A library being loaded. */
export interface Registering {
  /** By name in lower case. */
  readonly functions: Map<string, RegisteredFunction>;
}

interface Around {
  readonly machine: Machine;
  readonly registering: Registering | null;
}

const NAME = /^\w{1,}$/;
export const NAME_RULE =
  'Library names can only contain letters, numbers, or underscores(_) and must be at least one character long';

export const isName = (name: string): boolean => NAME.test(name);

function raise(machine: Machine, thread: number, text: string): never {
  pushError(machine, thread, `ERR ${text}`);
  return machine.raiseValue(thread);
}

export function registerLibrary(around: Around): Library {
  const { machine } = around;
  const { c } = machine;

  /** The strings of the table on top. */
  const flagsOnTop = (thread: number): string[] => {
    const flags: string[] = [];
    for (let i = 1; ; i++) {
      c.lua_rawgeti(thread, -1, i);
      const type = c.lua_type(thread, -1);
      if (type === LuaType.nil) break;
      const flag = type === LuaType.string ? machine.text(thread, -1)! : '';
      if (!FLAGS.some((known) => known === flag)) raise(machine, thread, 'unknown flag given');
      flags.push(flag);
      machine.pop(thread);
    }
    machine.pop(thread);
    return flags;
  };

  const named = (thread: number): RegisteredFunction => {
    if (c.lua_type(thread, 1) !== LuaType.table)
      raise(
        machine,
        thread,
        'calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).',
      );
    let name: string | null = null;
    let description: Buffer | null = null;
    let reference = 0;
    let flags: readonly string[] = [];
    c.lua_pushnil(thread);
    while (c.lua_next(thread, 1) !== 0) {
      const keyType = c.lua_type(thread, -2);
      if (keyType !== LuaType.string && keyType !== LuaType.number)
        raise(machine, thread, 'named argument key given to redis.register_function is not a string');
      const key = keyType === LuaType.string ? machine.text(thread, -2)!.toLowerCase() : '';
      const type = c.lua_type(thread, -1);
      if (key === 'function_name') {
        if (c.lua_isstring(thread, -1) === 0)
          raise(machine, thread, 'function_name argument given to redis.register_function must be a string');
        name = machine.text(thread, -1)!;
      } else if (key === 'description') {
        if (c.lua_isstring(thread, -1) === 0)
          raise(machine, thread, 'description argument given to redis.register_function must be a string');
        description = machine.bytes(thread, -1)!;
      } else if (key === 'callback') {
        if (type !== LuaType.function)
          raise(machine, thread, 'callback argument given to redis.register_function must be a function');
        c.lua_pushvalue(thread, -1);
        reference = machine.keep(thread);
      } else if (key === 'flags') {
        if (type !== LuaType.table)
          raise(
            machine,
            thread,
            'flags argument to redis.register_function must be a table representing function flags',
          );
        flags = flagsOnTop(thread);
      } else raise(machine, thread, 'unknown argument given to redis.register_function');
      machine.pop(thread);
    }
    if (name === null) raise(machine, thread, 'redis.register_function must get a function name argument');
    if (reference === 0) raise(machine, thread, 'redis.register_function must get a callback argument');
    return { name, description, flags, reference };
  };

  const positional = (thread: number): RegisteredFunction => {
    if (c.lua_isstring(thread, 1) === 0)
      raise(machine, thread, 'first argument to redis.register_function must be a string');
    const name = machine.text(thread, 1)!;
    if (c.lua_type(thread, 2) !== LuaType.function)
      raise(machine, thread, 'second argument to redis.register_function must be a function');
    c.lua_settop(thread, 2);
    return { name, description: null, flags: [], reference: machine.keep(thread) };
  };

  return {
    register_function: (thread) => {
      const { registering } = around;
      if (registering === null)
        return raise(machine, thread, 'redis.register_function can only be called on FUNCTION LOAD command');
      const count = c.lua_gettop(thread);
      if (count < 1 || count > 2) raise(machine, thread, 'wrong number of arguments to redis.register_function');
      const made = count === 1 ? named(thread) : positional(thread);
      if (!isName(made.name)) raise(machine, thread, NAME_RULE);
      const key = made.name.toLowerCase();
      if (registering.functions.has(key)) raise(machine, thread, 'Function already exists in the library');
      registering.functions.set(key, made);
      return 0;
    },
  };
}
