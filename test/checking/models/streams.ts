/**
 * Streams, as far as histories use them: ids are given as `5-*`, so that what a stream holds tells every id. Consumers count
 * only by what is pending for them; when and how often an entry was delivered is not modelled.
 */
import { isError, type Reply } from '../history.js';
import { type Draft, type Expected, ModelError, type Stream, type StreamEntry, type StreamGroup } from './keyspace.js';
import { argument, integer, type Specifications } from './specification.js';

const EMPTY: Stream = { entries: [], last: '0-0', groups: new Map() };

function parts(id: string): [ms: number, sequence: number] {
  const [ms = '', sequence = '0'] = id.split('-');
  return [Number(ms), Number(sequence)];
}

function compare(a: string, b: string): number {
  const [x, y] = [parts(a), parts(b)];
  return x[0] - y[0] || x[1] - y[1];
}

function shown([id, fields]: StreamEntry): Reply {
  return [id, fields];
}

/** `5-*`: the next sequence number of that millisecond. */
function nextId(last: string, asked: string): string {
  const [ms = '', sequence] = asked.split('-');
  if (sequence !== '*') throw new Error(`the model needs an id like 5-*, not ${asked}`);
  const [lastMs, lastSequence] = parts(last);
  if (Number(ms) < lastMs)
    throw new ModelError('ERR The ID specified in XADD is equal or smaller than the target stream top item');
  return `${ms}-${Number(ms) === lastMs ? lastSequence + 1 : 0}`;
}

function groupOf(draft: Draft, key: string, name: string, where: string): { stream: Stream; group: StreamGroup } {
  const stream = draft.stream(key);
  const group = stream?.groups.get(name);
  if (stream === null || group === undefined)
    throw new ModelError(`NOGROUP No such key '${key}' or consumer group '${name}'${where}`);
  return { stream, group };
}

function putGroup(draft: Draft, key: string, stream: Stream, name: string, group: StreamGroup): void {
  draft.putStream(key, { ...stream, groups: new Map(stream.groups).set(name, group) });
}

function trimmed(entries: readonly StreamEntry[], length: number): readonly StreamEntry[] {
  return entries.length > length ? entries.slice(entries.length - length) : entries;
}

/** Whether it waits says nothing about what it may see when it is answered. */
function withoutBlock(args: readonly string[]): readonly string[] {
  const at = args.indexOf('BLOCK');
  return at < 0 ? args : args.toSpliced(at, 2);
}

/** One that waits is told in one of two ways that its group is gone. */
function readGroupOrWait(draft: Draft, args: readonly string[]): Expected {
  const waits = args.includes('BLOCK');
  try {
    return readGroup(draft, withoutBlock(args));
  } catch (error) {
    if (!waits || !(error instanceof ModelError)) throw error;
    return (observed) => isError(observed) && /^(NOGROUP|UNBLOCKED) /.test(observed.error);
  }
}

/** `GROUP g consumer COUNT n STREAMS key id` */
function readGroup(draft: Draft, args: readonly string[]): Reply {
  const [, name = '', consumer = '', , count = '', , key = '', id = ''] = args;
  const { stream, group } = groupOf(draft, key, name, ' in XREADGROUP with GROUP option');
  if (id !== '>') {
    const pending = [...group.pending].filter(([each, owner]) => owner === consumer && compare(each, id) > 0);
    const own = pending.toSorted(([a], [b]) => compare(a, b)).slice(0, integer(count));
    const held = new Map(stream.entries);
    return [[key, own.map(([each]): Reply => [each, held.get(each) ?? null])]];
  }
  const fresh = stream.entries.filter(([each]) => compare(each, group.delivered) > 0).slice(0, integer(count));
  const last = fresh.at(-1);
  if (last === undefined) return null;
  const pending = new Map(group.pending);
  for (const [each] of fresh) pending.set(each, consumer);
  putGroup(draft, key, stream, name, { delivered: last[0], pending });
  return [[key, fresh.map(shown)]];
}

