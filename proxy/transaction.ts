/**
 * What a connection has queued since MULTI, and its execution: the operations on keys go to their partition as one
 * (shared/operations/transactions.ts); when it has answered, what concerns this proxy or the connection runs here, in
 * the order queued.
 */
import type { TranslateContext } from '../shared/commands/command.js';
import { ErrorReply, NullArrayReply, type Reply } from '../shared/commands/reply.js';
import { ClientError } from '../shared/errors.js';
import { isReadOnly } from '../shared/operations/codes.js';
import type { OperationResult } from '../shared/operations/operation.js';
import {
  transaction,
  type TransactionKind,
  type TransactionPart,
  type Watched,
} from '../shared/operations/transactions.js';
import { walk } from '../shared/operations/walks.js';
import type { RoutedPartition } from '../shared/routing/routing-table.js';
import { slotOf } from '../shared/slots.js';
import { Manner, Status } from '../shared/wire/messages.js';
import type { CatalogueEntry } from './catalogue.js';
import { cInt } from './commands/arguments.js';
import { type Call, DATABASES, LATER } from './context.js';
import { CROSS_SLOT, keysOf } from './keys.js';
import { outcomeError } from './pending.js';
import { refusalAtExec } from './permissions.js';
import { scriptContext, withoutReport } from './script-reports.js';
import { TrackedInOrder } from './tracking/tracked-in-order.js';

const WHOLE_IN_SEVERAL =
  'ERR commands on the whole keyspace cannot be part of a transaction in a table with several partitions';

interface Queued {
  readonly entry: CatalogueEntry;
  readonly args: readonly Buffer[];
}

export class Transaction {
  readonly queued: Queued[] = [];
  /** Something could not be queued: EXEC will refuse. */
  failed = false;
  /** Of the requests queued, for client-query-buffer-limit. */
  bytes = 0;

  add(entry: CatalogueEntry, args: readonly Buffer[], bytes: number): void {
    // the parser's buffer must not be kept alive, nor be written over
    this.queued.push({ entry, args: args.map((arg) => Buffer.from(arg)) });
    this.bytes += bytes;
  }
}

/** How one queued command gets its reply, once the partition has answered. */
type Step = (results: readonly OperationResult[], done: (reply: Reply) => void) => void;

export class Execution {
  private readonly call: Call;
  private readonly watched: readonly Watched[];
  private readonly steps: Step[] = [];
  private readonly parts: TransactionPart[] = [];
  private readonly slots = new Set<number>();
  private kind: TransactionKind = 'reads';
  /** Keys that are read and to be tracked, and those of them that are written behind it; null: nothing is tracked. */
  private readonly tracked: TrackedInOrder | null;
  private handlers = 0;
  private hasScripts = false;
  /** The last step that may write. */
  private lastWrite = -1;
  private context: TranslateContext;

  constructor(call: Call, queued: readonly Queued[], watched: readonly Watched[]) {
    this.call = call;
    this.watched = watched;
    this.context = call.session.context;
    this.tracked = call.session.tracking?.remembers === true ? new TrackedInOrder() : null;
    for (const { key } of watched) this.slots.add(slotOf(key));
    for (const { entry, args } of queued) this.steps.push(this.plan(entry, args));
  }

  run(): typeof LATER {
    const { call } = this;
    const { proxy, session } = call;
    const partition = this.partition();
    const finish = call.later();
    // What is queued for the connection itself counts for the commands that follow.
    if (this.handlers > 0) session.hold();
    const end = (reply: Reply): void => {
      finish(reply);
      if (this.handlers > 0) session.release();
    };
    if (this.parts.length === 0 && this.watched.length === 0) this.replies([], end);
    else if (partition === undefined) end(new ErrorReply('ERR not executed: the partition is not known yet'));
    else {
      const operation = transaction(this.kind, this.watched, this.parts);
      const { tracked } = this;
      const { tracking } = proxy.messaging;
      const onOutcome = (status: number, value: OperationResult): void => {
        if (status === Status.clientError)
          return end(new ErrorReply(`EXECABORT Transaction discarded because of: ${String(value)}`));
        if (status !== Status.ok) return end(outcomeError(status, value));
        if (value === null) return end(new NullArrayReply());
        if (tracked !== null) tracking.remember(session, tracked.read);
        this.replies(value as readonly OperationResult[], end);
        if (tracked !== null) tracking.wroteItself(session, tracked.written);
      };
      const tracks = tracked !== null && (tracked.read.length > 0 || this.hasScripts);
      const manner = (tracks ? Manner.tracks : 0) | (session.facts.noTouch ? Manner.leavesNoTrace : 0);
      const { db } = session.context;
      proxy.router.submitTo(partition, session.routed, db, operation, { onOutcome }, manner);
    }
    return LATER;
  }

