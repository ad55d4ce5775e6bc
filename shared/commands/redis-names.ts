/** The names of all 240 commands of Redis 7.0, by group: what docs/compatibility.md has to account for. */
import type { CommandGroup } from './command.js';

const names = (text: string): readonly string[] => text.trim().split(/\s+/);

export const redisCommandNames: Readonly<Record<CommandGroup, readonly string[]>> = {
  connection: names('auth client echo hello ping quit reset select'),
  server: names(`
    acl bgrewriteaof bgsave command config dbsize debug failover flushall flushdb info lastsave latency lolwut
    memory module monitor psync replconf replicaof restore-asking role save shutdown slaveof slowlog swapdb sync
    time
  `),
  string: names(`
    append decr decrby get getdel getex getrange getset incr incrby incrbyfloat lcs mget mset msetnx psetex set
    setex setnx setrange strlen substr
  `),
  generic: names(`
    copy del dump exists expire expireat expiretime keys migrate move object persist pexpire pexpireat pexpiretime
    pttl randomkey rename renamenx restore scan sort sort_ro touch ttl type unlink wait
  `),
  hash: names(`
    hdel hexists hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hrandfield hscan hset hsetnx hstrlen
    hvals
  `),
  list: names(`
    blmove blmpop blpop brpop brpoplpush lindex linsert llen lmove lmpop lpop lpos lpush lpushx lrange lrem lset
    ltrim rpop rpoplpush rpush rpushx
  `),
  set: names(`
    sadd scard sdiff sdiffstore sinter sintercard sinterstore sismember smembers smismember smove spop srandmember
    srem sscan sunion sunionstore
  `),
  'sorted-set': names(`
    bzmpop bzpopmax bzpopmin zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore zlexcount
    zmpop zmscore zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem
    zremrangebylex zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan
    zscore zunion zunionstore
  `),
  stream: names(
    'xack xadd xautoclaim xclaim xdel xgroup xinfo xlen xpending xrange xread xreadgroup xrevrange xsetid xtrim',
  ),
  bitmap: names('bitcount bitfield bitfield_ro bitop bitpos getbit setbit'),
  hyperloglog: names('pfadd pfcount pfdebug pfmerge pfselftest'),
  geo: names(`
    geoadd geodist geohash geopos georadius georadius_ro georadiusbymember georadiusbymember_ro geosearch
    geosearchstore
  `),
  pubsub: names('psubscribe publish pubsub punsubscribe spublish ssubscribe subscribe sunsubscribe unsubscribe'),
  scripting: names('eval eval_ro evalsha evalsha_ro fcall fcall_ro function script'),
  transactions: names('discard exec multi unwatch watch'),
  cluster: names('asking cluster readonly readwrite'),
};
