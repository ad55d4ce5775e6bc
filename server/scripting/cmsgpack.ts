/** `cmsgpack` for scripts, as lua-cmsgpack 0.4.0 has it: which form a number or a table gets, and what is refused. */
import { LuaType, type Library, type Machine } from './machine.js';

/** Tables nested deeper become nil. */
const NESTING_MAX = 16;
const MISSING = 'Missing bytes in input.';
const BAD_FORMAT = 'Bad data format in input.';

class Packer {
  private readonly machine: Machine;
  private readonly thread: number;
  private readonly pieces: Buffer[] = [];

  constructor(machine: Machine, thread: number) {
    this.machine = machine;
    this.thread = thread;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }

  /** The value on top, popping it. */
  take(level: number): void {
    const { machine, thread } = this;
    const { c } = machine;
    const type = c.lua_type(thread, -1);
    if (type === LuaType.string) this.string(machine.bytes(thread, -1)!);
    else if (type === LuaType.boolean) this.byte(c.lua_toboolean(thread, -1) === 0 ? 0xc2 : 0xc3);
    else if (type === LuaType.number) this.number(c.lua_tonumber(thread, -1));
    else if (type === LuaType.table && level !== NESTING_MAX) this.table(level);
    else this.byte(0xc0);
    machine.pop(thread);
  }

  private byte(...bytes: number[]): void {
    this.pieces.push(Buffer.from(bytes));
  }

  /** A mark and a number of so many bytes behind it. */
  private sized(mark: number, bytes: 1 | 2 | 4, value: number): void {
    const piece = Buffer.alloc(1 + bytes);
    piece[0] = mark;
    if (value < 0) piece.writeIntBE(value, 1, bytes);
    else piece.writeUIntBE(value, 1, bytes);
    this.pieces.push(piece);
  }

  private string(bytes: Buffer): void {
    const { length } = bytes;
    if (length < 32) this.byte(0xa0 | length);
    else if (length <= 0xff) this.sized(0xd9, 1, length);
    else if (length <= 0xffff) this.sized(0xda, 2, length);
    else this.sized(0xdb, 4, length);
    this.pieces.push(bytes);
  }

  private number(value: number): void {
    const isInteger = Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
    if (!isInteger) return this.double(value);
    if (value >= 0) {
      if (value <= 127) this.byte(value);
      else if (value <= 0xff) this.sized(0xcc, 1, value);
      else if (value <= 0xffff) this.sized(0xcd, 2, value);
      else if (value <= 0xffffffff) this.sized(0xce, 4, value);
      else this.long(0xcf, value);
    } else if (value >= -32) this.byte(value & 0xff);
    else if (value >= -128) this.sized(0xd0, 1, value);
    else if (value >= -32_768) this.sized(0xd1, 2, value);
    else if (value >= -(2 ** 31)) this.sized(0xd2, 4, value);
    else this.long(0xd3, value);
  }

