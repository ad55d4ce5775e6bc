/**
 * Positions as scores of a sorted set: longitude and latitude, each as the number of one of 2^26 equal intervals,
 * with their bits interleaved to 52, the longitude's first. So positions near each other often have near scores, and
 * all within one interval of 2^n have scores in one range.
 */
export const LONGITUDE_MAX = 180;
/** Where Mercator's map is a square. */
export const LATITUDE_MAX = 85.05112878;
export const STEPS = 26;

const WORD = 2 ** 32;
const ALPHABET = '0123456789bcdefghjkmnpqrstuvwxyz';
const TEXT_LETTERS = 11;
const LETTER_BITS = 5;
/** Geohashes that are text have all latitudes. */
const TEXT_LATITUDE_MAX = 90;

export interface Position {
  readonly longitude: number;
  readonly latitude: number;
}

/** Interval numbers; at the far ends 2^steps, as in Redis. */
export interface Cell {
  readonly x: number;
  readonly y: number;
  readonly steps: number;
}

/** Least and greatest longitude and latitude. */
export interface Area {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

export function cellAt({ longitude, latitude }: Position, steps: number, latitudeMax: number = LATITUDE_MAX): Cell {
  const across = (longitude + LONGITUDE_MAX) / (2 * LONGITUDE_MAX);
  const up = (latitude + latitudeMax) / (latitudeMax - -latitudeMax);
  return { x: Math.floor(across * 2 ** steps), y: Math.floor(up * 2 ** steps), steps };
}

export function areaOf({ x, y, steps }: Cell): Area {
  const side = 2 ** steps;
  const longitude = (n: number): number => -LONGITUDE_MAX + (n / side) * (2 * LONGITUDE_MAX);
  const latitude = (n: number): number => -LATITUDE_MAX + (n / side) * (2 * LATITUDE_MAX);
  return { west: longitude(x), east: longitude(x + 1), south: latitude(y), north: latitude(y + 1) };
}

/** The score of a position, or of the first position within a larger cell. */
export function scoreOf({ x, y, steps }: Cell): number {
  return (2 * spread(x) + spread(y)) * 2 ** (2 * (STEPS - steps));
}

/** The middle of the cell that a score stands for; of scores that stand for none, whatever their bits say. */
export function positionOf(score: number): Position {
  const [high, low] = words(score);
  const cell = { x: gathered(high >>> 1, low >>> 1), y: gathered(high, low), steps: STEPS };
  const { west, east, south, north } = areaOf(cell);
  return {
    longitude: within((west + east) / 2, LONGITUDE_MAX),
    latitude: within((south + north) / 2, LATITUDE_MAX),
  };
}

/** As geohash.org writes it. The last letter would need more bits than there are: Redis has a 0. */
export function geohashText(score: number): string {
  const hash = scoreOf(cellAt(positionOf(score), STEPS, TEXT_LATITUDE_MAX));
  let text = '';
  for (let letter = 1; letter < TEXT_LETTERS; letter++) {
    text += ALPHABET[Math.floor(hash / 2 ** (2 * STEPS - letter * LETTER_BITS)) % ALPHABET.length];
  }
  return `${text}0`;
}

function within(value: number, max: number): number {
  return Math.max(-max, Math.min(max, value));
}

/** Bits 32 to 63, and 0 to 31, of what C's conversion to uint64 makes of a score (on x86, beyond what C defines). */
function words(score: number): [high: number, low: number] {
  if (score >= 0 && score < Number.MAX_SAFE_INTEGER) {
    const whole = Math.floor(score);
    return [Math.floor(whole / WORD), whole >>> 0];
  }
  if (score >= 2 ** 64) return [0, 0];
  const bits = score < -(2 ** 63) ? 2n ** 63n : BigInt.asUintN(64, BigInt(Math.trunc(score)));
  return [Number(bits >> 32n), Number(bits & 0xffffffffn)];
}

/** A number of up to 27 bits with a 0 before each of its bits. */
function spread(value: number): number {
  return spreadHalf(value >>> 16) * WORD + spreadHalf(value & 0xffff);
}

function spreadHalf(half: number): number {
  let bits = half;
  bits = (bits | (bits << 8)) & 0x00ff00ff;
  bits = (bits | (bits << 4)) & 0x0f0f0f0f;
  bits = (bits | (bits << 2)) & 0x33333333;
  return ((bits | (bits << 1)) & 0x55555555) >>> 0;
}

/** Every second bit of both words, from the lowest on. */
function gathered(high: number, low: number): number {
  return gatheredHalf(high) * 2 ** 16 + gatheredHalf(low);
}

function gatheredHalf(word: number): number {
  let bits = word & 0x55555555;
  bits = (bits | (bits >>> 1)) & 0x33333333;
  bits = (bits | (bits >>> 2)) & 0x0f0f0f0f;
  bits = (bits | (bits >>> 4)) & 0x00ff00ff;
  return (bits | (bits >>> 8)) & 0xffff;
}
