/**
 * The commands of the load: every write kind that the server has and the checker knows a model of, and the reads that
 * show what came of them. Values are tokens that occur once in a run, so that what is lost, doubled or moved shows.
 *
 * The keys of a group share a hash tag: commands on several keys are atomic.
 */
import { commands as known } from '../../shared/commands/index.js';
import type { Random } from './random.js';

/** What draws the arguments. */
interface Draw {
  readonly random: Random;
  /** A key of this type, of few. */
  key(type: KeyType): string;
  keyAt(type: KeyType, at: number): string;
  token(): string;
  /** Of few, so that operations meet. */
  field(): string;
  /** One of the tokens drawn lately. */
  earlier(): string;
}

const KEY_TYPES = ['string', 'counter', 'list', 'set', 'hash', 'zset'] as const;
type KeyType = (typeof KEY_TYPES)[number];
const KEYS_OF_A_TYPE = 2;
const FIELDS = 6;
const EARLIER_MAX = 8;

/** Weight, name, arguments. */
type Row = readonly [weight: number, name: string, args: (draw: Draw) => readonly string[]];

const milliseconds = (random: Random): string => String(random.between(50, 3_000));

const rows: readonly Row[] = [
  [6, 'SET', (d) => [d.key('string'), d.token()]],
  [2, 'SET', (d) => [d.key('string'), d.token(), 'PX', milliseconds(d.random)]],
  [2, 'SET', (d) => [d.key('string'), d.token(), d.random.pick(['NX', 'XX', 'GET', 'KEEPTTL'])]],
  [2, 'GETSET', (d) => [d.key('string'), d.token()]],
  [1, 'GETDEL', (d) => [d.key('string')]],
  [6, 'APPEND', (d) => [d.key('string'), d.token()]],
  [1, 'SETRANGE', (d) => [d.key('string'), String(d.random.between(0, 40)), d.token()]],
  [8, 'GET', (d) => [d.key('string')]],
  [1, 'STRLEN', (d) => [d.key('string')]],
  [2, 'MSET', (d) => [0, 1].flatMap((at) => [d.keyAt('string', at), d.token()])],
  [2, 'MGET', (d) => [0, 1].map((at) => d.keyAt('string', at))],
  [1, 'MSETNX', (d) => [0, 1].flatMap((at) => [d.keyAt('string', at), d.token()])],
  [1, 'PEXPIRE', (d) => [d.key('string'), milliseconds(d.random)]],
  [1, 'PERSIST', (d) => [d.key('string')]],
  [1, 'DEL', (d) => [d.key(d.random.pick(KEY_TYPES))]],
  [1, 'RENAME', (d) => [d.keyAt('string', 0), d.keyAt('string', 1)]],
  [6, 'INCR', (d) => [d.key('counter')]],
  [2, 'INCRBY', (d) => [d.key('counter'), String(d.random.between(-5, 20))]],
  [3, 'GET', (d) => [d.key('counter')]],
  [4, 'RPUSH', (d) => [d.key('list'), d.token()]],
  [3, 'LPUSH', (d) => [d.key('list'), d.token(), d.token()]],
  [2, 'LPOP', (d) => [d.key('list')]],
  [2, 'RPOP', (d) => [d.key('list')]],
  [2, 'LMOVE', (d) => [d.keyAt('list', 0), d.keyAt('list', 1), d.random.pick(['LEFT', 'RIGHT']), 'RIGHT']],
  [1, 'LINSERT', (d) => [d.key('list'), d.random.pick(['BEFORE', 'AFTER']), d.earlier(), d.token()]],
  [1, 'LSET', (d) => [d.key('list'), '0', d.token()]],
  [1, 'LREM', (d) => [d.key('list'), '0', d.earlier()]],
  [1, 'LTRIM', (d) => [d.key('list'), '0', '9']],
  [3, 'LRANGE', (d) => [d.key('list'), '0', '-1']],
  [1, 'LLEN', (d) => [d.key('list')]],
  [4, 'SADD', (d) => [d.key('set'), d.field(), d.token()]],
  [2, 'SREM', (d) => [d.key('set'), d.field()]],
  [1, 'SPOP', (d) => [d.key('set')]],
  [1, 'SMOVE', (d) => [d.keyAt('set', 0), d.keyAt('set', 1), d.field()]],
  [2, 'SMEMBERS', (d) => [d.key('set')]],
  [1, 'SISMEMBER', (d) => [d.key('set'), d.field()]],
  [3, 'HSET', (d) => [d.key('hash'), d.field(), d.token()]],
  [3, 'HINCRBY', (d) => [d.key('hash'), 'count', '1']],
  [1, 'HDEL', (d) => [d.key('hash'), d.field()]],
  [2, 'HGETALL', (d) => [d.key('hash')]],
  [3, 'ZADD', (d) => [d.key('zset'), String(d.random.between(1, 9)), d.field()]],
  [2, 'ZINCRBY', (d) => [d.key('zset'), '1', d.field()]],
  [1, 'ZREM', (d) => [d.key('zset'), d.field()]],
  [1, 'ZPOPMIN', (d) => [d.key('zset')]],
  [2, 'ZRANGE', (d) => [d.key('zset'), '0', '-1', 'WITHSCORES']],
];

