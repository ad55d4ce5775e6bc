/**
 * How often a row is accessed, on Redis's logarithmic scale of 0 to 255: the higher it is, the less likely an access is
 * to raise it, and it falls by one a minute without access. Kept only under a policy that asks for it.
 */
import type { Row } from './view.js';

/** Of a new row, so that it is not the first to go. */
export const NEW_FREQUENCY = 5;
const FREQUENCY_MAX = 255;
/** Redis's lfu-log-factor and, in seconds, its lfu-decay-time. */
const LOG_FACTOR = 10;
const DECAY_S = 60;

/** As it is now. */
export function decayed({ frequency, accessedAtS }: Row, nowS: number): number {
  return Math.max(0, frequency - Math.max(0, Math.floor((nowS - accessedAtS) / DECAY_S)));
}

/** After one more access. `random`: uniform in [0, 1). */
export function raised(row: Row, nowS: number, random: number): number {
  const now = decayed(row, nowS);
  if (now >= FREQUENCY_MAX) return now;
  return random < 1 / (Math.max(0, now - NEW_FREQUENCY) * LOG_FACTOR + 1) ? now + 1 : now;
}
