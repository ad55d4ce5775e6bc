/**
 * Frames on a connection: `length u32 | msgpack array of messages`. The length counts what follows it. Messages are packed
 * into the open frame as they are sent; closing it fills in how many there are.
 *
 * Unpacked Buffers alias the bytes that came from the socket: whoever keeps one for long copies it.
 */
import { Unpackr } from 'msgpackr';
import { OperatingError } from '../errors.js';
import { limits } from '../limits.js';
import type { Message } from './messages.js';
import { Packer } from './pack.js';

const LENGTH_BYTES = 4;
/** An array whose count has 32 bits: the count is filled in when the frame ends. */
const ARRAY_32 = 0xdd;

// A 64-bit integer in a frame was a bigint, and becomes one again.
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'bigint' });

/** Buffers that frames are written into, used again once the kernel has taken them. */
export class FramePool {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(limits.gatherBytes);
  }

  give(buffer: Buffer): void {
    if (this.#free.length < limits.pooledFrames) this.#free.push(buffer);
  }
}

/** One frame under way to a peer. */
export class FrameWriter {
  readonly #pool: FramePool;
  readonly #packer: Packer;
  /** The pool's buffer that the packer writes into. */
  #buffer: Buffer;
  #count = 0;

  constructor(pool: FramePool) {
    this.#pool = pool;
    this.#buffer = pool.take();
    this.#packer = new Packer(0);
    this.#packer.take(this.#buffer);
  }

  get length(): number {
    return this.#packer.length;
  }

  /** Packs a message. An error (something that cannot be packed, or more than a frame may hold) leaves the frame as it was. */
  add(message: Message): void {
    const packer = this.#packer;
    const before = packer.length;
    if (before === 0) {
      packer.u32(0);
      packer.byte(ARRAY_32);
      packer.u32(0);
    }
    try {
      packer.pack(message);
      if (packer.length - LENGTH_BYTES > limits.frameBytes) {
        throw new OperatingError(
          'E_WIRE',
          `a message of kind ${message[0]} is larger than a frame may be (${limits.frameBytes} bytes)`,
        );
      }
    } catch (error) {
      packer.rewind(before);
      throw error;
    }
    this.#count++;
  }

  /** Ends the frame and hands over its chunks; call `sent` when the kernel has them. */
  take(): { chunks: Buffer[]; sent: () => void } {
    const packer = this.#packer;
    packer.patchU32(0, packer.length - LENGTH_BYTES);
    packer.patchU32(LENGTH_BYTES + 1, this.#count);
    this.#count = 0;
    const used = this.#buffer;
    this.#buffer = this.#pool.take();
    return { chunks: packer.take(this.#buffer), sent: () => this.#pool.give(used) };
  }

  /** Gives the buffer back; the writer is not used again. */
  close(): void {
    this.#pool.give(this.#buffer);
  }
}

/** A frame without messages: says that the sender lives. */
export const EMPTY_FRAME = Buffer.from([0, 0, 0, 1, 0x90]);

/** A frame of raw bytes, for handshakes. */
export function rawFrame(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + payload.length);
  frame.writeUInt32BE(payload.length);
  payload.copy(frame, LENGTH_BYTES);
  return frame;
}

/**
 * Cuts a byte stream, in whatever pieces it comes, into frames. A frame above the limit is refused when its length is read;
 * memory is taken only for what has come. A frame that lies in one piece is handed over without a copy.
 */
export class FrameReader {
  /** May be changed between frames: less is allowed to strangers. */
  limitBytes: number;
  #pieces: Buffer[] = [];
  #piecesBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Of a frame that is not complete yet. */
  get pendingBytes(): number {
    return this.#piecesBytes;
  }

  /** Calls `each` for every frame that is complete, until it returns false. Throws E_WIRE on a frame above the limit. */
  push(piece: Buffer, each: (payload: Buffer) => boolean): void {
    if (this.#piecesBytes === 0) return this.#cut(piece, each);
    this.#pieces.push(piece);
    this.#piecesBytes += piece.length;
    if (this.#piecesBytes < LENGTH_BYTES || this.#piecesBytes < LENGTH_BYTES + this.#nextLength()) return;
    const bytes = Buffer.concat(this.#pieces, this.#piecesBytes);
    this.#pieces = [];
    this.#piecesBytes = 0;
    this.#cut(bytes, each);
  }

  #cut(bytes: Buffer, each: (payload: Buffer) => boolean): void {
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32BE(at);
      this.#check(length);
      const end = at + LENGTH_BYTES + length;
      if (end > bytes.length) break;
      if (!each(bytes.subarray(at + LENGTH_BYTES, end))) return;
      at = end;
    }
    if (at === bytes.length) return;
    this.#pieces.push(bytes.subarray(at));
    this.#piecesBytes = bytes.length - at;
  }

  /** The length of the frame that the pieces begin with. */
  #nextLength(): number {
    if (this.#pieces[0]!.length < LENGTH_BYTES) this.#pieces = [Buffer.concat(this.#pieces, this.#piecesBytes)];
    const length = this.#pieces[0]!.readUInt32BE(0);
    this.#check(length);
    return length;
  }

  #check(length: number): void {
    if (length > this.limitBytes)
      throw new OperatingError('E_WIRE', `a frame of ${length} bytes, more than the ${this.limitBytes} allowed`);
  }
}

/** The messages of a frame. Throws E_WIRE when it is not an array of messages. */
export function unpackFrame(payload: Buffer): Message[] {
  let messages: unknown;
  try {
    messages = unpackr.unpack(payload);
  } catch (error) {
    throw new OperatingError('E_WIRE', 'a frame that is not msgpack', { cause: error });
  }
  if (!Array.isArray(messages) || !messages.every(isMessage))
    throw new OperatingError('E_WIRE', 'a frame that holds no messages');
  return messages;
}

function isMessage(value: unknown): value is Message {
  return Array.isArray(value) && typeof value[0] === 'number';
}
