/**
 * LevelDB's own log, as far as a power failure makes it necessary to know it. LevelDB goes on in a new log file whenever
 * its write buffer is full, and syncs none but the newest; and when it recovers, it steps over what is missing in one file,
 * goes on with what it finds behind it, and says nothing. So after a power failure writes could be missing in the middle,
 * under an applied decree that says they are there. Two things prevent it:
 *
 *   syncOlderLogs   makes a synced write cover the older log files too: the checkpoint below which our log may go
 *   mendLogs        before a store is opened, cuts its logs at the first place where something is missing (sequence
 *                   numbers say so): what is left is the store as it was at some instant, and our log has the rest
 *
 * Formats (doc/log_format.md and db/version_edit.cc of LevelDB; little endian): blocks of 32 KiB hold fragments,
 *
 *   crc32c of what follows the length (4, masked)  length(2)  type(1: whole 1, first 2, middle 3, last 4)  data
 *
 * and a whole record is a batch, which begins with sequence(8) count(4), or in a MANIFEST an edit, a row of tagged fields.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { OperatingError } from '../../shared/errors.js';
import { syncDirectory } from './directory.js';
import type { Callback } from './store.js';

const BLOCK_BYTES = 32 * 1024;
const FRAGMENT_BYTES = 7;
const BATCH_BYTES = 12;
const LOG = /^(\d+)\.log$/;

interface LevelLog {
  readonly number: number;
  readonly name: string;
}

/** What was cut off, for the log; null: nothing. `directory` must be locked by the caller, and no store open in it. */
export function mendLogs(directory: string, done: Callback<string | null>): void {
  mend(directory).then(
    (what) => process.nextTick(done, null, what),
    (error: unknown) =>
      process.nextTick(
        done,
        new OperatingError('E_DISK', `the logs of ${directory} cannot be read: ${String(error)}`, { cause: error }),
      ),
  );
}

/**
 * Logs older than the newest, which LevelDB has just synced. One that is gone by now is in a synced table. Calls back with
 * the newest's name: given as `known` the next time, it says that the name is on stable storage already.
 */
export function syncOlderLogs(directory: string, known: string, done: Callback<string>): void {
  fs.readdir(directory, (error, names) => {
    if (error !== null) return done(error);
    const older = logsAmong(names);
    const newest = older.pop()?.name ?? '';
    const next = (failed: Error | null): void => {
      const log = older.shift();
      if (failed !== null) return done(failed);
      if (log === undefined) {
        if (newest === known) return done(null, newest);
        return syncDirectory(directory, (unsynced) => done(unsynced, newest));
      }
      fs.open(path.join(directory, log.name), 'r', (missing, file) => {
        if (missing !== null) return next(missing.code === 'ENOENT' ? null : missing);
        fs.fdatasync(file, (unsynced) => fs.close(file, (unclosed) => next(unsynced ?? unclosed)));
      });
    };
    next(null);
  });
}

function logsAmong(names: readonly string[]): LevelLog[] {
  const logs: LevelLog[] = [];
  for (const name of names) {
    const match = LOG.exec(name);
    if (match !== null) logs.push({ number: Number(match[1]), name });
  }
  return logs.sort((a, b) => a.number - b.number);
}

async function mend(directory: string): Promise<string | null> {
  const names = await fs.promises.readdir(directory);
  const oldest = await oldestLogNeeded(directory, names);
  if (oldest === null) return null;
  const logs = logsAmong(names).filter(({ number }) => number >= oldest);
  let expected: bigint | null = null;
  for (const [index, log] of logs.entries()) {
    const file = path.join(directory, log.name);
    const bytes = await fs.promises.readFile(file);
    const { end, next } = endOfBatches(bytes, expected);
    expected = next;
    if (end === bytes.length || bytes.subarray(end).every((byte) => byte === 0)) continue;
    const behind = logs.slice(index + 1);
    await cut(directory, file, end, behind);
    return `${log.name} from ${end} of ${bytes.length} on${behind.length === 0 ? '' : `, ${behind.map(({ name }) => name).join(', ')}`}`;
  }
  return null;
}

