/**
 * Command lines drawn from a seed: few keys, many kinds of value, so that commands meet each other's results.
 * Without DBSIZE: when an expired key stops being counted is chance, in Redis too.
 */
const keys = ['a', 'b', 'c', 'd', 'e'];
const integers = [
  '0',
  '1',
  '-1',
  '7',
  '100',
  '9223372036854775807',
  '-9223372036854775808',
  '9007199254740993',
  '007',
  '+3',
  '-0',
  'x',
  '1.5',
  '',
];
const floats = [
  '0.1',
  '-2.5',
  '1e3',
  '3',
  '1e-9',
  '123456789.123456789',
  'nan',
  'inf',
  '1e300',
  '.5',
  '5.',
  '0x1p-2',
  'x',
];
const texts = [
  '',
  'foo',
  'foobar',
  '42',
  '3.25',
  'a'.repeat(44),
  'b'.repeat(45),
  '\u0000\u0001\u00ff',
  '1234567890123456789',
  'ohmytext',
  'mynewtext',
];
const positions = ['0', '1', '3', '-1', '-2', '-100', '100', 'x'];
/** Beyond 48 bits of milliseconds ours are bounded, so these stay below. */
const times = ['4102444800000', '4102444800499', '4102444800500', '5000000000000', '1', '0', '-1', 'x'];
const bits = ['0', '7', '8', '100', '-1', 'x', '4294967296', '01'];
const fields = ['u1', 'i1', 'u8', 'i8', 'i5', 'u13', 'i33', 'u63', 'i63', 'i64', 'u64'];
const offsets = ['0', '1', '7', '13', '#1', '#3', '100', '-1'];
const operators = ['AND', 'OR', 'XOR'];
const units = ['BIT', 'BYTE', 'bit', 'x'];
const conditions = ['NX', 'XX', 'GT', 'LT'];
const databases = ['0', '1', '2', '15', '16', '-1', 'x'];

const members = ['1', '2', '3', '-7', '007', 'x', '', 'foo', 'b'.repeat(300), '9223372036854775807'];
const counts = ['0', '1', '2', '5', '100', '-1', '-2', 'x', ''];
const ends = ['LEFT', 'RIGHT'];

export type Draw = (choices: readonly string[]) => string;
/** One command line, its words drawn. */
export type Line = (draw: Draw) => string[];

