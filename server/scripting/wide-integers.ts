/**
 * Where Lua's own libraries use C's `long`: it has 32 bits in WebAssembly, and scripts expect the 64 of any server.
 * `string.format` gets its integers as text, and `tonumber` with a base reads them here.
 */
import { LuaType, type LuaFunction, type Machine } from './machine.js';

const SPECIFICATION = /%([-+ #0]*)(\d*)(?:\.(\d*))?(.)/gs;
const INTEGER_OPTIONS = 'diouxX';
const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;
const DIGITS_MAX = 2;

function whole(value: number): bigint {
  return Number.isFinite(value) && Math.abs(value) < 2 ** 64 ? BigInt(Math.trunc(value)) : INT64_MIN;
}

/** As C prints it. */
function formatted(value: number, flags: string, width: string, precision: string | undefined, option: string): string {
  const signed = option === 'd' || option === 'i';
  const number = signed ? BigInt.asIntN(64, whole(value)) : BigInt.asUintN(64, whole(value));
  const base = option === 'o' ? 8 : option === 'x' || option === 'X' ? 16 : 10;
  let digits = (number < 0n ? -number : number).toString(base);
  if (option === 'X') digits = digits.toUpperCase();
  if (precision !== undefined)
    digits = number === 0n && Number(precision) === 0 ? '' : digits.padStart(Number(precision), '0');
  let sign = '';
  if (signed) sign = number < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  else if (flags.includes('#') && number !== 0n) sign = option === 'o' ? '0' : option === 'u' ? '' : `0${option}`;
  const wide = Number(width);
  if (flags.includes('-')) return (sign + digits).padEnd(wide);
  if (flags.includes('0') && precision === undefined) digits = digits.padStart(wide - sign.length, '0');
  return (sign + digits).padStart(wide);
}

/** `string.format`; `native` is Lua's own. */
export function formatFunction(machine: Machine, native: LuaFunction): LuaFunction {
  const { c } = machine;
  return (thread) => {
    c.luaL_checklstring(thread, 1, 0);
    const format = machine.text(thread, 1)!;
    let argument = 1;
    const replaced = format.replace(
      SPECIFICATION,
      (all: string, flags: string, width: string, precision: string | undefined, option: string) => {
        if (option === '%' && all === '%%') return all;
        argument++;
        if (!INTEGER_OPTIONS.includes(option)) return all;
        // Lua says itself what is wrong with those
        if (flags.length > 5 || width.length > DIGITS_MAX || (precision ?? '').length > DIGITS_MAX) return all;
        if (argument > c.lua_gettop(thread)) machine.raiseArgument(thread, argument, 'no value');
        const text = formatted(c.luaL_checknumber(thread, argument), flags, width, precision, option);
        machine.pushText(thread, text);
        c.lua_replace(thread, argument);
        return '%s';
      },
    );
    if (replaced !== format) {
      machine.pushText(thread, replaced);
      c.lua_replace(thread, 1);
    }
    return native(thread);
  };
}

/** What C's strtoul reads in a base. Null: not all of the text is a number. */
function readInBase(text: string, base: number): number | null {
  const found = /^[ \t\n\v\f\r]*([+-]?)(?:0x(?=[\da-f]))?([\da-z]+)[ \t\n\v\f\r]*$/i.exec(text);
  if (found === null) return null;
  const [, sign, digits = ''] = found;
  let value = 0n;
  for (const digit of digits.toLowerCase()) {
    const worth = Number.parseInt(digit, 36);
    if (worth >= base) return null;
    value = value * BigInt(base) + BigInt(worth);
    if (value > UINT64_MAX) value = UINT64_MAX;
  }
  return Number(sign === '-' ? BigInt.asUintN(64, -value) : value);
}

/** `tonumber`. */
export function toNumberFunction(machine: Machine, native: LuaFunction): LuaFunction {
  const { c } = machine;
  return (thread) => {
    const base = c.lua_type(thread, 2) <= LuaType.nil ? 10 : Math.trunc(c.luaL_checknumber(thread, 2));
    if (base === 10) return native(thread);
    c.luaL_checklstring(thread, 1, 0);
    if (base < 2 || base > 36) machine.raiseArgument(thread, 2, 'base out of range');
    const value = readInBase(machine.text(thread, 1)!, base);
    if (value === null) c.lua_pushnil(thread);
    else c.lua_pushnumber(thread, value);
    return 1;
  };
}
