/** `struct` for scripts: C's structures as strings. Sizes and alignment are those of a 64-bit C. */
import type { Library, Machine } from './machine.js';

const INTEGER_BYTES_MAX = 32;
const ALIGNMENT_MAX = 8;
const INT_MAX = 2 ** 31 - 1;
const SIZES: ReadonlyMap<string, number> = new Map(
  Object.entries({ B: 1, b: 1, H: 2, h: 2, L: 8, l: 8, T: 8, f: 4, d: 8, x: 1 }),
);
const INTEGERS = new Set('bBhHlLTiI');

/** One option after the other; errors are raised in Lua as the C library words them. */
class Format {
  bigEndian = false;
  private readonly machine: Machine;
  private readonly thread: number;
  private readonly text: string;
  private at = 0;
  private alignment = 1;

  constructor(machine: Machine, thread: number) {
    this.machine = machine;
    this.thread = thread;
    machine.c.luaL_checklstring(thread, 1, 0);
    const text = machine.text(thread, 1)!;
    const end = text.indexOf('\0');
    this.text = end < 0 ? text : text.slice(0, end);
  }

  get more(): boolean {
    return this.at < this.text.length;
  }

  next(): { readonly option: string; readonly size: number } {
    const option = this.text[this.at++]!;
    return { option, size: this.sizeOf(option) };
  }

  private number(otherwise: number): number {
    const digits = /^\d*/.exec(this.text.slice(this.at))![0];
    if (digits === '') return otherwise;
    this.at += digits.length;
    const value = Number(digits);
    return value > INT_MAX ? this.machine.raise(this.thread, 'integral size overflow') : value;
  }

  private sizeOf(option: string): number {
    if (option === 'c') return this.number(1);
    if (option !== 'i' && option !== 'I') return SIZES.get(option) ?? 0;
    const size = this.number(4);
    if (size > INTEGER_BYTES_MAX)
      this.machine.raise(this.thread, `integral size ${size} is larger than limit of ${INTEGER_BYTES_MAX}`);
    return size;
  }

  /** Bytes to leave out before an item. */
  padding(position: number, option: string, size: number): number {
    if (size === 0 || option === 'c') return 0;
    const to = Math.min(size, this.alignment);
    return (to - (position & (to - 1))) & (to - 1);
  }

  control(option: string): void {
    if (option === ' ') return;
    if (option === '>') this.bigEndian = true;
    else if (option === '<') this.bigEndian = false;
    else if (option === '!') {
      const alignment = this.number(ALIGNMENT_MAX);
      if (alignment <= 0 || (alignment & (alignment - 1)) !== 0)
        this.machine.raise(this.thread, `alignment ${alignment} is not a power of 2`);
      this.alignment = alignment;
    } else this.machine.raiseArgument(this.thread, 1, `invalid format option '${option}'`);
  }
}

function integerBytes(value: number, size: number, bigEndian: boolean): Buffer {
  const whole = Number.isFinite(value) ? BigInt(Math.trunc(value)) : -(2n ** 63n);
  let left = BigInt.asUintN(64, whole);
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++, left >>= 8n) bytes[bigEndian ? size - 1 - i : i] = Number(left & 0xffn);
  return bytes;
}

function integerOf(bytes: Buffer, bigEndian: boolean, signed: boolean): number {
  let value = 0n;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[bigEndian ? i : bytes.length - 1 - i]!;
    value = BigInt.asUintN(64, value << 8n) | BigInt(byte);
  }
  if (!signed) return Number(value);
  return Number(bytes.length < 8 ? BigInt.asIntN(bytes.length * 8, value) : BigInt.asIntN(64, value));
}

function floatBytes(value: number, size: number, bigEndian: boolean): Buffer {
  const bytes = Buffer.alloc(size);
  if (size === 4) bytes.writeFloatLE(value);
  else bytes.writeDoubleLE(value);
  return bigEndian ? bytes.reverse() : bytes;
}

function floatOf(found: Buffer, bigEndian: boolean): number {
  const bytes = bigEndian ? Buffer.from(found).reverse() : found;
  return bytes.length === 4 ? bytes.readFloatLE() : bytes.readDoubleLE();
}