export const stringLines: readonly Line[] = [
  (draw) => ['SET', draw(keys), draw([...texts, ...integers])],
  (draw) => ['SET', draw(keys), draw([...texts, ...floats])],
  (draw) => ['SET', draw(keys), draw(texts), draw(['NX', 'XX', 'GET', 'KEEPTTL', 'foo'])],
  (draw) => ['SET', draw(keys), draw(texts), 'PXAT', draw(times), draw(['NX', 'XX', 'GET'])],
  (draw) => ['GET', draw(keys)],
  (draw) => ['GETSET', draw(keys), draw(texts)],
  (draw) => ['GETDEL', draw(keys)],
  (draw) => ['GETEX', draw(keys), 'PXAT', draw(times)],
  (draw) => ['GETEX', draw(keys), draw(['PERSIST', 'EX', 'NX'])],
  (draw) => ['SETNX', draw(keys), draw(texts)],
  (draw) => ['APPEND', draw(keys), draw(texts)],
  (draw) => ['STRLEN', draw(keys)],
  (draw) => ['SETRANGE', draw(keys), draw(positions), draw(texts)],
  (draw) => ['GETRANGE', draw(keys), draw(positions), draw(positions)],
  (draw) => ['SETBIT', draw(keys), draw(bits), draw(['0', '1', '2'])],
  (draw) => ['GETBIT', draw(keys), draw(bits)],
  (draw) => ['BITCOUNT', draw(keys), draw(positions), draw(positions), draw(units)],
  (draw) => ['BITPOS', draw(keys), draw(['0', '1']), draw(positions), draw(positions), draw(units)],
  (draw) => ['BITPOS', draw(keys), draw(['0', '1']), draw(positions)],
  (draw) => ['BITOP', draw(operators), draw(keys), draw(keys), draw(keys), draw(keys)],
  (draw) => ['BITOP', 'NOT', draw(keys), draw(keys)],
  (draw) => [
    'BITFIELD',
    draw(keys),
    'GET',
    draw(fields),
    draw(offsets),
    'SET',
    draw(fields),
    draw(offsets),
    draw(integers),
  ],
  (draw) => [
    'BITFIELD',
    draw(keys),
    'OVERFLOW',
    draw(['WRAP', 'SAT', 'FAIL']),
    draw(['SET', 'INCRBY']),
    draw(fields),
    draw(offsets),
    draw(integers),
    'GET',
    draw(fields),
    draw(offsets),
  ],
  (draw) => ['INCR', draw(keys)],
  (draw) => ['DECR', draw(keys)],
  (draw) => ['INCRBY', draw(keys), draw(integers)],
  (draw) => ['DECRBY', draw(keys), draw(integers)],
  (draw) => ['INCRBYFLOAT', draw(keys), draw(floats)],
  (draw) => ['MGET', draw(keys), draw(keys), draw(keys)],
  (draw) => ['MSET', draw(keys), draw(texts), draw(keys), draw(integers)],
  (draw) => ['MSETNX', draw(keys), draw(texts), draw(keys), draw(texts)],
  (draw) => ['LCS', draw(keys), draw(keys), draw(['LEN', 'IDX', 'WITHMATCHLEN'])],
  (draw) => ['LCS', draw(keys), draw(keys), 'IDX', 'MINMATCHLEN', draw(positions), 'WITHMATCHLEN'],
  (draw) => ['DEL', draw(keys), draw(keys)],
  (draw) => ['EXISTS', draw(keys), draw(keys)],
  (draw) => ['TYPE', draw(keys)],
  (draw) => ['OBJECT', 'ENCODING', draw(keys)],
  (draw) => ['PEXPIREAT', draw(keys), draw(times)],
  (draw) => ['PEXPIREAT', draw(keys), draw(times), draw(conditions)],
  (draw) => ['PEXPIREAT', draw(keys), draw(times), draw(conditions), draw(conditions)],
  (draw) => ['EXPIREAT', draw(keys), '4102444800'],
  (draw) => ['PEXPIRETIME', draw(keys)],
  (draw) => ['EXPIRETIME', draw(keys)],
  (draw) => ['PERSIST', draw(keys)],
  (draw) => ['RENAME', draw(keys), draw(keys)],
  (draw) => ['RENAMENX', draw(keys), draw(keys)],
  (draw) => ['COPY', draw(keys), draw(keys), draw(['REPLACE', 'DB'])],
  (draw) => ['COPY', draw(keys), draw(keys), 'DB', draw(databases), 'REPLACE'],
  (draw) => ['MOVE', draw(keys), draw(databases)],
  (draw) => ['SELECT', draw(['0', '1'])],
  (draw) => ['SWAPDB', draw(databases), draw(databases)],
];

/** Commands on hashes; what they choose by chance is left out. */
const hashLines: readonly Line[] = [
  ...['HSET', 'HSET', 'HMSET'].flatMap((name) => [
    (draw: Draw) => [name, draw(keys), draw(members), draw(texts)],
    (draw: Draw) => [name, draw(keys), draw(members), draw(floats), draw(members), draw(integers)],
    (draw: Draw) => [name, draw(keys), ...Array.from({ length: 20 }, () => draw([...members, ...texts, ...floats]))],
  ]),
  (draw) => ['HSETNX', draw(keys), draw(members), draw(texts)],
  (draw) => [draw(['HGET', 'HEXISTS', 'HSTRLEN']), draw(keys), draw(members)],
  (draw) => ['HMGET', draw(keys), draw(members), draw(texts), draw(members)],
  (draw) => [draw(['HGETALL', 'HKEYS', 'HVALS', 'HLEN', 'TYPE']), draw(keys)],
  (draw) => ['HDEL', draw(keys), draw(members)],
  (draw) => ['HDEL', draw(keys), draw(members), draw(texts), draw(members)],
  (draw) => ['HINCRBY', draw(keys), draw(members), draw(integers)],
  (draw) => ['HINCRBYFLOAT', draw(keys), draw(members), draw(floats)],
  (draw) => ['HRANDFIELD', draw(keys), draw(['0', '1000', 'x'])],
  (draw) => ['HRANDFIELD', draw(keys), draw(['0', '1000', 'x']), 'WITHVALUES'],
];

