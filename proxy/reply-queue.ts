/**
 * The order of a connection's replies. Each request that is not answered on the spot has a place here
 * (Pending); a reply that is there before its turn is kept, encoded, at its place. How many places may be
 * taken at once adapts to the size of the replies, so that what a client can make us hold is bounded.
 */
import { OK, type Reply } from '../shared/commands/reply.js';
import { limits } from '../shared/limits.js';
import type { Pending } from './pending.js';
import { encodeReply, Output } from './resp/encoder.js';

/** Where a new connection begins; a client of small replies soon has more. */
const FIRST_WINDOW = limits.pendingReplies / 16;
/** How much the window widens with every small reply. */
const WIDENING = 16;

export class ReplyQueue {
  count = 0;
  private readonly output: Output;
  private head: Pending | null = null;
  private tail: Pending | null = null;
  private window: number = FIRST_WINDOW;

  /** `output`: what is next in order goes there. */
  constructor(output: Output) {
    this.output = output;
  }

  /** No more requests should be taken until some are answered. */
  get full(): boolean {
    return this.count >= this.window;
  }

  enqueue(pending: Pending): void {
    if (this.tail === null) this.head = pending;
    else this.tail.next = pending;
    this.tail = pending;
    this.count += 1;
  }

  /** A reply behind everything enqueued. True: it went to the output. */
  answer(reply: Reply, resp: 2 | 3): boolean {
    if (this.tail === null) {
      this.write(reply, resp, this.output);
      return true;
    }
    this.tail.after ??= new Output();
    this.write(reply, resp, this.tail.after);
    return false;
  }

  /** The reply to `pending`. True: it, and what had waited behind it, went to the output. */
  complete(pending: Pending, reply: Reply, resp: 2 | 3, silent: boolean): boolean {
    pending.done = true;
    if (pending !== this.head) {
      if (silent) return false;
      pending.early = new Output();
      this.write(reply, resp, pending.early);
      return false;
    }
    if (!silent) this.write(reply, resp, this.output);
    this.advance(pending);
    return true;
  }

  /** Removes the finished head and whatever was finished behind it. */
  private advance(finished: Pending): void {
    let current: Pending | null = finished;
    while (current?.done === true) {
      if (current.early !== null) this.output.appendOutput(current.early);
      if (current.after !== null) this.output.appendOutput(current.after);
      this.count -= 1;
      current = current.next;
    }
    this.head = current;
    if (current === null) this.tail = null;
  }

  /** As many places may be taken as fit the budget if all replies are as large as this one. */
  private write(reply: Reply, resp: 2 | 3, output: Output): void {
    const before = output.bytes;
    if (reply === OK) output.append('+OK\r\n');
    else encodeReply(output, reply, resp);
    const fit = Math.max(limits.pendingRepliesMin, Math.floor(limits.pendingReplyBytes / (output.bytes - before)));
    this.window = fit < this.window ? fit : Math.min(limits.pendingReplies, fit, this.window + WIDENING);
  }
}