  private partition(): RoutedPartition | undefined {
    const { table } = this.call.proxy;
    if (table.partitions.length === 1 || table.facts?.multiKey === 'any') return table.partitions[0];
    if (this.slots.size > 1) throw new ClientError(CROSS_SLOT);
    const [slot = 0] = this.slots;
    return table.bySlot[slot] ?? undefined;
  }

  private plan(entry: CatalogueEntry, args: readonly Buffer[]): Step {
    const { command } = entry;
    const { context } = this;
    const refused = refusalAtExec(this.call.proxy, this.call.session, entry, args);
    if (refused !== null) return this.constant(entry, args, refused);
    try {
      if (command.run === 'keyed') {
        const keys = keysOf(entry, args);
        for (const key of keys) this.slots.add(slotOf(key));
        this.tracked?.add(entry, keys);
        if (entry.isScript) this.hasScripts = true;
        const { proxy, session } = this.call;
        const operation = command.translate(args, entry.isScript ? scriptContext(proxy, session, context) : context);
        return this.part(entry, args, operation, (result) => command.reply(result, args, context));
      }
      if (command.run === 'whole') {
        if (this.call.proxy.table.partitions.length > 1) throw new ClientError(WHOLE_IN_SEVERAL);
        const operation = command.translate(args, context);
        return this.part(entry, args, operation, (result) => command.merge([result], args, context));
      }
      const { name } = entry;
      if ((name === 'keys' || name === 'scan') && this.call.proxy.table.partitions.length === 1)
        return this.part(entry, args, walk(name, args), (result) => result as Reply);
      if (command.run === 'session') return this.handler(entry, args);
      if (command.run === 'constant') return this.constant(entry, args, command.answer(args, context));
      if (command.run === 'refused') return this.constant(entry, args, new ErrorReply(command.error));
      throw new ClientError(`ERR wrong number of arguments for '${entry.name}' command`);
    } catch (error) {
      if (error instanceof ClientError) return this.constant(entry, args, new ErrorReply(error.message));
      throw error;
    }
  }

  private part(
    entry: CatalogueEntry,
    args: readonly Buffer[],
    operation: TransactionPart['operation'],
    reply: (result: OperationResult) => Reply,
  ): Step {
    const index = this.parts.push({ db: this.context.db, operation }) - 1;
    if (!entry.isRead) this.lastWrite = index;
    if (entry.command.flags.includes('denyoom')) this.kind = 'grows';
    else if (!isReadOnly(operation[0]) && this.kind === 'reads') this.kind = 'writes';
    return (results, done) => {
      const [executed, value] = results[index] as readonly [boolean, OperationResult];
      const { proxy, session } = this.call;
      const { result, tell } = withoutReport(proxy, session, entry, value);
      this.finish(entry, args, done, () => (executed ? reply(result) : new ErrorReply(String(value))));
      tell?.(index < this.lastWrite);
    };
  }

  private constant(entry: CatalogueEntry, args: readonly Buffer[], reply: Reply): Step {
    return (_results, done) => this.finish(entry, args, done, () => reply);
  }

  private handler(entry: CatalogueEntry, args: readonly Buffer[]): Step {
    this.handlers++;
    if (entry.name === 'select') {
      const db = cInt(args[0]);
      if (db >= 0 && db < DATABASES) this.context = { ...this.context, db };
    }
    return (_results, done) => {
      const { call } = this;
      const startedAtMs = call.proxy.clock.nowMs;
      const answer = (reply: Reply): void => {
        call.finished(entry, args, startedAtMs, reply);
        done(reply);
      };
      try {
        const reply = entry.handler?.({ ...call, entry, args, nested: true, later: () => answer });
        if (reply !== LATER) answer(reply ?? null);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        answer(new ErrorReply(error.message));
      }
    };
  }

  private finish(
    entry: CatalogueEntry,
    args: readonly Buffer[],
    done: (reply: Reply) => void,
    compute: () => Reply,
  ): void {
    let reply: Reply;
    try {
      reply = compute();
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      reply = new ErrorReply(error.message);
    }
    this.call.finished(entry, args, this.call.proxy.clock.nowMs, reply);
    done(reply);
  }

  /** One step after the other; most answer at once. */
  private replies(results: readonly OperationResult[], end: (reply: Reply) => void): void {
    const replies: Reply[] = [];
    let at = 0;
    let looping = false;
    const next = (): void => {
      if (looping) return;
      looping = true;
      while (at === replies.length && at < this.steps.length) {
        const step = this.steps[at++] as Step;
        step(results, (reply) => {
          replies.push(reply);
          next();
        });
      }
      looping = false;
      if (replies.length === this.steps.length) end(replies);
    };
    next();
  }
}
