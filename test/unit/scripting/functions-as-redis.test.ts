/** Libraries of functions side by side with a real redis-server. */
import { expect } from 'chai';
import { OnePartition } from '../rows/one-partition.js';
import { redisBeside } from '../rows/redis-beside.js';

const library = (name: string, code: string): string => `#!lua name=${name}\n${code}`;
const simple = (name: string, made: string, body: string): string =>
  library(name, `redis.register_function("${made}", function(KEYS, ARGV)\n ${body}\n end)`);

const steps: readonly (readonly string[])[] = [
  ['FUNCTION', 'LIST'],
  ['FUNCTION', 'STATS'],
  ['FUNCTION', 'LOAD', simple('one', 'f1', 'return {KEYS, ARGV}')],
  ['FUNCTION', 'LOAD', simple('one', 'f1', 'return 1')],
  ['FUNCTION', 'LOAD', simple('two', 'f1', 'return 1')],
  ['FCALL', 'f1', '1', 'k', 'a', 'b'],
  ['FCALL', 'f1', '0'],
  ['FCALL', 'F1', '0'],
  ['FCALL', 'nosuch', '0'],
  ['FCALL', 'f1', 'x'],
  ['FCALL', 'f1', '2', 'k'],
  ['FCALL', 'f1', '-1'],
  ['FCALL_RO', 'f1', '0'],
  ['FUNCTION', 'LOAD', 'REPLACE', simple('one', 'f2', 'return redis.call("set", KEYS[1], ARGV[1])')],
  ['FCALL', 'f1', '0'],
  ['FCALL', 'f2', '1', 'k', 'v'],
  ['GET', 'k'],
  [
    'FUNCTION',
    'LOAD',
    library(
      'named',
      `local count = 0
redis.register_function{function_name='counts', callback=function() count = count + 1 return count end, flags={'no-writes', 'allow-stale'}, description='counts calls'}
redis.register_function{function_name='writes', callback=function(keys) return redis.call('set', keys[1], 1) end, flags={'no-writes'}}`,
    ),
  ],
  ['FCALL', 'counts', '0'],
  ['FCALL_RO', 'counts', '0'],
  ['FCALL', 'writes', '1', 'k'],
  ['FUNCTION', 'LIST', 'LIBRARYNAME', 'ON*'],
  ['FUNCTION', 'LIST', 'WITHCODE', 'LIBRARYNAME', 'one'],
  ['FUNCTION', 'LIST', 'LIBRARYNAME', 'nosuch'],
  ['FUNCTION', 'LIST', 'LIBRARYNAME'],
  ['FUNCTION', 'LIST', 'nosuch'],
  ['FUNCTION', 'STATS'],
  ['FUNCTION', 'KILL'],
  ['FUNCTION', 'LOAD', 'nosuch', 'x'],
  ['FUNCTION', 'LOAD', 'x'],
  ['FUNCTION', 'LOAD', '#!lua'],
  ['FUNCTION', 'LOAD', '#!lua\nreturn 1'],
  ['FUNCTION', 'LOAD', '#!lua name=a name=b\nreturn 1'],
  ['FUNCTION', 'LOAD', '#!lua foo=bar\nreturn 1'],
  ['FUNCTION', 'LOAD', '#!lua name=a-b\nreturn 1'],
  ['FUNCTION', 'LOAD', '#!python name=a\nreturn 1'],
  ['FUNCTION', 'LOAD', library('bad', 'x x')],
  ['FUNCTION', 'LOAD', library('bad', 'error("x")')],
  ['FUNCTION', 'LOAD', library('bad', 'error({err="My x"})')],
  ['FUNCTION', 'LOAD', library('bad', 'return 1')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.call("set", "k", 1)')],
  ['FUNCTION', 'LOAD', library('bad', 'string.rep("x", 3)')],
  ['FUNCTION', 'LOAD', library('bad', 'x = 1')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.setresp(3)')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.log(redis.LOG_DEBUG, "x")')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function()')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function("a", 1)')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function(1, 1)')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function({}, function() end)')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function("a b", function() end)')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function("a")')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function{}')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function{function_name="a"}')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function{function_name="a", callback=1}')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function{function_name={}, callback=1}')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function{foo=1}')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function{flags=1}')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function{flags={"x"}}')],
  ['FUNCTION', 'LOAD', library('bad', 'redis.register_function{[1]={}}')],
  [
    'FUNCTION',
    'LOAD',
    library('bad', 'redis.register_function("a", function() end) redis.register_function("a", function() end)'),
  ],
  ['FUNCTION', 'LOAD', 'REPLACE', library('one', 'x x')],
  ['FCALL', 'f2', '1', 'k', 'w'],
  ['FUNCTION', 'LOAD', simple('wrong', 'fails', 'error("x")')],
  ['FCALL', 'fails', '0'],
  ['FUNCTION', 'LOAD', simple('wrong2', 'fails2', 'return redis.call("incr", "k")')],
  ['FCALL', 'fails2', '0'],
  ['FUNCTION', 'LOAD', simple('wrong3', 'fails3', 'redis.register_function("x", function() end)')],
  ['FCALL', 'fails3', '0'],
  ['FUNCTION', 'LOAD', simple('wrong4', 'fails4', 'x = 1')],
  ['FCALL', 'fails4', '0'],
  ['FUNCTION', 'LOAD', simple('wrong5', 'fails5', 'return KEYS2')],
  ['FCALL', 'fails5', '0'],
  ['FUNCTION', 'LOAD', simple('json', 'json', 'return cjson.encode({1, math.floor(2.5), ("x"):rep(2)})')],
  ['FCALL', 'json', '0'],
  ['FUNCTION', 'DELETE', 'nosuch'],
  ['FUNCTION', 'DELETE', 'wrong'],
  ['FCALL', 'fails', '0'],
  ['EVAL', 'return redis.register_function', '0'],
  ['FUNCTION', 'RESTORE', 'x'],
  ['FUNCTION', 'RESTORE', 'x', 'nosuch'],
  ['FUNCTION', 'FLUSH', 'nosuch'],
  ['FUNCTION', 'HELP'],
  ['FUNCTION', 'FLUSH'],
  ['FUNCTION', 'LIST'],
  ['FCALL', 'f2', '0'],
];

