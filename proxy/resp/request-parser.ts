/**
 * Requests of RESP clients: arrays of bulk strings, and inline lines with Redis's quoting rules.
 *
 * redis-parser reads replies; as a request parser it knows no inline commands, throws on some garbage
 * and waits for whatever length a header claims. This one reads requests only, which is little, checks
 * every header as soon as it is complete, with Redis's error texts, and never allocates for what has not arrived.
 *
 * It is pulled (`next`), not pushed, so that a session can stop in the middle of a chunk. Arguments
 * alias the chunk they came in; an argument that spans chunks is copied together once.
 */

/** The connection cannot be understood any further: the text is sent and the connection closed. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Longest header or inline line. */
export const INLINE_BYTES_MAX = 64 * 1024;
const UNAUTHENTICATED_ARGUMENTS_MAX = 10;
const UNAUTHENTICATED_BULK_BYTES_MAX = 16 * 1024;
const MULTIBULK_MAX = 2 ** 31 - 1;
/** No command has a longer name; more of it is not kept. */
const NAME_BYTES_MAX = 256;

const CR = 13;
const LF = 10;
const ASTERISK = 42;
const DOLLAR = 36;
const EMPTY = Buffer.alloc(0);
const INCOMPLETE = -2;

export interface ParserLimits {
  /** proto-max-bulk-len */
  bulkBytesMax: number;
  /** True before AUTH: stricter limits. */
  unauthenticated: boolean;
}

export class RequestParser {
  /** The command's name as it came, latin1, at most 256 characters. Valid after `next` returned arguments. */
  name = '';
  /** About the bytes of the request that `next` returned last. */
  requestBytes = 0;
  private readonly limits: ParserLimits;
  private buffer: Buffer = EMPTY;
  private offset = 0;
  /** Chunks after `buffer` that complete a bulk string; concatenated when all of it is there. */
  private later: Buffer[] = [];
  private laterBytes = 0;
  /** Arguments still to come of the array under way; 0: between requests. */
  private remaining = 0;
  private nameRead = false;
  private args: Buffer[] = [];
  private argumentBytes = 0;
  /** Length of the bulk string under way; -1: its header comes next. */
  private bulkLength = -1;

  constructor(limits: ParserLimits) {
    this.limits = limits;
  }

  /** Bytes held: unparsed, and arguments of a request that is not complete. */
  get bufferedBytes(): number {
    return this.buffer.length - this.offset + this.laterBytes + this.argumentBytes;
  }

  /** How many arguments of the request under way have arrived. */
  get bufferedArguments(): number {
    return this.remaining === 0 ? 0 : this.args.length;
  }

  push(chunk: Buffer): void {
    if (this.offset === this.buffer.length) {
      this.buffer = chunk;
      this.offset = 0;
      return;
    }
    this.later.push(chunk);
    this.laterBytes += chunk.length;
    // A bulk string gathers until it is whole; anything else is a line, and short.
    const missing = this.bulkLength < 0 ? 0 : this.bulkLength + 2 - (this.buffer.length - this.offset);
    if (this.laterBytes >= missing) this.gather();
  }

  private gather(): void {
    const rest = this.offset === 0 ? this.buffer : this.buffer.subarray(this.offset);
    this.buffer = Buffer.concat([rest, ...this.later], rest.length + this.laterBytes);
    this.offset = 0;
    this.later = [];
    this.laterBytes = 0;
  }

  /** The arguments, without the name, of the next complete request; null when more bytes are needed. Throws ProtocolError. */
  next(): Buffer[] | null {
    for (;;) {
      if (this.remaining > 0) return this.bulks();
      if (this.offset >= this.buffer.length) return null;
      if (this.buffer[this.offset] !== ASTERISK) {
        const args = this.inline();
        if (args === undefined) continue;
        return args;
      }
      const count = this.header(MULTIBULK_MAX, 'too big mbulk count string', 'invalid multibulk length', true);
      if (count === INCOMPLETE) return null;
      if (count > UNAUTHENTICATED_ARGUMENTS_MAX && this.limits.unauthenticated)
        throw new ProtocolError('unauthenticated multibulk length');
      if (count <= 0) continue;
      this.remaining = count;
      this.nameRead = false;
      this.args = [];
      this.argumentBytes = 0;
    }
  }

  private bulks(): Buffer[] | null {
    const { buffer } = this;
    while (this.remaining > 0) {
      if (this.bulkLength < 0) {
        if (this.offset >= buffer.length) return null;
        const length = this.bulkHeader();
        if (length === INCOMPLETE) return null;
        this.bulkLength = length;
      }
      const start = this.offset;
      const end = start + this.bulkLength;
      if (end + 2 > buffer.length) return null;
      if (this.nameRead) {
        this.args.push(buffer.subarray(start, end));
        this.argumentBytes += end - start + 16;
      } else {
        this.readName(start, end);
        this.nameRead = true;
      }
      this.offset = end + 2;
      this.bulkLength = -1;
      this.remaining -= 1;
    }
    this.requestBytes = this.argumentBytes + this.name.length;
    this.argumentBytes = 0;
    return this.args;
  }

  /** In a pipeline a name mostly is the one before: then no string is made. */
  private readName(start: number, end: number): void {
    const { name, buffer } = this;
    let same = end - start === name.length;
    for (let index = 0; same && index < name.length; index += 1) {
      same = buffer[start + index] === name.charCodeAt(index);
    }
    if (!same) this.name = buffer.latin1Slice(start, Math.min(end, start + NAME_BYTES_MAX));
  }

