/**
 * Which clients of this proxy may have cached which keys. A read that is to be tracked says so to its primary, which
 * then tells this proxy of the next write to what was read; who read it is kept here, from the moment of the answer on:
 * the primary's word about a later write comes behind that answer. In broadcast mode prefixes are registered with every
 * primary instead. When a partition's primary, or the connection to it, is another one, what happened meanwhile is
 * unknown, and clients are told to forget everything.
 */
import { NULL_ARRAY, PushReply, type Reply } from '../../shared/commands/reply.js';
import { Topic } from '../../shared/operations/pubsub.js';
import type { InvalidationMessage } from '../../shared/wire/messages.js';
import type { ClientRegistry } from '../client-registry.js';
import type { Registrar, Registered, Source, Subject } from '../pubsub/registrar.js';
import type { Session } from '../session.js';
import type { TrackingMode } from './tracking-mode.js';

/** Where a RESP2 client gets what is redirected to it. */
const CHANNEL = Buffer.from('__redis__:invalidate');

export class Tracking implements Source {
  /** Clients in tracking mode. */
  readonly sessions = new Set<Session>();
  private readonly clients: ClientRegistry;
  private readonly registrar: Registrar;
  /** tracking-table-max-keys; 0: no limit. */
  private keysMax = 0;
  /** By key: ids of clients that may have cached it. They may be gone, or track no more. */
  private readonly readers = new Map<string, Set<number>>();
  private items = 0;
  private readonly prefixes = new Map<string, Set<Session>>();

  constructor(clients: ClientRegistry, registrar: Registrar) {
    this.clients = clients;
    this.registrar = registrar;
  }

  /** For INFO. */
  get counts(): { readonly clients: number; readonly keys: number; readonly items: number; readonly prefixes: number } {
    return {
      clients: this.sessions.size,
      keys: this.readers.size,
      items: this.items,
      prefixes: this.prefixes.size,
    };
  }

  listenersTo({ topic, name }: Subject): number {
    return topic === Topic.prefix ? (this.prefixes.get(name)?.size ?? 0) : 0;
  }

  *subjects(): Iterable<Subject> {
    for (const name of this.prefixes.keys()) yield { topic: Topic.prefix, name };
  }

  /** The mode has been set; `done` once what is to be broadcast is registered. */
  begin(session: Session, mode: TrackingMode, prefixes: readonly string[], done: Registered): void {
    session.tracking = mode;
    this.sessions.add(session);
    this.registrar.keepConnected();
    for (const prefix of prefixes) {
      mode.prefixes.add(prefix);
      const listening = this.prefixes.get(prefix);
      if (listening === undefined) this.prefixes.set(prefix, new Set([session]));
      else listening.add(session);
    }
    if (prefixes.length === 0) return done(null);
    this.registrar.tell(subjectsOf(prefixes), done);
  }

  end(session: Session): void {
    const { tracking } = session;
    if (tracking === null) return;
    session.tracking = null;
    this.sessions.delete(session);
    for (const prefix of tracking.prefixes) {
      const listening = this.prefixes.get(prefix);
      listening?.delete(session);
      if (listening?.size === 0) this.prefixes.delete(prefix);
    }
    if (tracking.prefixes.size > 0) this.registrar.tell(subjectsOf([...tracking.prefixes]), () => undefined);
  }

  /** The client has been told what these keys hold. */
  remember(session: Session, keys: readonly Buffer[]): void {
    if (session.tracking === null || session.tracking.broadcast) return;
    for (const key of keys) {
      const name = key.latin1Slice(0, key.length);
      let readers = this.readers.get(name);
      if (readers === undefined) this.readers.set(name, (readers = new Set()));
      if (readers.has(session.id)) continue;
      readers.add(session.id);
      this.items += 1;
    }
    if (this.keysMax > 0 && this.readers.size > this.keysMax) this.shrink();
  }

  set limit(keysMax: number) {
    this.keysMax = keysMax;
    if (keysMax > 0) this.shrink();
  }

  /** What is forgotten for want of room is as good as written. */
  private shrink(): void {
    for (const name of this.readers.keys()) {
      if (this.readers.size <= this.keysMax) return;
      this.tellReaders(name, null);
    }
  }

  onInvalidation([, , keys, connection]: InvalidationMessage): void {
    const writer = (session: Session): boolean => connection !== 0 && session.routed.id === connection;
    if (keys === null) return this.forgetAll();
    for (const key of keys) this.tellReaders(key.latin1Slice(0, key.length), writer);
    for (const [prefix, sessions] of this.prefixes) {
      const matching = keys.filter((key) => key.latin1Slice(0, key.length).startsWith(prefix));
      if (matching.length === 0) continue;
      for (const session of sessions)
        if (!(session.tracking?.noLoop === true && writer(session))) this.send(session, matching);
    }
  }

  /** A transaction has written what it had read itself. */
  wroteItself(session: Session, keys: readonly Buffer[]): void {
    for (const key of keys) this.tellReaders(key.latin1Slice(0, key.length), (reader) => reader === session);
  }

  private tellReaders(name: string, isWriter: ((session: Session) => boolean) | null): void {
    const readers = this.readers.get(name);
    if (readers === undefined) return;
    this.readers.delete(name);
    this.items -= readers.size;
    const keys = [Buffer.from(name, 'latin1')];
    for (const id of readers) {
      const session = this.clients.get(id);
      if (session === undefined || session.tracking === null || session.tracking.broadcast) continue;
      if (session.tracking.noLoop && isWriter?.(session) === true) continue;
      this.send(session, keys);
    }
  }

  /** Everything may have changed. */
  forgetAll(): void {
    this.readers.clear();
    this.items = 0;
    for (const session of this.sessions) this.send(session, null);
  }

  private send(session: Session, keys: readonly Buffer[] | null): void {
    const mode = session.tracking;
    if (mode === null) return;
    const content: Reply = keys ?? NULL_ARRAY;
    if (mode.redirect === 0) {
      if (session.resp === 3) session.pushBehind(new PushReply(['invalidate', content]));
      return;
    }
    const target = this.clients.get(mode.redirect);
    if (target === undefined || target.leaving) {
      mode.brokenRedirect = true;
      if (session.resp === 3) session.pushBehind(new PushReply(['tracking-redir-broken', mode.redirect]));
    } else if (target.resp === 3) target.push(new PushReply(['invalidate', content]));
    else if (target.subscriber !== null) target.push(new PushReply(['message', CHANNEL, content]));
  }
}

function subjectsOf(prefixes: readonly string[]): Subject[] {
  return prefixes.map((name) => ({ topic: Topic.prefix, name }));
}
