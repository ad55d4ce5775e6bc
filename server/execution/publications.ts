/**
 * Messages that operations publish, until what they depend on is committed: nobody is to hear of a write that could
 * still be lost. A deposed primary drops them, as nothing here is delivered more than once.
 */
import type { Interests, Publication } from './interests.js';

export class Publications {
  private readonly interests: Interests;
  private readonly committed: () => number;
  private readonly held = new Map<number, Publication[]>();

  constructor(interests: Interests, committed: () => number) {
    this.interests = interests;
    this.committed = committed;
  }

  add(publications: readonly Publication[], dependency: number): void {
    if (dependency <= this.committed()) return this.publish(publications);
    const bucket = this.held.get(dependency);
    if (bucket === undefined) this.held.set(dependency, [...publications]);
    else bucket.push(...publications);
  }

  onCommitted(decree: number): void {
    if (this.held.size === 0) return;
    const bucket = this.held.get(decree);
    if (bucket === undefined) return;
    this.held.delete(decree);
    this.publish(bucket);
  }

  private publish(publications: readonly Publication[]): void {
    for (const publication of publications) this.interests.publish(publication);
  }

  clear(): void {
    this.held.clear();
  }
}
