/**
 * The sequential specification of Redis, by command: what may follow from an operation in a keyspace. This is the
 * whole of what the search knows about Redis.
 */
import { isError, type Operation, type Reply } from '../history.js';
import { blocking } from './blocking.js';
import { hashes } from './hashes.js';
import { afterExpiry, Draft, type Expected, type Keyspace, ModelError } from './keyspace.js';
import { keys } from './keys.js';
import { lists } from './lists.js';
import { scripts } from './scripts.js';
import { sets } from './sets.js';
import { sortedSets } from './sorted-sets.js';
import { matches, type Specification, type Specifications } from './specification.js';
import { streams } from './streams.js';
import { strings } from './strings.js';
import { queuedIn, transactionsOf } from './transactions.js';

const table: Specifications = {
  ...strings,
  ...lists,
  ...sets,
  ...hashes,
  ...sortedSets,
  ...streams,
  ...blocking,
  ...scripts,
  ...keys,
  ...transactionsOf((command) => ({ specification: specificationOf(command), keys: keysOf(command) })),
};

/** Throws for a command that is not modelled: a history that cannot be checked must not pass. */
export function specificationOf(command: readonly string[]): Specification {
  const found = table[(command[0] ?? '').toLowerCase()];
  if (found === undefined) throw new Error(`there is no model of ${command[0] ?? 'an empty command'}`);
  return found;
}

/** Null: all keys. */
export function keysOf(command: readonly string[]): readonly string[] | null {
  const args = command.slice(1);
  const { keys: positions } = specificationOf(command);
  if (typeof positions === 'function') return positions(args);
  switch (positions) {
    case 'first':
      return args.slice(0, 1);
    case 'firstTwo':
      return args.slice(0, 2);
    case 'every':
      return args;
    case 'everySecond':
      return args.filter((_, index) => index % 2 === 0);
    case 'all':
      return null;
  }
}

/** An operation with what the search would otherwise work out again and again. */
export interface Prepared {
  readonly operation: Operation;
  readonly specification: Specification;
  readonly args: readonly string[];
  /** What may be recognised in replies: its arguments, of a transaction those of what was queued. */
  readonly brings: readonly string[];
  /** Null: all keys. */
  readonly keys: readonly string[] | null;
  /** Undefined: it never came. */
  readonly reply: Reply | undefined;
}

export function prepare(operation: Operation): Prepared {
  const { command, outcome } = operation;
  return {
    operation,
    specification: specificationOf(command),
    args: command.slice(1),
    brings: queuedIn(command).flatMap((queued) => queued.slice(queued[0] === 'EVAL' ? 3 : 1)),
    keys: keysOf(command),
    reply: outcome === 'ok' ? operation.reply : undefined,
  };
}

/**
 * The keyspaces in which `keyspace` may be after the operation, given its reply; none: it cannot have taken place here.
 * The same object again means that nothing changed.
 */
export function outcomes(keyspace: Keyspace, prepared: Prepared, clockSkewMs: number): Keyspace[] {
  const { operation, specification, args, reply } = prepared;
  const { callMs, returnMs } = operation;
  const moment = { callMs, returnMs, clockSkewMs };
  const after: Keyspace[] = [];
  for (const world of afterExpiry(keyspace, prepared.keys ?? keyspace.keys(), moment)) {
    for (const chosen of choicesOf(new Draft(world, moment), specification, args, reply)) {
      const draft = new Draft(world, moment);
      const expected = run(draft, specification, chosen);
      if (reply !== undefined && !matches(expected, reply)) continue;
      const failed = typeof expected !== 'function' && isError(expected);
      after.push(failed ? world : draft.keyspace);
    }
  }
  return after;
}

function choicesOf(
  draft: Draft,
  { choices }: Specification,
  args: readonly string[],
  reply: Reply | undefined,
): readonly (readonly string[])[] {
  if (choices === undefined) return [args];
  try {
    return choices(draft, args, reply);
  } catch (error) {
    // The error that the command answers with comes from running it.
    if (error instanceof ModelError) return [args];
    throw error;
  }
}

function run(draft: Draft, specification: Specification, args: readonly string[]): Expected {
  try {
    return specification.run(draft, args);
  } catch (error) {
    if (error instanceof ModelError) return { error: error.message };
    throw error;
  }
}
