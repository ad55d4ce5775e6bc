/** What one connection is subscribed to. */
import { Topic } from '../../shared/operations/pubsub.js';
import type { SubscriptionTopic } from './subscriptions.js';

export class Subscriber {
  /** Names in latin1, in the order of subscribing. */
  readonly channels = new Set<string>();
  readonly shardChannels = new Set<string>();
  readonly patterns = new Set<string>();

  of(topic: SubscriptionTopic): Set<string> {
    if (topic === Topic.channel) return this.channels;
    return topic === Topic.pattern ? this.patterns : this.shardChannels;
  }

  /** As the confirmation of a subscription to `topic` says: shard channels are counted apart. */
  count(topic: SubscriptionTopic): number {
    return topic === Topic.shardChannel ? this.shardChannels.size : this.channels.size + this.patterns.size;
  }

  get empty(): boolean {
    return this.channels.size + this.patterns.size + this.shardChannels.size === 0;
  }
}