/** How a key of each type is read whole. */
const wholeReads: Readonly<Record<KeyType, (key: string) => readonly string[]>> = {
  string: (key) => ['GET', key],
  counter: (key) => ['GET', key],
  list: (key) => ['LRANGE', key, '0', '-1'],
  set: (key) => ['SMEMBERS', key],
  hash: (key) => ['HGETALL', key],
  zset: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
};

function isKnown(name: string): boolean {
  return known.has(name.toLowerCase());
}

const usable = rows.filter(([, name]) => isKnown(name));
const totalWeight = usable.reduce((sum, [weight]) => sum + weight, 0);

function keyOf(tag: string, type: KeyType, at: number): string {
  return `{${tag}}:${type}:${at}`;
}

export function isWrite(words: readonly string[]): boolean {
  return known.get((words[0] ?? '').toLowerCase())?.flags.includes('write') === true;
}

/** Draws commands on the keys of one group, which are named for its tag. */
export class CommandSource {
  private readonly tag: string;
  private readonly draw: Draw;
  private readonly random: Random;

  constructor(tag: string, random: Random) {
    this.tag = tag;
    this.random = random;
    let tokens = 0;
    const lately: string[] = [];
    const token = (): string => {
      const made = `${tag}.${tokens++};`;
      lately.push(made);
      if (lately.length > EARLIER_MAX) lately.shift();
      return made;
    };
    this.draw = {
      random,
      key: (type) => keyOf(tag, type, random.between(0, KEYS_OF_A_TYPE - 1)),
      keyAt: (type, at) => keyOf(tag, type, at),
      token,
      field: () => `f${random.between(1, FIELDS)}`,
      earlier: () => (lately.length === 0 ? token() : random.pick(lately)),
    };
  }

  next(): readonly string[] {
    let at = this.random.next() * totalWeight;
    for (const [weight, name, args] of usable) {
      at -= weight;
      if (at < 0) return [name, ...args(this.draw)];
    }
    throw new Error('the weights do not add up');
  }

  /** Reads every key whole. */
  finalReads(): (readonly string[])[] {
    return KEY_TYPES.flatMap((type) => this.keysOf(type).map((key) => wholeReads[type](key))).filter(([name]) =>
      isKnown(name ?? ''),
    );
  }

  allKeys(): string[] {
    return KEY_TYPES.flatMap((type) => this.keysOf(type));
  }

  private keysOf(type: KeyType): string[] {
    return Array.from({ length: KEYS_OF_A_TYPE }, (_, at) => keyOf(this.tag, type, at));
  }
}