  private long(mark: number, value: number): void {
    const piece = Buffer.alloc(9);
    piece[0] = mark;
    piece.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)), 1);
    this.pieces.push(piece);
  }

  private double(value: number): void {
    const isShort = Math.fround(value) === value;
    const piece = Buffer.alloc(isShort ? 5 : 9);
    piece[0] = isShort ? 0xca : 0xcb;
    if (isShort) piece.writeFloatBE(value, 1);
    else piece.writeDoubleBE(value, 1);
    this.pieces.push(piece);
  }

  private table(level: number): void {
    const { machine, thread } = this;
    const { c } = machine;
    c.luaL_checkstack(thread, 3, machine.name('in cmsgpack'));
    const { count, isArray } = this.shape();
    if (isArray) {
      const length = c.lua_objlen(thread, -1);
      this.head(0x90, 0xdc, 0xdd, length);
      for (let i = 1; i <= length; i++) {
        c.lua_rawgeti(thread, -1, i);
        this.take(level + 1);
      }
      return;
    }
    this.head(0x80, 0xde, 0xdf, count);
    c.lua_pushnil(thread);
    while (c.lua_next(thread, -2) !== 0) {
      c.lua_pushvalue(thread, -2);
      this.take(level + 1);
      this.take(level + 1);
    }
  }

  private head(fixed: number, two: number, four: number, count: number): void {
    if (count <= 15) this.byte(fixed | count);
    else if (count <= 0xffff) this.sized(two, 2, count);
    else this.sized(four, 4, count);
  }

  /** An array has the keys from 1 to how many there are. */
  private shape(): { readonly count: number; readonly isArray: boolean } {
    const { machine, thread } = this;
    const { c } = machine;
    let count = 0;
    let longest = 0;
    let isArray = true;
    c.lua_pushnil(thread);
    while (c.lua_next(thread, -2) !== 0) {
      machine.pop(thread);
      const key = c.lua_type(thread, -1) === LuaType.number ? c.lua_tonumber(thread, -1) : 0;
      if (key <= 0 || !Number.isInteger(key)) isArray = false;
      longest = Math.max(longest, key);
      count++;
    }
    return { count, isArray: isArray && longest === count };
  }
}

class Unpacker {
  private readonly machine: Machine;
  private readonly thread: number;
  private readonly data: Buffer;
  at: number;

  constructor(machine: Machine, thread: number, data: Buffer, at: number) {
    this.machine = machine;
    this.thread = thread;
    this.data = data;
    this.at = at;
  }

  get more(): boolean {
    return this.at < this.data.length;
  }

  /** Moves on over so many bytes. */
  private skip(bytes: number): number {
    const from = this.at;
    if (this.data.length - from < bytes) this.machine.raise(this.thread, MISSING);
    this.at += bytes;
    return from;
  }

  private uint(bytes: 1 | 2 | 4): number {
    return this.data.readUIntBE(this.skip(bytes), bytes);
  }

  private int(bytes: 1 | 2 | 4): number {
    return this.data.readIntBE(this.skip(bytes), bytes);
  }

  /** Pushes the next value. */
  push(): void {
    const { machine, thread, data } = this;
    const { c } = machine;
    c.luaL_checkstack(
      thread,
      1,
      machine.name('too many return values at once; use unpack_one or unpack_limit instead.'),
    );
    const mark = this.uint(1);
    if (mark <= 0x7f) c.lua_pushnumber(thread, mark);
    else if (mark >= 0xe0) c.lua_pushnumber(thread, mark - 0x100);
    else if (mark >= 0xa0 && mark <= 0xbf) this.string(mark & 0x1f);
    else if (mark >= 0x90 && mark <= 0x9f) this.array(mark & 0xf);
    else if (mark >= 0x80 && mark <= 0x8f) this.map(mark & 0xf);
    else if (mark === 0xc0) c.lua_pushnil(thread);
    else if (mark === 0xc2 || mark === 0xc3) c.lua_pushboolean(thread, mark - 0xc2);
    else if (mark === 0xca) c.lua_pushnumber(thread, data.readFloatBE(this.skip(4)));
    else if (mark === 0xcb) c.lua_pushnumber(thread, data.readDoubleBE(this.skip(8)));
    else if (mark === 0xcc) c.lua_pushnumber(thread, this.uint(1));
    else if (mark === 0xcd) c.lua_pushnumber(thread, this.uint(2));
    else if (mark === 0xce) c.lua_pushnumber(thread, this.uint(4));
    else if (mark === 0xd0) c.lua_pushnumber(thread, this.int(1));
    else if (mark === 0xd1) c.lua_pushnumber(thread, this.int(2));
    else if (mark === 0xd2) c.lua_pushnumber(thread, this.int(4));
    // Lua 5.1 has no larger unsigned integers
    else if (mark === 0xcf || mark === 0xd3) c.lua_pushnumber(thread, Number(data.readBigInt64BE(this.skip(8))));
    else if (mark === 0xd9) this.string(this.uint(1));
    else if (mark === 0xda) this.string(this.uint(2));
    else if (mark === 0xdb) this.string(this.uint(4));
    else if (mark === 0xdc) this.array(this.uint(2));
    else if (mark === 0xdd) this.array(this.uint(4));
    else if (mark === 0xde) this.map(this.uint(2));
    else if (mark === 0xdf) this.map(this.uint(4));
    else machine.raise(thread, BAD_FORMAT);
  }

