/**
 * A HyperLogLog as the string that Redis keeps, byte for byte, so that GET, DUMP and copies between the two agree:
 *
 *   HYLL | encoding u8 (0 dense, 1 sparse) | 3 x 0 | cached count u64 LE | registers
 *
 * The cached count's highest bit says that it is out of date. Dense registers have 6 bits each, the first in the
 * low bits of the first byte. Sparse ones are runs, which must cover all registers:
 *
 *   00nnnnnn            n + 1 registers of 0
 *   01nnnnnn nnnnnnnn   n + 1 registers of 0
 *   1vvvvvnn            n + 1 registers of v + 1
 *
 * A sparse sketch is changed where it lies: the run around a register is split, and neighbours that became equal are
 * joined as far as Redis looks. How the runs lie depends on the order in which registers changed, so all of that
 * follows Redis exactly. It becomes dense when it would be longer than allowed, or a register is above 32.
 */
import { ClientError } from '../errors.js';
import { emptyRegisters, REGISTERS, type Registers } from './registers.js';

const HEADER_BYTES = 16;
const ENCODING_AT = 4;
const CACHED_AT = 8;
const OUT_OF_DATE_AT = 15;
const OUT_OF_DATE = 0x80;
const DENSE = 0;
const SPARSE = 1;

const REGISTER_BITS = 6;
const REGISTER_MASK = 0x3f;
const DENSE_BYTES = HEADER_BYTES + (REGISTERS * REGISTER_BITS) / 8;

const MAGIC = Buffer.from('HYLL', 'latin1');
const VALUES = 0x80;
const LONG_ZEROS = 0x40;
const SHORT_ZEROS_MAX = 64;
const VALUES_MAX = 4;
const SPARSE_VALUE_MAX = 32;
/** How many runs, from the one before the change on, Redis looks at for neighbours to join. */
const JOINED_RUNS = 5;
/** A change needs this much more at most: long zeros become long zeros, a value and long zeros. */
const GROWTH_BYTES = 3;

const CORRUPT = 'INVALIDOBJ Corrupted HLL object detected';

/** Whether a string passes for a HyperLogLog, as far as Redis looks at once. */
export function isSketch(value: Buffer): boolean {
  if (value.length < HEADER_BYTES || !value.subarray(0, MAGIC.length).equals(MAGIC)) return false;
  const encoding = value[ENCODING_AT];
  return encoding === SPARSE || (encoding === DENSE && value.length === DENSE_BYTES);
}

export class Sketch {
  /** With room behind the end, which is zeros where nothing was. */
  #bytes: Buffer;
  #end: number;

  private constructor(bytes: Buffer, end: number) {
    this.#bytes = bytes;
    this.#end = end;
  }

  static empty(): Sketch {
    const bytes = Buffer.alloc(HEADER_BYTES + 2 + GROWTH_BYTES);
    bytes.set(MAGIC);
    bytes[ENCODING_AT] = SPARSE;
    bytes[HEADER_BYTES] = LONG_ZEROS | ((REGISTERS - 1) >> 8);
    bytes[HEADER_BYTES + 1] = (REGISTERS - 1) & 0xff;
    return new Sketch(bytes, HEADER_BYTES + 2);
  }

  /** A copy; `isSketch` holds. */
  static of(value: Buffer): Sketch {
    const bytes = Buffer.alloc(value.length + GROWTH_BYTES);
    bytes.set(value);
    return new Sketch(bytes, value.length);
  }

