/**
 * What proxies want to be told of by this primary: who has how many clients that listen to which channels and patterns.
 * In memory only. A proxy registers again with every new primary and over every new connection; while one is not
 * connected its clients do not count, and after its session it is forgotten.
 */
import { ClientError } from '../../shared/errors.js';
import { globMatches } from '../../shared/glob.js';
import { limits } from '../../shared/limits.js';
import { concernsKeys, Topic } from '../../shared/operations/pubsub.js';
import { Kind, type InvalidationMessage, type PublicationMessage } from '../../shared/wire/messages.js';
import type { Origin } from '../../shared/wire/network.js';
import type { ReplyHost } from './held-replies.js';
import { TrackedKeys } from './tracked-keys.js';

const TOO_MANY = 'ERR too many channels are listened to at this partition';

export interface InterestHost extends Pick<ReplyHost, 'tell'> {
  isConnected(boot: string): boolean;
}

export interface Publication {
  readonly topic: PublicationMessage[2];
  readonly channel: Buffer;
  readonly message: Buffer;
  /** Only to this proxy, which passes it on. */
  readonly by?: Origin;
}

/** By the listener's boot: how many of its clients. */
type Listeners = Map<string, { readonly proxy: Origin; clients: number }>;

/** A channel, pattern or prefix. */
interface Heard {
  readonly name: Buffer;
  readonly listeners: Listeners;
}

export class Interests {
  private readonly partition: number;
  private readonly host: InterestHost;
  private readonly channels = new Map<string, Heard>();
  private readonly shardChannels = new Map<string, Heard>();
  private readonly patterns = new Map<string, Heard>();
  /** Of keys. */
  private readonly prefixes = new Map<string, Heard>();
  readonly tracked = new TrackedKeys();
  /** Whoever has said something. */
  private readonly boots = new Set<string>();
  /** Channels of events about keys among them. */
  private keyChannels = 0;

  constructor(partition: number, host: InterestHost) {
    this.partition = partition;
    this.host = host;
  }

  /** Somebody may listen to events about keys. */
  get hearKeys(): boolean {
    return this.keyChannels > 0 || this.patterns.size > 0;
  }

  private get size(): number {
    return this.channels.size + this.shardChannels.size + this.patterns.size + this.prefixes.size;
  }

  /** Throws ClientError when there are too many. */
  set(proxy: Origin, topic: number, name: Buffer, clients: number): void {
    const table = this.tableOf(topic);
    const listeners = this.listenersOf(table, name, clients > 0);
    if (listeners === undefined) return;
    this.boots.add(proxy.boot);
    const known = listeners.get(proxy.boot);
    if (clients === 0) listeners.delete(proxy.boot);
    else if (known === undefined) listeners.set(proxy.boot, { proxy, clients });
    else known.clients = clients;
    if (listeners.size === 0) this.remove(table, latin1(name));
  }

  private remove(table: Map<string, Heard>, name: string): void {
    table.delete(name);
    if (table === this.channels && concernsKeys(name)) this.keyChannels -= 1;
  }

  private tableOf(topic: number): Map<string, Heard> {
    if (topic === Topic.pattern) return this.patterns;
    if (topic === Topic.prefix) return this.prefixes;
    return topic === Topic.channel ? this.channels : this.shardChannels;
  }

  private listenersOf(table: Map<string, Heard>, bytes: Buffer, add: boolean): Listeners | undefined {
    const name = latin1(bytes);
    const known = table.get(name)?.listeners;
    if (known !== undefined || !add) return known;
    if (this.size >= limits.interests) throw new ClientError(TOO_MANY);
    const listeners: Listeners = new Map();
    table.set(name, { name: Buffer.from(bytes), listeners });
    if (table === this.channels && concernsKeys(name)) this.keyChannels += 1;
    return listeners;
  }

