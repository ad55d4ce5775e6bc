/** What leaves once the mutation that it depends on is committed. A deposed primary drops it: the successor answers. */
import type { OperationResult } from '../../shared/operations/operation.js';
import type { Message } from '../../shared/wire/messages.js';
import type { Origin } from '../../shared/wire/network.js';

export interface ReplyHost {
  committed(): number;
  reply(to: Origin, id: number, status: number, value: OperationResult): void;
  /** To a proxy, anything else. */
  tell(to: Origin, message: Message): void;
}

interface HeldReply {
  readonly from: Origin;
  readonly id: number;
  readonly status: number;
  readonly value: OperationResult;
}

export class HeldReplies {
  private readonly host: ReplyHost;
  private readonly replies = new Map<number, HeldReply[]>();
  private readonly messages = new Map<number, { to: Origin; message: Message }[]>();

  constructor(host: ReplyHost) {
    this.host = host;
  }

  answer(from: Origin, id: number, status: number, value: OperationResult, dependency: number): void {
    if (dependency <= this.host.committed()) {
      this.host.reply(from, id, status, value);
      return;
    }
    const bucket = this.replies.get(dependency);
    if (bucket === undefined) this.replies.set(dependency, [{ from, id, status, value }]);
    else bucket.push({ from, id, status, value });
  }

  tell(to: Origin, message: Message, dependency: number): void {
    if (dependency <= this.host.committed()) {
      this.host.tell(to, message);
      return;
    }
    const bucket = this.messages.get(dependency);
    if (bucket === undefined) this.messages.set(dependency, [{ to, message }]);
    else bucket.push({ to, message });
  }

  onCommitted(decree: number): void {
    const bucket = this.replies.get(decree);
    if (bucket !== undefined) {
      this.replies.delete(decree);
      for (const { from, id, status, value } of bucket) this.host.reply(from, id, status, value);
    }
    if (this.messages.size === 0) return;
    for (const { to, message } of this.messages.get(decree) ?? []) this.host.tell(to, message);
    this.messages.delete(decree);
  }

  clear(): void {
    this.replies.clear();
    this.messages.clear();
  }
}
