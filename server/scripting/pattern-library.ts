/**
 * `string.find`, `match`, `gmatch` and `gsub` where Lua's own could take long (see pattern-matcher.ts); where they
 * certainly do not, they do it.
 */
import { limits } from '../../shared/limits.js';
import { GLOBALS, LuaType, type Library, type LuaFunction, type Machine } from './machine.js';
import { PatternError, PatternMatcher, PERCENT, worstSteps } from './pattern-matcher.js';

const CARET = 0x5e;
/** Of the function that GMATCH returns: subject, pattern, and where to go on. */
const UPVALUES = 3;
const upvalue = (index: number): number => GLOBALS - 1 - index;

/** `native`: Lua's own. `onSteps` may throw, to end the script. */
export function patternLibrary(
  machine: Machine,
  native: Readonly<Record<'find' | 'match' | 'gmatch' | 'gsub', LuaFunction>>,
  onSteps: (thread: number) => void,
): Library {
  const { c } = machine;

  const takesLong = (thread: number): boolean => {
    if (c.lua_type(thread, 1) !== LuaType.string || c.lua_type(thread, 2) !== LuaType.string) return false;
    const bytes = c.lua_objlen(thread, 1);
    if (bytes * c.lua_objlen(thread, 2) === 0) return false;
    return worstSteps(machine.bytes(thread, 2)!, bytes) > limits.scriptPatternSteps;
  };

  /** What is wrong with the pattern is the script's error. */
  const matching = <T>(thread: number, run: () => T): T => {
    try {
      return run();
    } catch (error) {
      if (error instanceof PatternError) return machine.raise(thread, error.message);
      throw error;
    }
  };

  const push = (thread: number, value: Buffer | number): void => {
    if (typeof value === 'number') c.lua_pushnumber(thread, value);
    else machine.pushBytes(thread, value);
  };

  const pushCaptures = (thread: number, matcher: PatternMatcher, count: number, start: number, end: number): number => {
    c.luaL_checkstack(thread, count, machine.name('too many captures'));
    for (let index = 0; index < count; index++) push(thread, matcher.capture(index, start, end));
    return count;
  };

  const look =
    (own: LuaFunction, tellsPlace: boolean): LuaFunction =>
    (thread) => {
      if ((tellsPlace && c.lua_toboolean(thread, 4) !== 0) || !takesLong(thread)) return own(thread);
      const subject = machine.bytes(thread, 1)!;
      const pattern = machine.bytes(thread, 2)!;
      const given = c.luaL_optinteger(thread, 3, 1);
      const position = Math.max(0, given < 0 ? given + subject.length + 1 : given);
      const start = Math.min(Math.max(0, position - 1), subject.length);
      const isAnchored = pattern[0] === CARET;
      const matcher = new PatternMatcher(subject, isAnchored ? pattern.subarray(1) : pattern, () => onSteps(thread));
      return matching(thread, () => {
        const end = isAnchored ? matcher.matchAt(start) : null;
        const found = isAnchored ? (end === null ? null : { start, end }) : matcher.search(start);
        if (found === null) {
          c.lua_pushnil(thread);
          return 1;
        }
        if (!tellsPlace) return pushCaptures(thread, matcher, Math.max(1, matcher.captures), found.start, found.end);
        c.lua_pushnumber(thread, found.start + 1);
        c.lua_pushnumber(thread, found.end);
        return 2 + pushCaptures(thread, matcher, matcher.captures, found.start, found.end);
      });
    };

  /** What GMATCH returned is called. There a caret is a character. */
  const goOn = machine.register((thread) => {
    const subject = machine.bytes(thread, upvalue(1))!;
    const matcher = new PatternMatcher(subject, machine.bytes(thread, upvalue(2))!, () => onSteps(thread));
    return matching(thread, () => {
      const found = matcher.search(c.lua_tonumber(thread, upvalue(3)));
      if (found === null) {
        c.lua_pushnumber(thread, subject.length + 1);
        c.lua_replace(thread, upvalue(3));
        return 0;
      }
      c.lua_pushnumber(thread, found.end === found.start ? found.end + 1 : found.end);
      c.lua_replace(thread, upvalue(3));
      return pushCaptures(thread, matcher, Math.max(1, matcher.captures), found.start, found.end);
    });
  });

  const gmatch: LuaFunction = (thread) => {
    if (!takesLong(thread)) return native.gmatch(thread);
    c.lua_settop(thread, 2);
    c.lua_pushnumber(thread, 0);
    machine.pushClosure(thread, goOn, UPVALUES);
    return 1;
  };

  /** What a match becomes; `start` and `end` are its own. */
  const replacement = (thread: number, matcher: PatternMatcher, start: number, end: number): Buffer => {
    const type = c.lua_type(thread, 3);
    if (type === LuaType.string || type === LuaType.number)
      return filledIn(machine.bytes(thread, 3)!, matcher, start, end);
    if (type === LuaType.table) {
      push(thread, matcher.capture(0, start, end));
      c.lua_gettable(thread, 3);
    } else {
      c.lua_pushvalue(thread, 3);
      c.lua_call(thread, pushCaptures(thread, matcher, Math.max(1, matcher.captures), start, end), 1);
    }
    if (c.lua_toboolean(thread, -1) === 0) {
      machine.pop(thread);
      return matcher.subject.subarray(start, end);
    }
    if (c.lua_isstring(thread, -1) === 0)
      throw new PatternError(`invalid replacement value (a ${machine.typeName(c.lua_type(thread, -1))})`);
    const bytes = machine.bytes(thread, -1)!;
    machine.pop(thread);
    return bytes;
  };

  const gsub: LuaFunction = (thread) => {
    const type = c.lua_type(thread, 3);
    if (type < LuaType.number || type > LuaType.function || !takesLong(thread)) return native.gsub(thread);
    const subject = machine.bytes(thread, 1)!;
    const pattern = machine.bytes(thread, 2)!;
    const timesMax = c.luaL_optinteger(thread, 4, subject.length + 1);
    c.lua_settop(thread, 3);
    const isAnchored = pattern[0] === CARET;
    const matcher = new PatternMatcher(subject, isAnchored ? pattern.subarray(1) : pattern, () => onSteps(thread));
    return matching(thread, () => {
      const pieces: Buffer[] = [];
      let times = 0;
      let at = 0;
      while (times < timesMax) {
        const end = matcher.matchAt(at);
        if (end !== null) {
          times += 1;
          pieces.push(replacement(thread, matcher, at, end));
        }
        if (end !== null && end > at) at = end;
        else if (at < subject.length) pieces.push(subject.subarray(at, ++at));
        else break;
        if (isAnchored) break;
      }
      pieces.push(subject.subarray(at));
      machine.pushBytes(thread, Buffer.concat(pieces));
      c.lua_pushnumber(thread, times);
      return 2;
    });
  };

  return { find: look(native.find, true), match: look(native.match, false), gmatch, gsub };
}

/** `%1` stands for a capture, `%0` for all of the match, and any other character behind a percent sign for itself. */
function filledIn(template: Buffer, matcher: PatternMatcher, start: number, end: number): Buffer {
  if (!template.includes(PERCENT)) return template;
  const pieces: Buffer[] = [];
  for (let i = 0; i < template.length; i++) {
    if (template[i] !== PERCENT) {
      pieces.push(template.subarray(i, i + 1));
      continue;
    }
    i += 1;
    const digit = (template[i] ?? 0) - 0x30;
    if (digit === 0) pieces.push(matcher.subject.subarray(start, end));
    else if (digit > 0 && digit <= 9) {
      const value = matcher.capture(digit - 1, start, end);
      pieces.push(typeof value === 'number' ? Buffer.from(String(value)) : value);
    } else pieces.push(i < template.length ? template.subarray(i, i + 1) : Buffer.from([0]));
  }
  return Buffer.concat(pieces);
}