const scores =
  '0 -0 1 1 2 3 -5 1.5 0.1 1e20 1e-7 123456789.123 3.0e2 0x10 .5 5. inf -inf +inf nan x 1e400 9007199254740993 4.9e-324'
    .split(' ')
    .concat('', ' 1', '-1.7976931348623157e308');
const goodScores = scores.slice(0, 14);
const bounds = [...scores, '(1', '(0.1', '(-inf', '(inf', '-inf', 'inf', '(', '(x'];
const textBounds = ['-', '+', '[a', '(a', '[foo', '(foo', '[', '(', 'x', '', '-x', '[b', '(x', '[x'];
const zsetKeys = [...keys, 'z'];
/** All members of these have one score: what ranges by text ask for. */
const textKeys = ['t1', 't2'];
const addOptions = ['NX', 'XX', 'GT', 'LT', 'CH', 'INCR', 'ch'];
const limited = (draw: Draw): string[] =>
  draw(['0', '1', '2']) === '0' ? ['LIMIT', draw(positions), draw(positions)] : [];
const scored = (draw: Draw): string[] => (draw(['0', '1']) === '0' ? ['WITHSCORES'] : []);

/** Commands on sorted sets; what they choose by chance is left out. */
const zsetLines: readonly Line[] = [
  (draw) => ['ZADD', draw(zsetKeys), draw(scores), draw(members)],
  (draw) => ['ZADD', draw(zsetKeys), draw(goodScores), draw(members), draw(goodScores), draw(texts)],
  (draw) => ['ZADD', draw(zsetKeys), draw(addOptions), draw(scores), draw(members)],
  (draw) => ['ZADD', draw(zsetKeys), draw(addOptions), draw(addOptions), draw(goodScores), draw(members)],
  (draw) => [
    'ZADD',
    draw(zsetKeys),
    ...Array.from({ length: 20 }, () => [draw(goodScores), draw([...members, ...texts, ...floats])]).flat(),
  ],
  (draw) => ['ZADD', draw(textKeys), ...Array.from({ length: 5 }, () => ['0', draw([...members, ...texts])]).flat()],
  (draw) => ['ZINCRBY', draw(zsetKeys), draw(scores), draw(members)],
  (draw) => ['ZREM', draw([...zsetKeys, ...textKeys]), draw(members), draw(texts)],
  (draw) => [draw(['ZSCORE', 'ZRANK', 'ZREVRANK']), draw(zsetKeys), draw(members)],
  (draw) => ['ZMSCORE', draw(zsetKeys), draw(members), draw(texts)],
  (draw) => [draw(['ZCARD', 'TYPE']), draw(zsetKeys)],
  (draw) => ['ZCOUNT', draw(zsetKeys), draw(bounds), draw(bounds)],
  (draw) => ['ZLEXCOUNT', draw(textKeys), draw(textBounds), draw(textBounds)],
  (draw) => [draw(['ZRANGE', 'ZREVRANGE']), draw(zsetKeys), draw(positions), draw(positions), ...scored(draw)],
  (draw) => ['ZRANGE', draw(zsetKeys), draw(positions), draw(positions), 'REV', ...scored(draw)],
  (draw) => [
    draw(['ZRANGEBYSCORE', 'ZREVRANGEBYSCORE']),
    draw(zsetKeys),
    draw(bounds),
    draw(bounds),
    ...limited(draw),
    ...scored(draw),
  ],
  (draw) => [
    'ZRANGE',
    draw(zsetKeys),
    draw(bounds),
    draw(bounds),
    'BYSCORE',
    draw(['REV', 'WITHSCORES']),
    ...limited(draw),
  ],
  (draw) => [
    draw(['ZRANGEBYLEX', 'ZREVRANGEBYLEX']),
    draw(textKeys),
    draw(textBounds),
    draw(textBounds),
    ...limited(draw),
  ],
  (draw) => ['ZRANGE', draw(textKeys), draw(textBounds), draw(textBounds), 'BYLEX', ...limited(draw)],
  (draw) => ['ZRANGESTORE', draw(zsetKeys), draw(zsetKeys), draw(positions), draw(positions), draw(['REV', 'BYSCORE'])],
  (draw) => ['ZRANGESTORE', draw(zsetKeys), draw(zsetKeys), draw(bounds), draw(bounds), 'BYSCORE', ...limited(draw)],
  (draw) => ['ZREMRANGEBYSCORE', draw(zsetKeys), draw(bounds), draw(bounds)],
  (draw) => ['ZREMRANGEBYRANK', draw(zsetKeys), draw(positions), draw(positions)],
  (draw) => ['ZREMRANGEBYLEX', draw(textKeys), draw(textBounds), draw(textBounds)],
  (draw) => [draw(['ZPOPMIN', 'ZPOPMAX']), draw(zsetKeys)],
  (draw) => [draw(['ZPOPMIN', 'ZPOPMAX']), draw(zsetKeys), draw(counts)],
  (draw) => ['ZMPOP', '2', draw(zsetKeys), draw(zsetKeys), draw(['MIN', 'MAX']), 'COUNT', draw(counts)],
  (draw) => ['ZRANDMEMBER', draw(zsetKeys), draw(['0', '1000', 'x']), ...scored(draw)],
  (draw) => [draw(['ZUNION', 'ZINTER', 'ZDIFF']), '2', draw(zsetKeys), draw(zsetKeys), ...scored(draw)],
  (draw) => [
    draw(['ZUNION', 'ZINTER']),
    '2',
    draw(zsetKeys),
    draw(zsetKeys),
    'WEIGHTS',
    draw(goodScores),
    '2',
    'WITHSCORES',
  ],
  (draw) => [
    draw(['ZUNIONSTORE', 'ZINTERSTORE']),
    draw(zsetKeys),
    '3',
    draw(zsetKeys),
    draw(zsetKeys),
    draw(zsetKeys),
    'AGGREGATE',
    draw(['SUM', 'MIN', 'MAX']),
  ],
  (draw) => ['ZDIFFSTORE', draw(zsetKeys), '2', draw(zsetKeys), draw(zsetKeys)],
  (draw) => ['ZINTERCARD', '2', draw(zsetKeys), draw(zsetKeys), 'LIMIT', draw(['0', '1', '2', '5'])],
];

