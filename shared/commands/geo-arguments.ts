/** How the geo commands read positions, units and numbers, and how they print them. */
import { formatDouble, parseDouble } from '../doubles.js';
import { ClientError } from '../errors.js';
import type { Position } from '../geo/geohash.js';
import { isOnMap } from '../geo/shape.js';
import { formatLongDouble, longDoubleOf } from '../long-double.js';
import { word } from './arguments.js';
import { DoubleReply, type Reply } from './reply.js';

export const onOneKey = { group: 'geo', support: 'yes', run: 'keyed', keys: { first: 1, last: 1, step: 1 } } as const;

const METRES: ReadonlyMap<string, number> = new Map([
  ['M', 1],
  ['KM', 1_000],
  ['FT', 0.3048],
  ['MI', 1_609.34],
]);
const PRINTED_PLAIN = 1e21;
const DISTANCE_SCALE = 10_000;
const DISTANCE_DIGITS = 4;

/** How many metres a unit has. */
export function unit(argument: Buffer | undefined): number {
  const metres = METRES.get(word(argument));
  if (metres === undefined) throw new ClientError('ERR unsupported unit provided. please use M, KM, FT, MI');
  return metres;
}

export function double(argument: Buffer | undefined, error = 'ERR value is not a valid float'): number {
  const value = argument === undefined ? null : parseDouble(argument);
  if (value === null) throw new ClientError(error);
  return value;
}

export function positionAt(args: readonly Buffer[], index: number): Position {
  const given = { longitude: double(args[index]), latitude: double(args[index + 1]) };
  if (isOnMap(given)) return given;
  const pair = `${sixDigits(given.longitude)},${sixDigits(given.latitude)}`;
  throw new ClientError(`ERR invalid longitude,latitude pair ${pair}`);
}

/** As %f prints it. */
function sixDigits(value: number): string {
  if (!Number.isFinite(value)) return formatDouble(value);
  return Math.abs(value) < PRINTED_PLAIN ? value.toFixed(6) : `${BigInt(value)}.000000`;
}

export function coordinates({ longitude, latitude }: Position): Reply {
  return [longitude, latitude].map((value) => new DoubleReply(value, formatLongDouble(longDoubleOf(value))));
}

/** With four digits behind the point, rounded as C does: what lies in the middle to the even one. */
export function distanceText(value: number): string {
  const scaled = value * DISTANCE_SCALE;
  const below = Math.floor(scaled);
  const behind = scaled - below;
  const rounded = behind > 0.5 || (behind === 0.5 && below % 2 === 1) ? below + 1 : below;
  const digits = BigInt(rounded)
    .toString()
    .padStart(DISTANCE_DIGITS + 1, '0');
  return `${digits.slice(0, -DISTANCE_DIGITS)}.${digits.slice(-DISTANCE_DIGITS)}`;
}
