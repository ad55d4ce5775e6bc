/**
 * Places in a session's order of replies, held until the answer is there: of one operation, of one
 * operation on each of several partitions, or of a handler that answers later.
 */
import type { KeyedCommand, TranslateContext } from '../shared/commands/command.js';
import { ErrorReply, type Reply } from '../shared/commands/reply.js';
import { ClientError } from '../shared/errors.js';
import type { OperationResult } from '../shared/operations/operation.js';
import type { Completion } from '../shared/routing/request.js';
import { Status } from '../shared/wire/messages.js';
import type { CatalogueEntry } from './catalogue.js';
import type { Dispatcher } from './dispatch.js';
import { keysOf } from './keys.js';
import type { Output } from './resp/encoder.js';
import type { Session } from './session.js';

export abstract class Pending {
  next: Pending | null = null;
  done = false;
  /** The encoded reply, when it was there before those in front. */
  early: Output | null = null;
  /** Replies to requests after this one that were answered on the spot. */
  after: Output | null = null;
  readonly session: Session;
  readonly entry: CatalogueEntry;
  readonly args: readonly Buffer[];
  readonly context: TranslateContext;
  readonly silent: boolean;
  private readonly calledAs: string;
  startedAtMs: number;
  protected readonly dispatcher: Dispatcher;

  constructor(
    dispatcher: Dispatcher,
    session: Session,
    entry: CatalogueEntry,
    args: readonly Buffer[],
    startedAtMs: number,
  ) {
    this.dispatcher = dispatcher;
    this.session = session;
    this.entry = entry;
    this.args = args;
    this.context = session.context;
    this.silent = session.silent;
    this.calledAs = session.calledAs;
    this.startedAtMs = startedAtMs;
  }

  finish(reply: Reply): void {
    this.dispatcher.finished(this.session, this.entry, this.args, this.startedAtMs, reply, this.calledAs);
    this.session.complete(this, reply, this.context.resp, this.silent);
  }
}

/** What the client is told of an outcome that is not a result. */
export function outcomeError(status: number, value: OperationResult): ErrorReply {
  const text = String(value);
  if (status === Status.clientError) return new ErrorReply(text);
  if (status === Status.unknown)
    return new ErrorReply(
      text.startsWith('UNKNOWN ') ? text : `UNKNOWN ${text}; the command may or may not have been executed`,
    );
  return new ErrorReply(`ERR not executed: ${text}`);
}

/** A reply function may find that the result is an error after all. */
function replyOr(compute: () => Reply): Reply {
  try {
    return compute();
  } catch (error) {
    if (error instanceof ClientError) return new ErrorReply(error.message);
    throw error;
  }
}

export function outcomeReply(
  command: KeyedCommand,
  status: number,
  value: OperationResult,
  args: readonly Buffer[],
  context: TranslateContext,
): Reply {
  return status === Status.ok ? replyOr(() => command.reply(value, args, context)) : outcomeError(status, value);
}

export class PendingOperation extends Pending implements Completion {
  /** What it reads is tracked. */
  tracks = false;

  onBusy(): void {
    this.dispatcher.busy.add(this);
  }

  onOutcome(status: number, value: OperationResult): void {
    if (this.dispatcher.busy.size > 0) this.dispatcher.busy.delete(this);
    if (this.tracks) this.dispatcher.remember(this.session, keysOf(this.entry, this.args));
    if (this.entry.isScript) this.onScript(status, value);
    else this.answer(status, value);
  }

  private onScript(status: number, value: OperationResult): void {
    const { result, tell } = this.dispatcher.withoutReport(this.session, this.entry, value);
    this.answer(status, result);
    tell?.(false);
  }

  private answer(status: number, value: OperationResult): void {
    this.finish(outcomeReply(this.entry.command as KeyedCommand, status, value, this.args, this.context));
  }
}

export class PendingHandler extends Pending {}

/** One operation on each of several partitions; `merge` gets the results in the order of the parts. */
export class PendingParts extends Pending {
  private readonly results: OperationResult[];
  private readonly merge: (results: readonly OperationResult[]) => Reply;
  private left: number;
  private executed = 0;
  private failure: { status: number; value: OperationResult } | null = null;

  constructor(
    dispatcher: Dispatcher,
    session: Session,
    entry: CatalogueEntry,
    args: readonly Buffer[],
    startedAtMs: number,
    parts: number,
    merge: (results: readonly OperationResult[]) => Reply,
  ) {
    super(dispatcher, session, entry, args, startedAtMs);
    this.results = new Array<OperationResult>(parts).fill(null);
    this.left = parts;
    this.merge = merge;
  }

  /** `tracked`: keys of this part that are tracked; null: none is. */
  part(index: number, tracked: readonly Buffer[] | null): Completion {
    return {
      onOutcome: (status, value) => {
        if (tracked !== null) this.dispatcher.remember(this.session, tracked);
        this.onPart(index, status, value);
      },
    };
  }

  private onPart(index: number, status: number, value: OperationResult): void {
    this.left -= 1;
    if (status === Status.ok) {
      this.results[index] = value;
      this.executed += 1;
    } else if (this.failure === null || status > this.failure.status) {
      this.failure = { status, value };
    }
    if (this.left === 0) this.finish(this.answer());
  }

  private answer(): Reply {
    const { failure } = this;
    if (failure === null) return replyOr(() => this.merge(this.results));
    // Some partitions did it and others did not: neither a success nor "not executed" would be true.
    if (this.executed > 0 && this.entry.isWrite)
      return outcomeError(Status.unknown, `executed in part: ${String(failure.value)}`);
    return outcomeError(failure.status, failure.value);
  }
}

/** How the results of a union's parts become one: see KeyedCommand.union. `positions`: for each part, where its keys were. */
export function mergeUnion(
  union: 'sum' | 'ok' | 'positions',
  results: readonly OperationResult[],
  positions: readonly (readonly number[])[],
): OperationResult {
  if (union === 'sum') return results.reduce<number>((sum, result) => sum + Number(result), 0);
  if (union === 'ok') return results[0] ?? null;
  const merged: OperationResult[] = [];
  results.forEach((result, part) => {
    positions[part]?.forEach((position, index) => {
      merged[position] = (result as readonly OperationResult[])[index] ?? null;
    });
  });
  return merged;
}
