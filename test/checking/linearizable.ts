/**
 * Is there an order of these operations, compatible with real time and with each client's own order, in which every
 * reply is what a single keyspace would have answered? Depth-first search after Wing and Gong with Lowe's memory of
 * configurations that failed. Exact, unless the budget of steps runs out, which the verdict then says.
 *
 * What keeps it fast:
 * - A read that fits is taken at once: no order needs it later.
 * - An operation of unknown outcome stays possible to the end. So a configuration counts as failed also when it
 *   differs from a failed one only in having fewer of these left, and of equal ones only the first is tried.
 * - Before the full search there are two that try such an operation only once something of it has been seen, or is
 *   seen at all. They cannot prove a violation, but find the order of a good history without trying subsets.
 * - The operation that must return first has to be placed before anything new begins. So of those under way only the ones
 *   are tried that have keys in common with it, with those, and so on: the others can as well come later.
 * - What tells much (an operation that answers with data, and fits) is tried first, what fits always as late as it may.
 */
import type { Operation, Reply } from './history.js';
import { outcomes, prepare, type Prepared } from './models/index.js';
import { Interner, type Keyspace } from './models/keyspace.js';

export interface SearchOptions {
  /** Transitions to look at before giving up. */
  readonly budget: number;
  /** How far the clocks that decide expiry may be from the observer's and from each other. */
  readonly clockSkewMs: number;
}

export interface SearchResult {
  readonly verdict: 'linearizable' | 'violation' | 'undecided';
  readonly steps: number;
  /** When linearizable: one order that explains everything, and what it leaves. */
  readonly order: readonly Operation[];
  readonly final: Keyspace;
}

/**
 * When an operation of unknown outcome may be tried: when something of it has been seen by then (`due`), is seen at all,
 * or always. `share`: of the budget that is left.
 */
const SEARCHES = [
  { tries: 'due', share: 0.1 },
  { tries: 'seen', share: 0.3 },
  { tries: 'all', share: 1 },
] as const;
type Tries = (typeof SEARCHES)[number]['tries'];

/** Operations of one component of keys; those refused, and reads of unknown outcome, play no part. */
export function search(operations: readonly Operation[], options: SearchOptions): SearchResult {
  const relevant = operations
    .map(prepare)
    .filter(
      ({ operation, specification }) =>
        operation.outcome === 'ok' || (operation.outcome === 'unknown' && specification.write),
    )
    .sort((a, b) => a.operation.callMs - b.operation.callMs || byId(a, b));
  const problem = new Problem(relevant, options);
  let steps = 0;
  for (const { tries, share } of SEARCHES) {
    if (tries !== 'all' && problem.open.length === 0) continue;
    const budget = Math.max(1, Math.floor((options.budget - steps) * share));
    const found = new Attempt(problem, tries, budget).run();
    steps += found.steps;
    if (found.verdict === 'linearizable' || tries === 'all') return { ...found, steps };
  }
  throw new Error('the last search decides');
}

/** An operation that must be put somewhere. */
interface Closed {
  readonly prepared: Prepared;
  readonly callMs: number;
  readonly returnMs: number;
  /** The closed operation of the same client before it, -1 for none. */
  readonly after: number;
  /** Open operations that can no longer take effect once this has. */
  readonly kills: bigint;
  readonly keys: number;
  /** Among what fits: the lower, the earlier it is tried. */
  readonly rank: number;
}

/** An operation that may be put somewhere. */
interface Open {
  readonly prepared: Prepared;
  readonly callMs: number;
  readonly after: number;
  readonly kills: bigint;
  readonly keys: number;
  /** When something of it was first seen in a reply; -Infinity: it brings nothing that could be recognised. */
  readonly seenMs: number;
  /** Open operations that are the same and that it is no worse to use first. */
  readonly twins: bigint;
}

class Problem {
  readonly closed: Closed[] = [];
  /** In the order in which they should be tried. */
  readonly open: Open[];
  readonly interner = new Interner();
  readonly empty: number;
  /** Of everything. */
  readonly keys: number;
  private readonly clockSkewMs: number;
  private readonly transitions = new Map<number, readonly number[]>();

