/** Replies of commands as values of Lua, and values of Lua as replies: the two tables of Redis's documentation. */
import {
  AttributedReply,
  BigNumberReply,
  DoubleReply,
  ErrorReply,
  MapReply,
  NullArrayReply,
  PushReply,
  type Reply,
  SetReply,
  SimpleString,
  VerbatimReply,
} from '../../shared/commands/reply.js';
import { formatDouble } from '../../shared/doubles.js';
import { limits } from '../../shared/limits.js';
import type { OperationResult } from '../../shared/operations/operation.js';
import { Mark } from '../../shared/operations/scripts.js';
import { LuaType, type Machine } from './machine.js';

const INT64_MIN = -(2n ** 63n);
const SLOTS_MIN = 4;
const CODE = /^[^ ]+ /;

/** The text of an error as scripts see it: with a code before it. */
export function withCode(text: string): string {
  return CODE.test(text) ? text : `ERR ${text}`;
}

/** Says in the table of an error, as in Redis, that it has been counted when its command failed. */
const COUNTED = 'ignore_error_stats_update';

/** Pushes `{err = text}`. `counted`: its command has been counted as failed already. */
export function pushError(machine: Machine, thread: number, text: string, counted = false): void {
  const { c } = machine;
  c.lua_createtable(thread, 0, counted ? 2 : 1);
  machine.pushBytes(thread, Buffer.from(text.replace(/^[\r\n]+|[\r\n]+$/g, '')));
  machine.setField(thread, -2, 'err');
  if (!counted) return;
  c.lua_pushboolean(thread, 1);
  machine.setField(thread, -2, COUNTED);
}

/** The text of the error on top, if it has been counted when its command failed; else null. */
export function countedError(machine: Machine, thread: number): string | null {
  const { c } = machine;
  if (c.lua_type(thread, -1) !== LuaType.table) return null;
  machine.rawField(thread, -1, COUNTED);
  const isCounted = c.lua_toboolean(thread, -1) !== 0;
  machine.pop(thread);
  if (!isCounted) return null;
  machine.rawField(thread, -1, 'err');
  const text = c.lua_isstring(thread, -1) === 0 ? null : machine.bytes(thread, -1)!.toString();
  machine.pop(thread);
  return text;
}

function pushField(machine: Machine, thread: number, name: string, push: () => void): void {
  machine.c.lua_createtable(thread, 0, 1);
  push();
  machine.setField(thread, -2, name);
}

export function pushReply(machine: Machine, thread: number, reply: Reply, resp: 2 | 3): void {
  const { c } = machine;
  if (Buffer.isBuffer(reply)) machine.pushBytes(thread, reply);
  else if (typeof reply === 'number' || typeof reply === 'bigint') c.lua_pushnumber(thread, Number(reply));
  else if (reply === null || reply instanceof NullArrayReply) {
    if (resp === 2) c.lua_pushboolean(thread, 0);
    else c.lua_pushnil(thread);
  } else if (typeof reply === 'string') machine.pushBytes(thread, Buffer.from(reply));
  else if (typeof reply === 'boolean') {
    if (resp === 2) c.lua_pushnumber(thread, reply ? 1 : 0);
    else c.lua_pushboolean(thread, reply ? 1 : 0);
  } else if (reply instanceof SimpleString)
    pushField(machine, thread, 'ok', () => machine.pushBytes(thread, Buffer.from(reply.text, 'latin1')));
  else if (reply instanceof ErrorReply) pushError(machine, thread, withCode(reply.text), true);
  else pushAggregate(machine, thread, reply, resp);
}

function pushAggregate(
  machine: Machine,
  thread: number,
  reply: Exclude<Reply, null | number | bigint | string | Buffer | boolean>,
  resp: 2 | 3,
): void {
  const { c } = machine;
  c.luaL_checkstack(thread, SLOTS_MIN, 0);
  if (reply instanceof DoubleReply) {
    if (resp === 2) machine.pushText(thread, reply.text ?? formatDouble(reply.value));
    else pushField(machine, thread, 'double', () => c.lua_pushnumber(thread, reply.value));
  } else if (reply instanceof BigNumberReply) {
    if (resp === 2) machine.pushText(thread, reply.digits);
    else pushField(machine, thread, 'big_number', () => machine.pushText(thread, reply.digits));
  } else if (reply instanceof VerbatimReply) {
    if (resp === 2) return machine.pushBytes(thread, Buffer.from(reply.text));
    pushField(machine, thread, 'verbatim_string', () => {
      c.lua_createtable(thread, 0, 2);
      machine.pushText(thread, reply.format);
      machine.setField(thread, -2, 'format');
      machine.pushBytes(thread, Buffer.from(reply.text));
      machine.setField(thread, -2, 'string');
    });
  } else if (reply instanceof AttributedReply) pushReply(machine, thread, reply.reply, resp);
  else if (reply instanceof MapReply && resp === 3)
    pushField(machine, thread, 'map', () => {
      c.lua_createtable(thread, 0, reply.entries.length / 2);
      for (let i = 0; i + 1 < reply.entries.length; i += 2) {
        pushReply(machine, thread, reply.entries[i] ?? null, resp);
        pushReply(machine, thread, reply.entries[i + 1] ?? null, resp);
        c.lua_rawset(thread, -3);
      }
    });
  else if (reply instanceof SetReply && resp === 3)
    pushField(machine, thread, 'set', () => {
      c.lua_createtable(thread, 0, reply.items.length);
      for (const item of reply.items) {
        pushReply(machine, thread, item, resp);
        c.lua_pushboolean(thread, 1);
        c.lua_rawset(thread, -3);
      }
    });
  else pushItems(machine, thread, itemsOf(reply), resp);
}

