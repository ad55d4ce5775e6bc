/**
 * Lengths and strings within a dump, as in Redis's RDB files:
 *
 *   00nnnnnn                  a length up to 63             80, n u32 BE      longer
 *   01nnnnnn nnnnnnnn         up to 16,383                  81, n u64 BE      beyond that
 *   c0, c1, c2                instead of a length: an integer of 1, 2 or 4 bytes LE, which the string spells
 *   c3, length, length, LZF   instead of a length: compressed, so many bytes, and what comes out of them
 */
import { parseInteger } from '../integers.js';
import { limits } from '../limits.js';
import { Compressor, decompress } from './lzf.js';

const LENGTH_14 = 0x40;
const LENGTH_32 = 0x80;
const LENGTH_64 = 0x81;
const INTEGER_8 = 0xc0;
const INTEGER_16 = 0xc1;
const INTEGER_32 = 0xc2;
const COMPRESSED = 0xc3;
/** Redis does not look for integers in what is longer, nor compresses what is not. */
const INTEGER_TEXT_MAX = 11;
const COMPRESSED_MIN = 21;

/** What a dump cannot be read for; nothing is known but that. */
export class DamagedDump extends Error {
  override readonly name = 'DamagedDump';
}

export class DumpWriter {
  readonly #pieces: Buffer[] = [];
  readonly #compressor = new Compressor();
  #compressed = 0;

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  raw(bytes: Buffer): void {
    this.#pieces.push(bytes);
  }

  length(length: number | bigint): void {
    if (typeof length === 'bigint') {
      this.#length64(length);
    } else if (length < 64) {
      this.raw(Buffer.of(length));
    } else if (length < 16_384) {
      this.raw(Buffer.of(LENGTH_14 | (length >> 8), length & 0xff));
    } else {
      const bytes = Buffer.alloc(5, LENGTH_32);
      bytes.writeUInt32BE(length, 1);
      this.raw(bytes);
    }
  }

  #length64(length: bigint): void {
    if (length <= 0xffff_ffffn) return this.length(Number(length));
    const bytes = Buffer.alloc(9, LENGTH_64);
    bytes.writeBigUInt64BE(length, 1);
    this.raw(bytes);
  }

  string(bytes: Buffer): void {
    const integer = bytes.length <= INTEGER_TEXT_MAX ? integerString(bytes) : null;
    const compressed = integer === null ? this.#compress(bytes) : null;
    if (integer !== null) {
      this.raw(integer);
    } else if (compressed !== null) {
      this.raw(Buffer.of(COMPRESSED));
      this.length(compressed.length);
      this.length(bytes.length);
      this.raw(compressed);
    } else {
      this.length(bytes.length);
      this.raw(bytes);
    }
  }

  /** Only so much of a dump: it is slow, and a dump without is as good. */
  #compress(bytes: Buffer): Buffer | null {
    this.#compressed += bytes.length;
    if (bytes.length < COMPRESSED_MIN || this.#compressed > limits.compressedBytes) return null;
    return this.#compressor.compress(bytes);
  }
}

/** Null where the bytes do not spell an integer of up to 32 bits. */
function integerString(bytes: Buffer): Buffer | null {
  const value = Number(parseInteger(bytes) ?? NaN);
  if (value === (value << 24) >> 24) return Buffer.of(INTEGER_8, value & 0xff);
  if (value === (value << 16) >> 16) return Buffer.of(INTEGER_16, value & 0xff, (value >> 8) & 0xff);
  if (value !== (value | 0)) return null;
  const encoded = Buffer.alloc(5, INTEGER_32);
  encoded.writeInt32LE(value, 1);
  return encoded;
}

/** Throws DamagedDump. */
export class DumpReader {
  readonly #bytes: Buffer;
  #at = 0;
  /** What was decompressed so far: a small dump must not become more than a dump may be. */
  #expanded = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get more(): boolean {
    return this.#at < this.#bytes.length;
  }

  /** Aliases the dump. */
  raw(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new DamagedDump('ends early');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  byte(): number {
    return this.raw(1)[0]!;
  }

  length(): number {
    const first = this.byte();
    if (first < LENGTH_14) return first;
    if (first < LENGTH_32) return ((first & 0x3f) << 8) | this.byte();
    if (first === LENGTH_32) return this.raw(4).readUInt32BE(0);
    if (first === LENGTH_64) return Number(this.raw(8).readBigUInt64BE(0));
    throw new DamagedDump('no length');
  }

  /** Exact, also beyond 2^53. */
  length64(): bigint {
    if (this.#bytes[this.#at] !== LENGTH_64) return BigInt(this.length());
    return this.raw(9).readBigUInt64BE(1);
  }

  /** So many things follow, of at least a byte each. */
  count(): number {
    const count = this.length();
    if (count > this.#bytes.length - this.#at) throw new DamagedDump('ends early');
    if (count > limits.dumpParts) throw new DamagedDump('has too many parts');
    return count;
  }

  /** May alias the dump. */
  string(): Buffer {
    switch (this.#bytes[this.#at]) {
      case INTEGER_8:
        return decimal(this.raw(2).readInt8(1));
      case INTEGER_16:
        return decimal(this.raw(3).readInt16LE(1));
      case INTEGER_32:
        return decimal(this.raw(5).readInt32LE(1));
      case COMPRESSED:
        return this.#compressedString();
      default:
        return this.raw(this.length());
    }
  }

  #compressedString(): Buffer {
    this.raw(1);
    const compressed = this.length();
    const length = this.length();
    const bytes = this.raw(compressed);
    this.#expanded += length;
    if (this.#expanded > limits.dumpBytes) throw new DamagedDump('becomes too large');
    const plain = decompress(bytes, length);
    if (plain === null) throw new DamagedDump('compressed wrongly');
    return plain;
  }
}

function decimal(value: number): Buffer {
  return Buffer.from(String(value), 'latin1');
}