/** Commands on lists, sets, hashes and sorted sets; what they choose by chance is left out. */
export const collectionLines: readonly Line[] = [
  ...hashLines,
  ...zsetLines,
  ...['LPUSH', 'RPUSH', 'LPUSHX', 'RPUSHX', 'SADD', 'SADD', 'SREM'].flatMap((name) => [
    (draw: Draw) => [name, draw(keys), draw(members)],
    (draw: Draw) => [name, draw(keys), draw(members), draw(members), draw(texts), draw(members)],
    (draw: Draw) => [name, draw(keys), ...Array.from({ length: 20 }, () => draw([...members, ...texts, ...floats]))],
  ]),
  (draw) => [draw(['LPOP', 'RPOP']), draw(keys)],
  (draw) => [draw(['LPOP', 'RPOP']), draw(keys), draw(counts)],
  (draw) => ['LRANGE', draw(keys), draw(positions), draw(positions)],
  (draw) => ['LINDEX', draw(keys), draw(positions)],
  (draw) => ['LSET', draw(keys), draw(positions), draw(members)],
  (draw) => ['LINSERT', draw(keys), draw(['BEFORE', 'AFTER']), draw(members), draw(texts)],
  (draw) => ['LREM', draw(keys), draw(counts), draw(members)],
  (draw) => ['LTRIM', draw(keys), draw(positions), draw(positions)],
  (draw) => ['LMOVE', draw(keys), draw(keys), draw(ends), draw(ends)],
  (draw) => ['RPOPLPUSH', draw(keys), draw(keys)],
  (draw) => ['LPOS', draw(keys), draw(members), 'RANK', draw(positions), 'COUNT', draw(counts)],
  (draw) => ['LPOS', draw(keys), draw(members), 'MAXLEN', draw(counts)],
  (draw) => ['LMPOP', '2', draw(keys), draw(keys), draw(ends), 'COUNT', draw(counts)],
  (draw) => [draw(['LLEN', 'SCARD', 'SMEMBERS', 'TYPE', 'DEL']), draw(keys)],
  (draw) => ['OBJECT', 'ENCODING', draw(keys)],
  (draw) => ['SMISMEMBER', draw(keys), draw(members), draw(texts)],
  (draw) => ['SPOP', draw(keys), '1000'],
  (draw) => ['SRANDMEMBER', draw(keys), '1000'],
  (draw) => ['SMOVE', draw(keys), draw(keys), draw(members)],
  (draw) => [draw(['SINTER', 'SUNION', 'SDIFF']), draw(keys), draw(keys), draw(keys)],
  (draw) => [draw(['SINTERSTORE', 'SUNIONSTORE', 'SDIFFSTORE']), draw(keys), draw(keys), draw(keys)],
  (draw) => ['SINTERCARD', '2', draw(keys), draw(keys), 'LIMIT', draw(counts)],
  (draw) => ['SET', draw(keys), draw(texts)],
  (draw) => ['GET', draw(keys)],
  (draw) => ['PEXPIREAT', draw(keys), draw(times)],
  (draw) => ['PEXPIRETIME', draw(keys)],
  (draw) => ['RENAME', draw(keys), draw(keys)],
  (draw) => ['COPY', draw(keys), draw(keys), 'REPLACE'],
];

