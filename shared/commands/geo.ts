/** Positions in sorted sets. Searching for them is in geo-search.ts. */
import { ClientError } from '../errors.js';
import { cellAt, geohashText, positionOf, scoreOf, STEPS } from '../geo/geohash.js';
import { distance } from '../geo/shape.js';
import type { OperationResult } from '../operations/operation.js';
import * as operations from '../operations/zsets.js';
import { AddFlag, fromWire } from '../operations/zsets.js';
import { at, SYNTAX_ERROR, word } from './arguments.js';
import type { Command, KeyedCommand } from './command.js';
import { coordinates, distanceText, onOneKey, positionAt, unit } from './geo-arguments.js';
import { geoSearchCommands } from './geo-search.js';
import { NULL_ARRAY, type Reply } from './reply.js';

interface AddOptions {
  readonly flags: number;
  readonly changed: boolean;
  readonly first: number;
}

function addOptions(args: readonly Buffer[]): AddOptions {
  let flags = 0;
  let changed = false;
  for (let first = 1; ; first++) {
    const option = word(args[first]);
    if (option === 'NX') flags |= AddFlag.ifNew;
    else if (option === 'XX') flags |= AddFlag.ifPresent;
    else if (option === 'CH') changed = true;
    else return { flags, changed, first };
  }
}

const geoadd = {
  ...onOneKey,
  name: 'geoadd',
  arity: -5,
  since: '3.2.0',
  flags: ['write', 'denyoom'],
  categories: ['write', 'geo', 'slow'],
  summary: 'Adds members with their positions to a sorted set.',
  translate: (args, context) => {
    const { flags, first } = addOptions(args);
    const triples = args.slice(first);
    const both = AddFlag.ifNew | AddFlag.ifPresent;
    if (triples.length % 3 !== 0 || (flags & both) === both) throw new ClientError(SYNTAX_ERROR);
    const members = Array.from({ length: triples.length / 3 }, (_, i) => ({
      score: scoreOf(cellAt(positionAt(triples, 3 * i), STEPS)),
      member: at(triples, 3 * i + 2),
    }));
    // Redis turns it into a ZADD, which has this error.
    if (members.length === 0) throw new ClientError(SYNTAX_ERROR);
    return operations.zsetAdd(at(args, 0), context.zsetLimits ?? null, flags, members);
  },
  reply: (result, args) => {
    const [added, updated] = result as readonly [number, number];
    return addOptions(args).changed ? added + updated : added;
  },
} as const satisfies KeyedCommand;

const reads = { ...onOneKey, since: '3.2.0', flags: ['readonly'], categories: ['read', 'geo', 'slow'] } as const;

/** Of each score that is there. */
const each = (result: OperationResult, absent: Reply, tell: (score: number) => Reply): Reply =>
  (result as readonly OperationResult[]).map((score) => (score === null ? absent : tell(fromWire(score))));

const geodist = {
  ...reads,
  name: 'geodist',
  arity: -4,
  summary: 'Returns how far two members of a sorted set are from each other.',
  translate: (args) => {
    if (args.length === 4) unit(args[3]);
    else if (args.length > 4) throw new ClientError(SYNTAX_ERROR);
    return operations.zsetScores(at(args, 0), args.slice(1, 3));
  },
  reply: (result, args) => {
    const [from = null, to = null] = result as readonly OperationResult[];
    if (from === null || to === null) return null;
    const metres = distance(positionOf(fromWire(from)), positionOf(fromWire(to)));
    return distanceText(metres / (args.length === 4 ? unit(args[3]) : 1));
  },
} as const satisfies KeyedCommand;

const geohash = {
  ...reads,
  name: 'geohash',
  arity: -2,
  summary: 'Returns the positions of members of a sorted set as text that geohash.org understands.',
  translate: (args) => operations.zsetScores(at(args, 0), args.slice(1)),
  reply: (result) => each(result, null, geohashText),
} as const satisfies KeyedCommand;

const geopos = {
  ...reads,
  name: 'geopos',
  arity: -2,
  summary: 'Returns the longitudes and latitudes of members of a sorted set.',
  translate: (args) => operations.zsetScores(at(args, 0), args.slice(1)),
  reply: (result) => each(result, NULL_ARRAY, (score) => coordinates(positionOf(score))),
} as const satisfies KeyedCommand;

export const geoCommands: readonly Command[] = [geoadd, geodist, geohash, geopos, ...geoSearchCommands];
