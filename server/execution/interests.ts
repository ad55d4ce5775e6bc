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
}

/** By the listener's boot: how many of its clients. */
type Listeners = Map<string, { readonly proxy: Origin; clients: number }>;

interface Pattern {
  readonly glob: Buffer;
  readonly listeners: Listeners;
}

export class Interests {
  private readonly partition: number;
  private readonly host: InterestHost;
  private readonly channels = new Map<string, Listeners>();
  private readonly shardChannels = new Map<string, Listeners>();
  private readonly patterns = new Map<string, Pattern>();
  /** Of keys. */
  private readonly prefixes = new Map<string, Listeners>();
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
    const listeners = this.listenersOf(topic, name, clients > 0);
    if (listeners === undefined) return;
    this.boots.add(proxy.boot);
    const known = listeners.get(proxy.boot);
    if (clients === 0) listeners.delete(proxy.boot);
    else if (known === undefined) listeners.set(proxy.boot, { proxy, clients });
    else known.clients = clients;
    if (listeners.size === 0) this.remove(this.tableOf(topic), latin1(name));
  }

  private remove(table: Map<string, unknown>, name: string): void {
    table.delete(name);
    if (table === this.channels && concernsKeys(name)) this.keyChannels -= 1;
  }

  private tableOf(topic: number): Map<string, Listeners | Pattern> {
    if (topic === Topic.pattern) return this.patterns as Map<string, Listeners | Pattern>;
    return this.channelsOf(topic) as Map<string, Listeners | Pattern>;
  }

  private listenersOf(topic: number, bytes: Buffer, add: boolean): Listeners | undefined {
    const name = latin1(bytes);
    const known = topic === Topic.pattern ? this.patterns.get(name)?.listeners : this.channelsOf(topic).get(name);
    if (known !== undefined || !add) return known;
    if (this.size >= limits.interests) throw new ClientError(TOO_MANY);
    const listeners: Listeners = new Map();
    if (topic === Topic.pattern) this.patterns.set(name, { glob: Buffer.from(bytes), listeners });
    else this.channelsOf(topic).set(name, listeners);
    if (topic === Topic.channel && concernsKeys(name)) this.keyChannels += 1;
    return listeners;
  }

  private channelsOf(topic: number): Map<string, Listeners> {
    if (topic === Topic.prefix) return this.prefixes;
    return topic === Topic.channel ? this.channels : this.shardChannels;
  }

  /** What this boot has said is forgotten. */
  forget(boot: string): void {
    if (!this.boots.delete(boot)) return;
    for (const table of [this.channels, this.shardChannels, this.prefixes]) {
      for (const [name, listeners] of table) {
        listeners.delete(boot);
        if (listeners.size === 0) this.remove(table, name);
      }
    }
    for (const [name, { listeners }] of this.patterns) {
      listeners.delete(boot);
      if (listeners.size === 0) this.patterns.delete(name);
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
    for (const [prefix, listeners] of this.prefixes) {
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
    for (const [boot, listener] of this.channelsOf(topic).get(latin1(channel)) ?? [])
      if (this.host.isConnected(boot)) clients += listener.clients;
    return clients;
  }

  publish({ topic, channel, message }: Publication): void {
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
    visitAll(this.channelsOf(topic).get(latin1(channel)));
    if (topic !== Topic.channel) return;
    for (const { glob, listeners } of this.patterns.values()) if (globMatches(glob, channel)) visitAll(listeners);
  }

  /** Names with listeners, in the order of their coming. */
  names(topic: number, pattern: Buffer | null): Buffer[] {
    const names: Buffer[] = [];
    for (const name of this.tableOf(topic).keys()) {
      const bytes = Buffer.from(name, 'latin1');
      if (pattern === null || globMatches(pattern, bytes)) names.push(bytes);
    }
    return names;
  }
}

function latin1(name: Buffer): string {
  return name.latin1Slice(0, name.length);
}
