/** What a scenario came to, and how it is printed. */
import { type FaultRecord, median } from './gaps.js';

export interface Verdict {
  /** Lines for the person who ran it. */
  readonly summary: readonly string[];
  /** What must not be; empty when all is well. */
  readonly failures: readonly string[];
}

/** Prints it; the exit code that goes with it. */
export function conclude(name: string, { summary, failures }: Verdict): number {
  for (const line of summary) console.log(line);
  for (const line of failures) console.log(`FAILED: ${line}`);
  console.log(`${name}: ${failures.length === 0 ? 'passed' : 'failed'}`);
  return failures.length === 0 ? 0 : 1;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}

/** A table: for each kind how often, and how long clients went without an acknowledged write. */
export function describeGaps(calm: FaultRecord, faults: readonly FaultRecord[]): string[] {
  const kinds = [...new Set(faults.map(({ kind }) => kind))].sort();
  const row = (name: string, records: readonly FaultRecord[]): string => {
    const gaps = records.map(({ longestGapMs }) => longestGapMs);
    const troubles = new Map<string, number>();
    for (const record of records)
      for (const [trouble, count] of record.troubles) troubles.set(trouble, (troubles.get(trouble) ?? 0) + count);
    const text = [...troubles].map(([trouble, count]) => `${count} x ${trouble}`).join(', ');
    const cells = [records.length, median(gaps).toFixed(0), Math.max(...gaps).toFixed(0)];
    return `${name.padEnd(34)}${cells.map((cell) => String(cell).padStart(8)).join('')}  ${text}`;
  };
  return [
    `${'fault'.padEnd(34)}${['times', 'median', 'max ms'].map((head) => head.padStart(8)).join('')}  not acknowledged`,
    row('(none)', [calm]),
    ...kinds.map((kind) =>
      row(
        kind,
        faults.filter((record) => record.kind === kind),
      ),
    ),
  ];
}

/** One line on one fault. */
export function describeFault({ kind, longestGapMs, troubles }: FaultRecord): string {
  const text = [...troubles].map(([trouble, count]) => `${count} x ${trouble}`).join(', ');
  return `${kind}: longest gap ${longestGapMs.toFixed(0)} ms${text === '' ? '' : `; ${text}`}`;
}
