/**
 * What is in flight at one server over one connection. A Map keeps insertion order, which is the
 * order of sending, and deletes in constant time.
 */
import { limits } from '../limits.js';
import type { OperationArgument } from '../operations/operation.js';
import type { Request } from './request.js';
import type { RoutedPartition } from './routing-table.js';

export class ServerLink {
  readonly node: string;
  readonly boot: string;
  readonly inFlight = new Map<number, Request>();
  /** Partitions with requests that wait only for room here. */
  readonly stalled = new Set<RoutedPartition>();
  /** Partitions whose requests gather until an earlier burst is answered. */
  readonly paced = new Set<RoutedPartition>();
  /** In this turn a burst is being sent: more may join it. */
  private sending = false;
  /** The first id of each burst that nothing has answered yet, oldest first. */
  private bursts: number[] = [];
  private inFlightBytes = 0;
  /** Of those in flight, how many wait at the server: they take no room there that others need. */
  private parked = 0;

  constructor(node: string, boot: string) {
    this.node = node;
    this.boot = boot;
  }

  get full(): boolean {
    return (
      this.inFlight.size - this.parked >= limits.inFlightRequestsPerServer ||
      this.inFlightBytes >= limits.inFlightBytesPerServer
    );
  }

  /**
   * True when a request may leave now. Every turn's requests are a burst, and while several are unanswered the
   * next one gathers: under load a frame then carries many requests instead of one or two, and a system call and
   * a wake-up at either end are what a request costs most.
   */
  mayStart(nextId: number, atEndOfTurn: (run: () => void) => void): boolean {
    if (this.sending) return true;
    if (this.bursts.length >= limits.burstsPerServer) return false;
    this.sending = true;
    this.bursts.push(nextId);
    atEndOfTurn(() => {
      this.sending = false;
    });
    return true;
  }

  /** An answer came: the burst of its request, and those before it, wait no more. True when another burst may start. */
  answered(id: number): boolean {
    const { bursts } = this;
    while (bursts.length > 0 && bursts[0]! <= id) bursts.shift();
    return bursts.length < limits.burstsPerServer;
  }

  /** Nothing was answered for a while (a slow operation leads the burst): the others do not wait for it. */
  release(): void {
    this.bursts = [];
  }

  add(request: Request): void {
    this.inFlight.set(request.id, request);
    this.inFlightBytes += request.bytes;
  }

  /** `resumed`: the arguments to repeat it with from now on; null: the same. */
  park(request: Request, resumed: readonly OperationArgument[] | null): void {
    if (resumed !== null) request.operation = [request.operation[0], ...resumed];
    if (request.parked) return;
    if (!request.waits) {
      request.deadline = Infinity;
      request.completion.onBusy?.();
    }
    request.parked = true;
    this.parked++;
    this.inFlightBytes -= request.bytes;
  }

  remove(request: Request): void {
    this.inFlight.delete(request.id);
    if (!request.parked) {
      this.inFlightBytes -= request.bytes;
      return;
    }
    request.parked = false;
    this.parked--;
  }

  /** Removes and returns, in the order of sending, a partition's requests; all when `only` is null. */
  take(only: RoutedPartition | null): Request[] {
    return this.removeWhere((request) => only === null || request.partition === only);
  }

  /** Removes and returns a request and those sent after it that its connection has at its partition. */
  takeFrom(first: Request): Request[] {
    return this.removeWhere((request) => request.lane === first.lane && request.id >= first.id);
  }

  /** Removes and returns what has passed its deadline. */
  expired(now: number): Request[] {
    return this.removeWhere((request) => request.deadline <= now);
  }

  private removeWhere(matches: (request: Request) => boolean): Request[] {
    const removed: Request[] = [];
    for (const request of this.inFlight.values()) if (matches(request)) removed.push(request);
    for (const request of removed) this.remove(request);
    return removed;
  }
}

/** What was there when it is called: who is dealt with may come back. */
export function takeAll<T>(set: Set<T>): T[] {
  const all = [...set];
  set.clear();
  return all;
}
