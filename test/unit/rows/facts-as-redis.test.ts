/** Pure parts against a real redis-server: slots, glob patterns, long doubles, and the facts of the command table. */
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { bitCommands } from '../../../shared/commands/bits.js';
import { dumpCommands } from '../../../shared/commands/dumps.js';
import { geoCommands } from '../../../shared/commands/geo.js';
import { hyperloglogCommands } from '../../../shared/commands/hyperloglogs.js';
import { sortCommands } from '../../../shared/commands/sorting.js';
import { commands } from '../../../shared/commands/index.js';
import type { Command } from '../../../shared/commands/command.js';
import { databaseCommands } from '../../../shared/commands/databases.js';
import { expiryCommands } from '../../../shared/commands/expiry.js';
import { keyCommands } from '../../../shared/commands/keys.js';
import { listCommands } from '../../../shared/commands/lists.js';
import { setCommands } from '../../../shared/commands/sets.js';
import { streamCommands } from '../../../shared/commands/streams.js';
import { stringCommands } from '../../../shared/commands/strings.js';
import { globMatches } from '../../../shared/glob.js';
import { addLongDouble, formatLongDouble, parseLongDouble } from '../../../shared/long-double.js';
import { slotOf } from '../../../shared/slots.js';
import { eventually } from '../../cluster/condition.js';
import { isInstalled } from '../../cluster/processes.js';
import { type RedisServer, startRedisServer } from '../../cluster/redis-server.js';
import { RawConnection } from './raw-connection.js';

function generator(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

function text(random: (bound: number) => number, alphabet: string, longest: number): Buffer {
  const length = random(longest + 1);
  return Buffer.from(Array.from({ length }, () => alphabet[random(alphabet.length)]).join(''), 'latin1');
}

describe('what must equal Redis exactly', () => {
  let server: RedisServer;
  let redis: RawConnection;

  before(async function () {
    if (!isInstalled('redis-server')) this.skip();
    server = await startRedisServer(['--cluster-enabled', 'yes']);
    redis = await RawConnection.open(server.port);
    await redis.send(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
    await eventually('the cluster of one is up', async () =>
      (await redis.send(['SET', 'k', 'v'])).startsWith('+OK') ? true : undefined,
    );
  });

  after(async () => {
    if (!isInstalled('redis-server')) return;
    redis.close();
    await server.stop();
  });

  it('slots, hash tags included', async () => {
    const random = generator(1);
    for (let i = 0; i < 2_000; i++) {
      const key = text(random, '{}ab\u00ff\u0000', 12);
      expect(await redis.send(['CLUSTER', 'KEYSLOT', key]), key.toString('latin1')).to.equal(`:${slotOf(key)}\r\n`);
    }
  });

  it('glob patterns', async () => {
    const random = generator(2);
    let matched = 0;
    for (let i = 0; i < 6_000; i++) {
      const pattern = text(random, 'aabb**?[]^-\\', 7);
      const key = text(random, 'aabb-]\\', 4);
      if (pattern.length === 0 || key.length === 0) continue;
      // ACL's key patterns are matched by the same function as KEYS and SCAN, one key at a time.
      const rule = Buffer.concat([Buffer.from('~'), pattern]);
      expect(await redis.send(['ACL', 'SETUSER', 'glob', 'reset', 'on', 'nopass', '+@all', rule])).to.equal('+OK\r\n');
      const allowed = await redis.send(['ACL', 'DRYRUN', 'glob', 'GET', key]);
      const expected = allowed === '+OK\r\n';
      if (expected) matched++;
      expect(globMatches(pattern, key), `${pattern.toString()} on ${key.toString()}`).to.equal(expected);
    }
    expect(matched).to.be.greaterThan(200);
  });

  it('sums of long doubles', async () => {
    const random = generator(3);
    const number = (): string => {
      const digits = String(text(random, '0123456789', 24));
      const fraction = random(2) === 0 ? '' : `.${String(text(random, '0123456789', 24))}`;
      const exponent = random(3) === 0 ? `e${random(80) - 40}` : '';
      return `${random(2) === 0 ? '-' : ''}${digits}${fraction}${exponent}`;
    };
    for (let i = 0; i < 4_000; i++) {
      const [a, b] = [number(), number()];
      await redis.send(['SET', 'k', a]);
      const expected = await redis.send(['INCRBYFLOAT', 'k', b]);
      const [x, y] = [parseLongDouble(Buffer.from(a)), parseLongDouble(Buffer.from(b))];
      const sum = x === null || y === null ? null : formatLongDouble(addLongDouble(x, y));
      const ours = sum === null ? '-ERR value is not a valid float\r\n' : `$${sum.length}\r\n${sum}\r\n`;
      expect(ours, `${a} + ${b}`).to.equal(expected);
    }
  });

  it('arity, flags, categories and key positions of data commands', async () => {
    const rows = [
      ...stringCommands.filter(({ since }) => since < '8'),
      ...bitCommands,
      ...hyperloglogCommands,
      ...geoCommands,
      ...sortCommands,
      ...dumpCommands,
      ...listCommands,
      ...setCommands,
      ...keyCommands,
      ...expiryCommands,
      ...databaseCommands,
      ...streamCommands.filter(({ since }) => since < '8'),
    ];
    const client = new Redis({ port: server.port, host: '127.0.0.1' });
    try {
      for (const row of rows) {
        const [info] = (await client.call('COMMAND', 'INFO', row.name)) as [CommandInfo];
        expectFacts(row, info);
        for (const subcommand of row.subcommands ?? []) {
          const found = info[9].find(([name]) => name === subcommand.name);
          expect(found, subcommand.name).to.be.an('array');
          expectFacts(subcommand, found as CommandInfo);
        }
        expect(info[9].length, `${row.name}: number of subcommands`).to.equal(row.subcommands?.length ?? 0);
        expect(commands.get(row.name)).to.equal(row);
      }
    } finally {
      client.disconnect();
    }
  });

  it('every string, list and set command of Redis is there', async () => {
    const client = new Redis({ port: server.port, host: '127.0.0.1' });
    try {
      const named = async (category: string): Promise<string[]> =>
        (await client.call('COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', category)) as string[];
      const elsewhere = ['sort', 'sort_ro'];
      for (const [category, rows] of Object.entries({ string: stringCommands, list: listCommands, set: setCommands })) {
        const names = (await named(category)).filter((name) => !elsewhere.includes(name));
        const known = rows.filter(({ since }) => since < '8');
        expect(known.map((row) => row.name)).to.have.members(names);
      }
    } finally {
      client.disconnect();
    }
  });
});

/** Name, arity, flags, first key, last key, step, categories, tips, key specifications, subcommands. */
type CommandInfo = [string, number, string[], number, number, number, string[], unknown, unknown, CommandInfo[]];

function expectFacts(row: Command, info: CommandInfo): void {
  const [name, arity, flags, first, last, step, categories] = info;
  expect(row.name).to.equal(name);
  expect(row.arity, name).to.equal(arity);
  // Redis keeps may_replicate to itself
  const told = row.flags.filter((flag) => flag !== 'may_replicate');
  expect(told, name).to.have.members(flags);
  expect(
    row.categories.map((category) => `@${category}`),
    name,
  ).to.have.members(categories);
  expect(row.keys ?? { first: 0, last: 0, step: 0 }, name).to.deep.equal({ first, last, step });
}
