/**
 * A page of a snapshot as it travels to a learner: entries one after the other, each `key length u32 | value length
 * u32 | key | value`. One buffer instead of hundreds: it is checked in one go, and passes the wire without another copy.
 */
import { crc32 } from 'node:zlib';
import { OperatingError } from '../../shared/errors.js';
import type { Entry } from '../storage/store.js';

const HEADER_BYTES = 8;

export interface Page {
  readonly bytes: Buffer;
  readonly crc: number;
}

export function encodePage(entries: readonly Entry[]): Page {
  let length = 0;
  for (const { key, value } of entries) length += HEADER_BYTES + key.length + value.length;
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const { key, value } of entries) {
    bytes.writeUInt32BE(key.length, at);
    bytes.writeUInt32BE(value.length, at + 4);
    at += HEADER_BYTES;
    at += key.copy(bytes, at);
    at += value.copy(bytes, at);
  }
  return { bytes, crc: crc32(bytes) };
}

/** The entries alias `bytes`. Throws E_WIRE when the page is not what was sent. */
export function decodePage({ bytes, crc }: Page): Entry[] {
  if (crc32(bytes) !== crc) throw new OperatingError('E_WIRE', 'a page of a snapshot arrived damaged');
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const keyAt = at + HEADER_BYTES;
    const valueAt = keyAt + bytes.readUInt32BE(at);
    at = valueAt + bytes.readUInt32BE(keyAt - 4);
    entries.push({ key: bytes.subarray(keyAt, valueAt), value: bytes.subarray(valueAt, at) });
  }
  return entries;
}
