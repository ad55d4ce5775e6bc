/** The kinds of key families, each with its commands; a command that should come often stands several times. */
import { scriptTexts } from './models/scripts.js';

export interface Draw {
  /** One of the family's keys. */
  readonly key: () => string;
  readonly keys: readonly string[];
  /** Never used before. */
  readonly token: () => string;
  readonly tokens: (from: number, to: number) => string[];
  /** Used in this family not long ago. */
  readonly known: () => string;
  /** From and to, inclusive. */
  readonly int: (from: number, to: number) => string;
  readonly pick: <T>(items: readonly T[]) => T;
  /** How long to wait for something. */
  readonly seconds: () => string;
}

export type Line = (draw: Draw) => string[];

export interface Kind {
  readonly name: string;
  /** Keys in a family, up to four. */
  readonly keys: number;
  /** Commands without which it makes no sense. */
  readonly needs: readonly string[];
  readonly lines: readonly Line[];
  /** Reads all of a key. */
  readonly final: (key: string) => string[];
  /** A key exists though there is nothing in it. */
  readonly mayBeEmpty?: boolean;
}

const often = (times: number, line: Line): Line[] => Array.from({ length: times }, () => line);
const get: Line = ({ key }) => ['GET', key()];
const range: Line = ({ key }) => ['LRANGE', key(), '0', '-1'];
const smembers: Line = ({ key }) => ['SMEMBERS', key()];
const hgetall: Line = ({ key }) => ['HGETALL', key()];
const zrange: Line = ({ key }) => ['ZRANGE', key(), '0', '-1', 'WITHSCORES'];
const del: Line = ({ key }) => ['DEL', key()];
const exists: Line = ({ key }) => ['EXISTS', key()];

const finalGet = (key: string): string[] => ['GET', key];
const finalRange = (key: string): string[] => ['LRANGE', key, '0', '-1'];

/** Longer than what is kept of a result for repeated requests (16 KiB). */
const PADDING = 'x'.repeat(17 * 1024);
const MEMBERS = ['a', 'b', 'c', '1', '2', '3'];
const ENDS = ['LEFT', 'RIGHT'];
const CONSUMERS = ['x', 'y'];

const queued = (...commands: string[][]): string[] => commands.map((command) => JSON.stringify(command));
const ms = ({ seconds }: Draw): string => String(Number(seconds()) * 1_000);
/** An id that a stream of a few dozen entries may well have. */
const id = ({ int }: Draw): string => `${int(1, 3)}-${int(0, 9)}`;

