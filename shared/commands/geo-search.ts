/**
 * GEOSEARCH, GEOSEARCHSTORE and the older GEORADIUS commands. Redis looks at the key before it reads the arguments,
 * and at a member's position while it does; so what is wrong with them goes along to the server.
 */
import { ClientError } from '../errors.js';
import type { Position } from '../geo/geohash.js';
import { positionOf } from '../geo/geohash.js';
import type { Shape } from '../geo/shape.js';
import { type GeoSearch, geoSearch, geoSearchStore, Order } from '../operations/geo.js';
import type { Operation, OperationResult } from '../operations/operation.js';
import { fromWire } from '../operations/zsets.js';
import { at, integer, SYNTAX_ERROR, word } from './arguments.js';
import type { Command, KeyedCommand, TranslateContext } from './command.js';
import { coordinates, distanceText, double, onOneKey, positionAt, unit } from './geo-arguments.js';
import type { Reply } from './reply.js';

/** How the commands differ. */
interface Form {
  /** As errors say it. */
  readonly name: string;
  /** Where the key is. */
  readonly key: 0 | 1;
  /** What stands before the options: of GEORADIUS a position and a radius, a member and a radius, or nothing. */
  readonly fixed: 'position' | 'member' | 'none';
  readonly mayStore: boolean;
}

interface Parsed {
  middle: Position | null;
  member: Buffer | null;
  /** Metres. */
  size: { radius: number } | { width: number; height: number } | null;
  unitMetres: number;
  order: Order;
  count: number;
  any: boolean;
  withDistance: boolean;
  withHash: boolean;
  withPosition: boolean;
  store: number | null;
  storeDistance: boolean;
  shapeRefusal: string | null;
  refusal: string | null;
}

const NOWHERE: Position = { longitude: 0, latitude: 0 };

function parse(args: readonly Buffer[], form: Form): Parsed {
  const parsed: Parsed = {
    middle: null,
    member: null,
    size: null,
    unitMetres: 1,
    order: Order.none,
    count: 0,
    any: false,
    withDistance: false,
    withHash: false,
    withPosition: false,
    store: null,
    storeDistance: false,
    shapeRefusal: null,
    refusal: null,
  };
  if (form.fixed === 'member') {
    parsed.member = at(args, 1);
    parsed.shapeRefusal = refusalOf(() => readRadius(parsed, args, 2));
  }
  parsed.refusal = refusalOf(() => {
    if (form.fixed === 'position') {
      parsed.middle = positionAt(args, 1);
      readRadius(parsed, args, 3);
    }
    readOptions(parsed, args, form);
    check(parsed, form);
  });
  return parsed;
}

function refusalOf(read: () => void): string | null {
  try {
    read();
    return null;
  } catch (error) {
    if (error instanceof ClientError) return error.message;
    throw error;
  }
}

function readRadius(parsed: Parsed, args: readonly Buffer[], index: number): void {
  const radius = double(args[index], 'ERR need numeric radius');
  if (radius < 0) throw new ClientError('ERR radius cannot be negative');
  parsed.unitMetres = unit(args[index + 1]);
  parsed.size = { radius: radius * parsed.unitMetres };
}

function readBox(parsed: Parsed, args: readonly Buffer[], index: number): void {
  const width = double(args[index], 'ERR need numeric width');
  const height = double(args[index + 1], 'ERR need numeric height');
  if (width < 0 || height < 0) throw new ClientError('ERR height or width cannot be negative');
  parsed.unitMetres = unit(args[index + 2]);
  parsed.size = { width: width * parsed.unitMetres, height: height * parsed.unitMetres };
}

/** The arguments before the options. */
const FIXED = { position: 5, member: 4, none: 1 } as const;

function readOptions(parsed: Parsed, args: readonly Buffer[], form: Form): void {
  for (let i = FIXED[form.fixed] + form.key; i < args.length; i++) {
    const taken = readFlag(parsed, word(args[i])) ? 0 : readOption(parsed, args, i, form);
    if (taken === null) throw new ClientError(SYNTAX_ERROR);
    i += taken;
  }
}