describe('functions as a real Redis has them', () => {
  const redis = redisBeside();

  it('loads, calls, lists and removes them', async () => {
    const ours = new OnePartition();
    await redis.send(['FUNCTION', 'FLUSH']);
    const different: string[] = [];
    for (const words of steps) {
      const found = ours.send(words);
      const expected = await redis.send(words);
      if (found !== expected) different.push(`${words.join(' ')}\n${found}instead of\n${expected}`);
    }
    expect(different.join('\n')).to.equal('');
  });

  it('restores what Redis has dumped, and the other way round', async () => {
    const ours = new OnePartition();
    await redis.send(['FUNCTION', 'FLUSH']);
    const load = ['FUNCTION', 'LOAD', simple('one', 'f1', 'return "from the library"')];
    expect(ours.send(load)).to.equal(await redis.send(load));
    const ourDump = bulk(ours.send(['FUNCTION', 'DUMP']));
    expect(ourDump.latin1Slice()).to.equal(bulk(await redis.send(['FUNCTION', 'DUMP'])).latin1Slice());
    for (const policy of ['APPEND', 'REPLACE', 'FLUSH']) {
      const words = ['FUNCTION', 'RESTORE', ourDump, policy];
      expect(ours.send(words), policy).to.equal(await redis.send(words));
    }
    ours.send(['FUNCTION', 'FLUSH']);
    ours.send(['FUNCTION', 'RESTORE', ourDump]);
    expect(ours.send(['FCALL', 'f1', '0'])).to.equal('$16\r\nfrom the library\r\n');
  });
});

function bulk(reply: string): Buffer {
  const from = reply.indexOf('\r\n') + 2;
  return Buffer.from(reply.slice(from, -2), 'latin1');
}
