/**
 * What a command does to its keys, as COMMAND INFO's key specifications and COMMAND GETKEYSANDFLAGS say
 * it. Only where the command's own flags do not tell: else readonly means `RO access`, write `RW access update`.
 */
import { word } from './arguments.js';
import type { CommandFacts } from './command.js';

const RO: readonly string[] = ['RO'];
const OVERWRITE: readonly string[] = ['OW', 'update'];
const CREATE: readonly string[] = ['OW', 'insert'];
const INSERT: readonly string[] = ['RW', 'insert'];
const DROP: readonly string[] = ['RW', 'delete'];
const UPDATE: readonly string[] = ['RW', 'update'];
const TAKE: readonly string[] = ['RW', 'access', 'delete'];
const REMOVE: readonly string[] = ['RM', 'delete'];
const READ: readonly string[] = ['RO', 'access'];
const CHANGE: readonly string[] = ['RW', 'access', 'update'];
/** A shard channel: it has a slot as a key has, and is none. */
const NO_KEY: readonly string[] = ['not_key'];

/** By command; one list for all keys, or one for each. */
const exceptions: Readonly<Record<string, readonly (readonly string[])[]>> = {
  append: [INSERT],
  copy: [READ, OVERWRITE],
  del: [REMOVE],
  unlink: [REMOVE],
  exists: [RO],
  touch: [RO],
  type: [RO],
  watch: [RO],
  strlen: [RO],
  'memory|usage': [RO],
  'object|encoding': [RO],
  'object|freq': [RO],
  'object|idletime': [RO],
  'object|refcount': [RO],
  expire: [UPDATE],
  expireat: [UPDATE],
  pexpire: [UPDATE],
  pexpireat: [UPDATE],
  persist: [UPDATE],
  setrange: [UPDATE],
  bitop: [OVERWRITE, READ],
  bitfield: [['RW', 'access', 'update', 'variable_flags']],
  getdel: [TAKE],
  set: [['RW', 'access', 'update', 'variable_flags']],
  mset: [OVERWRITE],
  msetex: [OVERWRITE],
  delex: [REMOVE],
  psetex: [OVERWRITE],
  setex: [OVERWRITE],
  msetnx: [CREATE],
  setnx: [CREATE],
  pfadd: [INSERT],
  pfcount: [['RW', 'access']],
  pfmerge: [['RW', 'access', 'insert'], READ],
  pfdebug: [['RW', 'access']],
  migrate: [TAKE],
  restore: [OVERWRITE],
  'restore-asking': [OVERWRITE],
  rename: [TAKE, OVERWRITE],
  renamenx: [TAKE, CREATE],
  lpush: [INSERT],
  rpush: [INSERT],
  lpushx: [INSERT],
  rpushx: [INSERT],
  linsert: [INSERT],
  lpop: [TAKE],
  rpop: [TAKE],
  lmpop: [TAKE],
  llen: [RO],
  lset: [UPDATE],
  lrem: [DROP],
  ltrim: [DROP],
  lmove: [TAKE, INSERT],
  rpoplpush: [TAKE, INSERT],
  blpop: [TAKE],
  brpop: [TAKE],
  blmpop: [TAKE],
  blmove: [TAKE, INSERT],
  brpoplpush: [TAKE, INSERT],
  sadd: [INSERT],
  srem: [DROP],
  spop: [TAKE],
  eval: [CHANGE],
  evalsha: [CHANGE],
  fcall: [CHANGE],
  spublish: [NO_KEY],
  ssubscribe: [NO_KEY],
  sunsubscribe: [NO_KEY],
  scard: [RO],
  sismember: [RO],
  smove: [TAKE, INSERT],
  hset: [UPDATE],
  hmset: [UPDATE],
  hsetnx: [INSERT],
  hsetex: [UPDATE],
  hlen: [RO],
  hstrlen: [RO],
  hexists: [RO],
  hdel: [DROP],
  hgetdel: [TAKE],
  hgetex: [CHANGE],
  hexpire: [UPDATE],
  hpexpire: [UPDATE],
  hexpireat: [UPDATE],
  hpexpireat: [UPDATE],
  hpersist: [UPDATE],
  geoadd: [UPDATE],
  geosearchstore: [OVERWRITE, READ],
  georadius: [READ, OVERWRITE],
  georadiusbymember: [READ, OVERWRITE],
  sort: [READ, OVERWRITE],
  zadd: [UPDATE],
  zcard: [RO],
  zdiffstore: [OVERWRITE, READ],
  zinterstore: [OVERWRITE, READ],
  zunionstore: [OVERWRITE, READ],
  zrangestore: [OVERWRITE, READ],
  zmpop: [TAKE],
  zpopmax: [TAKE],
  zpopmin: [TAKE],
  bzmpop: [TAKE],
  bzpopmax: [TAKE],
  bzpopmin: [TAKE],
  zrem: [DROP],
  zremrangebylex: [DROP],
  zremrangebyrank: [DROP],
  zremrangebyscore: [DROP],
  xadd: [UPDATE],
  xlen: [RO],
  xreadgroup: [READ],
  xack: [UPDATE],
  xackdel: [DROP],
  xclaim: [UPDATE],
  xautoclaim: [DROP],
  xdel: [DROP],
  xdelex: [DROP],
  xtrim: [DROP],
  xsetid: [UPDATE],
  'xgroup|create': [INSERT],
  'xgroup|createconsumer': [INSERT],
  'xgroup|delconsumer': [DROP],
  'xgroup|destroy': [DROP],
  'xgroup|setid': [UPDATE],
  sinterstore: [UPDATE, READ],
  sunionstore: [OVERWRITE, READ],
  sdiffstore: [OVERWRITE, READ],
};

/** Of the key at `index` among the command's keys. */
export function keyFlags(command: CommandFacts, index: number): readonly string[] {
  const lists = exceptions[command.name];
  if (lists !== undefined) return lists[Math.min(index, lists.length - 1)] ?? READ;
  return command.flags.includes('write') ? CHANGE : READ;
}

/** As `keyFlags`, where the arguments make a difference. `args` are without the command's name. */
export function keyFlagsOfCall(command: CommandFacts, index: number, args: readonly Buffer[]): readonly string[] {
  if (command.name === 'set') return args.slice(2).some((argument) => word(argument) === 'GET') ? CHANGE : OVERWRITE;
  if (command.name === 'bitfield') return onlyGets(args) ? READ : CHANGE;
  return keyFlags(command, index);
}

/** A BITFIELD without SET and INCRBY; one that cannot be read counts as a change. */
function onlyGets(args: readonly Buffer[]): boolean {
  for (let at = 1; at < args.length; ) {
    const option = word(args[at]);
    if (option === 'GET' && at + 2 < args.length) at += 3;
    else if (option === 'OVERFLOW' && at + 1 < args.length) at += 2;
    else return false;
  }
  return true;
}
