/**
 * The state that the sequential specifications work on: values by key, never changed in place, so that the search
 * can keep any number of them. Written from Redis's documentation and behaviour, not from the product's code.
 *
 * Expiry is known only within bounds: nobody outside sees the instant at which a server executed, nor its clock.
 * While a key's expiry lies between them, both worlds are possible; once one was seen without it, it stays gone.
 */
import type { Reply } from '../history.js';

/** When a key expires, on the observer's clock. */
export interface Expiry {
  readonly earliestMs: number;
  readonly latestMs: number;
}

export type Content =
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'list'; readonly items: readonly string[] }
  | { readonly type: 'set'; readonly members: ReadonlySet<string> }
  | { readonly type: 'hash'; readonly fields: ReadonlyMap<string, string> }
  | { readonly type: 'zset'; readonly scores: ReadonlyMap<string, number> }
  | { readonly type: 'stream'; readonly stream: Stream };

export type StreamEntry = readonly [id: string, fields: readonly string[]];

export interface StreamGroup {
  /** The last id that it was given. */
  readonly delivered: string;
  /** By id: the consumer that has not acknowledged it. */
  readonly pending: ReadonlyMap<string, string>;
}

export interface Stream {
  readonly entries: readonly StreamEntry[];
  /** The last id that was ever given. */
  readonly last: string;
  readonly groups: ReadonlyMap<string, StreamGroup>;
}

export interface Value {
  readonly content: Content;
  readonly expiry: Expiry | null;
}

export type Keyspace = ReadonlyMap<string, Value>;

/** The interval in which an operation took effect, and how far clocks may be apart. */
export interface Moment {
  readonly callMs: number;
  readonly returnMs: number;
  readonly clockSkewMs: number;
}

/** A reply that a specification expects: exactly this one, or any that it accepts. */
export type Expected = Reply | ((observed: Reply) => boolean);

/** An error reply; what was changed before it does not count. */
export class ModelError extends Error {}

const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';

/** One operation's view of the keyspace: reads fall through to the base, the first write copies the map. */
export class Draft {
  readonly moment: Moment;
  private current: Map<string, Value> | Keyspace;
  private copied = false;

  constructor(base: Keyspace, moment: Moment) {
    this.current = base;
    this.moment = moment;
  }

  get keyspace(): Keyspace {
    return this.current;
  }

  get(key: string): Value | undefined {
    return this.current.get(key);
  }

  string(key: string): string | null {
    const content = this.current.get(key)?.content;
    if (content === undefined) return null;
    if (content.type !== 'string') throw new ModelError(WRONG_TYPE);
    return content.text;
  }

  list(key: string): readonly string[] {
    const content = this.current.get(key)?.content;
    if (content === undefined) return [];
    if (content.type !== 'list') throw new ModelError(WRONG_TYPE);
    return content.items;
  }

  set(key: string): ReadonlySet<string> {
    const content = this.current.get(key)?.content;
    if (content === undefined) return new Set();
    if (content.type !== 'set') throw new ModelError(WRONG_TYPE);
    return content.members;
  }

  hash(key: string): ReadonlyMap<string, string> {
    const content = this.current.get(key)?.content;
    if (content === undefined) return new Map();
    if (content.type !== 'hash') throw new ModelError(WRONG_TYPE);
    return content.fields;
  }

  zset(key: string): ReadonlyMap<string, number> {
    const content = this.current.get(key)?.content;
    if (content === undefined) return new Map();
    if (content.type !== 'zset') throw new ModelError(WRONG_TYPE);
    return content.scores;
  }

  /** Null: it does not exist; an empty stream does. */
  stream(key: string): Stream | null {
    const content = this.current.get(key)?.content;
    if (content === undefined) return null;
    if (content.type !== 'stream') throw new ModelError(WRONG_TYPE);
    return content.stream;
  }

  putStream(key: string, stream: Stream): void {
    this.put(key, { type: 'stream', stream });
  }

  /** `expiry` absent: what the key has. */
  putString(key: string, text: string, expiry?: Expiry | null): void {
    this.put(key, { type: 'string', text }, expiry);
  }

  /** An empty collection is no key. */
  putList(key: string, items: readonly string[], expiry?: Expiry | null): void {
    if (items.length === 0) this.remove(key);
    else this.put(key, { type: 'list', items }, expiry);
  }

  putSet(key: string, members: ReadonlySet<string>, expiry?: Expiry | null): void {
    if (members.size === 0) this.remove(key);
    else this.put(key, { type: 'set', members }, expiry);
  }

