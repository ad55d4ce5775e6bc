/**
 * What a role may know of the outside world apart from its network and its disk. Everything that
 * reads a clock, sets a timer or draws a random number does it through this interface, so that
 * the simulator runs the real code on virtual time.
 */
export interface Environment {
  /** Monotonic clock in milliseconds; never steps. Leases and deadlines use this one only. */
  monotonicMs(): number;
  /** Wall clock in milliseconds since 1970; may step. Only expiry times and reports use it. */
  wallMs(): number;
  /** Calls `run` once after at least `delayMs`. */
  after(delayMs: number, run: () => void): Timer;
  /** Calls `run` when the input of this event-loop turn has been read: the place to batch. */
  defer(run: () => void): void;
  /** Uniform in [0, 1). */
  random(): number;
}

export interface Timer {
  cancel(): void;
}

/** The environment of a real process. */
export const systemEnvironment: Environment = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  defer: deferInTurn,
  random: () => Math.random(),
};

/**
 * What is deferred while deferred work runs still belongs to this turn: a prepare that arrives is logged, acknowledged
 * and on the wire after one pass of the event loop instead of three.
 */
const ROUNDS_PER_TURN = 8;
let deferred: (() => void)[] = [];
let scheduled = false;

function deferInTurn(run: () => void): void {
  deferred.push(run);
  if (scheduled) return;
  scheduled = true;
  setImmediate(runDeferred);
}

function runDeferred(): void {
  let at = 0;
  try {
    for (let round = 0; round < ROUNDS_PER_TURN && at < deferred.length; round++) {
      for (const end = deferred.length; at < end; ) deferred[at++]!();
    }
  } finally {
    // also after an exception, which ends the process unless somebody catches it there
    deferred = deferred.slice(at);
    scheduled = deferred.length > 0;
    if (scheduled) setImmediate(runDeferred);
  }
}
