/** Scripts at a primary: begun anew after a fetch with one effect, in slices when they take long, ended on demand. */
import { expect } from 'chai';
import { PointReads } from '../../../server/execution/point-reads.js';
import { shaOf } from '../../../shared/commands/scripting.js';
import { ErrorReply } from '../../../shared/commands/reply.js';
import { get, set } from '../../../shared/operations/codes.js';
import type { Operation, OperationResult } from '../../../shared/operations/operation.js';
import {
  callFunction,
  endScript,
  flushScripts,
  libraries,
  loadLibrary,
  loadScript,
  readReply,
  script,
  scriptsExist,
  type ScriptCall,
} from '../../../shared/operations/scripts.js';
import { transaction } from '../../../shared/operations/transactions.js';
import { Status } from '../../../shared/wire/messages.js';
import { bytes, Primary } from './primary.js';

const called = (keys: readonly string[] = [], busyAfterMs = 0): ScriptCall => ({
  keys: keys.map(bytes),
  args: [],
  context: {
    lfu: false,
    hashLimits: null,
    zsetLimits: null,
    streamNodes: null,
    sketchSparseBytes: null,
    user: null,
    busyAfterMs,
    mayAll: false,
    reports: 0,
  },
});

const run = (code: string, keys: readonly string[] = [], busyAfterMs = 0): Operation => {
  const text = Buffer.from(code);
  return script(text, shaOf(text), true, called(keys, busyAfterMs));
};

const textOf = (result: OperationResult | undefined): string => {
  const reply = readReply(result ?? null);
  return reply instanceof ErrorReply ? reply.text : String(reply);
};

class Elsewhere extends PointReads {
  override get here(): boolean {
    return false;
  }
}

/** Every look at the clock is a slice. */
function slowPrimary(): Primary {
  const primary = new Primary();
  primary.environment.tickMs = 20;
  return primary;
}

