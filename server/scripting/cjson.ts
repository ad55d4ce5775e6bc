/**
 * `cjson` for scripts, as lua-cjson 2.1 has it: which tables are arrays, how numbers are written, what is refused, and
 * in which words. Text is handled as latin1, one character a byte.
 */
import { formatDigits, parseBound } from '../../shared/doubles.js';
import { LuaType, type LuaFunction, type Machine } from './machine.js';

const INT_MAX = 2 ** 31 - 1;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\f', '\\f'],
  ['\r', '\\r'],
  ['"', '\\"'],
  ['/', '\\/'],
  ['\\', '\\\\'],
]);
// oxlint-disable-next-line no-control-regex
const ESCAPED = /[\0-\x1f"/\\\x7f]/g;
const UNESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['t', '\t'],
  ['n', '\n'],
  ['f', '\f'],
  ['r', '\r'],
]);
/** Whatever C's strtod takes. */
const NUMBER =
  /[+-]?(?:0x(?:[\da-f]+\.?[\da-f]*|\.[\da-f]+)(?:p[+-]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)/iy;
const PLAIN = /[^"\\\0]+/y;
const SPACE = /[ \t\n\r]*/y;
const INVALID_NUMBER = /^(?:\+|-?0[x\d]|-?inf|-?nan)/i;

interface Settings {
  sparseConvert: boolean;
  sparseRatio: number;
  sparseSafe: number;
  encodeMaxDepth: number;
  decodeMaxDepth: number;
  encodeInvalidNumbers: 'off' | 'on' | 'null';
  decodeInvalidNumbers: boolean;
  keepBuffer: boolean;
  precision: number;
}

const initially = (): Settings => ({
  sparseConvert: false,
  sparseRatio: 2,
  sparseSafe: 10,
  encodeMaxDepth: 1000,
  decodeMaxDepth: 1000,
  encodeInvalidNumbers: 'off',
  decodeInvalidNumbers: true,
  keepBuffer: true,
  precision: 14,
});

const escaped = (character: string): string =>
  ESCAPES.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

const quoted = (text: string): string => `"${text.replace(ESCAPED, escaped)}"`;

class Encoder {
  private readonly machine: Machine;
  private readonly thread: number;
  private readonly settings: Settings;
  private text = '';

  constructor(machine: Machine, thread: number, settings: Settings) {
    this.machine = machine;
    this.thread = thread;
    this.settings = settings;
  }

  /** The value on top. */
  encode(): string {
    this.value(0);
    return this.text;
  }

  private refuse(index: number, reason: string): never {
    const type = this.machine.typeName(this.machine.c.lua_type(this.thread, index));
    return this.machine.raise(this.thread, `Cannot serialise ${type}: ${reason}`);
  }

  private value(depth: number): void {
    const { machine, thread } = this;
    const { c } = machine;
    const type = c.lua_type(thread, -1);
    if (type === LuaType.string) this.text += quoted(machine.text(thread, -1)!);
    else if (type === LuaType.number) this.text += this.number(-1);
    else if (type === LuaType.boolean) this.text += c.lua_toboolean(thread, -1) === 0 ? 'false' : 'true';
    else if (type === LuaType.table) this.table(depth + 1);
    else if (type === LuaType.nil || (type === LuaType.lightUserdata && c.lua_touserdata(thread, -1) === 0))
      this.text += 'null';
    else this.refuse(-1, 'type not supported');
  }

  private number(index: number): string {
    const value = this.machine.c.lua_tonumber(this.thread, index);
    if (Number.isFinite(value)) return formatDigits(value, this.settings.precision);
    if (this.settings.encodeInvalidNumbers === 'off') this.refuse(index, 'must not be NaN or Inf');
    if (this.settings.encodeInvalidNumbers === 'null') return 'null';
    return Number.isNaN(value) ? 'nan' : formatDigits(value, this.settings.precision);
  }

  private table(depth: number): void {
    const { machine, thread } = this;
    if (depth > this.settings.encodeMaxDepth || machine.c.lua_checkstack(thread, 3) === 0)
      machine.raise(thread, `Cannot serialise, excessive nesting (${depth})`);
    const length = this.arrayLength();
    if (length > 0) this.array(length, depth);
    else this.object(depth);
  }

  /** How long an array the table on top is; -1: it is none. */
  private arrayLength(): number {
    const { machine, thread, settings } = this;
    const { c } = machine;
    let longest = 0;
    let items = 0;
    c.lua_pushnil(thread);
    while (c.lua_next(thread, -2) !== 0) {
      const key = c.lua_type(thread, -2) === LuaType.number ? c.lua_tonumber(thread, -2) : 0;
      if (key < 1 || Math.floor(key) !== key) {
        machine.pop(thread, 2);
        return -1;
      }
      longest = Math.max(longest, key);
      items++;
      machine.pop(thread);
    }
    const { sparseRatio, sparseSafe, sparseConvert } = settings;
    if (sparseRatio === 0 || longest <= items * sparseRatio || longest <= sparseSafe) return longest;
    return sparseConvert ? -1 : this.refuse(-1, 'excessively sparse array');
  }

  private array(length: number, depth: number): void {
    const { machine, thread } = this;
    for (let i = 1; i <= length; i++) {
      this.text += i === 1 ? '[' : ',';
      machine.c.lua_rawgeti(thread, -1, i);
      this.value(depth);
      machine.pop(thread);
    }
    this.text += ']';
  }

  private object(depth: number): void {
    const { machine, thread } = this;
    const { c } = machine;
    let between = '{';
    c.lua_pushnil(thread);
    while (c.lua_next(thread, -2) !== 0) {
      this.text += between;
      between = ',';
      const type = c.lua_type(thread, -2);
      if (type === LuaType.number) this.text += `"${this.number(-2)}":`;
      else if (type === LuaType.string) this.text += `${quoted(machine.text(thread, -2)!)}:`;
      else this.refuse(-2, 'table key must be a number or string');
      this.value(depth);
      machine.pop(thread);
    }
    this.text += between === '{' ? '{}' : '}';
  }
}

type Token =
  | { readonly kind: 'T_STRING'; readonly at: number; readonly text: string }
  | { readonly kind: 'T_NUMBER'; readonly at: number; readonly number: number }
  | { readonly kind: 'T_BOOLEAN'; readonly at: number; readonly value: boolean }
  | { readonly kind: 'T_ERROR'; readonly at: number; readonly text: string }
  | { readonly kind: Exclude<Kind, 'T_STRING' | 'T_NUMBER' | 'T_BOOLEAN' | 'T_ERROR'>; readonly at: number };

type Kind =
  | 'T_OBJ_BEGIN'
  | 'T_OBJ_END'
  | 'T_ARR_BEGIN'
  | 'T_ARR_END'
  | 'T_STRING'
  | 'T_NUMBER'
  | 'T_BOOLEAN'
  | 'T_NULL'
  | 'T_COLON'
  | 'T_COMMA'
  | 'T_END'
  | 'T_ERROR';

const SINGLE = new Map([
  ['{', 'T_OBJ_BEGIN'],
  ['}', 'T_OBJ_END'],
  ['[', 'T_ARR_BEGIN'],
  [']', 'T_ARR_END'],
  [',', 'T_COMMA'],
  [':', 'T_COLON'],
  ['\0', 'T_END'],
] as const);

class Decoder {
  private readonly machine: Machine;
  private readonly thread: number;
  private readonly settings: Settings;
  private readonly text: string;
  private at = 0;
  private depth = 0;

  constructor(machine: Machine, thread: number, settings: Settings, text: string) {
    this.machine = machine;
    this.thread = thread;
    this.settings = settings;
    // a NUL ends it, as in C
    this.text = `${text}\0`;
  }

  /** Pushes what the text stands for. */
  decode(): void {
    this.value(this.next());
    const token = this.next();
    if (token.kind !== 'T_END') this.refuse('the end', token);
  }

  private refuse(expected: string, token: Token): never {
    const found = token.kind === 'T_ERROR' ? token.text : token.kind;
    return this.machine.raise(this.thread, `Expected ${expected} but found ${found} at character ${token.at + 1}`);
  }

  private skip(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  private next(): Token {
    this.skip(SPACE);
    const { at, text } = this;
    const character = text[at] ?? '\0';
    const single = SINGLE.get(character as '{');
    if (single !== undefined) {
      if (single !== 'T_END') this.at++;
      return { kind: single, at };
    }
    if (character === '"') return this.string();
    const isInvalid = INVALID_NUMBER.test(text.slice(at, at + 4));
    if (character === '-' || (character >= '0' && character <= '9')) {
      if (!this.settings.decodeInvalidNumbers && isInvalid) return { kind: 'T_ERROR', at, text: 'invalid number' };
      return this.number();
    }
    if (text.startsWith('true', at)) return this.word('true', { kind: 'T_BOOLEAN', at, value: true });
    if (text.startsWith('false', at)) return this.word('false', { kind: 'T_BOOLEAN', at, value: false });
    if (text.startsWith('null', at)) return this.word('null', { kind: 'T_NULL', at });
    if (this.settings.decodeInvalidNumbers && isInvalid) return this.number();
    return { kind: 'T_ERROR', at, text: 'invalid token' };
  }

  private word(word: string, token: Token): Token {
    this.at += word.length;
    return token;
  }

  private number(): Token {
    const { at } = this;
    const found = this.skip(NUMBER);
    if (found === '') return { kind: 'T_ERROR', at, text: 'invalid number' };
    const number = /nan/i.test(found) ? Number.NaN : (parseBound(found) ?? 0);
    return { kind: 'T_NUMBER', at, number };
  }

  private string(): Token {
    const { at } = this;
    this.at++;
    let text = '';
    for (;;) {
      text += this.skip(PLAIN);
      const character = this.text[this.at];
      if (character === '"') {
        this.at++;
        return { kind: 'T_STRING', at, text };
      }
      if (character !== '\\') return { kind: 'T_ERROR', at: this.at, text: 'unexpected end of string' };
      const escape = this.text[this.at + 1] ?? '';
      const meant = escape === 'u' ? this.codePoint() : UNESCAPES.get(escape);
      if (meant === undefined)
        return { kind: 'T_ERROR', at: this.at, text: `invalid ${escape === 'u' ? 'unicode ' : ''}escape code` };
      if (escape !== 'u') this.at += 2;
      text += meant;
    }
  }

  /** `\uXXXX`, or two of them, as UTF-8. */
  private codePoint(): string | undefined {
    const unit = (at: number): number =>
      /^\\u[\da-f]{4}$/i.test(this.text.slice(at, at + 6)) ? Number.parseInt(this.text.slice(at + 2, at + 6), 16) : -1;
    let code = unit(this.at);
    if (code < 0) return undefined;
    if ((code & 0xf800) === 0xd800) {
      const low = unit(this.at + 6);
      if ((code & 0x400) !== 0 || low < 0 || (low & 0xfc00) !== 0xdc00) return undefined;
      code = (((code & 0x3ff) << 10) | (low & 0x3ff)) + 0x10000;
      this.at += 6;
    }
    this.at += 6;
    return Buffer.from(String.fromCodePoint(code)).latin1Slice();
  }

  private value(token: Token): void {
    const { machine, thread } = this;
    const { c } = machine;
    if (token.kind === 'T_STRING') machine.pushText(thread, token.text);
    else if (token.kind === 'T_NUMBER') c.lua_pushnumber(thread, token.number);
    else if (token.kind === 'T_BOOLEAN') c.lua_pushboolean(thread, token.value ? 1 : 0);
    else if (token.kind === 'T_OBJ_BEGIN') this.object();
    else if (token.kind === 'T_ARR_BEGIN') this.array();
    else if (token.kind === 'T_NULL') c.lua_pushlightuserdata(thread, 0);
    else this.refuse('value', token);
  }

  private descend(slots: number): void {
    const { machine, thread } = this;
    this.depth++;
    if (this.depth > this.settings.decodeMaxDepth || machine.c.lua_checkstack(thread, slots) === 0)
      machine.raise(thread, `Found too many nested data structures (${this.depth}) at character ${this.at}`);
    machine.c.lua_createtable(thread, 0, 0);
  }

  private object(): void {
    this.descend(3);
    let token = this.next();
    while (token.kind !== 'T_OBJ_END') {
      if (token.kind !== 'T_STRING') this.refuse('object key string', token);
      this.machine.pushText(this.thread, token.text);
      const colon = this.next();
      if (colon.kind !== 'T_COLON') this.refuse('colon', colon);
      this.value(this.next());
      this.machine.c.lua_rawset(this.thread, -3);
      token = this.next();
      if (token.kind === 'T_OBJ_END') break;
      if (token.kind !== 'T_COMMA') this.refuse('comma or object end', token);
      token = this.next();
      if (token.kind === 'T_OBJ_END') this.refuse('object key string', token);
    }
    this.depth--;
  }

  private array(): void {
    this.descend(2);
    let token = this.next();
    for (let i = 1; token.kind !== 'T_ARR_END'; i++) {
      this.value(token);
      this.machine.c.lua_rawseti(this.thread, -2, i);
      token = this.next();
      if (token.kind === 'T_ARR_END') break;
      if (token.kind !== 'T_COMMA') this.refuse('comma or array end', token);
      token = this.next();
      if (token.kind === 'T_ARR_END') this.refuse('value', token);
    }
    this.depth--;
  }
}

/** Pushes the table `cjson`. */
export function pushCjson(machine: Machine, thread: number): void {
  const { c } = machine;
  const settings = initially();

  /** Functions that tell a setting, and may change it before. */
  const setting = (count: number, run: LuaFunction): LuaFunction => {
    return (caller) => {
      if (c.lua_gettop(caller) > count) machine.raiseArgument(caller, count + 1, 'found too many arguments');
      c.lua_settop(caller, count);
      return run(caller);
    };
  };
  const integer = (caller: number, argument: number, now: number, low: number, high: number): number => {
    let value = now;
    if (c.lua_type(caller, argument) !== LuaType.nil) {
      value = c.luaL_checkinteger(caller, argument);
      if (value < low || value > high) machine.raiseArgument(caller, 1, `expected integer between ${low} and ${high}`);
    }
    c.lua_pushinteger(caller, value);
    return value;
  };
  const choice = <T extends string>(caller: number, now: T, options: readonly T[]): T => {
    if (c.lua_type(caller, 1) === LuaType.nil) return now;
    if (c.lua_type(caller, 1) === LuaType.boolean) return options[c.lua_toboolean(caller, 1) === 0 ? 0 : 1] ?? now;
    c.luaL_checklstring(caller, 1, 0);
    const name = machine.text(caller, 1) ?? '';
    const found = options.find((option) => option === name);
    return found ?? machine.raiseArgument(caller, 1, `invalid option '${name}'`);
  };
  const onOff = (caller: number, now: boolean): boolean => {
    const on = choice(caller, now ? 'on' : 'off', ['off', 'on']) === 'on';
    c.lua_pushboolean(caller, on ? 1 : 0);
    return on;
  };

  machine.pushLibrary(thread, {
    encode: (caller) => {
      if (c.lua_gettop(caller) !== 1) machine.raiseArgument(caller, 1, 'expected 1 argument');
      machine.pushText(caller, new Encoder(machine, caller, settings).encode());
      return 1;
    },
    decode: (caller) => {
      if (c.lua_gettop(caller) !== 1) machine.raiseArgument(caller, 1, 'expected 1 argument');
      c.luaL_checklstring(caller, 1, 0);
      const text = machine.text(caller, 1)!;
      if (text.length >= 2 && (text[0] === '\0' || text[1] === '\0'))
        machine.raise(caller, 'JSON parser does not support UTF-16 or UTF-32');
      new Decoder(machine, caller, settings, text).decode();
      return 1;
    },
    encode_sparse_array: setting(3, (caller) => {
      settings.sparseConvert = onOff(caller, settings.sparseConvert);
      settings.sparseRatio = integer(caller, 2, settings.sparseRatio, 0, INT_MAX);
      settings.sparseSafe = integer(caller, 3, settings.sparseSafe, 0, INT_MAX);
      return 3;
    }),
    encode_max_depth: setting(1, (caller) => {
      settings.encodeMaxDepth = integer(caller, 1, settings.encodeMaxDepth, 1, INT_MAX);
      return 1;
    }),
    decode_max_depth: setting(1, (caller) => {
      settings.decodeMaxDepth = integer(caller, 1, settings.decodeMaxDepth, 1, INT_MAX);
      return 1;
    }),
    encode_number_precision: setting(1, (caller) => {
      settings.precision = integer(caller, 1, settings.precision, 1, 14);
      return 1;
    }),
    encode_keep_buffer: setting(1, (caller) => {
      settings.keepBuffer = onOff(caller, settings.keepBuffer);
      return 1;
    }),
    encode_invalid_numbers: setting(1, (caller) => {
      const chosen = choice(caller, settings.encodeInvalidNumbers, ['off', 'on', 'null']);
      settings.encodeInvalidNumbers = chosen;
      if (chosen === 'null') machine.pushText(caller, chosen);
      else c.lua_pushboolean(caller, chosen === 'on' ? 1 : 0);
      return 1;
    }),
    decode_invalid_numbers: setting(1, (caller) => {
      settings.decodeInvalidNumbers = onOff(caller, settings.decodeInvalidNumbers);
      return 1;
    }),
    new: (caller) => {
      pushCjson(machine, caller);
      return 1;
    },
    _NAME: 'cjson',
    _VERSION: '2.1.0',
  });
  c.lua_pushlightuserdata(thread, 0);
  machine.setField(thread, -2, 'null');
}