  /** What this boot has said is forgotten. */
  forget(boot: string): void {
    if (!this.boots.delete(boot)) return;
    for (const table of [this.channels, this.shardChannels, this.patterns, this.prefixes]) {
      for (const [name, { listeners }] of table) {
        listeners.delete(boot);
        if (listeners.size === 0) this.remove(table, name);
      }
    }
  }

  /** Processes whose sessions are over. */
  forgetUnless(isKnown: (boot: string) => boolean): void {
    for (const boot of this.boots) if (!isKnown(boot)) this.forget(boot);
    for (const boot of this.tracked.boots()) if (!isKnown(boot)) this.tracked.forget(boot);
  }

  /** Somebody is to be told of writes. */
  get tracking(): boolean {
    return !this.tracked.empty || this.prefixes.size > 0;
  }

  /** Proxies that are to be told that these keys (null: all) are written, and which of them concern each. */
  concerned(keys: readonly string[] | null): Map<Origin, Set<string> | null> {
    const told = new Map<string, [proxy: Origin, keys: Set<string> | null]>();
    const tell = (proxy: Origin, written: readonly string[] | null): void => {
      const known = told.get(proxy.boot);
      if (known === undefined) told.set(proxy.boot, [proxy, written === null ? null : new Set(written)]);
      else for (const key of written ?? []) known[1]?.add(key);
    };
    this.tracked.take(keys, tell);
    for (const [prefix, { listeners }] of this.prefixes) {
      const written = keys === null ? null : keys.filter((key) => key.startsWith(prefix));
      if (written === null || written.length > 0) for (const { proxy } of listeners.values()) tell(proxy, written);
    }
    return new Map(told.values());
  }

  /** `connection`: of the receiver, by which it was written; 0: none. */
  invalidation(keys: Iterable<string> | null, connection: number): InvalidationMessage {
    const names = keys === null ? null : Array.from(keys, (key) => Buffer.from(key, 'latin1'));
    return [Kind.invalidation, this.partition, names, connection];
  }

  /** Anything may have been written. */
  everything(): InvalidationMessage {
    return this.invalidation(null, 0);
  }

  /** How many clients a message to this channel would go to now. */
  receivers(topic: number, channel: Buffer): number {
    let clients = 0;
    this.visit(topic, channel, (_, count) => {
      clients += count;
    });
    return clients;
  }

  /** Listeners to the channel by name. */
  named(topic: number, channel: Buffer): number {
    let clients = 0;
    for (const [boot, listener] of this.tableOf(topic).get(latin1(channel))?.listeners ?? [])
      if (this.host.isConnected(boot)) clients += listener.clients;
    return clients;
  }

  publish({ topic, channel, message, by }: Publication): void {
    if (by !== undefined) {
      this.host.tell(by, [Kind.publication, this.partition, topic, channel, message] satisfies PublicationMessage);
      return;
    }
    const told = new Set<string>();
    this.visit(topic, channel, (proxy) => {
      if (told.has(proxy.boot)) return;
      told.add(proxy.boot);
      this.host.tell(proxy, [Kind.publication, this.partition, topic, channel, message] satisfies PublicationMessage);
    });
  }

  private visit(topic: number, channel: Buffer, tell: (proxy: Origin, clients: number) => void): void {
    const visitAll = (listeners: Listeners | undefined): void => {
      for (const [boot, { proxy, clients }] of listeners ?? []) if (this.host.isConnected(boot)) tell(proxy, clients);
    };
    visitAll(this.tableOf(topic).get(latin1(channel))?.listeners);
    if (topic !== Topic.channel) return;
    for (const { name, listeners } of this.patterns.values()) if (globMatches(name, channel)) visitAll(listeners);
  }

  /** Names with listeners, in the order of their coming. */
  names(topic: number, pattern: Buffer | null): Buffer[] {
    const names = Array.from(this.tableOf(topic).values(), ({ name }) => name);
    return pattern === null ? names : names.filter((name) => globMatches(pattern, name));
  }
}

function latin1(name: Buffer): string {
  return name.latin1Slice(0, name.length);
}
