/**
 * Reading what an operation needs and memory lacks, off the event loop. While it is read the operation waits, and
 * what is written meanwhile stays in the head's overlay; then the operation is begun again with what came.
 */
import { limits } from '../../shared/limits.js';
import { Code } from '../../shared/operations/codes.js';
import type { OperationArgument } from '../../shared/operations/operation.js';
import { executors } from '../rows/index.js';
import { toBuffer } from '../storage/keys.js';
import type { Entry, Store } from '../storage/store.js';
import type { Attempt } from './attempt.js';
import type { HeadEntry } from './entry-map.js';
import type { Head } from './head.js';
import type { Page, PageRequest } from './range.js';
import type { Execute } from './view.js';

/** What a request has had fetched for it. */
export interface Fetched {
  pages: Map<string, Page> | null;
  entries: Map<string, HeadEntry> | null;
  /** Of pages. */
  fetches: number;
  /** Entries of all its pages together, and their bytes. */
  fetchedEntries: number;
  fetchedBytes: number;
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
  /** The one that has much read for it, and those that wait until it is done. */
  private large: Request | null = null;
  private waiting: { request: Request; page: PageRequest }[] = [];

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

  /**
   * False: it has had too much already. All of a page is read before the operation begins again, in pieces between
   * which others are served. A piece may be newer than those before: what was written since the first is in the overlay.
   */
  page(request: Request, page: PageRequest): boolean {
    request.fetches++;
    const { fetches, fetchedEntries, fetchedBytes } = request;
    if (
      fetches > limits.fetchAttempts ||
      fetchedEntries >= limits.operationEntries ||
      fetchedBytes >= limits.operationBytes
    )
      return false;
    if (page.limit > limits.largeRead && this.large !== request) {
      if (this.large !== null) {
        this.waiting.push({ request, page });
        return true;
      }
      this.large = request;
    }
    this.begin(request);
    this.piece(request, page, page, []);
    return true;
  }

  /** Reads the next piece, what is left of the page being `rest`. */
  private piece(request: Request, page: PageRequest, rest: PageRequest, gathered: Entry[]): void {
    const range = {
      gte: toBuffer(rest.gte),
      lt: toBuffer(rest.lt),
      reverse: rest.reverse,
      limit: Math.min(rest.limit, limits.fetchRangeEntries),
      limitBytes: limits.fetchRangeBytes,
    };
    this.host.store.range(range, (error, entries) => {
      if (this.stopped) return;
      if (error !== null || entries === undefined) {
        this.host.fail(error ?? new Error('a range without entries'));
        return;
      }
      const bytes = bytesOf(entries);
      request.fetchedEntries += entries.length;
      request.fetchedBytes += bytes;
      const exhausted = entries.length < range.limit && bytes < range.limitBytes;
      const limit = rest.limit - entries.length;
      const last = entries.at(-1);
      const isWhole = exhausted || limit <= 0 || last === undefined || request.fetchedBytes >= limits.operationBytes;
      if (isWhole && gathered.length === 0) gathered = entries;
      else for (const entry of compact(entries, bytes)) gathered.push(entry);
      if (!isWhole) {
        const from = last.key.latin1Slice();
        const { gte, lt, reverse } = rest;
        this.piece(
          request,
          page,
          { ...rest, gte: reverse ? gte : `${from}\0`, lt: reverse ? from : lt, limit },
          gathered,
        );
        return;
      }
      request.pages ??= new Map();
      request.pages.set(page.id, { entries: gathered, exhausted });
      this.resume(request);
    });
  }

  /** Nothing more is fetched for the request: another one that reads much may begin. */
  end(request: Request): void {
    if (request.hold !== 0) this.head.endFetch(request.hold);
    if (this.large !== request) return;
    this.large = null;
    const next = this.waiting.shift();
    if (next === undefined) return;
    this.large = next.request;
    this.begin(next.request);
    this.piece(next.request, next.page, next.page, []);
  }

  /** The entries that were missing; the first time for an operation on many rows, all of those at once. */
  entry(request: Request, missing: readonly string[]): void {
    const rows = request.entries === null && ON_ROWS.has(request.execute) ? (request.args as Buffer[]) : [];
    const keys = rows.length > 1 ? this.attempt.rowsToFetch(request.db, rows) : missing;
    this.begin(request);
    this.someEntries(request, keys, 0);
  }

  private someEntries(request: Request, keys: readonly string[], from: number): void {
    const some = keys.slice(from, from + limits.fetchRangeEntries);
    this.host.store.getMany(some.map(toBuffer), (error, values) => {
      if (this.stopped) return;
      if (error !== null || values === undefined) {
        this.host.fail(error ?? new Error('no values'));
        return;
      }
      const entries = (request.entries ??= new Map<string, HeadEntry>());
      try {
        for (const [index, fetched] of some.entries()) entries.set(fetched, this.head.keep(fetched, values[index]));
      } catch (damage) {
        this.host.fail(damage as Error);
        return;
      }
      if (from + some.length < keys.length) this.someEntries(request, keys, from + some.length);
      else this.resume(request);
    });
  }

  private begin(request: Request): void {
    if (request.hold === 0) request.hold = this.head.beginFetch();
  }
}

/** In one piece of memory: each Buffer that LevelDB returns has one of its own, which takes several times as much. */
function compact(entries: readonly Entry[], bytes: number): Entry[] {
  const memory = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  const moved = (from: Buffer): Buffer => {
    memory.set(from, at);
    at += from.length;
    return memory.subarray(at - from.length, at);
  };
  return entries.map(({ key, value }) => ({ key: moved(key), value: moved(value) }));
}

function bytesOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const { key, value } of entries) bytes += key.length + value.length;
  return bytes;
}
