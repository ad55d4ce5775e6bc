/** The shape of a command's sequential specification, and what its arguments are read with. */
import { isError, type Reply } from '../history.js';
import { ModelError, type Draft, type Expected } from './keyspace.js';

/** Which arguments (counted without the name) are keys; `all`: it concerns every key there is. */
export type KeyPositions =
  | 'first'
  | 'firstTwo'
  | 'every'
  | 'everySecond'
  | 'all'
  | ((args: readonly string[]) => readonly string[]);

export interface Specification {
  readonly keys: KeyPositions;
  readonly write: boolean;
  /** Changes `draft` and says what the reply must be. Throws ModelError for an error reply. */
  readonly run: (draft: Draft, args: readonly string[]) => Expected;
  /**
   * For a command that chooses by chance: the choices it may have made, given the reply (undefined when it never came).
   * `run` is then called once for each of these, which are given to it in place of the arguments.
   */
  readonly choices?: (
    draft: Draft,
    args: readonly string[],
    observed: Reply | undefined,
  ) => readonly (readonly string[])[];
}

export type Specifications = Readonly<Record<string, Specification>>;

export function argument(args: readonly string[], index: number): string {
  const value = args[index];
  if (value === undefined) throw new Error(`the model needs argument ${index} of ${JSON.stringify(args)}`);
  return value;
}

export function integer(text: string): number {
  if (!/^-?(0|[1-9]\d*)$/.test(text) || text === '-0' || !Number.isSafeInteger(Number(text)))
    throw new ModelError('ERR value is not an integer or out of range');
  return Number(text);
}

export function pairs(args: readonly string[], from: number): [string, string][] {
  const found: [string, string][] = [];
  for (let at = from; at + 1 < args.length; at += 2) found.push([argument(args, at), argument(args, at + 1)]);
  return found;
}

/** For `slice`: from `start` to `stop`, both inclusive and possibly negative, as LRANGE counts. */
export function inclusive(length: number, start: number, stop: number): [from: number, to: number] {
  const from = Math.max(0, start < 0 ? length + start : start);
  const to = stop < 0 ? length + stop : stop;
  return [from, Math.max(from, to + 1)];
}

/** An array of these strings in any order. */
export function unordered(items: Iterable<string>): Expected {
  const expected = [...items].sort();
  return (observed) => {
    if (!Array.isArray(observed) || observed.length !== expected.length) return false;
    const sorted = (observed as readonly string[]).slice().sort();
    return sorted.every((item, index) => item === expected[index]);
  };
}

export function matches(expected: Expected, observed: Reply): boolean {
  return typeof expected === 'function' ? expected(observed) : sameReply(expected, observed);
}

function sameReply(a: Reply, b: Reply): boolean {
  if (a === b) return true;
  if (Array.isArray(a))
    return (
      Array.isArray(b) && a.length === b.length && a.every((item: Reply, index) => sameReply(item, b[index] as Reply))
    );
  return isError(a) && isError(b) && a.error === b.error;
}
