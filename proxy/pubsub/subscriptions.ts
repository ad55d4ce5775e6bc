/**
 * Who of this proxy's clients listens to what. A subscription counts from the moment it is asked for, so that the
 * primary hears of it, and is served from the moment the primary has confirmed it: then the client is told, and every
 * message that comes later, wherever it was published, reaches it behind that confirmation.
 */
import { PushReply, type Reply } from '../../shared/commands/reply.js';
import { globMatches } from '../../shared/glob.js';
import { limits } from '../../shared/limits.js';
import { Topic } from '../../shared/operations/pubsub.js';
import type { Message, PublicationMessage } from '../../shared/wire/messages.js';
import { encodeReply, Output } from '../resp/encoder.js';
import type { Session } from '../session.js';
import type { Registrar, Registered, Source, Subject } from './registrar.js';
import { Subscriber } from './subscriber.js';

interface Audience {
  /** For patterns. */
  readonly bytes: Buffer;
  readonly sessions: Set<Session>;
  /** Clients whose subscription is being registered. */
  coming: number;
}

const TOPICS = [Topic.channel, Topic.shardChannel, Topic.pattern] as const;
export type SubscriptionTopic = (typeof TOPICS)[number];

export class Subscriptions implements Source {
  private readonly registrar: Registrar;
  private readonly byTopic: Readonly<Record<SubscriptionTopic, Map<string, Audience>>> = {
    [Topic.channel]: new Map(),
    [Topic.shardChannel]: new Map(),
    [Topic.pattern]: new Map(),
  };

  constructor(registrar: Registrar) {
    this.registrar = registrar;
  }

  listenersTo({ topic, name }: Subject): number {
    const audience = topic === Topic.prefix ? undefined : this.byTopic[topic].get(name);
    return audience === undefined ? 0 : audience.sessions.size + audience.coming;
  }

  *subjects(): Iterable<Subject> {
    for (const topic of TOPICS) for (const name of this.byTopic[topic].keys()) yield { topic, name };
  }

  /** Channels and shard channels that clients of this proxy listen to, and patterns. */
  get counts(): { readonly channels: number; readonly shardChannels: number; readonly patterns: number } {
    const { [Topic.channel]: channels, [Topic.shardChannel]: shardChannels, [Topic.pattern]: patterns } = this.byTopic;
    return { channels: channels.size, shardChannels: shardChannels.size, patterns: patterns.size };
  }

  /** `done` once the session listens, or with the reason why not; then it does not. */
  subscribe(session: Session, topic: SubscriptionTopic, names: readonly string[], done: Registered): void {
    const fresh = [...new Set(names)].filter((name) => session.subscriber?.of(topic).has(name) !== true);
    const subjects = fresh.map((name): Subject => ({ topic, name }));
    const table = this.byTopic[topic];
    for (const name of fresh) {
      const audience = table.get(name);
      if (audience === undefined)
        table.set(name, { bytes: Buffer.from(name, 'latin1'), sessions: new Set(), coming: 1 });
      else audience.coming += 1;
    }
    if (fresh.length === 0) return done(null);
    this.registrar.tell(subjects, (failure) => {
      const joins = failure === null && !session.closed;
      for (const name of fresh) this.arrive(session, topic, name, joins);
      if (!joins) this.registrar.tell(subjects, () => undefined);
      done(failure);
    });
  }

  private arrive(session: Session, topic: SubscriptionTopic, name: string, joins: boolean): void {
    const audience = this.byTopic[topic].get(name);
    if (audience === undefined) return;
    audience.coming -= 1;
    if (joins) {
      session.subscriber ??= new Subscriber();
      session.subscriber.of(topic).add(name);
      audience.sessions.add(session);
    } else this.sweep(topic, name, audience);
  }

  private sweep(topic: SubscriptionTopic, name: string, audience: Audience): void {
    if (audience.sessions.size + audience.coming === 0) this.byTopic[topic].delete(name);
  }

  /** The session hears nothing of these any more; `done` once the primaries do not count it either, or cannot be told. */
  unsubscribe(session: Session, topic: SubscriptionTopic, names: readonly string[], done: () => void): void {
    const { subscriber } = session;
    const subjects: Subject[] = [];
    for (const name of names) {
      const audience = this.byTopic[topic].get(name);
      if (subscriber?.of(topic).delete(name) !== true || audience === undefined) continue;
      audience.sessions.delete(session);
      this.sweep(topic, name, audience);
      subjects.push({ topic, name });
    }
    if (subscriber?.empty === true) session.subscriber = null;
    if (subjects.length === 0) done();
    else this.registrar.tell(subjects, done);
  }

  /** RESET, and the end of a connection. */
  forget(session: Session): void {
    const { subscriber } = session;
    if (subscriber === null) return;
    for (const topic of TOPICS) this.unsubscribe(session, topic, [...subscriber.of(topic)], () => undefined);
  }

  onTold(message: Message): void {
    const [, , told, channel, content] = message as unknown as PublicationMessage;
    const topic = told === Topic.shardChannel ? Topic.shardChannel : Topic.channel;
    const name = channel.latin1Slice(0, channel.length);
    const audience = this.byTopic[topic].get(name);
    if (audience !== undefined && audience.sessions.size > 0)
      send(audience.sessions, [topic === Topic.channel ? 'message' : 'smessage', channel, content]);
    if (topic !== Topic.channel) return;
    for (const { bytes, sessions } of this.byTopic[Topic.pattern].values())
      if (sessions.size > 0 && globMatches(bytes, channel)) send(sessions, ['pmessage', bytes, channel, content]);
  }
}

/** Encoded once for each protocol, unless it is long: then what is long is not copied. */
function send(sessions: ReadonlySet<Session>, items: readonly Reply[]): void {
  const push = new PushReply(items);
  const texts: (string | undefined)[] = [];
  const content = items[items.length - 1] as Buffer;
  for (const session of sessions) {
    if (content.length > limits.joinedMessageBytes) session.push(push);
    else session.pushText((texts[session.resp] ??= encoded(push, session.resp)));
  }
}

function encoded(push: PushReply, resp: 2 | 3): string {
  const output = new Output();
  encodeReply(output, push, resp);
  const content = output.take();
  return typeof content === 'string' ? content : content.map((piece) => piece.toString('latin1')).join('');
}
