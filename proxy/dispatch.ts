/**
 * From a request to what is done about it: look the command up, check what can be checked here, and send
 * its operation to the partition of its keys, to every partition, or to its handler.
 */
import { word } from '../shared/commands/arguments.js';
import { acceptsArity } from '../shared/commands/command-line.js';
import type { KeyedCommand, WholeCommand } from '../shared/commands/command.js';
import { BUSY_FUNCTION, BUSY_SCRIPT } from '../shared/commands/scripting.js';
import { ErrorReply, type Reply, SimpleString } from '../shared/commands/reply.js';
import { ClientError } from '../shared/errors.js';
import type { Operation, OperationResult } from '../shared/operations/operation.js';
import type { RoutedPartition } from '../shared/routing/routing-table.js';
import { slotOf } from '../shared/slots.js';
import { Manner } from '../shared/wire/messages.js';
import { type CatalogueEntry, namesIn } from './catalogue.js';
import { LATER, type Call, type ProxyContext } from './context.js';
import { CROSS_SLOT, keyPositions } from './keys.js';
import { whetherWrites } from './pausable.js';
import { refusal } from './permissions.js';
import { mergeUnion, type Pending, PendingHandler, PendingOperation, PendingParts } from './pending.js';
import { redacted } from './redaction.js';
import { PendingScript } from './roaming.js';
import { scriptContext, withoutReport } from './script-reports.js';
import type { Session } from './session.js';
import { PendingWait } from './waiting.js';
import type { Transaction } from './transaction.js';

const OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
const QUEUED = new SimpleString('QUEUED');
/** How much of a client's words an error message repeats. */
const ECHO_BYTES_MAX = 128;

export class Dispatcher {
  private readonly proxy: ProxyContext;
  /** Scripts that run for long. */
  readonly busy = new Set<Pending>();

  constructor(proxy: ProxyContext) {
    this.proxy = proxy;
  }

  /** `args` are without the command's name. */
  dispatch(session: Session, name: string, args: readonly Buffer[]): void {
    if (session.skipReplies > 0) session.skipReplies -= 1;
    session.calledAs = name;
    this.proxy.statistics.commands += 1;
    const found = this.proxy.catalogue.find(name);
    if (found === undefined) return this.reject(session, null, unknownCommand(name, args));
    let entry = found;
    let rest = args;
    if (found.subcommands !== null && args.length > 0) {
      const subcommand = found.subcommands.get(word(args[0]).toLowerCase());
      if (subcommand === undefined) return this.rejectSubcommand(session, found, args);
      entry = subcommand;
      rest = args.slice(1);
      if (entry.name === 'script|load') this.proxy.clients.pausable.loads(rest[0]);
    }
    if (!acceptsArity(entry.command, args.length + 1)) return this.reject(session, entry, wrongArity(entry.name));
    if (!session.identity.unrestricted && this.refuses(session, name, args, entry, rest)) return;
    if (session.subscriber !== null && session.resp === 2 && !entry.whileSubscribed)
      return this.reject(session, entry, onlyWhileSubscribed(entry.name));
    session.facts.lastCommand = entry.name;
    if (this.busy.size > 0) {
      const text = this.refusesBusy(session, entry);
      if (text !== null) return this.reject(session, entry, text);
    }
    if (session.transaction !== null && !entry.immediate) return this.queue(session, session.transaction, entry, rest);
    if (this.proxy.table.partitions.length === 0 && entry.needsTable) return this.afterMeta(session, entry, rest);
    if (this.proxy.clients.pauses(entry, rest, session)) return this.afterPause(session, entry, rest);
    this.execute(session, entry, rest);
    if (session.tracking !== null) session.tracking.afterCommand(entry, session.transaction !== null);
  }

  /** The client is about to be told what these keys hold. */
  remember(session: Session, keys: readonly Buffer[]): void {
    this.proxy.messaging.tracking.remember(session, keys);
  }

  withoutReport(session: Session, entry: CatalogueEntry, result: OperationResult): ReturnType<typeof withoutReport> {
    return withoutReport(this.proxy, session, entry, result);
  }

  /** True when this is not the place to go on: the user may not do it, or nobody knows yet who there is. */
  private refuses(
    session: Session,
    name: string,
    args: readonly Buffer[],
    entry: CatalogueEntry,
    rest: readonly Buffer[],
  ): boolean {
    const { users } = this.proxy;
    if (!users.known && !session.identity.waitedForUsers) {
      session.identity.waitedForUsers = true;
      session.hold();
      users.whenKnown(() => {
        if (session.closed) return;
        this.dispatch(session, name, args);
        session.release();
      });
      return true;
    }
    const text = refusal(this.proxy, session, entry, rest);
    if (text !== null) this.reject(session, entry, text);
    return text !== null;
  }

