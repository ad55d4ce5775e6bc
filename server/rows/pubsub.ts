/** Publishing, and what proxies want to be told of: see shared/operations/pubsub.ts. No rows are concerned. */
import { ClientError } from '../../shared/errors.js';
import { concernsKeys, Topic } from '../../shared/operations/pubsub.js';
import { slotOf } from '../../shared/slots.js';
import type { Execute, View } from '../execution/view.js';
import { booleanAt, bytesAt, bytesFrom, bytesOrNullAt, listAt, numberAt, stringAt } from './arguments.js';

export const listen: Execute = (view, args) => {
  const { interests, sender } = view.broker;
  if (sender === null) throw new ClientError('ERR malformed operation: nobody sent it');
  if (booleanAt(args, 0)) interests.forget(sender.boot);
  for (const interest of args.slice(1)) {
    const parts = listAt([interest], 0);
    interests.set(sender, numberAt(parts, 0), bytesAt(parts, 1), numberAt(parts, 2));
  }
  return true;
};

export const publish: Execute = (view, args) => {
  const topic = numberAt(args, 0) === Topic.shardChannel ? Topic.shardChannel : Topic.channel;
  const channel = bytesAt(args, 1);
  const message = bytesAt(args, 2);
  if (topic === Topic.channel && isElsewhere(view, channel)) return view.broker.relay(channel, message);
  return view.broker.publish({ topic, channel, message });
};

/** Only scripts publish there; who listens to events about keys is known everywhere. */
function isElsewhere({ slots }: View, channel: Buffer): boolean {
  const slot = slotOf(channel);
  return (slot < slots.from || slot > slots.to) && !concernsKeys(channel.latin1Slice(0, channel.length));
}

export const topics: Execute = (view, args) => view.broker.interests.names(numberAt(args, 0), bytesOrNullAt(args, 1));

export const listeners: Execute = (view, args) =>
  bytesFrom(args, 1).map((channel) => view.broker.interests.named(numberAt(args, 0), channel));

export const setNotifications: Execute = (view, args) => {
  view.notifications = stringAt(args, 0);
  return true;
};

export const notifications: Execute = (view) => view.notifications;
