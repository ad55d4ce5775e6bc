/**
 * One client connection. Requests are taken from its bytes one at a time and dispatched; replies leave
 * strictly in the order of the requests, whatever order the answers come in: each request that is not
 * answered on the spot holds its place in a queue (Pending).
 *
 * It stops reading (in the middle of a chunk where need be) while the router is congested, while too
 * many replies are outstanding, while the client does not read what it is owed, and while it is held
 * (CLIENT PAUSE, DEBUG SLEEP). So what a client can pile up here is bounded.
 */
import type { Socket } from 'node:net';
import type { User } from '../shared/acl/user.js';
import { ErrorReply, type Reply } from '../shared/commands/reply.js';
import type { TranslateContext } from '../shared/commands/command.js';
import type { Timer } from '../shared/environment.js';
import { limits } from '../shared/limits.js';
import type { Watched } from '../shared/operations/transactions.js';
import type { RoutedConnection } from '../shared/routing/request.js';
import { DATABASES, type ProxyContext } from './context.js';
import type { Dispatcher } from './dispatch.js';
import { Identity } from './identity.js';
import type { Pending } from './pending.js';
import { ReplyPeak } from './reply-peak.js';
import { ReplyQueue } from './reply-queue.js';
import { encodeReply, Output } from './resp/encoder.js';
import { ProtocolError, RequestParser } from './resp/request-parser.js';
import type { Subscriber } from './pubsub/subscriber.js';
import type { TrackingMode } from './tracking/tracking-mode.js';
import type { Transaction } from './transaction.js';
import type { PendingWait } from './waiting.js';

export interface ClientFacts {
  name: string;
  libraryName: string;
  libraryVersion: string;
  /** Full name of the last command, as CLIENT LIST shows. */
  lastCommand: string;
  noEvict: boolean;
  noTouch: boolean;
}

export class Session {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly connectedAtMs: number;
  readonly routed: RoutedConnection;
  readonly facts: ClientFacts = {
    name: '',
    libraryName: '',
    libraryVersion: '',
    lastCommand: 'NULL',
    noEvict: false,
    noTouch: false,
  };
  readonly output = new Output();
  readonly replyPeak: ReplyPeak;
  readonly identity: Identity;
  /** Since MULTI. */
  transaction: Transaction | null = null;
  watched: Watched[] = [];
  /** What it waits for (BLPOP). */
  waiting: PendingWait | null = null;
  /** What translations see of this connection; replaced, never changed, as pending requests keep theirs. */
  context: TranslateContext;
  lastActiveMs: number;
  /** True when this turn's end will write `output`. */
  flushQueued = false;
  /** CLIENT REPLY OFF. */
  repliesOff = false;
  /** CLIENT REPLY SKIP: 2 for itself, 1 for the next request; one less with every request. */
  skipReplies = 0;
  /** The command's name in the request being dispatched, as it came. */
  calledAs = '';
  /** Bytes of the request being dispatched. */
  requestBytes = 0;
  closed = false;
  /** What it is subscribed to; null: nothing. */
  subscriber: Subscriber | null = null;
  /** CLIENT TRACKING; null: off. */
  tracking: TrackingMode | null = null;
  /** Messages published and not yet passed on: what comes after need not wait for them. */
  publishing = 0;
  /** What runs when everything asked before has been answered, or executed. */
  private whenDone: { readonly isDue: () => boolean; readonly run: () => void } | null = null;
  private readonly proxy: ProxyContext;
  private readonly dispatcher: Dispatcher;
  private readonly socket: Socket;
  private readonly parser: RequestParser;
  private readonly parserLimits: { bulkBytesMax: number; unauthenticated: boolean };
  private readonly replies = new ReplyQueue(this.output);
  private ended = false;
  /** The connection ends when everything owed has been written. */
  private closing = false;
  private held = 0;
  private outputFull = false;
  private outputFullSinceMs = 0;
  private pumping = false;
  private readonly closingTimers: Timer[] = [];

