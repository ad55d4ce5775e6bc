/**
 * What an operation sees of those who listen. What it publishes belongs to it like its writes: an attempt that fails
 * has published nothing.
 */
import type { Origin } from '../../shared/wire/network.js';
import type { Interests, Publication } from './interests.js';

export class Broker {
  readonly interests: Interests;
  /** Who sent the operation under way; null: it is the server's own. */
  sender: Origin | null = null;
  /** What it publishes; null: nothing. */
  publications: Publication[] | null = null;

  constructor(interests: Interests) {
    this.interests = interests;
  }

  /** How many clients it goes to, once everything that the operation depends on is committed. */
  publish(publication: Publication): number {
    (this.publications ??= []).push(publication);
    return this.interests.receivers(publication.topic, publication.channel);
  }

  /** How much was published so far: see `backTo`. */
  get mark(): number {
    return this.publications?.length ?? 0;
  }

  backTo(mark: number): void {
    if (this.publications !== null) this.publications.length = mark;
  }
}
