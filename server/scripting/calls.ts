/**
 * The commands that a script calls: the same rows of the command table that proxies use, each an operation on the View
 * of the script's attempt. A command's error undoes that command and nothing else.
 */
import { check } from '../../shared/acl/check.js';
import type { User } from '../../shared/acl/user.js';
import { word } from '../../shared/commands/arguments.js';
import { acceptsArity, commandOf } from '../../shared/commands/command-line.js';
import { positionsOfKeys, wordsOf } from '../../shared/commands/key-positions.js';
import type { Command, TranslateContext } from '../../shared/commands/command.js';
import { ErrorReply, type Reply } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import type { Operation, OperationResult } from '../../shared/operations/operation.js';
import { elsewhere, NOT_HERE, type ScriptContext } from '../../shared/operations/scripts.js';
import { limits } from '../../shared/limits.js';
import { SLOTS, slotOf } from '../../shared/slots.js';
import type { View } from '../execution/view.js';
import { executors } from '../rows/index.js';
import { CallStatistics } from './call-statistics.js';
import { ownCommands } from './own-commands.js';
import { ScriptReport } from './script-report.js';

const UNKNOWN = 'ERR Unknown Redis command called from script';
const WRONG_NUMBER = 'ERR Wrong number of args calling Redis command from script';
const NOT_ALLOWED = 'ERR This Redis command is not allowed from script';
const READ_ONLY = 'ERR Write commands are not allowed from read-only scripts.';
const OTHER_SLOT = 'ERR Script attempted to access keys that do not hash to the same slot';
const WHOLE_IN_SEVERAL = 'ERR Script attempted to access the whole keyspace of a table with several partitions';

/** What one run of a script may do, and what it has changed of that. */
export interface Permissions {
  readonly mayWrite: boolean;
  /** All its keys are of one slot. */
  readonly oneSlot: boolean;
  /** Why nothing may grow, until it has written something. */
  readonly full: string | null;
  /** Its client's; null: it may do everything. */
  readonly user: User | null;
}

const FORBIDDEN: Readonly<Record<'command' | 'key' | 'channel', string>> = {
  command: "can't run this command or subcommand",
  key: "can't access at least one of the keys mentioned in the command arguments",
  channel: "can't publish to the channel mentioned in the command",
};

/** Nothing that the script does catches it. */
class Elsewhere extends ClientError {}

export class Calls {
  readonly view: View;
  /** It has called a command that writes. */
  wrote = false;
  readonly statistics = new CallStatistics();
  readonly report: ScriptReport;
  private readonly nowMs: () => number;
  private context: TranslateContext;
  private readonly permissions: Permissions;
  private readonly mayAll: boolean;
  private slot: number | null;
  /** Null: it may do everything. */
  private readonly user: User | null;

  constructor(
    view: View,
    given: ScriptContext,
    keys: readonly Buffer[],
    permissions: Permissions,
    nowMs: () => number,
  ) {
    this.view = view;
    this.nowMs = nowMs;
    this.permissions = permissions;
    this.mayAll = given.mayAll;
    this.report = new ScriptReport(given.reports);
    this.slot = keys.length > 0 ? slotOf(keys[0]!) : null;
    this.user = permissions.user;
    this.context = {
      resp: 2,
      db: view.db,
      databases: limits.databases,
      lfu: given.lfu,
      inScript: true,
      ...(given.hashLimits === null ? {} : { hashLimits: given.hashLimits }),
      ...(given.zsetLimits === null ? {} : { zsetLimits: given.zsetLimits }),
      ...(given.streamNodes === null ? {} : { streamNodes: given.streamNodes }),
      ...(given.sketchSparseBytes === null ? {} : { sketchSparseBytes: given.sketchSparseBytes }),
    };
  }

  get mayWrite(): boolean {
    return this.permissions.mayWrite;
  }

  get resp(): 2 | 3 {
    return this.context.resp;
  }

  setResp(resp: 2 | 3): void {
    this.context = { ...this.context, resp };
  }

  select(db: number): void {
    this.context = { ...this.context, db };
  }

  /** redis.acl_check_cmd: may its user do this? */
  mayCall(argv: readonly Buffer[]): boolean {
    return this.user === null || check(this.user, argv) === null;
  }