export const kinds: readonly Kind[] = [
  {
    name: 'append',
    keys: 1,
    needs: ['append'],
    lines: [
      ...often(4, ({ key, token }) => ['APPEND', key(), token()]),
      ...often(3, get),
      ({ key }) => ['STRLEN', key()],
    ],
    final: finalGet,
  },
  {
    name: 'counter',
    keys: 1,
    needs: ['incrby'],
    lines: [
      ...often(3, ({ key }) => ['INCR', key()]),
      ...often(2, ({ key, int }) => ['INCRBY', key(), int(2, 1000)]),
      ({ key, int }) => ['DECRBY', key(), int(1, 5)],
      ...often(3, get),
    ],
    final: finalGet,
  },
  {
    name: 'string',
    keys: 1,
    needs: ['set', 'getset', 'getdel', 'setrange'],
    lines: [
      ...often(3, ({ key, token }) => ['SET', key(), token()]),
      ({ key, token }) => ['SET', key(), token(), 'NX'],
      ({ key, token }) => ['SET', key(), token(), 'XX'],
      ({ key, token }) => ['SET', key(), token(), 'GET'],
      ({ key, token }) => ['SETNX', key(), token()],
      ({ key, token }) => ['GETSET', key(), token()],
      ({ key }) => ['GETDEL', key()],
      ({ key, token }) => ['APPEND', key(), token()],
      ({ key, token, int }) => ['SETRANGE', key(), int(0, 12), token()],
      ({ key, int }) => ['GETRANGE', key(), int(0, 5), int(-3, 12)],
      ({ key }) => ['STRLEN', key()],
      ...often(5, get),
      del,
      exists,
      ({ key }) => ['TYPE', key()],
    ],
    final: finalGet,
  },
  {
    name: 'large',
    keys: 2,
    needs: ['getset', 'getdel'],
    lines: [
      ({ key, token }) => ['SET', key(), token() + PADDING],
      ({ key, token }) => ['GETSET', key(), token() + PADDING],
      ({ key, token }) => ['APPEND', key(), token()],
      ({ key }) => ['GETDEL', key()],
      ({ keys }) => ['RENAME', keys[0]!, keys[1]!],
      ({ key }) => ['GETRANGE', key(), '0', '20'],
      ({ key }) => ['STRLEN', key()],
      get,
    ],
    final: finalGet,
  },
  {
    name: 'several',
    keys: 3,
    needs: ['mset', 'mget', 'rename', 'copy'],
    lines: [
      ...often(2, ({ keys: [a = '', b = ''], token }) => ['MSET', a, token(), b, token()]),
      ({ keys: [a = '', b = '', c = ''], token }) => ['MSET', a, token(), b, token(), c, token()],
      ({ keys: [, b = '', c = ''], token }) => ['MSETNX', b, token(), c, token()],
      ...often(4, ({ keys }) => ['MGET', ...keys]),
      ({ keys: [a = '', b = ''] }) => ['RENAME', a, b],
      ({ keys: [a = '', b = ''] }) => ['RENAMENX', b, a],
      ({ keys: [a = '', , c = ''] }) => ['COPY', a, c, 'REPLACE'],
      ({ keys: [a = '', b = ''] }) => ['COPY', b, a],
      ({ keys: [a = '', b = ''] }) => ['DEL', a, b],
      ({ keys }) => ['EXISTS', ...keys],
      ({ key, token }) => ['SET', key(), token()],
      ({ key, token }) => ['APPEND', key(), token()],
      ({ key, token }) => ['RPUSH', key(), token()],
      ({ key }) => ['TYPE', key()],
      get,
    ],
    final: finalGet,
  },
  {
    name: 'expiry',
    keys: 2,
    needs: ['pexpire', 'pttl', 'persist'],
    lines: [
      ...often(2, ({ key, token, int }) => ['SET', key(), token(), 'PX', int(5, 8_000)]),
      ({ key, token, int }) => ['PSETEX', key(), int(5, 8_000), token()],
      ({ key, token }) => ['SET', key(), token(), 'KEEPTTL'],
      ({ key, token }) => ['SET', key(), token()],
      ...often(2, ({ key, int }) => ['PEXPIRE', key(), int(5, 8_000)]),
      ({ key, int }) => ['PEXPIRE', key(), int(5, 8_000), 'NX'],
      ({ key }) => ['PEXPIRE', key(), '-1'],
      ({ key, int }) => ['GETEX', key(), 'PX', int(5, 8_000)],
      ({ key }) => ['PERSIST', key()],
      ({ key, token }) => ['APPEND', key(), token()],
      ({ keys: [a = '', b = ''] }) => ['RENAME', a, b],
      ({ keys: [a = '', b = ''] }) => ['COPY', a, b, 'REPLACE'],
      ...often(5, get),
      ...often(2, ({ key }) => ['PTTL', key()]),
      ({ key }) => ['TTL', key()],
      exists,
    ],
    final: finalGet,
  },
  {
    name: 'list',
    keys: 2,
    needs: ['rpush', 'lmove', 'lrem'],
    lines: [
      ...often(3, ({ key, token }) => ['RPUSH', key(), token()]),
      ...often(2, ({ key, token }) => ['LPUSH', key(), token(), token()]),
      ({ key, token }) => ['RPUSHX', key(), token()],
      ({ key }) => ['LPOP', key()],
      ({ key }) => ['RPOP', key()],
      ({ key, int }) => ['LPOP', key(), int(1, 3)],
      ({ keys: [a = '', b = ''], pick }) => ['LMOVE', a, b, pick(ENDS), pick(ENDS)],
      ({ keys: [a = '', b = ''], pick }) => ['LMOVE', b, a, pick(ENDS), pick(ENDS)],
      ({ keys: [a = ''] }) => ['RPOPLPUSH', a, a],
      ({ key, known }) => ['LREM', key(), '0', known()],
      ({ key, known, token }) => ['LINSERT', key(), 'BEFORE', known(), token()],
      ({ key, token }) => ['LSET', key(), '-1', token()],
      ({ key }) => ['LINDEX', key(), '0'],
      ({ key }) => ['LLEN', key()],
      ...often(5, range),
      ({ keys: [a = '', b = ''] }) => ['RENAME', a, b],
    ],
    final: finalRange,
  },
  {
    name: 'long-list',
    keys: 2,
    needs: ['rpush', 'ltrim'],
    lines: [
      ({ key, tokens }) => ['RPUSH', key(), ...tokens(20, 70)],
      ({ key, tokens }) => ['LPUSH', key(), ...tokens(20, 70)],
      ({ key, token }) => ['RPUSH', key(), token()],
      ({ key, token }) => ['LPUSH', key(), token()],
      ({ key, int }) => ['LPOP', key(), int(1, 40)],
      ({ key, int }) => ['RPOP', key(), int(1, 40)],
      ({ keys: [a = '', b = ''] }) => ['LMOVE', a, b, 'LEFT', 'RIGHT'],
      ({ key, known }) => ['LREM', key(), '1', known()],
      ({ key, known, token }) => ['LINSERT', key(), 'AFTER', known(), token()],
      ({ key, token, int }) => ['LSET', key(), int(0, 60), token()],
      ({ key, int }) => ['LTRIM', key(), int(0, 10), '-5'],
      ({ key }) => ['LLEN', key()],
      ({ keys: [a = '', b = ''] }) => ['COPY', b, a, 'REPLACE'],
      del,
      ...often(3, range),
    ],
    final: finalRange,
  },
  {
    name: 'set',
    keys: 3,
    needs: ['sadd', 'smove', 'sunionstore'],
    lines: [
      ...often(2, ({ key, token }) => ['SADD', key(), token()]),
      ...often(2, ({ key, pick }) => ['SADD', key(), pick(MEMBERS), pick(MEMBERS)]),
      ({ key, pick }) => ['SREM', key(), pick(MEMBERS)],
      ({ key, known }) => ['SREM', key(), known()],
      ({ key, pick }) => ['SISMEMBER', key(), pick(MEMBERS)],
      ({ key, known, pick }) => ['SMISMEMBER', key(), known(), pick(MEMBERS)],
      ({ key }) => ['SCARD', key()],
      ({ key }) => ['SPOP', key()],
      ({ key }) => ['SRANDMEMBER', key()],
      ({ keys: [a = '', b = ''], pick }) => ['SMOVE', a, b, pick(MEMBERS)],
      ({ keys: [a = '', b = '', c = ''] }) => ['SUNIONSTORE', c, a, b],
      ({ keys: [a = '', b = '', c = ''] }) => ['SDIFFSTORE', b, a, c],
      ({ keys: [a = '', b = ''] }) => ['SINTER', a, b],
      ...often(4, smembers),
    ],
    final: (key) => ['SMEMBERS', key],
  },
  {
    // Without SPOP: what one of unknown outcome took may be any of a hundred members, each to be tried.
    name: 'large-set',
    keys: 2,
    needs: ['sadd', 'sinterstore'],
    lines: [
      ...often(2, ({ key, tokens }) => ['SADD', key(), ...tokens(20, 70)]),
      ({ key, token }) => ['SADD', key(), token()],
      ({ key, known }) => ['SREM', key(), known(), known(), known()],
      ({ key, known }) => ['SISMEMBER', key(), known()],
      ({ key }) => ['SCARD', key()],
      ({ keys: [a = '', b = ''], known }) => ['SMOVE', a, b, known()],
      ({ keys: [a = '', b = ''] }) => ['SUNIONSTORE', a, a, b],
      del,
      ...often(2, smembers),
    ],
    final: (key) => ['SMEMBERS', key],
  },
  {
    name: 'hash',
    keys: 1,
    needs: ['hset', 'hincrby', 'hgetall'],
    lines: [
      ...often(3, ({ key, pick, token }) => ['HSET', key(), pick(MEMBERS), token()]),
      ({ key, token }) => ['HSET', key(), token(), token()],
      ({ key, pick, token }) => ['HSETNX', key(), pick(MEMBERS), token()],
      ({ key, tokens }) => ['HSET', key(), ...tokens(40, 40)],
      ...often(2, ({ key, int }) => ['HINCRBY', key(), 'count', int(1, 9)]),
      ({ key, pick, known }) => ['HDEL', key(), pick(MEMBERS), known()],
      ({ key, pick }) => ['HGET', key(), pick(MEMBERS)],
      ({ key, pick }) => ['HMGET', key(), pick(MEMBERS), 'count'],
      ({ key, known }) => ['HEXISTS', key(), known()],
      ({ key }) => ['HLEN', key()],
      ...often(3, hgetall),
    ],
    final: (key) => ['HGETALL', key],
  },
  {
    name: 'sorted-set',
    keys: 1,
    needs: ['zadd', 'zincrby', 'zrange'],
    lines: [
      ...often(3, ({ key, int, token }) => ['ZADD', key(), int(-5, 20), token()]),
      ({ key, int, pick }) => ['ZADD', key(), int(-5, 20), pick(MEMBERS), int(-5, 20), pick(MEMBERS)],
      ({ key, int, pick }) => ['ZADD', key(), 'NX', int(-5, 20), pick(MEMBERS)],
      ({ key, int, pick }) => ['ZADD', key(), 'XX', 'CH', int(-5, 20), pick(MEMBERS)],
      ({ key, tokens }) => ['ZADD', key(), ...tokens(30, 40).flatMap((member, index) => [String(index), member])],
      ...often(2, ({ key, int, pick }) => ['ZINCRBY', key(), int(1, 9), pick(MEMBERS)]),
      ({ key, known }) => ['ZREM', key(), known()],
      ({ key }) => ['ZPOPMIN', key()],
      ({ key }) => ['ZPOPMAX', key(), '2'],
      ({ key, known }) => ['ZSCORE', key(), known()],
      ({ key, pick }) => ['ZRANK', key(), pick(MEMBERS)],
      ({ key }) => ['ZCARD', key()],
      ...often(3, zrange),
    ],
    final: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
  },
  {
    name: 'waiting-list',
    keys: 3,
    needs: ['blpop', 'brpop', 'blmove'],
    lines: [
      ...often(4, ({ key, token }) => ['RPUSH', key(), token()]),
      ({ key, token }) => ['LPUSH', key(), token(), token()],
      ...often(2, ({ keys: [a = '', b = ''], seconds }) => ['BLPOP', a, b, seconds()]),
      ({ keys: [a = '', , c = ''], seconds }) => ['BLPOP', c, a, seconds()],
      ({ key, seconds }) => ['BRPOP', key(), seconds()],
      ({ keys: [a = '', b = ''], pick, seconds }) => ['BLMOVE', a, b, pick(ENDS), pick(ENDS), seconds()],
      ({ keys: [, b = '', c = ''], seconds }) => ['BLMOVE', b, c, 'LEFT', 'RIGHT', seconds()],
      ({ key }) => ['LPOP', key()],
      ...often(3, range),
    ],
    final: finalRange,
  },
  {
    name: 'waiting-zset',
    keys: 2,
    needs: ['bzpopmin', 'bzpopmax'],
    lines: [
      ...often(4, ({ key, int, token }) => ['ZADD', key(), int(-5, 20), token()]),
      ...often(2, ({ keys: [a = '', b = ''], seconds }) => ['BZPOPMIN', a, b, seconds()]),
      ({ key, seconds }) => ['BZPOPMAX', key(), seconds()],
      ({ key, known }) => ['ZREM', key(), known()],
      ...often(2, zrange),
    ],
    final: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
  },
  {
    name: 'stream',
    keys: 1,
    needs: ['xadd', 'xgroup', 'xreadgroup', 'xack'],
    lines: [
      ...often(5, ({ key, int, token }) => ['XADD', key(), `${int(1, 3)}-*`, 'f', token()]),
      ...often(2, ({ key, pick }) => ['XGROUP', 'CREATE', key(), pick(['g', 'h']), pick(['0', '$']), 'MKSTREAM']),
      ...often(5, ({ key, int, pick }) => {
        const group = pick(['g', 'g', 'h']);
        return ['XREADGROUP', 'GROUP', group, pick(CONSUMERS), 'COUNT', int(1, 3), 'STREAMS', key(), '>'];
      }),
      ({ key, pick }) => ['XREADGROUP', 'GROUP', 'g', pick(CONSUMERS), 'COUNT', '5', 'STREAMS', key(), '0'],
      ...often(3, (draw) => ['XACK', draw.key(), draw.pick(['g', 'h']), id(draw), id(draw), id(draw)]),
      (draw) => ['XCLAIM', draw.key(), 'g', draw.pick(CONSUMERS), '0', id(draw), id(draw), 'JUSTID'],
      ...often(2, ({ key, pick }) => ['XPENDING', key(), pick(['g', 'h'])]),
      (draw) => ['XDEL', draw.key(), id(draw), id(draw)],
      ({ key, int }) => ['XTRIM', key(), 'MAXLEN', int(5, 12)],
      ({ key, int, pick }) => ['XREAD', 'COUNT', int(1, 9), 'STREAMS', key(), pick(['0', '1-2', '2-0'])],
      (draw) => ['XREAD', 'COUNT', draw.int(1, 9), 'BLOCK', ms(draw), 'STREAMS', draw.key(), id(draw)],
      ...often(3, (draw) => {
        const from = ['GROUP', draw.pick(['g', 'h']), draw.pick(CONSUMERS), 'COUNT', draw.int(1, 3)];
        return ['XREADGROUP', ...from, 'BLOCK', ms(draw), 'STREAMS', draw.key(), '>'];
      }),
      ({ key }) => ['XLEN', key()],
      ...often(3, ({ key }) => ['XRANGE', key(), '-', '+']),
    ],
    final: (key) => ['XRANGE', key, '-', '+'],
    mayBeEmpty: true,
  },
  {
    name: 'transaction',
    keys: 3,
    needs: ['multi', 'exec', 'watch', 'append'],
    lines: [
      ...often(3, ({ keys: [a = '', b = ''], token }) => {
        const text = token();
        return ['MULTI', ...queued(['APPEND', a, text], ['APPEND', b, text])];
      }),
      ({ keys: [a = '', , c = ''], token }) => ['MULTI', ...queued(['SET', a, token()], ['RPUSH', c, token()])],
      ({ keys: [a = '', b = '', c = ''] }) => ['MULTI', ...queued(['RENAME', a, b], ['LPOP', c], ['GET', b])],
      ...often(3, ({ keys: [a = '', b = '', c = ''] }) => [
        'MULTI',
        ...queued(['GET', a], ['LRANGE', c, '0', '-1'], ['GET', b]),
      ]),
      ...often(3, ({ keys: [a = '', b = ''], token }) => [
        'WATCH',
        a,
        ...queued(['SET', a, token()], ['APPEND', b, token()]),
      ]),
      ({ keys: [a = '', b = '', c = ''], token }) => ['WATCH', b, ...queued(['DEL', b, c], ['SET', a, token()])],
      ({ keys: [a = '', b = ''], pick, token }) => ['SET', pick([a, b]), token()],
      ({ keys: [a = '', b = ''] }) => ['MGET', a, b],
      ({ keys: [, , c = ''], token }) => ['RPUSH', c, token()],
      ({ keys: [a = '', b = ''], pick }) => ['GET', pick([a, b])],
    ],
    final: (key) => (key.endsWith('c') ? finalRange(key) : finalGet(key)),
  },
  {
    name: 'script',
    keys: 3,
    needs: ['eval', 'append'],
    lines: [
      ...often(3, ({ keys: [a = '', b = ''], token }) => ['EVAL', scriptTexts.appendBoth, '2', a, b, token()]),
      ...often(2, ({ keys: [a = '', , c = ''] }) => ['EVAL', scriptTexts.collect, '2', a, c]),
      ({ keys: [, b = ''], token }) => ['EVAL', scriptTexts.replace, '1', b, '', token()],
      ({ keys: [a = ''], known, token }) => ['EVAL', scriptTexts.replace, '1', a, known(), token()],
      ({ keys: [a = '', b = ''], pick, token }) => ['SET', pick([a, b]), token()],
      ({ keys: [a = '', b = ''], pick }) => ['DEL', pick([a, b])],
      ({ keys: [, , c = ''] }) => ['LPOP', c],
      ({ keys: [a = '', b = '', c = ''], token }) => [
        'MULTI',
        ...queued(['EVAL', scriptTexts.appendBoth, '2', a, b, token()], ['LRANGE', c, '0', '-1']),
      ],
      ...often(2, ({ keys: [a = '', b = ''] }) => ['MGET', a, b]),
    ],
    final: (key) => (key.endsWith('c') ? finalRange(key) : finalGet(key)),
  },
];
