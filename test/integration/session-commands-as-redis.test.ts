/** Replies that do not depend on data: ours beside those of a real redis-server, byte for byte, in both protocols. */
import { expect } from 'chai';
import type { Proxy } from '../../proxy/proxy.js';
import { type RedisServer, startRedisServer } from '../cluster/redis-server.js';
import { startProxyAlone } from './proxy-alone.js';
import { RespClient } from './resp-client.js';

const lines = `
hello 4 | hello a | hello 3 foo | hello 3 auth a b | hello 3 setname | hello 2 setname "a b"
auth a | auth a b | auth default b | auth a b c | auth
ping | ping x | ping a b | echo | echo a b | select 16 | select a | select 99999999999 | select -1 | select 5
client | client foo | client setname "a b" | client setname ok | client getname | client kill 1.1.1.1:1 | client kill id a
client kill type foo | client kill id 1 skipme | client kill foo bar | client kill type normal foo bar | client kill id 0
client kill addr 1:1 user foo | client kill laddr 1:1 | client list type foo | client list id a | client list foo
client list id | client list type master | client reply foo | client pause a | client pause 1 foo | client pause -1
client no-evict foo | client no-evict on | client unblock a | client unblock 999 | client unblock 99 foo | client unblock 1 timeout x
client getredir | client trackinginfo | client info x
config | config foo | config get | config get timeout | config get slowlog-max-len
config set timeout | config set timeout 1 maxclients | config set foo 1 | config set timeout 1 timeout 2
config set timeout 1 daemonize yes | config set maxmemory 10x | config set maxmemory 10MB | config get maxmemory
config set maxmemory 0 | config set proto-max-bulk-len 1000 | config set slowlog-max-len -1 | config set timeout 01
config set client-output-buffer-limit "normal 1 2" | config set client-output-buffer-limit "foo 1 2 3"
config set client-output-buffer-limit "normal a 2 3" | config set client-output-buffer-limit "normal 1mb 2k 3"
config get client-output-buffer-limit | config set client-output-buffer-limit "normal 0 0 0"
config set notify-keyspace-events KEA | config get notify-keyspace-events | config set notify-keyspace-events q
config set notify-keyspace-events "" | config set save "100 10 60 3" | config get save | config set save a
config set save "" | config set latency-tracking-info-percentiles "50.0 100 0"
config get latency-tracking-info-percentiles | config set latency-tracking-info-percentiles 101
config set appendonly maybe | config set appendfsync never | config set maxmemory-policy lru | config set port abc
config set maxmemory-clients 5% | config get maxmemory-clients | config set maxmemory-clients 0
config set hash-max-ziplist-entries 7 | config get hash-max-listpack-entries | config get key-load-delay
config set slave-priority 99 | config get replica-priority | config rewrite | config resetstat x
command foo | command getkeys get | command getkeys foo x | command getkeys set a b | command getkeys mset a 1 b 2
command getkeys ping a | command getkeys mset a | command getkeys object encoding k | command getkeysandflags set a b
command getkeysandflags set a b get | command getkeysandflags rename a b | command getkeysandflags mget a b
command list foo | command list filterby foo bar | command list filterby module foo | command list filterby pattern conf*get
command info get | command info mset | command info nosuch | command info config|get | command info config|get|x
command info rename | command info copy | command info ping
command info lmpop | command info sintercard | command info sinterstore | command info lmove | command info spop
command info smembers | command getkeys lmpop 2 a b left | command getkeys lmpop 0 a left | command getkeys lmpop x a left
command getkeys lmpop 3 a b left | command getkeys sintercard 2 a b limit 1 | command getkeys sintercard 3 a b
command getkeysandflags lmpop 2 a b left | command getkeysandflags sinterstore a b c | command getkeysandflags smove a b c
command info xread | command info xreadgroup | command info xlen | command info xpending | command info xgroup|create | command info xinfo|stream
command getkeys xread streams a b 0 0 | command getkeys xread count 2 block 0 streams a 0 | command getkeys xread streams a b 0
command getkeys xreadgroup group streams c streams a b > > | command getkeys xinfo stream k full | command getkeys xgroup create k g 0
command getkeysandflags xreadgroup group g c streams a > | command getkeysandflags xdel a 1 | command getkeysandflags xclaim a g c 0 1
memory foo | memory usage k samples | memory purge | memory stats x | latency foo | latency latest | latency history a
latency reset | latency graph x | slowlog get a | slowlog get -2 | slowlog get 1 2 | slowlog reset | slowlog reset x
object foo bar | wait a b | wait 0 -1 | wait 0 a | lolwut version a | lolwut x | role | time x | acl whoami | acl foo
acl setuser a on >x ~a* -@all +get | acl getuser a | acl list | acl users | acl setuser a +nosuch | acl setuser "a b" | acl setuser a (
acl setuser a (+get | acl setuser a <nosuch | acl setuser a #abc | acl setuser a ~x ~* ~y | acl setuser a &* &x | acl dryrun a get a1
acl dryrun a get b | acl dryrun a set a1 x | acl dryrun a get | acl dryrun a nosuch | acl dryrun b get a | acl deluser default
acl deluser b | acl deluser a b | acl getuser a | acl setuser | acl deluser | acl genpass 5000 | acl genpass -1 | acl genpass a
acl cat | acl cat nosuch | acl log reset | acl log | acl log a | acl help x | auth b c | acl log 0 | acl setuser a reset | acl getuser a
acl setuser a allcommands (~b* +get) (+set %W~c) | acl getuser a | acl list | acl setuser a clearselectors resetkeys | acl getuser a
acl deluser a | acl cat foo | module list | module foo | module list x | module load | migrate | migrate h 1 k 0 a | migrate h 1 k a 1
migrate h 1 k 0 1 foo | migrate h 1 k 0 1 auth | migrate h 1 k 0 1 keys a | command getkeys migrate h 1 k 0 1
command getkeys migrate h 1 "" 0 1 auth2 a b keys x y | command getkeysandflags migrate h 1 k 0 1 | command getkeys spublish a b
command getkeysandflags bitfield k get u8 0 | command getkeysandflags bitfield k set u8 0 1 | client kill user nosuch
cluster info | readonly | asking | readwrite | bgsave foo | shutdown foo | shutdown nosave save | shutdown abort
save x | lastsave x | function flush foo | function flush | function flush sync | swapdb a b | swapdb 0 a | swapdb 0 99
debug | debug foo | debug protocol string | debug protocol integer | debug protocol double | debug protocol null
debug protocol array | debug protocol set | debug protocol map | debug protocol verbatim | debug protocol true
debug protocol false | debug protocol bignum | debug protocol attrib | debug protocol foo
debug set-disable-deny-scripts 1 | debug change-repl-id | debug quicklist-packed-threshold 100b
exec | discard | unwatch | watch | multi x | multi ; multi ; watch a ; ping x ; echo hello ; select 3 ; select 99 ; exec
multi ; nosuch ; exec | multi ; get ; exec | multi ; ping ; discard | discard | multi ; config set timeout a ; time x ; exec
multi ; sync ; exec | multi ; shutdown foo ; exec | multi ; reset ; exec | multi ; select 2 ; exec | select 0
multi ; client setname a ; client getname ; exec | multi ; exec
reset x | info foo | nosuch | nosuch a b | "no such" a | get | get a b | set a | set a b c | mset a | del
`;