  get isDense(): boolean {
    return this.#bytes[ENCODING_AT] === DENSE;
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  /** Null when it is out of date. */
  get cachedCount(): bigint | null {
    return this.#bytes[OUT_OF_DATE_AT]! >= OUT_OF_DATE ? null : this.#bytes.readBigUInt64LE(CACHED_AT);
  }

  cacheCount(count: bigint): void {
    this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, count), CACHED_AT);
  }

  outdateCount(): void {
    this.#bytes[OUT_OF_DATE_AT]! |= OUT_OF_DATE;
  }

  registers(): Registers {
    return this.isDense ? this.#denseRegisters() : this.#sparseRegisters();
  }

  /** True when the register was less. The sketch becomes dense rather than longer than `sparseBytes`. */
  raise(index: number, count: number, sparseBytes: number): boolean {
    if (this.isDense) return this.#raiseDense(index, count);
    const raised = count > SPARSE_VALUE_MAX ? null : this.#raiseSparse(index, count, sparseBytes);
    if (raised !== null) return raised;
    this.becomeDense();
    return this.#raiseDense(index, count);
  }

  /** The cached count stays as it is. */
  becomeDense(): void {
    if (this.isDense) return;
    const registers = this.#sparseRegisters();
    const dense = Buffer.alloc(DENSE_BYTES);
    dense.set(this.#bytes.subarray(0, HEADER_BYTES));
    dense[ENCODING_AT] = DENSE;
    this.#bytes = dense;
    this.#end = DENSE_BYTES;
    for (let i = 0; i < REGISTERS; i++) if (registers[i]! > 0) this.#setDense(i, registers[i]!);
  }

  /** As PFDEBUG DECODE shows them. */
  *runs(): Generator<{
    readonly kind: 'values' | 'zeros' | 'long zeros';
    readonly value: number;
    readonly length: number;
  }> {
    for (let at = HEADER_BYTES; at < this.#end; ) {
      const byte = this.#bytes[at]!;
      const kind = byte >= VALUES ? 'values' : byte >= LONG_ZEROS ? 'long zeros' : 'zeros';
      yield { kind, value: byte >= VALUES ? valueOf(byte) : 0, length: this.#lengthAt(at) };
      at += sizeOf(byte);
    }
  }

  #denseRegisters(): Registers {
    const registers = emptyRegisters();
    // Four registers are in three bytes.
    for (let at = HEADER_BYTES, i = 0; i < REGISTERS; at += 3, i += 4) {
      const three = this.#bytes[at]! | (this.#bytes[at + 1]! << 8) | (this.#bytes[at + 2]! << 16);
      registers[i] = three & REGISTER_MASK;
      registers[i + 1] = (three >> 6) & REGISTER_MASK;
      registers[i + 2] = (three >> 12) & REGISTER_MASK;
      registers[i + 3] = three >> 18;
    }
    return registers;
  }

  #raiseDense(index: number, count: number): boolean {
    const at = HEADER_BYTES + ((index * REGISTER_BITS) >> 3);
    const two = this.#bytes[at]! | ((this.#bytes[at + 1] ?? 0) << 8);
    if (count <= ((two >> ((index * REGISTER_BITS) & 7)) & REGISTER_MASK)) return false;
    this.#setDense(index, count);
    return true;
  }

  #setDense(index: number, count: number): void {
    const at = HEADER_BYTES + ((index * REGISTER_BITS) >> 3);
    const shift = (index * REGISTER_BITS) & 7;
    const two = this.#bytes[at]! | ((this.#bytes[at + 1] ?? 0) << 8);
    const set = (two & ~(REGISTER_MASK << shift)) | (count << shift);
    this.#bytes[at] = set & 0xff;
    // The last register ends with the last byte.
    if (shift > 2) this.#bytes[at + 1] = set >> 8;
  }

  #sparseRegisters(): Registers {
    const registers = emptyRegisters();
    let index = 0;
    for (let at = HEADER_BYTES; at < this.#end; at += sizeOf(this.#bytes[at]!)) {
      const byte = this.#bytes[at]!;
      const next = index + this.#lengthAt(at);
      if (next > REGISTERS) throw new ClientError(CORRUPT);
      if (byte >= VALUES) registers.fill(valueOf(byte), index, next);
      index = next;
    }
    if (index !== REGISTERS) throw new ClientError(CORRUPT);
    return registers;
  }

  /** Null: only a dense sketch can have it. */
  #raiseSparse(index: number, count: number, sparseBytes: number): boolean | null {
    let previous = HEADER_BYTES;
    let at = HEADER_BYTES;
    let first = 0;
    let length = 0;
    for (;;) {
      if (at >= this.#end) throw new ClientError(CORRUPT);
      length = this.#lengthAt(at);
      if (index < first + length) break;
      previous = at;
      at += sizeOf(this.#bytes[at]!);
      first += length;
    }
    const run = this.#bytes[at]!;
    const value = run >= VALUES ? valueOf(run) : 0;
    if (value >= count) return false;
    const replaced = [
      ...encodedRun(value, index - first),
      ...encodedRun(count, 1),
      ...encodedRun(value, first + length - 1 - index),
    ];
    const growth = replaced.length - sizeOf(run);
    if (growth > 0 && this.#end + growth > sparseBytes) return null;
    this.#replace(at, sizeOf(run), replaced);
    this.#joinFrom(previous);
    this.outdateCount();
    return true;
  }

  #replace(at: number, size: number, run: readonly number[]): void {
    const growth = run.length - size;
    if (this.#end + growth > this.#bytes.length) {
      const roomier = Buffer.alloc(2 * this.#bytes.length);
      roomier.set(this.#bytes.subarray(0, this.#end));
      this.#bytes = roomier;
    }
    this.#bytes.copyWithin(at + run.length, at + size, this.#end);
    this.#bytes.set(run, at);
    this.#end += growth;
  }

  /** Neighbouring runs of one value become one, where it can be as long. */
  #joinFrom(from: number): void {
    let at = from;
    for (let looked = 0; looked < JOINED_RUNS && at < this.#end; looked++) {
      const run = this.#bytes[at]!;
      const next = at + 1 < this.#end ? this.#bytes[at + 1]! : 0;
      const joined = (run & 3) + 1 + (next & 3) + 1;
      if (run >= VALUES && run >> 2 === next >> 2 && joined <= VALUES_MAX) {
        this.#bytes.copyWithin(at, at + 1, this.#end);
        this.#end--;
        this.#bytes[at] = (run & ~3) | (joined - 1);
      } else {
        at += sizeOf(run);
      }
    }
  }

  #lengthAt(at: number): number {
    const byte = this.#bytes[at]!;
    if (byte >= VALUES) return (byte & 3) + 1;
    if (byte < LONG_ZEROS) return byte + 1;
    // Redis finds a 0 behind a string that ends within a run.
    return (((byte & 0x3f) << 8) | (at + 1 < this.#end ? this.#bytes[at + 1]! : 0)) + 1;
  }
}

function sizeOf(run: number): number {
  return run >= LONG_ZEROS && run < VALUES ? 2 : 1;
}

function valueOf(run: number): number {
  return ((run >> 2) & 0x1f) + 1;
}

/** Nothing where the run has no registers. */
function encodedRun(value: number, length: number): number[] {
  if (length === 0) return [];
  if (value > 0) return [VALUES | ((value - 1) << 2) | (length - 1)];
  if (length <= SHORT_ZEROS_MAX) return [length - 1];
  return [LONG_ZEROS | ((length - 1) >> 8), (length - 1) & 0xff];
}