  putHash(key: string, fields: ReadonlyMap<string, string>, expiry?: Expiry | null): void {
    if (fields.size === 0) this.remove(key);
    else this.put(key, { type: 'hash', fields }, expiry);
  }

  putZset(key: string, scores: ReadonlyMap<string, number>, expiry?: Expiry | null): void {
    if (scores.size === 0) this.remove(key);
    else this.put(key, { type: 'zset', scores }, expiry);
  }

  put(key: string, content: Content, expiry?: Expiry | null): void {
    this.write().set(key, { content, expiry: expiry === undefined ? (this.current.get(key)?.expiry ?? null) : expiry });
  }

  remove(key: string): boolean {
    if (!this.current.has(key)) return false;
    this.write().delete(key);
    return true;
  }

  clear(): void {
    this.current = new Map();
    this.copied = true;
  }

  /** What another draft of the same moment has made of it. */
  become(keyspace: Keyspace): void {
    if (keyspace === this.current) return;
    this.current = keyspace;
    this.copied = false;
  }

  /** The bounds of an expiry that is set now, `ms` from now. */
  expiryIn(ms: number): Expiry {
    const { callMs, returnMs, clockSkewMs } = this.moment;
    return { earliestMs: callMs + ms - clockSkewMs, latestMs: returnMs + ms + clockSkewMs };
  }

  private write(): Map<string, Value> {
    if (!this.copied) {
      this.current = new Map(this.current);
      this.copied = true;
    }
    return this.current as Map<string, Value>;
  }
}

/** The keyspaces in which an operation on `keys` may find itself: with and without each key that may have expired. */
export function afterExpiry(keyspace: Keyspace, keys: Iterable<string>, moment: Moment): Keyspace[] {
  let worlds: Keyspace[] = [keyspace];
  for (const key of keys) {
    const expiry = keyspace.get(key)?.expiry;
    if (expiry === undefined || expiry === null) continue;
    const mayLive = moment.callMs <= expiry.latestMs;
    const mayBeGone = moment.returnMs >= expiry.earliestMs;
    if (!mayBeGone) continue;
    const without = worlds.map((world) => {
      const rest = new Map(world);
      rest.delete(key);
      return rest;
    });
    worlds = mayLive ? [...worlds, ...without] : without;
  }
  return worlds;
}

/** Numbers for equal contents and equal keyspaces, so that the search compares numbers. */
export class Interner {
  readonly keyspaces: Keyspace[] = [];
  private readonly contents = new Map<string, number>();
  private readonly known = new WeakMap<Content, number>();
  private readonly ids = new Map<string, number>();

  id(keyspace: Keyspace): number {
    const parts: string[] = [];
    for (const [key, { content, expiry }] of keyspace) {
      const until = expiry === null ? '' : `@${expiry.earliestMs},${expiry.latestMs}`;
      parts.push(`${JSON.stringify(key)}=${this.contentId(content)}${until}`);
    }
    const text = parts.sort().join(';');
    let id = this.ids.get(text);
    if (id === undefined) {
      id = this.keyspaces.push(keyspace) - 1;
      this.ids.set(text, id);
    }
    return id;
  }

  private contentId(content: Content): number {
    let id = this.known.get(content);
    if (id !== undefined) return id;
    const text = canonical(content);
    id = this.contents.get(text);
    if (id === undefined) {
      id = this.contents.size;
      this.contents.set(text, id);
    }
    this.known.set(content, id);
    return id;
  }
}

function canonical(content: Content): string {
  switch (content.type) {
    case 'string':
      return `s${content.text}`;
    case 'list':
      return `l${JSON.stringify(content.items)}`;
    case 'set':
      return `u${JSON.stringify([...content.members].sort())}`;
    case 'hash':
      return `h${JSON.stringify([...content.fields].sort())}`;
    case 'zset':
      return `z${JSON.stringify([...content.scores].sort())}`;
    case 'stream': {
      const { entries, last, groups } = content.stream;
      const told = [...groups].map(([name, { delivered, pending }]) => [name, delivered, [...pending].sort()]);
      return `x${JSON.stringify([entries, last, told.sort()])}`;
    }
  }
}

export function describeKeyspace(keyspace: Keyspace): string {
  if (keyspace.size === 0) return '(no keys)';
  return [...keyspace]
    .map(([key, { content, expiry }]) => {
      const until =
        expiry === null ? '' : `, expires between ${expiry.earliestMs.toFixed(0)} and ${expiry.latestMs.toFixed(0)}`;
      return `${key}: ${canonical(content).slice(1)}${until}`;
    })
    .join('; ');
}
