/**
 * Three kinds of error, kept apart: a client's error (below: its exact Redis text), an operating
 * error (a code, whether a retry helps, what to do), a bug (`invariant`: the process stops rather
 * than corrupt).
 */

/** The client asked for something it cannot have; `message` is the exact RESP error text, without the leading `-`. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
}

/** Something around us failed or is configured wrongly. */
export class OperatingError extends Error {
  override readonly name = 'OperatingError';
  /** Stable: E_CONFIG, E_LISTEN, E_WIRE, E_META, E_DISK, E_CORRUPT, E_LOCKED, E_NO_PRIMARY, E_TIMEOUT, E_CLOSED, E_REFUSED, E_UNKNOWN, E_ARGUMENT. */
  readonly code: string;
  /** True when the same attempt may succeed later. */
  readonly retry: boolean;

  constructor(code: string, message: string, options: { retry?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry ?? false;
  }
}

export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** An assertion that stays on in production. */
export function invariant(condition: boolean, statement: string): asserts condition {
  if (!condition) throw new InvariantError(`invariant violated: ${statement}`);
}

/** Bytes on a disk are not what was written there: what they belong to is set aside and learned again. */
export function isDamage(error: Error | null): error is OperatingError {
  return error instanceof OperatingError && error.code === 'E_CORRUPT';
}
