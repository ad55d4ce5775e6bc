/**
 * The most that a connection was written at once of late. CLIENT LIST tells from it how large the reply buffer of a Redis
 * would be by now: as large as that, within bounds, and 16 KiB at first.
 */
const SMALLEST_BYTES = 1_024;
const LARGEST_BYTES = 16 * 1_024;
export const PEAK_FORGOTTEN_MS = 5_000;

export class ReplyPeak {
  private bytes = LARGEST_BYTES;
  private atMs: number;

  constructor(nowMs: number) {
    this.atMs = nowMs;
  }

  /** So much is written. `forgottenMs`: how long a peak counts. */
  wrote(bytes: number, nowMs: number, forgottenMs: number): void {
    if (bytes < this.bytes && nowMs - this.atMs < forgottenMs) return;
    this.bytes = bytes;
    this.atMs = nowMs;
  }

  /** What Redis would have used of its buffer at most, and the buffer's size. */
  describe(nowMs: number, forgottenMs: number): { readonly peakBytes: number; readonly bufferBytes: number } {
    const peakBytes = nowMs - this.atMs < forgottenMs ? Math.min(this.bytes, LARGEST_BYTES) : 0;
    return { peakBytes, bufferBytes: Math.min(LARGEST_BYTES, Math.max(SMALLEST_BYTES, peakBytes + 1)) };
  }
}