  constructor(operations: readonly Prepared[], { clockSkewMs }: SearchOptions) {
    this.clockSkewMs = clockSkewMs;
    this.empty = this.interner.id(new Map());
    const numbers = new Map<string, number>();
    // Keys that share a bit only make the search look at more than it must.
    const keySet = ({ keys }: Prepared): number => {
      if (keys === null) return -1;
      let set = 0;
      for (const key of keys) {
        if (!numbers.has(key)) numbers.set(key, numbers.size % 31);
        set |= 1 << numbers.get(key)!;
      }
      return set;
    };
    this.keys = operations.reduce((set, prepared) => set | keySet(prepared), 0);
    const seen = new Sightings(operations);
    const open = operations
      .filter(({ reply }) => reply === undefined)
      .map((prepared) => ({ prepared, ...seen.of(prepared) }))
      .sort((a, b) => a.seenMs - b.seenMs || a.position - b.position || byId(a.prepared, b.prepared));
    const bits = new Map(open.map(({ prepared }, index) => [prepared, 1n << BigInt(index)]));
    const sessions = new Sessions(operations, bits);
    for (const prepared of operations) {
      if (prepared.reply === undefined) continue;
      const { callMs, returnMs } = prepared.operation;
      const rank = tellsMuch(prepared) ? -Infinity : Math.min(returnMs, seen.of(prepared).seenMs);
      this.closed.push({ prepared, callMs, returnMs, rank, keys: keySet(prepared), ...sessions.of(prepared) });
    }
    this.open = open.map(({ prepared, seenMs }) => {
      const place = sessions.of(prepared);
      const { callMs } = prepared.operation;
      return { prepared, callMs, seenMs, keys: keySet(prepared), ...place, twins: sessions.twins(prepared) };
    });
  }

  /** `at`: a closed operation, or from `closed.length` on an open one. */
  at(at: number): Closed | Open {
    return (this.closed[at] ?? this.open[at - this.closed.length])!;
  }

  next(state: number, at: number): readonly number[] {
    const key = state * (this.closed.length + this.open.length) + at;
    let found = this.transitions.get(key);
    if (found === undefined) {
      const { prepared } = this.at(at);
      const after = outcomes(this.interner.keyspaces[state]!, prepared, this.clockSkewMs);
      found = [...new Set(after.map((keyspace) => this.interner.id(keyspace)))];
      this.transitions.set(key, found);
    }
    return found;
  }
}

/** In most states the reply would have been another one. */
function tellsMuch({ reply }: Prepared): boolean {
  if (typeof reply === 'number') return Math.abs(reply) > 1;
  return Array.isArray(reply) ? reply.length > 0 : typeof reply === 'string' && reply !== 'OK';
}

function byId(a: Prepared, b: Prepared): number {
  return a.operation.id - b.operation.id;
}

/** What each client's own order demands. */
class Sessions {
  private readonly places = new Map<Prepared, { after: number; kills: bigint }>();
  /** When the client's next closed operation ends, and when its next operation of any kind begins. */
  private readonly later = new Map<Prepared, { endMs: number; beginMs: number }>();
  private readonly bits: ReadonlyMap<Prepared, bigint>;

  constructor(operations: readonly Prepared[], bits: ReadonlyMap<Prepared, bigint>) {
    this.bits = bits;
    const last = new Map<string, number>();
    const killed = new Map<string, bigint>();
    let closed = 0;
    for (const prepared of operations) {
      const { client } = prepared.operation;
      const bit = bits.get(prepared);
      const kills = (killed.get(client) ?? 0n) | (bit ?? 0n);
      this.places.set(prepared, { after: last.get(client) ?? -1, kills });
      killed.set(client, kills);
      if (bit === undefined) last.set(client, closed++);
    }
    const next = new Map<string, { endMs: number; beginMs: number }>();
    for (const prepared of operations.toReversed()) {
      const { client, callMs, returnMs } = prepared.operation;
      const following = next.get(client) ?? { endMs: Infinity, beginMs: Infinity };
      this.later.set(prepared, following);
      next.set(client, {
        endMs: prepared.reply === undefined ? following.endMs : returnMs,
        beginMs: callMs,
      });
    }
  }

  of(prepared: Prepared): { after: number; kills: bigint } {
    return this.places.get(prepared)!;
  }

  /** Equal open operations whose time ends before this one's may, or which come first where neither's ends. */
  twins(prepared: Prepared): bigint {
    const command = JSON.stringify(prepared.operation.command);
    const begins = this.later.get(prepared)!.beginMs;
    let twins = 0n;
    for (const [other, bit] of this.bits) {
      if (other === prepared || this.of(other).kills !== bit) continue;
      const ends = this.later.get(other)!.endMs;
      const first = ends === Infinity && begins === Infinity ? byId(other, prepared) < 0 : ends < begins;
      if (first && JSON.stringify(other.operation.command) === command) twins |= bit;
    }
    return twins;
  }
}