const range = (length: number): string[] => Array.from({ length }, (_, i) => String(i));
const manyMembers = range(2_000);
const farPositions = [...range(300), ...range(300).map((text) => `-${text}`)];
const largeLists = ['l1', 'l2'];
const largeSets = ['s1', 's2', 's3'];
const largeZsets = ['z1', 'z2', 'z3'];
const evenTexts = ['x1', 'x2'];
const manyScores = [...range(300), '0.5', '-3', '77.7', '1e10', 'inf', '-inf', '-0'];
const manyBounds = [...manyScores, '(10', '(100', '(200', '-inf', 'inf'];
const manyTextBounds = ['-', '+', '[1', '(1', '[15', '(5', '[777', '(9'];
const severalScored = (draw: Draw, count: number, from: readonly string[]): string[] =>
  Array.from({ length: count }, () => [draw(from), draw(manyMembers)]).flat();
const largeHashes = ['h1', 'h2', 'h3'];
const several = (draw: Draw, count: number): string[] => Array.from({ length: count }, () => draw(manyMembers));

/** Commands that make collections of hundreds of values and change them all over. */
const largeLines: readonly Line[] = [
  ...['LPUSH', 'RPUSH'].map((name) => (draw: Draw) => [name, draw(largeLists), ...several(draw, 60)]),
  (draw) => [draw(['LPOP', 'RPOP']), draw(largeLists), draw(['1', '10', '50'])],
  (draw) => ['LRANGE', draw(largeLists), draw(farPositions), draw(farPositions)],
  (draw) => ['LRANGE', draw(largeLists), '0', '-1'],
  (draw) => ['LINDEX', draw(largeLists), draw(farPositions)],
  (draw) => ['LSET', draw(largeLists), draw(farPositions), draw(manyMembers)],
  (draw) => ['LINSERT', draw(largeLists), draw(['BEFORE', 'AFTER']), draw(manyMembers), draw(manyMembers)],
  (draw) => ['LREM', draw(largeLists), draw(counts), draw(manyMembers)],
  (draw) => ['LTRIM', draw(largeLists), draw(range(100)), draw(farPositions)],
  (draw) => ['LMOVE', draw(largeLists), draw(largeLists), draw(ends), draw(ends)],
  (draw) => ['LPOS', draw(largeLists), draw(manyMembers), 'RANK', draw(['1', '-1', '2']), 'COUNT', '0'],
  (draw) => ['SADD', draw(largeSets), ...several(draw, 60)],
  (draw) => ['SADD', draw(largeSets), ...several(draw, 60)],
  (draw) => ['SREM', draw(largeSets), ...several(draw, 200)],
  (draw) => ['SMISMEMBER', draw(largeSets), ...several(draw, 20)],
  (draw) => ['SMEMBERS', draw(largeSets)],
  (draw) => ['SRANDMEMBER', draw(largeSets), '5000'],
  (draw) => [draw(['SINTER', 'SUNION', 'SDIFF']), draw(largeSets), draw(largeSets), draw(largeSets)],
  (draw) => [draw(['SINTERSTORE', 'SUNIONSTORE', 'SDIFFSTORE']), draw(largeSets), draw(largeSets), draw(largeSets)],
  (draw) => ['SMOVE', draw(largeSets), draw(largeSets), draw(manyMembers)],
  (draw) => ['SINTERCARD', '2', draw(largeSets), draw(largeSets)],
  ...['1', '2', '3'].flatMap(() => [
    (draw: Draw) => ['ZADD', draw(largeZsets), ...severalScored(draw, 60, manyScores)],
    (draw: Draw) => ['ZADD', draw(largeZsets), draw(['NX', 'XX', 'GT']), 'CH', ...severalScored(draw, 40, manyScores)],
    (draw: Draw) => ['ZADD', draw(evenTexts), ...severalScored(draw, 60, ['0'])],
  ]),
  (draw) => ['ZINCRBY', draw(largeZsets), draw(manyScores.slice(0, 300)), draw(manyMembers)],
  (draw) => ['ZREM', draw(largeZsets), ...several(draw, 100)],
  (draw) => [draw(['ZSCORE', 'ZRANK', 'ZREVRANK']), draw(largeZsets), draw(manyMembers)],
  (draw) => [draw(['ZSCORE', 'ZRANK', 'ZREVRANK']), draw(largeZsets), draw(manyMembers)],
  (draw) => [draw(['ZRANGE', 'ZREVRANGE']), draw(largeZsets), draw(farPositions), draw(farPositions), 'WITHSCORES'],
  (draw) => [draw(['ZRANGE', 'ZREVRANGE']), draw(largeZsets), '0', '-1', 'WITHSCORES'],
  (draw) => [draw(['ZRANGEBYSCORE', 'ZREVRANGEBYSCORE']), draw(largeZsets), draw(manyBounds), draw(manyBounds)],
  (draw) => ['ZRANGEBYSCORE', draw(largeZsets), '-inf', 'inf', 'LIMIT', draw(range(900)), '5'],
  (draw) => [
    'ZREVRANGEBYSCORE',
    draw(largeZsets),
    'inf',
    draw(manyBounds),
    'LIMIT',
    draw(range(900)),
    '5',
    'WITHSCORES',
  ],
  (draw) => [draw(['ZRANGEBYLEX', 'ZREVRANGEBYLEX']), draw(evenTexts), draw(manyTextBounds), draw(manyTextBounds)],
  (draw) => ['ZRANGEBYLEX', draw(evenTexts), '-', '+', 'LIMIT', draw(range(900)), '5'],
  (draw) => ['ZLEXCOUNT', draw(evenTexts), draw(manyTextBounds), draw(manyTextBounds)],
  (draw) => ['ZCOUNT', draw(largeZsets), draw(manyBounds), draw(manyBounds)],
  (draw) => ['ZREMRANGEBYRANK', draw(largeZsets), draw(farPositions), draw(range(30))],
  (draw) => ['ZREMRANGEBYSCORE', draw(largeZsets), draw(range(300)), draw(['5', '50', '100', '150'])],
  (draw) => ['ZREMRANGEBYLEX', draw(evenTexts), '[15', draw(['(16', '[155'])],
  (draw) => [draw(['ZPOPMIN', 'ZPOPMAX']), draw(largeZsets), draw(['1', '10', '50'])],
  (draw) => ['ZRANDMEMBER', draw(largeZsets), '5000', 'WITHSCORES'],
  (draw) => ['ZRANGESTORE', draw(largeZsets), draw(largeZsets), draw(range(100)), draw(farPositions)],
  (draw) => [
    draw(['ZUNION', 'ZINTER', 'ZDIFF']),
    '2',
    draw(largeZsets),
    draw([...largeZsets, ...largeSets]),
    'WITHSCORES',
  ],
  (draw) => ['ZUNIONSTORE', draw(largeZsets), '2', draw(largeZsets), draw(largeZsets), 'AGGREGATE', 'MIN'],
  (draw) => ['ZINTERSTORE', draw(largeZsets), '2', draw(largeZsets), draw(largeSets)],
  (draw) => ['ZINTERCARD', '2', draw(largeZsets), draw(largeZsets)],
  (draw) => ['COPY', draw(largeZsets), draw(largeZsets), 'REPLACE'],
  (draw) => ['HSET', draw(largeHashes), ...several(draw, 60)],
  (draw) => ['HSET', draw(largeHashes), ...several(draw, 60)],
  (draw) => ['HDEL', draw(largeHashes), ...several(draw, 100)],
  (draw) => ['HMGET', draw(largeHashes), ...several(draw, 20)],
  (draw) => ['HINCRBY', draw(largeHashes), draw(manyMembers), draw(integers)],
  (draw) => [draw(['HGETALL', 'HKEYS', 'HVALS', 'HLEN']), draw(largeHashes)],
  (draw) => ['HRANDFIELD', draw(largeHashes), '5000'],
  (draw) => [draw(['HSTRLEN', 'HEXISTS', 'HGET']), draw(largeHashes), draw(manyMembers)],
  (draw) => ['COPY', draw(largeHashes), draw(largeHashes), 'REPLACE'],
  (draw) => ['COPY', draw(largeLists), draw(largeLists), 'REPLACE'],
  (draw) => [draw(['LLEN', 'SCARD', 'TYPE']), draw([...largeLists, ...largeSets])],
  (draw) => ['OBJECT', 'ENCODING', draw([...largeSets, ...largeHashes, ...largeZsets])],
  (draw) =>
    draw(range(30)) === '0' ? ['DEL', draw([...largeLists, ...largeSets, ...largeHashes, ...largeZsets])] : ['DBSIZE'],
];

export function largeCollectionCommands(seed: number, count: number): string[][] {
  return drawn(largeLines, seed, count);
}

export function randomCommands(seed: number, count: number): string[][] {
  return drawn(stringLines, seed, count);
}

export function randomCollectionCommands(seed: number, count: number): string[][] {
  return drawn(collectionLines, seed, count);
}

export function drawn(from: readonly Line[], seed: number, count: number): string[][] {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const draw: Draw = (choices) => choices[Math.floor(random() * choices.length)]!;
  return Array.from({ length: count }, () => from[Math.floor(random() * from.length)]!(draw));
}
