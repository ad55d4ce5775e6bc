/**
 * What an operation sees of those who listen. What it publishes belongs to it like its writes: an attempt that fails
 * has published nothing.
 */
import { EventClass, type KeyEvent, keyEvents } from '../../shared/key-events.js';
import { Topic } from '../../shared/operations/pubsub.js';
import type { Origin } from '../../shared/wire/network.js';
import type { Interests, Publication } from './interests.js';

export class Broker {
  readonly interests: Interests;
  /** Who sent the operation under way; null: it is the server's own. */
  sender: Origin | null = null;
  /** What it publishes; null: nothing. */
  publications: Publication[] | null = null;
  /** Bits of EventClass: events about keys that are to be published; 0: none are, and this is all they cost. */
  events = 0;
  /** The operation only reads: what it does not find is an event. */
  reads = false;

  constructor(interests: Interests) {
    this.interests = interests;
  }

  /** How many clients it goes to, once everything that the operation depends on is committed. */
  publish(publication: Publication): number {
    (this.publications ??= []).push(publication);
    return this.interests.receivers(publication.topic, publication.channel);
  }

  /**
   * A script publishes on a channel whose listeners another partition knows: the proxy that sent the script passes it on.
   * So nobody waits within a script, and how many it will go to is not known: counted are those known here, by pattern,
   * as a node of Redis counts only its own clients.
   */
  relay(channel: Buffer, message: Buffer): number {
    if (this.sender === null) return 0;
    (this.publications ??= []).push({ topic: Topic.relayed, channel, message, by: this.sender });
    return this.interests.receivers(Topic.channel, channel);
  }

  /** An event about a key, if somebody may want it. */
  notify(db: number, event: KeyEvent, key: Buffer): void {
    if ((this.events & keyEvents[event]) === 0) return;
    const topic = Topic.channel;
    const publications = (this.publications ??= []);
    if ((this.events & EventClass.keyspace) !== 0) {
      const channel = Buffer.concat([Buffer.from(`__keyspace@${db}__:`), key]);
      publications.push({ topic, channel, message: Buffer.from(event) });
    }
    if ((this.events & EventClass.keyevent) !== 0) {
      const channel = Buffer.from(`__keyevent@${db}__:${event}`);
      publications.push({ topic, channel, message: Buffer.from(key) });
    }
  }

  /** How much was published so far: see `backTo`. */
  get mark(): number {
    return this.publications?.length ?? 0;
  }

  backTo(mark: number): void {
    if (this.publications !== null) this.publications.length = mark;
  }
}