  /** What needs no server is refused, too, while a script keeps all of a table busy, as Redis does. */
  private refusesBusy(session: Session, entry: CatalogueEntry): string | null {
    if (this.proxy.table.partitions.length > 1 || entry.command.flags.includes('allow_busy')) return null;
    let text: string | null = null;
    for (const pending of this.busy) {
      // what comes behind it waits for its reply
      if (pending.session === session) return null;
      text = pending.entry.name.startsWith('fcall') ? BUSY_FUNCTION : BUSY_SCRIPT;
    }
    return text;
  }

  /** Meta has not told of the table yet (it restarts, as this proxy did): as long as a request may wait, this one does. */
  private afterMeta(session: Session, entry: CatalogueEntry, args: readonly Buffer[]): void {
    session.hold();
    this.proxy.router.whenKnown(this.proxy.table, () => {
      if (session.closed) return;
      this.execute(session, entry, args);
      session.release();
    });
  }

  /** CLIENT PAUSE: the session takes no more requests either, so its order is kept. */
  private afterPause(session: Session, entry: CatalogueEntry, args: readonly Buffer[]): void {
    const { clients } = this.proxy;
    session.hold();
    const goOn = (): void => {
      if (session.closed) return;
      this.execute(session, entry, args);
      session.release();
    };
    const [name] = args;
    if (entry.name !== 'fcall' || name === undefined || clients.pausingAll) return clients.whenUnpaused(goOn);
    whetherWrites(this.proxy, session, name, (writes) => {
      if (writes && clients.pausing) clients.whenUnpaused(goOn);
      else goOn();
    });
  }

  /** Within MULTI. */
  private queue(session: Session, transaction: Transaction, entry: CatalogueEntry, args: readonly Buffer[]): void {
    if (entry.command.flags.includes('no_multi'))
      return this.reject(session, entry, 'ERR Command not allowed inside a transaction');
    const { table } = this.proxy;
    if (table.partitions.length > 1 && table.facts?.multiKey !== 'any') {
      const [first, ...others] = keyPositions(entry, args).map((position) => slotOf(args[position] as Buffer));
      if (others.some((slot) => slot !== first)) return this.reject(session, entry, CROSS_SLOT);
    }
    const { configuration, clock } = this.proxy;
    if (configuration.outOfMemoryUntilMs > clock.nowMs && entry.command.flags.includes('denyoom'))
      return this.reject(session, entry, OUT_OF_MEMORY);
    transaction.add(entry, args, session.requestBytes);
    session.replyNow(QUEUED);
  }

  private execute(session: Session, entry: CatalogueEntry, args: readonly Buffer[]): void {
    const { command } = entry;
    try {
      if (command.run === 'keyed') this.keyed(session, entry, command, args);
      else if (command.run === 'session') this.handle(session, entry, args);
      else if (command.run === 'whole') this.whole(session, entry, command, args);
      else if (command.run === 'constant') this.answerNow(session, entry, args, command.answer(args, session.context));
      else if (command.run === 'refused') this.answerNow(session, entry, args, new ErrorReply(command.error));
      else this.reject(session, entry, wrongArity(entry.name));
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.answerNow(session, entry, args, new ErrorReply(error.message));
    }
  }

  private keyed(session: Session, entry: CatalogueEntry, command: KeyedCommand, args: readonly Buffer[]): void {
    const { router, table, clock } = this.proxy;
    const only = table.partitions[0];
    const tracks = session.tracking !== null && (entry.isRead || entry.isScript) && session.tracking.remembers;
    const context = entry.isScript ? scriptContext(this.proxy, session, session.context) : session.context;
    const manner = (tracks ? Manner.tracks : 0) | (session.facts.noTouch ? traceless(entry) : 0);
    if (command.waitMs !== undefined) {
      const operation = command.translate(args, session.context);
      const waitMs = command.waitMs(args);
      if (waitMs !== null) return this.waiting(session, entry, args, operation, waitMs, manner);
    }
    if (only !== undefined && (table.partitions.length === 1 || table.facts?.multiKey === 'any')) {
      const operation = command.translate(args, context);
      const pending = new PendingOperation(this, session, entry, args, clock.nowMs);
      pending.tracks = tracks && entry.isRead;
      session.enqueue(pending);
      router.submitTo(only, session.routed, session.context.db, operation, pending, manner);
      return;
    }
    const keys = keyPositions(entry, args).map((position) => args[position] as Buffer);
    const slots = keys.map((key) => slotOf(key));
    const slot = slots[0] ?? 0;
    if (slots.some((other) => other !== slot)) {
      if (command.union === undefined) throw new ClientError(CROSS_SLOT);
      return this.union(session, entry, command, command.union, args, slots, manner);
    }
    const operation = command.translate(args, context);
    const { db } = session.context;
    if (entry.isScript && keys.length === 0) {
      const script = new PendingScript(this, session, entry, args, clock.nowMs);
      script.tracks = tracks && entry.isRead;
      session.enqueue(script);
      script.start((where) => router.submit(table, where, session.routed, db, operation, script, manner));
      return;
    }
    const pending = new PendingOperation(this, session, entry, args, clock.nowMs);
    pending.tracks = tracks && entry.isRead;
    session.enqueue(pending);
    router.submit(table, slot, session.routed, db, operation, pending, manner);
  }

