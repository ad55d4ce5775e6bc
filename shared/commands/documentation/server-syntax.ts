/** Costs and arguments of commands about connections, the server, messages, scripts and transactions. notation.ts says how it is written. */
export const serverSyntax = `
acl -
acl|cat O(1) [categoryname]
acl|deluser O(1) username...
acl|dryrun O(1) username command [arg...]
acl|genpass O(1) [bits:integer]
acl|getuser O(N) username
acl|help O(1)
acl|list O(N)
acl|load O(N)
acl|log O(N) [operation(count:integer | RESET)]
acl|save O(N)
acl|setuser O(N) username [rule...]
acl|users O(N)
acl|whoami O(1)
asking O(1)
auth O(N) [username@6.0.0] password
bgrewriteaof O(1)
bgsave O(1) [SCHEDULE@3.2.2]
client -
client|caching O(1) mode(YES | NO)
client|getname O(1)
client|getredir O(1)
client|help O(1)
client|id O(1)
client|info O(1)
client|kill O(N) filter(ip:port~2.8.12 | new-format([ID:client-id:integer@2.8.12] |
  [TYPE:normal_master_slave_pubsub(NORMAL | MASTER@3.2.0 | SLAVE | REPLICA@5.0.0 | PUBSUB)@2.8.12] | [USER:username] |
  [ADDR:ip:port] | [LADDR:ip:port@6.2.0] | [SKIPME:yes/no])...)
client|list O(N) [TYPE:normal_master_replica_pubsub(NORMAL | MASTER | REPLICA | PUBSUB)@5.0.0]
  [ID:id{client-id:integer...}@6.2.0]
client|no-evict O(1) enabled(ON | OFF)
client|no-touch O(1) enabled(ON | OFF)
client|pause O(1) timeout:integer [mode(WRITE | ALL)@6.2.0]
client|reply O(1) on_off_skip(ON | OFF | SKIP)
client|setinfo O(1) attr(LIB-NAME:libname | LIB-VER:libver)
client|setname O(1) connection-name
client|tracking O(1) status(ON | OFF) [REDIRECT:client-id:integer] [PREFIX:prefix&...] [BCAST] [OPTIN] [OPTOUT]
  [NOLOOP]
client|trackinginfo O(1)
client|unblock O(logN) client-id:integer [timeout_error(TIMEOUT | ERROR)]
client|unpause O(N)
cluster -
cluster|addslots O(N) slot:integer...
cluster|addslotsrange O(N) start-slot_end-slot{start-slot:integer end-slot:integer}...
cluster|bumpepoch O(1)
cluster|count-failure-reports O(N) node-id
cluster|countkeysinslot O(1) slot:integer
cluster|delslots O(N) slot:integer...
cluster|delslotsrange O(N) start-slot_end-slot{start-slot:integer end-slot:integer}...
cluster|failover O(1) [options(FORCE | TAKEOVER)]
cluster|flushslots O(1)
cluster|forget O(1) node-id
cluster|getkeysinslot O(log(N)) slot:integer count:integer
cluster|help O(1)
cluster|info O(1)
cluster|keyslot O(N) key:string
cluster|links O(N)
cluster|meet O(1) ip port:integer [cluster_bus_port:integer@4.0.0]
cluster|myid O(1)
cluster|myshardid O(1)
cluster|nodes O(N)
cluster|replicas O(1) node-id
cluster|replicate O(1) node-id
cluster|reset O(N) [hard_soft(HARD | SOFT)]
cluster|saveconfig O(1)
cluster|set-config-epoch O(1) config-epoch:integer
cluster|setslot O(1) slot:integer subcommand(IMPORTING:node-id | MIGRATING:node-id | NODE:node-id | STABLE)
cluster|shards O(N)
cluster|slaves O(1) node-id
cluster|slots O(N)
command O(N)
command|count O(1)
command|docs O(N) [command-name...]
command|getkeys O(N)
command|getkeysandflags O(N)
command|help O(1)
command|info O(N) [command-name...]
command|list O(N) [FILTERBY:filterby(MODULE:module-name | ACLCAT:category | PATTERN:pattern:pattern)]
config -
config|get O(N) parameter{parameter}...
config|help O(1)
config|resetstat O(1)
config|rewrite O(1)
config|set O(N) parameter_value{parameter value}...
dbsize O(1)
debug -
discard O(N)
echo O(1) message
eval - script numkeys:integer [key...] [arg...]
eval_ro - script numkeys:integer [key...] [arg...]
evalsha - sha1 numkeys:integer [key...] [arg...]
evalsha_ro - sha1 numkeys:integer [key...] [arg...]
exec -
failover O(1) [TO:target{host port:integer [FORCE]}] [ABORT] [TIMEOUT:milliseconds:integer]
fcall - function numkeys:integer [key...] [arg...]
fcall_ro - function numkeys:integer [key...] [arg...]
flushall O(N) [async(ASYNC@4.0.0 | SYNC@6.2.0)]
flushdb O(N) [async(ASYNC@4.0.0 | SYNC@6.2.0)]
function -
function|delete O(1) library-name
function|dump O(N)
function|flush O(N) [async(ASYNC | SYNC)]
function|help O(1)
function|kill O(1)
function|list O(N) [LIBRARYNAME:library-name-pattern] [WITHCODE]
function|load O(1) [REPLACE] function-code
function|restore O(N) serialized-value [policy(FLUSH | APPEND | REPLACE)]
function|stats O(1)
hello O(1) [arguments{protover:integer [AUTH:username_password{username password}] [SETNAME:clientname]}]
info O(1) [section...]
lastsave O(1)
latency -
latency|doctor O(1)
latency|graph O(1) event
latency|help O(1)
latency|histogram O(N) [command...]
latency|history O(1) event
latency|latest O(1)
latency|reset O(1) [event...]
lolwut - [VERSION:version:integer]
memory -
memory|doctor O(1)
memory|help O(1)
memory|malloc-stats -
memory|purge -
memory|stats O(1)
memory|usage O(N) key [SAMPLES:count:integer]
module -
module|help O(1)
module|list O(N)
module|load O(1) path [arg...]
module|loadex O(1) path [CONFIG:configs{name value}&...] [ARGS:args{arg}...]
module|unload O(1) name
monitor -
multi O(1)
ping O(1) [message]
psubscribe O(N) pattern{pattern:pattern}...
psync - replicationid offset:integer
publish O(N+M) channel message
pubsub -
pubsub|channels O(N) [pattern:pattern]
pubsub|help O(1)
pubsub|numpat O(1)
pubsub|numsub O(N) [channel...]
pubsub|shardchannels O(N) [pattern:pattern]
pubsub|shardnumsub O(N) [shardchannel...]
punsubscribe O(N+M) [pattern:pattern...]
quit O(1)
readonly O(1)
readwrite O(1)
replconf O(1)
replicaof O(1) args(host-port{host port:integer} | no-one{NO ONE})
reset O(1)
restore-asking O(1) key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME:seconds:integer@5.0.0]
  [FREQ:frequency:integer@5.0.0]
role O(1)
save O(N)
script -
script|debug O(1) mode(YES | SYNC | NO)
script|exists O(N) sha1...
script|flush O(N) [async(ASYNC | SYNC)@6.2.0]
script|help O(1)
script|kill O(1)
script|load O(N) script
select O(1) index:integer
shutdown O(N) [nosave_save(NOSAVE | SAVE)] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]
slaveof O(1) args(host-port{host port:integer} | no-one{NO ONE})
slowlog -
slowlog|get O(N) [count:integer]
slowlog|help O(1)
slowlog|len O(1)
slowlog|reset O(N)
spublish O(N) shardchannel message
ssubscribe O(N) shardchannel...
subscribe O(N) channel...
sunsubscribe O(N) [shardchannel...]
swapdb O(N) index1:integer index2:integer
sync -
time O(1)
unsubscribe O(N) [channel...]
unwatch O(1)
watch O(1) key...
`;
