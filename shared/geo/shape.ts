/**
 * What a search covers: a circle or a box around a position; and the ranges of scores in which all of it lies: the
 * cell around the middle and its neighbours, as large as Redis takes them, so that what is found comes in its order.
 */
import { areaOf, type Cell, cellAt, LATITUDE_MAX, type Position, scoreOf, STEPS } from './geohash.js';

/** As for WGS 84, in metres. */
const EARTH_RADIUS = 6_372_797.560856;
const MERCATOR_MAX = 20_037_726.37;
const RADIANS = Math.PI / 180;
/** Towards the poles meridians are nearer to each other, and cells must be larger: beyond these once and twice. */
const POLAR_LATITUDES = [66, 80];

/** Metres. A circle has a radius, a box a width and a height. */
export type Shape =
  | { readonly middle: Position; readonly radius: number }
  | { readonly middle: Position; readonly width: number; readonly height: number };

/** Scores from `min` up to, not including, `max`. */
export interface ScoreRange {
  readonly min: number;
  readonly max: number;
}

/** Metres along the great circle. */
export function distance(a: Position, b: Position): number {
  const v = Math.sin((b.longitude * RADIANS - a.longitude * RADIANS) / 2);
  if (v === 0) return latitudeDistance(a, b);
  const from = a.latitude * RADIANS;
  const to = b.latitude * RADIANS;
  const u = Math.sin((to - from) / 2);
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(u * u + Math.cos(from) * Math.cos(to) * v * v));
}

function latitudeDistance(a: Position, b: Position): number {
  return EARTH_RADIUS * Math.abs(b.latitude * RADIANS - a.latitude * RADIANS);
}

/** How far from the middle a position within the shape is; null when it lies outside. */
export function distanceWithin(shape: Shape, position: Position): number | null {
  const { middle } = shape;
  if ('radius' in shape) {
    const metres = distance(middle, position);
    return metres > shape.radius ? null : metres;
  }
  if (latitudeDistance(position, middle) > shape.height / 2) return null;
  const beside = { longitude: middle.longitude, latitude: position.latitude };
  return distance(position, beside) > shape.width / 2 ? null : distance(middle, position);
}

/** In the order in which Redis looks through them; none twice in a row. */
export function scoreRanges(shape: Shape): ScoreRange[] {
  const ranges: ScoreRange[] = [];
  let previous = -1;
  let processed = 0;
  for (const [i, cell] of cellsAround(shape).entries()) {
    if (cell === null) continue;
    const min = scoreOf(cell);
    // Of huge shapes neighbours may be the same cell. Redis does not compare with the middle one.
    if (processed > 0 && min === previous) continue;
    ranges.push({ min, max: min + 2 ** (2 * (STEPS - cell.steps)) });
    previous = min;
    processed = i;
  }
  return ranges;
}

/** The middle cell, then its neighbours; null for those that the shape cannot reach. */
function cellsAround(shape: Shape): (Cell | null)[] {
  const bounds = boundsOf(shape);
  let steps = stepsFor(shape);
  let cell = cellAt(shape.middle, steps);
  const reaches =
    areaOf(moved(cell, 0, 1)).north < bounds.north ||
    areaOf(moved(cell, 0, -1)).south > bounds.south ||
    areaOf(moved(cell, 1, 0)).east < bounds.east ||
    areaOf(moved(cell, -1, 0)).west > bounds.west;
  if (steps > 1 && reaches) {
    steps--;
    cell = cellAt(shape.middle, steps);
  }
  const area = areaOf(cell);
  const useless = {
    south: steps >= 2 && area.south < bounds.south,
    north: steps >= 2 && area.north > bounds.north,
    west: steps >= 2 && area.west < bounds.west,
    east: steps >= 2 && area.east > bounds.east,
  };
  const neighbour = (x: -1 | 0 | 1, y: -1 | 0 | 1): Cell | null => {
    const without = (x < 0 && useless.west) || (x > 0 && useless.east) || (y < 0 && useless.south);
    return without || (y > 0 && useless.north) ? null : moved(cell, x, y);
  };
  return [
    cell,
    neighbour(0, 1),
    neighbour(0, -1),
    neighbour(1, 0),
    neighbour(-1, 0),
    neighbour(1, 1),
    neighbour(-1, 1),
    neighbour(1, -1),
    neighbour(-1, -1),
  ];
}

/** Around the earth; from pole to pole likewise, which only huge shapes need. */
function moved({ x, y, steps }: Cell, east: number, north: number): Cell {
  const side = 2 ** steps;
  const turn = (n: number, by: number): number => (by === 0 ? n : (n + by + side) % side);
  return { x: turn(x, east), y: turn(y, north), steps };
}

function stepsFor(shape: Shape): number {
  let metres = 'radius' in shape ? shape.radius : Math.sqrt((shape.width / 2) ** 2 + (shape.height / 2) ** 2);
  if (metres === 0) return STEPS;
  let steps = -1;
  for (; metres < MERCATOR_MAX; metres *= 2) steps++;
  for (const latitude of POLAR_LATITUDES) if (Math.abs(shape.middle.latitude) > latitude) steps--;
  return Math.max(1, Math.min(STEPS, steps));
}

function boundsOf(shape: Shape): { west: number; east: number; south: number; north: number } {
  const { longitude, latitude } = shape.middle;
  const height = 'radius' in shape ? shape.radius : shape.height / 2;
  const width = 'radius' in shape ? shape.radius : shape.width / 2;
  const up = height / EARTH_RADIUS / RADIANS;
  // As Redis has it: of the side that is further from the equator in the north, and in the south.
  const side = latitude < 0 ? latitude - up : latitude + up;
  const across = width / EARTH_RADIUS / Math.cos(side * RADIANS) / RADIANS;
  return { west: longitude - across, east: longitude + across, south: latitude - up, north: latitude + up };
}

export function isOnMap({ longitude, latitude }: Position): boolean {
  return Math.abs(longitude) <= 180 && Math.abs(latitude) <= LATITUDE_MAX;
}
