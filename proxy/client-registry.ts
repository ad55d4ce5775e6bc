/** All client connections of this proxy: their ids, the lines of CLIENT LIST, and CLIENT PAUSE. */
import type { Environment } from '../shared/environment.js';
import type { CatalogueEntry } from './catalogue.js';
import { Pausable } from './pausable.js';
import { PEAK_FORGOTTEN_MS } from './reply-peak.js';
import type { Session } from './session.js';
import type { TurnClock } from './turn-clock.js';

/** What Redis would report as free of a client's query buffer. */
const QUERY_BUFFER_BYTES = 16 * 1024;
/** About what a connection costs besides its buffers. */
const SESSION_BYTES = 4 * 1024;

export class ClientRegistry {
  readonly pausable = new Pausable();
  /** How long the largest reply of a connection counts, see ReplyPeak. */
  peakForgottenMs = PEAK_FORGOTTEN_MS;
  private readonly environment: Environment;
  private readonly clock: TurnClock;
  private readonly sessions = new Map<number, Session>();
  private lastId = 0;
  private pausedUntilMs = 0;
  private pausedAll = false;
  private paused: (() => void)[] = [];

  constructor(environment: Environment, clock: TurnClock) {
    this.environment = environment;
    this.clock = clock;
  }

  nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  add(session: Session): void {
    this.sessions.set(session.id, session);
  }

  remove(session: Session): void {
    this.sessions.delete(session.id);
  }

  get count(): number {
    return this.sessions.size;
  }

  get(id: number): Session | undefined {
    return this.sessions.get(id);
  }

  /** Clients that wait for something: for the end of CLIENT PAUSE, or in a command like BLPOP. */
  get blocked(): number {
    let blocked = this.paused.length;
    for (const { waiting } of this.sessions.values()) if (waiting !== null) blocked++;
    return blocked;
  }

  /** In the order of their ids. */
  all(): Session[] {
    return [...this.sessions.values()];
  }

  /** CLIENT PAUSE. A pause under way is only ever made longer, and wider. */
  pause(forMs: number, all: boolean): void {
    const until = this.clock.nowMs + forMs;
    if (this.pausing) {
      this.pausedAll ||= all;
      this.pausedUntilMs = Math.max(until, this.pausedUntilMs);
    } else {
      this.pausedAll = all;
      this.pausedUntilMs = until;
    }
    this.environment.after(forMs, () => {
      if (!this.pausing) this.unpause();
    });
  }

  unpause(): void {
    this.pausedUntilMs = 0;
    const waiting = this.paused;
    this.paused = [];
    for (const run of waiting) run();
  }

  get pausing(): boolean {
    return this.pausedUntilMs !== 0 && this.environment.monotonicMs() < this.pausedUntilMs;
  }

  /** True when this command has to wait. CLIENT itself never does: it is what ends a pause. */
  pauses(entry: CatalogueEntry, args: readonly Buffer[], session: Session): boolean {
    if (this.pausedUntilMs === 0 || !this.pausing) return false;
    if (entry.container?.name === 'client') return false;
    if (this.pausedAll || this.pausable.mayWrite(entry, args)) return true;
    const queued = entry.name === 'exec' ? (session.transaction?.queued ?? []) : [];
    return queued.some((each) => this.pausable.mayWrite(each.entry, each.args));
  }

  /** What only reads waits, too. */
  get pausingAll(): boolean {
    return this.pausedAll && this.pausing;
  }

  whenUnpaused(run: () => void): void {
    this.paused.push(run);
  }

  /** One line of CLIENT LIST, with Redis 7.0's fields. */
  describe(session: Session): string {
    const now = this.clock.nowMs;
    const { facts } = session;
    const query = session.queryBytes + session.requestBytes;
    const output = session.outputBytes;
    const { bufferBytes, peakBytes } = session.replyPeak.describe(now, this.peakForgottenMs);
    const fields: [string, string | number][] = [
      ['id', session.id],
      ['addr', session.address],
      ['laddr', session.localAddress],
      ['fd', session.id],
      ['name', facts.name],
      ['age', Math.floor((now - session.connectedAtMs) / 1000)],
      ['idle', Math.floor((now - session.lastActiveMs) / 1000)],
      ['flags', session.flags],
      ['db', session.database],
      ['sub', session.subscriber?.channels.size ?? 0],
      ['psub', session.subscriber?.patterns.size ?? 0],
      ['ssub', session.subscriber?.shardChannels.size ?? 0],
      ['multi', session.transaction?.queued.length ?? -1],
      ['qbuf', query],
      ['qbuf-free', Math.max(0, QUERY_BUFFER_BYTES - query)],
      ['argv-mem', session.requestBytes],
      ['multi-mem', session.transaction?.bytes ?? 0],
      ['rbs', bufferBytes],
      ['rbp', peakBytes],
      ['obl', 0],
      ['oll', output > 0 ? 1 : 0],
      ['omem', output],
      ['tot-mem', SESSION_BYTES + bufferBytes + query + output],
      ['events', 'r'],
      ['cmd', facts.lastCommand],
      ['user', session.identity.user.name],
      ['redir', session.tracking?.redirect ?? -1],
      ['resp', session.resp],
    ];
    if (facts.libraryName !== '' || facts.libraryVersion !== '')
      fields.push(['lib-name', facts.libraryName], ['lib-ver', facts.libraryVersion]);
    return fields.map(([name, value]) => `${name}=${value}`).join(' ');
  }
}