  constructor(id: number, socket: Socket, proxy: ProxyContext, dispatcher: Dispatcher) {
    const { configuration } = proxy;
    this.id = id;
    this.socket = socket;
    this.proxy = proxy;
    this.dispatcher = dispatcher;
    this.address = `${hostText(socket.remoteAddress)}:${socket.remotePort ?? 0}`;
    this.localAddress = `${hostText(socket.localAddress)}:${socket.localPort ?? 0}`;
    this.connectedAtMs = proxy.clock.nowMs;
    this.lastActiveMs = this.connectedAtMs;
    this.replyPeak = new ReplyPeak(this.connectedAtMs);
    this.context = { resp: 2, db: 0, databases: DATABASES, ...configuration.settings.translation };
    this.parserLimits = { bulkBytesMax: configuration.settings.protoMaxBulkLen, unauthenticated: false };
    this.identity = new Identity(proxy.users, this.parserLimits, (user) => this.restrict(user));
    this.parser = new RequestParser(this.parserLimits);
    this.routed = proxy.router.connect(() => this.pump());
    this.listen();
  }

  private listen(): void {
    const { socket } = this;
    const { tcpKeepaliveS } = this.proxy.configuration.settings;
    socket.setNoDelay(true);
    if (tcpKeepaliveS > 0) socket.setKeepAlive(true, tcpKeepaliveS * 1000);
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('end', () => this.onEnd());
    socket.on('drain', () => this.onDrain());
    // A reset connection is a client's business; 'close' follows.
    socket.on('error', () => this.destroy());
    socket.on('close', () => this.onClose());
  }

  get database(): number {
    return this.context.db;
  }

  get resp(): 2 | 3 {
    return this.context.resp;
  }

  /** As CLIENT LIST shows: N nothing special, e no-evict, T no-touch, c closing after replies. */
  get flags(): string {
    const { subscriber, transaction, waiting, tracking, closing, facts } = this;
    const flags = [
      this.proxy.messaging.monitors.has(this) ? 'O' : '',
      subscriber !== null ? 'P' : '',
      transaction !== null ? 'x' : '',
      waiting !== null ? 'b' : '',
      tracking !== null ? 't' : '',
      tracking?.brokenRedirect === true ? 'R' : '',
      tracking?.broadcast === true ? 'B' : '',
      closing ? 'c' : '',
      facts.noEvict ? 'e' : '',
      facts.noTouch ? 'T' : '',
    ].join('');
    return flags === '' ? 'N' : flags;
  }

  /** It is told nothing more than what it is owed: QUIT, for one. */
  get leaving(): boolean {
    return this.closing || this.closed;
  }

  get pendingReplies(): number {
    return this.replies.count;
  }

  /** Bytes that wait for the client to read. */
  get outputBytes(): number {
    return this.output.bytes + this.socket.writableLength;
  }

  get queryBytes(): number {
    return this.parser.bufferedBytes;
  }

  /** True when CLIENT REPLY says that the request being dispatched gets no reply. */
  get silent(): boolean {
    return this.repliesOff || this.skipReplies > 0;
  }

  select(db: number): void {
    this.context = { ...this.context, db };
  }

  useProtocol(resp: 2 | 3): void {
    this.context = { ...this.context, resp };
  }

  /** What scripts may do is checked where they run. */
  private restrict(user: User | null): void {
    const { user: before, ...context } = this.context;
    if (user !== (before ?? null)) this.context = user === null ? context : { ...context, user };
  }

  /** After CONFIG SET. */
  refreshSettings(): void {
    const { settings } = this.proxy.configuration;
    this.parserLimits.bulkBytesMax = settings.protoMaxBulkLen;
    const { resp, db, databases, user } = this.context;
    this.context = { resp, db, databases, ...(user === undefined ? {} : { user }), ...settings.translation };
  }

  /** Its user is gone, or may not listen to this any more: it ends, once what it is still owed is written. */
  expel(): void {
    if (this.waiting === null && this.replies.count > 0) this.closeAfterReplies();
    else this.destroy();
  }

  beginWait(waiting: PendingWait): void {
    this.waiting = waiting;
    this.hold();
  }

  endWait(): void {
    this.waiting = null;
    this.release();
  }

  forgetTransaction(): void {
    this.transaction = null;
    this.watched = [];
  }

