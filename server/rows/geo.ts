/** Searching sorted sets by position. All members within the cells that the shape touches are read and measured. */
import { ClientError } from '../../shared/errors.js';
import { positionOf } from '../../shared/geo/geohash.js';
import { distanceWithin, scoreRanges, type Shape } from '../../shared/geo/shape.js';
import { limits } from '../../shared/limits.js';
import { Order, SEARCH_ARGUMENTS, shapeFromWire } from '../../shared/operations/geo.js';
import { toWire } from '../../shared/operations/zsets.js';
import type { Execute, Row, View } from '../execution/view.js';
import {
  type Arguments,
  booleanAt,
  bytesAt,
  bytesOrNullAt,
  compactLimitsAt,
  listAt,
  numberAt,
  stringOrNullAt,
} from './arguments.js';
import { SortedSet } from './sorted-set.js';
import { membersIn, position, type Scored, scoreIn, zsetRow } from './zset-rows.js';

const NO_POSITION = 'ERR could not decode requested zset member';
const EMPTY = Buffer.alloc(0);

interface Found extends Scored {
  readonly metres: number;
}

export const geoSearch: Execute = (view, args) =>
  found(view, args).flatMap(({ member, metres, score }) => [member, metres, toWire(score)]);

export const geoSearchStore: Execute = (view, args) => {
  const unitMetres = args[1] === null ? null : numberAt(args, 1);
  const members = found(view, args.slice(3));
  const to = bytesAt(args, 0);
  const wasThere = view.peek(to) !== null;
  const set = SortedSet.replacing(view, to, compactLimitsAt(args, 2));
  for (const { member, metres, score } of members)
    set.put(member, unitMetres === null ? score : metres / unitMetres, null);
  set.finish();
  const older = args[3 + SEARCH_ARGUMENTS] === true;
  if (members.length > 0) view.notify(older ? 'georadiusstore' : 'geosearchstore', to);
  else if (wasThere) view.notify('del', to);
  return members.length;
};

/** The arguments are those of a search in shared/operations/geo.ts. */
function found(view: View, args: Arguments): Found[] {
  const key = bytesAt(args, 0);
  const row = zsetRow(view, key);
  let shape = shapeFromWire(listAt(args, 1));
  const member = bytesOrNullAt(args, 2);
  if (row !== null && member !== null) shape = { ...shape, middle: middleAt(view, key, row, member) };
  const refusal = (row === null ? null : stringOrNullAt(args, 3)) ?? stringOrNullAt(args, 4);
  if (refusal !== null) throw new ClientError(refusal);
  if (row === null) return [];
  const count = numberAt(args, 6);
  const within = membersWithin(view, key, row, shape, booleanAt(args, 7) ? count : Infinity);
  switch (numberAt(args, 5)) {
    case Order.nearest:
      within.sort((a, b) => a.metres - b.metres);
      break;
    case Order.farthest:
      within.sort((a, b) => b.metres - a.metres);
      break;
  }
  return count === 0 ? within : within.slice(0, count);
}

function middleAt(view: View, key: Buffer, row: Row, member: Buffer): ReturnType<typeof positionOf> {
  const score = scoreIn(view, key, row, member);
  if (score === null) throw new ClientError(NO_POSITION);
  return positionOf(score);
}

/** In Redis's order, not more than `most`. */
function membersWithin(view: View, key: Buffer, row: Row, shape: Shape, most: number): Found[] {
  const within: Found[] = [];
  for (const { min, max } of scoreRanges(shape)) {
    const lt = position(max, EMPTY);
    let gte = position(min, EMPTY);
    for (;;) {
      const page = membersIn(view, key, row, { gte, lt }, false, 0, limits.geoPage);
      for (const { member, score } of page) {
        const metres = distanceWithin(shape, positionOf(score));
        if (metres !== null) within.push({ member, score, metres });
        if (within.length >= most) return within;
      }
      const last = page.at(-1);
      if (last === undefined || page.length < limits.geoPage) break;
      gte = Buffer.concat([position(last.score, last.member), Buffer.alloc(1)]);
    }
  }
  return within;
}
