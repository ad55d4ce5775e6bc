/** Keyspace notifications: the events of commands and their order, ours beside those of a real redis-server. */
import { expect } from 'chai';
import { commands } from '../../../shared/commands/index.js';
import type { Command } from '../../../shared/commands/command.js';
import { ClientError } from '../../../shared/errors.js';
import { limits } from '../../../shared/limits.js';
import { listen, setNotifications, Topic } from '../../../shared/operations/pubsub.js';
import { Kind } from '../../../shared/wire/messages.js';
import { isInstalled } from '../../cluster/processes.js';
import { type RedisServer, startRedisServer } from '../../cluster/redis-server.js';
import { RespClient } from '../../integration/resp-client.js';
import { bytes, Primary } from '../execution/primary.js';

/** One command a line; what it finds is what those above it left. */
const lines = `
set s 1
set s 2 EX 100
set s 3 KEEPTTL
set s 4 GET
setex s 100 a
psetex s 100000 a
setnx s 1
setnx s2 1
mset a 1 b 2
msetnx c 1 d 2
getset a 5
getdel a
getex b EX 100
getex b PERSIST
getex b EXAT 1
append s x
append new x
setrange s 1 z
setrange s 1
incr n
incrbyfloat n 1.5
decrby n2 4
setbit bit 3 1
setbit bit 3 1
bitfield bit SET u8 0 3 INCRBY u8 8 1
bitfield bit GET u8 0
bitop or bitdest bit s
pfadd hll a b
pfadd hll a b
get missing
mget missing s missing2
strlen missing
exists missing s
type missing
ttl missing
object encoding missing
dump missing
touch missing
expire s 100
expire s -1
expire missing 10
pexpireat n 1
persist n2
expire n2 100
persist n2
set r1 1
rename r1 r2
set r3 1
rename r3 r2
renamenx r2 r4
copy r4 r5
copy r4 r5 REPLACE
move r5 3
del r4 missing
unlink s2
lpush l a b c
rpush l d
lpushx l x
lpushx nol x
lpop l
rpop l
lpop l 2
lset l 0 q
linsert l before q w
linsert l before zz w
lrem l 0 w
lrem l 0 nothere
ltrim l 0 -1
ltrim l 5 10
rpush l2 a b c
lmove l2 l3 left right
rpoplpush l2 l3
rpoplpush l2 l3
lmove l3 l3 left right
lmpop 1 l3 left count 5
rpush l4 a b
blpop l4 1
brpop l4 1
rpush l4 a b
blmove l4 l5 left left 1
blmpop 1 1 l4 left
sadd se a b c
sadd se a
srem se a
srem se nope
srem se b c
sadd se a b c d e f
spop se
spop se 2
spop se 10
sadd sa a b c
sadd sb b c d
smove sa sb a
smove sa sb nope
smove sa sb b
smove sa sb c
sadd sa b c
sinterstore sd sa sb
sunionstore sd sa sb
sdiffstore sd sa sb
hset h a 1 b 2
hset h a 1
hsetnx h c 1
hsetnx h c 1
hmset h d 1
hincrby h n 1
hincrbyfloat h f 1.5
hdel h nope
hdel h a b
hdel h c d n f
zadd z 1 a 2 b 3 c
zadd z 1 a
zadd z XX 5 a
zadd z INCR 1 a
zadd z NX INCR 1 a
zincrby z 2 a
zincrby z 0 a
zrem z nope
zrem z a
zremrangebyscore z 0 2
zremrangebyscore z 100 200
zremrangebyrank z 0 -1
zadd z 0 a 0 b 0 c 0 d
zremrangebylex z [a [b
zpopmin z
zpopmax z
zadd z 1 a 2 b 3 c 4 d
zpopmin z 2
zmpop 1 z MAX count 5
zadd z 1 a 2 b
bzpopmin z 1
bzpopmax z 1
zadd z1 1 a 2 b
zadd z2 1 a 3 c
zunionstore zd 2 z1 z2
zinterstore zd 2 z1 z2
zdiffstore zd 2 z1 z2
zdiffstore zd 2 z1 z1
zrangestore zd z1 0 -1
zrangestore zd z1 5 6
geoadd g 13.36 38.11 p 15.08 37.5 q
geosearchstore gd g fromlonlat 15 37 byradius 200 km
geosearchstore gd g fromlonlat 0 0 byradius 1 km
georadius g 15 37 200 km store gd
georadius g 0 0 1 km store gd
rpush so 3 1 2
sort so store sd2
xadd x * a 1
xadd x maxlen 1 * a 1
xadd x 99999999999999-1 a 1
xtrim x maxlen 1
xtrim x maxlen 5
xdel x 99999999999999-1
xdel x 99999999999999-1
xsetid x 99999999999999-5
xgroup create x g1 $
xgroup create xm g1 $ mkstream
xgroup setid x g1 0
xgroup createconsumer x g1 c1
xgroup createconsumer x g1 c1
xadd x * a 1
xreadgroup group g1 c2 count 1 streams x >
xreadgroup group g1 c2 count 1 streams x >
xack x g1 1-1
xautoclaim x g1 c3 0 0
xclaim x g1 c4 0 99999999999999-6
xgroup delconsumer x g1 c2
xgroup destroy x g1
xgroup destroy x g1
set du 1
hget missing a
llen missing
smembers missing
zscore missing a
xlen missing
sort missing
lpush wt a
incr wt
`
  .split('\n')
  .filter((line) => line !== '');

