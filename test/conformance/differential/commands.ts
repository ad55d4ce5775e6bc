/**
 * Command lines for the differential test besides those that the unit tests draw: positions, HyperLogLogs, sorting,
 * dumps, walks, transactions, and lines whose arguments are drawn without regard to what a command takes.
 *
 * Two lines are no commands: TRANSFER key to (a dump of each server is restored in the other one) and WALK command ...
 * (all steps of a SCAN, told as one reply).
 */
import {
  collectionLines,
  type Draw,
  drawn,
  largeCollectionCommands,
  type Line,
  randomCollectionCommands,
  randomCommands,
  stringLines,
} from '../../unit/rows/random-commands.js';
import { largeStreamCommands, randomStreamCommands } from '../../unit/rows/random-stream-commands.js';

export type Words = readonly string[];

const keys = ['a', 'b', 'c', 'd', 'e'];
const places = ['Palermo', 'Catania', 'x', 'y', '', 'Rome', 'Oslo'];
const longitudes = ['13.361389', '15.087269', '0', '-180', '180', '179.9', '12.5', '181', 'x', '-73.9'];
const latitudes = ['38.115556', '37.502669', '0', '-85', '85.05', '86', '41.9', 'x', '59.9'];
const radii = ['0', '1', '100', '500.5', '20000', '-1', 'x', '1e3'];
const units = ['m', 'km', 'ft', 'mi', 'M', 'x'];
const geoKeys = ['g1', 'g2', 'a'];
/** By themselves: what damages a HyperLogLog, as an APPEND does, is found earlier here than in Redis. */
const sketches = ['p1', 'p2', 'p3'];
const words = Array.from({ length: 400 }, (_, i) => `w${i}`);
const yes = (draw: Draw, ...chosen: string[]): string[] => (draw(['0', '1']) === '0' ? chosen : []);

const geoLines: readonly Line[] = [
  ...[1, 2, 3].map(
    (): Line => (draw) => [
      'GEOADD',
      draw(geoKeys),
      ...yes(draw, draw(['NX', 'XX', 'CH', 'ch'])),
      ...[1, 2, 3].flatMap(() => [draw(longitudes), draw(latitudes), draw(places)]),
    ],
  ),
  (draw) => ['GEOADD', draw(geoKeys), draw(longitudes), draw(latitudes), draw(places)],
  (draw) => ['GEOPOS', draw(geoKeys), draw(places), draw(places)],
  (draw) => ['GEOHASH', draw(geoKeys), draw(places), draw(places)],
  (draw) => ['GEODIST', draw(geoKeys), draw(places), draw(places), ...yes(draw, draw(units))],
  ...['GEOSEARCH', 'GEOSEARCHSTORE'].flatMap((name): Line[] => {
    const to = (draw: Draw): string[] => (name === 'GEOSEARCH' ? [] : [draw(geoKeys)]);
    const told = (draw: Draw): string[] =>
      name === 'GEOSEARCH'
        ? [...yes(draw, 'WITHCOORD'), ...yes(draw, 'WITHDIST'), ...yes(draw, 'WITHHASH')]
        : yes(draw, 'STOREDIST');
    const from = (draw: Draw): string[] =>
      draw(['0', '1']) === '0' ? ['FROMMEMBER', draw(places)] : ['FROMLONLAT', draw(longitudes), draw(latitudes)];
    const by = (draw: Draw): string[] =>
      draw(['0', '1']) === '0'
        ? ['BYRADIUS', draw(radii), draw(units)]
        : ['BYBOX', draw(radii), draw(radii), draw(units)];
    // without an order, that of the search would be compared
    return [
      (draw) => [name, ...to(draw), draw(geoKeys), ...from(draw), ...by(draw), draw(['ASC', 'DESC']), ...told(draw)],
      (draw) => [
        name,
        ...to(draw),
        draw(geoKeys),
        ...by(draw),
        ...from(draw),
        'COUNT',
        draw(['1', '2', '0', 'x']),
        ...told(draw),
      ],
    ];
  }),
  (draw) => [
    draw(['GEORADIUS', 'GEORADIUS_RO']),
    draw(geoKeys),
    draw(longitudes),
    draw(latitudes),
    draw(radii),
    draw(units),
    draw(['ASC', 'DESC']),
    ...yes(draw, 'WITHDIST'),
  ],
  (draw) => [
    draw(['GEORADIUSBYMEMBER', 'GEORADIUSBYMEMBER_RO']),
    draw(geoKeys),
    draw(places),
    draw(radii),
    draw(units),
    'ASC',
    ...yes(draw, 'STORE', draw(geoKeys)),
  ],
  (draw) => ['ZRANGE', draw(geoKeys), '0', '-1', 'WITHSCORES'],
];

