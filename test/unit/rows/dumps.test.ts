/**
 * DUMP and RESTORE beside a real redis-server: what either gives the other takes, whatever Redis packs it in; and
 * what is damaged is refused, whatever the damage.
 */
import { expect } from 'chai';
import { crc64 } from '../../../shared/rdb/crc64.js';
import { readDump } from '../../../shared/rdb/dump.js';
import { Compressor, decompress } from '../../../shared/rdb/lzf.js';
import { packListpack, unpackListpack } from '../../../shared/rdb/listpack.js';
import { unpackZiplist } from '../../../shared/rdb/ziplist.js';
import { OnePartition } from './one-partition.js';
import { redisBeside } from './redis-beside.js';
import { ordered } from './unordered.js';

type Words = readonly (string | Buffer)[];

const numbers = (count: number, prefix = ''): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const text = 'to be or not to be, that is the question; '.repeat(50);

/** How values come to be; the key is `k`. */
const values: Readonly<Record<string, Words>> = {
  'an empty string': ['SET', 'k', ''],
  'a short string': ['SET', 'k', 'foobar'],
  'a string of bytes': ['SET', 'k', Buffer.from(numbers(256).map(Number))],
  'a string that compresses': ['SET', 'k', text],
  'a long string of one byte': ['SET', 'k', 'x'.repeat(100_000)],
  'an integer of a byte': ['SET', 'k', '-128'],
  'an integer of two bytes': ['SET', 'k', '32767'],
  'an integer of four bytes': ['SET', 'k', '-2147483648'],
  'an integer of eight bytes': ['SET', 'k', '9223372036854775807'],
  'a number that is none': ['SET', 'k', '007'],
  'a short list': [
    'RPUSH',
    'k',
    'a',
    '1',
    '-1',
    '127',
    '128',
    '4095',
    '-4096',
    '4096',
    '-4097',
    '32768',
    '8388608',
    '',
  ],
  'a list of all integers': [
    'RPUSH',
    'k',
    '2147483648',
    '-9223372036854775808',
    '9223372036854775807',
    '-8388609',
    '-1',
  ],
  'a list of strings of all lengths': [
    'RPUSH',
    'k',
    'x'.repeat(63),
    'y'.repeat(64),
    'z'.repeat(4_095),
    'w'.repeat(4_096),
  ],
  'a list of several nodes': ['RPUSH', 'k', ...numbers(5_000, 'value ')],
  'a list with a huge value': ['RPUSH', 'k', 'a', text.repeat(30), 'b'],
  'an intset of two bytes': ['SADD', 'k', '1', '-5', '300'],
  'an intset of four bytes': ['SADD', 'k', '1', '-5', '70000'],
  'an intset of eight bytes': ['SADD', 'k', '1', '-9223372036854775808', '9223372036854775807'],
  'an intset as large as they get': ['SADD', 'k', ...numbers(512)],
  'a set of many integers': ['SADD', 'k', ...numbers(513)],
  'a set of strings': ['SADD', 'k', 'a', 'b', '1', text],
  'a large set': ['SADD', 'k', ...numbers(3_000, 'member ')],
  'a small hash': ['HSET', 'k', 'a', '1', 'b', 'two', '3', text.slice(0, 64)],
  'a hash with a long value': ['HSET', 'k', 'a', '1', 'b', text],
  'a large hash': ['HSET', 'k', ...numbers(2_000, 'f')],
  'a small sorted set': [
    'ZADD',
    'k',
    '1',
    'a',
    '-1.5',
    'b',
    '1e300',
    'c',
    '3',
    '17',
    '0.1',
    'd',
    'inf',
    'e',
    '-inf',
    'f',
  ],
  'a large sorted set': ['ZADD', 'k', ...numbers(400).flatMap((n) => [String(Number(n) / 3), `m${n}`])],
  'a sorted set with a long member': ['ZADD', 'k', '1', 'a', '2', text],
};

