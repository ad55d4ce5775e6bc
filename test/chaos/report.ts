/** What a scenario came to, and how it is printed. */

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
