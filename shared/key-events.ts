/**
 * Keyspace notifications: the classes that notify-keyspace-events chooses from, and every event with its class, as
 * Redis 7.0 has them.
 */
export const EventClass = {
  /** Where events are published: `__keyspace@<db>__:<key>`, `__keyevent@<db>__:<event>`. */
  keyspace: 1,
  keyevent: 2,
  generic: 4,
  string: 8,
  list: 16,
  set: 32,
  hash: 64,
  zset: 128,
  expired: 256,
  evicted: 512,
  stream: 1024,
  miss: 2048,
  module: 4096,
  created: 8192,
} as const;

const { generic, string, list, set, hash, zset, expired, evicted, stream, miss, created } = EventClass;

const BY_LETTER: Readonly<Record<string, number>> = {
  K: EventClass.keyspace,
  E: EventClass.keyevent,
  g: generic,
  $: string,
  l: list,
  s: set,
  h: hash,
  z: zset,
  x: expired,
  e: evicted,
  t: stream,
  m: miss,
  d: EventClass.module,
  n: created,
  A: generic | string | list | set | hash | zset | expired | evicted | stream | EventClass.module,
};

/** Which classes a text of class letters chooses; 0: nothing is published. */
export function eventClasses(letters: string): number {
  let classes = 0;
  for (const letter of letters) classes |= BY_LETTER[letter] ?? 0;
  return (classes & (EventClass.keyspace | EventClass.keyevent)) === 0 ? 0 : classes;
}

export const keyEvents = {
  del: generic,
  expire: generic,
  persist: generic,
  rename_from: generic,
  rename_to: generic,
  copy_to: generic,
  move_from: generic,
  move_to: generic,
  restore: generic,
  expired,
  evicted,
  new: created,
  keymiss: miss,
  set: string,
  setrange: string,
  append: string,
  incrby: string,
  incrbyfloat: string,
  setbit: string,
  pfadd: string,
  lpush: list,
  rpush: list,
  lpop: list,
  rpop: list,
  linsert: list,
  lset: list,
  lrem: list,
  ltrim: list,
  sortstore: list,
  sadd: set,
  srem: set,
  spop: set,
  sinterstore: set,
  sunionstore: set,
  sdiffstore: set,
  hset: hash,
  hdel: hash,
  hincrby: hash,
  hincrbyfloat: hash,
  hexpire: hash,
  hexpired: hash,
  hpersist: hash,
  zadd: zset,
  zincr: zset,
  zrem: zset,
  zremrangebyscore: zset,
  zremrangebyrank: zset,
  zremrangebylex: zset,
  zpopmin: zset,
  zpopmax: zset,
  zrangestore: zset,
  zinterstore: zset,
  zunionstore: zset,
  zdiffstore: zset,
  georadiusstore: zset,
  geosearchstore: zset,
  xadd: stream,
  xdel: stream,
  xtrim: stream,
  xsetid: stream,
  'xgroup-create': stream,
  'xgroup-setid': stream,
  'xgroup-destroy': stream,
  'xgroup-createconsumer': stream,
  'xgroup-delconsumer': stream,
} as const;
export type KeyEvent = keyof typeof keyEvents;