  /** Until it is answered the session takes no more requests. */
  private waiting(
    session: Session,
    entry: CatalogueEntry,
    args: readonly Buffer[],
    operation: Operation,
    waitMs: number,
    manner: number,
  ): void {
    const { router, table } = this.proxy;
    const [slot = 0, ...others] = keyPositions(entry, args).map((position) => slotOf(args[position] as Buffer));
    const anywhere = table.partitions.length === 1 || table.facts?.multiKey === 'any';
    if (!anywhere && others.some((other) => other !== slot)) throw new ClientError(CROSS_SLOT);
    const partition = anywhere ? table.partitions[0] : table.bySlot[slot];
    if (partition === undefined || partition === null)
      throw new ClientError('ERR not executed: the partition is not known yet');
    const pending = new PendingWait(this, session, entry, args, this.proxy);
    session.enqueue(pending);
    const { db } = session.context;
    const request = router.submitTo(partition, session.routed, db, operation, pending, manner | Manner.waits);
    pending.start(request, waitMs);
  }

  /** Keys in several slots: one operation a partition, each on that partition's share of the arguments. */
  private union(
    session: Session,
    entry: CatalogueEntry,
    command: KeyedCommand,
    kind: 'sum' | 'ok' | 'positions',
    args: readonly Buffer[],
    slots: readonly number[],
    manner: number,
  ): void {
    const step = command.keys?.step ?? 1;
    // What is wrong with the arguments as a whole is told before anything is sent.
    command.translate(args, session.context);
    const shares = new Map<RoutedPartition, { args: Buffer[]; positions: number[] }>();
    slots.forEach((slot, position) => {
      const partition = this.proxy.table.bySlot[slot] ?? null;
      if (partition === null) throw new ClientError(`ERR not executed: slot ${slot} has no partition yet`);
      let share = shares.get(partition);
      if (share === undefined) shares.set(partition, (share = { args: [], positions: [] }));
      share.args.push(...args.slice(position * step, position * step + step));
      share.positions.push(position);
    });
    const { context } = session;
    const parts = [...shares.values()];
    const operations = parts.map((share) => command.translate(share.args, context));
    const positions = parts.map((share) => share.positions);
    const tracks = (manner & Manner.tracks) !== 0;
    const tracked = tracks ? parts.map((share) => share.args.filter((_, index) => index % step === 0)) : null;
    this.fanOut(
      session,
      entry,
      args,
      [...shares.keys()],
      operations,
      (results) => command.reply(mergeUnion(kind, results, positions), args, context),
      manner,
      tracked,
    );
  }

  private whole(session: Session, entry: CatalogueEntry, command: WholeCommand, args: readonly Buffer[]): void {
    const { partitions } = this.proxy.table;
    if (!this.proxy.table.complete)
      throw new ClientError('ERR not executed: not all partitions of the table are known yet');
    const { context } = session;
    const operation = command.translate(args, context);
    this.fanOut(
      session,
      entry,
      args,
      partitions,
      partitions.map(() => operation),
      (results) => command.merge(results, args, context),
    );
  }

  private fanOut(
    session: Session,
    entry: CatalogueEntry,
    args: readonly Buffer[],
    partitions: readonly RoutedPartition[],
    operations: readonly Operation[],
    merge: (results: readonly OperationResult[]) => Reply,
    manner = 0,
    tracked: readonly (readonly Buffer[])[] | null = null,
  ): void {
    const pending = new PendingParts(this, session, entry, args, this.proxy.clock.nowMs, partitions.length, merge);
    session.enqueue(pending);
    partitions.forEach((partition, index) => {
      this.proxy.router.submitTo(
        partition,
        session.routed,
        session.context.db,
        operations[index] as Operation,
        pending.part(index, tracked?.[index] ?? null),
        manner,
      );
    });
  }

