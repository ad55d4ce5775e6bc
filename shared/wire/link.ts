/**
 * One connection to another node: the handshake, then frames both ways. What it sends in a turn of the event loop leaves with one
 * write at the turn's end. A link knows nothing of other links; which one a message takes is the network's choice.
 */
import type { Socket } from 'node:net';
import type { Environment, Timer } from '../environment.js';
import { OperatingError } from '../errors.js';
import { limits } from '../limits.js';
import { EMPTY_FRAME, type FramePool, FrameReader, FrameWriter, rawFrame, unpackFrame } from './framing.js';
import {
  type Hello,
  type Side,
  type Step,
  decodeStep,
  encodeStep,
  hello,
  isProof,
  objection,
  proof,
} from './handshake.js';
import type { Message } from './messages.js';
import type { Origin } from './network.js';

export interface LinkOptions {
  readonly environment: Environment;
  readonly self: Origin;
  readonly cluster: string;
  /** Empty: none. */
  readonly secret: string;
  readonly pool: FramePool;
}

/** What a link tells the network that owns it. Nothing comes after `onClosed`. */
export interface LinkEvents {
  /** The peer said who it is. A text refuses it. */
  onHello(link: Link, peer: Origin): string | null;
  onReady(link: Link): void;
  /** The messages of one frame. The link may be closed while they are handled. */
  onMessages(link: Link, messages: readonly Message[]): void;
  /** `refusal`: why, when one side did not want the other; empty when the connection just broke, or was never made. */
  onClosed(link: Link, refusal: string, error: Error | null): void;
  /** Something is gathered: call flush at the end of the turn. */
  onGathering(link: Link): void;
}

export class Link {
  readonly side: Side;
  readonly remote: string;
  #peer: Origin | null = null;
  readonly #socket: Socket;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #hello: Hello;
  #theirHello: Hello | null = null;
  readonly #reader = new FrameReader(limits.handshakeBytes);
  #writer: FrameWriter | null = null;
  #deadline: Timer;
  #ready = false;
  #closed = false;
  #gathering = false;
  #sentAt: number;
  #heardAt: number;

  constructor(socket: Socket, side: Side, remote: string, options: LinkOptions, events: LinkEvents) {
    this.#socket = socket;
    this.side = side;
    this.remote = remote;
    this.#options = options;
    this.#events = events;
    this.#hello = hello(options.self, options.cluster);
    this.#sentAt = this.#heardAt = options.environment.monotonicMs();
    this.#deadline =
      side === 'dialer'
        ? options.environment.after(limits.connectMs, () => this.close('', new Error('no connection in time')))
        : this.#handshakeDeadline();
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#onData(bytes));
    socket.on('end', () => this.close(''));
    socket.on('error', (error) => this.close('', error));
    socket.on('close', () => this.close(''));
    // Who listens says nothing to whom has not said who it is.
    if (side === 'dialer') socket.once('connect', () => this.#onConnect());
  }

  #onConnect(): void {
    this.#deadline.cancel();
    this.#deadline = this.#handshakeDeadline();
    this.#say(this.#hello);
  }

