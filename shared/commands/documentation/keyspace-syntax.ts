/** Costs and arguments of commands on strings, bits, HyperLogLogs, lists and keys of any type. notation.ts says how it is written. */
export const keyspaceSyntax = `
append O(1) key value
bitcount O(N) key [index{start:integer end:integer [index_unit(BYTE | BIT)@7.0.0]}]
bitfield O(1) key [operation(GET:encoding_offset{encoding offset:integer} | write{[OVERFLOW:wrap_sat_fail(WRAP | SAT |
  FAIL)] write_operation(SET:encoding_offset_value{encoding offset:integer value:integer} |
  INCRBY:encoding_offset_increment{encoding offset:integer increment:integer})})...]
bitfield_ro O(1) key [GET:encoding_offset{encoding offset:integer}&...]
bitop O(N) operation destkey:key key#1...
bitpos O(N) key bit:integer [index{start:integer [end_index{end:integer [index_unit(BYTE | BIT)@7.0.0]}]}]
blmove O(1) source:key destination:key#1 wherefrom(LEFT | RIGHT) whereto(LEFT | RIGHT) timeout:double
blmpop O(N+M) timeout:double numkeys:integer key... where(LEFT | RIGHT) [COUNT:count:integer]
blpop O(N) key... timeout:double
brpop O(N) key... timeout:double
brpoplpush O(1) source:key destination:key#1 timeout:double
copy O(N) source:key destination:key#1 [DB:destination-db:integer] [REPLACE]
decr O(1) key
decrby O(1) key decrement:integer
del O(N) key...
delex O(1) key [condition(IFEQ:ifeq-value | IFNE:ifne-value)]
dump O(1) key
exists O(N) key...
expire O(1) key seconds:integer [condition(NX | XX | GT | LT)@7.0.0]
expireat O(1) key unix-time-seconds:unix-time [condition(NX | XX | GT | LT)@7.0.0]
expiretime O(1) key
get O(1) key
getbit O(1) key offset:integer
getdel O(1) key
getex O(1) key [expiration(EX:seconds:integer | PX:milliseconds:integer | EXAT:unix-time-seconds:unix-time |
  PXAT:unix-time-milliseconds:unix-time | PERSIST)]
getrange O(N) key start:integer end:integer
getset O(1) key value
incr O(1) key
incrby O(1) key increment:integer
incrbyfloat O(1) key increment:double
keys O(N) pattern:pattern
lcs O(N*M) key1:key key2:key [LEN] [IDX] [MINMATCHLEN:len:integer] [WITHMATCHLEN]
lindex O(N) key index:integer
linsert O(N) key where(BEFORE | AFTER) pivot element
llen O(1) key
lmove O(1) source:key destination:key#1 wherefrom(LEFT | RIGHT) whereto(LEFT | RIGHT)
lmpop O(N+M) numkeys:integer key... where(LEFT | RIGHT) [COUNT:count:integer]
lpop O(N) key [count:integer@6.2.0]
lpos O(N) key element [RANK:rank:integer] [COUNT:num-matches:integer] [MAXLEN:len:integer]
lpush O(1) key element...
lpushx O(1) key element...
lrange O(S+N) key start:integer stop:integer
lrem O(N+M) key count:integer element
lset O(N) key index:integer element
ltrim O(N) key start:integer stop:integer
mget O(N) key...
migrate O(N) host port:integer key_or_empty_string(key | ''=empty_string) destination-db:integer timeout:integer
  [COPY@3.0.0] [REPLACE@3.0.0] [authentication([AUTH:password@4.0.7] | [AUTH2:username_password{username
  password}@6.0.0])] [KEYS:key#1...@3.0.6]
move O(1) key db:integer
mset O(N) key_value{key value}...
msetex O(N) numkeys:integer data{key value}... [condition(NX | XX)] [expiration(EX:seconds:integer |
  PX:milliseconds:integer | EXAT:unix-time-seconds:unix-time | PXAT:unix-time-milliseconds:unix-time | KEEPTTL)]
msetnx O(N) key_value{key value}...
object -
object|encoding O(1) key
object|freq O(1) key
object|help O(1)
object|idletime O(1) key
object|refcount O(1) key
persist O(1) key
pexpire O(1) key milliseconds:integer [condition(NX | XX | GT | LT)@7.0.0]
pexpireat O(1) key unix-time-milliseconds:unix-time [condition(NX | XX | GT | LT)@7.0.0]
pexpiretime O(1) key
pfadd O(1) key [element...]
pfcount O(1) key...
pfdebug - subcommand key
pfmerge O(N) destkey:key sourcekey:key#1...
pfselftest -
psetex O(1) key milliseconds:integer value
pttl O(1) key
randomkey O(1)
rename O(1) key newkey:key#1
renamenx O(1) key newkey:key#1
restore O(1) key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME:seconds:integer@5.0.0]
  [FREQ:frequency:integer@5.0.0]
rpop O(N) key [count:integer@6.2.0]
rpoplpush O(1) source:key destination:key#1
rpush O(1) key element...
rpushx O(1) key element...
scan O(1) cursor:integer [MATCH:pattern:pattern] [COUNT:count:integer] [TYPE:type@6.0.0]
set O(1) key value [condition(NX | XX | IFEQ:ifeq-value@8.4.0 | IFNE:ifne-value@8.4.0)@2.6.12] [GET@6.2.0] [expiration(EX:seconds:integer@2.6.12 |
  PX:milliseconds:integer@2.6.12 | EXAT:unix-time-seconds:unix-time@6.2.0 |
  PXAT:unix-time-milliseconds:unix-time@6.2.0 | KEEPTTL@6.0.0)]
setbit O(1) key offset:integer value:integer
setex O(1) key seconds:integer value
setnx O(1) key value
setrange O(1) key offset:integer value
sort O(N+M*log(M)) key [BY:pattern:pattern#1] [LIMIT:offset_count{offset:integer count:integer}]
  [GET:pattern:pattern#1&...] [order(ASC | DESC)] [ALPHA=sorting] [STORE:destination:key#2]
sort_ro O(N+M*log(M)) key [BY:pattern:pattern#1] [LIMIT:offset_count{offset:integer count:integer}]
  [GET:pattern:pattern#1&...] [order(ASC | DESC)] [ALPHA=sorting]
strlen O(1) key
substr O(N) key start:integer end:integer
touch O(N) key...
ttl O(1) key
type O(1) key
unlink O(1) key...
wait O(1) numreplicas:integer timeout:integer
waitaof O(1) numlocal:integer numreplicas:integer timeout:integer
`;