describe('a script at a primary', () => {
  it('that must wait for reads begins anew, with one effect and the same time and random numbers', () => {
    const before = new Primary();
    for (const name of ['a', 'b', 'c', 'd']) before.now(set(bytes(name), bytes('1')));
    before.commit().apply();
    const primary = new Primary({ committed: before.mutations, reads: new Elsewhere(() => 0) });
    const code = `
      local seen = {}
      for _, name in ipairs({'a', 'b', 'c', 'd'}) do
        seen[#seen + 1] = redis.call('incr', name)
        redis.call('rpush', 'log', name)
      end
      redis.call('set', 'drawn', math.random())
      return seen`;
    const id = primary.send(run(code));
    let fetches = 0;
    for (primary.turn(); primary.fetching > 0; primary.turn()) {
      primary.fetched();
      fetches++;
    }
    primary.commit();
    expect(fetches).to.be.greaterThan(2);
    expect(textOf(primary.value(id))).to.equal('2,2,2,2');
    expect(primary.mutations).to.have.length(before.mutations.length + 1);
    expect(textOf(primary.now(run('return redis.call("llen", "log")'), { connection: 7 }))).to.equal('4');
  });

  it('keeps what it wrote before its error', () => {
    const primary = new Primary();
    const reply = textOf(primary.now(run('redis.call("set", "a", "1") redis.call("incr", "a", "b")')));
    expect(reply).to.match(/^ERR Wrong number of args/);
    expect(String(primary.now(get(bytes('a'))))).to.equal('1');
  });

  it('that takes long gives way, and nothing else is executed at its partition until it ends', () => {
    const primary = slowPrimary();
    const id = primary.send(run('local n = 0 for i = 1, 2e5 do n = n + 1 end redis.call("set", "k", n) return n'));
    const other = primary.send(get(bytes('k')), { connection: 2 });
    primary.turn();
    let slices = 0;
    for (; primary.environment.timers.length > 0; slices++) {
      expect(primary.answer(other)).to.equal(undefined);
      primary.environment.fire();
      primary.turn();
    }
    primary.commit();
    expect(slices).to.be.greaterThan(5);
    expect(textOf(primary.value(id))).to.equal('200000');
    expect(String(primary.value(other))).to.equal('200000');
  });

  it('gives way within protected calls and coroutines, too', () => {
    const primary = slowPrimary();
    const code = `
      local function work(n) for i = 1, n do end return n end
      local inner = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(select(2, pcall(work, 1e5))) end end)
      local ok, sum = pcall(function() return inner() + inner() + select(2, pcall(inner)) end)
      return tostring(ok) .. tostring(sum)`;
    const id = primary.send(run(code));
    primary.turn();
    let slices = 0;
    for (; primary.environment.timers.length > 0; slices++) {
      primary.environment.fire();
      primary.turn();
    }
    expect(slices).to.be.greaterThan(5);
    expect(textOf(primary.value(id))).to.equal('true300000');
  });

  for (const [name, code] of [
    ['an endless loop', 'while true do end'],
    ['one within protected calls', 'while true do pcall(function() while true do end end) end'],
    ['one that calls commands', 'while true do pcall(redis.call, "get", "k") end'],
  ] as const)
    it(`is ended on demand: ${name}`, () => {
      const primary = slowPrimary();
      const id = primary.send(run(code, [], 100));
      primary.turn();
      const queued = primary.send(get(bytes('k')), { connection: 2 });
      // its proxy is told, and others are, once it has run for so long
      const slice = primary.environment.timers.length - 1;
      expect(slice).to.equal(1);
      primary.environment.fire(0);
      expect(primary.answer(id)?.status).to.equal(Status.waiting);
      expect(textOf(primary.value(queued))).to.match(/^BUSY /);
      const late = primary.send(set(bytes('k'), bytes('v')), { connection: 2 });
      expect(primary.answer(late)?.status).to.equal(Status.clientError);
      expect(primary.value(primary.send(endScript(true), { connection: 3 }))).to.match(/FUNCTION KILL|SCRIPT KILL/);
      expect(primary.value(primary.send(endScript(false), { connection: 3 }))).to.equal(true);
      primary.environment.fire(0);
      primary.turn();
      const last = primary.replies.filter((reply) => reply.id === id).at(-1);
      expect(last?.status).to.equal(Status.clientError);
      expect(textOf(last?.value)).to.match(/^ERR Script killed by user with SCRIPT KILL/);
      expect(primary.value(primary.send(endScript(false), { connection: 3 }))).to.equal(null);
      primary.environment.tickMs = 0;
      expect(primary.now(set(bytes('k'), bytes('v')))).to.equal(true);
    });

  it('that has written is not ended by a client, but after a time by itself, and leaves nothing', () => {
    const primary = slowPrimary();
    const id = primary.send(run('redis.call("set", "k", "v") while true do end'));
    primary.turn();
    expect(primary.value(primary.send(endScript(false), { connection: 3 }))).to.match(/^UNKILLABLE /);
    primary.environment.tickMs = 200_000;
    for (primary.turn(); primary.environment.timers.length > 0; primary.turn()) primary.environment.fire();
    expect(textOf(primary.value(id))).to.match(/^ERR Script was ended/);
    primary.environment.tickMs = 0;
    expect(primary.now(get(bytes('k')))).to.equal(null);
  });

  it('that cannot give way is ended, and leaves nothing', () => {
    const primary = slowPrimary();
    const code = 'redis.call("set", "k", "v") table.sort({3, 2, 1}, function() while true do end end)';
    expect(textOf(primary.now(run(code)))).to.match(/^ERR Script was ended/);
    primary.environment.tickMs = 0;
    expect(primary.now(get(bytes('k')))).to.equal(null);
  });

  it('that matches a pattern without end is ended, and leaves nothing', () => {
    const primary = slowPrimary();
    const code = `redis.call("set", "k", "v") return string.find(string.rep("a", 100), string.rep("a*", 30) .. "b")`;
    expect(textOf(primary.now(run(code)))).to.match(/^ERR Script was ended/);
    primary.environment.tickMs = 0;
    expect(primary.now(get(bytes('k')))).to.equal(null);
    expect(primary.now(run('return string.find("xaab", "a+")'))).to.equal(2);
  });

  it('is dropped where its primary is deposed, for the successor to run', () => {
    const primary = slowPrimary();
    const id = primary.send(run('while true do end'));
    primary.turn();
    primary.executor.stop('not-primary');
    expect(primary.answer(id)).to.deep.equal({ id, status: Status.retry, value: 'deposed' });
    expect(primary.mutations).to.have.length(0);
  });

  it('is part of a transaction, and one that takes too long there is undone alone', () => {
    const primary = new Primary();
    primary.environment.tickMs = 300;
    const operation = transaction(
      'grows',
      [],
      [run('return redis.call("incr", "a")'), run('redis.call("incr", "b") while true do end'), get(bytes('a'))].map(
        (part) => ({ db: 0, operation: part }),
      ),
    );
    const [first, second, third] = primary.now(operation) as [boolean, OperationResult][];
    expect(textOf(first![1])).to.equal('1');
    expect(String(second![1])).to.match(/^ERR Script was ended/);
    expect(String(third![1])).to.equal('1');
    primary.environment.tickMs = 0;
    expect(primary.now(get(bytes('b')))).to.equal(null);
  });

  it('that wants too much memory gets an error, and the next one runs', () => {
    const primary = new Primary();
    expect(textOf(primary.now(run('return string.rep("x", 2^31 - 1)')))).to.match(/not enough memory/);
    expect(textOf(primary.now(run('return 1')))).to.equal('1');
  });

  it('is known to a successor by its SHA-1 when it was loaded, until scripts are flushed', () => {
    const primary = new Primary();
    const text = Buffer.from('return 21 * 2');
    primary.now(loadScript(text, shaOf(text)));
    primary.commit();
    const known = (): Operation => script(null, shaOf(text), true, called());
    const successor = new Primary({ committed: primary.mutations });
    expect(successor.now(scriptsExist([bytes(shaOf(text)), bytes('x')]), { connection: 7 })).to.deep.equal([
      true,
      false,
    ]);
    expect(textOf(successor.now(known(), { connection: 7 }))).to.equal('42');
    successor.now(flushScripts(), { connection: 7 });
    expect(String(successor.now(known(), { connection: 7 }))).to.match(/^NOSCRIPT /);
    successor.commit();
    const next = new Primary({ committed: successor.mutations });
    expect(String(next.now(known(), { connection: 8 }))).to.match(/^NOSCRIPT /);
  });

  it('finds libraries of functions at a successor', () => {
    const primary = new Primary();
    const code = '#!lua name=mine\nredis.register_function("twice", function(keys, args) return 2 * 21 end)';
    expect(primary.now(loadLibrary(Buffer.from(code), false))).to.equal('mine');
    primary.commit();
    const successor = new Primary({ committed: primary.mutations });
    expect(textOf(successor.now(callFunction('twice', true, called()), { connection: 7 }))).to.equal('42');
    const [[name]] = successor.now(libraries(), { connection: 7 }) as unknown as [[string]];
    expect(name).to.equal('mine');
  });
});
