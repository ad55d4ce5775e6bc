/** `bit` for scripts, as LuaBitOp has it: numbers are taken modulo 2^32 and given back with a sign. */
import { LuaType, type Library, type LuaFunction, type Machine } from './machine.js';

/** Added to a double, this rounds it to an integer whose low bits stand at the end of the mantissa. */
const ROUNDING = 2 ** 52 + 2 ** 51;
const HEX_DIGITS = 8;
const scratch = new DataView(new ArrayBuffer(8));

function toBits(value: number): number {
  scratch.setFloat64(0, value + ROUNDING);
  return scratch.getInt32(4);
}

export function bitLibrary(machine: Machine): Library {
  const { c } = machine;

  const argument = (thread: number, index: number): number => {
    const bits = toBits(c.lua_tonumber(thread, index));
    if (bits === 0 && c.lua_isnumber(thread, index) === 0) machine.raiseType(thread, index, 'number');
    return bits;
  };
  const of =
    (compute: (value: number) => number): LuaFunction =>
    (thread) => {
      c.lua_pushnumber(thread, compute(argument(thread, 1)) | 0);
      return 1;
    };
  const ofAll =
    (combine: (a: number, b: number) => number): LuaFunction =>
    (thread) => {
      let bits = argument(thread, 1);
      for (let index = c.lua_gettop(thread); index > 1; index--) bits = combine(bits, argument(thread, index));
      c.lua_pushnumber(thread, bits | 0);
      return 1;
    };
  const shift =
    (compute: (value: number, by: number) => number): LuaFunction =>
    (thread) => {
      const value = argument(thread, 1);
      c.lua_pushnumber(thread, compute(value, argument(thread, 2) & 31) | 0);
      return 1;
    };

  return {
    tobit: of((value) => value),
    bnot: of((value) => ~value),
    band: ofAll((a, b) => a & b),
    bor: ofAll((a, b) => a | b),
    bxor: ofAll((a, b) => a ^ b),
    lshift: shift((value, by) => value << by),
    rshift: shift((value, by) => value >>> by),
    arshift: shift((value, by) => value >> by),
    rol: shift((value, by) => (value << by) | (value >>> (32 - by))),
    ror: shift((value, by) => (value >>> by) | (value << (32 - by))),
    bswap: of((value) => (value >>> 24) | ((value >>> 8) & 0xff00) | ((value & 0xff00) << 8) | (value << 24)),
    tohex: (thread) => {
      const bits = argument(thread, 1);
      const wanted = c.lua_type(thread, 2) < LuaType.nil ? HEX_DIGITS : argument(thread, 2);
      const digits = Math.min(Math.abs(wanted), HEX_DIGITS);
      const text = (bits >>> 0)
        .toString(16)
        .padStart(HEX_DIGITS, '0')
        .slice(HEX_DIGITS - digits);
      machine.pushText(thread, wanted < 0 ? text.toUpperCase() : text);
      return 1;
    },
  };
}