  /** An error is a reply, too. */
  call(argv: readonly Buffer[]): Reply {
    const command = commandOf(argv);
    let startedMs: number | null = null;
    try {
      if (command === null) throw new ClientError(UNKNOWN);
      const args = argv.slice(wordsOf(command));
      this.checkAllowed(command, argv, args);
      startedMs = this.nowMs();
      const reply = this.run(command, args);
      this.executed(command, argv, startedMs, reply instanceof ErrorReply ? reply.text : null);
      return reply;
    } catch (error) {
      if (!(error instanceof ClientError) || error instanceof Elsewhere) throw error;
      if (command === null || startedMs === null) this.statistics.rejected(command?.name ?? null, error.message);
      else this.executed(command, argv, startedMs, error.message);
      return new ErrorReply(error.message);
    }
  }

  private executed(command: Command, argv: readonly Buffer[], startedMs: number, error: string | null): void {
    this.statistics.executed(command.name, Math.round((this.nowMs() - startedMs) * 1000), error);
    this.report.executed(command, this.context.db, argv);
  }

  private checkAllowed(command: Command, argv: readonly Buffer[], args: readonly Buffer[]): void {
    if (!acceptsArity(command, argv.length)) throw new ClientError(WRONG_NUMBER);
    if (command.flags.includes('noscript') && !this.mayAll) throw new ClientError(NOT_ALLOWED);
    const denial = this.user === null ? null : check(this.user, argv);
    if (denial !== null) {
      this.report.denied(denial);
      throw new ClientError(`ERR The user executing the script ${FORBIDDEN[denial.reason]}`);
    }
    const writes = command.flags.includes('write');
    if (!this.permissions.mayWrite && (writes || command.flags.includes('may_replicate')))
      throw new ClientError(READ_ONLY);
    const { full } = this.permissions;
    if (full !== null && !this.wrote && command.flags.includes('denyoom')) throw new ClientError(full);
    if (writes) this.wrote = true;
    this.checkKeys(command, args);
  }

  private get everywhere(): boolean {
    const { slots } = this.view;
    return slots.from === 0 && slots.to === SLOTS - 1;
  }

  private checkKeys(command: Command, args: readonly Buffer[]): void {
    if (this.everywhere) return;
    const { slots } = this.view;
    for (const position of positionsOfKeys(command, args)) {
      const slot = slotOf(args[position]!);
      if (slot < slots.from || slot > slots.to) {
        // the first key of a script without keys says where it belongs; a transaction has its place
        if (this.slot === null && !this.view.isPart) throw new Elsewhere(elsewhere(slot));
        throw new ClientError(NOT_HERE);
      }
      this.slot ??= slot;
      if (this.permissions.oneSlot && slot !== this.slot) throw new ClientError(OTHER_SLOT);
    }
  }

  private run(command: Command, args: readonly Buffer[]): Reply {
    const { context } = this;
    switch (command.run) {
      case 'keyed':
        if (blocks(command, args))
          throw new ClientError(`ERR ${command.name} command is not allowed with BLOCK option from scripts`);
        return command.reply(this.execute(command.translate(args, context)), args, context);
      case 'whole':
        if (!this.everywhere) throw new ClientError(WHOLE_IN_SEVERAL);
        return command.merge([this.execute(command.translate(args, context))], args, context);
      case 'constant':
        return command.answer(args, context);
      case 'refused':
        return new ErrorReply(command.error);
      case 'session':
        return this.own(command, args);
      case 'container':
        throw new ClientError(WRONG_NUMBER);
    }
  }

  execute([code, ...args]: Operation): OperationResult {
    const executor = executors[code];
    if (executor === undefined) throw new ClientError(UNKNOWN);
    const view = this.view.inDatabase(this.context.db);
    const result = view.part(() => executor.execute(view, args));
    if (result instanceof ClientError) throw result;
    return result;
  }

  private own(command: Command, args: readonly Buffer[]): Reply {
    const run = ownCommands.get(command.name);
    if (run === undefined) throw new ClientError(NOT_ALLOWED);
    if (command.name === 'keys' || command.name === 'scan')
      if (!this.everywhere) throw new ClientError(WHOLE_IN_SEVERAL);
    return run(this, args);
  }
}

/** XREAD and XREADGROUP say so; others that wait do not wait here. */
function blocks(command: Command, args: readonly Buffer[]): boolean {
  if (command.name !== 'xread' && command.name !== 'xreadgroup') return false;
  const streams = args.findIndex((argument) => word(argument) === 'STREAMS');
  return args.slice(0, Math.max(0, streams)).some((argument) => word(argument) === 'BLOCK');
}
