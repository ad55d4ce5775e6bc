/**
 * The command table, arranged for dispatch: one entry a command with all that is asked of it for every
 * call worked out beforehand. A session command without a handler fails here, at start.
 */
import type { Command } from '../shared/commands/command.js';
import { invariant } from '../shared/errors.js';
import type { SessionHandler } from './context.js';
import { CommandStatistics } from './statistics.js';

const IMMEDIATE: ReadonlySet<string> = new Set(['multi', 'exec', 'discard', 'watch', 'quit', 'reset']);

const SCRIPTS: ReadonlySet<string> = new Set('eval eval_ro evalsha evalsha_ro fcall fcall_ro'.split(' '));

const WHILE_SUBSCRIBED: ReadonlySet<string> = new Set(
  'subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe ping quit reset'.split(' '),
);

export class CatalogueEntry {
  readonly command: Command;
  /** `get`, or `client|list` for a subcommand. */
  readonly name: string;
  readonly container: CatalogueEntry | null;
  readonly subcommands: ReadonlyMap<string, CatalogueEntry> | null;
  readonly handler: SessionHandler | null;
  readonly isWrite: boolean;
  readonly isRead: boolean;
  /** Runs a script or a function. */
  readonly isScript: boolean;
  readonly needsAuthentication: boolean;
  /** Waits for meta to tell of the table; what Redis answers while it loads does not, but for transactions. */
  readonly needsTable: boolean;
  /** Not queued within MULTI. */
  readonly immediate: boolean;
  /** What a RESP2 connection may do that listens to channels. */
  readonly whileSubscribed: boolean;
  readonly statistics = new CommandStatistics();

  constructor(command: Command, container: CatalogueEntry | null, handlers: Handlers) {
    this.command = command;
    this.name = command.name;
    this.container = container;
    this.handler = handlers.get(this.name) ?? null;
    this.isWrite = command.flags.includes('write');
    this.isRead = command.flags.includes('readonly');
    this.isScript = SCRIPTS.has(this.name);
    this.needsTable = !command.flags.includes('loading') || this.name === 'exec' || this.name === 'watch';
    this.immediate = IMMEDIATE.has(this.name);
    this.whileSubscribed = WHILE_SUBSCRIBED.has(this.name);
    this.needsAuthentication = !command.flags.includes('no_auth');
    invariant(command.run !== 'session' || this.handler !== null, `command '${this.name}' has a handler`);
    this.subcommands =
      command.subcommands === undefined
        ? null
        : new Map(
            command.subcommands.map((row) => [
              row.name.slice(row.name.indexOf('|') + 1),
              new CatalogueEntry(row, this, handlers),
            ]),
          );
  }
}

/** The words that name a command in a request; `calledAs`: the first of them as it came, in latin1. */
export function namesIn({ name }: CatalogueEntry, calledAs: string): Buffer[] {
  const [first = '', ...subcommand] = name.split('|');
  return [calledAs === name ? first : calledAs, ...subcommand].map((text) => Buffer.from(text, 'latin1'));
}

export type Handlers = ReadonlyMap<string, SessionHandler>;

export class Catalogue {
  /** By name, in lower and in upper case: what clients send. */
  private readonly byName = new Map<string, CatalogueEntry>();
  /** In the order of the table, without subcommands. */
  readonly entries: readonly CatalogueEntry[];

  constructor(commands: readonly Command[], handlers: Handlers) {
    this.entries = commands.map((command) => new CatalogueEntry(command, null, handlers));
    for (const entry of this.entries) {
      invariant(!this.byName.has(entry.name), `command '${entry.name}' is declared once`);
      this.byName.set(entry.name, entry);
      this.byName.set(entry.name.toUpperCase(), entry);
    }
  }

  find(name: string): CatalogueEntry | undefined {
    return this.byName.get(name) ?? this.byName.get(name.toLowerCase());
  }

  /** `get`, or `client|list`; in any case. */
  findFull(fullName: string): CatalogueEntry | undefined {
    const [name = '', subcommand, ...more] = fullName.toLowerCase().split('|');
    if (more.length > 0) return undefined;
    const entry = this.byName.get(name);
    return subcommand === undefined ? entry : entry?.subcommands?.get(subcommand);
  }

  /** Every entry, subcommands after their container. */
  *all(): Iterable<CatalogueEntry> {
    for (const entry of this.entries) {
      yield entry;
      if (entry.subcommands !== null) yield* entry.subcommands.values();
    }
  }
}
