/**
 * Writes messages as msgpack straight into a frame. Reading is msgpackr's; writing is done here, because a request is a dozen
 * small integers and two small Buffers, for which this takes a quarter of the time of a general packer, and because a large Buffer
 * can be handed to the socket as it is, without a copy into the frame.
 */
import { invariant } from '../errors.js';
import { limits } from '../limits.js';

/** Strings up to this length are looked at character by character; most are short ASCII. */
const SHORT_STRING = 24;
const SHORT_BUFFER = 48;
const NOTHING = Buffer.alloc(0);
const TWO_32 = 0x1_0000_0000;

export class Packer {
  #bytes: Buffer;
  #length = 0;
  /** What comes before `#bytes`: filled buffers, and large ones passed through. */
  #chunks: Buffer[] = [];
  #chunkBytes = 0;

  constructor(initialBytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(initialBytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#chunkBytes + this.#length;
  }

  /** Appends `value`: null, booleans, numbers, bigints, strings, Buffers, arrays and plain objects of these. */
  pack(value: unknown): void {
    this.#value(value, 0);
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#putU32(value);
  }

  /** Overwrites four bytes at the very beginning of what was written. */
  patchU32(at: number, value: number): void {
    (this.#chunks[0] ?? this.#bytes).writeUInt32BE(value, at);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Takes what was written: chunks in order, not to be written to again. The packer begins anew, with `fresh` as its buffer. */
  take(fresh: Buffer): Buffer[] {
    const chunks = this.#chunks;
    if (this.#length > 0) chunks.push(this.#bytes.subarray(0, this.#length));
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#length = 0;
    this.#bytes = fresh;
    return chunks;
  }

  /** Goes back to `length`, as `this.length` was before: nothing that was packed since is sent. */
  rewind(length: number): void {
    if (length >= this.#chunkBytes) {
      this.#length = length - this.#chunkBytes;
      return;
    }
    while (length < this.#chunkBytes) {
      const last = this.#chunks.pop()!;
      this.#chunkBytes -= last.length;
      if (length > this.#chunkBytes) {
        this.#push(last.subarray(0, length - this.#chunkBytes));
        break;
      }
    }
    // Not into a chunk again: it may be somebody else's Buffer, passed through.
    this.#bytes = NOTHING;
    this.#length = 0;
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'number':
        return this.#number(value);
      case 'string':
        return this.#string(value);
      case 'boolean':
        return this.byte(value ? 0xc3 : 0xc2);
      case 'bigint':
        return this.#bigint(value);
      case 'undefined':
        return this.byte(0xc0);
      case 'object':
        break;
      default:
        invariant(false, `a message holds no ${typeof value}`);
    }
    if (value === null) return this.byte(0xc0);
    if (value instanceof Uint8Array) return this.#buffer(value);
    invariant(depth < limits.messageDepth, 'a message nests within the limit');
    if (Array.isArray(value)) {
      this.#head(value.length, 0x90, 15, 0xdc);
      for (let i = 0; i < value.length; i++) this.#value(value[i], depth + 1);
      return;
    }
    const entries = Object.entries(value as object).filter(([, field]) => field !== undefined);
    this.#head(entries.length, 0x80, 15, 0xde);
    for (const [name, field] of entries) {
      this.#string(name);
      this.#value(field, depth + 1);
    }
  }

  #number(value: number): void {
    this.#reserve(9);
    const bytes = this.#bytes;
    if (value >= 0 && value < TWO_32 && value === Math.floor(value) && (value !== 0 || 1 / value > 0)) {
      if (value < 0x80) {
        bytes[this.#length++] = value;
      } else if (value < 0x100) {
        bytes[this.#length++] = 0xcc;
        bytes[this.#length++] = value;
      } else if (value < 0x10000) {
        bytes[this.#length++] = 0xcd;
        this.#putU16(value);
      } else {
        bytes[this.#length++] = 0xce;
        this.#putU32(value);
      }
    } else if (value < 0 && value >= -0x8000_0000 && value === Math.floor(value)) {
      if (value >= -0x20) {
        bytes[this.#length++] = value & 0xff;
      } else {
        bytes[this.#length++] = 0xd2;
        this.#putU32(value >>> 0);
      }
    } else {
      // A double holds every integer that a number can.
      bytes[this.#length++] = 0xcb;
      this.#length = bytes.writeDoubleBE(value, this.#length);
    }
  }

  #bigint(value: bigint): void {
    this.#reserve(9);
    const signed = value < 0n;
    invariant(value >= -(2n ** 63n) && value < 2n ** 64n, 'an integer in a message has 64 bits');
    this.#bytes[this.#length++] = signed ? 0xd3 : 0xcf;
    this.#length = this.#bytes.writeBigUInt64BE(BigInt.asUintN(64, value), this.#length);
  }

  #string(text: string): void {
    const { length } = text;
    if (length <= SHORT_STRING) {
      this.#reserve(1 + length);
      const start = this.#length;
      const bytes = this.#bytes;
      let i = 0;
      for (; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code >= 0x80) break;
        bytes[start + 1 + i] = code;
      }
      if (i === length) {
        bytes[start] = 0xa0 | length;
        this.#length = start + 1 + length;
        return;
      }
    }
    const byteLength = Buffer.byteLength(text);
    this.#head(byteLength, 0xa0, 31, 0xda, 0xd9);
    this.#reserve(byteLength);
    this.#length += this.#bytes.write(text, this.#length);
  }

  #buffer(value: Uint8Array): void {
    const { length } = value;
    if (length < 0x100) {
      this.#reserve(2 + length);
      this.#bytes[this.#length++] = 0xc4;
      this.#bytes[this.#length++] = length;
    } else if (length < 0x10000) {
      this.#reserve(3);
      this.#bytes[this.#length++] = 0xc5;
      this.#putU16(length);
    } else {
      this.#reserve(5);
      this.#bytes[this.#length++] = 0xc6;
      this.#putU32(length);
    }
    if (length >= limits.passThroughBytes) return this.#passThrough(value);
    this.#reserve(length);
    const bytes = this.#bytes;
    if (length <= SHORT_BUFFER) {
      // A short copy in JavaScript is cheaper than the call into native code.
      let at = this.#length;
      for (let i = 0; i < length; i++) bytes[at++] = value[i]!;
    } else {
      bytes.set(value, this.#length);
    }
    this.#length += length;
  }

  /** A large Buffer goes to the socket itself; the rest of our buffer is used after it. */
  #passThrough(value: Uint8Array): void {
    if (this.#length > 0) this.#push(this.#bytes.subarray(0, this.#length));
    this.#push(Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length));
    this.#bytes = this.#bytes.subarray(this.#length);
    this.#length = 0;
  }

  #push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
  }

  #head(count: number, fix: number, fixMost: number, wide: number, narrow?: number): void {
    this.#reserve(5);
    const bytes = this.#bytes;
    if (count <= fixMost) {
      bytes[this.#length++] = fix | count;
    } else if (narrow !== undefined && count < 0x100) {
      bytes[this.#length++] = narrow;
      bytes[this.#length++] = count;
    } else if (count < 0x10000) {
      bytes[this.#length++] = wide;
      this.#putU16(count);
    } else {
      // In msgpack the 32-bit form follows the 16-bit one.
      bytes[this.#length++] = wide + 1;
      this.#putU32(count);
    }
  }

  #putU16(value: number): void {
    this.#bytes[this.#length++] = value >>> 8;
    this.#bytes[this.#length++] = value & 0xff;
  }

  #putU32(value: number): void {
    const bytes = this.#bytes;
    bytes[this.#length++] = value >>> 24;
    bytes[this.#length++] = (value >>> 16) & 0xff;
    bytes[this.#length++] = (value >>> 8) & 0xff;
    bytes[this.#length++] = value & 0xff;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes > this.#bytes.length) this.#grow(bytes);
  }

  /** What is filled stays where it is, so that nothing is copied. */
  #grow(bytes: number): void {
    if (this.#length > 0) this.#push(this.#bytes.subarray(0, this.#length));
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(bytes, limits.gatherBytes));
    this.#length = 0;
  }
}
