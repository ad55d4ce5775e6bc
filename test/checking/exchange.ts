/**
 * What a client sends for one thing it wants done, and what it makes of the replies: a command is one request, a transaction is
 * several, and one operation in the history (models/transactions.ts says how it is written there).
 */
import type { History, Reply } from './history.js';
import { isError } from './history.js';
import { queuedIn } from './models/transactions.js';

export class Exchange {
  readonly words: readonly string[];
  /** In the order in which they are sent, at once. */
  readonly requests: readonly (readonly string[])[];
  private readonly history: History;
  private readonly id: number;
  /** Of the read between WATCH and MULTI. */
  private readonly readId: number | null;
  private readonly replies: Reply[] = [];

  constructor(history: History, client: string, words: readonly string[], nowMs: number) {
    this.words = words;
    this.history = history;
    const [name = '', key = ''] = words;
    if (name === 'MULTI') this.requests = [['MULTI'], ...queuedIn(words), ['EXEC']];
    else if (name === 'WATCH') this.requests = [['WATCH', key], ['GET', key], ['MULTI'], ...queuedIn(words), ['EXEC']];
    else this.requests = [words];
    this.readId = name === 'WATCH' ? history.call(client, ['GET', key], nowMs) : null;
    this.id = history.call(client, words, nowMs);
  }

  /** The next reply; true: it was the last. */
  onReply(reply: Reply, nowMs: number): boolean {
    this.replies.push(reply);
    if (this.readId !== null && this.replies.length === 2) this.history.returned(this.readId, reply, nowMs);
    if (this.replies.length < this.requests.length) return false;
    this.history.returned(this.id, this.outcome(reply), nowMs);
    return true;
  }

  lost(why: string): void {
    if (this.readId !== null && this.replies.length < 2) this.history.lost(this.readId, why);
    this.history.lost(this.id, why);
  }

  private outcome(last: Reply): Reply {
    if (this.readId === null || isError(last)) return last;
    const [watched = null, seen = null] = this.replies;
    return [isError(watched) ? watched : seen, last];
  }
}
