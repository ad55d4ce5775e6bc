/**
 * What was handed in and handed out, by unique tokens. Each token that was acknowledged must come out once or still be
 * there, none may come out twice, and none may come out that nobody handed in. Where a reply was lost, what it took out
 * is unknown: as many tokens may be missing as such replies may have held, and no more.
 */
import type { Outcome } from '../checking/history.js';

export class Ledger {
  /** What became of handing each token in; `unknown` until it is known. */
  private readonly handedIn = new Map<string, Outcome>();
  /** By whom each token was taken. */
  private readonly taken = new Map<string, string>();
  private readonly complaints: string[] = [];
  private mayBeMissing = 0;

  /** Before it is sent. */
  handIn(token: string): void {
    this.handedIn.set(token, 'unknown');
  }

  answered(token: string, outcome: Outcome): void {
    this.handedIn.set(token, outcome);
  }

  take(token: string, by: string): void {
    if (!this.handedIn.has(token)) this.complaints.push(`${by} took ${token}, which nobody handed in`);
    const before = this.taken.get(token);
    if (before !== undefined) this.complaints.push(`${token} was taken twice, by ${before} and by ${by}`);
    this.taken.set(token, by);
  }

  /** A reply that would have held at most this many tokens was lost. */
  lostReply(tokens: number): void {
    this.mayBeMissing += tokens;
  }

  isAcknowledged(token: string): boolean {
    return this.handedIn.get(token) === 'ok';
  }

  /** `left`: every token that is still there, as often as it is there. */
  settle(left: readonly string[]): string[] {
    for (const token of left) this.take(token, 'the end');
    for (const [token, outcome] of this.handedIn) {
      const by = this.taken.get(token);
      if (outcome === 'refused' && by !== undefined) this.complaints.push(`${by} took ${token}, which was refused`);
    }
    const missing = [...this.handedIn].flatMap(([token, outcome]) =>
      outcome === 'ok' && !this.taken.has(token) ? [token] : [],
    );
    if (missing.length > this.mayBeMissing)
      this.complaints.push(
        `${missing.length} acknowledged tokens are gone, and replies that may have held ${this.mayBeMissing} were lost: ${missing.slice(0, 5).join(' ')}`,
      );
    return this.complaints;
  }
}
