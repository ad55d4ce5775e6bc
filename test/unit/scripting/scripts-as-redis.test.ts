/** Scripts side by side with a real redis-server: results, errors, what they may touch. */
import { expect } from 'chai';
import { OnePartition } from '../rows/one-partition.js';
import { redisBeside } from '../rows/redis-beside.js';

const returned = [
  'return 1',
  'return 3.99',
  'return -3.99',
  'return 2^53',
  'return 2^70',
  'return 0/0',
  'return "x\\r\\n\\0\\255"',
  'return true',
  'return false',
  'return nil',
  'return',
  'return {1,2,{3,"a"},{}}',
  'return {1,nil,3}',
  'return {ok="fine"}',
  'return {ok="two\\r\\nlines"}',
  'return {err="My error"}',
  'return {err="MY"}',
  'return {double=3.5}',
  'return {double=1e300}',
  'return {big_number="12345678901234567890"}',
  'return {verbatim_string={format="txt",string="hello"}}',
  'return {verbatim_string={string="hello"}}',
  'return {map={a=1}}',
  'return {set={a=true}}',
  'redis.setresp(3); return true',
  'redis.setresp(3); return {false, true}',
  'return KEYS[1] .. ARGV[1] .. #KEYS .. #ARGV',
  'return function() end',
  'return coroutine.create(function() end)',
];

const redisTable = [
  'return redis.error_reply("boo")',
  'return redis.error_reply("MY boo")',
  'return redis.error_reply("-MY boo")',
  'return redis.error_reply(1)',
  'return redis.status_reply("hi")',
  'return redis.status_reply(1)',
  'return redis.sha1hex("")',
  'return redis.sha1hex("abc")',
  'return redis.sha1hex()',
  'return redis.breakpoint()',
  'return redis.debug("x")',
  'return {redis.replicate_commands(), redis.REDIS_VERSION, redis.REDIS_VERSION_NUM}',
  'return {redis.LOG_DEBUG, redis.LOG_VERBOSE, redis.LOG_NOTICE, redis.LOG_WARNING}',
  'return {redis.REPL_ALL, redis.REPL_AOF, redis.REPL_SLAVE, redis.REPL_REPLICA, redis.REPL_NONE}',
  'return redis.set_repl(redis.REPL_ALL)',
  'return redis.set_repl(77)',
  'return redis.set_repl()',
  'return redis.log(redis.LOG_DEBUG, "x", 1)',
  'return redis.log()',
  'return redis.log(1)',
  'return redis.log("x", "y")',
  'return redis.log(10, "x")',
  'return redis.setresp(4)',
  'return redis.setresp()',
  'return redis.acl_check_cmd("get", "k")',
  'return redis.acl_check_cmd("nosuch")',
  'return redis.acl_check_cmd()',
  'local names = {} for name in pairs(redis) do names[#names + 1] = name end table.sort(names) return names',
];

const commands = [
  'return redis.call("set", KEYS[1], "v")',
  'return redis.call("get", KEYS[1])',
  'return redis.call("get", "absent")',
  'return redis.call("incr", KEYS[1])',
  'return redis.pcall("incr", KEYS[1])',
  'return redis.pcall("incr", KEYS[1]).err',
  'local ok, text = pcall(redis.call, "incr", KEYS[1]) return {tostring(ok), text}',
  'redis.call("set", "kept", 1) redis.call("incr", KEYS[1])',
  'return redis.call("get", "kept")',
  'return redis.call("nosuch")',
  'return redis.call("get")',
  'return redis.call("object", "nosuch", "k")',
  'return redis.call("object")',
  'return redis.call("eval", "return 1", 0)',
  'return redis.call("multi")',
  'return redis.call()',
  'return redis.call("get", {})',
  'return redis.call("get", nil)',
  'return redis.pcall("get", {}).err',
  'redis.call("set", "n", 2^53) return redis.call("get", "n")',
  'redis.call("set", "n", 0.1) return redis.call("get", "n")',
  'redis.call("set", "n", 1e100) return redis.call("get", "n")',
  'redis.call("set", "n", -0.5) return redis.call("get", "n")',
  'return redis.call("select", 17)',
  'redis.call("select", 5) redis.call("set", "in5", 1) return redis.call("dbsize")',
  'return redis.call("exists", "in5")',
  'return redis.call("ping")',
  'return redis.call("ping", "x")',
  'return redis.call("echo", "x")',
  'redis.call("hset", "h", "a", 1, "b", 2) return redis.call("hgetall", "h")',
  'redis.setresp(3) return redis.call("hgetall", "h")',
  'redis.setresp(3) local reply = redis.call("hgetall", "h") return {reply.map.a, reply.map.b}',
  'redis.call("sadd", "s", "x") redis.setresp(3) return redis.call("smembers", "s").set.x',
  'redis.call("zadd", "z", 1.5, "m") return redis.call("zscore", "z", "m")',
  'redis.setresp(3) return redis.call("zscore", "z", "m").double * 2',
  'redis.setresp(3) return type(redis.call("get", "absent"))',
  'return type(redis.call("get", "absent"))',
  'return redis.call("mget", "n", "absent", "h")',
  'return redis.call("blpop", "absent", 0)',
  'return redis.call("lpush", "l", 1, 2, 3)',
  'return redis.call("lrange", "l", 0, -1)',
  'return redis.call("keys", "in*")',
  'return #redis.call("scan", 0, "count", 100)[2]',
  'return redis.call("type", "l")',
  'return redis.call("type", "l").ok',
  'local keys = {} for i = 1, 7990 do keys[i] = "x" end return redis.call("exists", unpack(keys))',
];