const sketchLines: readonly Line[] = [
  (draw) => ['PFADD', draw(sketches), draw(words), draw(words), draw(words)],
  (draw) => ['PFADD', draw(sketches), ...Array.from({ length: 50 }, () => draw(words))],
  (draw) => ['PFADD', draw(sketches)],
  (draw) => ['PFCOUNT', draw(sketches)],
  (draw) => ['PFCOUNT', draw(sketches), draw(sketches), draw(sketches)],
  (draw) => ['PFMERGE', draw(sketches), draw(sketches), draw(sketches)],
  (draw) => ['GET', draw(sketches)],
  (draw) => ['STRLEN', draw(sketches)],
  (draw) => ['SETRANGE', draw(sketches), '0', draw(['x', 'HYLL'])],
];

const sortLines: readonly Line[] = [
  (draw) => [draw(['SORT', 'SORT_RO']), draw(keys), 'ALPHA', ...yes(draw, 'DESC'), ...yes(draw, 'LIMIT', '0', '3')],
  (draw) => [draw(['SORT', 'SORT_RO']), draw(keys), draw(['ASC', 'DESC'])],
  (draw) => [
    'SORT',
    draw(keys),
    'BY',
    draw(['w_*', 'h*->f', 'w_*->', '*']),
    'GET',
    '#',
    'GET',
    draw(['w_*', 'h*->f', 'nothing']),
  ],
  (draw) => [
    'SORT',
    draw(keys),
    'LIMIT',
    draw(['0', '1', '-1', 'x']),
    draw(['2', '-1', '0']),
    'ALPHA',
    ...yes(draw, 'STORE', draw(keys)),
  ],
  (draw) => ['SET', `w_${draw(['1', '2', '3', 'x', 'foo'])}`, draw(['3', '1', '2', 'x', '1.5'])],
  (draw) => ['HSET', `h${draw(['1', '2', '3', 'foo'])}`, 'f', draw(['3', '1', '2', 'x'])],
];

const wide: readonly Line[] = [
  (draw) => ['TRANSFER', draw([...keys, ...geoKeys, ...sketches]), draw(keys)],
  (draw) => ['TRANSFER', draw(keys), draw(keys)],
  (draw) => [
    'WALK',
    'SCAN',
    ...yes(draw, 'MATCH', draw(['*', 'a*', '?', '[a-c]'])),
    ...yes(draw, 'COUNT', draw(['1', '7', '1000'])),
  ],
  (draw) => ['WALK', 'SCAN', 'TYPE', draw(['string', 'list', 'set', 'zset', 'hash', 'stream', 'x'])],
  (draw) => [
    'WALK',
    draw(['SSCAN', 'HSCAN', 'ZSCAN']),
    draw(keys),
    ...yes(draw, 'COUNT', draw(['1', '10', '1000'])),
    ...yes(draw, 'MATCH', draw(['*', 'f*', '?'])),
  ],
  (draw) => ['KEYS', draw(['*', 'a*', '?', '[a-c]', 'h[^1]', '', '\\a', '[', 'x*y'])],
  (draw) => ['EXPIRE', draw(keys), draw(['100000', '200000', '0', '-1', 'x'])],
  (draw) => [draw(['TTL', 'PTTL', 'EXPIRETIME', 'PEXPIRETIME']), draw(keys)],
  (draw) => ['OBJECT', 'ENCODING', draw([...keys, ...geoKeys, ...sketches])],
  (draw) => ['BLPOP', draw(keys), draw(keys), '0.01'],
  (draw) => ['BLMPOP', '0.01', '2', draw(keys), draw(keys), draw(['LEFT', 'RIGHT']), 'COUNT', draw(['1', '3', '0'])],
  (draw) => ['BZPOPMIN', draw(keys), draw(keys), '0.01'],
  (draw) => ['BLMOVE', draw(keys), draw(keys), draw(['LEFT', 'RIGHT']), draw(['LEFT', 'RIGHT', 'x']), '0.01'],
  (draw) => ['WATCH', draw(keys), draw(keys)],
  () => ['UNWATCH'],
  (draw) => [draw(['EXEC', 'DISCARD'])],
  (draw) => [draw(['ECHO', 'PING']), draw(keys)],
];

/**
 * Names that may be followed by anything: they neither wait, nor choose by chance, nor tell of time or of a server, nor
 * take what only later versions of Redis do (ZRANK).
 */
