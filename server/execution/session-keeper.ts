/**
 * The primary's side of sessions: opens them, takes what their processes say, and ends those whose process is gone
 * (docs/internals/exactly-once.md). Every change is made in the head state at once, rides in the mutation that is
 * being gathered, and is confirmed when that commits; whoever is not answered repeats.
 */
import { limits } from '../../shared/limits.js';
import { Kind, type Message, type SessionOpenMessage, type SettleMessage } from '../../shared/wire/messages.js';
import type { Origin } from '../../shared/wire/network.js';
import type { SessionChange } from '../replication/mutation.js';
import type { SessionState, Sessions } from './sessions.js';

export interface SessionKeeperHost {
  /** The decree of the mutation that is being gathered. */
  decree(): number;
  /** It carries this change. */
  log(change: SessionChange): void;
  /** Sends it once everything up to `decree` is committed. */
  tell(to: Origin, message: Message, decree: number): void;
  isConnected(boot: string): boolean;
}

const LOOK_MS = 1_000;

export class SessionKeeper {
  private readonly sessions: Sessions;
  private readonly host: SessionKeeperHost;
  private lookedMs: number;
  /** The decree of the last mutation with something to confirm. */
  private lastChange = 0;

  constructor(sessions: Sessions, host: SessionKeeperHost, nowMs: number) {
    this.sessions = sessions;
    this.host = host;
    this.lookedMs = nowMs;
    for (const session of sessions.all()) session.seenMs = nowMs;
  }

  /** A boot that has a session is told of that one: the first answer may have been lost. */
  open(from: Origin, [, partition]: SessionOpenMessage): void {
    let session = this.sessions.ofBoot(from.boot);
    if (session === undefined) {
      // who is not answered asks again
      if (this.sessions.size.sessions >= limits.sessions) return;
      const decree = this.host.decree();
      // named after the mutation, so one a mutation
      if (this.sessions.get(decree) !== undefined) return;
      this.change(['open', from.boot]);
      session = this.sessions.ofBoot(from.boot)!;
      session.seenMs = this.lookedMs;
      this.host.tell(from, [Kind.sessionOpened, partition, session.id], decree);
    } else this.host.tell(from, [Kind.sessionOpened, partition, session.id], session.id);
  }

  settle(from: Origin, [, partition, id, number, fence, fresh, answered]: SettleMessage): void {
    const session = this.find(from, id);
    // of a session that is over nothing is executed any more, which is all that is asked for
    if (session === undefined) return this.host.tell(from, [Kind.settled, partition, id, number], 0);
    // from a connection that was replaced
    if (fence < session.fence) return;
    if (fresh) session.settled = true;
    this.change(['settle', id, fence, answered]);
    this.host.tell(from, [Kind.settled, partition, id, number], this.lastChange);
  }

  /** The session that the sender may use under this name. */
  find(from: Origin, id: number): SessionState | undefined {
    const session = this.sessions.get(id);
    return session !== undefined && session.boot === from.boot ? session : undefined;
  }

  /** What its connection had brought and was not executed is not executed before it settles over a new one. */
  onDisconnected(boot: string): void {
    const session = this.sessions.ofBoot(boot);
    if (session !== undefined) session.settled = false;
  }

  /** Sessions of processes that have not been connected for long end. */
  tick(nowMs: number): void {
    if (nowMs - this.lookedMs < LOOK_MS) return;
    this.lookedMs = nowMs;
    // a Map may lose what is being visited
    for (const session of this.sessions.all()) {
      if (this.host.isConnected(session.boot)) session.seenMs = nowMs;
      else if (nowMs - session.seenMs >= limits.sessionExpiryMs) this.change(['end', session.id]);
    }
  }

  private change(change: SessionChange): void {
    const decree = this.host.decree();
    const logged = this.sessions.changeFirst(change, decree);
    if (logged === null) return;
    this.lastChange = decree;
    this.host.log(logged);
  }
}