function readFlag(parsed: Parsed, option: string): boolean {
  if (option === 'WITHDIST') parsed.withDistance = true;
  else if (option === 'WITHHASH') parsed.withHash = true;
  else if (option === 'WITHCOORD') parsed.withPosition = true;
  else if (option === 'ANY') parsed.any = true;
  else if (option === 'ASC') parsed.order = Order.nearest;
  else if (option === 'DESC') parsed.order = Order.farthest;
  else return false;
  return true;
}

/** How many arguments belong to the option; null when it is none. */
function readOption(parsed: Parsed, args: readonly Buffer[], i: number, form: Form): number | null {
  const option = word(args[i]);
  const follow = args.length - 1 - i;
  if (option === 'COUNT' && follow >= 1) {
    parsed.count = Number(integer(args[i + 1]));
    if (parsed.count <= 0) throw new ClientError('ERR COUNT must be > 0');
    return 1;
  }
  if (form.fixed !== 'none') {
    if ((option !== 'STORE' && option !== 'STOREDIST') || follow < 1 || !form.mayStore) return null;
    parsed.store = i + 1;
    parsed.storeDistance = option === 'STOREDIST';
    return 1;
  }
  if (option === 'STOREDIST' && form.mayStore) {
    parsed.storeDistance = true;
    return 0;
  }
  if (option === 'FROMMEMBER' && follow >= 1 && parsed.middle === null) {
    parsed.member = at(args, i + 1);
    return 1;
  }
  if (option === 'FROMLONLAT' && follow >= 2 && parsed.member === null) {
    parsed.middle = positionAt(args, i + 1);
    return 2;
  }
  if (option === 'BYRADIUS' && follow >= 2 && (parsed.size === null || 'radius' in parsed.size)) {
    readRadius(parsed, args, i + 1);
    return 2;
  }
  if (option === 'BYBOX' && follow >= 3 && (parsed.size === null || 'width' in parsed.size)) {
    readBox(parsed, args, i + 1);
    return 3;
  }
  return null;
}

