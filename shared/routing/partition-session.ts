/**
 * The router's end of its session at one partition (docs/internals/exactly-once.md): which it is, over which
 * connection it was settled, and what the partition still has to be told until it confirms that it is logged:
 * the fence below which nothing that was sent may be executed any more, and which answers clients have.
 */
import type { Lane } from './request.js';
import { limits } from '../limits.js';
import { Kind, type SettleMessage } from '../wire/messages.js';
import type { ServerLink } from './server-link.js';

/** How long to wait for a confirmation before asking again over the same connection. */
const REPEAT_MS = 500;
/** ... and for a session. */
const OPEN_REPEAT_MS = 100;
/** How long an answer may stay unacknowledged when no later request of its connection says it. */
const LOOK_MS = 500;

export class PartitionSession {
  readonly partition: number;
  /** Its name; 0: there is none. */
  id = 0;
  /** The connection over which it is settled: requests may go there. Null: none. */
  link: ServerLink | null = null;
  private openAskedMs = Number.NEGATIVE_INFINITY;
  private openAskedOn: ServerLink | null = null;
  /** What must not be executed any more: as wanted, and as told last. */
  private fence = 0;
  private toldFence = 0;
  private number = 0;
  private confirmed = 0;
  private saidMs = 0;
  /** Told and not confirmed. */
  private told: { readonly number: number; readonly answered: number[] }[] = [];
  /** Lanes with answers since the last look. */
  private lanes: Lane[] = [];
  private lookedMs = 0;

  constructor(partition: number) {
    this.partition = partition;
  }

  /** True once in a while: send an open message. */
  mayOpen(link: ServerLink, nowMs: number): boolean {
    if (this.openAskedOn === link && nowMs - this.openAskedMs < OPEN_REPEAT_MS) return false;
    this.openAskedOn = link;
    this.openAskedMs = nowMs;
    return true;
  }

  /** The partition does not know the session: what was sent under it is not executed any more, so nothing is owed. */
  lose(): void {
    this.id = 0;
    this.link = null;
    this.openAskedOn = null;
    this.fence = this.toldFence = 0;
    this.told = [];
    this.confirmed = this.number;
  }

  /** Nothing sent under an id up to this may be executed any more. */
  wantFence(id: number): void {
    if (id > this.fence) this.fence = id;
  }

  get fenceIsUntold(): boolean {
    return this.fence > this.toldFence;
  }

  /** A connection's answers are not yet acknowledged. */
  list(lane: Lane): void {
    lane.listed = true;
    this.lanes.push(lane);
  }

  /** Something is to be said, or to be confirmed, even when no request comes. */
  get owes(): boolean {
    return this.id !== 0 && (this.fenceIsUntold || this.confirmed < this.number || this.lanes.length > 0);
  }

  /** The first message over a connection: whatever was sent before, over any, is taken back. */
  settleOn(link: ServerLink, lastId: number, nowMs: number): SettleMessage {
    this.link = link;
    this.wantFence(lastId);
    const answered = this.told.flatMap((each) => each.answered);
    this.told = [];
    return this.message(true, answered, nowMs);
  }

  /** What is due now over the same connection; null: nothing. */
  due(nowMs: number): SettleMessage | null {
    const answered = this.look(nowMs);
    const repeats = this.confirmed < this.number && nowMs - this.saidMs >= REPEAT_MS;
    if (!this.fenceIsUntold && answered.length === 0 && !repeats) return null;
    if (repeats) {
      for (const each of this.told) answered.push(...each.answered);
      this.told = [];
    }
    return this.message(false, answered, nowMs);
  }

  private message(fresh: boolean, answered: number[], nowMs: number): SettleMessage {
    this.number += 1;
    this.saidMs = nowMs;
    this.toldFence = this.fence;
    this.told.push({ number: this.number, answered });
    return [Kind.settle, this.partition, this.id, this.number, this.fence, fresh, answered];
  }

  /** Connections whose last answers no request has acknowledged since the last look: connection, sequence pairs. */
  private look(nowMs: number): number[] {
    const answered: number[] = [];
    if (this.lanes.length === 0 || nowMs - this.lookedMs < LOOK_MS) return answered;
    this.lookedMs = nowMs;
    const { lanes } = this;
    this.lanes = [];
    for (const lane of lanes) {
      if (lane.told === lane.toldAtLook && answered.length < 2 * limits.settledConnections) {
        lane.listed = false;
        if (lane.acknowledged === lane.told) continue;
        lane.told = lane.acknowledged;
        answered.push(lane.connection, lane.acknowledged);
      } else this.lanes.push(lane);
      lane.toldAtLook = lane.told;
    }
    return answered;
  }

  onSettled(session: number, number: number): void {
    if (session !== this.id || number <= this.confirmed) return;
    this.confirmed = number;
    this.told = this.told.filter((each) => each.number > number);
  }
}