  private handle(session: Session, entry: CatalogueEntry, args: readonly Buffer[]): void {
    if (entry.handler === null) return;
    const started = this.proxy.clock.nowMs;
    const call: Call = {
      proxy: this.proxy,
      session,
      entry,
      args,
      nested: false,
      finished: (inner, words, startedAtMs, reply) => this.finished(session, inner, words, startedAtMs, reply),
      later: () => {
        const place = new PendingHandler(this, session, entry, args, started);
        session.enqueue(place);
        return (reply) => place.finish(reply);
      },
    };
    const reply = entry.handler(call);
    if (reply === LATER) return;
    this.finished(session, entry, args, started, reply, session.calledAs);
    session.replyNow(reply);
  }

  private answerNow(session: Session, entry: CatalogueEntry, args: readonly Buffer[], reply: Reply): void {
    this.finished(session, entry, args, this.proxy.clock.nowMs, reply, session.calledAs);
    session.replyNow(reply);
  }

  private reject(session: Session, entry: CatalogueEntry | null, text: string): void {
    if (entry !== null) entry.statistics.rejected += 1;
    let told = text;
    if (session.transaction !== null) {
      session.transaction.failed = true;
      if (entry?.name === 'exec') {
        session.forgetTransaction();
        told = `EXECABORT Transaction discarded because of: ${text}`;
      }
    }
    this.proxy.statistics.error(told);
    session.replyNow(new ErrorReply(told));
  }

  private rejectSubcommand(session: Session, container: CatalogueEntry, args: readonly Buffer[]): void {
    const subcommand = args[0]?.toString('utf8', 0, ECHO_BYTES_MAX) ?? '';
    this.reject(
      session,
      null,
      `ERR unknown subcommand '${printable(subcommand)}'. Try ${container.name.toUpperCase()} HELP.`,
    );
  }

  /** Every executed command passes here once, with its reply: statistics, slow log, latency. `calledAs`: its name as it came. */
  finished(
    session: Session,
    entry: CatalogueEntry,
    args: readonly Buffer[],
    startedAtMs: number,
    reply: Reply,
    calledAs = entry.name,
  ): void {
    const { clock, statistics, configuration } = this.proxy;
    const ms = clock.nowMs - startedAtMs;
    const failed = reply instanceof ErrorReply;
    const { monitors } = this.proxy.messaging;
    if (monitors.any) monitors.show(session, entry, args, this.proxy.environment.wallMs(), calledAs);
    if (failed) statistics.error(reply.text);
    entry.statistics.executed(Math.round(ms * 1000), failed);
    const { slowerThanUsec, latencyThresholdMs } = configuration.settings;
    if (slowerThanUsec >= 0 && ms * 1000 >= slowerThanUsec && !entry.command.flags.includes('skip_slowlog'))
      this.slow(session, entry, args, ms, calledAs);
    if (latencyThresholdMs > 0 && ms >= latencyThresholdMs) {
      this.proxy.latency.add('command', ms, this.proxy.environment.wallMs());
    }
  }

  private slow(session: Session, entry: CatalogueEntry, args: readonly Buffer[], ms: number, calledAs: string): void {
    this.proxy.slowlog.add(
      [...namesIn(entry, calledAs), ...redacted(entry.name, args)],
      ms * 1000,
      this.proxy.environment.wallMs(),
      session.address,
      session.facts.name,
      this.proxy.configuration.settings.slowlogMaxLen,
    );
  }
}

/** TOUCH is what it says, whatever CLIENT NO-TOUCH said. */
function traceless({ name }: CatalogueEntry): number {
  return name === 'touch' ? 0 : Manner.leavesNoTrace;
}

function wrongArity(name: string): string {
  return `ERR wrong number of arguments for '${name}' command`;
}

function onlyWhileSubscribed(name: string): string {
  return `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`;
}

/** Redis echoes the name and as many arguments as fit 128 characters. */
function unknownCommand(name: string, args: readonly Buffer[]): string {
  let echoed = '';
  for (const arg of args) {
    if (echoed.length >= ECHO_BYTES_MAX) break;
    echoed += `'${arg.toString('utf8', 0, ECHO_BYTES_MAX - echoed.length)}' `;
  }
  const text = Buffer.from(name.slice(0, ECHO_BYTES_MAX), 'latin1').toString();
  return `ERR unknown command '${printable(text)}', with args beginning with: ${printable(echoed)}`;
}

/** Up to the first NUL, where a C string ends. */
function printable(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