function check(parsed: Parsed, form: Form): void {
  const stores = parsed.store !== null || form.key === 1;
  if (stores && (parsed.withDistance || parsed.withHash || parsed.withPosition)) {
    const what = form.fixed === 'none' ? 'GEOSEARCHSTORE' : 'STORE option in GEORADIUS';
    throw new ClientError(`ERR ${what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`);
  }
  if (form.fixed === 'none' && parsed.member === null && parsed.middle === null) {
    throw new ClientError(`ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${form.name}`);
  }
  if (form.fixed === 'none' && parsed.size === null) {
    throw new ClientError(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${form.name}`);
  }
  if (parsed.any && parsed.count === 0) throw new ClientError('ERR the ANY argument requires COUNT argument');
}

const translate =
  (form: Form) =>
  (args: readonly Buffer[], context: TranslateContext): Operation => {
    const parsed = parse(args, form);
    const { any, count, member, shapeRefusal, refusal } = parsed;
    const shape: Shape = { middle: parsed.middle ?? NOWHERE, ...(parsed.size ?? { radius: 0 }) };
    const order = parsed.order === Order.none && count > 0 && !any ? Order.nearest : parsed.order;
    const search: GeoSearch = { key: at(args, form.key), shape, member, shapeRefusal, refusal, order, count, any };
    if (form.key === 0 && parsed.store === null) return geoSearch(search);
    const to = at(args, parsed.store ?? 0);
    const unitMetres = parsed.storeDistance ? parsed.unitMetres : null;
    return geoSearchStore(search, to, unitMetres, context.zsetLimits ?? null, form.fixed !== 'none');
  };

const reply =
  (form: Form) =>
  (result: OperationResult, args: readonly Buffer[]): Reply => {
    if (typeof result === 'number') return result;
    const { withDistance, withHash, withPosition, unitMetres } = parse(args, form);
    const flat = result as readonly OperationResult[];
    const members: Reply[] = [];
    for (let i = 0; i < flat.length; i += 3) {
      const member = flat[i] as Buffer;
      const score = fromWire(flat[i + 2]!);
      const facts: Reply[] = [];
      if (withDistance) facts.push(distanceText(Number(flat[i + 1]) / unitMetres));
      if (withHash) facts.push(Math.trunc(score));
      if (withPosition) facts.push(coordinates(positionOf(score)));
      members.push(facts.length === 0 ? member : [member, ...facts]);
    }
    return members;
  };

function command(form: Form): Pick<KeyedCommand, 'translate' | 'reply'> {
  return { translate: translate(form), reply: reply(form) };
}

/** Of the older commands: the last STORE or STOREDIST says where. */
const storeKey =
  (form: Form) =>
  (args: readonly Buffer[]): readonly number[] => {
    const { store } = parse(args, form);
    return store === null ? [] : [store];
  };

const searchForm: Form = { name: 'geosearch', key: 0, fixed: 'none', mayStore: false };
const storeForm: Form = { name: 'geosearchstore', key: 1, fixed: 'none', mayStore: true };
const radiusForm: Form = { name: 'georadius', key: 0, fixed: 'position', mayStore: true };
const memberForm: Form = { name: 'georadiusbymember', key: 0, fixed: 'member', mayStore: true };

const reads = { flags: ['readonly'], categories: ['read', 'geo', 'slow'] } as const;
const writes = { flags: ['write', 'denyoom'], categories: ['write', 'geo', 'slow'] } as const;
const mayStore = { ...writes, flags: ['write', 'denyoom', 'movablekeys'] } as const;

const geosearch = {
  ...onOneKey,
  ...reads,
  ...command(searchForm),
  name: 'geosearch',
  arity: -7,
  since: '6.2.0',
  summary: 'Finds the members of a sorted set within a circle or a box.',
} as const satisfies KeyedCommand;

const geosearchstore = {
  ...onOneKey,
  ...writes,
  ...command(storeForm),
  name: 'geosearchstore',
  arity: -8,
  since: '6.2.0',
  keys: { first: 1, last: 2, step: 1 },
  summary: 'Stores the members of a sorted set that are within a circle or a box.',
} as const satisfies KeyedCommand;

const georadius = {
  ...onOneKey,
  ...mayStore,
  ...command(radiusForm),
  optionKeys: storeKey(radiusForm),
  name: 'georadius',
  arity: -6,
  since: '3.2.0',
  summary: 'Finds, or stores, the members of a sorted set around a position.',
} as const satisfies KeyedCommand;

const georadiusRo = {
  ...onOneKey,
  ...reads,
  ...command({ ...radiusForm, mayStore: false }),
  name: 'georadius_ro',
  arity: -6,
  since: '3.2.10',
  summary: 'Finds the members of a sorted set around a position.',
} as const satisfies KeyedCommand;

const georadiusbymember = {
  ...onOneKey,
  ...mayStore,
  ...command(memberForm),
  optionKeys: storeKey(memberForm),
  name: 'georadiusbymember',
  arity: -5,
  since: '3.2.0',
  summary: 'Finds, or stores, the members of a sorted set around one of them.',
} as const satisfies KeyedCommand;

const georadiusbymemberRo = {
  ...onOneKey,
  ...reads,
  ...command({ ...memberForm, mayStore: false }),
  name: 'georadiusbymember_ro',
  arity: -5,
  since: '3.2.10',
  summary: 'Finds the members of a sorted set around one of them.',
} as const satisfies KeyedCommand;

export const geoSearchCommands: readonly Command[] = [
  geosearch,
  geosearchstore,
  georadius,
  georadiusRo,
  georadiusbymember,
  georadiusbymemberRo,
];
