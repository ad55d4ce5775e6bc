/**
 * What clients are told without asking: messages, that keys have changed, what others do. Joins what keeps track of it to
 * the router.
 */
import type { Environment } from '../shared/environment.js';
import { publish, Topic } from '../shared/operations/pubsub.js';
import type { RoutedConnection } from '../shared/routing/request.js';
import { slotOf } from '../shared/slots.js';
import { Kind, type InvalidationMessage, type Message, type PublicationMessage } from '../shared/wire/messages.js';
import type { Router } from '../shared/routing/router.js';
import type { RoutedPartition, RoutedTable } from '../shared/routing/routing-table.js';
import type { ClientRegistry } from './client-registry.js';
import { Monitors } from './monitors.js';
import { Registrar } from './pubsub/registrar.js';
import { Subscriptions } from './pubsub/subscriptions.js';
import type { Session } from './session.js';
import { Tracking } from './tracking/tracking.js';

export interface MessagingHost {
  readonly environment: Environment;
  readonly router: Router;
  readonly table: RoutedTable;
  readonly clients: ClientRegistry;
}

export class Messaging {
  readonly subscriptions: Subscriptions;
  readonly tracking: Tracking;
  readonly monitors = new Monitors();
  private readonly host: MessagingHost;
  private readonly registrar: Registrar;
  /** What scripts publish on channels of other partitions: in its order. */
  private readonly relays: RoutedConnection;

  constructor(host: MessagingHost) {
    this.host = host;
    this.relays = host.router.connect(() => undefined);
    this.registrar = new Registrar(host);
    this.subscriptions = new Subscriptions(this.registrar);
    this.tracking = new Tracking(host.clients, this.registrar);
    this.registrar.sources = [this.subscriptions, this.tracking];
  }

  /** From a partition's primary. */
  onTold(message: Message): void {
    if (message[0] !== Kind.publication) this.tracking.onInvalidation(message as unknown as InvalidationMessage);
    else if (message[2] === Topic.relayed) this.relay(message as unknown as PublicationMessage);
    else this.subscriptions.onTold(message);
  }

  /** At most once, like all messages: nobody waits for what becomes of it. */
  private relay([, , , channel, content]: PublicationMessage): void {
    const { router, table } = this.host;
    const completion = { onOutcome: () => undefined };
    router.submit(table, slotOf(channel), this.relays, 0, publish(Topic.channel, channel, content), completion);
  }

  /** A partition's primary, or the connection to it, is another one. */
  onIntroduced(partition: RoutedPartition): void {
    this.registrar.onIntroduced(partition);
    this.tracking.forgetAll();
  }

  onView(): void {
    this.registrar.onView();
    if (this.tracking.sessions.size > 0) this.registrar.keepConnected();
  }

  /** RESET, and the end of a connection. */
  forget(session: Session): void {
    this.subscriptions.forget(session);
    this.tracking.end(session);
    this.monitors.remove(session);
  }
}
