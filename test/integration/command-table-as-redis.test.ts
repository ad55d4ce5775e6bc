/** What clients are told of commands (COMMAND and its subcommands), beside a real redis-server. */
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { Proxy } from '../../proxy/proxy.js';
import { commands } from '../../shared/commands/index.js';
import type { Command } from '../../shared/commands/command.js';
import { documentationOf } from '../../shared/commands/documentation/documentation.js';
import type { Argument } from '../../shared/commands/documentation/notation.js';
import { isInstalled } from '../cluster/processes.js';
import { type RedisServer, startRedisServer } from '../cluster/redis-server.js';
import { startProxyAlone } from './proxy-alone.js';

type Told = string | number | null | readonly Told[];

/** Of this, text is in our own words: whether it is there counts, and nothing of a key specification's note. */
const OWN_WORDS: ReadonlySet<string> = new Set(['summary', 'complexity', 'history', 'replaced_by']);

/** Of a map as RESP2 tells it. */
const pairs = (map: Told): [string, Told][] => {
  const items = map as readonly Told[];
  return Array.from({ length: items.length / 2 }, (_, i) => [String(items[2 * i]), items[2 * i + 1] as Told]);
};

/** Facts by the names of commands; those of a container's subcommands beside them. */
function documents(reply: Told): Map<string, unknown> {
  return new Map(
    pairs(reply).flatMap(([name, document]): [string, unknown][] => {
      const fields = pairs(document);
      const facts = fields
        .filter(([field]) => field !== 'subcommands' && field !== 'history' && field !== 'complexity')
        .map(([field, value]) => [field, OWN_WORDS.has(field) ? 'text' : value]);
      const inner = fields.find(([field]) => field === 'subcommands')?.[1] ?? [];
      return [[name, facts], ...documents(inner)];
    }),
  );
}

/** Of COMMAND: what is a set is sorted, and notes are left out. */
function descriptions(reply: Told): Map<string, unknown> {
  return new Map(
    (reply as Told[][]).flatMap(([name, arity, flags, first, last, step, categories, tips, keys, subcommands]) => {
      const sorted = (set: Told | undefined): string[] => (set as string[]).toSorted();
      const specifications = (keys as Told[]).map((key) => pairs(key).filter(([field]) => field !== 'notes'));
      const facts = [arity, sorted(flags), first, last, step, sorted(categories), sorted(tips), specifications];
      return [[String(name), facts] as const, ...descriptions(subcommands ?? [])];
    }),
  );
}

/** A command line with each argument once, and with what may be absent or without; null where it makes no sense. */
function lineOf(parts: readonly Argument[], withOptions: boolean): string[] {
  return parts.flatMap((part) => {
    if (part.flags.includes('optional') && !withOptions && part.type !== 'key') return [];
    const word = part.token === null ? [] : [part.token];
    if (part.type === 'pure-token') return word;
    if (part.type === 'oneof') return [...word, ...lineOf(part.parts.slice(0, 1), true)];
    if (part.type === 'block') return [...word, ...lineOf(part.parts, withOptions)];
    return [...word, ['integer', 'double', 'unix-time'].includes(part.type) ? '1' : part.name];
  });
}

/** They take options of later versions. */
const later: ReadonlySet<string> = new Set(['zrank', 'zrevrank', 'hscan', 'set', 'client|kill']);

const everyCommand = (rows: Iterable<Command>): Command[] =>
  [...rows].flatMap((row) => [row, ...(row.subcommands ?? [])]);

describe('the command table', () => {
  let redis: RedisServer;
  let proxy: Proxy;
  let ours: Redis;
  let theirs: Redis;
  const ask = (client: Redis, ...words: [string, ...string[]]): Promise<Told> => client.call(...words) as Promise<Told>;

  before(async function () {
    if (!isInstalled('redis-server')) this.skip();
    redis = await startRedisServer();
    proxy = await startProxyAlone();
    // INFO, which it would ask first, is no part of this
    ours = new Redis(proxy.port, '127.0.0.1', { enableReadyCheck: false });
    theirs = new Redis(redis.port, '127.0.0.1');
  });

  after(async () => {
    if (!isInstalled('redis-server')) return;
    ours.disconnect();
    theirs.disconnect();
    await new Promise<void>((resolve) => proxy.stop(resolve));
    await redis.stop();
  });

  it('is documented as in Redis: arguments, versions, groups, deprecations', async () => {
    const ourDocuments = documents(await ask(ours, 'command', 'docs'));
    const theirDocuments = documents(await ask(theirs, 'command', 'docs'));
    expect(theirDocuments.size).to.be.greaterThan(300);
    for (const [name, facts] of theirDocuments)
      if (!later.has(name)) expect(ourDocuments.get(name), name).to.deep.equal(facts);
  });

  it('has a document for every command, and its history in order', () => {
    for (const { name } of everyCommand(commands.values())) {
      const documentation = documentationOf(name);
      expect(documentation, name).not.to.equal(null);
      const versions = documentation?.history.map(([version]) => version) ?? [];
      expect(versions.toSorted(), name).to.deep.equal(versions);
    }
    expect(documentationOf('expire')?.history).to.deep.equal([['7.0.0', 'Takes `NX`, `XX`, `GT`, `LT`.']]);
    expect(documentationOf('zadd')?.cost).to.equal('O(log(N))');
  });

  it('is described as in Redis: arity, flags, categories, tips, key specifications', async () => {
    const ourDescriptions = descriptions(await ask(ours, 'command'));
    for (const [name, facts] of descriptions(await ask(theirs, 'command')))
      if (!later.has(name)) expect(ourDescriptions.get(name), name).to.deep.equal(facts);
  });

  it('is listed by category as in Redis', async () => {
    const known = new Set(everyCommand(commands.values()).flatMap(({ name, since }) => (since < '7.1' ? [name] : [])));
    for (const category of (await ask(theirs, 'acl', 'cat')) as string[]) {
      const listed = async (client: Redis): Promise<string[]> =>
        ((await ask(client, 'command', 'list', 'filterby', 'aclcat', category)) as string[])
          .filter((name) => known.has(name))
          .toSorted();
      expect(await listed(ours), category).to.deep.equal(await listed(theirs));
    }
  });

  it('finds the keys of every command line, and what is done to them, as Redis does', async () => {
    let found = 0;
    for (const { name, since } of everyCommand(commands.values())) {
      const parts = documentationOf(name)?.parts ?? [];
      for (const withOptions of [false, true]) {
        const line = [...name.split('|'), ...lineOf(parts, withOptions)];
        // Redis lists the keys of both options and uses one
        if (line.includes('STORE') && line.includes('STOREDIST')) line.splice(line.indexOf('STOREDIST'), 2);
        const answer = async (client: Redis): Promise<unknown> =>
          ask(client, 'command', 'getkeysandflags', ...line).catch((error: Error) => error.message);
        const [our, their] = [await answer(ours), await answer(theirs)];
        if (Array.isArray(their)) found += 1;
        if (since < '7.1' && !later.has(name)) expect(our, line.join(' ')).to.deep.equal(their);
      }
    }
    expect(found).to.be.greaterThan(250);
  });
});