function pack(machine: Machine, thread: number): number {
  const { c } = machine;
  const format = new Format(machine, thread);
  // so that what is missing is nil, as in the C library
  c.lua_pushnil(thread);
  const pieces: Buffer[] = [];
  let length = 0;
  const add = (bytes: Buffer): void => {
    pieces.push(bytes);
    length += bytes.length;
  };
  for (let argument = 2; format.more; ) {
    const { option, size } = format.next();
    add(Buffer.alloc(format.padding(length, option, size)));
    if (INTEGERS.has(option)) add(integerBytes(c.luaL_checknumber(thread, argument++), size, format.bigEndian));
    else if (option === 'x') add(Buffer.alloc(1));
    else if (option === 'f' || option === 'd')
      add(floatBytes(c.luaL_checknumber(thread, argument++), size, format.bigEndian));
    else if (option === 'c' || option === 's') {
      const bytes = machine.checkBytes(thread, argument++);
      const wanted = size === 0 ? bytes.length : size;
      if (bytes.length < wanted) machine.raiseArgument(thread, argument, 'string too short');
      add(bytes.subarray(0, wanted));
      if (option === 's') add(Buffer.alloc(1));
    } else format.control(option);
  }
  machine.pushBytes(thread, Buffer.concat(pieces));
  return 1;
}

function unpack(machine: Machine, thread: number): number {
  const { c } = machine;
  const format = new Format(machine, thread);
  const data = machine.checkBytes(thread, 2);
  let at = c.lua_type(thread, 3) <= 0 ? 1 : Math.trunc(c.luaL_checknumber(thread, 3));
  if (at <= 0) machine.raiseArgument(thread, 3, 'offset must be 1 or greater');
  at--;
  let results = 0;
  const fits = (size: number): void => {
    if (size > data.length || at > data.length - size) machine.raiseArgument(thread, 2, 'data string too short');
  };
  const push = (value: number): void => {
    c.lua_pushnumber(thread, value);
    results++;
  };
  while (format.more) {
    const { option, size } = format.next();
    let taken = size;
    at += format.padding(at, option, size);
    fits(size);
    c.luaL_checkstack(thread, 2, machine.name('too many results'));
    const bytes = data.subarray(at, at + size);
    if (INTEGERS.has(option)) push(integerOf(bytes, format.bigEndian, option >= 'a'));
    else if (option === 'f' || option === 'd') push(floatOf(bytes, format.bigEndian));
    else if (option === 'c') {
      if (size === 0) {
        if (results === 0 || c.lua_isnumber(thread, -1) === 0)
          machine.raise(thread, "format 'c0' needs a previous size");
        taken = c.lua_tonumber(thread, -1);
        machine.pop(thread);
        results--;
        if (!(taken >= 0)) machine.raiseArgument(thread, 2, 'data string too short');
        taken = Math.trunc(taken);
        fits(taken);
      }
      machine.pushBytes(thread, data.subarray(at, at + taken));
      results++;
    } else if (option === 's') {
      const end = data.indexOf(0, at);
      if (end < 0) machine.raise(thread, 'unfinished string in data');
      machine.pushBytes(thread, data.subarray(at, end));
      results++;
      taken = end - at + 1;
    } else if (option !== 'x') format.control(option);
    at += taken;
  }
  c.lua_pushnumber(thread, at + 1);
  return results + 1;
}

function size(machine: Machine, thread: number): number {
  const format = new Format(machine, thread);
  let at = 0;
  while (format.more) {
    const { option, size: bytes } = format.next();
    at += format.padding(at, option, bytes);
    if (option === 's') machine.raiseArgument(thread, 1, "option 's' has no fixed size");
    if (option === 'c' && bytes === 0) machine.raiseArgument(thread, 1, "option 'c0' has no fixed size");
    if (!/[\da-z]/i.test(option)) format.control(option);
    at += bytes;
  }
  machine.c.lua_pushnumber(thread, at);
  return 1;
}

export function structLibrary(machine: Machine): Library {
  return {
    pack: (thread) => pack(machine, thread),
    unpack: (thread) => unpack(machine, thread),
    size: (thread) => size(machine, thread),
  };
}
