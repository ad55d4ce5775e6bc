/**
 * SUBSCRIBE, PUBLISH and their kin. What a client subscribes to is registered with primaries before it is told so; its
 * connection takes no further requests meanwhile, and begins when everything before has been answered: no message may
 * overtake the confirmation, nor a reply that a RESP2 client still expects.
 */
import { at } from '../../shared/commands/arguments.js';
import { ErrorReply, PushReply, type Reply, ReplySequence } from '../../shared/commands/reply.js';
import { publish as publishOperation, Topic } from '../../shared/operations/pubsub.js';
import { slotOf } from '../../shared/slots.js';
import { Status } from '../../shared/wire/messages.js';
import { type Call, LATER, type SessionHandler } from '../context.js';
import { outcomeError } from '../pending.js';
import type { SubscriptionTopic } from '../pubsub/subscriptions.js';
import { help } from './help.js';

const latin1 = (name: Buffer): string => name.latin1Slice(0, name.length);
const bytes = (name: string): Buffer => Buffer.from(name, 'latin1');

/** Runs when all earlier requests of the connection have been answered, and holds later ones until `end`. */
function alone(
  call: Call,
  run: (end: (replies: readonly Reply[], failure?: ErrorReply) => void) => void,
): typeof LATER {
  const { session } = call;
  if (call.nested) {
    const finish = call.later();
    run((replies, failure) => finish(failure ?? new ReplySequence(replies)));
    return LATER;
  }
  const startedAtMs = call.proxy.clock.nowMs;
  session.hold();
  session.whenAnswered(() =>
    run((replies, failure) => {
      call.finished(call.entry, call.args, startedAtMs, failure ?? null);
      // confirmations are pushes: CLIENT REPLY OFF does not concern them
      if (failure !== undefined) session.replyNow(failure);
      else for (const reply of replies) session.push(reply);
      session.release();
    }),
  );
  return LATER;
}

const subscribing =
  (topic: SubscriptionTopic, word: string): SessionHandler =>
  (call) => {
    const { proxy, session } = call;
    const names = call.args.map(latin1);
    return alone(call, (end) => {
      const known = new Set(session.subscriber?.of(topic));
      const others = (session.subscriber?.count(topic) ?? 0) - known.size;
      proxy.messaging.subscriptions.subscribe(session, topic, names, (failure) => {
        if (failure !== null) return end([], new ErrorReply(`ERR not executed: ${failure}`));
        const confirmations = names.map((name) => {
          known.add(name);
          return new PushReply([word, bytes(name), others + known.size]);
        });
        end(confirmations);
      });
    });
  };

const unsubscribing =
  (topic: SubscriptionTopic, word: string): SessionHandler =>
  (call) => {
    const { proxy, session } = call;
    const given = call.args.map(latin1);
    return alone(call, (end) => {
      const known = new Set(session.subscriber?.of(topic));
      const others = (session.subscriber?.count(topic) ?? 0) - known.size;
      const names: readonly (string | null)[] = given.length > 0 ? given : known.size > 0 ? [...known] : [null];
      const confirmations = names.map((name) => {
        if (name !== null) known.delete(name);
        return new PushReply([word, name === null ? null : bytes(name), others + known.size]);
      });
      const left = names.filter((name) => name !== null);
      proxy.messaging.subscriptions.unsubscribe(session, topic, left, () => end(confirmations));
    });
  };

/** It follows what the connection has written before, wherever that is. */
const publishing =
  (topic: typeof Topic.channel | typeof Topic.shardChannel): SessionHandler =>
  (call) => {
    const { proxy, session } = call;
    const channel = at(call.args, 0);
    const operation = publishOperation(topic, channel, at(call.args, 1));
    const finish = call.later();
    session.afterOperations(() => {
      session.publishing += 1;
      proxy.router.submit(proxy.table, slotOf(channel), session.routed, 0, operation, {
        onOutcome(status, value) {
          session.publishing -= 1;
          finish(status === Status.ok ? Number(value) : outcomeError(status, value));
        },
      });
    });
    return LATER;
  };

export const pubsubHandlers = {
  subscribe: subscribing(Topic.channel, 'subscribe'),
  psubscribe: subscribing(Topic.pattern, 'psubscribe'),
  ssubscribe: subscribing(Topic.shardChannel, 'ssubscribe'),
  unsubscribe: unsubscribing(Topic.channel, 'unsubscribe'),
  punsubscribe: unsubscribing(Topic.pattern, 'punsubscribe'),
  sunsubscribe: unsubscribing(Topic.shardChannel, 'sunsubscribe'),
  publish: publishing(Topic.channel),
  spublish: publishing(Topic.shardChannel),
  'pubsub|help': help,
} satisfies Record<string, SessionHandler>;
