/**
 * Redis's glob patterns on bytes: `*`, `?`, `[a-z]`, `[^x]`, backslash. Only `*` matches more than one byte,
 * so when something fails it is enough to let the last `*` take one byte more; earlier ones need not be tried
 * again. Time is bounded by pattern length times text length, and there is no recursion.
 *
 * Oddities are Redis's: an unterminated class ends with the pattern, a range may be given backwards, and
 * nothing but the lone `*` matches the empty text.
 */
const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const MINUS = 0x2d;
const BACKSLASH = 0x5c;

/** `ignoreCase`: of ASCII letters. */
export function globMatches(pattern: Uint8Array, text: Uint8Array, ignoreCase = false): boolean {
  if (pattern.length === 1 && pattern[0] === STAR) return true;
  if (text.length === 0) return pattern.length === 0;
  let p = 0;
  let t = 0;
  let afterStar = -1;
  let starText = 0;
  while (t < text.length) {
    if (pattern[p] === STAR) {
      p++;
      if (p === pattern.length) return true;
      afterStar = p;
      starText = t;
      continue;
    }
    const next = p < pattern.length ? matchOne(pattern, p, text[t]!, ignoreCase) : -1;
    if (next >= 0) {
      p = next;
      t++;
    } else if (afterStar >= 0) {
      p = afterStar;
      t = ++starText;
    } else {
      return false;
    }
  }
  while (pattern[p] === STAR) p++;
  return p === pattern.length;
}

/** The position behind the pattern's element at `p` when it matches `byte`, else -1. */
function matchOne(pattern: Uint8Array, p: number, byte: number, ignoreCase: boolean): number {
  switch (pattern[p]) {
    case QUESTION:
      return p + 1;
    case OPEN:
      return matchClass(pattern, p + 1, byte, ignoreCase);
    case BACKSLASH: {
      const literal = p + 1 < pattern.length ? p + 1 : p;
      return fold(pattern[literal]!, ignoreCase) === fold(byte, ignoreCase) ? literal + 1 : -1;
    }
    default:
      return fold(pattern[p]!, ignoreCase) === fold(byte, ignoreCase) ? p + 1 : -1;
  }
}

/** `p` is behind the bracket. */
function matchClass(pattern: Uint8Array, p: number, byte: number, ignoreCase: boolean): number {
  const negated = pattern[p] === CARET;
  const wanted = fold(byte, ignoreCase);
  let at = negated ? p + 1 : p;
  let found = false;
  while (at < pattern.length) {
    if (pattern[at] === BACKSLASH && at + 1 < pattern.length) {
      // An escaped byte is compared as it is, also when case is ignored.
      if (pattern[at + 1] === byte) found = true;
      at += 2;
    } else if (pattern[at] === CLOSE) {
      return found !== negated ? at + 1 : -1;
    } else if (pattern[at + 1] === MINUS && at + 2 < pattern.length) {
      const a = fold(pattern[at]!, ignoreCase);
      const b = fold(pattern[at + 2]!, ignoreCase);
      if (wanted >= Math.min(a, b) && wanted <= Math.max(a, b)) found = true;
      at += 3;
    } else {
      if (fold(pattern[at]!, ignoreCase) === wanted) found = true;
      at++;
    }
  }
  return found !== negated ? at : -1;
}

function fold(byte: number, ignoreCase: boolean): number {
  return ignoreCase && byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte;
}