/** What shows all of a value. */
const shows: readonly string[][] = [
  ['TYPE', 'k'],
  ['OBJECT', 'ENCODING', 'k'],
  ['GET', 'k'],
  ['LRANGE', 'k', '0', '-1'],
  ['SMEMBERS', 'k'],
  ['HGETALL', 'k'],
  ['ZRANGE', 'k', '0', '-1', 'WITHSCORES'],
  ['PTTL', 'k'],
];

function bulk(reply: string): Buffer {
  const bytes = Buffer.from(reply, 'latin1');
  return bytes.subarray(bytes.indexOf('\r\n') + 2, -2);
}

describe('dumps', () => {
  it('end with the CRC-64 that Redis uses', () => {
    expect(crc64(Buffer.from('123456789')).readBigUInt64LE().toString(16)).to.equal('e9c6d914c4b8d9ca');
    expect(crc64(Buffer.alloc(0)).readBigUInt64LE()).to.equal(0n);
  });

  it('compress what repeats, and get it back', () => {
    const compressor = new Compressor();
    let state = 1;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    let smaller = 0;
    for (let i = 0; i < 300; i++) {
      const letters = 1 + Math.floor(random() * 20);
      const bytes = Buffer.from(numbers(Math.floor(random() * 2_000)).map(() => Math.floor(random() * letters)));
      const compressed = compressor.compress(bytes);
      if (compressed === null) continue;
      smaller++;
      expect(compressed.length).to.be.at.most(bytes.length - 4);
      expect(decompress(compressed, bytes.length)).to.deep.equal(bytes);
      expect(decompress(compressed, bytes.length + 1)).to.equal(null);
      expect(decompress(compressed.subarray(0, -1), bytes.length)).to.equal(null);
    }
    expect(smaller).to.be.above(200);
  });

  it('read ziplists as older versions of Redis wrote them', () => {
    // Lengths, then: "ab", 12, -2 in a byte, 300, -70000 and 2^40 in two, three and eight bytes.
    const entries = [
      [0, 2, 0x61, 0x62],
      [4, 0xfd],
      [2, 0xfe, 0xfe],
      [3, 0xc0, 0x2c, 0x01],
      [4, 0xf0, 0x90, 0xee, 0xfe],
      [5, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0],
    ].flat();
    const packed = Buffer.from([...Array<number>(10).fill(0), ...entries, 0xff]);
    packed.writeUInt32LE(packed.length, 0);
    packed.writeUInt32LE(packed.length - 11, 4);
    packed.writeUInt16LE(6, 8);
    expect(unpackZiplist(packed)?.map(String)).to.deep.equal(['ab', '12', '-2', '300', '-70000', '1099511627776']);
    const body = Buffer.concat([Buffer.of(10, packed.length), packed, Buffer.of(8, 0)]);
    const value = readDump(Buffer.concat([body, crc64(body)]));
    expect(value.type === 'list' && value.values.length).to.equal(6);
    for (let i = 0; i < packed.length; i++) {
      const damaged = Buffer.from(packed);
      damaged[i]! ^= 0x41;
      unpackZiplist(damaged);
    }
  });

  it('keep parts of a listpack whatever they are', () => {
    const parts = [...numbers(70_000).slice(69_000), '', '-1', '8191', 'x'.repeat(20_000)].map((part) =>
      Buffer.from(part),
    );
    expect(unpackListpack(packListpack(parts))).to.deep.equal(parts);
  });

  describe('between us and Redis', () => {
    const redis = redisBeside();
    let ours: OnePartition;

    const same = async (...words: string[]): Promise<void> => {
      const [mine, theirs] = [ours.send(words), await redis.send(words)];
      expect(ordered(words, mine), words.join(' ')).to.equal(ordered(words, theirs));
    };

    beforeEach(async () => {
      ours = new OnePartition();
      ours.partition.nowMs = Date.now();
      await redis.send(['FLUSHALL']);
    });

    for (const [kind, words] of Object.entries(values)) {
      it(`${kind} goes both ways`, async () => {
        await redis.send(words);
        const theirs = bulk(await redis.send(['DUMP', 'k']));
        expect(ours.send(['RESTORE', 'k', '0', theirs]), 'theirs restored').to.equal('+OK\r\n');
        for (const show of shows) await same(...show);
        const mine = bulk(ours.send(['DUMP', 'k']));
        expect(await redis.send(['RESTORE', 'k', '0', mine, 'REPLACE']), 'ours restored').to.equal('+OK\r\n');
        for (const show of shows) await same(...show);
        expect(ours.send(['RESTORE', 'k', '0', mine, 'REPLACE']), 'ours restored by us').to.equal('+OK\r\n');
        for (const show of shows) await same(...show);
      });

      it(`${kind}, damaged, is refused`, async () => {
        await redis.send(words);
        const whole = bulk(await redis.send(['DUMP', 'k']));
        const step = Math.max(1, Math.floor(whole.length / 60));
        for (let i = 0; i < whole.length; i += step) {
          const damaged = Buffer.from(whole);
          damaged[i]! ^= 1 << (i % 8);
          const answer = '-ERR DUMP payload version or checksum are wrong\r\n';
          expect(ours.send(['RESTORE', 'k', '0', damaged])).to.equal(answer);
          expect(ours.send(['RESTORE', 'k', '0', whole.subarray(0, i)])).to.equal(answer);
          // With a checksum that fits, it is something else or nothing.
          const body = damaged.subarray(0, -8);
          const answered = ours.send(['RESTORE', 'k', '0', Buffer.concat([body, crc64(body)])]);
          const present = ours.send(['EXISTS', 'k']) === ':1\r\n';
          if (present) expect(answered).to.equal('+OK\r\n');
          else expect(answered).to.match(/^-ERR (Bad data format|DUMP payload version or checksum are wrong)/);
          ours.send(['DEL', 'k']);
        }
      });
    }

    it('options and errors', async () => {
      await redis.send(['SET', 'k', 'bar']);
      const payload = bulk(await redis.send(['DUMP', 'k']));
      await redis.send(['DEL', 'k']);
      const send = async (...words: Words): Promise<void> => {
        expect(ours.send(words), words.join(' ')).to.equal(await redis.send(words));
      };
      const future = '4102444800000';
      await send('DUMP', 'nokey');
      await send('DUMP');
      await send('RESTORE', 'k', '0');
      await send('RESTORE', 'k', '-1', payload);
      await send('RESTORE', 'k', 'abc', 'damaged');
      await send('RESTORE', 'k', '0', 'damaged');
      await send('RESTORE', 'k', '0', '');
      await send('RESTORE', 'k', '0', payload, 'foo');
      await send('RESTORE', 'k', '0', payload);
      await send('GET', 'k');
      await send('RESTORE', 'k', '0', payload);
      await send('RESTORE', 'k', 'abc', 'damaged');
      await send('RESTORE', 'k', '0', 'damaged', 'REPLACE');
      await send('RESTORE', 'k', '0', 'damaged', 'foo');
      await send('GET', 'k');
      await send('RESTORE', 'k', future, payload, 'REPLACE', 'ABSTTL');
      await send('PEXPIRETIME', 'k');
      await send('RESTORE', 'k', '0', payload, 'replace');
      await send('PEXPIRETIME', 'k');
      await send('RESTORE', 'k', '1', payload, 'ABSTTL');
      await send('RESTORE', 'k', '1', payload, 'ABSTTL', 'REPLACE');
      await send('EXISTS', 'k');
      await send('RESTORE', 'k', '0', payload, 'IDLETIME');
      await send('RESTORE', 'k', '0', payload, 'IDLETIME', 'abc');
      await send('RESTORE', 'k', '0', payload, 'IDLETIME', '-1');
      await send('RESTORE', 'k', '0', payload, 'FREQ', '256');
      await send('RESTORE', 'k', '0', payload, 'FREQ', '-1');
      await send('RESTORE', 'k', '0', payload, 'FREQ', '1', 'IDLETIME', '1');
      await send('RESTORE', 'k', '0', payload, 'IDLETIME', '1', 'FREQ', '1');
      await send('RESTORE', 'k', '0', payload, 'IDLETIME', '1000');
      await send('OBJECT', 'IDLETIME', 'k');
      await redis.send(['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu']);
      ours.lfu = true;
      await send('RESTORE', 'k', '0', payload, 'REPLACE', 'FREQ', '100');
      await send('OBJECT', 'FREQ', 'k');
      await redis.send(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
      await send('RESTORE-ASKING', 'asked', '0', payload);
      await send('GET', 'asked');
    });

    it('short values are the same, byte for byte', async () => {
      for (const words of [
        ['SET', 'k', 'foobar'],
        ['SET', 'k', '12'],
        ['SET', 'k', '-70000'],
        ['SET', 'k', '12345678901'],
        ['RPUSH', 'k', 'a', '1', '5000'],
        ['SADD', 'k', '1', '2', '70000'],
        ['SADD', 'k', 'a'],
        ['HSET', 'k', 'a', '1'],
        ['ZADD', 'k', '1', 'a', '2.5', 'b'],
      ]) {
        await same('DEL', 'k');
        await same(...words);
        await same('DUMP', 'k');
      }
    });
  });

  it('of a few bytes that would become very many parts are refused', () => {
    // A listpack of 100 MiB, nearly all of it zeros, which would be 50 million entries.
    const entries = 50 * 1024 * 1024;
    const header = Buffer.from([0, 0, 0, 0, 0xff, 0xff]);
    header.writeUInt32LE(2 * entries + 7, 0);
    const listpack = Buffer.alloc(2 * entries + 7);
    for (let at = 7; at < listpack.length; at += 2) listpack[at] = 1;
    listpack.set(header);
    listpack[listpack.length - 1] = 0xff;
    expect(unpackListpack(listpack)).to.equal(null);
  });

  it('of hashes with fields that expire keep when they do, in the form of Redis 7.4', () => {
    const ours = new OnePartition();
    ours.partition.nowMs = 1_700_000_000_000;
    ours.send(['HSET', 'h', 'a', '1', 'b', '2', 'c', '3']);
    ours.send(['HPEXPIREAT', 'h', '1800000000000', 'FIELDS', '1', 'a']);
    ours.send(['HPEXPIREAT', 'h', '1800000000999', 'FIELDS', '1', 'b']);
    const reply = ours.send(['DUMP', 'h']);
    const payload = Buffer.from(reply.slice(reply.indexOf('\r\n') + 2, -2), 'latin1');
    // type, soonest expiry (u64 LE), fields, and of each how much later it expires, its name and its value
    expect(payload.subarray(0, 10).toString('hex')).to.equal(`18${soonestHex()}03`);
    expect(payload.readUInt16LE(payload.length - 10)).to.equal(12);
    expect(ours.send(['RESTORE', 'copy', '0', payload])).to.equal('+OK\r\n');
    expect(ours.send(['HPEXPIRETIME', 'copy', 'FIELDS', '3', 'a', 'b', 'c'])).to.equal(
      '*3\r\n:1800000000000\r\n:1800000000999\r\n:-1\r\n',
    );
    ours.partition.nowMs = 1_800_000_000_500;
    expect(ours.send(['RESTORE', 'late', '0', payload])).to.equal('+OK\r\n');
    expect(ours.send(['HMGET', 'late', 'a', 'b', 'c'])).to.equal('*3\r\n$-1\r\n$1\r\n2\r\n$1\r\n3\r\n');
  });
});

function soonestHex(): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(1_800_000_000_000n);
  return bytes.toString('hex');
}
