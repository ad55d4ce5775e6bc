/**
 * Publishing, and what proxies want to be told of. A partition's primary keeps it in memory: a proxy says it again to
 * whoever becomes primary. Nothing of this is logged, and a message is delivered at most once.
 */
import { Code } from './codes.js';
import type { Operation } from './operation.js';

/** What a proxy can be interested in. On the wire: numbers are explicit and never reused. */
export const Topic = {
  channel: 1,
  shardChannel: 2,
  /** A glob over the names of channels. */
  pattern: 3,
  /** Of keys: what changes of those that begin with it is told. */
  prefix: 4,
  /** Nobody's interest: a channel of another partition's, on which the proxy is to publish. */
  relayed: 5,
} as const;
export type Topic = Exclude<(typeof Topic)[keyof typeof Topic], typeof Topic.relayed>;

/** How many of the proxy's clients listen now; 0: none does any more. */
export type Interest = readonly [topic: Topic, name: Buffer, clients: number];

/** True once registered. `anew`: what the sender said before is forgotten. */
export const listen = (anew: boolean, interests: readonly Interest[]): Operation => [Code.listen, anew, ...interests];

/** How many clients it goes to. */
export const publish = (
  topic: typeof Topic.channel | typeof Topic.shardChannel,
  channel: Buffer,
  message: Buffer,
): Operation => [Code.publish, topic, channel, message];

/** Names that have listeners; those that match `pattern`, all where it is null. */
export const topics = (topic: Topic, pattern: Buffer | null): Operation => [Code.topics, topic, pattern];

/** Of each channel, how many clients listen to it by name. */
export const listeners = (topic: Topic, channels: readonly Buffer[]): Operation => [Code.listeners, topic, ...channels];

/** True. Which events about keys are published, in the letters of notify-keyspace-events: of the partition, logged. */
export const setNotifications = (letters: string): Operation => [Code.setNotifications, letters];

/** Those letters. */
export const notifications = (): Operation => [Code.notifications];

/** Events about keys are published by the partition of the key, whatever partition the channel's name belongs to. */
export function concernsKeys(channel: string): boolean {
  return channel.startsWith('__keyspace@') || channel.startsWith('__keyevent@');
}
