/**
 * When a server that lost its seat, or did not finish learning, is asked to learn again. The first time at once: it
 * paused, or a disk hung, and clients want three copies. A server that comes back only to hold up the partition
 * again has to rest longer each time, within a bound, since it may be the only candidate; meanwhile the partition goes
 * on without it. Once it has been a member for a while all is forgotten.
 */

/** The second time; doubled each time after that, up to the most. */
const REST_MS = 2_000;
const REST_MS_MAX = 30_000;
/** A member for this long has behaved. */
const BEHAVED_MS = 60_000;
/** Whatever happened this long ago says nothing about now. */
const FORGOTTEN_MS = 600_000;

/** Of one server with one partition. */
export interface Conduct {
  readonly failures: number;
  readonly restUntilMs: number;
  /** Since when it is a member; null: it is none. */
  readonly joinedMs: number | null;
  readonly changedMs: number;
}

export function joined(before: Conduct | undefined, nowMs: number): Conduct {
  return { failures: before?.failures ?? 0, restUntilMs: nowMs, joinedMs: nowMs, changedMs: nowMs };
}

/** It was dropped though it lives, or its lesson was given up. */
export function failed(before: Conduct | undefined, nowMs: number): Conduct {
  const behaved =
    before === undefined ||
    nowMs - before.changedMs >= FORGOTTEN_MS ||
    (before.joinedMs !== null && nowMs - before.joinedMs >= BEHAVED_MS);
  const failures = behaved ? 1 : before.failures + 1;
  const restMs = failures === 1 ? 0 : Math.min(REST_MS_MAX, REST_MS * 2 ** (failures - 2));
  return { failures, restUntilMs: nowMs + restMs, joinedMs: null, changedMs: nowMs };
}
