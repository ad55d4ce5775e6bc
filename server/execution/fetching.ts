/**
 * Reading what an operation needs and memory lacks, off the event loop. While it is read the operation waits, and
 * what is written meanwhile stays in the head's overlay; then the operation is begun again with what came.
 */
import { limits } from '../../shared/limits.js';
import { Code } from '../../shared/operations/codes.js';
import type { OperationArgument } from '../../shared/operations/operation.js';
import { executors } from '../rows/index.js';
import { toBuffer } from '../storage/keys.js';
import type { Store } from '../storage/store.js';
import type { Attempt } from './attempt.js';
import type { Head, HeadEntry } from './head.js';
import type { Page, PageRequest } from './range.js';
import type { Execute } from './view.js';

/** What a request has had fetched for it. */
export interface Fetched {
  pages: Map<string, Page> | null;
  entries: Map<string, HeadEntry> | null;
  /** Of pages. */
  fetches: number;
  /** The head's handle of the first fetch: everything newer stays in the overlay until the request is done. */
  hold: number;
}

interface Fetches extends Fetched {
  readonly db: number;
  readonly execute: Execute;
  readonly args: readonly OperationArgument[];
}

/** Operations whose arguments are all keys of rows. */
const ON_ROWS: ReadonlySet<Execute | undefined> = new Set(
  [Code.multiGet, Code.remove, Code.exists, Code.touch].map((code) => executors[code]?.execute),
);

export class Fetching<Request extends Fetches> {
  private readonly host: { readonly store: Store; fail(error: Error): void };
  private readonly head: Head;
  private readonly attempt: Attempt;
  /** Not called any more once the executor has stopped. */
  private readonly resume: (request: Request) => void;
  private stopped = false;

  constructor(
    host: { readonly store: Store; fail(error: Error): void },
    head: Head,
    attempt: Attempt,
    resume: (request: Request) => void,
  ) {
    this.host = host;
    this.head = head;
    this.attempt = attempt;
    this.resume = resume;
  }

  stop(): void {
    this.stopped = true;
  }

  /** False: it has had too many already. */
  page(request: Request, page: PageRequest): boolean {
    request.fetches++;
    if (request.fetches > limits.fetchAttempts) return false;
    this.begin(request);
    const range = {
      gte: toBuffer(page.gte),
      lt: toBuffer(page.lt),
      reverse: page.reverse,
      limit: page.limit,
      limitBytes: limits.fetchRangeBytes * 64,
    };
    this.host.store.range(range, (error, entries) => {
      if (this.stopped) return;
      if (error !== null || entries === undefined) {
        this.host.fail(error ?? new Error('a range without entries'));
        return;
      }
      request.pages ??= new Map();
      request.pages.set(page.id, {
        entries,
        exhausted: entries.length < page.limit && bytesOf(entries) < range.limitBytes,
      });
      this.resume(request);
    });
    return true;
  }

  /** The entries that were missing; the first time for an operation on many rows, all of those at once. */
  entry(request: Request, missing: readonly string[]): void {
    const rows = request.entries === null && ON_ROWS.has(request.execute) ? (request.args as Buffer[]) : [];
    const keys = rows.length > 1 ? this.attempt.rowsToFetch(request.db, rows) : missing;
    this.begin(request);
    this.host.store.getMany(keys.map(toBuffer), (error, values) => {
      if (this.stopped) return;
      if (error !== null || values === undefined) {
        this.host.fail(error ?? new Error('no values'));
        return;
      }
      const entries = (request.entries ??= new Map<string, HeadEntry>());
      try {
        for (const [index, fetched] of keys.entries()) entries.set(fetched, this.head.keep(fetched, values[index]));
      } catch (damage) {
        this.host.fail(damage as Error);
        return;
      }
      this.resume(request);
    });
  }

  private begin(request: Request): void {
    if (request.hold === 0) request.hold = this.head.beginFetch();
  }
}

function bytesOf(entries: readonly { key: Buffer; value: Buffer }[]): number {
  let bytes = 0;
  for (const { key, value } of entries) bytes += key.length + value.length;
  return bytes;
}