/** Where what an operation brings was first seen: its arguments, whole or as a <token> in a longer text. */
class Sightings {
  private readonly first = new Map<string, { seenMs: number; position: number }>();

  constructor(operations: readonly Prepared[]) {
    const byReturn = operations.filter(({ reply }) => reply !== undefined);
    byReturn.sort((a, b) => a.operation.returnMs - b.operation.returnMs);
    for (const { reply, operation } of byReturn) {
      let position = 0;
      for (const text of textsOf(reply ?? null)) {
        position += 1;
        if (!this.first.has(text)) this.first.set(text, { seenMs: operation.returnMs, position });
      }
    }
  }

  of({ brings, keys }: Prepared): { seenMs: number; position: number } {
    const brought = brings.filter((text) => /[^\d-]/.test(text) && keys?.includes(text) !== true);
    let found = { seenMs: brought.length === 0 ? -Infinity : Infinity, position: 0 };
    for (const text of brought) {
      const at = this.first.get(text);
      if (at !== undefined && at.seenMs < found.seenMs) found = at;
    }
    return found;
  }
}

function textsOf(reply: Reply): string[] {
  if (typeof reply === 'string') return [reply, ...(reply.match(/<[^<>]*>/g) ?? [])];
  return Array.isArray(reply) ? (reply as readonly Reply[]).flatMap(textsOf) : [];
}

/** A place in the tree: what has been done lies in Attempt. */
interface Frame {
  readonly state: number;
  /** All closed operations before it are done. */
  readonly base: number;
  /** Open operations that are done or can no longer take effect. */
  readonly gone: bigint;
  /** The operation that led here, -1 at the root. */
  readonly by: number;
  readonly candidates: readonly number[];
  at: number;
  /** States after `candidates[at - 1]` that have not been tried. */
  states: readonly number[];
  tried: number;
}

class Attempt {
  private readonly problem: Problem;
  private readonly tries: Tries;
  private readonly budget: number;
  private readonly done: Uint8Array;
  private count = 0;
  private steps = 0;
  private readonly path: number[] = [];
  private readonly failed = new Map<string, bigint[]>();

  constructor(problem: Problem, tries: Tries, budget: number) {
    this.problem = problem;
    this.tries = tries;
    this.budget = budget;
    this.done = new Uint8Array(problem.closed.length);
  }

