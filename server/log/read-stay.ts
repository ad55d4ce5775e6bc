/** Reading one stay's records back, from segments that others may be appending to. */
import { OperatingError } from '../../shared/errors.js';
import type { Callback } from '../storage/store.js';
import type { LogFiles } from './files.js';
import type { LogRecord } from './log.js';
import { decodeRecord, segmentName } from './segment-format.js';
import { scanSegment } from './segment-reader.js';

/** Of each segment, the bytes that count. Damage is an error: what is read here has been checked when the log was opened, or written since. */
export function readStay(
  files: LogFiles,
  segments: readonly { readonly number: number; readonly bytes: number }[],
  wanted: { readonly partition: number; readonly stay: string; readonly from: number },
  each: (record: LogRecord) => boolean,
  done: Callback,
): void {
  let enough = false;
  const take = (bytes: Buffer, at: number, end: number): boolean => {
    const record = decodeRecord(bytes, at, end);
    if (record.partition !== wanted.partition || record.stay !== wanted.stay || record.decree < wanted.from)
      return true;
    enough = !each({ ...record, body: Buffer.from(record.body) });
    return !enough;
  };
  const next = (index: number): void => {
    const segment = segments[index];
    if (segment === undefined || enough) return done(null);
    const name = segmentName(segment.number);
    files.open(name, (error, file) => {
      if (error !== null || file === undefined) return done(error ?? new Error('no file'));
      scanSegment(file, name, segment.number, segment.bytes, take, (failed, scan) => {
        file.close((unclosed) => {
          if (failed !== null || unclosed !== null) return done(failed ?? unclosed);
          if (scan !== undefined && scan.end < segment.bytes) {
            return done(new OperatingError('E_CORRUPT', `log segment ${name} is damaged at ${scan.end}`));
          }
          next(index + 1);
        });
      });
    });
  };
  next(0);
}