function itemsOf(reply: MapReply | SetReply | PushReply | readonly Reply[] | object): readonly Reply[] {
  if (reply instanceof MapReply) return reply.entries;
  if (reply instanceof SetReply || reply instanceof PushReply) return reply.items;
  return reply as readonly Reply[];
}

function pushItems(machine: Machine, thread: number, items: readonly Reply[], resp: 2 | 3): void {
  machine.c.lua_createtable(thread, items.length, 0);
  items.forEach((item, index) => {
    pushReply(machine, thread, item, resp);
    machine.c.lua_rawseti(thread, -2, index + 1);
  });
}

/** Pops what a script returned; `resp` is what the script has set. */
export function takeResult(machine: Machine, thread: number, resp: 2 | 3): OperationResult {
  const tokens: OperationResult[] = [];
  new ResultReader(machine, thread, resp, tokens).take();
  if (tokens.length > 2) return tokens;
  const [mark, value = null] = tokens;
  if (mark === Mark.null) return null;
  return mark === Mark.bytes || mark === Mark.integer || mark === Mark.boolean ? value : tokens;
}

class ResultReader {
  private readonly machine: Machine;
  private readonly thread: number;
  private readonly resp: 2 | 3;
  private readonly tokens: OperationResult[];
  private depth = 0;

  constructor(machine: Machine, thread: number, resp: 2 | 3, tokens: OperationResult[]) {
    this.machine = machine;
    this.thread = thread;
    this.resp = resp;
    this.tokens = tokens;
  }

  /** The value on top, popping it. */
  take(): void {
    const { machine, thread, tokens } = this;
    const { c } = machine;
    this.depth++;
    if (this.depth > limits.scriptReplyDepth || c.lua_checkstack(thread, SLOTS_MIN) === 0)
      tokens.push(Mark.error, Buffer.from('ERR reached lua stack limit'));
    else {
      const type = c.lua_type(thread, -1);
      if (type === LuaType.string) tokens.push(Mark.bytes, machine.bytes(thread, -1));
      else if (type === LuaType.number) tokens.push(Mark.integer, truncated(c.lua_tonumber(thread, -1)));
      else if (type === LuaType.boolean) this.boolean(c.lua_toboolean(thread, -1) !== 0);
      else if (type === LuaType.table) this.table();
      else tokens.push(Mark.null);
    }
    this.depth--;
    machine.pop(thread);
  }

  private boolean(value: boolean): void {
    if (this.resp === 3) this.tokens.push(Mark.boolean, value);
    else if (value) this.tokens.push(Mark.integer, 1);
    else this.tokens.push(Mark.null);
  }

  /** A string field of the table on top. */
  private string(name: string): Buffer | null {
    const { machine, thread } = this;
    machine.rawField(thread, -1, name);
    const found = machine.c.lua_type(thread, -1) === LuaType.string ? machine.bytes(thread, -1) : null;
    machine.pop(thread);
    return found;
  }

  private table(): void {
    const { machine, thread, tokens } = this;
    const { c } = machine;
    const error = this.string('err');
    if (error !== null) return void tokens.push(Mark.error, error);
    const status = this.string('ok');
    if (status !== null) return void tokens.push(Mark.status, oneLine(status));
    machine.rawField(thread, -1, 'double');
    const double = c.lua_type(thread, -1) === LuaType.number ? c.lua_tonumber(thread, -1) : null;
    machine.pop(thread);
    if (double !== null) return void tokens.push(Mark.double, double);
    const digits = this.string('big_number');
    if (digits !== null) return void tokens.push(Mark.bigNumber, oneLine(digits));
    if (this.verbatim() || this.pairs('map', Mark.map) || this.pairs('set', Mark.set)) return;
    this.array();
  }

  private verbatim(): boolean {
    const { machine, thread, tokens } = this;
    machine.rawField(thread, -1, 'verbatim_string');
    const isTable = machine.c.lua_type(thread, -1) === LuaType.table;
    const format = isTable ? this.string('format') : null;
    const text = isTable ? this.string('string') : null;
    machine.pop(thread);
    if (format === null || text === null) return false;
    tokens.push(Mark.verbatim, format, text);
    return true;
  }

  private pairs(name: 'map' | 'set', mark: number): boolean {
    const { machine, thread, tokens } = this;
    const { c } = machine;
    machine.rawField(thread, -1, name);
    if (c.lua_type(thread, -1) !== LuaType.table) {
      machine.pop(thread);
      return false;
    }
    const countAt = tokens.push(mark, 0) - 1;
    let count = 0;
    c.lua_pushnil(thread);
    while (c.lua_next(thread, -2) !== 0) {
      c.lua_pushvalue(thread, -2);
      this.take();
      if (name === 'map') this.take();
      else machine.pop(thread);
      count++;
    }
    tokens[countAt] = count;
    machine.pop(thread);
    return true;
  }

  private array(): void {
    const { machine, thread, tokens } = this;
    const { c } = machine;
    const countAt = tokens.push(Mark.array, 0) - 1;
    for (let count = 0; ; count++) {
      c.lua_rawgeti(thread, -1, count + 1);
      if (c.lua_type(thread, -1) === LuaType.nil) {
        machine.pop(thread);
        tokens[countAt] = count;
        return;
      }
      this.take();
    }
  }
}

function oneLine(bytes: Buffer): Buffer {
  return bytes.map((byte) => (byte === 13 || byte === 10 ? 32 : byte)) as Buffer;
}

/** As C turns a double into an int64. */
function truncated(value: number): number | bigint {
  const whole = Math.trunc(value);
  if (Number.isSafeInteger(whole)) return whole + 0;
  return Math.abs(whole) < 2 ** 63 ? BigInt(whole) : INT64_MIN;
}