  /** Takes no more requests until as many calls of `release`. */
  hold(): void {
    this.held += 1;
  }

  release(): void {
    this.held -= 1;
    this.pump();
  }

  private onData(chunk: Buffer): void {
    this.proxy.statistics.inputBytes += chunk.length;
    this.proxy.statistics.reads += 1;
    this.lastActiveMs = this.proxy.clock.nowMs;
    if (this.closing) return;
    this.parser.push(chunk);
    this.pump();
  }

  private stalled(): boolean {
    return (
      this.closing || this.closed || this.held > 0 || this.outputFull || this.routed.congested || this.replies.full
    );
  }

  /** Dispatches what has arrived, as far as it may. */
  private pump(): void {
    if (this.pumping || this.closed) return;
    this.pumping = true;
    try {
      while (!this.stalled()) {
        const args = this.parser.next();
        if (args === null) break;
        this.requestBytes = this.parser.requestBytes;
        this.dispatcher.dispatch(this, this.parser.name, args);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.proxy.statistics.error('ERR');
      this.replyNow(new ErrorReply(`ERR Protocol error: ${error.message}`));
      this.closeAfterReplies();
    } finally {
      this.pumping = false;
    }
    this.afterPump();
  }

  private afterPump(): void {
    if (this.closed) return;
    if (this.closing) {
      this.finishClosing();
      return;
    }
    const buffered = this.parser.bufferedBytes + (this.transaction?.bytes ?? 0);
    const allowed = this.identity.authenticated
      ? this.proxy.configuration.settings.queryBufferLimit
      : limits.unauthenticatedBufferBytes;
    if (buffered > allowed) {
      this.proxy.logger.warn(
        { client: this.id, address: this.address, buffered, allowed },
        'closing client: its query buffer is over the limit',
      );
      this.destroy();
      return;
    }
    // who waits is still listened to: its end must not take what another client could have
    if (this.stalled() && (this.waiting === null || buffered > limits.waitingInputBytes)) this.socket.pause();
    else if (this.socket.isPaused()) this.socket.resume();
    if (this.ended && !this.stalled()) this.closeAfterReplies();
  }

  /** The client sends no more; what it sent completely still runs and is answered. */
  private onEnd(): void {
    this.ended = true;
    if (this.waiting !== null) this.destroy();
    else this.pump();
  }

  /** Takes a place in the order of replies. */
  enqueue(pending: Pending): void {
    this.replies.enqueue(pending);
  }

  /** Answers the request being dispatched, behind those that wait. */
  replyNow(reply: Reply): void {
    if (!this.silent && this.replies.answer(reply, this.context.resp)) this.queueFlush();
  }

  /** The reply to a place taken with `enqueue`. `silent`: its client wants none. */
  complete(pending: Pending, reply: Reply, resp: 2 | 3, silent: boolean): void {
    const isNext = !this.closed && this.replies.complete(pending, reply, resp, silent);
    if (this.whenDone !== null) this.lookWhetherDone();
    if (!isNext) return;
    this.queueFlush();
    if (this.closing) this.finishClosing();
    else if (this.socket.isPaused() && !this.pumping && !this.stalled()) this.pump();
  }

  /** Runs once all requests so far are answered. The session is to be held until then. */
  whenAnswered(run: () => void): void {
    this.when(() => this.replies.count === 0, run);
  }

  /** Runs once everything but what is being published has been executed; until then no more requests are taken. */
  afterOperations(run: () => void): void {
    const isDue = (): boolean => this.routed.outstanding === this.publishing;
    if (isDue()) return run();
    this.hold();
    this.when(isDue, () => {
      run();
      this.release();
    });
  }

  private when(isDue: () => boolean, run: () => void): void {
    if (isDue()) run();
    else this.whenDone = { isDue, run };
  }

  private lookWhetherDone(): void {
    const { whenDone } = this;
    if (whenDone === null || !whenDone.isDue()) return;
    this.whenDone = null;
    whenDone.run();
  }

  pushText(text: string): void {
    if (this.closed) return;
    this.output.append(text);
    this.queueFlush();
  }

  /** A push behind the replies to all requests so far; one that waits (BLPOP) is not waited for. */
  pushBehind(reply: Reply): void {
    if (this.closed) return;
    if (this.waiting !== null && this.replies.count === 1) this.push(reply);
    else if (this.replies.answer(reply, this.context.resp)) this.queueFlush();
  }

  /** A push outside the order of replies. */
  push(reply: Reply): void {
    if (this.closed) return;
    encodeReply(this.output, reply, this.context.resp);
    this.queueFlush();
  }

  private queueFlush(): void {
    if (this.flushQueued) return;
    this.flushQueued = true;
    this.proxy.flushLater(this);
  }

  /** Writes what this turn gathered: one write to the socket. */
  flush(): void {
    this.flushQueued = false;
    if (this.closed || this.output.bytes === 0) return;
    const { clients, clock } = this.proxy;
    this.replyPeak.wrote(this.output.bytes, clock.nowMs, clients.peakForgottenMs);
    this.proxy.statistics.outputBytes += this.output.bytes;
    this.proxy.statistics.writes += 1;
    const content = this.output.take();
    if (typeof content === 'string') this.socket.write(content, 'latin1');
    else {
      this.socket.cork();
      for (const piece of content) {
        if (typeof piece !== 'string') this.socket.write(piece);
        else if (piece.length > 0) this.socket.write(piece, 'latin1');
      }
      this.socket.uncork();
    }
    if (this.socket.writableLength > limits.clientOutputPauseBytes && !this.outputFull) {
      this.outputFull = true;
      this.outputFullSinceMs = this.proxy.clock.nowMs;
      this.socket.pause();
    }
    this.checkOutputLimit();
  }

  /** Also called about once a second, for the soft limit. */
  checkOutputLimit(): void {
    const bytes = this.socket.writableLength;
    if (bytes === 0) return;
    const { normalOutputLimit, pubsubOutputLimit } = this.proxy.configuration.settings;
    const { hardBytes, softBytes, softSeconds } = this.subscriber === null ? normalOutputLimit : pubsubOutputLimit;
    const hard = this.identity.authenticated
      ? Math.min(hardBytes === 0 ? limits.clientOutputBytes : hardBytes, limits.clientOutputBytes)
      : limits.unauthenticatedOutputBytes;
    const overSoft =
      softBytes > 0 &&
      bytes > softBytes &&
      this.outputFull &&
      this.proxy.clock.nowMs - this.outputFullSinceMs > softSeconds * 1000;
    if (bytes <= hard && !overSoft) return;
    this.proxy.logger.warn(
      { client: this.id, address: this.address, bytes },
      'closing client: it does not read and its output is over the limit',
    );
    this.destroy();
  }

  private onDrain(): void {
    if (!this.outputFull) return;
    this.outputFull = false;
    this.pump();
  }

  /** QUIT, protocol errors, CLIENT KILL of oneself: no more requests; the connection ends when all replies are written. */
  closeAfterReplies(): void {
    this.closing = true;
    if (!this.pumping) this.finishClosing();
  }

  private finishClosing(): void {
    if (this.closed || this.replies.count > 0) return;
    this.flush();
    if (this.closed) return;
    if (this.closingTimers.length > 0) return;
    const { environment } = this.proxy;
    // What still comes is read and dropped for a moment: closing over unread data resets the connection, and the
    // client would never see the last reply. A client that goes on sending, or does not read, is not waited for.
    this.socket.end(() => {
      if (!this.closed) this.closingTimers.push(environment.after(limits.closingGraceMs, () => this.destroy()));
    });
    this.closingTimers.push(environment.after(limits.closingTimeoutMs, () => this.destroy()));
    this.socket.resume();
  }

  destroy(): void {
    if (!this.closed) this.socket.destroy();
    this.onClose();
  }

  private onClose(): void {
    if (this.closed) return;
    this.closed = true;
    this.waiting?.stop('timeout');
    this.proxy.messaging.forget(this);
    this.proxy.router.release(this.routed);
    this.proxy.clients.remove(this);
    for (const timer of this.closingTimers) timer.cancel();
  }
}

function hostText(address: string | undefined): string {
  if (address === undefined) return '?';
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return plain.includes(':') ? `[${plain}]` : plain;
}
