/**
 * Lua 5.1's patterns, matched step by step: with several repetitions they take time that is exponential in the pattern,
 * and a function of C can neither be interrupted nor killed. Here somebody is asked every so many steps whether to go on.
 * As in C, a pattern ends at its first zero byte, and before the subject and behind it there is one.
 */
const OPEN = 0x28;
const CLOSE = 0x29;
const STAR = 0x2a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const QUESTION = 0x3f;
const BRACKET = 0x5b;
const BRACKET_END = 0x5d;
const CARET = 0x5e;
const DOLLAR = 0x24;
export const PERCENT = 0x25;
const CASE = 0x20;

const CAPTURES_MAX = 32;
/** Of a capture: its end is not known yet, or it is a position. */
const UNFINISHED = -1;
const POSITION = -2;
const NO_MATCH = -1;
/** Some 100 µs. */
const STEPS = 20_000;

/** What is wrong with a pattern, as Lua says it. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isLower = (byte: number): boolean => byte >= 0x61 && byte <= 0x7a;
const isUpper = (byte: number): boolean => byte >= 0x41 && byte <= 0x5a;
const isLetter = (byte: number): boolean => isLower(byte | CASE) && byte < 0x80;
const isPrinted = (byte: number): boolean => byte > 0x20 && byte < 0x7f;

/** By the letter of a class. */
const classes: Readonly<Record<string, (byte: number) => boolean>> = {
  a: isLetter,
  c: (byte) => byte < 0x20 || byte === 0x7f,
  d: isDigit,
  l: isLower,
  p: (byte) => isPrinted(byte) && !isLetter(byte) && !isDigit(byte),
  s: (byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d),
  u: isUpper,
  w: (byte) => isLetter(byte) || isDigit(byte),
  x: (byte) => isDigit(byte) || ((byte | CASE) >= 0x61 && (byte | CASE) <= 0x66 && isLetter(byte)),
  z: (byte) => byte === 0,
};

/** `letter`: behind a percent sign; in upper case it is what is not of the class. */
function isOfClass(byte: number, letter: number): boolean {
  const test = isLetter(letter) ? classes[String.fromCharCode(letter | CASE)] : undefined;
  if (test === undefined) return byte === letter;
  return test(byte) !== isUpper(letter);
}

export class PatternMatcher {
  readonly subject: Buffer;
  private readonly pattern: Buffer;
  private readonly onSteps: () => void;
  private steps = 0;
  private level = 0;
  private readonly starts: number[] = [];
  private readonly lengths: number[] = [];

  /** `pattern`: without the anchor. `onSteps` may throw. */
  constructor(subject: Buffer, pattern: Buffer, onSteps: () => void) {
    const end = pattern.indexOf(0);
    this.subject = subject;
    this.pattern = end < 0 ? pattern : pattern.subarray(0, end);
    this.onSteps = onSteps;
  }

  /** Where a match that begins exactly at `start` ends; null: there is none. Throws PatternError. */
  matchAt(start: number): number | null {
    this.level = 0;
    const end = this.match(start, 0);
    return end === NO_MATCH ? null : end;
  }

  /** The first match from `start` on. */
  search(start: number): { readonly start: number; readonly end: number } | null {
    for (let at = start; at <= this.subject.length; at++) {
      const end = this.matchAt(at);
      if (end !== null) return { start: at, end };
    }
    return null;
  }

  get captures(): number {
    return this.level;
  }

  /** Of the last match: bytes, or a position that counts from 1. The first one of none is the match as a whole. */
  capture(index: number, start: number, end: number): Buffer | number {
    if (index >= this.level) {
      if (index !== 0) throw new PatternError('invalid capture index');
      return this.subject.subarray(start, end);
    }
    const from = this.starts[index]!;
    const length = this.lengths[index]!;
    if (length === UNFINISHED) throw new PatternError('unfinished capture');
    return length === POSITION ? from + 1 : this.subject.subarray(from, from + length);
  }

  private step(): void {
    this.steps += 1;
    if (this.steps < STEPS) return;
    this.steps = 0;
    this.onSteps();
  }

  /** The end of the match of the pattern from `p` on, at `s`. */
  private match(from: number, rest: number): number {
    const { subject, pattern } = this;
    let s = from;
    let p = rest;
    for (;;) {
      this.step();
      if (p === pattern.length) return s;
      const byte = pattern[p]!;
      if (byte === OPEN)
        return pattern[p + 1] === CLOSE ? this.open(s, p + 2, POSITION) : this.open(s, p + 1, UNFINISHED);
      if (byte === CLOSE) return this.close(s, p + 1);
      if (byte === DOLLAR && p + 1 === pattern.length) return s === subject.length ? s : NO_MATCH;
      if (byte === PERCENT) {
        const special = this.special(s, p);
        if (special === NO_MATCH) return NO_MATCH;
        if (special !== null) {
          [s, p] = special;
          continue;
        }
      }
      const end = this.itemEnd(p);
      const fits = this.fits(s, p, end);
      switch (pattern[end]) {
        case QUESTION: {
          const found = fits ? this.match(s + 1, end + 1) : NO_MATCH;
          if (found !== NO_MATCH) return found;
          p = end + 1;
          continue;
        }
        case STAR:
          return this.most(s, p, end);
        case PLUS:
          return fits ? this.most(s + 1, p, end) : NO_MATCH;
        case MINUS:
          return this.fewest(s, p, end);
        default:
          if (!fits) return NO_MATCH;
          s += 1;
          p = end;
      }
    }
  }