/** All events there are, also those that `A` does not stand for. */
const CLASSES = 'KEAmn';

/** A server that publishes events, and somebody who listens to all of them. */
interface Party {
  /** What the command made it publish: channel and message. */
  events(words: readonly string[]): Promise<string[]>;
}

class OurParty implements Party {
  private readonly primary = new Primary();

  constructor() {
    this.primary.now(setNotifications(CLASSES));
    this.primary.now(listen(true, [[Topic.pattern, bytes('__key*'), 1]]));
  }

  events(words: readonly string[]): Promise<string[]> {
    const { primary } = this;
    primary.told.length = 0;
    const [name = '', ...args] = words;
    const command = commandOf(name, args[0]);
    const given = (command.name.includes('|') ? args.slice(1) : args).map((word) => Buffer.from(word));
    if (command.run !== 'keyed') throw new Error(`${name} has no keys`);
    const context = { resp: 2, db: 0, databases: limits.databases } as const;
    try {
      primary.now(command.translate(given, context));
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
    }
    return Promise.resolve(
      primary.told
        .filter(([kind]) => kind === Kind.publication)
        .map(([, , , channel, message]) => `${String(channel)} ${String(message)}`),
    );
  }
}

function commandOf(name: string, next: string | undefined): Command {
  const command = commands.get(name);
  if (command === undefined) throw new Error(`there is no ${name}`);
  return command.subcommands?.find((row) => row.name === `${name}|${next}`) ?? command;
}

class RedisParty implements Party {
  private readonly client: RespClient;
  private readonly listener: RespClient;

  private constructor(client: RespClient, listener: RespClient) {
    this.client = client;
    this.listener = listener;
  }

  static async open(port: number): Promise<RedisParty> {
    const party = new RedisParty(await RespClient.open(port), await RespClient.open(port));
    await party.client.command('config', 'set', 'notify-keyspace-events', CLASSES);
    // expired keys are met by those who look for them, not by chance
    await party.client.command('debug', 'set-active-expire', '0');
    await party.listener.command('psubscribe', '__key*');
    return party;
  }

  async events(words: readonly string[]): Promise<string[]> {
    await this.client.command(...words);
    const from = this.listener.replies.length;
    this.listener.send('PING\r\n');
    const isPong = (reply: unknown): boolean => (reply as unknown[])[0] === 'pong';
    await this.listener.until(() => this.listener.replies.slice(from).some(isPong), 'a pong');
    const told = this.listener.replies.filter((reply) => (reply as unknown[])[0] === 'pmessage');
    this.listener.replies.length = 0;
    return told.map((reply) => (reply as unknown[]).slice(2).join(' '));
  }

  close(): void {
    this.client.end();
    this.listener.end();
  }
}

describe('keyspace notifications', () => {
  let server: RedisServer;
  let redis: RedisParty;
  const ours = new OurParty();

  before(async function () {
    if (!isInstalled('redis-server')) this.skip();
    server = await startRedisServer(['--enable-debug-command', 'yes']);
    redis = await RedisParty.open(server.port);
  });

  after(async () => {
    if (!isInstalled('redis-server')) return;
    redis.close();
    await server.stop();
  });

  it(`are those of Redis, in its order, for ${lines.length} commands of all types`, async () => {
    const different: string[] = [];
    for (const line of lines) {
      const words = line.split(' ');
      const [theirs, own] = [await redis.events(words), await ours.events(words)];
      if (theirs.join() !== own.join()) different.push(`${line}: Redis ${theirs.join()}, ours ${own.join()}`);
    }
    expect(different).to.deep.equal([]);
  }).timeout(20_000);
});