  private string(length: number): void {
    const from = this.skip(length);
    this.machine.pushBytes(this.thread, this.data.subarray(from, from + length));
  }

  private array(length: number): void {
    this.machine.c.lua_createtable(this.thread, 0, 0);
    for (let i = 1; i <= length; i++) {
      this.push();
      this.machine.c.lua_rawseti(this.thread, -2, i);
    }
  }

  private map(length: number): void {
    const { machine, thread } = this;
    const { c } = machine;
    c.lua_createtable(thread, 0, 0);
    for (let i = 0; i < length; i++) {
      this.push();
      this.push();
      const isNil = c.lua_type(thread, -2) === LuaType.nil;
      const isNaN = c.lua_type(thread, -2) === LuaType.number && Number.isNaN(c.lua_tonumber(thread, -2));
      if (isNil || isNaN) machine.raise(thread, `table index is ${isNil ? 'nil' : 'NaN'}`);
      c.lua_rawset(thread, -3);
    }
  }
}

function unpacked(machine: Machine, thread: number, limit: number, offset: number): number {
  const { c } = machine;
  const all = limit === 0 && offset === 0;
  const data = machine.checkBytes(thread, 1);
  if (offset < 0 || limit < 0)
    machine.raise(thread, `Invalid request to unpack with offset of ${offset} and limit of ${data.length}.`);
  if (offset > data.length) machine.raise(thread, `Start offset ${offset} greater than input length ${data.length}.`);
  const unpacker = new Unpacker(machine, thread, data, offset);
  let count = 0;
  for (; unpacker.more && (all || count < limit); count++) unpacker.push();
  if (all) return count;
  c.luaL_checkstack(thread, 1, machine.name('in cmsgpack'));
  c.lua_pushnumber(thread, unpacker.more ? unpacker.at : -1);
  c.lua_insert(thread, 2);
  return count + 1;
}

export function messagePackLibrary(machine: Machine): Library {
  const { c } = machine;
  const integer = (thread: number, argument: number): number => Math.trunc(c.luaL_checknumber(thread, argument));
  const integerOrZero = (thread: number, argument: number): number =>
    c.lua_type(thread, argument) <= LuaType.nil ? 0 : integer(thread, argument);
  return {
    pack: (thread) => {
      const count = c.lua_gettop(thread);
      if (count === 0) machine.raiseArgument(thread, 0, 'MessagePack pack needs input.');
      const packer = new Packer(machine, thread);
      for (let index = 1; index <= count; index++) {
        c.luaL_checkstack(thread, 1, machine.name('in cmsgpack'));
        c.lua_pushvalue(thread, index);
        packer.take(0);
      }
      machine.pushBytes(thread, packer.bytes);
      return 1;
    },
    unpack: (thread) => unpacked(machine, thread, 0, 0),
    unpack_one: (thread) => {
      const offset = integerOrZero(thread, 2);
      c.lua_settop(thread, 1);
      return unpacked(machine, thread, 1, offset);
    },
    unpack_limit: (thread) => {
      const limit = integer(thread, 2);
      const offset = integerOrZero(thread, 3);
      c.lua_settop(thread, 1);
      return unpacked(machine, thread, limit, offset);
    },
    _NAME: 'cmsgpack',
    _VERSION: 'lua-cmsgpack 0.4.0',
    _COPYRIGHT: 'Copyright (C) 2012, Salvatore Sanfilippo',
    _DESCRIPTION: 'MessagePack C implementation for Lua',
  };
}