/** Later files go first: a crash in between must leave the damage to be seen again. They are kept under another name. */
async function cut(directory: string, file: string, end: number, behind: readonly LevelLog[]): Promise<void> {
  for (const { name } of [...behind].reverse()) {
    const from = path.join(directory, name);
    await fs.promises.rename(from, `${from}.lost`);
  }
  await new Promise<void>((resolve, reject) => {
    syncDirectory(directory, (error) => (error === null ? resolve() : reject(error)));
  });
  const handle = await fs.promises.open(file, 'r+');
  try {
    await handle.truncate(end);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Batches up to the first one that is damaged or does not follow the one before it. */
function endOfBatches(bytes: Buffer, expected: bigint | null): { end: number; next: bigint | null } {
  let next = expected;
  const end = eachRecord(bytes, (record) => {
    if (record.length < BATCH_BYTES) return false;
    const sequence = record.readBigUInt64LE(0);
    if (next !== null && sequence !== next) return false;
    next = sequence + BigInt(record.readUInt32LE(8));
    return true;
  });
  return { end, next };
}

/** Null: there is no readable store, which LevelDB will say itself. */
async function oldestLogNeeded(directory: string, names: readonly string[]): Promise<number | null> {
  if (!names.includes('CURRENT')) return null;
  const manifest = (await fs.promises.readFile(path.join(directory, 'CURRENT'), 'latin1')).trim();
  if (!names.includes(manifest)) return null;
  let oldest: number | null = null;
  eachRecord(await fs.promises.readFile(path.join(directory, manifest)), (edit) => {
    oldest = logNumberOf(edit) ?? oldest;
    return true;
  });
  return oldest;
}

/** Calls with each whole record until it returns false; returns where the last one that it took ends. */
export function eachRecord(bytes: Buffer, take: (record: Buffer) => boolean): number {
  let end = 0;
  let at = 0;
  let parts: Buffer[] = [];
  while (at + FRAGMENT_BYTES <= bytes.length) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left < FRAGMENT_BYTES) {
      at += left;
      continue;
    }
    const length = bytes.readUInt16LE(at + 4);
    const type = bytes[at + 6]!;
    const data = at + FRAGMENT_BYTES;
    if (type < 1 || type > 4 || data + length > bytes.length || length > left - FRAGMENT_BYTES) return end;
    if (unmask(bytes.readUInt32LE(at)) !== crc32c(bytes, at + 6, data + length)) return end;
    if (type <= 2 !== (parts.length === 0)) return end;
    parts.push(bytes.subarray(data, data + length));
    at = data + length;
    if (type === 2 || type === 3) continue;
    if (!take(parts.length === 1 ? parts[0]! : Buffer.concat(parts))) return end;
    parts = [];
    end = at;
  }
  return end;
}

/** Fields of an edit: what follows each tag. 5 compaction pointer, 6 deleted table, 7 new table. */
const EDIT_FIELDS: Readonly<Record<number, readonly ('number' | 'bytes')[]>> = {
  1: ['bytes'],
  2: ['number'],
  3: ['number'],
  4: ['number'],
  5: ['number', 'bytes'],
  6: ['number', 'number'],
  7: ['number', 'number', 'number', 'bytes', 'bytes'],
  9: ['number'],
};
const LOG_NUMBER = 2;

function logNumberOf(edit: Buffer): number | null {
  let at = 0;
  let found: number | null = null;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = edit[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < edit.length) {
    const tag = number();
    const fields = EDIT_FIELDS[tag];
    // What this LevelDB does not write: nothing is known of the rest.
    if (fields === undefined) return found;
    for (const field of fields) {
      const value = number();
      if (field === 'bytes') at += value;
      else if (tag === LOG_NUMBER) found = value;
    }
  }
  return found;
}

const CASTAGNOLI = 0x82f63b78;
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1;
  return crc >>> 0;
});

export function crc32c(bytes: Buffer, from: number, to: number): number {
  let crc = 0xffffffff;
  for (let at = from; at < to; at++) crc = table[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}
