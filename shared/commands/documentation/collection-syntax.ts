/** Costs and arguments of commands on hashes, sets, sorted sets, positions and streams. notation.ts says how it is written. */
export const collectionSyntax = `
bzmpop O(K)+O(M*log(N)) timeout:double numkeys:integer key... where(MIN | MAX) [COUNT:count:integer]
bzpopmax O(log(N)) key... timeout:double
bzpopmin O(log(N)) key... timeout:double
geoadd O(log(N)) key [condition(NX | XX)@6.2.0] [CH=change@6.2.0] longitude_latitude_member{longitude:double
  latitude:double member}...
geodist O(log(N)) key member1 member2 [unit(M | KM | FT | MI)]
geohash O(log(N)) key member...
geopos O(N) key member...
georadius O(N+log(M)) key longitude:double latitude:double radius:double unit(M | KM | FT | MI) [WITHCOORD] [WITHDIST]
  [WITHHASH] [count{COUNT:count:integer [ANY@6.2.0]}] [order(ASC | DESC)] [STORE:key#1] [STOREDIST:key#2]
georadius_ro O(N+log(M)) key longitude:double latitude:double radius:double unit(M | KM | FT | MI) [WITHCOORD]
  [WITHDIST] [WITHHASH] [count{COUNT:count:integer [ANY@6.2.0]}] [order(ASC | DESC)]
georadiusbymember O(N+log(M)) key member radius:double unit(M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH]
  [count{COUNT:count:integer [ANY]}] [order(ASC | DESC)] [STORE:key#1] [STOREDIST:key#2]
georadiusbymember_ro O(N+log(M)) key member radius:double unit(M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH]
  [count{COUNT:count:integer [ANY]}] [order(ASC | DESC)]
geosearch O(N+log(M)) key from(FROMMEMBER:member | FROMLONLAT:longitude_latitude{longitude:double latitude:double})
  by(circle{BYRADIUS:radius:double unit(M | KM | FT | MI)} | box{BYBOX:width:double height:double unit(M | KM | FT |
  MI)}) [order(ASC | DESC)] [count{COUNT:count:integer [ANY]}] [WITHCOORD] [WITHDIST] [WITHHASH]
geosearchstore O(N+log(M)) destination:key source:key#1 from(FROMMEMBER:member |
  FROMLONLAT:longitude_latitude{longitude:double latitude:double}) by(circle{BYRADIUS:radius:double unit(M | KM | FT |
  MI)} | box{BYBOX:width:double height:double unit(M | KM | FT | MI)}) [order(ASC | DESC)] [count{COUNT:count:integer
  [ANY]}] [STOREDIST]
hdel O(N) key field...
hexists O(1) key field
hexpire O(N) key seconds:integer [condition(NX | XX | GT | LT)] FIELDS:fields{numfields:integer field...}
hexpireat O(N) key unix-time-seconds:unix-time [condition(NX | XX | GT | LT)] FIELDS:fields{numfields:integer
  field...}
hexpiretime O(N) key FIELDS:fields{numfields:integer field...}
hget O(1) key field
hgetall O(N) key
hgetdel O(N) key FIELDS:fields{numfields:integer field...}
hgetex O(N) key [expiration(EX:seconds:integer | PX:milliseconds:integer | EXAT:unix-time-seconds:unix-time |
  PXAT:unix-time-milliseconds:unix-time | PERSIST)] FIELDS:fields{numfields:integer field...}
hincrby O(1) key field increment:integer
hincrbyfloat O(1) key field increment:double
hkeys O(N) key
hlen O(1) key
hmget O(N) key field...
hmset O(N) key field_value{field value}...
hpersist O(N) key FIELDS:fields{numfields:integer field...}
hpexpire O(N) key milliseconds:integer [condition(NX | XX | GT | LT)] FIELDS:fields{numfields:integer field...}
hpexpireat O(N) key unix-time-milliseconds:unix-time [condition(NX | XX | GT | LT)] FIELDS:fields{numfields:integer
  field...}
hpexpiretime O(N) key FIELDS:fields{numfields:integer field...}
hpttl O(N) key FIELDS:fields{numfields:integer field...}
hrandfield O(N) key [options{count:integer [WITHVALUES]}]
hscan O(1) key cursor:integer [MATCH:pattern:pattern] [COUNT:count:integer] [NOVALUES@7.4.0]
hset O(1) key field_value{field value}...
hsetex O(N) key [condition(FNX | FXX)] [expiration(EX:seconds:integer | PX:milliseconds:integer |
  EXAT:unix-time-seconds:unix-time | PXAT:unix-time-milliseconds:unix-time | KEEPTTL)] FIELDS:fields{numfields:integer
  data{field value}...}
hsetnx O(1) key field value
hstrlen O(1) key field
httl O(N) key FIELDS:fields{numfields:integer field...}
hvals O(N) key
sadd O(1) key member...
scard O(1) key
sdiff O(N) key...
sdiffstore O(N) destination:key key#1...
sinter O(N*M) key...
sintercard O(N*M) numkeys:integer key... [LIMIT:limit:integer]
sinterstore O(N*M) destination:key key#1...
sismember O(1) key member
smembers O(N) key
smismember O(N) key member...
smove O(1) source:key destination:key#1 member
spop O(1) key [count:integer@3.2.0]
srandmember O(1) key [count:integer@2.6.0]
srem O(N) key member...
sscan O(1) key cursor:integer [MATCH:pattern:pattern] [COUNT:count:integer]
sunion O(N) key...
sunionstore O(N) destination:key key#1...
xack O(1) key group id...
xackdel O(1) key group [condition(KEEPREF | DELREF | ACKED)] IDS:ids{numids:integer id...}
xadd O(1) key [NOMKSTREAM@6.2.0] [trim{strategy(MAXLEN | MINID@6.2.0) [operator('='=equal | '~'=approximately)]
  threshold [LIMIT:count:integer@6.2.0]}] id_or_auto('*'=auto_id | id) field_value{field value}...
xautoclaim O(1) key group consumer min-idle-time start [COUNT:count:integer] [JUSTID]
xclaim O(logN) key group consumer min-idle-time id... [IDLE:ms:integer] [TIME:unix-time-milliseconds:unix-time]
  [RETRYCOUNT:count:integer] [FORCE] [JUSTID] [LASTID:id]
xdel O(1) key id...
xdelex O(1) key [condition(KEEPREF | DELREF | ACKED)] IDS:ids{numids:integer id...}
xgroup -
xgroup|create O(1) key groupname id(id | '$'=new_id) [MKSTREAM] [ENTRIESREAD:entries_read:integer]
xgroup|createconsumer O(1) key groupname consumername
xgroup|delconsumer O(1) key groupname consumername
xgroup|destroy O(N) key groupname
xgroup|help O(1)
xgroup|setid O(1) key groupname id(id | '$'=new_id) [ENTRIESREAD:entries_read:integer]
xinfo -
xinfo|consumers O(1) key groupname
xinfo|groups O(1) key
xinfo|help O(1)
xinfo|stream O(1) key [FULL:full{[COUNT:count:integer]}]
xlen O(1) key
xpending O(N) key group [filters{[IDLE:min-idle-time:integer@6.2.0] start end count:integer [consumer]}]
xrange O(N) key start end [COUNT:count:integer]
xread O(N) [COUNT:count:integer] [BLOCK:milliseconds:integer] STREAMS:streams{key... id...}
xreadgroup O(M) GROUP:group_consumer{group consumer} [COUNT:count:integer] [BLOCK:milliseconds:integer] [NOACK]
  STREAMS:streams{key... id...}
xrevrange O(N) key end start [COUNT:count:integer]
xsetid O(1) key last-id [ENTRIESADDED:entries_added:integer@7.0.0] [MAXDELETEDID:max_deleted_entry_id@7.0.0]
xtrim O(N) key trim{strategy(MAXLEN | MINID@6.2.0) [operator('='=equal | '~'=approximately)] threshold
  [LIMIT:count:integer@6.2.0]}
zadd O(log(N)) key [condition(NX | XX)@3.0.2] [comparison(GT | LT)@6.2.0] [CH=change@3.0.2] [INCR=increment@3.0.2]
  score_member{score:double member}...
zcard O(1) key
zcount O(log(N)) key min:double max:double
zdiff O(L+(N-K)log(N)) numkeys:integer key... [WITHSCORES]
zdiffstore O(L+(N-K)log(N)) destination:key numkeys:integer key#1...
zincrby O(log(N)) key increment:integer member
zinter O(N*K)+O(M*log(M)) numkeys:integer key... [WEIGHTS:weight:integer...] [AGGREGATE:aggregate(SUM | MIN | MAX)]
  [WITHSCORES]
zintercard O(N*K) numkeys:integer key... [LIMIT:limit:integer]
zinterstore O(N*K)+O(M*log(M)) destination:key numkeys:integer key#1... [WEIGHTS:weight:integer...]
  [AGGREGATE:aggregate(SUM | MIN | MAX)]
zlexcount O(log(N)) key min max
zmpop O(K)+O(M*log(N)) numkeys:integer key... where(MIN | MAX) [COUNT:count:integer]
zmscore O(N) key member...
zpopmax O(log(N)*M) key [count:integer]
zpopmin O(log(N)*M) key [count:integer]
zrandmember O(N) key [options{count:integer [WITHSCORES]}]
zrange O(log(N)+M) key start stop [sortby(BYSCORE | BYLEX)@6.2.0] [REV@6.2.0] [LIMIT:offset_count{offset:integer
  count:integer}@6.2.0] [WITHSCORES]
zrangebylex O(log(N)+M) key min max [LIMIT:offset_count{offset:integer count:integer}]
zrangebyscore O(log(N)+M) key min:double max:double [WITHSCORES@2.0.0] [LIMIT:offset_count{offset:integer
  count:integer}]
zrangestore O(log(N)+M) dst:key src:key#1 min max [sortby(BYSCORE | BYLEX)] [REV] [LIMIT:offset_count{offset:integer
  count:integer}]
zrank O(log(N)) key member [WITHSCORE@7.2.0]
zrem O(M*log(N)) key member...
zremrangebylex O(log(N)+M) key min max
zremrangebyrank O(log(N)+M) key start:integer stop:integer
zremrangebyscore O(log(N)+M) key min:double max:double
zrevrange O(log(N)+M) key start:integer stop:integer [WITHSCORES]
zrevrangebylex O(log(N)+M) key max min [LIMIT:offset_count{offset:integer count:integer}]
zrevrangebyscore O(log(N)+M) key max:double min:double [WITHSCORES] [LIMIT:offset_count{offset:integer count:integer}]
zrevrank O(log(N)) key member [WITHSCORE@7.2.0]
zscan O(1) key cursor:integer [MATCH:pattern:pattern] [COUNT:count:integer]
zscore O(1) key member
zunion O(N)+O(M*log(M)) numkeys:integer key... [WEIGHTS:weight:integer...] [AGGREGATE:aggregate(SUM | MIN | MAX)]
  [WITHSCORES]
zunionstore O(N)+O(M*log(M)) destination:key numkeys:integer key#1... [WEIGHTS:weight:integer...]
  [AGGREGATE:aggregate(SUM | MIN | MAX)]
`;
