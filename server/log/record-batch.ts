/**
 * Records that wait to be written together, encoded one behind the other in one buffer. Two batches take turns:
 * one gathers while the other is written, and their buffers are used again.
 */
import type { LogRecord, Position } from './log.js';
import { type Stay, noteDecree } from './pins.js';
import { encodeRecord, recordBytes } from './segment-format.js';

const INITIAL_BYTES = 256 * 1024;
/** A buffer that grew beyond this is given back after use. */
const RETAINED_BYTES = 4 * 1024 * 1024;

export class RecordBatch {
  bytes: Buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  /** How much of `bytes` is used. */
  length = 0;
  done: ((error: Error | null) => void)[] = [];
  readonly decrees = new Map<Stay, number>();

  /** Returns the bytes it takes. */
  add(record: LogRecord, stay: Stay, synced: Position, salt: number, done: (error: Error | null) => void): number {
    const needed = recordBytes(record);
    if (this.length + needed > this.bytes.length) this.#grow(this.length + needed);
    encodeRecord(this.bytes, this.length, record, synced, salt);
    this.length += needed;
    this.done.push(done);
    noteDecree(this.decrees, stay, record.decree);
    return needed;
  }

  clear(): void {
    if (this.bytes.length > RETAINED_BYTES) this.bytes = Buffer.allocUnsafe(INITIAL_BYTES);
    this.length = 0;
    this.done = [];
    this.decrees.clear();
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}