  private bulkHeader(): number {
    const first = this.buffer[this.offset] ?? 0;
    if (first !== DOLLAR) {
      // Redis looks for the end of the line first.
      if (this.lineEnd('too big bulk count string') < 0) return INCOMPLETE;
      throw new ProtocolError(`expected '$', got '${String.fromCharCode(first)}'`);
    }
    const length = this.header(this.limits.bulkBytesMax, 'too big bulk count string', 'invalid bulk length', false);
    if (length === INCOMPLETE) return INCOMPLETE;
    if (length > UNAUTHENTICATED_BULK_BYTES_MAX && this.limits.unauthenticated)
      throw new ProtocolError('unauthenticated bulk length');
    return length;
  }

  /** Offset of the CR that ends the line, when the byte after it has arrived too; else -1. */
  private lineEnd(tooLong: string): number {
    const end = this.buffer.indexOf(CR, this.offset);
    if (end >= 0) return end + 1 < this.buffer.length ? end : -1;
    if (this.buffer.length - this.offset > INLINE_BYTES_MAX) throw new ProtocolError(tooLong);
    return -1;
  }

  /** Reads `*123\r\n` or `$123\r\n`. The usual case, a few digits, is decided without a search. */
  private header(max: number, tooLong: string, invalid: string, mayBeNegative: boolean): number {
    const { buffer } = this;
    let at = this.offset + 1;
    const last = buffer.length - 2;
    let value = 0;
    let byte = buffer[at] ?? 0;
    // No leading zeros but "0" itself; at most nine digits here.
    if (byte > 48 && byte <= 57) {
      const stop = at + 9;
      do {
        value = value * 10 + (byte - 48);
        at += 1;
        byte = buffer[at] ?? 0;
      } while (byte >= 48 && byte <= 57 && at < stop);
      if (byte === CR && at <= last && value <= max) {
        this.offset = at + 2;
        return value;
      }
    }
    const end = this.lineEnd(tooLong);
    if (end < 0) return INCOMPLETE;
    const text = buffer.latin1Slice(this.offset + 1, end);
    const number = Number(text);
    const negative = text.startsWith('-');
    if (!/^(0|-?[1-9][0-9]{0,18})$/.test(text) || number > max || (negative && !mayBeNegative))
      throw new ProtocolError(invalid);
    this.offset = end + 2;
    return negative ? 0 : number;
  }

  /** Undefined: an empty line, go on. Null: the line is not complete. */
  private inline(): Buffer[] | null | undefined {
    const end = this.buffer.indexOf(LF, this.offset);
    if (end < 0) {
      if (this.buffer.length - this.offset > INLINE_BYTES_MAX) throw new ProtocolError('too big inline request');
      return null;
    }
    const lineEnd = end > this.offset && this.buffer[end - 1] === CR ? end - 1 : end;
    const words = splitWords(this.buffer.subarray(this.offset, lineEnd));
    this.offset = end + 1;
    const [name, ...args] = words;
    if (name === undefined) return undefined;
    if (this.limits.unauthenticated && words.length > UNAUTHENTICATED_ARGUMENTS_MAX)
      throw new ProtocolError('unauthenticated multibulk length');
    this.name = name.latin1Slice(0, Math.min(name.length, NAME_BYTES_MAX));
    return args;
  }
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, a: 7 };

function isSpace(byte: number | undefined): boolean {
  return byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);
}

/** Words of an inline line: bare, in "double quotes" with \n \r \t \b \a \xHH escapes, or in 'single quotes' with \'. */
export function splitWords(line: Buffer): Buffer[] {
  if (line.includes(0)) throw new ProtocolError('NUL byte in inline request');
  const words: Buffer[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && isSpace(line[at])) at += 1;
    if (at >= line.length) return words;
    const word: number[] = [];
    while (at < line.length && !isSpace(line[at])) {
      const byte = line[at] ?? 0;
      if (byte === 34) at = doubleQuoted(line, at + 1, word);
      else if (byte === 39) at = singleQuoted(line, at + 1, word);
      else {
        word.push(byte);
        at += 1;
      }
    }
    words.push(Buffer.from(word));
  }
}

function unbalanced(): ProtocolError {
  return new ProtocolError('unbalanced quotes in request');
}

/** A closing quote must be followed by a space or the end. */
function afterQuote(line: Buffer, at: number): number {
  if (at < line.length && !isSpace(line[at])) throw unbalanced();
  return at;
}

function doubleQuoted(line: Buffer, from: number, word: number[]): number {
  let at = from;
  while (at < line.length) {
    const byte = line[at] ?? 0;
    if (byte === 34) return afterQuote(line, at + 1);
    if (byte === 92 && at + 1 < line.length) {
      const hex = line.latin1Slice(Math.min(at + 2, line.length), Math.min(at + 4, line.length));
      if (line[at + 1] === 120 && /^[0-9a-fA-F]{2}$/.test(hex)) {
        word.push(Number.parseInt(hex, 16));
        at += 4;
      } else {
        const escaped = line[at + 1] ?? 0;
        word.push(ESCAPES[String.fromCharCode(escaped)] ?? escaped);
        at += 2;
      }
    } else {
      word.push(byte);
      at += 1;
    }
  }
  throw unbalanced();
}

function singleQuoted(line: Buffer, from: number, word: number[]): number {
  let at = from;
  while (at < line.length) {
    const byte = line[at] ?? 0;
    if (byte === 39) return afterQuote(line, at + 1);
    if (byte === 92 && line[at + 1] === 39) {
      word.push(39);
      at += 2;
    } else {
      word.push(byte);
      at += 1;
    }
  }
  throw unbalanced();
}
