/** What `npm run bench:large` does to one huge collection of each type, and how much of it at a time. */
import type { Random } from '../chaos/random.js';

export type Words = readonly string[];

/** Commands that go on until the time is over, or `total` of them are answered. */
export interface Phase {
  readonly name: string;
  /** Null: as many as fit the time. */
  readonly total: number | null;
  readonly command: (index: number) => Words;
}

/** A batch of elements is one command of the building. */
export const batch = 100;
/** The small collections that huge ones meet. */
const small = 1_000;

const element = (index: number): string => `element:${String(index).padStart(9, '0')}`;
const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

interface Type {
  readonly type: string;
  readonly phases: (elements: number, random: Random) => readonly Phase[];
}

/** Elements come in an order that is not the one in which they are kept. */
function shuffled(index: number, elements: number): number {
  // a step that shares no divisor with the number of elements visits each once
  let step = Math.floor(elements * 0.618) | 1;
  while (gcd(step, elements) !== 1) step += 2;
  return (index * step) % elements;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Batches of a large collection, then one of a small collection whose every other element is in the large one. */
function building(elements: number, command: (key: string, elements: readonly number[]) => Words): Phase {
  const batches = Math.ceil(elements / batch);
  return {
    name: 'build',
    total: batches + 1,
    command: (index) =>
      index === batches
        ? command(
            'small',
            range(0, small).map((i) => i * 2 * Math.ceil(elements / small)),
          )
        : command(
            'large',
            range(index * batch, Math.min(batch, elements - index * batch)).map((i) => shuffled(i, elements)),
          ),
  };
}

function repeated(name: string, commands: readonly (() => Words)[]): Phase {
  return { name, total: null, command: (index) => commands[index % commands.length]!() };
}

const remove: Phase = { name: 'delete', total: 2, command: (index) => [index === 0 ? 'DEL' : 'EXISTS', 'large'] };

export const types: readonly Type[] = [
  {
    type: 'hash',
    phases: (elements, random) => {
      const field = (): string => element(random.between(0, elements - 1));
      return [
        building(elements, (key, all) => ['HSET', key, ...all.flatMap((i) => [element(i), `value:${i}`])]),
        repeated('by element', [
          () => ['HGET', 'large', field()],
          () => ['HMGET', 'large', ...range(0, 10).map(field)],
          () => ['HINCRBY', 'large', 'counter', '1'],
          () => ['HDEL', 'large', field()],
          () => ['HSET', 'large', field(), 'another value'],
          () => ['HLEN', 'large'],
        ]),
        repeated('by range', [
          () => ['HSCAN', 'large', String(random.between(1, elements)), 'COUNT', '1000'],
          () => ['HRANDFIELD', 'large', '100', 'WITHVALUES'],
        ]),
        remove,
      ];
    },
  },
  {
    type: 'set',
    phases: (elements, random) => {
      const member = (): string => element(random.between(0, elements - 1));
      return [
        building(elements, (key, all) => ['SADD', key, ...all.map(element)]),
        repeated('by element', [
          () => ['SISMEMBER', 'large', member()],
          () => ['SMISMEMBER', 'large', ...range(0, 10).map(member)],
          () => ['SADD', 'large', member()],
          () => ['SREM', 'large', member()],
          () => ['SPOP', 'large'],
          () => ['SCARD', 'large'],
        ]),
        repeated('by range', [
          () => ['SSCAN', 'large', String(random.between(1, elements)), 'COUNT', '1000'],
          () => ['SRANDMEMBER', 'large', '100'],
        ]),
        repeated('with a small one', [
          () => ['SINTER', 'large', 'small'],
          () => ['SINTERCARD', '2', 'large', 'small'],
          () => ['SINTERSTORE', 'common', 'small', 'large'],
          () => ['SDIFF', 'small', 'large'],
        ]),
        remove,
      ];
    },
  },
  {
    type: 'sorted set',
    phases: (elements, random) => {
      const member = (): string => element(random.between(0, elements - 1));
      const rank = (): number => random.between(0, elements - 1_000);
      return [
        building(elements, (key, all) => ['ZADD', key, ...all.flatMap((i) => [String(i * 7), element(i)])]),
        repeated('by element', [
          () => ['ZSCORE', 'large', member()],
          () => ['ZRANK', 'large', member()],
          () => ['ZMSCORE', 'large', ...range(0, 10).map(member)],
          () => ['ZINCRBY', 'large', '3', member()],
          () => ['ZREM', 'large', member()],
          () => ['ZPOPMIN', 'large'],
        ]),
        repeated('by range', [
          () => {
            const from = rank();
            return ['ZRANGE', 'large', String(from), String(from + 99), 'WITHSCORES'];
          },
          () => ['ZRANGEBYSCORE', 'large', String(rank() * 7), '+inf', 'LIMIT', '0', '100'],
          () => ['ZREVRANGEBYSCORE', 'large', '+inf', '-inf', 'LIMIT', String(rank()), '10'],
          () => ['ZCOUNT', 'large', String(rank() * 7), '+inf'],
          () => ['ZSCAN', 'large', String(random.between(0, 2 ** 32 - 1)), 'COUNT', '1000'],
        ]),
        repeated('with a small one', [
          () => ['ZINTER', '2', 'large', 'small'],
          () => ['ZINTERCARD', '2', 'large', 'small'],
          () => ['ZINTERSTORE', 'common', '2', 'small', 'large'],
          () => ['ZDIFF', '2', 'small', 'large'],
        ]),
        remove,
      ];
    },
  },
  {
    type: 'list',
    phases: (elements, random) => {
      const index = (): number => random.between(0, elements - 1_000);
      return [
        building(elements, (key, all) => ['RPUSH', key, ...all.map(element)]),
        repeated('by element', [
          () => ['LINDEX', 'large', String(index())],
          () => ['LSET', 'large', String(index()), 'another value'],
          () => ['LPOP', 'large'],
          () => ['RPUSH', 'large', 'a new one'],
          () => ['LMOVE', 'large', 'large', 'LEFT', 'RIGHT'],
          () => ['LLEN', 'large'],
        ]),
        repeated('by range', [
          () => {
            const from = index();
            return ['LRANGE', 'large', String(from), String(from + 99)];
          },
          () => ['LRANGE', 'large', '-1000', '-1'],
          () => ['LTRIM', 'large', '100', '-1'],
          () => ['LPOS', 'large', element(random.between(0, elements - 1)), 'MAXLEN', '1000'],
        ]),
        remove,
      ];
    },
  },
];