const anyNames = `APPEND BITCOUNT BITFIELD BITFIELD_RO BITOP BITPOS COPY DECR DECRBY DEL EXISTS EXPIREAT GEOADD GEODIST
GEOHASH GEOPOS GET GETBIT GETDEL GETEX GETRANGE GETSET HDEL HEXISTS HGET HGETALL HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET
HMSET HSET HSETNX HSTRLEN HVALS INCR INCRBY INCRBYFLOAT LCS LINDEX LINSERT LLEN LMOVE LMPOP LPOP LPOS LPUSH LPUSHX LRANGE
LREM LSET LTRIM MGET MOVE MSET MSETNX PERSIST PEXPIREAT PFADD PFCOUNT PFMERGE PSETEX RENAME RENAMENX RPOP RPOPLPUSH RPUSH
RPUSHX SADD SCARD SDIFF SDIFFSTORE SET SETBIT SETEX SETNX SETRANGE SINTER SINTERCARD SINTERSTORE SISMEMBER SMEMBERS
SMISMEMBER SMOVE SORT SORT_RO SREM STRLEN SUBSTR SUNION SUNIONSTORE TOUCH TYPE UNLINK XACK XADD XAUTOCLAIM XCLAIM XDEL
XGROUP XINFO XLEN XPENDING XRANGE XREVRANGE XSETID XTRIM ZADD ZCARD ZCOUNT ZDIFF ZDIFFSTORE ZINCRBY ZINTER ZINTERCARD
ZINTERSTORE ZLEXCOUNT ZMPOP ZMSCORE ZPOPMAX ZPOPMIN ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANGESTORE ZREM
ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZSCORE ZUNION
ZUNIONSTORE OBJECT GEOSEARCH NOSUCHCOMMAND`.split(/\s+/);
const anyWords =
  `a b c d e a b c d e 0 1 2 -1 3 100 1.5 x - + * $ > ( [a (a [b inf -inf nan 1-1 0-0 5-* 9223372036854775807
NX XX GT LT CH INCR GET EX PX PXAT EXAT KEEPTTL PERSIST COUNT LIMIT MATCH WITHSCORES WITHVALUES REV BYSCORE BYLEX WEIGHTS
AGGREGATE SUM MIN MAX LEFT RIGHT BEFORE AFTER RANK MAXLEN MINID LEN IDX MINMATCHLEN WITHMATCHLEN STORE ALPHA DESC ASC
GROUP CREATE MKSTREAM STREAM FULL CONSUMERS GROUPS NOACK JUSTID FORCE IDLE ENCODING REPLACE DB u8 i16 OVERFLOW WRAP SAT
FAIL SET INCRBY BYTE BIT AND OR NOT FROMMEMBER FROMLONLAT BYRADIUS km m ~ =`.split(/\s+/);

const anyLine: Line = (draw) => [
  draw(anyNames),
  ...Array.from({ length: Number(draw(['0', '1', '1', '2', '2', '3', '3', '4', '5', '6', '8'])) }, () =>
    draw(anyWords),
  ),
];

const all: readonly Line[] = [
  ...stringLines,
  ...collectionLines,
  ...geoLines,
  ...sketchLines,
  ...sortLines,
  ...wide,
  ...wide,
  ...Array.from({ length: 60 }, () => anyLine),
];

type Kind = (seed: number, count: number) => Words[];

/** What a round may be made of, by the name that a report says. */
export const kinds: Readonly<Record<string, Kind>> = {
  strings: randomCommands,
  collections: randomCollectionCommands,
  everything: (seed, count) => drawn(all, seed, count).map(decided),
  'large collections': largeCollectionCommands,
  streams: randomStreamCommands,
  transactions: (seed, count) =>
    drawn([...all, ...all, ...transactions(all)], seed, count)
      .flatMap(unfolded)
      .map(decided),
  'large streams': largeStreamCommands,
  'all kinds of arguments': (seed, count) =>
    drawn([...all, ...Array.from({ length: 500 }, () => anyLine)], seed, count).map(decided),
  'positions and sketches': (seed, count) => drawn([...geoLines, ...sketchLines, ...wide], seed, count),
};

/** Of these no line is a SORT. */
export const unsorted: ReadonlySet<string> = new Set(['collections', 'large collections']);

const SEPARATOR = '\u0000;';

/**
 * What is left to chance or to a clock is decided: SORT ALPHA compares what comes before a zero only, and equal things
 * come in any order; XADD with * takes its id from the clock.
 */
function decided(words: Words): Words {
  const id = words[0] === 'XADD' ? '5-*' : '*';
  return words.map((word) => (word === '*' ? id : word.replaceAll('\u0000', '\u0002')));
}

/** Several commands as one line, taken apart again by `unfolded`: what is drawn is one line at a time. */
function transactions(from: readonly Line[]): Line[] {
  const numbers = Array.from({ length: from.length }, (_, i) => String(i));
  const one = (draw: Draw): string[] => {
    const words = from[Number(draw(numbers))]!(draw);
    return isStep(words) || isWatching(words) ? ['PING'] : words;
  };
  return Array.from({ length: 40 }, () => (draw: Draw) => [
    'MULTI',
    ...Array.from({ length: Number(draw(['0', '1', '2', '5'])) }, () => [SEPARATOR, ...one(draw)]).flat(),
    SEPARATOR,
    draw(['EXEC', 'EXEC', 'EXEC', 'DISCARD']),
  ]);
}

function unfolded(words: Words): Words[] {
  const lines: string[][] = [[]];
  for (const word of words) {
    if (word === SEPARATOR) lines.push([]);
    else lines.at(-1)!.push(word);
  }
  return lines;
}

export function isStep(words: Words): boolean {
  return words[0] === 'TRANSFER' || words[0] === 'WALK';
}

function isWatching(words: Words): boolean {
  return ['EXEC', 'DISCARD', 'WATCH', 'UNWATCH'].includes(words[0] ?? '');
}