export const streams: Specifications = {
  /** `key id field value ...`, without options */
  xadd: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', asked = '', ...fields]) => {
      const stream = draft.stream(key) ?? EMPTY;
      const id = nextId(stream.last, asked);
      draft.putStream(key, { ...stream, entries: [...stream.entries, [id, fields]], last: id });
      return id;
    },
  },
  xlen: { keys: 'first', write: false, run: (draft, [key = '']) => draft.stream(key)?.entries.length ?? 0 },
  xrange: {
    keys: 'first',
    write: false,
    run: (draft, [key = '', from = '', to = '']) => {
      const within = ([id]: StreamEntry): boolean =>
        (from === '-' || compare(id, from) >= 0) && (to === '+' || compare(id, to) <= 0);
      return (draft.stream(key)?.entries ?? []).filter(within).map(shown);
    },
  },
  xdel: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', ...ids]) => {
      const stream = draft.stream(key);
      const entries = stream?.entries.filter(([id]) => !ids.includes(id)) ?? [];
      const removed = (stream?.entries.length ?? 0) - entries.length;
      if (stream !== null && removed > 0) draft.putStream(key, { ...stream, entries });
      return removed;
    },
  },
  /** `key MAXLEN n` */
  xtrim: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', , length = '']) => {
      const stream = draft.stream(key);
      if (stream === null) return 0;
      const entries = trimmed(stream.entries, integer(length));
      if (entries.length < stream.entries.length) draft.putStream(key, { ...stream, entries });
      return stream.entries.length - entries.length;
    },
  },
  /** `COUNT n [BLOCK ms] STREAMS key id` */
  xread: {
    keys: (args) => [argument(args, args.length - 2)],
    write: false,
    run: (draft, args) => {
      const [, count = '', , key = '', id = ''] = withoutBlock(args);
      const found = draft.stream(key)?.entries.filter(([each]) => compare(each, id) > 0) ?? [];
      return found.length === 0 ? null : [[key, found.slice(0, integer(count)).map(shown)]];
    },
  },
  /** `CREATE key group id MKSTREAM` */
  xgroup: {
    keys: (args) => [argument(args, 1)],
    write: true,
    run: (draft, [, key = '', name = '', id = '']) => {
      const stream = draft.stream(key) ?? EMPTY;
      if (stream.groups.has(name)) throw new ModelError('BUSYGROUP Consumer Group name already exists');
      putGroup(draft, key, stream, name, { delivered: id === '$' ? stream.last : '0-0', pending: new Map() });
      return 'OK';
    },
  },
  xreadgroup: { keys: (args) => [argument(args, args.length - 2)], write: true, run: readGroupOrWait },
  xack: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', name = '', ...ids]) => {
      const stream = draft.stream(key);
      const group = stream?.groups.get(name);
      if (stream === null || group === undefined) return 0;
      const pending = new Map([...group.pending].filter(([id]) => !ids.includes(id)));
      if (pending.size < group.pending.size) putGroup(draft, key, stream, name, { ...group, pending });
      return group.pending.size - pending.size;
    },
  },
  /** `key group consumer 0 id ... JUSTID`: whatever is pending changes hands; what is deleted meanwhile is pending no more. */
  xclaim: {
    keys: 'first',
    write: true,
    run: (draft, [key = '', name = '', consumer = '', , ...rest]) => {
      const { stream, group } = groupOf(draft, key, name, '');
      const pending = new Map(group.pending);
      const held = new Set(stream.entries.map(([id]) => id));
      const claimed: string[] = [];
      for (const id of rest.slice(0, -1)) {
        if (!pending.has(id)) continue;
        if (held.has(id)) {
          pending.set(id, consumer);
          claimed.push(id);
        } else pending.delete(id);
      }
      putGroup(draft, key, stream, name, { ...group, pending });
      return claimed;
    },
  },
  /** `key group` */
  xpending: {
    keys: 'first',
    write: false,
    run: (draft, [key = '', name = '']) => {
      const { group } = groupOf(draft, key, name, '');
      const ids = [...group.pending.keys()].sort(compare);
      if (ids.length === 0) return [0, null, null, null];
      const counts = new Map<string, number>();
      for (const consumer of group.pending.values()) counts.set(consumer, (counts.get(consumer) ?? 0) + 1);
      const consumers = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
      return [
        ids.length,
        ids[0] ?? null,
        ids.at(-1) ?? null,
        consumers.map(([consumer, count]): Reply => [consumer, String(count)]),
      ];
    },
  },
};