  #handshakeDeadline(): Timer {
    return this.#options.environment.after(limits.handshakeMs, () => this.close('no handshake in time'));
  }

  /** Who is at the other end; known once it said hello. */
  get peer(): Origin | null {
    return this.#peer;
  }

  get ready(): boolean {
    return this.#ready && !this.#closed;
  }

  get queuedBytes(): number {
    return this.#socket.writableLength + (this.#gathering ? this.#writer!.length : 0);
  }

  /** A large frame is coming in, and goes on coming. */
  get receiving(): boolean {
    if (this.#reader.pendingBytes < limits.largeFrameBytes) return false;
    return this.#options.environment.monotonicMs() - this.#heardAt < limits.frameStallMs;
  }

  /** Only when ready. Throws when the message cannot be packed. */
  send(message: Message): void {
    const writer = (this.#writer ??= new FrameWriter(this.#options.pool));
    writer.add(message);
    if (writer.length >= limits.gatherBytes) {
      this.#gathering = true;
      this.flush();
      if (this.#socket.writableLength > limits.linkQueueBytesMax) {
        // Not now: whoever sends does not expect to hear of a lost connection while it does.
        this.#options.environment.defer(() => this.close('it does not take what it is sent'));
      }
    } else if (!this.#gathering) {
      this.#gathering = true;
      this.#events.onGathering(this);
    }
  }

  flush(): void {
    if (!this.#gathering || this.#closed) return;
    this.#gathering = false;
    this.#sentAt = this.#options.environment.monotonicMs();
    const { chunks, sent } = this.#writer!.take();
    if (chunks.length === 1) {
      this.#socket.write(chunks[0]!, sent);
      return;
    }
    this.#socket.cork();
    for (const [index, chunk] of chunks.entries()) {
      if (index === chunks.length - 1) this.#socket.write(chunk, sent);
      else this.#socket.write(chunk);
    }
    this.#socket.uncork();
  }

  /** Called now and then: shows that we live, and gives the peer up that has been silent for too long. */
  keepAlive(nowMs: number): void {
    if (!this.#ready || this.#closed) return;
    if (nowMs - this.#heardAt > limits.linkSilenceMs) {
      // what the kernel still holds for it must not arrive after what is said over another link
      this.#socket.resetAndDestroy();
      return this.close('it has been silent for too long');
    }
    if (nowMs - this.#sentAt >= limits.keepaliveMs && this.#socket.writableLength === 0) {
      this.#sentAt = nowMs;
      this.#socket.write(EMPTY_FRAME);
    }
  }

  /** The process was not running for a while, which says nothing about the peer. */
  excuseSilence(nowMs: number): void {
    this.#heardAt = nowMs;
  }

  /** Sends what is gathered, then closes. */
  end(): void {
    if (this.#closed) return;
    this.flush();
    this.#finish('', null);
    this.#socket.destroySoon();
    this.#destroyLater();
  }

  /** Tells a stranger why, when there is a reason, and closes. */
  close(refusal: string, error: Error | null = null): void {
    if (this.#closed) return;
    const tells = refusal !== '' && !this.#ready && this.#socket.writable;
    if (tells) this.#say({ step: 'refuse', reason: refusal });
    this.#finish(refusal, error);
    if (!tells) {
      this.#socket.destroy();
      return;
    }
    // The peer reads the reason before the end.
    this.#socket.end();
    this.#destroyLater();
  }

  /** A peer that does not read on is not waited for. */
  #destroyLater(): void {
    const timer = this.#options.environment.after(limits.handshakeMs, () => this.#socket.destroy());
    this.#socket.once('close', () => timer.cancel());
  }

  #finish(refusal: string, error: Error | null): void {
    this.#closed = true;
    this.#deadline.cancel();
    this.#writer?.close();
    this.#socket.removeAllListeners('data');
    this.#socket.resume();
    this.#events.onClosed(this, refusal, error);
  }

  #onData(bytes: Buffer): void {
    this.#heardAt = this.#options.environment.monotonicMs();
    let refusal: string | null = null;
    try {
      this.#reader.push(bytes, (payload) => {
        if (this.#ready) this.#events.onMessages(this, unpackFrame(payload));
        else refusal = this.#onStep(decodeStep(payload));
        return refusal === null && !this.#closed;
      });
    } catch (error) {
      // Only what the peer sent can be at fault here; anything else is a bug of ours and must not be hidden.
      if (!(error instanceof OperatingError) || error.code !== 'E_WIRE') throw error;
      refusal = error.message;
    }
    if (refusal !== null) this.close(refusal);
  }

  /** One step of the peer's handshake; a text refuses it. */
  #onStep(step: Step | null): string | null {
    if (step === null) return 'not a Tulpar handshake';
    if (step.step === 'refuse') {
      this.#finish(`it refused us: ${step.reason}`, null);
      this.#socket.destroy();
      return null;
    }
    if (step.step === 'hello') {
      if (this.#theirHello !== null) return 'two hellos';
      const reason = objection(this.#hello, step);
      if (reason !== null) return reason;
      this.#theirHello = step;
      this.#peer = { node: step.node, boot: step.boot, role: step.role };
      const refusal = this.#events.onHello(this, this.#peer);
      if (refusal !== null) return refusal;
      if (this.side === 'listener') this.#say(this.#hello);
      this.#say({ step: 'ready', proof: this.#proofOf(this.side, this.#hello, step) });
      return null;
    }
    if (this.#theirHello === null) return 'no hello';
    const otherSide = this.side === 'dialer' ? 'listener' : 'dialer';
    if (!isProof(step.proof, this.#proofOf(otherSide, this.#theirHello, this.#hello))) return 'wrong secret';
    this.#ready = true;
    this.#reader.limitBytes = limits.frameBytes;
    this.#deadline.cancel();
    this.#events.onReady(this);
    return null;
  }

  #proofOf(side: Side, prover: Hello, verifier: Hello): string {
    return this.#options.secret === '' ? '' : proof(this.#options.secret, side, prover, verifier);
  }

  #say(step: Step): void {
    this.#socket.write(rawFrame(encodeStep(step)));
  }
}