  /** `%b`, `%f` and `%1`: where to go on in subject and pattern. Null: it is an item as any other. */
  private special(s: number, p: number): [number, number] | typeof NO_MATCH | null {
    const { pattern } = this;
    const letter = pattern[p + 1] ?? 0;
    if (letter === 0x62) {
      const end = this.balanced(s, p + 2);
      return end === NO_MATCH ? NO_MATCH : [end, p + 4];
    }
    if (letter === 0x66) {
      if (pattern[p + 2] !== BRACKET) throw new PatternError("missing '[' after '%f' in pattern");
      const end = this.itemEnd(p + 2);
      const before = s === 0 ? 0 : this.subject[s - 1]!;
      const isFrontier = !this.isInSet(before, p + 2, end) && this.isInSet(this.subject[s] ?? 0, p + 2, end);
      return isFrontier ? [s, end] : NO_MATCH;
    }
    if (!isDigit(letter)) return null;
    const end = this.again(s, letter);
    return end === NO_MATCH ? NO_MATCH : [end, p + 2];
  }

  /** What stands behind one character, class or set of the pattern. */
  private itemEnd(at: number): number {
    const { pattern } = this;
    let p = at;
    const first = pattern[p++];
    if (first === PERCENT) {
      if (p === pattern.length) throw new PatternError("malformed pattern (ends with '%')");
      return p + 1;
    }
    if (first !== BRACKET) return p;
    if (pattern[p] === CARET) p += 1;
    do {
      if (p === pattern.length) throw new PatternError("malformed pattern (missing ']')");
      if (pattern[p++] === PERCENT && p < pattern.length) p += 1;
    } while (pattern[p] !== BRACKET_END);
    return p + 1;
  }

  private fits(s: number, p: number, end: number): boolean {
    const byte = this.subject[s];
    if (byte === undefined) return false;
    const { pattern } = this;
    const item = pattern[p];
    if (item === DOT) return true;
    if (item === PERCENT) return isOfClass(byte, pattern[p + 1]!);
    return item === BRACKET ? this.isInSet(byte, p, end) : item === byte;
  }

  /** `end`: behind the set's closing bracket. */
  private isInSet(byte: number, from: number, end: number): boolean {
    const { pattern } = this;
    const last = end - 1;
    let p = from + 1;
    const isOut = pattern[p] === CARET;
    if (isOut) p += 1;
    for (; p < last; p++) {
      const item = pattern[p]!;
      if (item === PERCENT) {
        p += 1;
        if (isOfClass(byte, pattern[p]!)) return !isOut;
      } else if (pattern[p + 1] === MINUS && p + 2 < last) {
        if (item <= byte && byte <= pattern[p + 2]!) return !isOut;
        p += 2;
      } else if (item === byte) return !isOut;
    }
    return isOut;
  }

  private most(s: number, p: number, end: number): number {
    let count = 0;
    while (this.fits(s + count, p, end)) {
      count += 1;
      this.step();
    }
    for (; count >= 0; count--) {
      const found = this.match(s + count, end + 1);
      if (found !== NO_MATCH) return found;
    }
    return NO_MATCH;
  }

  private fewest(from: number, p: number, end: number): number {
    for (let s = from; ; s++) {
      const found = this.match(s, end + 1);
      if (found !== NO_MATCH) return found;
      if (!this.fits(s, p, end)) return NO_MATCH;
    }
  }

  private open(s: number, p: number, length: number): number {
    const { level } = this;
    if (level >= CAPTURES_MAX) throw new PatternError('too many captures');
    this.starts[level] = s;
    this.lengths[level] = length;
    this.level = level + 1;
    const found = this.match(s, p);
    if (found === NO_MATCH) this.level -= 1;
    return found;
  }

  private close(s: number, p: number): number {
    let index = this.level - 1;
    while (index >= 0 && this.lengths[index] !== UNFINISHED) index -= 1;
    if (index < 0) throw new PatternError('invalid pattern capture');
    this.lengths[index] = s - this.starts[index]!;
    const found = this.match(s, p);
    if (found === NO_MATCH) this.lengths[index] = UNFINISHED;
    return found;
  }

  /** The same bytes as a capture of this match has. */
  private again(s: number, digit: number): number {
    const index = digit - 0x31;
    const length = this.lengths[index];
    if (index < 0 || index >= this.level || length === UNFINISHED || length === undefined)
      throw new PatternError('invalid capture index');
    const from = this.starts[index]!;
    const { subject } = this;
    // of a position C compares a length beyond any subject's
    if (length < 0 || s + length > subject.length) return NO_MATCH;
    return subject.compare(subject, from, from + length, s, s + length) === 0 ? s + length : NO_MATCH;
  }

  private balanced(from: number, p: number): number {
    const { subject, pattern } = this;
    if (p + 1 >= pattern.length) throw new PatternError('unbalanced pattern');
    const [opening, closing] = [pattern[p], pattern[p + 1]];
    if (from === subject.length || subject[from] !== opening) return NO_MATCH;
    let depth = 1;
    for (let s = from + 1; s < subject.length; s++) {
      this.step();
      if (subject[s] === closing) {
        depth -= 1;
        if (depth === 0) return s + 1;
      } else if (subject[s] === opening) depth += 1;
    }
    return NO_MATCH;
  }
}

const REPEATS: ReadonlySet<number> = new Set([STAR, PLUS, MINUS]);

/** About how many steps a pattern can take on so many bytes, at worst. */
export function worstSteps(pattern: Buffer, bytes: number): number {
  let steps = bytes + 1;
  for (let p = 1; p < pattern.length; p++) {
    const byte = pattern[p]!;
    if (REPEATS.has(byte)) steps *= bytes + 1;
    else if (byte === QUESTION) steps *= 2;
    else if (byte === 0x62 && pattern[p - 1] === PERCENT) steps *= bytes + 1;
  }
  return steps;
}
