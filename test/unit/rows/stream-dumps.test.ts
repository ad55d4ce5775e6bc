/** DUMP and RESTORE of streams beside a real redis-server: both ways, with groups and what is pending. */
import { expect } from 'chai';
import { crc64 } from '../../../shared/rdb/crc64.js';
import { OnePartition } from './one-partition.js';
import { redisBeside } from './redis-beside.js';

type Words = readonly (string | Buffer)[];

const add = (id: string, ...pairs: string[]): Words => ['XADD', 'k', id, ...pairs];
const many = (count: number, fields: (i: number) => string[]): Words[] =>
  Array.from({ length: count }, (_, i) => add(`${1000 + i * 3}-${i % 4}`, ...fields(i)));

/** How streams come to be. `removed`: entries were removed, which Redis keeps marked, and we do not. */
const streams: Readonly<Record<string, { readonly script: readonly Words[]; readonly removed?: true }>> = {
  'one entry': { script: [add('1-1', 'field', 'value')] },
  'entries of the same fields': { script: many(20, (i) => ['a', String(i), 'b', `text ${i}`]) },
  'entries of other fields': {
    script: many(20, (i) => [`f${i % 3}`, String(i * 1000), '7', '', ...(i % 2 ? ['x', 'y'] : [])]),
  },
  'several nodes': { script: many(350, (i) => ['number', String(i * i), 'text', 'abc'.repeat(i % 30)]) },
  'extreme ids': {
    script: [add('0-1', 'f', 'v'), add('18446744073709551614-5', 'f', 'v'), add('18446744073709551615-0', 'f', 'v')],
  },
  'no entries': { script: [['XGROUP', 'CREATE', 'k', 'g', '$', 'MKSTREAM']] },
  'a last id ahead': {
    script: [add('1-1', 'f', 'v'), ['XSETID', 'k', '5000000000000-7', 'ENTRIESADDED', '90', 'MAXDELETEDID', '0-9']],
  },
  'groups that know what they have read, and do not': {
    script: [
      ...many(10, (i) => ['f', String(i)]),
      ['XGROUP', 'CREATE', 'k', 'all', '$', 'ENTRIESREAD', '10'],
      ['XGROUP', 'CREATE', 'k', '12', '1003-1'],
      ['XGROUP', 'CREATE', 'k', 'none', '0'],
      ['XGROUP', 'CREATECONSUMER', 'k', 'none', 'idle one'],
    ],
  },
  'what is pending, of several consumers': {
    script: [
      ...many(150, (i) => ['f', String(i)]),
      ['XGROUP', 'CREATE', 'k', 'g', '0'],
      ['XREADGROUP', 'GROUP', 'g', 'alice', 'COUNT', '70', 'STREAMS', 'k', '>'],
      ['XREADGROUP', 'GROUP', 'g', 'bob', 'COUNT', '30', 'STREAMS', 'k', '>'],
      ['XACK', 'k', 'g', '1003-1', '1006-2'],
      ['XCLAIM', 'k', 'g', 'carol', '0', '1009-3', '1012-0', 'RETRYCOUNT', '90000', 'TIME', '1600000000000'],
    ],
  },
  'removed entries': {
    script: [
      ...many(250, (i) => ['f', String(i)]),
      ['XDEL', 'k', '1000-0', '1003-1', '1300-0', '1747-1'],
      ['XTRIM', 'k', 'MAXLEN', '=', '40'],
    ],
    removed: true,
  },
  'all entries removed, some pending': {
    script: [
      add('5-1', 'f', 'v'),
      add('5-2', 'f', 'v'),
      ['XGROUP', 'CREATE', 'k', 'g', '0'],
      ['XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'k', '>'],
      ['XDEL', 'k', '5-1', '5-2'],
    ],
  },
};

/** Clients see times as how long ago they were: two servers are not asked at the same instant. The copy is as its original. */
const withoutIdle = (text: string): string =>
  text
    .replaceAll('$4\r\ncopy\r\n', '$1\r\nk\r\n')
    .replaceAll("'copy'", "'k'")
    .replace(/:17\d{11}\r\n/g, 'now')
    .replace(/\$4\r\nidle\r\n:\d+/g, 'idle')
    .replace(/\$(9|14)\r\n(seen-time|active-time)\r\n:\d+/g, 'seen');

const shows: Words[] = [
  ['XRANGE', 'k', '-', '+'],
  ['XREVRANGE', 'k', '+', '-', 'COUNT', '3'],
  ['XLEN', 'k'],
  ['XINFO', 'STREAM', 'k', 'FULL', 'COUNT', '0'],
  ['XINFO', 'GROUPS', 'k'],
  ['XPENDING', 'k', 'g'],
  ['XINFO', 'CONSUMERS', 'k', 'g'],
  ['XADD', 'k', 'NOMKSTREAM', '18446744073709551615-9', 'f', 'v'],
  ['XREADGROUP', 'GROUP', 'g', 'alice', 'COUNT', '2', 'STREAMS', 'k', '0'],
  ['XTRIM', 'k', 'MAXLEN', '~', '100'],
  ['XINFO', 'STREAM', 'k', 'FULL', 'COUNT', '0'],
];

describe('dumps of streams between us and Redis', () => {
  const redis = redisBeside();
  let ours: OnePartition;

  beforeEach(async () => {
    ours = new OnePartition();
    ours.partition.nowMs = Date.now();
    await redis.send(['FLUSHALL']);
  });

  const bulk = (reply: string): Buffer => {
    const from = reply.indexOf('\r\n') + 2;
    expect(reply.charAt(0)).to.equal('$');
    return Buffer.from(reply.slice(from, -2), 'latin1');
  };

  /** Node counts are of what Redis keeps of removed entries, too. */
  const comparable = (text: string, removed: boolean): string =>
    removed ? text.replace(/\$15\r\nradix-tree-(keys)\r\n:\d+|\$16\r\nradix-tree-nodes\r\n:\d+/g, '') : text;

  for (const [kind, { script, removed = false }] of Object.entries(streams)) {
    it(`with ${kind} go both ways`, async () => {
      for (const words of script) await redis.send(words);
      const theirs = bulk(await redis.send(['DUMP', 'k']));
      expect(ours.send(['RESTORE', 'k', '0', theirs]), 'theirs restored').to.equal('+OK\r\n');
      const mine = bulk(ours.send(['DUMP', 'k']));
      if (!removed && !kind.startsWith('all entries')) expect(mine.equals(theirs), 'byte for byte').to.equal(true);
      expect(await redis.send(['RESTORE', 'copy', '0', mine]), 'ours restored').to.equal('+OK\r\n');
      expect(ours.send(['RESTORE', 'copy', '0', mine]), 'ours restored by us').to.equal('+OK\r\n');
      for (const words of shows) {
        const copied = words.map((word) => (word === 'k' ? 'copy' : word));
        const expected = comparable(withoutIdle(await redis.send(words)), removed);
        expect(comparable(withoutIdle(ours.send(words)), removed), words.join(' ')).to.equal(expected);
        expect(
          comparable(withoutIdle(await redis.send(copied)), removed),
          `${words.join(' ')} of the copy at Redis`,
        ).to.equal(expected);
        expect(comparable(withoutIdle(ours.send(copied)), removed), `${words.join(' ')} of our copy`).to.equal(
          expected,
        );
      }
    });

    it(`with ${kind}, damaged, are refused or whole`, async () => {
      for (const words of script.slice(-130)) await redis.send(words);
      const whole = bulk(await redis.send(['DUMP', 'k']));
      const step = Math.max(1, Math.floor(whole.length / 200));
      for (let i = 0; i < whole.length - 8; i += step) {
        const damaged = Buffer.from(whole.subarray(0, -8));
        damaged[i]! ^= 1 << (i % 8);
        const answered = ours.send(['RESTORE', 'k', '0', Buffer.concat([damaged, crc64(damaged)])]);
        if (ours.send(['EXISTS', 'k']) === ':1\r\n') expect(answered).to.equal('+OK\r\n');
        else expect(answered).to.match(/^-ERR (Bad data format|DUMP payload version or checksum are wrong)/);
        ours.send(['DEL', 'k']);
      }
    });
  }

  it('are what ours makes of the same commands', async () => {
    for (const { script } of [streams['several nodes']!, streams['entries of other fields']!]) {
      await redis.send(['DEL', 'k']);
      ours.send(['DEL', 'k']);
      for (const words of script) {
        ours.send(words);
        await redis.send(words);
      }
      expect(ours.send(['DUMP', 'k'])).to.equal(await redis.send(['DUMP', 'k']));
    }
  });
});
