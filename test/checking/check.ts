/**
 * Checks a whole history: keys that operations connect are one object, and every object's operations must be
 * linearizable. (By locality that is all, but for operations on the whole keyspace: FLUSHDB is checked with each
 * object by itself.)
 */
import { describeOperation, isError, shorten, type Operation, type Reply } from './history.js';
import { search, type SearchOptions, type SearchResult } from './linearizable.js';
import { keysOf } from './models/index.js';
import { describeKeyspace } from './models/keyspace.js';

export interface CheckOptions extends Partial<SearchOptions> {
  /** True where commands on several keys are done key by key (MGET, MSET over several partitions). */
  readonly splitUnions?: boolean;
}

export interface Failure {
  readonly kind: 'violation' | 'undecided';
  readonly keys: readonly string[];
  /** The shortest prefix that fails. */
  readonly operations: readonly Operation[];
  /** For a person: what could be explained, and what then could not. */
  readonly explanation: string;
}

export interface CheckResult {
  readonly components: number;
  readonly operations: number;
  readonly steps: number;
  readonly failures: readonly Failure[];
}

const DEFAULTS: SearchOptions = { budget: 2_000_000, clockSkewMs: 5_000 };

export function checkHistory(history: readonly Operation[], options: CheckOptions = {}): CheckResult {
  const searched = { ...DEFAULTS, ...options };
  const operations = options.splitUnions === true ? history.flatMap(splitUnion) : history;
  const failures: Failure[] = [];
  let steps = 0;
  const found = components(operations);
  for (const component of found) {
    const result = search(component.operations, searched);
    steps += result.steps;
    if (result.verdict !== 'linearizable') failures.push(explain(component, result, searched));
  }
  return { components: found.length, operations: operations.length, steps, failures };
}

/** Throws with the explanations of the first failures. */
export function requireLinearizable(history: readonly Operation[], options: CheckOptions = {}): CheckResult {
  const result = checkHistory(history, options);
  if (result.failures.length > 0)
    throw new Error(
      result.failures
        .slice(0, 3)
        .map(({ explanation }) => explanation)
        .join('\n'),
    );
  return result;
}

interface Component {
  readonly keys: readonly string[];
  readonly operations: Operation[];
}

/** Operations by the keys that they connect; those on all keys are in every component. */
export function components(operations: readonly Operation[]): Component[] {
  const parent = new Map<string, string>();
  const root = (key: string): string => {
    let at = key;
    for (let up = parent.get(at); up !== undefined && up !== at; up = parent.get(at)) at = up;
    parent.set(key, at);
    return at;
  };
  const everywhere: Operation[] = [];
  for (const operation of operations) {
    if (operation.outcome === 'refused') continue;
    const keys = keysOf(operation.command);
    if (keys === null) everywhere.push(operation);
    else for (const key of keys) parent.set(root(key), root(keys[0]!));
  }
  const found = new Map<string, Component & { keys: string[] }>();
  for (const key of parent.keys()) {
    const name = root(key);
    const component = found.get(name);
    if (component === undefined) found.set(name, { keys: [key], operations: [...everywhere] });
    else component.keys.push(key);
  }
  for (const operation of operations) {
    const first = operation.outcome === 'refused' ? undefined : keysOf(operation.command)?.[0];
    if (first !== undefined) found.get(root(first))!.operations.push(operation);
  }
  return [...found.values()];
}

/** A union is one operation per key, each within the time of the whole. */
export function splitUnion(operation: Operation): Operation[] {
  const { command, reply, outcome } = operation;
  const name = (command[0] ?? '').toLowerCase();
  if (name !== 'mget' && name !== 'mset') return [operation];
  const step = name === 'mget' ? 1 : 2;
  const parts = (command.length - 1) / step;
  return Array.from({ length: parts }, (_, part): Operation => {
    const args = command.slice(1 + part * step, 1 + (part + 1) * step);
    const answer = Array.isArray(reply) && !isError(reply) ? [(reply as readonly Reply[])[part] ?? null] : reply;
    return {
      ...operation,
      id: operation.id + part / (parts + 1),
      command: [name, ...args],
      reply: outcome === 'ok' ? answer : reply,
    };
  });
}

/** Everything called until `untilMs`; what had not returned by then is of unknown outcome. */
function prefix(operations: readonly Operation[], untilMs: number): Operation[] {
  return operations
    .filter(({ callMs }) => callMs <= untilMs)
    .map((operation) =>
      operation.outcome === 'ok' && operation.returnMs > untilMs
        ? { ...operation, outcome: 'unknown', returnMs: Infinity }
        : operation,
    );
}

const SHOWN_BEFORE = 12;

function explain({ keys, operations }: Component, result: SearchResult, options: SearchOptions): Failure {
  const returns = [...new Set(operations.filter(({ outcome }) => outcome === 'ok').map((one) => one.returnMs))];
  returns.sort((a, b) => a - b);
  // A prefix of a linearizable history is linearizable: the first that fails is found by halving.
  let low = 0;
  let high = returns.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const { verdict } = search(prefix(operations, returns[middle]!), options);
    if (verdict === 'linearizable') low = middle + 1;
    else high = middle;
  }
  const endMs = returns[low] ?? 0;
  const shortest = prefix(operations, endMs);
  const culprits = shortest.filter(({ returnMs, outcome }) => outcome === 'ok' && returnMs === endMs);
  const { order, final, verdict } = search(
    shortest.map((one) => (culprits.includes(one) ? { ...one, outcome: 'unknown', returnMs: Infinity } : one)),
    options,
  );
  const open = shortest.filter((one) => one.outcome === 'unknown' && !order.includes(one));
  const lines = [
    result.verdict === 'violation'
      ? `not linearizable: keys ${shorten(keys.join(', '))}; no order explains`
      : `undecided after ${result.steps} steps (a larger budget may decide): keys ${shorten(keys.join(', '))}; cannot place`,
    ...culprits.map((one) => `  ${describeOperation(one)}`),
    verdict === 'linearizable' ? 'before it, this order explains the others (the last of them):' : 'before it:',
    ...order.slice(-SHOWN_BEFORE).map((one) => `  ${describeOperation(one)}`),
    `which leaves ${shorten(describeKeyspace(final))}`,
    ...(open.length === 0 ? [] : ['of unknown outcome at that time:']),
    ...open.slice(-SHOWN_BEFORE).map((one) => `  ${describeOperation(one)}`),
  ];
  const kind = result.verdict === 'violation' ? 'violation' : 'undecided';
  return { kind, keys, operations: shortest, explanation: lines.join('\n') };
}
