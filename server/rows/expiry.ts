/** When a row or field expires: what clients give, turned into milliseconds since 1970 on partition time. */
import { ClientError } from '../../shared/errors.js';
import { Expiry } from '../../shared/operations/codes.js';
import type { Row, RowChange, View } from '../execution/view.js';

/** Rows keep 48 bits: the year 10889. What is later expires then. */
const LATEST_MS = 2 ** 48 - 1;

/** `expireAtMs` of a row, 0 for none. May lie in the past: `isPast` says so. `kept` is the row's own. */
export function expireAt(view: View, expiry: number, ms: number, kept: number): number {
  switch (expiry) {
    case Expiry.none:
      return 0;
    case Expiry.keep:
      return kept;
    case Expiry.relative:
      return bounded(view.nowMs + ms);
    case Expiry.absolute:
      return bounded(ms);
    default:
      throw new ClientError(`ERR malformed operation: expiry ${expiry}`);
  }
}

/** True when a row that expires then is gone already. */
export function isPast(view: View, expireAtMs: number): boolean {
  return expireAtMs !== 0 && view.isPast(expireAtMs);
}

/** The row as it is, but for its expiry. */
export function withExpiry(row: Row, expireAtMs: number): RowChange {
  const { type, encoding, size, bytes, large, value } = row;
  return { type, encoding, expireAtMs, size, bytes, large, value };
}

/** What PTTL answers for a row that is there: -1 without expiry. */
export function timeLeft(view: View, expireAtMs: number): number {
  return expireAtMs === 0 ? -1 : Math.max(0, expireAtMs - view.nowMs);
}

/** Never 0, which means "no expiry": whatever is before 1970 is past. */
function bounded(ms: number): number {
  return Math.min(LATEST_MS, Math.max(1, Math.floor(ms)));
}
