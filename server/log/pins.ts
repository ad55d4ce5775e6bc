/**
 * Which segments are still needed. A segment is needed while a stay has a record in it that the stay's replica
 * has not released; segments go from the oldest on and without gaps, so that a missing one is known to be a loss.
 */
import { invariant } from '../../shared/errors.js';

/** A stay of a partition on this server, as the log sees it. */
export interface Stay {
  readonly partition: number;
  readonly stay: string;
  released: number;
  forgotten: boolean;
}

export interface Segment {
  readonly number: number;
  bytes: number;
  /** The highest decree of every stay in it. */
  readonly decrees: Map<Stay, number>;
}

export class Pins {
  readonly #stays = new Map<number, Map<string, Stay>>();
  /** Oldest first; the last one is being written. */
  readonly segments: Segment[] = [];

  /** The stay's state, made on first use. A stay that was forgotten and comes again is a new one. */
  stay(partition: number, name: string): Stay {
    let ofPartition = this.#stays.get(partition);
    if (ofPartition === undefined) this.#stays.set(partition, (ofPartition = new Map()));
    let stay = ofPartition.get(name);
    if (stay === undefined) ofPartition.set(name, (stay = { partition, stay: name, released: -1, forgotten: false }));
    return stay;
  }

  find(partition: number, name: string): Stay | undefined {
    return this.#stays.get(partition)?.get(name);
  }

  release(partition: number, name: string, decree: number): void {
    const stay = this.find(partition, name);
    if (stay !== undefined && decree > stay.released) stay.released = decree;
  }

  forget(partition: number, name: string): void {
    const ofPartition = this.#stays.get(partition);
    const stay = ofPartition?.get(name);
    if (ofPartition === undefined || stay === undefined) return;
    stay.forgotten = true;
    ofPartition.delete(name);
    if (ofPartition.size === 0) this.#stays.delete(partition);
  }

  /** Takes the oldest segments that nobody needs off the list; never the one that is being written, nor any from `keepFrom` on. */
  takeUnneeded(keepFrom: number): Segment[] {
    let count = 0;
    while (count < this.segments.length - 1) {
      const segment = this.segments[count]!;
      if (segment.number >= keepFrom || isPinned(segment)) break;
      count++;
    }
    return this.segments.splice(0, count);
  }

  /** Stays that pin segments which could otherwise go, with the oldest each pins; oldest first. */
  pinned(): { partition: number; stay: string; segment: number }[] {
    const oldest = new Map<Stay, number>();
    for (const segment of this.segments.slice(0, -1)) {
      for (const [stay, decree] of segment.decrees) {
        if (pins(stay, decree) && !oldest.has(stay)) oldest.set(stay, segment.number);
      }
    }
    return [...oldest].map(([{ partition, stay }, segment]) => ({ partition, stay, segment }));
  }

  /** Segments that hold records of the stay at or above `decree`. */
  holding(stay: Stay, decree: number): Segment[] {
    return this.segments.filter((segment) => (segment.decrees.get(stay) ?? -1) >= decree);
  }

  current(): Segment {
    const segment = this.segments.at(-1);
    invariant(segment !== undefined, 'an open log has a segment');
    return segment;
  }
}

export function noteDecree(decrees: Map<Stay, number>, stay: Stay, decree: number): void {
  const highest = decrees.get(stay);
  if (highest === undefined || decree > highest) decrees.set(stay, decree);
}

function pins(stay: Stay, decree: number): boolean {
  return !stay.forgotten && stay.released < decree;
}

function isPinned(segment: Segment): boolean {
  for (const [stay, decree] of segment.decrees) if (pins(stay, decree)) return true;
  return false;
}
