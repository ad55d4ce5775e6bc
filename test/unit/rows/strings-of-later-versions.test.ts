/** SET's conditions on the old value, MSETEX and DELEX: of Redis 8.4, so that no redis-server here can be asked. */
import { expect } from 'chai';
import { commands } from '../../../shared/commands/index.js';
import { positionsOfKeys } from '../../../shared/commands/key-positions.js';
import { OnePartition } from './one-partition.js';

describe('strings of Redis 8.4', () => {
  let redis: OnePartition;
  const send = (line: string): string => redis.send(line.split(' '));

  beforeEach(() => {
    redis = new OnePartition();
    send('SET k old');
    send('RPUSH list a');
  });

  it('SET IFEQ stores where the old value is equal, and nothing where there is none', () => {
    expect(send('SET k new IFEQ other')).to.equal('$-1\r\n');
    expect(send('GET k')).to.equal('$3\r\nold\r\n');
    expect(send('SET k new IFEQ old')).to.equal('+OK\r\n');
    expect(send('GET k')).to.equal('$3\r\nnew\r\n');
    expect(send('SET absent v IFEQ v')).to.equal('$-1\r\n');
    expect(send('EXISTS absent')).to.equal(':0\r\n');
  });

  it('SET IFNE stores where the old value differs or is absent', () => {
    expect(send('SET k new IFNE old')).to.equal('$-1\r\n');
    expect(send('SET k new IFNE other EX 100')).to.equal('+OK\r\n');
    expect(send('TTL k')).to.equal(':100\r\n');
    expect(send('SET absent v IFNE v')).to.equal('+OK\r\n');
  });

  it('SET on a condition returns the old value where GET asks for it', () => {
    expect(send('SET k new IFEQ other GET')).to.equal('$3\r\nold\r\n');
    expect(send('SET k new GET IFEQ old')).to.equal('$3\r\nold\r\n');
    expect(send('GET k')).to.equal('$3\r\nnew\r\n');
  });

  it('SET takes one condition, with its value, on strings', () => {
    for (const options of ['NX IFEQ a', 'IFEQ a XX', 'IFEQ a IFNE b', 'IFEQ', 'IFNE a NX'])
      expect(send(`SET k v ${options}`), options).to.equal('-ERR syntax error\r\n');
    expect(send('SET list v IFEQ a')).to.match(/^-WRONGTYPE /);
    expect(send('SET list v IFNE a')).to.match(/^-WRONGTYPE /);
    expect(send('LLEN list')).to.equal(':1\r\n');
  });

  it('MSETEX stores all with one expiry, or none', () => {
    expect(send('MSETEX 2 a 1 b 2 EX 50')).to.equal(':1\r\n');
    expect([send('TTL a'), send('TTL b')]).to.deep.equal([':50\r\n', ':50\r\n']);
    expect(send('MSETEX 2 a 3 c 4 NX')).to.equal(':0\r\n');
    expect(send('MSETEX 2 a 3 c 4 XX')).to.equal(':0\r\n');
    expect(send('MGET a c')).to.equal('*2\r\n$1\r\n1\r\n$-1\r\n');
    expect(send('MSETEX 2 a 3 b 4 XX KEEPTTL')).to.equal(':1\r\n');
    expect([send('GET a'), send('TTL b')]).to.deep.equal(['$1\r\n3\r\n', ':50\r\n']);
    expect(send('MSETEX 1 a 5')).to.equal(':1\r\n');
    expect(send('TTL a')).to.equal(':-1\r\n');
    expect(send('MSETEX 1 list 5')).to.equal(':1\r\n');
    expect(send('GET list')).to.equal('$1\r\n5\r\n');
  });

  it('MSETEX refuses what makes no sense, and stores nothing', () => {
    expect(send('MSETEX 0 a 1')).to.equal('-ERR invalid numkeys value\r\n');
    expect(send('MSETEX x a 1')).to.equal('-ERR invalid numkeys value\r\n');
    expect(send('MSETEX 2 a 1')).to.equal('-ERR wrong number of key-value pairs\r\n');
    expect(send('MSETEX 1 a 1 NX XX')).to.equal('-ERR syntax error\r\n');
    expect(send('MSETEX 1 a 1 EX 1 PX 1')).to.equal('-ERR syntax error\r\n');
    expect(send('MSETEX 1 a 1 EX 0')).to.equal("-ERR invalid expire time in 'msetex' command\r\n");
    expect(send('EXISTS a')).to.equal(':0\r\n');
  });

  it('MSETEX says where its keys are', () => {
    const args = ['2', 'a', '1', 'b', '2', 'EX', '5'].map((word) => Buffer.from(word));
    expect(positionsOfKeys(commands.get('msetex')!, args)).to.deep.equal([1, 3]);
    expect(positionsOfKeys(commands.get('msetex')!, args.slice(0, 4))).to.deep.equal([]);
  });

  it('DELEX removes on a condition', () => {
    expect(send('DELEX k IFEQ other')).to.equal(':0\r\n');
    expect(send('DELEX k IFNE old')).to.equal(':0\r\n');
    expect(send('DELEX k IFEQ old')).to.equal(':1\r\n');
    expect(send('EXISTS k')).to.equal(':0\r\n');
    expect(send('DELEX k IFNE v')).to.equal(':0\r\n');
    expect(send('DELEX list IFEQ a')).to.match(/^-ERR Key should be of string type/);
    expect(send('DELEX list')).to.equal(':1\r\n');
    expect(send('DELEX a b')).to.equal('-ERR syntax error\r\n');
  });
});