  run(): SearchResult {
    const { problem } = this;
    const stack: Frame[] = [this.frame(problem.empty, 0, 0n, -1)];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      if (this.count === problem.closed.length) return this.result('linearizable', frame.state);
      const state = frame.states[frame.tried];
      if (state !== undefined) {
        frame.tried += 1;
        const child = this.enter(frame, frame.candidates[frame.at - 1]!, state);
        if (child !== null) stack.push(child);
        continue;
      }
      const candidate = frame.candidates[frame.at];
      if (candidate === undefined) {
        stack.pop();
        if (frame.by >= 0) this.undo(frame.by);
        continue;
      }
      if (this.steps >= this.budget) return this.result('undecided', frame.state);
      this.steps += 1;
      frame.at += 1;
      frame.tried = 0;
      frame.states = problem.next(frame.state, candidate);
    }
    return this.result('violation', problem.empty);
  }

  private result(verdict: SearchResult['verdict'], state: number): SearchResult {
    const { problem } = this;
    const order = this.path.map((at) => problem.at(at).prepared.operation);
    return { verdict, steps: this.steps, order, final: problem.interner.keyspaces[state]! };
  }

  /** Null: what follows from there is known to fail. */
  private enter(from: Frame, by: number, state: number): Frame | null {
    const { closed } = this.problem;
    const gone = from.gone | this.problem.at(by).kills;
    let { base } = from;
    if (by < closed.length) {
      this.done[by] = 1;
      this.count += 1;
      while (this.done[base] === 1) base += 1;
    }
    if (this.hasFailed(base, state, gone)) {
      if (by < closed.length) this.unmark(by);
      return null;
    }
    this.path.push(by);
    return this.frame(state, base, gone, by);
  }

  private undo(by: number): void {
    this.path.pop();
    if (by < this.problem.closed.length) this.unmark(by);
  }

  private unmark(by: number): void {
    this.done[by] = 0;
    this.count -= 1;
  }

  /** Every configuration that is entered is taken for failed: it is asked again only after it was left. */
  private hasFailed(base: number, state: number, gone: bigint): boolean {
    let beyond = '';
    let left = this.count - base;
    for (let at = base; left > 0; at++) {
      const done = this.done[at] === 1;
      beyond += done ? '1' : '0';
      if (done) left -= 1;
    }
    const key = `${base} ${beyond} ${state}`;
    const before = this.failed.get(key);
    if (before === undefined) {
      this.failed.set(key, [gone]);
      return false;
    }
    if (before.some((other) => (other & gone) === other)) return true;
    before.push(gone);
    return false;
  }

  private frame(state: number, base: number, gone: bigint, by: number): Frame {
    const candidates = this.candidates(state, base, gone);
    return { state, base, gone, by, candidates, at: 0, states: [], tried: 0 };
  }

  private candidates(state: number, base: number, gone: bigint): number[] {
    const { closed, open } = this.problem;
    const { tries } = this;
    let first: Closed | null = null;
    const begun: number[] = [];
    for (let at = base; at < closed.length; at++) {
      const operation = closed[at]!;
      if (first !== null && operation.callMs > first.returnMs) break;
      if (this.done[at] === 1) continue;
      if (first === null || operation.returnMs < first.returnMs) first = operation;
      begun.push(at);
    }
    if (first === null) return [];
    const firstReturnMs = first.returnMs;
    const underWay = begun.filter((at) => closed[at]!.callMs <= firstReturnMs);
    const ready = underWay.filter((at) => this.isReady(closed[at]!));
    for (const at of ready) {
      const { prepared, kills } = closed[at]!;
      if (prepared.specification.write || (kills & ~gone) !== 0n) continue;
      const states = this.problem.next(state, at);
      if (states.length === 1 && states[0] === state) return [at];
    }
    for (let at = 0; at < open.length; at++) {
      if ((gone & (1n << BigInt(at))) === 0n && open[at]!.callMs <= firstReturnMs) underWay.push(closed.length + at);
    }
    const related = this.related(first, underWay);
    const now = ready.filter((at) => related.has(at));
    now.sort((a, b) => closed[a]!.rank - closed[b]!.rank || closed[a]!.returnMs - closed[b]!.returnMs);
    for (let at = 0; at < open.length; at++) {
      const operation = open[at]!;
      const { seenMs, twins } = operation;
      if (!related.has(closed.length + at) || !this.isReady(operation)) continue;
      if (tries === 'due' && seenMs > firstReturnMs) continue;
      if (tries === 'seen' && seenMs === Infinity) continue;
      if (twins !== 0n && this.hasTwin(twins & ~gone, firstReturnMs)) continue;
      now.push(closed.length + at);
    }
    return now;
  }

  /** What came before it on its connection is done. */
  private isReady({ after }: Closed | Open): boolean {
    return after < 0 || this.done[after] === 1;
  }

  /** `first`, and of what is under way all that keys or a client's own order connect with it. */
  private related(first: Closed, underWay: readonly number[]): ReadonlySet<number> {
    const { problem } = this;
    if (first.keys === problem.keys) return new Set(underWay);
    const related = new Set<number>();
    let keys = first.keys;
    /** Open ones whose client has something related behind them. */
    let killed = 0n;
    for (let size = -1; related.size !== size; ) {
      size = related.size;
      for (const at of underWay) {
        if (related.has(at)) continue;
        const operation = problem.at(at);
        const isKilled = at >= problem.closed.length && (killed & (1n << BigInt(at - problem.closed.length))) !== 0n;
        if ((operation.keys & keys) === 0 && !isKilled) continue;
        for (let by = at; by >= 0 && !related.has(by); by = this.predecessor(by)) {
          related.add(by);
          keys |= problem.at(by).keys;
          killed |= problem.at(by).kills;
        }
      }
    }
    return related;
  }

  /** What must be done before it and is not; -1: nothing. */
  private predecessor(at: number): number {
    const { after } = this.problem.at(at);
    return after >= 0 && this.done[after] !== 1 ? after : -1;
  }

  /** One of these could be used in its place now. */
  private hasTwin(twins: bigint, firstReturnMs: number): boolean {
    return this.problem.open.some(
      ({ callMs, after }, index) =>
        (twins & (1n << BigInt(index))) !== 0n && callMs <= firstReturnMs && (after < 0 || this.done[after] === 1),
    );
  }
}