const language = [
  'error("boo")',
  'error("boo", 0)',
  'error({err="My error"})',
  'error()',
  'error(true)',
  'local x\nlocal y = nil\nreturn y.z',
  'return 1 + {}',
  'x x',
  'return loadstring("return 1 + 1")()',
  'return {loadstring("x x")}',
  'local parts = {"return ", "5", nil} local i = 0 return load(function() i = i + 1 return parts[i] end)()',
  'return pcall(function() error("x") end)',
  'return {pcall(function() error("x") end)}',
  'return {pcall(function() error({err="E x"}) end)}',
  'return {pcall(function() error({1}) end)}',
  'return {pcall(function(...) return ... end, 1, nil, 3)}',
  'return {pcall(nil)}',
  'return {pcall(string.rep)}',
  'return {pcall(setmetatable({}, {__call = function(self, a) return a end}), 5)}',
  'return {xpcall(function() error("x") end, function(text) return "handled " .. text end)}',
  'return {xpcall(function() return 1, 2 end, function() end)}',
  'local function deep(n) local ok, text = pcall(deep, n + 1) return text end return deep(1)',
  'local function deep(n) return deep(n + 1) + 1 end return deep(1)',
  'local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) return {co(1), co(10)}',
  'local co = coroutine.create(function() error("x") end) return {coroutine.resume(co)}',
  'local co = coroutine.create(function() return 1 end) coroutine.resume(co) return {coroutine.status(co), coroutine.resume(co)}',
  'local co = coroutine.wrap(function() error("x") end) co()',
  'return {pcall(coroutine.yield, 1)}',
  'return tostring(coroutine.running())',
  'return tostring(1e15) .. tostring(0.1) .. tostring(-1) .. tostring(1e14)',
  'return string.format("%s %5.2f %d %q %x", "a", 1.5, 3, "b\\n", 255)',
  'return {("abc"):upper(), ("abc"):rep(3), #"abc", ("x=1,y=2"):gsub("(%w)=(%w)", "%2=%1")}',
  'return table.concat({1, 2, 3}, "-")',
  'local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) return t',
  'local t = setmetatable({}, {__index = function(t, name) return name .. "!" end}) return t.x',
  'return {math.floor(1.5), math.max(1, 2), math.huge}',
  'return select("#", 1, 2, nil)',
  'return _VERSION',
  'return {type(_G), type(redis), type(string.len), type(1), type(nil)}',
];

