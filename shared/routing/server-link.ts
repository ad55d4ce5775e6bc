/**
 * What is in flight at one server over one connection. A Map keeps insertion order, which is the
 * order of sending, and deletes in constant time.
 */
import { limits } from '../limits.js';
import type { Request } from './request.js';
import type { RoutedPartition } from './routing-table.js';

export class ServerLink {
  readonly node: string;
  readonly boot: string;
  readonly inFlight = new Map<number, Request>();
  /** Partitions with requests that wait only for room here. */
  readonly stalled = new Set<RoutedPartition>();
  private inFlightBytes = 0;

  constructor(node: string, boot: string) {
    this.node = node;
    this.boot = boot;
  }

  get full(): boolean {
    return (
      this.inFlight.size >= limits.inFlightRequestsPerServer || this.inFlightBytes >= limits.inFlightBytesPerServer
    );
  }

  add(request: Request): void {
    this.inFlight.set(request.id, request);
    this.inFlightBytes += request.bytes;
  }

  remove(request: Request): void {
    this.inFlight.delete(request.id);
    this.inFlightBytes -= request.bytes;
  }

  /** Removes and returns, in the order of sending, a partition's requests; all when `only` is null. */
  take(only: RoutedPartition | null): Request[] {
    return this.removeWhere((request) => only === null || request.partition === only);
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
