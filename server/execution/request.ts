/** An operation on its way through the executor. */
import type { OperationArgument } from '../../shared/operations/operation.js';
import { Manner } from '../../shared/wire/messages.js';
import type { Origin } from '../../shared/wire/network.js';
import type { Awaiting } from './awaiting.js';
import type { Executor as OperationExecutor } from '../rows/index.js';
import type { Fetched } from './fetching.js';
import type { HeadEntry } from './entry-map.js';
import type { Page } from './range.js';
import type { ConnectionState } from './sessions.js';
import type { Execute, View } from './view.js';

export class Request implements Fetched {
  /** Null: the server's own. */
  readonly from: Origin | null;
  readonly id: number;
  readonly sequence: number;
  readonly db: number;
  state: ConnectionState | null;
  readonly execute: Execute;
  args: readonly OperationArgument[];
  readonly write: boolean;
  readonly denyoom: boolean;
  /** How it waits until it finds something; null: it does not. */
  readonly awaits: Awaiting | null;
  /** Its sender is told of later writes to what it looks up. */
  readonly tracks: boolean;
  /** What it looks up does not count as accessed. */
  readonly leavesNoTrace: boolean;
  readonly done: (() => void) | null;
  pages: Map<string, Page> | null = null;
  entries: Map<string, HeadEntry> | null = null;
  /** The same at every attempt; 0 before the first. */
  nowMs = 0;
  seed = 0;
  fetches = 0;
  fetchedEntries = 0;
  fetchedBytes = 0;
  /** The head's handle of the first fetch: everything newer stays in the overlay until the request is done. */
  hold = 0;

  constructor(
    sender: { from: Origin; id: number; sequence: number; state: ConnectionState } | null,
    db: number,
    executor: OperationExecutor,
    args: readonly OperationArgument[],
    manner: number,
    done: (() => void) | null = null,
  ) {
    this.from = sender === null ? null : sender.from;
    this.id = sender === null ? 0 : sender.id;
    this.sequence = sender === null ? 0 : sender.sequence;
    this.state = sender === null ? null : sender.state;
    this.db = db;
    this.execute = executor.execute;
    this.args = args;
    this.write = executor.write;
    this.denyoom = executor.denyoom;
    this.awaits = (manner & Manner.waits) !== 0 ? (executor.awaits ?? null) : null;
    this.tracks = (manner & Manner.tracks) !== 0;
    this.leavesNoTrace = (manner & Manner.leavesNoTrace) !== 0;
    this.done = done;
  }

  static internal(db: number, execute: (view: View) => void, done: () => void): Request {
    const executor = {
      execute: (view: View): null => {
        execute(view);
        return null;
      },
      write: true,
      denyoom: false,
    };
    return new Request(null, db, executor, [], 0, done);
  }

  /** Its connection may have been forgotten since it came, as nothing was kept for it: now it is needed again. */
  presentState(): ConnectionState | null {
    const { state } = this;
    if (state?.dropped === true && !state.session.ended) this.state = state.session.connection(state.connection);
    return this.state;
  }

  /** Another execution, later. */
  renew(): void {
    this.pages = null;
    this.entries = null;
    this.nowMs = 0;
    this.fetches = 0;
    this.fetchedEntries = 0;
    this.fetchedBytes = 0;
    this.hold = 0;
  }
}
