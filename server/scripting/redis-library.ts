/** The table `redis` that scripts see: arguments, error texts and results as Redis 7.0's. */
import { ErrorReply } from '../../shared/commands/reply.js';
import { formatDouble } from '../../shared/doubles.js';
import type { Calls } from './calls.js';
import { commandOf } from '../../shared/commands/command-line.js';
import { shaOf } from '../../shared/commands/scripting.js';
import { LuaType, type Library, type LuaFunction, type Machine } from './machine.js';
import { pushError, pushReply } from './replies.js';

const LOG_LEVELS = { LOG_DEBUG: 0, LOG_VERBOSE: 1, LOG_NOTICE: 2, LOG_WARNING: 3 } as const;
const REPLICATION = { REPL_NONE: 0, REPL_AOF: 1, REPL_SLAVE: 2, REPL_REPLICA: 2, REPL_ALL: 3 } as const;
const VERSION = { REDIS_VERSION: '7.0.15', REDIS_VERSION_NUM: 0x0007000f } as const;

/** What the functions need of the run under way. */
export interface Surroundings {
  readonly machine: Machine;
  /** Null: no script runs (a library of functions is loaded). */
  readonly calls: Calls | null;
  log(level: number, text: string): void;
}

/** Text without a code gets ERR. */
function raise(machine: Machine, thread: number, text: string): never {
  pushError(machine, thread, `ERR ${text}`);
  return machine.raiseValue(thread);
}

/** The arguments of a call; null, with an error pushed: they are none. */
function takeArguments(machine: Machine, thread: number): Buffer[] | null {
  const { c } = machine;
  const count = c.lua_gettop(thread);
  if (count === 0) {
    pushError(machine, thread, 'ERR Please specify at least one argument for this redis lib call');
    return null;
  }
  const args: Buffer[] = [];
  for (let index = 1; index <= count; index++) {
    const type = c.lua_type(thread, index);
    // with all its digits, which Lua's own text of a number has not
    if (type === LuaType.number) args.push(Buffer.from(formatDouble(c.lua_tonumber(thread, index))));
    else if (type === LuaType.string) args.push(machine.bytes(thread, index)!);
    else {
      pushError(machine, thread, 'ERR Lua redis lib command arguments must be strings or integers');
      return null;
    }
  }
  c.lua_settop(thread, 0);
  return args;
}

export function redisLibrary(around: Surroundings): Library {
  const { machine } = around;
  const { c } = machine;

  const during = (thread: number, name: string): Calls => {
    const { calls } = around;
    return calls ?? raise(machine, thread, `${name} can only be called inside a script invocation`);
  };

  const call =
    (raises: boolean): LuaFunction =>
    (thread) => {
      const calls = during(thread, 'redis.call/pcall');
      const argv = takeArguments(machine, thread);
      if (argv === null) return raises ? machine.raiseValue(thread) : 1;
      const reply = calls.call(argv);
      pushReply(machine, thread, reply, calls.resp);
      return raises && reply instanceof ErrorReply ? machine.raiseValue(thread) : 1;
    };

  const singleField =
    (wrap: (text: Buffer) => void): LuaFunction =>
    (thread) => {
      if (c.lua_gettop(thread) !== 1 || c.lua_type(thread, -1) !== LuaType.string)
        pushError(machine, thread, 'ERR wrong number or type of arguments');
      else wrap(machine.bytes(thread, -1)!);
      return 1;
    };

  return {
    call: call(true),
    pcall: call(false),
    sha1hex: (thread) => {
      if (c.lua_gettop(thread) !== 1) raise(machine, thread, 'wrong number of arguments');
      const text = machine.bytes(thread, 1) ?? Buffer.alloc(0);
      machine.pushText(thread, shaOf(text));
      return 1;
    },
    error_reply: (thread) =>
      singleField((given) => {
        const text = given.toString();
        pushError(machine, thread, errorText(text.startsWith('-') ? text.slice(1) : text));
      })(thread),
    status_reply: (thread) =>
      singleField((text) => {
        c.lua_createtable(thread, 0, 1);
        machine.pushBytes(thread, text);
        machine.setField(thread, -2, 'ok');
      })(thread),
    setresp: (thread) => {
      const calls = during(thread, 'redis.setresp');
      if (c.lua_gettop(thread) !== 1) raise(machine, thread, 'redis.setresp() requires one argument.');
      const resp = Math.trunc(c.lua_tonumber(thread, 1));
      if (resp !== 2 && resp !== 3) raise(machine, thread, 'RESP version must be 2 or 3.');
      calls.setResp(resp);
      return 0;
    },
    set_repl: (thread) => {
      during(thread, 'redis.set_repl');
      if (c.lua_gettop(thread) !== 1) raise(machine, thread, 'redis.set_repl() requires two arguments.');
      if ((Math.trunc(c.lua_tonumber(thread, 1)) & ~REPLICATION.REPL_ALL) !== 0)
        raise(machine, thread, 'Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.');
      return 0;
    },
    acl_check_cmd: (thread) => {
      const calls = during(thread, 'redis.acl_check_cmd');
      const argv = takeArguments(machine, thread);
      if (argv === null) return machine.raiseValue(thread);
      if (commandOf(argv) === null) raise(machine, thread, 'Invalid command passed to redis.acl_check_cmd()');
      c.lua_pushboolean(thread, calls.mayCall(argv) ? 1 : 0);
      return 1;
    },
    ...REPLICATION,
    ...logLibrary(around),
  };
}

/** With a code: the word up to the first space, or ERR where there is only one word. */
function errorText(text: string): string {
  return text.includes(' ') ? text : `ERR ${text}`;
}

/** What is there, too, while a library of functions is loaded. */
export function logLibrary(around: Surroundings): Library {
  const { machine } = around;
  const { c } = machine;
  return {
    log: (thread) => {
      const count = c.lua_gettop(thread);
      if (count < 2) raise(machine, thread, 'redis.log() requires two arguments or more.');
      if (c.lua_isnumber(thread, 1) === 0) raise(machine, thread, 'First argument must be a number (log level).');
      const level = Math.trunc(c.lua_tonumber(thread, 1));
      if (level < LOG_LEVELS.LOG_DEBUG || level > LOG_LEVELS.LOG_WARNING)
        raise(machine, thread, 'Invalid debug level.');
      const words: string[] = [];
      for (let index = 2; index <= count; index++) {
        const bytes = machine.bytes(thread, index);
        if (bytes !== null) words.push(bytes.toString());
      }
      around.log(level, words.join(' '));
      return 0;
    },
    ...LOG_LEVELS,
    ...VERSION,
  };
}

/** Of EVAL only. */
export function evaluatingLibrary({ machine }: Surroundings): Library {
  const { c } = machine;
  const answers =
    (value: number): LuaFunction =>
    (thread) => {
      c.lua_pushboolean(thread, value);
      return 1;
    };
  // there is no debugger
  return { breakpoint: answers(0), debug: () => 0, replicate_commands: answers(1) };
}
