/**
 * The native client: Tulpar's own data model, (hash key, sort key), over the same router and the same
 * operations that the proxy uses, without RESP between. Promises, as this is not the proxy's hot path.
 *
 *   const client = await connect({ meta: ['127.0.0.1:7001'] });
 *   const users = client.table('users');
 *   await users.set('user:1', 'name', 'Ada', { ttlSeconds: 3600 });
 *
 * Operations on one partition keep the order in which they were called. A failed one rejects with:
 * - OperatingError E_UNKNOWN: it may or may not have been executed;
 * - OperatingError E_NO_PRIMARY: it has certainly not been, and may be tried again;
 * - ClientError: it was refused, and its message says why, as Redis would word it (WRONGTYPE ...).
 */
import type { Environment, Timer } from '../environment.js';
import { ClientError, OperatingError } from '../errors.js';
import type { Operation, OperationResult } from '../operations/operation.js';
import type { RoutedConnection } from '../routing/request.js';
import type { Router } from '../routing/router.js';
import type { RoutedTable } from '../routing/routing-table.js';
import { Status } from '../wire/messages.js';
import { TulparTable } from './table.js';

/** What the client needs of a router. */
export type ClientRouter = Pick<Router, 'table' | 'connect' | 'release' | 'submit' | 'stop'>;

interface Pending {
  readonly table: RoutedTable;
  readonly slot: number;
  readonly operation: Operation;
  readonly resolve: (result: OperationResult) => void;
  readonly reject: (error: Error) => void;
}

/** Where rows live that only the native client sees; Redis's SELECT 0. */
const DATABASE = 0;
const DEFAULT_DEADLINE_MS = 10_000;

const CERTAIN = 'UNKNOWN ';

export class TulparClient {
  readonly #environment: Environment;
  readonly #router: ClientRouter;
  readonly #connection: RoutedConnection;
  readonly #deadlineMs: number;
  readonly #tables = new Map<string, TulparTable>();
  /** In order: waiting for the router to take more. */
  #congested: Pending[] = [];
  /** Waiting for meta to tell of their table. */
  #unrouted = new Map<Pending, Timer>();
  #closed = false;
  #release: () => Promise<void>;

  /** `release` closes what the router stands on, once. Use `connect` for a client on real sockets. */
  constructor(
    environment: Environment,
    router: ClientRouter,
    options: { deadlineMs?: number; release?: () => Promise<void> } = {},
  ) {
    this.#environment = environment;
    this.#router = router;
    this.#deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
    this.#release = options.release ?? (() => Promise.resolve());
    this.#connection = router.connect(() => this.#onDrain());
  }

  /** The table by name; whether there is one shows with the first operation. */
  table(name: string): TulparTable {
    let table = this.#tables.get(name);
    if (table === undefined) {
      const routed = this.#router.table(name);
      table = new TulparTable(name, (slot, operation) => this.#submit(routed, slot, operation));
      this.#tables.set(name, table);
    }
    return table;
  }

  /** To be called when the router has learned more about the cluster. */
  onView(): void {
    for (const [pending, timer] of this.#unrouted) {
      if ((pending.table.bySlot[pending.slot] ?? null) === null) continue;
      timer.cancel();
      this.#unrouted.delete(pending);
      this.#send(pending);
    }
  }

  /** What is under way is rejected. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const [pending, timer] of this.#unrouted) {
      timer.cancel();
      pending.reject(closed());
    }
    this.#unrouted.clear();
    for (const pending of this.#congested) pending.reject(closed());
    this.#congested = [];
    this.#router.release(this.#connection);
    this.#router.stop();
    await this.#release();
  }

  #submit(table: RoutedTable, slot: number, operation: Operation): Promise<OperationResult> {
    return new Promise((resolve, reject) => {
      const pending = { table, slot, operation, resolve, reject };
      if (this.#closed) reject(closed());
      else if ((table.bySlot[slot] ?? null) === null) this.#awaitTable(pending);
      else if (this.#connection.congested || this.#congested.length > 0) this.#congested.push(pending);
      else this.#send(pending);
    });
  }

  #awaitTable(pending: Pending): void {
    const timer = this.#environment.after(this.#deadlineMs, () => {
      this.#unrouted.delete(pending);
      const why = `table '${pending.table.name}' is not known to meta after ${this.#deadlineMs} ms`;
      pending.reject(new OperatingError('E_NO_PRIMARY', why, { retry: true }));
    });
    this.#unrouted.set(pending, timer);
  }

  #send({ table, slot, operation, resolve, reject }: Pending): void {
    this.#router.submit(table, slot, this.#connection, DATABASE, operation, {
      onOutcome: (status, value) => {
        if (status === Status.ok) resolve(value);
        else reject(failure(status, String(value)));
      },
    });
  }

  #onDrain(): void {
    const waiting = this.#congested;
    let sent = 0;
    while (sent < waiting.length && !this.#connection.congested) this.#send(waiting[sent++]!);
    // In front of whatever was submitted meanwhile.
    this.#congested = waiting.slice(sent);
  }
}

function failure(status: number, text: string): Error {
  switch (status) {
    case Status.clientError:
      return new ClientError(text);
    case Status.unknown:
      // the server may know that it was executed, and not how it ended
      return new OperatingError(
        'E_UNKNOWN',
        text.startsWith(CERTAIN)
          ? text.slice(CERTAIN.length)
          : `the operation may or may not have been executed: ${text}`,
      );
    default:
      return new OperatingError('E_NO_PRIMARY', `the operation was not executed: ${text}`, { retry: true });
  }
}

function closed(): OperatingError {
  return new OperatingError('E_CLOSED', 'the client is closed');
}
