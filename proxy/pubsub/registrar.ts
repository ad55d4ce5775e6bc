/**
 * Tells the primaries what this proxy's clients listen to, and how many of them: a channel to the primary of its slot;
 * patterns, and channels of events about keys, to every partition's. What is said is absolute (so many clients listen
 * now), so that saying it twice, or late, harms nobody. With every new primary, and over every new connection, all of
 * it is said anew. All this goes through the router like any operation.
 */
import type { Environment } from '../../shared/environment.js';
import { limits } from '../../shared/limits.js';
import { concernsKeys, type Interest, listen, Topic } from '../../shared/operations/pubsub.js';
import type { RoutedConnection } from '../../shared/routing/request.js';
import type { Router } from '../../shared/routing/router.js';
import type { RoutedPartition, RoutedTable } from '../../shared/routing/routing-table.js';
import { slotOf } from '../../shared/slots.js';
import { Status } from '../../shared/wire/messages.js';

/** After a registration that found no primary within a request's deadline. */
const RETRY_MS = 100;
const NO_PARTITION = 'the partition of a channel is not known yet';

/** A channel, shard channel, pattern or prefix: its name in latin1. */
export interface Subject {
  readonly topic: Topic;
  readonly name: string;
}

/** Told once: null, or why it was not registered. */
export type Registered = (failure: string | null) => void;

/** Whose clients listen. */
export interface Source {
  /** How many clients listen, or are about to. */
  listenersTo(subject: Subject): number;
  /** Everything that somebody listens to. */
  subjects(): Iterable<Subject>;
}

export interface RegistrarHost {
  readonly environment: Environment;
  readonly router: Router;
  readonly table: RoutedTable;
}

export class Registrar {
  sources: readonly Source[] = [];
  private readonly host: RegistrarHost;
  private readonly connection: RoutedConnection;
  /** Partitions where everything is to be said anew, once more. */
  private readonly due = new Set<RoutedPartition>();
  private readonly underWay = new Set<RoutedPartition>();

  constructor(host: RegistrarHost) {
    this.host = host;
    this.connection = host.router.connect(() => undefined);
  }

  /** How many clients listen to these has changed: `done` once every primary concerned knows. */
  tell(subjects: readonly Subject[], done: Registered): void {
    const shares = new Map<RoutedPartition, Subject[]>();
    for (const subject of subjects) {
      const concerned = this.partitionsOf(subject);
      if (concerned.length === 0) return done(NO_PARTITION);
      for (const partition of concerned) {
        const share = shares.get(partition);
        if (share === undefined) shares.set(partition, [subject]);
        else share.push(subject);
      }
    }
    let left = 1;
    let failure: string | null = null;
    const one: Registered = (failed) => {
      failure ??= failed;
      left -= 1;
      if (left === 0) done(failure);
    };
    for (const [partition, share] of shares) {
      partition.listening = true;
      for (const part of chunks(share)) {
        left += 1;
        this.submit(partition, false, part, one);
      }
    }
    one(null);
  }

  /** Another primary, or another connection to it: what it knows of us is gone. */
  onIntroduced(partition: RoutedPartition): void {
    this.due.add(partition);
    this.register(partition);
  }

  /** There may be partitions that know nothing of us yet. */
  onView(): void {
    for (const partition of this.host.table.partitions) {
      if (partition.listening || this.share(partition).length === 0) continue;
      partition.listening = true;
      this.onIntroduced(partition);
    }
  }

  /** Even while nothing is registered: every partition's primary may have something to say. */
  keepConnected(): void {
    for (const partition of this.host.table.partitions) partition.listening = true;
  }

  private register(partition: RoutedPartition): void {
    if (this.underWay.has(partition) || !this.due.delete(partition) || partition.removed) return;
    const parts = chunks(this.share(partition));
    this.underWay.add(partition);
    let left = parts.length;
    parts.forEach((part, index) =>
      this.submit(partition, index === 0, part, (failure) => {
        if (failure !== null) this.due.add(partition);
        left -= 1;
        if (left > 0) return;
        this.underWay.delete(partition);
        if (failure === null) this.register(partition);
        else this.host.environment.after(RETRY_MS, () => this.register(partition));
      }),
    );
  }

  private submit(partition: RoutedPartition, anew: boolean, subjects: readonly Subject[], done: Registered): void {
    const interests = subjects.map(
      (subject): Interest => [subject.topic, Buffer.from(subject.name, 'latin1'), this.listenersTo(subject)],
    );
    this.host.router.submitTo(partition, this.connection, 0, listen(anew, interests), {
      onOutcome: (status, value) => done(status === Status.ok ? null : String(value)),
    });
  }

  private listenersTo(subject: Subject): number {
    return this.sources.reduce((sum, source) => sum + source.listenersTo(subject), 0);
  }

  private share(partition: RoutedPartition): Subject[] {
    const all = this.sources.flatMap((source) => [...source.subjects()]);
    return all.filter((subject) => this.partitionsOf(subject).includes(partition));
  }

  private partitionsOf({ topic, name }: Subject): readonly RoutedPartition[] {
    const { table } = this.host;
    if (topic === Topic.pattern || topic === Topic.prefix || concernsKeys(name))
      return table.complete ? table.partitions : [];
    const partition = table.bySlot[slotOf(Buffer.from(name, 'latin1'))] ?? null;
    return partition === null ? [] : [partition];
  }
}

/** At least one, which may be empty. */
function chunks(subjects: readonly Subject[]): Subject[][] {
  const parts: Subject[][] = [];
  for (let from = 0; from === 0 || from < subjects.length; from += limits.interestsPerMessage)
    parts.push(subjects.slice(from, from + limits.interestsPerMessage));
  return parts;
}
