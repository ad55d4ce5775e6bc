/**
 * SLOWLOG: commands that took longer than `slowlog-log-slower-than` microseconds. Here the time is from the
 * request's arrival to its reply: it includes the way to the partition and the wait for its replicas.
 */
const ARGUMENTS_MAX = 32;
const ARGUMENT_BYTES_MAX = 128;

export interface SlowlogEntry {
  readonly id: number;
  readonly atS: number;
  readonly usec: number;
  readonly args: readonly Buffer[];
  readonly address: string;
  readonly clientName: string;
}

export class Slowlog {
  /** Newest first. */
  entries: SlowlogEntry[] = [];
  private nextId = 0;

  add(
    words: readonly Buffer[],
    usec: number,
    wallMs: number,
    address: string,
    clientName: string,
    maxEntries: number,
  ): void {
    this.entries.unshift({
      id: this.nextId,
      atS: Math.floor(wallMs / 1000),
      usec: Math.round(usec),
      args: shorten(words),
      address,
      clientName,
    });
    this.nextId += 1;
    if (this.entries.length > maxEntries) this.entries.length = Math.max(0, maxEntries);
  }

  reset(): void {
    this.entries = [];
  }
}

/** Copies: an entry must not keep a client's whole buffer alive. */
function shorten(words: readonly Buffer[]): Buffer[] {
  const kept = words.length > ARGUMENTS_MAX ? ARGUMENTS_MAX - 1 : words.length;
  const result = words
    .slice(0, kept)
    .map((word) =>
      word.length <= ARGUMENT_BYTES_MAX
        ? Buffer.from(word)
        : Buffer.concat([
            word.subarray(0, ARGUMENT_BYTES_MAX),
            Buffer.from(`... (${word.length - ARGUMENT_BYTES_MAX} more bytes)`),
          ]),
    );
  if (words.length > ARGUMENTS_MAX)
    result.push(Buffer.from(`... (${words.length - ARGUMENTS_MAX + 1} more arguments)`));
  return result;
}
