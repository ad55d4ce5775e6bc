/** Searching sorted sets whose scores are positions (shared/geo). */
import type { Shape } from '../geo/shape.js';
import { Code, type CompactLimits } from './codes.js';
import type { Operation, OperationArgument, OperationResult } from './operation.js';
import { fromWire, toWire } from './zsets.js';

export const Order = { none: 0, nearest: 1, farthest: 2 } as const;
export type Order = (typeof Order)[keyof typeof Order];

/** What a search wants. Redis reports some of what is wrong only after it has looked at the key. */
export interface GeoSearch {
  readonly key: Buffer;
  /** Its middle is not used where there is a member. */
  readonly shape: Shape;
  /** Whose position is the middle. */
  readonly member: Buffer | null;
  /** What is wrong, where the key exists. */
  readonly shapeRefusal: string | null;
  /** What is wrong, also where it does not. */
  readonly refusal: string | null;
  readonly order: Order;
  /** How many at most; 0: all. */
  readonly count: number;
  /** Any so many rather than the nearest. */
  readonly any: boolean;
}

/** `[member, metres from the middle, score, ...]` of what lies within the shape. */
export const geoSearch = (search: GeoSearch): Operation => [Code.geoSearch, ...wireSearch(search)];

/**
 * How many were stored at `to`, in place of what is there, with their scores, or (`unitMetres` not null) with their
 * distances in this unit. `older`: by GEORADIUS or GEORADIUSBYMEMBER, as its event says.
 */
export const geoSearchStore = (
  search: GeoSearch,
  to: Buffer,
  unitMetres: number | null,
  compact: CompactLimits | null,
  older: boolean,
): Operation => [Code.geoSearchStore, to, unitMetres, compact, ...wireSearch(search), older];

export const SEARCH_ARGUMENTS = 8;

function wireSearch(search: GeoSearch): readonly OperationArgument[] {
  const { key, shape, member, shapeRefusal, refusal, order, count, any } = search;
  const { longitude, latitude } = shape.middle;
  const sides = 'radius' in shape ? [shape.radius] : [shape.width, shape.height];
  const numbers = [longitude, latitude, ...sides].map(toWire);
  return [key, numbers, member, shapeRefusal, refusal, order, count, any];
}

/** From what `wireSearch` made of it. */
export function shapeFromWire(numbers: readonly (OperationArgument | OperationResult)[]): Shape {
  const [longitude = 0, latitude = 0, first = 0, second] = numbers.map(fromWire);
  const middle = { longitude, latitude };
  return second === undefined ? { middle, radius: first } : { middle, width: first, height: second };
}