const commands = lines
  .split(/\n| \| /)
  .map((line) => line.trim().replaceAll(' ; ', '\r\n'))
  .filter((line) => line !== '');

const MARK = 'end of reply';

/** Everything that comes back for one inline command, as it came. */
async function raw(client: RespClient, command: string): Promise<string> {
  const from = client.raw.length;
  const mark = `$${MARK.length}\r\n${MARK}\r\n`;
  client.send(`${command}\r\necho "${MARK}"\r\n`);
  await client.until(() => client.raw.length > from && client.raw.endsWith(mark), `the reply to ${command}`);
  return client.raw.slice(from, -mark.length);
}

describe('session commands', () => {
  let redis: RedisServer;
  let proxy: Proxy;
  let ours: RespClient;
  let theirs: RespClient;

  before(async () => {
    redis = await startRedisServer(['--enable-debug-command', 'yes']);
    proxy = await startProxyAlone();
    ours = await RespClient.open(proxy.port);
    theirs = await RespClient.open(redis.port);
  });

  after(async () => {
    ours.end();
    theirs.end();
    await new Promise<void>((resolve) => proxy.stop(resolve));
    await redis.stop();
  });

  for (const resp of [2, 3]) {
    it(`answer as Redis does in RESP${resp}`, async () => {
      for (const command of commands) {
        for (const client of [ours, theirs]) await raw(client, `hello ${resp}`);
        expect(await raw(ours, command), command).to.equal(await raw(theirs, command));
      }
    }).timeout(30_000);
  }
});