const sandbox = [
  'return foo',
  'foo = 1',
  'function foo() end',
  'redis = 1',
  'redis.call = 1',
  'string.foo = 1',
  'string.rep = 1',
  'math.random = 1',
  '_G = 1',
  '_G.redis = 1',
  'setmetatable(_G, {})',
  'setmetatable(redis, {})',
  'getmetatable(_G).__index = {}',
  'getmetatable("").__index = 1',
  'rawset(_G, "x", 1)',
  'rawset(redis, "call", 1)',
  'return rawget(_G, "x")',
  'return type(rawget(_G, "redis"))',
  'return getfenv(0)',
  'setfenv(1, {})',
  'newproxy()',
  'return os',
  'return io',
  'return debug',
  'return require',
  'return package',
  'return module',
  'print(1)',
  'dofile("x")',
  'loadfile("x")',
  'local found = {} for name in pairs(_G) do if name ~= "__redis__err__handler" and name ~= "KEYS" and name ~= "ARGV" and not name:find("^[bcs][ijmt][tsr]") and name ~= "struct" then found[#found + 1] = name end end table.sort(found) return found',
  'local seen = 0 for _ in pairs(string) do seen = seen + 1 end return seen',
];

/** Redis says where some native functions are; the numbers in addresses are nobody's business. */
const comparable = (reply: string): string => reply.replace(/0x[\da-f]+/g, '0x');

describe('scripts as a real Redis runs them', () => {
  const redis = redisBeside();

  for (const [name, scripts] of Object.entries({ returned, redisTable, commands, language, sandbox }))
    it(name, async () => {
      const ours = new OnePartition();
      await redis.send(['FLUSHALL']);
      for (const resp of [2, 3] as const) {
        ours.resp = resp;
        await redis.send(['HELLO', String(resp)]);
        for (const script of scripts) {
          const words = ['EVAL', script, '1', 'key', 'argument'];
          expect(comparable(ours.send(words)), script).to.equal(comparable(await redis.send(words)));
        }
      }
      await redis.send(['HELLO', '2']);
    });

  it('read-only ones, flags, and those known by their SHA-1', async () => {
    const ours = new OnePartition();
    await redis.send(['FLUSHALL']);
    await redis.send(['SCRIPT', 'FLUSH']);
    const sha = '4e6d8fc8bb01276962cce5371fa795a7763657ae';
    for (const words of [
      ['EVALSHA', sha, '0'],
      ['SCRIPT', 'EXISTS', sha, 'x'],
      ['SCRIPT', 'LOAD', 'return redis.call("set", "k", "v")'],
      ['SCRIPT', 'LOAD', 'x x'],
      ['SCRIPT', 'EXISTS', sha, sha.toUpperCase(), 'x'],
      ['EVAL', 'return redis.call("set", "k", "v")', '0'],
      ['SCRIPT', 'EXISTS', 'd8f2fad9f8e86a53d2a6ebd960b33c4972cacc37', 'x'],
      ['EVALSHA', sha.toUpperCase(), '0'],
      ['EVALSHA', 'short', '0'],
      ['EVAL_RO', 'return redis.call("get", "k")', '0'],
      ['EVAL_RO', 'return redis.call("set", "k", "v")', '0'],
      ['EVALSHA_RO', sha, '0'],
      ['EVAL', '#!lua\nreturn 1', '0'],
      ['EVAL', '#!lua', '0'],
      ['EVAL', '#!python\nreturn 1', '0'],
      ['EVAL', '#!lua name=x\nreturn 1', '0'],
      ['EVAL', '#!lua flags=nosuch\nreturn 1', '0'],
      ['EVAL', '#!lua flags=no-writes\nreturn redis.call("set", "k", "v")', '0'],
      ['EVAL', '#!lua flags=no-writes,allow-oom\nreturn redis.call("get", "k")', '0'],
      ['EVAL', '#!lua flags=allow-cross-slot-keys,no-cluster,allow-stale\n\nerror("x")', '0'],
      ['EVAL_RO', '#!lua\nreturn 1', '0'],
      ['EVAL_RO', '#!lua flags=no-writes\nreturn 1', '0'],
      ['EVAL', 'return 1', '2', 'k'],
      ['EVAL', 'return 1', '-1'],
      ['EVAL', 'return 1', 'x'],
      ['EVAL', 'return KEYS', '1', 'a', 'b'],
      ['EVAL', 'return ARGV', '1', 'a', 'b'],
      ['SCRIPT', 'FLUSH', 'x'],
      ['SCRIPT', 'FLUSH', 'ASYNC'],
      ['SCRIPT', 'EXISTS', sha],
      ['SCRIPT', 'HELP'],
      ['SCRIPT'],
    ])
      expect(ours.send(words), words.join(' ')).to.equal(await redis.send(words));
  });
});
