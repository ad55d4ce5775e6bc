/** Redis's own command-line client, in the modes that do more than send a command. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { eventually } from '../cluster/condition.js';
import { isInstalled, stopChild } from '../cluster/processes.js';
import { afterwards, ioredis } from './connections.js';

const run = promisify(execFile);
const database = '9';
const strings = 300;

export function redisCliPrograms(port: () => number): void {
  describe('redis-cli', () => {
    const cli = async (...words: string[]): Promise<string> =>
      (await run('redis-cli', ['-p', String(port()), '-n', database, ...words])).stdout;

    before(async function () {
      if (!isInstalled('redis-cli')) this.skip();
      const client = ioredis(port(), { db: Number(database) });
      const filling = client.pipeline();
      for (let i = 0; i < strings; i++) filling.set(`string:${i}`, 'x'.repeat(i + 1));
      filling.rpush('a list', ...Array.from({ length: 500 }, (_, i) => i));
      filling.sadd('a set', ...Array.from({ length: 400 }, (_, i) => i));
      filling.zadd('a sorted set', ...Array.from({ length: 300 }, (_, i) => [i, i]).flat());
      filling.hset('a hash', ...Array.from({ length: 200 }, (_, i) => [i, i]).flat());
      filling.xadd('a stream', '*', 'field', 'value');
      await filling.exec();
      await client.quit();
    });

    it('--bigkeys finds the biggest of each type', async () => {
      const told = await cli('--bigkeys');
      for (const line of [
        `Biggest string found '"string:299"' has 300 bytes`,
        `Biggest   list found '"a list"' has 500 items`,
        `Biggest    set found '"a set"' has 400 members`,
        `Biggest   zset found '"a sorted set"' has 300 members`,
        `Biggest   hash found '"a hash"' has 200 fields`,
        `Biggest stream found '"a stream"' has 1 entries`,
        `Sampled ${strings + 5} keys in the keyspace!`,
      ])
        expect(told).to.include(line);
    });

    it('--memkeys measures them', async () => {
      const told = await cli('--memkeys');
      expect(told).to.match(/Biggest +list found '"a list"' has \d+ bytes/);
      expect(told).to.include(`Sampled ${strings + 5} keys in the keyspace!`);
    });

    it('--scan lists keys, by pattern', async () => {
      expect((await cli('--scan')).trim().split('\n').length).to.equal(strings + 5);
      expect((await cli('--scan', '--pattern', 'a *')).trim().split('\n').sort()).to.deep.equal([
        'a hash',
        'a list',
        'a set',
        'a sorted set',
        'a stream',
      ]);
    });

    it('--pipe sends a file of commands', async () => {
      const child = spawn('redis-cli', ['-p', String(port()), '-n', database, '--pipe'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let told = '';
      child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
      const commands = Array.from({ length: 5_000 }, () => '*3\r\n$6\r\nINCRBY\r\n$5\r\npiped\r\n$1\r\n2\r\n');
      child.stdin.end(commands.join(''));
      await once(child, 'close');
      expect(told).to.include('errors: 0, replies: 5000');
      expect(await cli('GET', 'piped')).to.equal('10000\n');
    });

    it('--latency measures round trips', async () => {
      const [least, most, average, samples] = (await cli('--latency')).trim().split(/\s+/).map(Number);
      expect(least).to.be.at.most(Number(average));
      expect(average).to.be.at.most(Number(most));
      expect(samples).to.be.greaterThan(1);
    });

    it('--stat follows the server', async () => {
      const child = spawn('redis-cli', ['-p', String(port()), '-i', '0.1', '--stat'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      afterwards(() => child.kill('SIGKILL'));
      let told = '';
      child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
      await eventually('a few lines are there', () => (told.split('\n').length > 5 ? true : undefined));
      await stopChild(child);
      expect(told).to.match(/keys +mem +clients +blocked +requests +connections/);
      expect(told).to.match(/^\d+ +[\d.]+[BKMG] +\d+ +\d+ +\d+ \(\+\d+\) +\d+/m);
    });
  });
}
