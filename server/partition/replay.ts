/**
 * Reads back what a stay logged and the store does not hold yet. A decree may stand in the log more than
 * once, under growing ballots: the highest counts; a ballot-start drops what was above it. So the log is
 * read twice: once for which record counts, once for the records. A decree that is missing below another one means
 * that the log does not fit the store: E_CORRUPT.
 */
import { OperatingError } from '../../shared/errors.js';
import { MutationKind, mutationKind } from '../replication/mutation.js';
import type { LogRecord, MutationLog } from '../log/log.js';
import type { Callback } from '../storage/store.js';

export interface Replayed {
  /** Contiguous from `after` + 1. */
  readonly records: LogRecord[];
  /** What the log shows to be committed; at least `after`. */
  readonly committed: number;
  readonly ballot: number;
  /** There is more than `maxBytes` allowed. */
  readonly more: boolean;
}

/** At most `maxBytes` of bodies, at least one record where there is one. */
export function replay(
  log: MutationLog,
  partition: number,
  stay: string,
  after: number,
  maxBytes: number,
  done: Callback<Replayed>,
): void {
  const ballots = new Map<number, number>();
  let committed = after;
  let ballot = 0;
  let last = after;
  const survey = (record: LogRecord): boolean => {
    const known = ballots.get(record.decree);
    if (known === undefined || record.ballot >= known) ballots.set(record.decree, record.ballot);
    if (record.decree > last) last = record.decree;
    if (record.ballot > ballot) ballot = record.ballot;
    if (record.committed > committed) committed = record.committed;
    if (mutationKind(record.body) === MutationKind.ballotStart) {
      for (let decree = record.decree + 1; decree <= last; decree++) ballots.delete(decree);
      last = record.decree;
    }
    return true;
  };
  log.read(partition, stay, after + 1, survey, (error) => {
    if (error !== null) return done(error);
    const found = new Map<number, LogRecord>();
    const records: LogRecord[] = [];
    let next = after + 1;
    let bytes = 0;
    const collect = (record: LogRecord): boolean => {
      if (ballots.get(record.decree) !== record.ballot) return true;
      found.set(record.decree, record);
      for (let ready = found.get(next); ready !== undefined && bytes < maxBytes; ready = found.get(next)) {
        found.delete(next);
        records.push(ready);
        bytes += ready.body.length;
        next++;
      }
      return bytes < maxBytes;
    };
    log.read(partition, stay, after + 1, collect, (failed) => {
      if (failed !== null) done(failed);
      else if (next <= last && bytes < maxBytes) done(gap(partition, stay, next, last));
      else done(null, { records, committed: Math.min(committed, after + records.length), ballot, more: next <= last });
    });
  });
}

function gap(partition: number, stay: string, decree: number, last: number): OperatingError {
  return new OperatingError(
    'E_CORRUPT',
    `the log of partition ${partition} (stay ${stay}) lacks decree ${decree} and goes on to ${last}: it does not fit the store`,
  );
}
